"""Calling interviews off for the company, one or many, and setting a status right by hand. Each
function is one use case, in one transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_fsm import TransitionNotAllowed

from accounts.models import User
from accounts.permissions import CANCEL_FOR_COMPANY, CORRECT_INTERVIEWS
from cancellations import notices, queries, work
from cancellations.models import Cancellation, CancellationStatus, Party, Purpose, Reason
from cancellations.services import AlreadyOver
from interviews import history
from interviews.booking import slots
from interviews.gates import notices as gate_notices
from interviews.models import Correction, Interview, InterviewQuerySet, Move, Slot
from interviews.notices import is_told
from interviews.queries import free_slots, visible_to
from interviews.refill.services import withdraw_offers
from interviews.room.queries import closes_at
from interviews.room.services import close_by_hand
from interviews.services import cancel_interviews, reinstate_interview, withdraw_interview
from interviews.states import REINSTATABLE, UNDER_WAY, UPCOMING, InterviewStatus
from notifications.services import notify, supersede

MOST_AT_ONCE = 5000  # interviews of one job
SLOTS_OFFERED = 12
APPLICATION_ENDED = "application_ended"  # the reason of what ends with its application
CLOSING_TRIES = 3  # at closing a slot that people are booking at this moment


class Fate(models.TextChoices):
    """What becomes of an interview that the company wants to call off."""

    CANCELLED = "cancelled", gettext_lazy("Cancelled")
    ALREADY = "already", gettext_lazy("Was cancelled already")
    UNDER_WAY = "under_way", gettext_lazy("Not cancelled: it is in progress")
    OVER = "over", gettext_lazy("Not cancelled: it is over")
    UNKNOWN = "unknown", gettext_lazy("Not found in your departments")


@dataclass(frozen=True)
class CalledOff:
    """What became of one of many."""

    reference: str
    fate: Fate
    receipt: str = ""


class ChangedMeanwhile(Exception):
    """The interview is no longer in the status its correction began from."""


def fate_of(interview: Interview) -> Fate:
    """What calling it off now would do."""
    if interview.status in UPCOMING:
        return Fate.CANCELLED
    if interview.status == InterviewStatus.CANCELLED:
        return Fate.ALREADY
    return Fate.UNDER_WAY if interview.status in UNDER_WAY else Fate.OVER


@transaction.atomic
def cancel_for_company(
    reference: str, *, by: User, reason: Reason, detail: str = "", note: str = ""
) -> tuple[Cancellation, bool]:
    """Call one interview off and tell everybody; `note` is what the candidate reads.

    Returns the cancellation and whether it is new: doing it again returns the first one. Raises
    Interview.DoesNotExist outside the departments of `by`, PermissionDenied, AlreadyOver,
    ValidationError for a missing detail.
    """
    if not by.has_perm(CANCEL_FOR_COMPANY):
        raise PermissionDenied
    interview = _locked(visible_to(by).filter(reference=reference)).with_facts().get()
    existing = queries.current_cancellation(interview)
    if existing is not None and existing.party == Party.COMPANY:
        return existing, False
    if fate_of(interview) is not Fate.CANCELLED:
        raise AlreadyOver
    detail = reason.clean_detail(detail)
    (cancellation,) = _call_off([interview], by=by, reason=reason, detail=detail, note=note)
    return cancellation, True


@transaction.atomic
def cancel_many(
    references: Sequence[str], *, by: User, reason: Reason, detail: str = "", note: str = ""
) -> list[CalledOff]:
    """Call off those of many interviews that still can be, in a handful of statements; what became
    of each, in the order they were named. Raises PermissionDenied."""
    if not by.has_perm(CANCEL_FOR_COMPANY):
        raise PermissionDenied
    locked = _locked(visible_to(by).filter(reference__in=references)).with_shared_facts()
    found = {interview.reference: interview for interview in locked}
    fates = {reference: fate_of(interview) for reference, interview in found.items()}
    chosen = [found[each] for each, fate in fates.items() if fate is Fate.CANCELLED]
    made = _call_off(chosen, by=by, reason=reason, detail=detail, note=note)
    receipts = {each.interview.reference: each.reference for each in made}
    return [
        CalledOff(each, fates.get(each, Fate.UNKNOWN), receipts.get(each, ""))
        for each in references
    ]


class CameMeanwhile(Exception):
    """Somebody has booked the slot while it was being closed."""


def close_slot(
    slot_id: int, *, by: User, reason: Reason, detail: str = "", note: str = ""
) -> list[CalledOff]:
    """Close a slot for good: nobody can book it any more, and the interviews in it are called off
    for the company. What became of each.

    Raises Slot.DoesNotExist, PermissionDenied, AlreadyOver once it has begun.
    """
    for _attempt in range(CLOSING_TRIES - 1):
        try:
            return _close_slot(slot_id, by=by, reason=reason, detail=detail, note=note)
        except CameMeanwhile:
            continue
    return _close_slot(slot_id, by=by, reason=reason, detail=detail, note=note)


@transaction.atomic
def _close_slot(
    slot_id: int, *, by: User, reason: Reason, detail: str, note: str
) -> list[CalledOff]:
    """The interviews are locked before the slot, as everywhere; who booked it in between is seen
    once nobody else can, and then all of this is done over."""
    slot = Slot.objects.get(pk=slot_id)
    if slot.starts_at <= timezone.now():
        raise AlreadyOver
    withdraw_offers([slot_id])
    seen = list(slot.interviews.order_by("pk").values_list("reference", flat=True))
    outcomes = cancel_many(seen, by=by, reason=reason, detail=detail, note=note)
    try:
        slots.close_slot(slot_id, by=by)
    except slots.StillBooked:
        others = slot.interviews.exclude(reference__in=seen)
        raise CameMeanwhile if others.exists() else AlreadyOver from None
    return outcomes


@dataclass(frozen=True)
class Told:
    """Who hears of it when interviews are called off or take place after all."""

    candidates: int
    unreachable: int  # candidates with neither a mobile number nor an address
    recruiters: list[str]
    interviewers: list[str]
    departments: list[str]


def told_of(interviews: Sequence[Interview]) -> Told:
    """As notices.called_off tells them."""
    people = {interview.candidate.user for interview in interviews}
    recruiters = {each.position.recruiter for each in interviews} - {None}
    interviewers = {each.interviewer for each in interviews} - {None} - recruiters
    told = is_told
    return Told(
        candidates=len(people),
        unreachable=sum(not (person.mobile or person.email) for person in people),
        recruiters=sorted(person.name for person in recruiters if person and told(person)),
        interviewers=sorted(person.name for person in interviewers if person and told(person)),
        departments=sorted({each.position.department.name for each in interviews}),
    )


def open_slots(interview: Interview, *, now: datetime) -> list[Slot]:
    """The next times of its position and kind that have a place."""
    return list(free_slots(interview, now=now)[:SLOTS_OFFERED])


def is_awaited(interview: Interview, *, now: datetime) -> bool:
    """Whether it is booked and has begun, and its time is not over: nobody has missed it yet."""
    over = closes_at(interview)
    begun = interview.starts_at is not None and interview.starts_at <= now
    return interview.status == InterviewStatus.BOOKED and begun and over is not None and now < over


def moves(interview: Interview, *, now: datetime) -> list[Move]:
    """What may be set right by hand as the interview stands: legal moves of the machine that are
    not somebody else's decision."""
    status = InterviewStatus(interview.status)
    begun = interview.starts_at is not None and interview.starts_at <= now
    expired = interview.deadline is not None and interview.deadline <= now
    if status in REINSTATABLE:
        return [Move.REINSTATE]
    if status is InterviewStatus.IN_PROGRESS:
        return [Move.COMPLETE, Move.LAPSE]
    if status is InterviewStatus.BOOKED:
        if not begun:
            return [Move.WITHDRAW]
        missed = [] if is_awaited(interview, now=now) else [Move.MISS]
        return [Move.COMPLETE, *missed, Move.WITHDRAW]
    if status is InterviewStatus.INVITED:
        return [Move.MISS, Move.WITHDRAW] if expired else [Move.WITHDRAW]
    return []


