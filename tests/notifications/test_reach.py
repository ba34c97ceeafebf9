"""Where a message does not arrive: the other channel, then somebody who looks after it."""

import threading
from datetime import time

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import User
from cancellations import work as cancellation_work
from notifications import preferences, reach, reports, services
from notifications.channels import Refused, TryAgain
from notifications.events import Group
from notifications.models import Notification, OutOfReach, State, WorkItem, WorkKind
from notifications.queries import unreachable
from tests.factories import CandidateFactory, InterviewFactory, UserFactory
from tests.notifications.messages import again, told

pytestmark = pytest.mark.django_db
BOTH = ("sms", "email")


def interview_of(**user):
    return InterviewFactory(
        candidate=CandidateFactory(user=UserFactory(**({"email": "z@example.com"} | user)))
    )


def tell(interview, *channels, event="status_corrected", at=None):
    """The same on each of the channels, as one transaction does."""
    user = interview.candidate.user
    for channel in channels:
        told(
            channel,
            event=event,
            channel=channel,
            recipient=f"user:{user.pk}",
            address=user.mobile if channel == "sms" else user.email,
            subject=interview.subject,
            params={"status": "no-show", "kind": "ai", "position": "Fitter", "candidate": "Li"},
        )
    Notification.objects.update(created_at=at or timezone.now())


def rows():
    return {each.channel: each.state for each in Notification.objects.all()}


@pytest.mark.parametrize(("channel", "other"), [BOTH, BOTH[::-1]])
def test_what_does_not_arrive_goes_the_other_way(post, channel, other):
    post.trouble[channel] = Refused("21211")
    interview = interview_of()
    tell(interview, channel)

    services.deliver_due(seconds=5)

    assert rows() == {channel: State.FAILED, other: State.SENT}
    assert not unreachable(f"user:{interview.candidate.user.pk}")


def test_what_goes_both_ways_anyhow_is_not_told_again(post):
    post.trouble["sms"] = Refused("21211")
    tell(interview_of(), *BOTH)

    services.deliver_due(seconds=5)

    assert rows() == {"sms": State.FAILED, "email": State.SENT}
    assert Notification.objects.count() == 2


@pytest.mark.parametrize("first", ["both at once", "one after the other"])
def test_whom_nothing_reaches_somebody_looks_after(post, first):
    post.trouble["*"] = Refused("550")
    interview = interview_of()
    person = f"user:{interview.candidate.user.pk}"
    tell(interview, *(BOTH if first == "both at once" else ["sms"]))

    services.deliver_due(seconds=5)
    reach.tell()
    reach.tell()

    assert unreachable(person, "user:0") == {person}
    assert OutOfReach.objects.count() == 1
    item = WorkItem.objects.get()
    assert (item.kind, item.subject) == (WorkKind.WRONG_CONTACT, interview.subject)
    assert interview.history.filter(event="work_opened").count() == 1


@pytest.mark.parametrize("trouble", [TryAgain("not_configured"), TryAgain("error")])
def test_trouble_of_ours_is_nobodys_wrong_number(post, trouble):
    post.trouble["*"] = trouble
    interview = interview_of(email=None)
    tell(interview, "sms")
    Notification.objects.update(attempts=len(services.BACKOFF))

    services.deliver_due(seconds=5)

    assert again("sms").state == State.FAILED
    assert not OutOfReach.objects.exists()


@pytest.mark.parametrize("channels", [("sms",), BOTH, BOTH[::-1]])
def test_a_dead_number_and_mail_switched_off_is_out_of_reach(post, channels, settings):
    """What they do without in their mail is not sent there instead, nor waited for."""
    settings.QUIET_HOURS = (time(8), time(8))
    post.trouble["sms"] = Refused("21211")
    interview = interview_of()
    person = f"user:{interview.candidate.user.pk}"
    preferences.choose(person, Group.REMINDERS, "email", is_wanted=False)
    tell(interview, *channels, event="interview_reminder")

    services.deliver_due(seconds=5)

    states = {"sms": State.FAILED, "email": State.SUPERSEDED}
    assert rows() == {channel: states[channel] for channel in channels}
    assert unreachable(person)


def test_mail_that_went_before_it_was_switched_off_has_reached_them(post, settings):
    settings.QUIET_HOURS = (time(8), time(8))
    interview = interview_of()
    person = f"user:{interview.candidate.user.pk}"
    tell(interview, *BOTH, event="interview_reminder")
    services.deliver_due(seconds=5)
    preferences.choose(person, Group.REMINDERS, "email", is_wanted=False)

    reports.report(again("sms").pk, State.FAILED, code="30005")

    assert rows() == {"sms": State.FAILED, "email": State.SENT}
    assert not unreachable(person)


def test_a_code_goes_no_other_way(post):
    post.trouble["sms"] = Refused("21211")
    user = CandidateFactory(user__email="z@example.com").user
    told(event="sign_in_code", recipient=f"user:{user.pk}", params={"code": "1", "minutes": 5})

    services.deliver_due(seconds=5)

    assert Notification.objects.count() == 1
    assert not OutOfReach.objects.exists()


def test_staff_have_their_desk(post):
    post.trouble["*"] = Refused("550")
    told(
        channel="email",
        address="x@company.example",
        recipient=f"user:{UserFactory(recruiter=True).pk}",
    )

    services.deliver_due(seconds=5)

    assert not OutOfReach.objects.exists()


@pytest.fixture
def lost(post):
    post.trouble["*"] = Refused("550")
    interview = interview_of()
    tell(interview, *BOTH)
    services.deliver_due(seconds=5)
    reach.tell()
    return interview


@pytest.mark.parametrize("route", ["save", "update", "sql"])
def test_another_number_solves_it_whoever_writes_it(lost, route):
    user = lost.candidate.user
    if route == "save":
        user.mobile = "+8613900000009"
        user.save()
    elif route == "update":
        User.objects.filter(pk=user.pk).update(email="new@example.com")
    else:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE accounts_user SET mobile = %s WHERE id = %s", ["+8613900000009", user.pk]
            )

    assert not unreachable(f"user:{user.pk}")
    assert not WorkItem.objects.open().exists()


def test_what_else_changes_about_somebody_solves_nothing(lost):
    User.objects.filter(pk=lost.candidate.user.pk).update(name="李四", mobile="+8613900000001")
    OutOfReach.objects.update(solved_at=None)
    User.objects.filter(pk=lost.candidate.user.pk).update(name="王五")

    assert unreachable(f"user:{lost.candidate.user.pk}")


def test_a_colleague_who_settles_it_solves_it(lost):
    by = UserFactory(lead=True, departments=[lost.position.department])

    cancellation_work.resolve_work(WorkItem.objects.get(), by=by, note="Called.")

    assert not unreachable(f"user:{lost.candidate.user.pk}")


def test_with_no_interview_left_nobody_is_asked_to_look(post):
    post.trouble["*"] = Refused("550")
    interview = InterviewFactory(no_show=True, candidate__user__email="z@example.com")
    tell(interview, *BOTH)
    services.deliver_due(seconds=5)

    assert reach.tell() == 1
    assert not WorkItem.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_channels_that_fail_at_once_are_seen_as_both():
    interview = interview_of()
    tell(interview, *BOTH)
    Notification.objects.update(state=State.SENT)
    ready = threading.Barrier(2)

    def report(key):
        message = again(key)
        ready.wait()
        reports.report(message.pk, State.FAILED, provider_id="", code="30005")
        connection.close()

    threads = [threading.Thread(target=report, args=(key,)) for key in BOTH]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert OutOfReach.objects.count() == 1
    assert Notification.objects.count() == 2
