"""Whatever people do with their places, in any order: nobody has two, no slot has more than it
holds, and every place is somebody's, once."""

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import time_machine
from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone
from django_fsm import TransitionNotAllowed
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from cancellations import again, company, consistency, services
from cancellations.models import Purpose, Reason
from interviews import history
from interviews.booking import services as booking
from interviews.models import Interview, Slot
from interviews.refill import services as refill
from interviews.refill.models import EntryState, FreedPlace, Offer, OfferState, WaitingEntry
from interviews.services import SlotFull
from interviews.states import HOLDS_A_SLOT, InterviewStatus
from tests import database
from tests.factories import (
    ApplicationFactory,
    CandidateFactory,
    InterviewFactory,
    PositionFactory,
    SlotFactory,
    UserFactory,
)

DAYTIME = datetime(2026, 3, 2, 2, tzinfo=UTC)
PEOPLE = st.integers(0, 4)
REFUSED = (
    SlotFull,
    TransitionNotAllowed,
    again.Cooling,
    again.NotAgain,
    booking.AlreadyBooked,
    booking.InvitationExpired,
    booking.MoveRefused,
    company.AlreadyOver,
    refill.NotOpen,
    refill.NothingToWaitFor,
    services.AlreadyOver,
    services.AskedTooOften,
    services.CancellationRefused,
)


class Refilling(RuleBasedStateMachine):
    """Five people, three slots with a place or two, one position."""

    def __init__(self) -> None:
        super().__init__()
        with ExitStack() as stack:
            self.now = stack.enter_context(time_machine.travel(DAYTIME, tick=False))
            stack.enter_context(database.rolled_back())  # what ended is not checked ever again
            self.set_the_stage()
            self.ends = stack.pop_all()

    def set_the_stage(self) -> None:
        self.position = PositionFactory(requirements={"skills": ["plc"]})
        self.lead = UserFactory(lead=True, departments=[self.position.department])
        self.slots = [
            SlotFactory(position=self.position, starts_at=DAYTIME + days, capacity=capacity)
            for days, capacity in (
                (timedelta(days=2), 1),
                (timedelta(days=2, hours=1), 2),
                (timedelta(days=4), 1),
            )
        ]
        self.people = [CandidateFactory() for _ in range(5)]
        for person in self.people:
            InterviewFactory(
                invited=True,
                application=ApplicationFactory(candidate=person, position=self.position),
                deadline=DAYTIME + timedelta(days=30),
            )
        CandidateFactory(talent_pool_at=DAYTIME, attributes={"skills": ["plc"]})
        self.why = Reason.objects.get(purpose=Purpose.CANCEL, code="time_conflict")
        self.freeze = Reason.objects.get(purpose=Purpose.COMPANY, code="hiring_freeze")

    def teardown(self) -> None:
        self.ends.close()

    def _attempt(self, call, *args, **kwargs) -> None:
        try:
            with transaction.atomic():
                call(*args, **kwargs)
        except REFUSED:
            pass

    def _latest(self, person: int) -> Interview:
        mine = Interview.objects.filter(application__candidate=self.people[person])
        return mine.order_by("-pk").first()

    @rule(person=PEOPLE, slot=st.integers(0, 2))
    def book(self, person, slot):
        reference, user = self._latest(person).reference, self.people[person].user
        self._attempt(booking.book, reference, self.slots[slot].pk, by=user)

    @rule(person=PEOPLE, slot=st.integers(0, 2))
    def move(self, person, slot):
        reference, user = self._latest(person).reference, self.people[person].user
        self._attempt(booking.move, reference, self.slots[slot].pk, by=user)

    @rule(person=PEOPLE)
    def cancel(self, person):
        reference, user = self._latest(person).reference, self.people[person].user
        self._attempt(services.request_cancellation, reference, by=user, reason=self.why)

    @rule(person=PEOPLE)
    def wait(self, person):
        reference, user = self._latest(person).reference, self.people[person].user
        self._attempt(refill.wait_for_time, reference, by=user)

    @rule(person=PEOPLE)
    def stop_waiting(self, person):
        reference, user = self._latest(person).reference, self.people[person].user
        self._attempt(refill.stop_waiting, reference, by=user)

    @rule(person=PEOPLE)
    def apply_again(self, person):
        reference, user = self._latest(person).reference, self.people[person].user
        self._attempt(again.apply_again, reference, by=user)

    @rule(take=st.booleans())
    def answer(self, take):
        offer = Offer.objects.filter(state=OfferState.OPEN).order_by("pk").first()
        if offer is not None:
            self._attempt(refill.accept if take else refill.decline, offer.reference)

    @rule(slot=st.integers(0, 2))
    def offer_by_hand(self, slot):
        self._attempt(refill.offer_now, self.slots[slot].pk, among=[self.position.pk])

    @rule(slot=st.integers(0, 2))
    def close(self, slot):
        self._attempt(company.close_slot, self.slots[slot].pk, by=self.lead, reason=self.freeze)

    @rule(minutes=st.sampled_from([1, 30, 61, 8 * 60]))
    def time_passes(self, minutes):
        self.now.shift(timedelta(minutes=minutes))

    @rule()
    def sweep(self):
        refill.sweep(timezone.now())

    @invariant()
    def every_place_is_somebodys_once(self):
        coming = Count("interviews", filter=Q(interviews__status__in=HOLDS_A_SLOT), distinct=True)
        kept = Count("offers", filter=Q(offers__state=OfferState.OPEN), distinct=True)
        for slot in Slot.objects.annotate(coming=coming, kept=kept):
            assert slot.booked == slot.coming + slot.kept <= slot.capacity

    @invariant()
    def nobody_comes_twice(self):
        coming = Interview.objects.filter(status__in=[*HOLDS_A_SLOT, InterviewStatus.INVITED])
        people = list(coming.values_list("application__candidate", flat=True))
        assert len(people) == len(set(people))

    @invariant()
    def what_was_taken_is_booked_and_what_is_closed_is_kept_for_nobody(self):
        for offer in Offer.objects.select_related("entry", "place"):
            assert (offer.state == OfferState.ACCEPTED) == (offer.interview_id is not None)
            assert (offer.state == OfferState.OPEN) == (offer.ended_at is None)
            if offer.state == OfferState.ACCEPTED:
                assert offer.entry.state == EntryState.SERVED
                assert offer.place.refilled_at is not None
        closed = FreedPlace.objects.filter(closed_at__isnull=False, offers__state=OfferState.OPEN)
        assert not closed.exists()

    @invariant()
    def nobody_waits_twice(self):
        waiting = WaitingEntry.objects.filter(state=EntryState.WAITING)
        people = list(waiting.values_list("candidate", flat=True))
        assert len(people) == len(set(people))

    @invariant()
    def the_books_agree(self):
        assert not list(consistency.check())
        assert not list(history.verify(Interview.objects.all()))


class TestRefilling(TestCase):
    def test_any_order_of_events_keeps_the_books_in_agreement(self):
        run_state_machine_as_test(
            Refilling,
            settings=settings(
                max_examples=25,
                stateful_step_count=20,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
