"""What people do about cancelling. Each function is one use case, in one transaction."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.permissions import require_permission
from cancellations import exit_notices, exits, notices, queries, rules, work
from cancellations.limits import REQUESTS_AN_HOUR as REQUESTS_AN_HOUR
from cancellations.limits import AskedTooOften as AskedTooOften
from cancellations.limits import limit_requests
from cancellations.models import Cancellation, CancellationStatus, Reason
from interviews import history
from interviews.models import Interview
from interviews.refill.services import wait_after_conflict
from interviews.room.services import give_back_time
from interviews.services import cancel_interview
from interviews.states import ENDED, UNDER_WAY
from notifications.services import notify, supersede

TIME_CONFLICT = "time_conflict"  # the reason of who would come at another time


class AlreadyOver(Exception):
    """The interview has begun, has ended or was called off by somebody else."""


class CancellationRefused(Exception):
    """The policy refuses a request at this notice."""


@transaction.atomic
def request_cancellation(
    reference: str, *, by: User, reason: Reason, detail: str = "", asked_at: datetime | None = None
) -> tuple[Cancellation, bool]:
    """A candidate asks to cancel their interview: decide by the policy, carry out or pass to HR.

    Returns the cancellation and whether it is new: asking again returns the first one, and nothing
    is counted or sent twice. Raises Interview.DoesNotExist where it is not theirs, ValidationError
    for a missing detail, AlreadyOver, CancellationRefused, AskedTooOften.
    """
    asked_at = asked_at or timezone.now()
    interview = Interview.objects.lock_own(reference, by)
    existing = queries.current_cancellation(interview)
    if existing is not None and existing.requested_by_id == by.pk:
        return existing, False
    starts_at = queries.start_that_counts(interview)
    started = starts_at is not None and starts_at <= asked_at
    if existing is not None or started or interview.status in ENDED | UNDER_WAY:
        raise AlreadyOver
    detail = reason.clean_detail(detail)
    policy = queries.policy_for(interview, queries.policies_in_force(asked_at))
    decision = rules.decide(policy, starts_at=starts_at, asked_at=asked_at)
    if decision.outcome is rules.Outcome.REFUSED:
        raise CancellationRefused

    cancellation = Cancellation(
        interview=interview,
        requested_by=by,
        reason=reason,
        detail=detail,
        requested_at=asked_at,
        starts_at=interview.starts_at,
        slot_id=interview.slot_id,
        notice=decision.notice,
        outcome=decision.outcome.value,
        short_notice=decision.short_notice,
        policy=rules.snapshot(policy),
        decide_by=decision.decide_by,
    )
    asked = ("cancellation_requested", {**cancellation.for_history, "reason": reason.code})
    if decision.outcome is rules.Outcome.AUTOMATIC:
        cancellation.approve(by=None, at=asked_at)
        cancellation.save()
        _carry_out(cancellation, asked, by=by, at=asked_at)
    else:
        limit_requests(interview, asked_at)
        interview.request_cancel()
        interview.save(update_fields=["status"])
        cancellation.save()
        history.record(interview, asked, by=by, at=asked_at)
        work.open_request(cancellation)
        notify(*notices.received(cancellation))
    return cancellation, True


@transaction.atomic
def approve_cancellation(cancellation_id: int, *, by: User | None, note: str = "") -> Cancellation:
    """HR accepts a late request, or one to leave midway, or (`by` None) the policy's default does.
    Raises PermissionDenied, TransitionNotAllowed where it was decided meanwhile."""
    now = timezone.now()
    cancellation = Cancellation.objects.lock(cancellation_id)
    require_permission(cancellation.approve, by)
    cancellation.approve(by=by, at=now, note=note)
    cancellation.save()
    _settle(cancellation, by=by, at=now)
    if cancellation.is_exit:
        exits.carry_out(cancellation, by=by, at=now)
    else:
        _carry_out(cancellation, by=by, at=now)
    return cancellation


@transaction.atomic
def decline_cancellation(cancellation_id: int, *, by: User | None, note: str = "") -> Cancellation:
    """HR keeps the appointment, or (`by` None) the policy's default does. Raises PermissionDenied,
    TransitionNotAllowed where it was decided meanwhile."""
    now = timezone.now()
    cancellation = Cancellation.objects.lock(cancellation_id)
    require_permission(cancellation.decline, by)
    cancellation.decline(by=by, at=now, note=note)
    cancellation.save()
    _settle(cancellation, by=by, at=now)
    if cancellation.is_exit:
        _go_on(cancellation, "exit_declined", by=by, at=now)
        notify(*exit_notices.declined(cancellation))
    else:
        _go_on(cancellation, "cancellation_declined", by=by, at=now)
        notify(*notices.declined(cancellation))
    return cancellation


@transaction.atomic
def take_back_cancellation(reference: str, *, by: User) -> Cancellation:
    """A candidate keeps their interview, or goes on with it after all, while HR has not decided.

    Raises Cancellation.DoesNotExist where it is not theirs, TransitionNotAllowed once decided.
    """
    now = timezone.now()
    cancellation_id = Cancellation.objects.values_list("pk", flat=True).get(
        reference=reference, requested_by=by
    )
    cancellation = Cancellation.objects.lock(cancellation_id)
    cancellation.lapse(by=by, at=now)
    cancellation.save()
    _settle(cancellation, by=by, at=now)
    if cancellation.is_exit:
        _go_on(cancellation, "exit_taken_back", by=by, at=now)
        notify(*exit_notices.taken_back(cancellation))
    else:
        _go_on(cancellation, "cancellation_taken_back", by=by, at=now)
        notify(*notices.taken_back(cancellation))
    return cancellation


def take_back_on_entering(interview: Interview, *, by: User, at: datetime) -> None:
    """Who comes to the interview after all takes back what they had asked for. The caller holds the
    interview's lock."""
    pending = interview.cancellations.filter(status=CancellationStatus.REQUESTED)
    cancellation = pending.select_for_update(of=("self",)).first()
    if cancellation is None:
        return
    cancellation.interview = interview
    cancellation.lapse(by=by, at=at)
    cancellation.save()
    _settle(cancellation, by=by, at=at)
    _go_on(cancellation, "cancellation_taken_back", by=by, at=at)
    notify(*notices.taken_back(cancellation))


