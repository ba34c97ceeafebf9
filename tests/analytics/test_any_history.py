"""Whatever happens to interviews, by the services that do it, and whenever it is counted, in
whatever pieces and however often that breaks off: the cells say what a count by hand says."""

from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import time_machine
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone
from django_fsm import TransitionNotAllowed
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from analytics import cells, drift
from analytics.measures import MAPS
from analytics.models import DirtyCell
from cancellations import again, company, exits, saved, services, work
from cancellations.absences import services as absences
from cancellations.absences.models import Absence
from cancellations.models import Cancellation, Purpose, Reason
from interviews import jobs as interview_jobs
from interviews.booking import services as booking
from interviews.booking.queries import invitation_token
from interviews.imports import jobs as imports
from interviews.imports import mapping
from interviews.models import Interview, Job, Move, Sitting
from interviews.refill import services as refill
from interviews.refill.models import Offer, OfferState
from interviews.reminders import services as reminders
from interviews.reminders import sweep
from interviews.room import services as room
from interviews.services import SlotFull
from notifications import reports
from notifications.models import Notification, State, WorkItem
from tests.analytics import counting
from tests.factories import (
    ApplicationFactory,
    CandidateFactory,
    DepartmentFactory,
    InterviewFactory,
    PositionFactory,
    SittingFactory,
    SlotFactory,
    UserFactory,
)
from tests.interviews.test_imports_engine import table

# Half an hour before midnight in Shanghai, at the end of a month: days and months are local ones.
BEGINNING = datetime(2026, 3, 30, 15, 30, tzinfo=UTC)
PEOPLE = st.integers(0, 3)
SLOTS = st.integers(0, 3)
REFUSED = (
    Absence.DoesNotExist,
    Cancellation.DoesNotExist,
    Interview.DoesNotExist,
    SlotFull,
    TransitionNotAllowed,
    ValidationError,
    absences.AlreadyDecided,
    absences.Unfair,
    again.Cooling,
    again.NotAgain,
    booking.AlreadyBooked,
    booking.InvitationExpired,
    booking.MoveRefused,
    company.AlreadyOver,
    company.ChangedMeanwhile,
    exits.NotAlone,
    exits.NothingToLeave,
    exits.SecondFactorNeeded,
    refill.NotOpen,
    refill.NothingToWaitFor,
    reminders.AnotherTime,
    reminders.TooLate,
    room.NotOpen,
    room.Over,
    services.AlreadyOver,
    services.AskedTooOften,
    services.CancellationRefused,
)


class Crash(Exception):
    """The worker died."""