@transaction.atomic
def correct_interview(
    reference: str,
    *,
    by: User,
    move: Move,
    expected: str,
    reason: str,
    note: str = "",
    starts_at: datetime | None = None,
) -> Correction:
    """Set a status right by hand, and tell the candidate. `reason` is kept for colleagues, `note`
    is what the candidate reads, `starts_at` is when an interview that is reinstated takes place.

    Raises Interview.DoesNotExist outside the departments of `by`, PermissionDenied, SlotFull,
    ChangedMeanwhile where its status is not `expected`, TransitionNotAllowed where the move makes
    no sense, ValidationError for a time that has passed.
    """
    if not by.has_perm(CORRECT_INTERVIEWS):
        raise PermissionDenied
    now = timezone.now()
    interview = _locked(visible_to(by).filter(reference=reference)).with_facts().get()
    if interview.status != expected:
        raise ChangedMeanwhile
    if move not in moves(interview, now=now):
        raise TransitionNotAllowed
    correction = Correction.objects.create(
        interview=interview,
        move=move,
        before=interview.status,
        by=by,
        at=now,
        reason=reason,
        note=note,
    )
    reversed_before = None
    if move == Move.REINSTATE:
        reversed_before = _reinstate(interview, starts_at, at=now)
    else:
        _MOVES[move](interview, at=now)
        close_by_hand(interview, at=now)
    facts: dict[str, Any] = {
        "correction": correction.reference,
        "move": str(move),
        "before": correction.before,
    }
    if move == Move.REINSTATE and interview.starts_at:
        facts["starts_at"] = interview.starts_at.isoformat()
    events: list[tuple[str, dict[str, Any]]] = [("corrected", facts)]
    if reversed_before:
        events.insert(0, ("cancellation_reversed", reversed_before.for_history))
    history.record(interview, *events, by=by, at=now)
    notify(*notices.corrected(correction, interview))
    return correction


