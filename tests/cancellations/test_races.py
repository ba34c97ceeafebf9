"""What must never be doubled, tried by many at once over connections of their own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Thread
from time import sleep

import pytest
from django.db import connection, transaction
from django.utils import timezone
from django_fsm import TransitionNotAllowed

from cancellations import again, consistency, exits, services
from cancellations.models import Cancellation, Policy, Purpose, Reason
from interviews.models import Interview, Position
from interviews.refill.models import EntryState, WaitingEntry
from interviews.room import services as room
from interviews.room.models import Sitting
from interviews.states import InterviewStatus
from notifications.models import Notification
from tests.factories import (
    CancellationFactory,
    DepartmentFactory,
    InterviewFactory,
    SittingFactory,
    UserFactory,
    WaitingEntryFactory,
)

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*calls: Callable[[], object]) -> list[object]:
    """Run all calls at the same moment; their results, or the exceptions they raised."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], object]) -> object:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=30)
            return call()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@pytest.mark.parametrize("hours", [48, 2], ids=["automatic", "needs_hr"])
def test_hundred_requests_at_once_are_one_cancellation(hours):
    interview = InterviewFactory(starts_in=timedelta(hours=hours))
    user, why = interview.candidate.user, Reason.objects.get(code="time_conflict")

    results = at_once(
        *[
            lambda: services.request_cancellation(interview.reference, by=user, reason=why)
            for _ in range(100)
        ]
    )

    assert {cancellation.reference for cancellation, _ in results} == {
        Cancellation.objects.get().reference
    }
    assert sum(created for _, created in results) == 1
    events = list(interview.history.values_list("event", flat=True))
    assert len(events) == len(set(events))
    keys = list(Notification.objects.values_list("event", "channel", "recipient"))
    assert keys
    assert len(keys) == len(set(keys))
    interview.slot.refresh_from_db()
    assert interview.slot.booked == (0 if hours == 48 else 1)


def test_position_moves_once_who_holds_one_of_its_interviews_is_through():
    interview, elsewhere = InterviewFactory(), DepartmentFactory()
    moved = []

    def move():
        position = Position.objects.get()
        position.department = elsewhere
        try:
            position.save()
        except Exception as error:
            moved.append(error)
        finally:
            connection.close()

    with transaction.atomic():
        held = Interview.objects.select_for_update(of=("self",)).get()
        moving = Thread(target=move)
        moving.start()
        moving.join(0.5)
        assert moving.is_alive()
        held.location = "B2"
        held.save(update_fields=["location"])
    moving.join(10)

    assert moved == []
    stored = Interview.objects.get(pk=interview.pk)
    assert (stored.location, stored.listed_department) == ("B2", elsewhere.pk)


@pytest.mark.parametrize("attempt", range(5))
def test_two_leads_deciding_at_once_are_one_decision(attempt):
    cancellation = CancellationFactory()
    leads = [UserFactory(lead=True), UserFactory(lead=True)]

    results = at_once(
        lambda: services.approve_cancellation(cancellation.pk, by=leads[0]),
        lambda: services.decline_cancellation(cancellation.pk, by=leads[1]),
    )

    assert sum(isinstance(result, TransitionNotAllowed) for result in results) == 1
    decided = Cancellation.objects.get()
    winner = next(result for result in results if isinstance(result, Cancellation))
    assert (decided.status, decided.decided_by) == (winner.status, winner.decided_by)
    assert cancellation.interview.history.count() == 2


@pytest.mark.parametrize("attempt", range(5))
def test_taking_back_while_hr_approves_ends_one_way(attempt):
    cancellation = CancellationFactory()
    lead = UserFactory(lead=True)

    at_once(
        lambda: services.approve_cancellation(cancellation.pk, by=lead),
        lambda: services.take_back_cancellation(
            cancellation.reference, by=cancellation.requested_by
        ),
    )

    pair = (Cancellation.objects.get().status, Interview.objects.get().status)
    assert pair in {("approved", "cancelled"), ("lapsed", "booked")}


def in_the_middle(**named) -> Sitting:
    """Ten minutes in, at the professional question; nothing answered."""
    entered = timezone.now() - timedelta(minutes=10)
    return SittingFactory(entered_at=entered, current=2, **named)


@pytest.mark.parametrize("attempt", range(8))
def test_leaving_finishing_and_lapsing_at_once_end_one_way(attempt):
    soon = timezone.now() + timedelta(milliseconds=30 * (attempt + 1))
    sitting = in_the_middle(resume_until=soon)
    reference, user = sitting.interview.reference, sitting.interview.candidate.user
    why = Reason.objects.get(purpose=Purpose.EXIT, code="emergency")

    at_once(
        *[lambda: exits.leave(reference, by=user, reason=why) for _ in range(3)],
        *[lambda: room.finish(reference, by=user) for _ in range(3)],
        *[lambda: room.lapse(sitting.pk) for _ in range(3)],
    )
    room.lapse(sitting.pk)

    interview, sitting = Interview.objects.get(), Sitting.objects.get()
    assert (interview.status, sitting.ending, Cancellation.objects.count()) in {
        ("withdrawn", "exited", 1),
        ("completed", "completed", 0),
        ("incomplete", "dropped", 0),
    }
    assert list(consistency.check()) == []


@pytest.mark.parametrize("attempt", range(5))
def test_request_to_leave_is_decided_once(attempt):
    Policy.objects.filter(is_active=True).update(exit_professional="needs_hr")
    sitting = in_the_middle()
    user = sitting.interview.candidate.user
    leads = [UserFactory(lead=True) for _ in range(2)]
    why = Reason.objects.get(purpose=Purpose.EXIT, code="emergency")
    asked = exits.leave(sitting.interview.reference, by=user, reason=why).exit
    Cancellation.objects.update(decide_by=timezone.now())

    at_once(
        lambda: services.approve_cancellation(asked.pk, by=leads[0]),
        lambda: services.decline_cancellation(asked.pk, by=leads[1]),
        lambda: services.take_back_cancellation(asked.reference, by=user),
        lambda: services.apply_default(asked.pk),
    )

    pair = (Cancellation.objects.get().status, Interview.objects.get().status)
    assert pair in {
        ("approved", "withdrawn"),
        ("declined", "in_progress"),
        ("lapsed", "in_progress"),
    }
    assert list(consistency.check()) == []


def test_waiting_and_applying_again_at_once_stand_in_nobodys_way():
    """Who waits refers to the candidate, which PostgreSQL checks as late as at the commit."""
    cancelled = CancellationFactory(approved=True).interview
    user = cancelled.candidate.user

    def apply_again():
        try:
            return again.apply_again(cancelled.reference, by=user)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Interview.objects.lock(cancelled.reference)
            applying = pool.submit(apply_again)
            until_somebody_waits()
            WaitingEntryFactory(interview=cancelled, position=cancelled.position)
        invitation = applying.result(timeout=30)

    assert invitation.status == InterviewStatus.INVITED
    assert WaitingEntry.objects.get().state == EntryState.LEFT


def until_somebody_waits() -> None:
    """For a lock that somebody else has."""
    for _attempt in range(300):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
        sleep(0.05)
    pytest.fail("nobody waits")
