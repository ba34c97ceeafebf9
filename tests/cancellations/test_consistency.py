"""What is kept of an interview that ended agrees with itself, and what does not is found."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from cancellations import consistency, exits
from cancellations.models import Cancellation, Purpose, Reason
from cancellations.tasks import check_consistency
from candidates.models import FileEntry
from interviews.models import Interview, Slot
from notifications.models import WorkItem
from tests import database
from tests.factories import (
    CancellationFactory,
    CandidateFactory,
    InterviewFactory,
    SittingFactory,
    SlotFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def left():
    """An interview somebody has left, after one answer."""
    sitting = SittingFactory(entered_at=timezone.now() - timedelta(minutes=10), current=2)
    sitting.answers.filter(number=1).update(text="我做过。", saved_at=timezone.now())
    exits.leave(
        sitting.interview.reference,
        by=sitting.interview.candidate.user,
        reason=Reason.objects.get(purpose=Purpose.EXIT, code="emergency"),
    )
    return Interview.objects.get(pk=sitting.interview_id)


def test_every_night_hr_is_asked_to_look_at_what_does_not_fit(left):
    broken_status(left)
    check_consistency()
    check_consistency()

    assert WorkItem.objects.get(subject=left.subject, kind="anomaly")


def found() -> set[str]:
    return {anomaly.code for anomaly in consistency.check()}


def test_everything_fits_however_interviews_ended(left):
    InterviewFactory()
    for ended in ("completed", "no_show"):
        InterviewFactory(**{ended: True}, ended_at=timezone.now())
    CancellationFactory()
    SittingFactory()

    assert found() == set()


def broken_status(interview):
    with database.without_triggers():
        Interview.objects.filter(pk=interview.pk).update(status="completed")


def broken_slot(interview):
    slot = SlotFactory(position=interview.position)
    Interview.objects.filter(pk=interview.pk).update(slot=slot)
    Slot.objects.filter(pk=slot.pk).update(booked=1)


def broken_count(interview):
    booked = InterviewFactory()
    Slot.objects.filter(pk=booked.slot_id).update(booked=0)


def broken_place(interview):
    """Nobody holds it any more, and it was never given back."""
    slot = Cancellation.objects.get(interview=interview).slot
    assert slot.interviews.count() == 0
    Slot.objects.filter(pk=slot.pk).update(booked=1)


def broken_end(interview):
    Interview.objects.filter(pk=interview.pk).update(ended_at=None)


def broken_file(interview):
    FileEntry.objects.filter(interview=interview.reference).delete()


def broken_count_in_file(interview):
    FileEntry.objects.filter(interview=interview.reference).update(answered=3)


def broken_owner(interview):
    FileEntry.objects.filter(interview=interview.reference).update(candidate=CandidateFactory())


def broken_sitting(interview):
    interview.sittings.update(ended_at=None)


def broken_request(interview):
    with database.without_triggers():
        Cancellation.objects.filter(interview=interview).update(status="requested")


@pytest.mark.parametrize(
    ("break_it", "code"),
    [
        (broken_status, "status_not_in_history"),
        (broken_slot, "slot_still_held"),
        (broken_count, "slot_count_wrong"),
        (broken_place, "slot_count_wrong"),
        (broken_end, "no_end"),
        (broken_file, "not_in_file"),
        (broken_count_in_file, "file_differs"),
        (broken_owner, "file_of_another"),
        (broken_sitting, "sitting_still_open"),
        (broken_request, "request_still_open"),
    ],
)
def test_what_does_not_fit_is_found_and_reported(left, break_it, code):
    break_it(left)

    assert code in found()
    with pytest.raises(SystemExit):
        call_command("check_consistency", stdout=StringIO())
    assert code in set(WorkItem.objects.values_list("params__code", flat=True)) or (
        WorkItem.objects.filter(kind="anomaly").exists()
    )


def test_reporting_twice_asks_once(left):
    broken_file(left)

    for _time in range(2):
        with pytest.raises(SystemExit):
            call_command("check_consistency", left.reference, stdout=StringIO())

    assert WorkItem.objects.filter(kind="anomaly").count() == 1


def test_restoring_puts_it_back_and_everything_fits(left):
    administrator = UserFactory(administrator=True)
    at = timezone.localtime() + timedelta(days=2)

    call_command(
        "restore_interview",
        left.reference,
        at=at.strftime("%Y-%m-%dT%H:%M"),
        by=administrator.email,
        reason="Left by mistake, says HR.",
        stdout=StringIO(),
    )

    assert Interview.objects.get(pk=left.pk).status == "booked"
    assert found() == set()


@pytest.mark.parametrize(
    "options",
    [
        {"at": "tomorrow"},
        {"at": "2026-13-45T99:99"},
        {"at": "2001-01-01T10:00"},
        {"at": "9999-12-31T23:59"},
        {"by": "nobody@company.example"},
    ],
)
def test_restoring_says_what_is_wrong(left, options):
    administrator = UserFactory(administrator=True)
    at = (timezone.localtime() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    wanted = {"at": at, "by": administrator.email, "reason": "x", **options}

    with pytest.raises(CommandError):
        call_command("restore_interview", left.reference, **wanted)

    assert Interview.objects.get(pk=left.pk).status == "withdrawn"