def _locked(interviews: InterviewQuerySet) -> InterviewQuerySet:
    """Locked one after the other in the order of their keys."""
    some = Interview.objects.filter(pk__in=interviews.values("pk"))
    return some.order_by("pk").select_for_update(of=("self",))


def call_off_with_application(interviews: Sequence[Interview], *, by: User | None) -> None:
    """Their application has ended, by a member of staff or by a rule (None): nobody comes to these
    any more, and each message says both. In the transaction of what ended it, whose caller holds
    the locks."""
    if not interviews:
        return
    reason = Reason.objects.get(purpose=Purpose.COMPANY, code=APPLICATION_ENDED)
    made = _cancel(interviews, by=by, reason=reason)
    for interview in interviews:
        notify(*gate_notices.ended(interview, called_off=True))
    notify(*notices.called_off_to_staff(made))


def _call_off(
    interviews: Sequence[Interview], *, by: User, reason: Reason, detail: str, note: str
) -> list[Cancellation]:
    """The caller holds the locks, and knows that each can be cancelled."""
    if not interviews:
        return []
    cancellations = _cancel(interviews, by=by, reason=reason, detail=detail, note=note)
    notify(*notices.called_off(cancellations))
    return cancellations


def _cancel(
    interviews: Sequence[Interview],
    *,
    by: User | None,
    reason: Reason,
    detail: str = "",
    note: str = "",
) -> list[Cancellation]:
    """The same, without telling anybody."""
    now = timezone.now()
    overtaken = _overtake(interviews, by=by, at=now)
    cancellations = [
        Cancellation(
            interview=interview,
            party=Party.COMPANY,
            requested_by=by or interview.candidate.user,  # nobody; the party says whose it is
            reason=reason,
            detail=detail,
            requested_at=now,
            starts_at=interview.starts_at,
            slot_id=interview.slot_id,
            notice=interview.starts_at - now if interview.starts_at else timedelta(0),
        )
        for interview in interviews
    ]
    for cancellation in cancellations:
        cancellation.approve(by=by, at=now, note=note)
    Cancellation.objects.bulk_create(cancellations)
    cancel_interviews(interviews, at=now)
    told = []
    for cancellation in cancellations:
        facts = {**cancellation.for_history, "decided_by": "company", "reason": reason.code}
        events = [("cancelled", facts)]
        if request := overtaken.get(cancellation.interview.pk):
            events.insert(0, ("cancellation_overtaken", request.for_history))
        told.append((cancellation.interview, events))
    history.record_many(told, by=by, at=now)
    supersede([interview.subject for interview in interviews], notices.WHILE_UNDECIDED)
    return cancellations


def _overtake(
    interviews: Iterable[Interview], *, by: User | None, at: datetime
) -> dict[int, Cancellation]:
    """Settle what candidates had asked and nobody had decided, by interview: it neither counts as
    theirs nor waits for HR any more."""
    undecided = [each for each in interviews if each.status == InterviewStatus.CANCELLING]
    if not undecided:
        return {}
    requests = Cancellation.objects.filter(
        interview__in=undecided, status=CancellationStatus.REQUESTED
    )
    overtaken = list(requests.order_by("pk").select_for_update())
    for request in overtaken:
        request.lapse(by=by, at=at)
        request.save(update_fields=["status", "decided_by", "decided_at", "note"])
    work.settle_requests(*undecided, by=by, at=at)
    return {request.interview_id: request for request in overtaken}


def _reinstate(
    interview: Interview, starts_at: datetime | None, *, at: datetime
) -> Cancellation | None:
    """The cancellation that this undoes, if it was one that had called the interview off."""
    if starts_at is None or starts_at <= at:
        raise ValidationError(_("Choose a time that lies ahead."), code="time")
    carried_out = interview.cancellations.filter(status=CancellationStatus.APPROVED)
    undone = carried_out.select_for_update().first()
    if undone is not None:
        undone.reverse(at=at)
        undone.save(update_fields=["status", "reversed_at"])
    supersede(interview.subject, notices.WHILE_CANCELLED)
    reinstate_interview(interview, starts_at=starts_at, at=at)
    return undone


def _complete(interview: Interview, *, at: datetime) -> None:
    """Where nothing had reported that it began, it begins and ends here."""
    if interview.status == InterviewStatus.BOOKED:
        interview.start()
        interview.save(update_fields=["status"])
    interview.complete(at=at)
    interview.save(update_fields=["status", "ended_at"])


def _miss(interview: Interview, *, at: datetime) -> None:
    interview.miss(at=at)
    interview.save(update_fields=["status", "ended_at"])


def _lapse(interview: Interview, *, at: datetime) -> None:
    interview.lapse(at=at)
    interview.save(update_fields=["status", "ended_at"])


_MOVES = {
    Move.COMPLETE: _complete,
    Move.MISS: _miss,
    Move.LAPSE: _lapse,
    Move.WITHDRAW: withdraw_interview,
}
