"""The status machine: legal moves work, all others are refused, in Python and in PostgreSQL."""

from datetime import timedelta

import pytest
import time_machine
from django.db import DatabaseError, transaction
from django.utils import timezone
from django_fsm import TransitionNotAllowed
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from cancellations import company, queries
from cancellations import services as cancelling
from cancellations.models import Cancellation, CancellationStatus, Purpose, Reason
from candidates.models import Mark
from interviews import history
from interviews.booking import services as booking
from interviews.gates.models import Document, DocumentState
from interviews.models import Interview, Move, Slot, _legal_moves
from interviews.reminders import sweep
from interviews.services import SlotFull, book_interview, invite, take_place
from interviews.states import ENDED, HOLDS_A_SLOT, UNDER_WAY, UPCOMING, InterviewStatus
from tests.factories import ApplicationFactory, InterviewFactory, SlotFactory, UserFactory

NOW = timezone.now()
MOVES = {
    "book": {("invited", "booked")},
    "start": {("booked", "in_progress")},
    "step_back": {("in_progress", "booked")},
    "complete": {("in_progress", "completed")},
    "lapse": {("in_progress", "incomplete")},
    "request_cancel": {("booked", "cancelling")},
    "cancel": {("invited", "cancelled"), ("booked", "cancelled"), ("cancelling", "cancelled")},
    "request_exit": {("in_progress", "exiting")},
    "decline": {("cancelling", "booked"), ("exiting", "in_progress")},
    "withdraw": {("invited", "withdrawn"), ("booked", "withdrawn"), ("exiting", "withdrawn")},
    "miss": {("invited", "no_show"), ("booked", "no_show")},
    "reinstate": {
        ("cancelled", "booked"),
        ("withdrawn", "booked"),
        ("no_show", "booked"),
        ("incomplete", "booked"),
    },
}
ARGUMENTS = {
    "book": {"slot": Slot(starts_at=NOW, ends_at=NOW), "at": NOW},
    "reinstate": {"slot": None, "at": NOW},
    **{name: {"at": NOW} for name in ("complete", "lapse", "cancel", "withdraw", "miss")},
}


@pytest.mark.parametrize("status", InterviewStatus.values)
@pytest.mark.parametrize("name", MOVES)
def test_transition_moves_as_the_map_says_or_not_at_all(name, status):
    interview = Interview(status=status)
    target = dict(MOVES[name]).get(status)

    if target is None:
        with pytest.raises(TransitionNotAllowed):
            getattr(interview, name)(**ARGUMENTS.get(name, {}))
        assert interview.status == status
    else:
        getattr(interview, name)(**ARGUMENTS.get(name, {}))
        assert interview.status == target


def test_database_and_python_know_the_same_moves():
    assert set(_legal_moves) == set().union(*MOVES.values())


@pytest.mark.parametrize("status", InterviewStatus.values)
def test_only_what_is_booked_is_given_another_time(status):
    interview = Interview(status=status)

    if status == InterviewStatus.BOOKED:
        interview.reschedule(slot=Slot(starts_at=NOW, ends_at=NOW), at=NOW)
        assert (interview.status, interview.starts_at, interview.moves) == ("booked", NOW, 1)
    else:
        with pytest.raises(TransitionNotAllowed):
            interview.reschedule(slot=Slot(starts_at=NOW, ends_at=NOW), at=NOW)
        assert interview.moves == 0


@pytest.mark.parametrize("state", DocumentState.values)
@pytest.mark.parametrize(
    ("name", "given", "target"),
    [
        ("accept", {"by": None, "at": NOW}, "accepted"),
        ("reject", {"by": None, "at": NOW, "note": ""}, "rejected"),
        ("replace", {}, "replaced"),
    ],
)
def test_document_is_checked_once(state, name, given, target):
    document = Document(state=state)

    if state == DocumentState.UPLOADED:
        getattr(document, name)(**given)
        assert document.state == target
    else:
        with pytest.raises(TransitionNotAllowed):
            getattr(document, name)(**given)


def test_status_cannot_be_assigned():
    with pytest.raises(AttributeError):
        Interview().status = "completed"


def test_every_status_belongs_to_one_group():
    assert sorted([*UPCOMING, *UNDER_WAY, *ENDED]) == sorted(InterviewStatus.values)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("source", "target"),
    [("booked", "completed"), ("cancelling", "no_show"), ("completed", "booked")],
)
def test_database_refuses_an_illegal_move(source, target):
    interview = InterviewFactory(status=source)

    with pytest.raises(DatabaseError), transaction.atomic():
        Interview.objects.filter(pk=interview.pk).update(status=target)


@pytest.mark.django_db
def test_full_slot_takes_nobody():
    slot = SlotFactory(capacity=1)
    take_place(slot)

    with pytest.raises(SlotFull):
        take_place(slot)

    slot.refresh_from_db()
    assert slot.booked == 1


@pytest.mark.django_db
def test_database_refuses_more_bookings_than_places():
    slot = SlotFactory(capacity=1)

    with pytest.raises(DatabaseError), transaction.atomic():
        Slot.objects.filter(pk=slot.pk).update(booked=2)


