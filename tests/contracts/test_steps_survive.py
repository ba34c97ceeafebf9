"""Three real workers and a real beat, kill -9 in the middle: every step is taken once."""

from collections import Counter
from datetime import timedelta

import pytest
from django.db.models import QuerySet
from django.utils import timezone

from interviews.models import ReminderRule, Step
from notifications.models import Notification, State
from tests.contracts.providers import MailServer, Twilio
from tests.contracts.workers import BEAT, come_due, kill, listening, wait_until
from tests.factories import InterviewFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.servers]
FIRST, SECOND = 220, 60  # steps: the first are more than one batch


def of_this_test() -> QuerySet:
    """The worker plans those of the other rules anew: migrations have just brought the rules."""
    return Step.objects.filter(rule__stage="booked", rule__minutes=-1440)


def due_now(count: int) -> None:
    """So many more appointments whose reminder is due at this moment, and no other step."""
    interviews = [InterviewFactory(link="", starts_in=timedelta(hours=20)) for _ in range(count)]
    Step.objects.filter(interview__in=interviews).delete()
    rule = ReminderRule.objects.get(stage="booked", minutes=-1440)
    now = timezone.now()
    Step.objects.bulk_create(
        Step(interview=each, rule=rule, anchor_at=each.starts_at, due_at=now) for each in interviews
    )


def test_three_workers_and_a_killed_beat_take_every_step_once(broker, start, record_property):
    due_now(FIRST)
    with Twilio() as twilio, MailServer() as mail_server:
        around = {
            "MIANYUE_MODE": "test",
            "QUIET_HOURS": "00:00-00:00",  # none, whenever this runs
            "DELIVERY_LEASE": "4",
            "PROVIDER_TIMEOUT": "1",
            "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
            "TWILIO_AUTH_TOKEN": "token",
            "TWILIO_FROM": "+12025550100",
            "TWILIO_API_BASE": twilio.url,
            "SMTP_URL": f"smtp://127.0.0.1:{mail_server.port}",
        }
        workers = [start(**around) for _ in range(3)]
        wait_until(lambda: listening(broker) == len(workers), "the workers")
        come_due("take-steps")
        beat = start(BEAT, **around)
        taken = of_this_test().exclude(done_at=None)
        wait_until(taken.exists, "the first steps")
        kill(beat)
        kill(workers[0])
        in_hand = set(
            Notification.objects.filter(state=State.SENDING).values_list("address", flat=True)
        )
        due_now(SECOND)
        record_property("taken when killed", taken.count())

        come_due("take-steps")
        start(BEAT, **around)
        wait_until(lambda: taken.count() == FIRST + SECOND, "the steps that are left")
        told = Notification.objects.filter(event="interview_reminder")
        wait_until(lambda: not told.exclude(state=State.SENT).exists(), "the messages")
        delivered = Counter(form["To"] for form in list(twilio.sent))
        delivered += Counter(to for (to,), _content in list(mail_server.received))

    assert not of_this_test().exclude(outcome="sent").exists()
    of_each = Counter(told.values_list("subject", "channel"))
    assert len({subject for subject, _channel in of_each}) == FIRST + SECOND
    assert set(of_each.values()) == {1}
    assert set(delivered) == set(told.values_list("address", flat=True))
    twice = {address for address, times in delivered.items() if times > 1}
    assert twice <= in_hand, "only what was in hand may go out again"
