"""Places that came free, over several connections at once."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db.models import F
from django.utils import timezone

from cancellations import consistency, services
from cancellations.models import Purpose, Reason
from interviews.booking import services as booking
from interviews.booking import slots
from interviews.models import Interview, Slot
from interviews.refill import notices
from interviews.refill import services as refill
from interviews.refill.models import FreedPlace, Offer, WaitingEntry
from interviews.states import HOLDS_A_SLOT, InterviewStatus
from notifications.models import Notification
from notifications.services import notify
from tests.cancellations.test_races import at_once
from tests.factories import (
    InterviewFactory,
    OfferFactory,
    PositionFactory,
    SlotFactory,
    UserFactory,
    WaitingEntryFactory,
)

pytestmark = pytest.mark.django_db(transaction=True)

DAYTIME = datetime(2026, 3, 2, 2, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(DAYTIME, tick=False) as moved:
        yield moved


def books_agree() -> None:
    """Every place is somebody's, once: who comes, or who is being asked."""
    for slot in Slot.objects.all():
        coming = slot.interviews.filter(status__in=HOLDS_A_SLOT).count()
        kept = slot.offers.filter(state="open").count()
        assert slot.booked == coming + kept <= slot.capacity
    assert not list(consistency.check())


def one_offer(position=None) -> Offer:
    return OfferFactory(place__slot__position=position or PositionFactory())


def test_taking_it_twenty_times_at_once_is_one_interview():
    offer = one_offer()

    results = at_once(*[lambda: refill.accept(offer.reference) for _ in range(20)])

    assert len({interview.pk for interview in results}) == 1
    assert Interview.objects.filter(status=InterviewStatus.BOOKED).count() == 1
    books_agree()


@pytest.mark.parametrize("attempt", range(10))
def test_taking_it_while_it_lapses_is_one_or_the_other(clock, attempt):
    offer = one_offer()
    second = WaitingEntryFactory(position=offer.slot.position)
    clock.move_to(offer.held_until)

    taken, _ = at_once(lambda: refill.accept(offer.reference), lambda: refill.lapse(offer.pk))

    offer = Offer.objects.get(pk=offer.pk)
    if isinstance(taken, Interview):
        assert offer.state == "accepted"
        assert not second.offers.exists()
    else:
        assert isinstance(taken, refill.NotOpen)
        assert offer.state == "lapsed"
        assert second.offers.get().state == "open"
    books_agree()


@pytest.mark.parametrize("attempt", range(5))
def test_taking_and_declining_at_once_is_one_of_them(attempt):
    offer = one_offer()

    at_once(lambda: refill.accept(offer.reference), lambda: refill.decline(offer.reference))

    state = Offer.objects.get(pk=offer.pk).state
    assert state in {"accepted", "declined"}
    assert Interview.objects.filter(status="booked").exists() == (state == "accepted")
    books_agree()


def test_many_who_cancel_at_once_are_followed_by_as_many_who_wait():
    position = PositionFactory()
    slot = SlotFactory(position=position, capacity=12, booked=12)
    coming = [
        InterviewFactory(
            position=position, slot=slot, starts_at=slot.starts_at, ends_at=slot.ends_at
        )
        for _ in range(12)
    ]
    for _ in range(8):
        WaitingEntryFactory(position=position)
    why = Reason.objects.get(purpose=Purpose.CANCEL, code="accepted_offer")

    results = at_once(
        *[
            lambda i=interview: services.request_cancellation(
                i.reference, by=i.candidate.user, reason=why
            )
            for interview in coming
        ]
    )
    refill.sweep(timezone.now())  # what was held up by another transaction

    assert not [result for result in results if isinstance(result, Exception)]
    assert Offer.objects.filter(state="open").count() == 8
    assert Offer.objects.values("entry").distinct().count() == 8
    assert FreedPlace.objects.count() == 12
    books_agree()


@pytest.mark.parametrize("attempt", range(5))
def test_of_who_books_and_who_waits_one_has_the_last_place(attempt):
    """The place goes to who waits in the moment it is given up: nobody who only looks gets it."""
    position = PositionFactory()
    interview = InterviewFactory(position=position)
    Slot.objects.update(capacity=F("booked"))
    WaitingEntryFactory(position=position)
    passing_by = InterviewFactory(position=position, invited=True)
    why = Reason.objects.get(purpose=Purpose.CANCEL, code="accepted_offer")

    at_once(
        lambda: services.request_cancellation(
            interview.reference, by=interview.candidate.user, reason=why
        ),
        lambda: booking.book(passing_by.reference, interview.slot_id, by=passing_by.candidate.user),
    )

    assert Offer.objects.get().state == "open"
    assert Interview.objects.get(pk=passing_by.pk).status == InterviewStatus.INVITED
    books_agree()


@pytest.mark.parametrize("attempt", range(5))
def test_closing_the_slot_while_somebody_takes_it_leaves_nobody_in_a_closed_one(attempt):
    offer = one_offer()
    lead = UserFactory(lead=True, departments=[offer.slot.position.department])

    taken, closed = at_once(
        lambda: refill.accept(offer.reference),
        lambda: slots.close_slot(offer.slot_id, by=lead),
    )

    if isinstance(taken, Interview):
        assert isinstance(closed, slots.StillBooked)
    else:
        assert isinstance(taken, refill.NotOpen)
        assert Slot.objects.get(pk=offer.slot_id).closed_at is not None
    books_agree()


def test_three_sweeps_at_once_offer_each_place_once(clock):
    position = PositionFactory()
    offers = [one_offer(position) for _ in range(5)]
    for _ in range(5):
        WaitingEntryFactory(position=position)
    for offer in offers:
        notify(*notices.offered(offer, asked_at=offer.made_at))
    Notification.objects.update(state="sent")
    clock.shift(timedelta(hours=1))

    results = at_once(*[lambda: refill.sweep(timezone.now()) for _ in range(3)])
    refill.sweep(timezone.now())

    assert results == [None] * 3
    assert Offer.objects.filter(state="lapsed").count() == len(offers)
    assert Offer.objects.filter(state="open").count() == 5
    assert {entry.unanswered for entry in WaitingEntry.objects.all()} == {0, 1}
    books_agree()


@pytest.mark.parametrize("attempt", range(5))
def test_who_stops_waiting_while_taking_it_does_one_or_the_other(attempt):
    offer = one_offer()
    entry = offer.entry

    at_once(
        lambda: refill.accept(offer.reference),
        lambda: refill.stop_waiting(entry.interview.reference, by=entry.candidate.user),
    )

    state = WaitingEntry.objects.get(pk=entry.pk).state
    assert state in {"served", "left"}
    assert Interview.objects.filter(status="booked").exists() == (state == "served")
    books_agree()