class Life(RuleBasedStateMachine):
    """One interview lived through in any order; whatever happens, the books agree."""

    def __init__(self) -> None:
        super().__init__()
        self.lead = UserFactory(lead=True)
        self.slot = SlotFactory(capacity=1, starts_at=timezone.now() + timedelta(hours=2))
        self.other_slot = SlotFactory(
            capacity=1,
            position=self.slot.position,
            starts_at=self.slot.starts_at + timedelta(hours=1),
        )
        self.interview = invite(ApplicationFactory(position=self.slot.position), by=None)
        self.user = self.interview.application.candidate.user
        self.staff = UserFactory(recruiter=True, departments=[self.slot.position.department])
        self.freeze = Reason.objects.get(purpose=Purpose.COMPANY, code="hiring_freeze")
        self.why = Reason.objects.get(purpose=Purpose.CANCEL, code="time_conflict")

    def _attempt(self, call, *args, **kwargs):
        try:
            with transaction.atomic():
                call(*args, **kwargs)
        except (TransitionNotAllowed, SlotFull, cancelling.AlreadyOver, Cancellation.DoesNotExist):
            pass

    def _pending(self) -> Cancellation | None:
        return self.interview.cancellations.order_by("-pk").first()

    @rule()
    def book(self):
        self._attempt(book_interview, self.interview.reference, self.slot, by=self.user)

    @rule()
    def move(self):
        """To and fro: HR, whom no rule holds back."""
        held = Interview.objects.get(pk=self.interview.pk).slot_id
        to = self.slot if held == self.other_slot.pk else self.other_slot
        self._attempt(booking.move, self.interview.reference, to.pk, by=self.staff)

    @rule()
    def decline_the_invitation(self):
        self._attempt(
            booking.decline, self.interview.reference, by=self.user, reason="not_interested"
        )

    @rule()
    def ask(self):
        self._attempt(
            cancelling.request_cancellation,
            self.interview.reference,
            by=self.user,
            reason=self.why,
        )

    @rule(accept=st.booleans())
    def decide(self, accept):
        if pending := self._pending():
            decide = cancelling.approve_cancellation if accept else cancelling.decline_cancellation
            self._attempt(decide, pending.pk, by=self.lead)

    @rule()
    def take_back(self):
        if pending := self._pending():
            self._attempt(cancelling.take_back_cancellation, pending.reference, by=self.user)

    @rule(many=st.booleans())
    def company_cancels(self, many):
        cancel = company.cancel_many if many else company.cancel_for_company
        references = self.interview.reference
        self._attempt(
            cancel, [references] if many else references, by=self.staff, reason=self.freeze
        )

    @rule(move=st.sampled_from(Move))
    def set_right(self, move):
        self._attempt(
            company.correct_interview,
            self.interview.reference,
            by=self.staff,
            move=move,
            expected=Interview.objects.get(pk=self.interview.pk).status,
            reason="It was otherwise.",
            starts_at=self.slot.starts_at,
        )

    @rule(
        name=st.sampled_from(
            ["start", "step_back", "complete", "lapse", "request_exit", "miss", "withdraw"]
        )
    )
    def live(self, name):
        def move():
            interview = Interview.objects.lock(self.interview.reference)
            getattr(interview, name)(**ARGUMENTS.get(name, {}))
            interview.save()
            history.record(interview, name, by=None)

        self._attempt(move)

    @rule(hours=st.sampled_from([0, 1, 3, 30]))
    def clock(self, hours):
        """What happens by itself, now or later."""
        with time_machine.travel(timezone.now() + timedelta(hours=hours), tick=False):
            sweep.take_due(seconds=5)

    @invariant()
    def only_what_is_to_come_has_steps(self):
        interview = Interview.objects.get(pk=self.interview.pk)
        if interview.status in ENDED:
            assert not interview.steps.filter(done_at=None).exists()

    @invariant()
    def marks_are_nobodys_but_a_persons(self):
        assert not Mark.objects.exists()

    @invariant()
    def history_tells_the_whole_story(self):
        assert list(history.verify(Interview.objects.filter(pk=self.interview.pk))) == []

    @invariant()
    def pending_request_and_status_agree(self):
        interview = Interview.objects.get(pk=self.interview.pk)
        open_requests = interview.cancellations.filter(status=CancellationStatus.REQUESTED).count()
        assert open_requests == (interview.status == InterviewStatus.CANCELLING)

    @invariant()
    def carried_out_and_status_agree(self):
        interview = Interview.objects.get(pk=self.interview.pk)
        carried_out = interview.cancellations.filter(status=CancellationStatus.APPROVED).count()
        assert carried_out == (interview.status == InterviewStatus.CANCELLED)

    @invariant()
    def every_receipt_holds(self):
        for cancellation in self.interview.cancellations.all():
            assert queries.receipt(cancellation.reference).verified

    @invariant()
    def slot_holds_nobody_twice_and_frees_who_cancelled(self):
        interview = Interview.objects.get(pk=self.interview.pk)
        both = Slot.objects.filter(pk__in=[self.slot.pk, self.other_slot.pk])
        booked = {slot.pk: slot.booked for slot in both}
        if interview.status in HOLDS_A_SLOT:
            assert booked.pop(interview.slot_id) == 1
            assert set(booked.values()) == {0}
        if interview.status in {InterviewStatus.CANCELLED, InterviewStatus.INVITED}:
            assert set(booked.values()) == {0}


class TestLife(TestCase):
    def test_any_order_of_events_keeps_the_books_in_agreement(self):
        run_state_machine_as_test(
            Life,
            settings=settings(
                max_examples=25,
                stateful_step_count=15,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
