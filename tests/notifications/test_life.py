"""The outbox lived through in any order: nothing goes twice, too late, at night or unwanted."""

from collections import Counter
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta
from unittest import mock
from zoneinfo import ZoneInfo

import time_machine
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from notifications import channels, courtesy, preferences, rendering, reports, services
from notifications.channels import Refused, TryAgain
from notifications.events import Group
from notifications.models import Notification, OutOfReach, State
from notifications.rendering import Message
from notifications.services import Notice, notify, supersede
from tests.factories import InterviewFactory

START = datetime(2026, 11, 22, 19, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
SHANGHAI = ZoneInfo("Asia/Shanghai")
CHANNELS = ("sms", "email")
REMINDER, NEWS = "interview_reminder", "status_corrected"
TROUBLES = {
    "none": None,
    "refused": Refused("21211"),
    "away": TryAgain("503"),
    "broken": TryAgain("error"),
}
# From where a message may come to where, whatever happens in between.
ENDS = {
    State.DELIVERED: {State.DELIVERED, State.BOUNCED},
    State.FAILED: {State.FAILED},
    State.BOUNCED: {State.BOUNCED},
}


class Died(BaseException):
    """A worker was killed before the provider had the message."""


class Outbox(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        with ExitStack() as stack:
            stack.callback(services._away.clear)
            self.clock = stack.enter_context(time_machine.travel(START, tick=False))
            stack.enter_context(mock.patch.object(channels, "send", self._send))
            stack.enter_context(mock.patch.object(rendering, "render", self._render))
            stack.enter_context(transaction.atomic())  # each life begins with an empty outbox
            stack.callback(transaction.set_rollback, True)
            self.interview = InterviewFactory(candidate__user__email="z@example.com")
            self.user = self.interview.candidate.user
            self.person = f"user:{self.user.pk}"
            self.ends = stack.pop_all()
        self.trouble = dict.fromkeys(CHANNELS, "none")
        self.dies = False
        self.number = 0
        self.wrongs: list[str] = []
        self.went: Counter[str] = Counter()
        self.seen: dict[int, str] = {}

    def teardown(self) -> None:
        self.ends.close()

    def _render(self, notification):
        return Message("title", "body")

    def _send(self, notification, message):
        now = timezone.now()
        if self.dies:
            self.dies = False
            raise Died
        if trouble := TROUBLES[self.trouble[notification.channel]]:
            raise trouble
        # What is raised here would be taken for trouble with the provider.
        deadline = notification.deadline
        if deadline is not None and now >= deadline:
            self.wrongs.append("too late")
        if notification.event == REMINDER:
            key = (Group.REMINDERS.value, notification.channel)
            quiet = courtesy.quiet_until(now, SHANGHAI)
            if not preferences.of(self.person)[key]:
                self.wrongs.append("unwanted")
            if quiet is not None and (deadline is None or deadline > quiet):
                self.wrongs.append("at night")
        self.went[notification.dedupe_key] += 1
        return f"id-{notification.pk}"

    @rule(
        told=st.sampled_from([("sms",), ("email",), CHANNELS]),
        event=st.sampled_from([REMINDER, NEWS]),
        hours=st.none() | st.integers(1, 30),
    )
    def tell(self, told, event, hours):
        self.number += 1
        deadline = timezone.now() + timedelta(hours=hours) if hours else None
        notify(
            *(
                Notice(
                    event=event,
                    channel=channel,
                    recipient=self.person,
                    address=self.user.mobile if channel == "sms" else "z@example.com",
                    language="en",
                    subject=self.interview.subject,
                    dedupe_key=f"{self.number}:{channel}",
                    deadline=deadline,
                )
                for channel in told
            )
        )

    @rule(channel=st.sampled_from(CHANNELS), trouble=st.sampled_from(sorted(TROUBLES)))
    def fare(self, channel, trouble):
        self.trouble[channel] = trouble

    @rule(minutes=st.integers(1, 900))
    def wait(self, minutes):
        self.clock.shift(timedelta(minutes=minutes))

    @rule(dies=st.booleans())
    def sweep(self, dies):
        self.dies = dies
        with suppress(Died):
            services.deliver_due(seconds=5)
        self.dies = False

    @rule(
        state=st.sampled_from(sorted(ENDS)),
        which=st.integers(0, 5),
        provider=st.sampled_from(["own", "none", "another"]),
    )
    def report(self, state, which, provider):
        messages = list(Notification.objects.order_by("pk"))
        if not messages:
            return
        message = messages[which % len(messages)]
        if not self.went[message.dedupe_key]:
            return  # providers report nothing they have never had
        known = {"own": message.provider_id, "none": "", "another": "another"}[provider]
        reports.report(message.pk, state, provider_id=known, code="30005")

    @rule()
    def overtake(self):
        supersede(self.interview.subject, [REMINDER, NEWS])

    @rule(channel=st.sampled_from(CHANNELS), is_wanted=st.booleans())
    def choose(self, channel, is_wanted):
        preferences.choose(self.person, Group.REMINDERS, channel, is_wanted=is_wanted)

    @rule()
    def get_another_number(self):
        self.user.mobile = f"+86139{self.number:04d}{self.user.pk:04d}"[:14]
        self.user.save(update_fields=["mobile"])

    @invariant()
    def nothing_goes_that_should_not(self):
        assert self.wrongs == []

    @invariant()
    def nothing_goes_twice(self):
        assert all(count == 1 for count in self.went.values())

    @invariant()
    def no_end_is_taken_back(self):
        states = dict(Notification.objects.values_list("pk", "state"))
        for pk, before in self.seen.items():
            assert states[pk] in ENDS.get(State(before), set(State)), (before, states[pk])
        self.seen = states

    @invariant()
    def tries_are_bounded(self):
        most = len(services.BACKOFF) + 2
        assert not Notification.objects.filter(attempts__gt=most).exists()
        assert not Notification.objects.filter(attempts__lt=0).exists()

    @invariant()
    def nobody_is_out_of_reach_twice(self):
        assert OutOfReach.objects.filter(solved_at=None).count() <= 1


class TestOutbox(TestCase):
    def test_whatever_happens_the_outbox_keeps_its_word(self):
        run_state_machine_as_test(
            Outbox,
            settings=settings(
                max_examples=40,
                stateful_step_count=25,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
