"""What must never be doubled, tried by many at once over connections of their own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection, transaction
from django_fsm import TransitionNotAllowed

from cancellations import services
from cancellations.models import Cancellation, Reason
from interviews.models import Interview, Position
from notifications.models import Notification
from tests.factories import (
    CancellationFactory,
    DepartmentFactory,
    InterviewFactory,
    UserFactory,
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
