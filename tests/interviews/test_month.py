"""A month in the life of the company, lived through tick by tick: people who behave as people do,
providers that fail, are away or know nothing of a number, sweeps that stand still for half a day.
At its end the books agree.

MONTH_PEOPLE=5000 lives through the large one.
"""

import contextlib
import heapq
import os
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count

import pytest
import time_machine
from django.db import connection
from django.db.models import Count, F, Q
from django.utils import timezone
from django_fsm import TransitionNotAllowed

from cancellations import exits
from cancellations import services as cancelling
from cancellations.absences import services as absences
from cancellations.absences.models import Absence
from cancellations.absences.queries import known_of
from cancellations.company import correct_interview
from cancellations.models import Cancellation, Purpose, Reason
from cancellations.tasks import apply_defaults, lift_unfair_marks
from candidates.models import Mark
from candidates.queries import STANDING
from interviews import history
from interviews.booking import services as booking
from interviews.models import HistoryEntry, Interview, Move, Offer, RoomEvent, Slot, Stage
from interviews.queries import free_slots
from interviews.refill import services as refill
from interviews.refill.models import FreedPlace
from interviews.reminders import planning, services, sweep
from interviews.reminders.queries import was_told
from interviews.room import services as room
from interviews.services import SlotFull
from interviews.states import ENDED, HOLDS_A_SLOT, InterviewStatus
from interviews.tasks import lapse_sittings
from notifications import channels, reports
from notifications.channels import Refused, TryAgain
from notifications.models import Notification, State
from notifications.services import deliver_due
from tests.factories import ApplicationFactory, PositionFactory, SlotFactory, UserFactory

pytestmark = pytest.mark.django_db

PEOPLE = int(os.environ.get("MONTH_PEOPLE", "60"))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TICKS = [0, 1, 3, 5, 6, 8, 10, 11, 13, 18]  # hours of a day that begins at eight in the morning
INVITED_FOR = 20  # days in which invitations go out
TAKES_PLACE = (1, 3, 6, 8, 11)  # after this many hours of a day
LASTS = 36  # days until the last of them is over
AWAY = (12 * DAY + 2 * HOUR, 12 * DAY + 5 * HOUR)  # nothing can be sent
STANDS_STILL = [(9 * DAY + 6 * HOUR, 9 * DAY + 18 * HOUR), (15 * DAY, 15 * DAY + 3 * HOUR)]
# What grows in that month; the planner has to know.
ANALYZE = (
    "ANALYZE interviews_interview, interviews_application, interviews_step, interviews_offer,"
    " interviews_waitingentry, interviews_freedplace, interviews_slot, notifications_notification"
)
FATES = {
    "attends": 50,
    "stays_away": 16,
    "cancels_early": 10,
    "cancels_late": 8,
    "asks_and_takes_back": 4,
    "drops_out": 4,
    "false_start": 4,
    "has_trouble": 4,
    "moves": 8,
}