class Counting(RuleBasedStateMachine):
    """Four people, two positions of two departments, four slots over two months."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = time_machine.travel(BEGINNING, tick=False)
        self.now = self.clock.start()
        self.departments = [DepartmentFactory(), DepartmentFactory()]
        self.positions = [PositionFactory(department=each) for each in self.departments]
        self.staff = UserFactory(lead=True, departments=self.departments)
        self.administrator = UserFactory(administrator=True)
        self.slots = [
            SlotFactory(position=position, starts_at=BEGINNING + after, capacity=2)
            for position in self.positions
            for after in (timedelta(minutes=25), timedelta(days=2))
        ]
        self.people = [CandidateFactory() for _ in range(4)]
        for number, person in enumerate(self.people):
            position = self.positions[number % 2]
            slot = self.slots[2 * (number % 2)]  # in which two of them have a place
            ways = [
                {"invited": True, "deadline": BEGINNING + timedelta(days=5)},
                {"slot": slot, "starts_at": slot.starts_at, "ends_at": slot.ends_at},
                {"slot": slot, "starts_at": slot.starts_at, "ends_at": slot.ends_at},
                {"status": "in_progress", "starts_in": -timedelta(minutes=5), "booked_at": None},
            ]
            interview = InterviewFactory(
                application=ApplicationFactory(candidate=person, position=position),
                link="",
                location="Hall 1" if number else "",
                extra={"reminder_call": "yes"} if number else {},
                **ways[number],
            )
            if number == 3:
                SittingFactory(interview=interview, entered_at=BEGINNING - timedelta(minutes=20))
        for slot in self.slots:
            slot.booked = slot.interviews.count()
            slot.save()
        self.why = Reason.objects.get(purpose=Purpose.CANCEL, code="time_conflict")
        self.why_leave = Reason.objects.filter(purpose=Purpose.EXIT, needs_detail=False)[0]
        self.freeze = Reason.objects.get(purpose=Purpose.COMPANY, code="hiring_freeze")
        self.imports = 0

    def teardown(self) -> None:
        try:
            while cells.recount_batch():
                pass
            assert not DirtyCell.objects.exists()
            assert counting.stored() == counting.counted()
            assert drift.check(drift.sample(50)) == []
            for _done in cells.rebuild():
                pass
            assert counting.stored() == counting.counted()
        finally:
            self.clock.stop()

    def _attempt(self, call, *args, **kwargs) -> None:
        try:
            with transaction.atomic():
                call(*args, **kwargs)
        except REFUSED:
            pass

    def _latest(self, person: int) -> tuple[Interview, dict]:
        mine = Interview.objects.filter(application__candidate=self.people[person])
        return mine.order_by("-pk").first(), {"by": self.people[person].user}

    def _slot(self, interview: Interview, slot: int):
        return self.slots[slot % 2 + 2 * self.positions.index(interview.position)]

    # --- counting ---------------------------------------------------------------------------

    @rule(most=st.sampled_from([1, 2, 200]))
    def count(self, most):
        cells.recount_batch(most)

    @rule(most=st.sampled_from([1, 200]), after=st.integers(1, 14))
    def count_and_die(self, most, after):
        """Somewhere between two statements of it."""
        left = [after]

        def die(execute, sql, *args):
            left[0] -= 1
            if left[0] < 0:
                raise Crash
            return execute(sql, *args)

        try:
            with transaction.atomic(), connection.execute_wrapper(die):
                cells.recount_batch(most)
                raise Crash  # before it could commit
        except Crash:
            pass

    @rule()
    def rebuild(self):
        list(cells.rebuild())

    @rule(positions=st.integers(1, 2))
    def rebuild_and_die(self, positions):
        """Before it comes to the sums of departments and of the company."""
        with patch.object(cells, "POSITIONS_AT_ONCE", 1):
            rebuilding = cells.rebuild()
            for _ in range(positions):
                next(rebuilding)
            rebuilding.close()

    # --- what candidates do -----------------------------------------------------------------

    @rule(person=PEOPLE)
    def open_invitation(self, person):
        interview, _by = self._latest(person)
        self._attempt(booking.open_invitation, invitation_token(interview))

    @rule(person=PEOPLE, slot=SLOTS)
    def book(self, person, slot):
        interview, by = self._latest(person)
        self._attempt(booking.book, interview.reference, self._slot(interview, slot).pk, **by)

    @rule(person=PEOPLE, slot=SLOTS)
    def move(self, person, slot):
        interview, by = self._latest(person)
        self._attempt(booking.move, interview.reference, self._slot(interview, slot).pk, **by)

    @rule(person=PEOPLE)
    def decline(self, person):
        interview, by = self._latest(person)
        self._attempt(booking.decline, interview.reference, reason="no_time", **by)

    @rule(person=PEOPLE)
    def confirm(self, person):
        interview, _by = self._latest(person)
        self._attempt(reminders.confirm, interview.reference, starts_at=interview.starts_at)

    @rule(person=PEOPLE)
    def look_at_what_is_offered_instead(self, person):
        interview, _by = self._latest(person)
        instead = saved.instead_of(interview, self.why.code, now=timezone.now())
        if instead is not None:
            saved.note_offered(interview, self.why.code, instead)

    @rule(person=PEOPLE, slot=SLOTS)
    def move_instead(self, person, slot):
        interview, by = self._latest(person)
        slot = self._slot(interview, slot)
        self._attempt(saved.move_instead, interview.reference, slot.pk, reason=self.why.code, **by)

    @rule(person=PEOPLE)
    def cancel(self, person):
        interview, by = self._latest(person)

        def cancel():
            request, _is_new = services.request_cancellation(
                interview.reference, reason=self.why, **by
            )
            saved.not_saved(request)

        self._attempt(cancel)

    @rule(person=PEOPLE)
    def take_back(self, person):
        interview, by = self._latest(person)
        request = interview.cancellations.order_by("-pk").first()
        if request is not None:
            self._attempt(services.take_back_cancellation, request.reference, **by)

    @rule(person=PEOPLE)
    def enter(self, person):
        interview, by = self._latest(person)
        self._attempt(room.enter, interview.reference, **by)

    @rule(person=PEOPLE)
    def leave(self, person):
        interview, by = self._latest(person)
        self._attempt(exits.leave, interview.reference, reason=self.why_leave, confirmed=True, **by)

    @rule(person=PEOPLE)
    def finish(self, person):
        interview, by = self._latest(person)
        self._attempt(room.finish, interview.reference, **by)

    @rule(person=PEOPLE)
    def wait_for_another_time(self, person):
        interview, by = self._latest(person)
        self._attempt(refill.wait_for_time, interview.reference, **by)

    @rule(take=st.booleans())
    def answer_offer(self, take):
        offer = Offer.objects.filter(state=OfferState.OPEN).order_by("pk").first()
        if offer is not None:
            self._attempt(refill.accept if take else refill.decline, offer.reference)

    @rule(person=PEOPLE)
    def apply_again(self, person):
        interview, by = self._latest(person)
        self._attempt(again.apply_again, interview.reference, **by)

    # --- what staff do ----------------------------------------------------------------------

    @rule(accept=st.booleans())
    def decide(self, accept):
        request = Cancellation.objects.filter(status="requested").order_by("pk").first()
        if request is not None:
            way = services.approve_cancellation if accept else services.decline_cancellation
            self._attempt(way, request.pk, by=self.staff)

    @rule(person=PEOPLE)
    def company_cancels(self, person):
        interview, _by = self._latest(person)
        self._attempt(
            company.cancel_for_company, interview.reference, by=self.staff, reason=self.freeze
        )

    @rule(person=PEOPLE, move=st.sampled_from(Move))
    def set_right(self, person, move):
        interview, _by = self._latest(person)
        self._attempt(
            company.correct_interview,
            interview.reference,
            by=self.staff,
            move=move,
            expected=interview.status,
            reason="It was otherwise.",
            starts_at=timezone.now() + timedelta(days=3),
        )

    @rule(way=st.sampled_from([absences.excuse, absences.mark, absences.attended]))
    def decide_absence(self, way):
        absence = Absence.objects.filter(decision="").order_by("pk").first()
        if absence is not None:
            self._attempt(way, absence.reference, by=self.staff)

    @rule(person=PEOPLE, is_open=st.booleans())
    def look_into_it(self, person, is_open):
        interview, _by = self._latest(person)
        work.open_anomaly(interview, "no_end")
        item = WorkItem.objects.open().filter(subject=interview.subject, kind="anomaly").first()
        if item is not None and not is_open:
            work.resolve_work(item, by=self.staff, note="")

    @rule(number=st.integers(0, 1))
    def give_position_to_other_department(self, number):
        position = self.positions[number]
        position.refresh_from_db()
        other = next(each for each in self.departments if each.pk != position.department_id)
        position.department = other
        position.save()

    # --- what comes from outside, and what happens by itself --------------------------------

    @rule(days=st.sampled_from([-40, -1]), status=st.sampled_from(["已完成", "未到场"]))
    def bring_in(self, days, status):
        self.imports += 1
        at = timezone.localtime(timezone.now() + timedelta(days=days))
        row = {
            "number": f"A-{self.imports}",
            "mobile": f"1390000{self.imports:04d}",
            "status": status,
            "starts_at": f"{at:%Y-%m-%d %H:%M}",
        }
        preview = imports.start_preview(
            table(row), "x.csv", mapping.load("template"), by=self.administrator
        )
        job = imports.start_import(Job.objects.get(pk=preview.pk), by=self.administrator)
        interview_jobs.run_job(job.pk)

    @precondition(lambda self: self.imports)
    @rule()
    def take_import_back(self):
        done = Job.objects.filter(kind=imports.IMPORT, state="done").order_by("-pk").first()
        if done is not None and imports.undone_by(done) is None:
            interview_jobs.run_job(imports.start_undo(done, by=self.administrator).pk)

    @rule(
        state=st.sampled_from([State.SENT, State.DELIVERED, State.FAILED, State.BOUNCED]),
        newest=st.booleans(),
    )
    def hear_of_message(self, state, newest):
        waiting = Notification.objects.filter(subject__startswith="interview:").exclude(
            state__in=[State.DELIVERED, State.SUPERSEDED]
        )
        message = waiting.order_by("-pk" if newest else "pk").first()
        if message is None:
            return
        if state == State.SENT:
            Notification.objects.filter(pk=message.pk).update(state=state, provider_id="<1@x>")
        else:
            reports.report(message.pk, state, code="30003")

    @rule(minutes=st.sampled_from([10, 20, 31, 24 * 60, 3 * 24 * 60]))
    def time_passes(self, minutes):
        self.now.shift(timedelta(minutes=minutes))

    @rule()
    def sweeps(self):
        now = timezone.now()
        sweep.take_due(seconds=5)
        refill.sweep(now)
        saved.settle(now)
        for sitting in room.overdue(now):
            room.lapse(sitting)
        for request in Cancellation.objects.filter(status="requested", decide_by__lte=now):
            services.apply_default(request.pk)

    @rule()
    def sitting_ends_otherwise(self):
        Sitting.objects.exclude(ending="").update(ending="platform_fault")


class TestCounting(TestCase):
    def test_cells_are_what_a_count_by_hand_comes_to(self):
        run_state_machine_as_test(
            Counting,
            settings=settings(
                max_examples=15,
                stateful_step_count=30,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )

    def test_everything_that_is_counted_comes_up(self):
        """Else the machine would prove less than it seems to."""
        life = Counting()
        try:
            life.bring_in(days=-40, status="未到场")
            life.bring_in(days=-40, status="已完成")
            life.take_import_back()
            life.open_invitation(0)
            life.confirm(1)
            life.leave(3)
            life.cancel(2)
            life.wait_for_another_time(2)
            life.decide(accept=True)
            life.count(1)
            life.count_and_die(200, after=4)
            life.book(0, 1)
            life.move_instead(0, 0)
            life.look_into_it(0, is_open=False)
            life.give_position_to_other_department(0)
            for _ in range(4):
                life.time_passes(31)
                life.sweeps()
                life.hear_of_message(State.FAILED, newest=True)
            life.set_right(0, Move.MISS)
            life.decide_absence(absences.excuse)
            life.enter(1)
        finally:
            life.teardown()
        seen = {name for row in counting.stored().values() for name in row}
        maps = {name[0] for name in seen if isinstance(name, tuple)}
        assert maps == {*MAPS}
