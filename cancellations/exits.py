"""Leaving an interview that has begun. Each function is one use case, in one transaction, or a
step that cancellations.services shares when it decides about an exit."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from cancellations import exit_notices, notices, queries, rules, work
from cancellations.help import plausibility
from cancellations.help import services as help_services
from cancellations.limits import limit_requests
from cancellations.models import Cancellation, CancellationStatus, Purpose, Reason
from interviews import history
from interviews.gates.services import OVER
from interviews.models import Application, Ending, Interview, Sitting
from interviews.queries import free_slots
from interviews.room import queries as room
from interviews.room.services import end_sitting
from interviews.services import lock_application, reinstate_interview, withdraw_interview
from interviews.states import InterviewStatus
from notifications.services import notify, supersede

ON_PLATFORM = "on_platform"  # the reason of who left elsewhere, which asked for none


class NothingToLeave(Exception):
    """The interview has not begun, has ended, or was left before."""


class SecondFactorNeeded(Exception):
    """The policy asks for a code by text message first."""


class NoFalseStart(Exception):
    """What they were told would count as a false start no longer does."""


class NotAlone(Exception):
    """Somebody else has to arrange another time: the policy says so, or a cooldown runs."""


@dataclass(frozen=True)
class Left:
    """What became of leaving: a false start, or an exit, carried out or waiting for HR."""

    exit: Cancellation | None
    is_misstart: bool = False
    is_new: bool = True


def sitting_to_leave(interview: Interview, now: datetime) -> Sitting | None:
    """The sitting in our own room that goes on, if one does. Who leaves an interview held elsewhere
    does so there, and we hear of it."""
    if interview.status != InterviewStatus.IN_PROGRESS or not room.takes_place_here(interview):
        return None
    sitting = room.open_sitting(interview)
    return sitting if sitting is not None and sitting.resume_until > now else None


def would_be(
    interview: Interview, sitting: Sitting, evidence: Mapping[str, Any], *, at: datetime
) -> rules.ExitDecision:
    """What leaving at this moment would mean; pages ask as the request itself does."""
    policy = queries.policy_for(interview, queries.policies_in_force(at))
    return _decide(policy, sitting, evidence, at=at)


def _decide(
    policy: rules.Policy, sitting: Sitting, evidence: Mapping[str, Any], *, at: datetime
) -> rules.ExitDecision:
    return rules.decide_exit(
        policy,
        stage=evidence["stage"],
        answered=evidence["answered"],
        entered_at=sitting.entered_at,
        asked_at=at,
        our_fault=room.is_our_fault(sitting, at),
    )


@transaction.atomic
def leave(
    reference: str,
    *,
    by: User,
    reason: Reason,
    detail: str = "",
    confirmed: bool = False,
    only_false_start: bool = False,
    asked_at: datetime | None = None,
) -> Left:
    """A candidate leaves their interview: a false start steps back, else the policy decides.

    Asking again returns the first request. `confirmed`: the code by text message was right.
    `only_false_start`: they were told that it is one. Raises Interview.DoesNotExist where it is not
    theirs, ValidationError for a missing detail, NothingToLeave, SecondFactorNeeded, NoFalseStart,
    limits.AskedTooOften.
    """
    asked_at = asked_at or timezone.now()
    interview = Interview.objects.lock_own(reference, by)
    existing = queries.current_exit(interview)
    if existing is not None:
        return Left(existing, is_new=False)
    sitting = sitting_to_leave(interview, asked_at)
    if sitting is None:
        raise NothingToLeave
    policy = queries.policy_for(interview, queries.policies_in_force(asked_at))
    evidence = room.evidence(sitting, asked_at)
    decision = _decide(policy, sitting, evidence, at=asked_at)
    if decision.is_misstart:
        _step_back(interview, sitting, by=by, at=asked_at)
        return Left(None, is_misstart=True)
    if only_false_start:
        raise NoFalseStart
    detail = reason.clean_detail(detail)
    if decision.outcome is rules.Outcome.NEEDS_HR:
        limit_requests(interview, asked_at)
    if decision.second_factor and not confirmed:
        raise SecondFactorNeeded

    request = _request(
        interview, policy, decision, by=by, reason=reason, detail=detail, at=asked_at,
        evidence=_with_hints(evidence, sitting, reason, at=asked_at),
    )  # fmt: skip
    asked = ("exit_requested", {**request.for_history, "reason": reason.code})
    interview.request_exit()
    interview.save(update_fields=["status"])
    if decision.outcome is rules.Outcome.AUTOMATIC:
        request.approve(by=None, at=asked_at)
        request.save()
        carry_out(request, asked, by=by, at=asked_at)
    else:
        request.save()
        history.record(interview, asked, by=by, at=asked_at)
        work.open_request(request)
        notify(*exit_notices.received(request))
    return Left(request)


def leave_on_platform(
    sitting: Sitting, *, at: datetime, platform: str, is_dated: bool, has_results: bool
) -> None:
    """A candidate has left on the platform that holds their interview, which is over there: nobody
    can be asked any more, whatever the policy says of that. What it says of false starts and of a
    cooldown holds; where we do not know when they left (`is_dated`) none follows.

    In the transaction of what told of it; the caller holds the interview's lock.
    """
    interview, now = sitting.interview, timezone.now()
    policy = queries.policy_for(interview, queries.policies_in_force(at))
    evidence = {**room.evidence(sitting, at), "platform": platform}
    decision = rules.decide_exit(
        policy,
        stage="",
        answered=int(has_results),
        entered_at=sitting.entered_at,
        asked_at=at,
        our_fault=room.is_our_fault(sitting, at) or not is_dated,
    )
    if decision.is_misstart:
        closes_at = room.closes_at(interview)
        is_to_come = closes_at is not None and closes_at > now
        _step_back(interview, sitting, by=None, at=at, platform=platform, is_to_come=is_to_come)
        return
    reason = Reason.objects.get(purpose=Purpose.EXIT, code=ON_PLATFORM)
    request = _request(
        interview, policy, decision, by=interview.candidate.user, reason=reason, at=at,
        evidence=_with_hints(evidence, sitting, reason, at=at),
    )  # fmt: skip
    interview.request_exit()
    interview.save(update_fields=["status"])
    request.approve(by=None, at=at)
    request.save()
    told = {**request.for_history, "reason": reason.code}
    carry_out(request, ("exit_requested", told), by=None, at=at, platform=platform)


def _request(
    interview: Interview,
    policy: rules.Policy,
    decision: rules.ExitDecision,
    *,
    by: User,
    reason: Reason,
    at: datetime,
    evidence: dict[str, Any],
    detail: str = "",
) -> Cancellation:
    """Not stored yet."""
    return Cancellation(
        interview=interview,
        is_exit=True,
        requested_by=by,
        reason=reason,
        detail=detail,
        requested_at=at,
        starts_at=interview.starts_at,
        slot_id=interview.slot_id,
        notice=interview.starts_at - at if interview.starts_at else timedelta(0),
        outcome=decision.outcome.value,
        policy=rules.exit_snapshot(policy),
        decide_by=decision.decide_by,
        cooldown_until=decision.cooldown_until,
        evidence=evidence,
    )


def carry_out(
    request: Cancellation,
    *before: tuple[str, dict[str, Any]],
    by: User | None,
    at: datetime,
    platform: str = "",
) -> None:
    """The candidate has left: end the sitting, free the place, write it down, tell everybody.
    `platform` is where they did, if not here. The caller holds the locks."""
    interview = request.interview
    withdraw_interview(interview, at=at)
    if (sitting := room.open_sitting(interview)) is not None:
        end_sitting(sitting, ending=Ending.EXITED, at=at, reason=request.reason.code)
        help_services.did_not_stay(interview, since=sitting.entered_at)
    decided_by = "policy" if request.decided_by_id is None else "hr"
    withdrawn = ("withdrawn", {**request.for_history, "decided_by": decided_by})
    there = {"platform": platform} if platform else {}
    told = [(event, {**data, **there}) for event, data in (*before, withdrawn)]
    history.record(interview, *told, by=by, at=at)
    if request.decided_by_id is None and request.evidence.get("hints"):
        work.open_anomaly(interview, "reason_contradicted")  # nobody has looked at it yet
    notify(*exit_notices.left(request))


@transaction.atomic
def book_again(reference: str, *, by: User, slot_id: int) -> Interview:
    """Who left takes another time of the same position, alone: the exit is reversed.

    Raises Interview.DoesNotExist where it is not theirs, NotAlone, Slot.DoesNotExist, SlotFull.
    """
    now = timezone.now()
    interview = Interview.objects.lock_own(reference, by)
    application = lock_application(interview.application_id)
    request = queries.current_exit(interview)
    if request is None or not may_book_again(request, application, now):
        raise NotAlone
    slot = free_slots(interview, now=now).get(pk=slot_id)
    request.reverse(at=now)
    request.save(update_fields=["status", "reversed_at"])
    supersede(interview.subject, notices.WHILE_CANCELLED)
    reinstate_interview(interview, starts_at=slot.starts_at, at=now)
    history.record(
        interview,
        ("cancellation_reversed", request.for_history),
        ("booked", {"slot": slot.pk, "starts_at": slot.starts_at.isoformat()}),
        by=by,
        at=now,
    )
    notify(*exit_notices.booked_again(request))
    return interview


def may_book_again(request: Cancellation, application: Application, now: datetime) -> bool:
    """Whether who left may choose another time without asking anybody: not once their application
    is over, as it is where they have applied again."""
    if application.stage in OVER:
        return False
    carried_out = request.status == CancellationStatus.APPROVED
    cools = request.cooldown_until is not None and request.cooldown_until > now
    return carried_out and not cools and bool(request.policy["exit"]["self_rebooking"])


def _step_back(
    interview: Interview,
    sitting: Sitting,
    *,
    by: User | None,
    at: datetime,
    platform: str = "",
    is_to_come: bool = True,
) -> None:
    """As if it had not begun; what was seen of it stays as evidence. Where its time has passed
    meanwhile it remains unfinished, and nothing is held against anybody either."""
    there = {"platform": platform} if platform else {}
    if is_to_come:
        interview.step_back()
        interview.save(update_fields=["status"])
        event = ("misstarted", there)
    else:
        interview.lapse(at=at)
        interview.save(update_fields=["status", "ended_at"])
        event = ("lapsed", {**there, "ending": Ending.MISSTART.value})
    end_sitting(sitting, ending=Ending.MISSTART, at=at)
    history.record(interview, event, by=by, at=at)


def _with_hints(
    evidence: dict[str, Any], sitting: Sitting, reason: Reason, *, at: datetime
) -> dict[str, Any]:
    """How far they had come, and what sits oddly with the reason given."""
    minutes = int((at - sitting.entered_at).total_seconds() // 60)
    facts = plausibility.facts_of(evidence, minutes=minutes)
    hints = [rule.pk for rule in plausibility.hints(reason.pk, facts)]
    return {**evidence, "facts": facts, "hints": hints}