class Month:
    """Whoever does something is in the queue with the time at which they do it."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.start = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0) + DAY
        self.queue: list[tuple[datetime, int, Callable[[], None]]] = []
        self.number = count()
        self.unreachable: set[str] = set()
        self.asked: set[int] = set()
        self.is_away = False
        self.moved = 0
        self.why = Reason.objects.get(purpose=Purpose.CANCEL, code="time_conflict")

    def later(self, at: datetime, act: Callable[..., None], *args: object) -> None:
        heapq.heappush(self.queue, (at, next(self.number), lambda: act(*args)))

    def run(self) -> None:
        with time_machine.travel(self.start, tick=False) as clock:
            self.set_the_stage()
            while self.queue:
                at, _number, act = heapq.heappop(self.queue)
                clock.move_to(at)
                act()
            lift_unfair_marks()

    def set_the_stage(self) -> None:
        self.positions = [PositionFactory(invitation_days=5) for _ in range(3)]
        departments = [position.department for position in self.positions]
        self.lead = UserFactory(lead=True, departments=departments)
        self.other_lead = UserFactory(lead=True, departments=departments)
        places = max(3, PEOPLE // 60)
        hours = [self.start + day * DAY + h * HOUR for day in range(1, LASTS) for h in TAKES_PLACE]
        Slot.objects.bulk_create(
            [
                SlotFactory.build(position=position, starts_at=starts_at, capacity=places)
                for position in self.positions
                for starts_at in hours
            ]
        )
        for _ in range(PEOPLE):
            at = self.start + self.random.random() * INVITED_FOR * DAY
            self.later(at, self.invite)
        for since in [day * DAY + hour * HOUR for day in range(LASTS + 1) for hour in TICKS]:
            self.later(self.start + since, self.tick, since)

    # --- the machinery --------------------------------------------------------------------------

    def tick(self, since: timedelta) -> None:
        self.is_away = AWAY[0] <= since < AWAY[1]
        if not any(first <= since < last for first, last in STANDS_STILL):
            sweep.take_due(seconds=60)
            planning.plan_changed_rules(pieces=5)
            refill.sweep(timezone.now())
        apply_defaults()
        lapse_sittings()
        lift_unfair_marks()
        self.deliver()
        self.offers_arrive()
        if since % DAY == 10 * HOUR:
            with connection.cursor() as cursor:  # as autovacuum would, were anything committed
                cursor.execute(ANALYZE)
            self.hr_looks_at_absences()
            self.hr_gives_up_invitations()

    def deliver(self) -> None:
        deliver_due(seconds=60)
        sent = Notification.objects.filter(state=State.SENT, channel="sms")
        for pk in sent.values_list("pk", flat=True):
            says = self.random.random()
            if says < 0.8:
                reports.report(pk, State.DELIVERED)
            elif says < 0.86:
                at = timezone.now() + self.random.random() * 3 * DAY
                self.later(at, self.fails_after_all, pk)

    def fails_after_all(self, pk: int) -> None:
        """The provider had taken it, and tells late that it never arrived."""
        reports.report(pk, State.FAILED, code="30003")

    def send(self, notification: Notification, message: object) -> str:
        """The provider of everything that leaves the house."""
        if self.is_away:
            raise TryAgain("unreachable")
        if notification.recipient in self.unreachable or self.random.random() < 0.02:
            raise Refused("30005")
        if self.random.random() < 0.03:
            raise TryAgain("500")
        return f"sent-{notification.pk}"

    def offers_arrive(self) -> None:
        for offer in Offer.objects.filter(state="open").exclude(pk__in=self.asked):
            self.asked.add(offer.pk)
            at = timezone.now() + self.random.random() * 1.3 * HOUR
            self.later(at, self.answer, offer)

    def hr_looks_at_absences(self) -> None:
        now = timezone.now()
        for absence in Absence.objects.filter(decision="").select_related("interview"):
            obstacles = known_of(absence.interview, now).obstacles()
            try:
                absences.mark(absence.reference, by=self.lead)
                assert not obstacles
            except absences.Unfair:
                assert obstacles
                self.be_kind(absence)
            except absences.AlreadyDecided:
                raise AssertionError(absence.interview.status) from None
        for mark in Mark.objects.filter(state="active"):
            if self.random.random() < 0.3 and not hasattr(mark, "appealed_by"):
                absences.appeal(mark.reference, by=mark.candidate.user, text="")
        for mark in Mark.objects.filter(state="appealed"):
            granted = self.random.random() < 0.5
            absences.decide_appeal(mark.reference, granted=granted, by=self.other_lead)

    def hr_gives_up_invitations(self) -> None:
        """Those that are over: the clock leaves them to HR."""
        over = Interview.objects.filter(status=InterviewStatus.INVITED, deadline__lt=timezone.now())
        for interview in over:
            correct_interview(
                interview.reference,
                by=self.lead,
                move=Move.WITHDRAW,
                expected="invited",
                reason="Could not be reached.",
            )

    def be_kind(self, absence: Absence) -> None:
        slot = free_slots(absence.interview, now=timezone.now()).first()
        is_late = timezone.now() > self.start + (INVITED_FOR + 8) * DAY
        if slot is None or is_late or self.random.random() < 0.6:
            absences.excuse(absence.reference, by=self.lead)
            return
        absences.rebook(absence.reference, by=self.lead, slot_id=slot.pk)
        self.goes_on(Interview.objects.get(pk=absence.interview_id))

    # --- people ---------------------------------------------------------------------------------

    def invite(self) -> None:
        now = timezone.now()
        application = ApplicationFactory(
            position=self.random.choice(self.positions), stage=Stage.SCREENED
        )
        if self.random.random() < 0.05:
            self.unreachable.add(f"user:{application.candidate.user_id}")
        interview = booking.reach_stage(application, Stage.AI_INTERVIEW, by=None)
        if self.random.random() < 0.9:
            self.later(now + self.random.random() * 6 * DAY, self.book, interview)

    def book(self, interview: Interview) -> None:
        slots = list(free_slots(interview, now=timezone.now() + 3 * HOUR)[:20])
        try:
            booked = booking.book(
                interview.reference,
                self.random.choice(slots).pk,
                by=interview.candidate.user,
            )
        except (
            TransitionNotAllowed,
            SlotFull,
            IndexError,
            booking.InvitationExpired,
            booking.AlreadyBooked,
        ):
            return
        self.goes_on(booked)

    def moves(self, interview: Interview) -> None:
        slots = list(free_slots(interview, now=timezone.now() + 3 * HOUR)[:20])
        try:
            moved = booking.move(
                interview.reference,
                self.random.choice(slots).pk,
                by=interview.candidate.user,
            )
        except (TransitionNotAllowed, SlotFull, IndexError, booking.MoveRefused):
            return
        self.moved += 1
        self.goes_on(moved)

    def answer(self, offer: Offer) -> None:
        says = self.random.random()
        try:
            if says < 0.5:
                self.goes_on(refill.accept(offer.reference))
            elif says < 0.75:
                refill.decline(offer.reference)
        except refill.NotOpen:
            return
        self.offers_arrive()

    def goes_on(self, interview: Interview) -> None:
        """How it will end is known to nobody but us."""
        fate = self.random.choices(list(FATES), list(FATES.values()))[0]
        now, start = timezone.now(), interview.starts_at
        ahead = start - now
        if self.random.random() < 0.5:
            self.later(now + self.random.random() * ahead, self.confirm, interview)
        moments = {
            "attends": start + timedelta(minutes=3),
            "stays_away": None,
            "cancels_early": now + ahead * 0.3,
            "cancels_late": max(now, start - self.random.random() * 6 * HOUR),
            "asks_and_takes_back": max(now, start - 2 * HOUR),
            "drops_out": start + timedelta(minutes=1),
            "false_start": start + timedelta(minutes=2),
            "has_trouble": start + timedelta(minutes=9),
            "moves": now + ahead * 0.4,
        }
        if at := moments[fate]:
            self.later(at, getattr(self, fate), interview)

    def confirm(self, interview: Interview) -> None:
        stands = Interview.objects.get(pk=interview.pk)
        with contextlib.suppress(services.TooLate):
            services.confirm(stands.reference, starts_at=stands.starts_at)

    def enter(self, interview: Interview) -> bool:
        try:
            room.enter(interview.reference, by=interview.candidate.user)
        except room.NotOpen:
            return False
        return True

    def attends(self, interview: Interview) -> None:
        if self.enter(interview):
            self.later(timezone.now() + 20 * timedelta(minutes=1), self.finish, interview)

    def finish(self, interview: Interview) -> None:
        with contextlib.suppress(room.Over):
            room.finish(interview.reference, by=interview.candidate.user)

    def drops_out(self, interview: Interview) -> None:
        self.enter(interview)

    def false_start(self, interview: Interview) -> None:
        if self.enter(interview):
            reason = Reason.objects.filter(purpose=Purpose.EXIT, needs_detail=False).first()
            exits.leave(interview.reference, by=interview.candidate.user, reason=reason)
            if self.random.random() < 0.4:  # it was ours
                sitting = interview.sittings.latest("pk")
                RoomEvent.objects.create(sitting=sitting, kind="server_error", at=timezone.now())

    def ask(self, interview: Interview) -> Cancellation | None:
        user = interview.candidate.user
        try:
            asked, _ = cancelling.request_cancellation(
                interview.reference, by=user, reason=self.why
            )
        except (cancelling.AlreadyOver, cancelling.CancellationRefused):
            return None
        if self.random.random() < 0.5:
            with contextlib.suppress(refill.NothingToWaitFor):
                refill.wait_for_time(interview.reference, by=user)
        self.offers_arrive()
        return asked

    def cancels_early(self, interview: Interview) -> None:
        self.ask(interview)

    def cancels_late(self, interview: Interview) -> None:
        asked = self.ask(interview)
        if asked is not None and asked.status == "requested" and self.random.random() < 0.5:
            cancelling.decline_cancellation(asked.pk, by=self.lead)

    def asks_and_takes_back(self, interview: Interview) -> None:
        asked = self.ask(interview)
        if asked is not None and asked.status == "requested":
            user = interview.candidate.user
            cancelling.take_back_cancellation(asked.reference, by=user)

    def has_trouble(self, interview: Interview) -> None:
        with contextlib.suppress(services.TooLate):
            services.tell_trouble(interview.reference, kind="line")


@pytest.fixture(scope="module", params=[20240510, 7])
def seed(request):
    return request.param


def test_at_the_end_of_a_month_the_books_agree(seed, monkeypatch):
    month = Month(seed)
    monkeypatch.setattr(channels, "send", month.send)

    month.run()

    left = Interview.objects.exclude(status__in=ENDED)
    assert list(left.values_list("status", "starts_at")) == []
    assert list(history.verify(Interview.objects.all())) == []
    assert_no_slot_is_overfull()
    assert_every_offer_has_one_end()
    assert_reminders_were_true()
    assert_everything_was_told_once()
    assert_nobody_was_marked_unfairly(month)
    # All of it has happened at all.
    statuses = set(Interview.objects.values_list("status", flat=True))
    assert {"completed", "cancelled", "no_show"} <= statuses
    assert Mark.objects.exists()
    assert month.moved
    assert Offer.objects.filter(state="accepted").exists()


def assert_no_slot_is_overfull() -> None:
    held = Q(interviews__status__in=[*HOLDS_A_SLOT, *ENDED])
    slots = Slot.objects.annotate(holders=Count("interviews", filter=held))
    assert not slots.exclude(booked=F("holders")).exists()
    assert not slots.filter(booked__gt=F("capacity")).exists()


def assert_every_offer_has_one_end() -> None:
    """None is left open; a place is refilled by the one offer that was taken, and its interview
    took the place."""
    assert not Offer.objects.filter(state="open").exists()
    taken = Offer.objects.filter(state="accepted")
    assert taken.count() == taken.values("place").distinct().count()
    assert taken.count() == taken.values("interview").distinct().count()
    refilled = FreedPlace.objects.exclude(refilled_at=None)
    assert set(taken.values_list("place", flat=True)) == set(refilled.values_list("pk", flat=True))


def assert_reminders_were_true() -> None:
    """What was sent was sent of something booked that lay ahead at that time, twice at most."""
    by_subject = {each.subject: each for each in Interview.objects.all()}
    seen: dict[tuple[str, str], int] = {}
    reminders = Notification.objects.filter(event="interview_reminder", channel="sms")
    for told in reminders.exclude(sent_at=None):
        interview = by_subject[told.subject]
        before = HistoryEntry.objects.filter(interview=interview, at__lte=told.sent_at)
        assert before.order_by("-sequence").first().data["status"] == InterviewStatus.BOOKED
        assert datetime.fromisoformat(told.params["starts_at"]) > told.sent_at
        key = told.subject, told.params["starts_at"]
        seen[key] = seen.get(key, 0) + 1
    assert max(seen.values()) <= 2


def assert_everything_was_told_once() -> None:
    """Each message has one end, and whatever did not go says why."""
    ended = {State.SENT, State.DELIVERED, State.FAILED, State.SUPERSEDED}
    others = Notification.objects.exclude(state__in=ended)
    assert list(others.values_list("event", "channel", "state", "error_code")) == []
    assert not Notification.objects.filter(state=State.FAILED, error_code="").exists()


def assert_nobody_was_marked_unfairly(month: Month) -> None:
    for mark in Mark.objects.select_related("candidate"):
        assert mark.evidence["obstacles"] == []
        assert f"user:{mark.candidate.user_id}" not in month.unreachable
        interview = Interview.objects.get(reference=mark.interview)
        asked = Cancellation.objects.filter(interview=interview, starts_at=mark.starts_at)
        assert not asked.filter(decided_at__gt=mark.starts_at).exists()
        if mark.state in STANDING:
            assert was_told(interview)
            faults = RoomEvent.objects.filter(sitting__interview=interview, kind="server_error")
            assert not faults.exists()
        assert (
            not interview.troubles.filter(starts_at=mark.starts_at).exists()
            or (mark.evidence["trouble"])
        )