def apply_default(cancellation_id: int) -> None:
    """The policy decides where HR has not, once its default has fallen due; otherwise nothing."""
    with transaction.atomic():
        cancellation = Cancellation.objects.lock(cancellation_id)
        due = cancellation.decide_by
        if (
            cancellation.status != CancellationStatus.REQUESTED
            or due is None
            or due > timezone.now()
        ):
            return
        if cancellation.policy.get("default") == rules.Default.DECLINE:
            decline_cancellation(cancellation_id, by=None)
        else:
            approve_cancellation(cancellation_id, by=None)


def _settle(cancellation: Cancellation, *, by: User | None, at: datetime) -> None:
    """HR has nothing to decide any more, and is asked no longer."""
    supersede(
        cancellation.interview.subject,
        (*notices.WHILE_UNDECIDED, *exit_notices.WHILE_UNDECIDED),
    )
    work.settle_requests(cancellation.interview, by=by, at=at)


def _carry_out(
    cancellation: Cancellation,
    *before: tuple[str, dict[str, str | None]],
    by: User | None,
    at: datetime,
) -> None:
    """Call the interview off, write it down, tell everybody. The caller holds both locks."""
    interview = cancellation.interview
    cancel_interview(interview, at=at)
    if cancellation.reason.code == TIME_CONFLICT:
        wait_after_conflict(interview, at=at)
    decided_by = "policy" if cancellation.decided_by_id is None else "hr"
    history.record(
        interview,
        *before,
        ("cancelled", {**cancellation.for_history, "decided_by": decided_by}),
        by=by,
        at=at,
    )
    notify(*notices.cancelled(cancellation))


def _go_on(cancellation: Cancellation, event: str, *, by: User | None, at: datetime) -> None:
    """The request came to nothing: the appointment stands, or the interview goes on."""
    interview = cancellation.interview
    interview.decline()
    interview.save(update_fields=["status"])
    if cancellation.is_exit:
        give_back_time(interview, waited=at - cancellation.requested_at, at=at)
    history.record(interview, (event, cancellation.for_history), by=by, at=at)
