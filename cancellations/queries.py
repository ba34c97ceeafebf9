"""Reads: every one begins from what this user may see."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import connection, models
from django.db.models import Case, Count, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from accounts.models import ConfigurationChange, User
from accounts.permissions import EDIT_POLICIES, Role
from cancellations import rules
from cancellations.models import (
    Cancellation,
    CancellationQuerySet,
    CancellationStatus,
    Party,
    Policy,
    Purpose,
    Reason,
)
from config.prepared import Later, Prepared
from config.references import as_reference
from interviews import history
from interviews.models import HistoryEntry, Interview, InterviewQuerySet, Position
from interviews.queries import PreparedForStaff, departments_of, sees_everything, visible_to
from interviews.states import CANCELLABLE, InterviewStatus


@dataclass(frozen=True)
class CancelRule:
    """What the rule says of cancelling one interview, for showing before anybody taps."""

    outcome: rules.Outcome
    short_notice: bool
    automatic_until: datetime | None
    promised_minutes: int
    decide_by: datetime | None
    default: rules.Default
    spans: list[rules.Span]


def facts_of(interview: Interview) -> rules.Scope:
    """What policies tell interviews apart by."""
    position = interview.position
    return rules.Scope(
        department=position.department_id,
        category=position.category_id,
        position=position.pk,
        kind=interview.kind,
    )


EXIT_STAGES = ("exit_introduction", "exit_professional", "exit_closing")
EXIT_COLUMNS = (
    *EXIT_STAGES,
    "exit_second_factor",
    "cooldown_days",
    "misstart_minutes",
    "resume_hours",
    "self_rebooking",
)
MOVE_COLUMNS = ("move_minutes_before", "moves_most")
POLICY_COLUMNS = (
    "pk",
    "name",
    "department",
    "category",
    "position",
    "kind",
    "promised_minutes",
    "default_decision",
    "default_minutes_before",
    "mark_days",
    *EXIT_COLUMNS,
    *MOVE_COLUMNS,
)
POLICY_FIELDS = (
    "name",
    "department",
    "category",
    "position",
    "kind",
    "since",
    "until",
    "promised_minutes",
    "default_decision",
    "default_minutes_before",
    "mark_days",
    *EXIT_COLUMNS,
    *MOVE_COLUMNS,
)
TIER_COLUMNS = ("notice_minutes", "outcome", "short_notice")


def _policy(
    pk: int,
    name: str,
    department: int | None,
    category: int | None,
    position: int | None,
    kind: str,
    promised_minutes: int,
    default: str,
    minutes_before: int,
    mark_days: int,
    *others: Any,
    tiers: tuple[rules.Tier, ...],
) -> rules.Policy:
    return rules.Policy(
        id=pk,
        name=name,
        scope=rules.Scope(department, category, position, kind or None),
        tiers=tiers,
        promised_minutes=promised_minutes,
        default=rules.Default(default),
        default_before=timedelta(minutes=minutes_before),
        exits=_exits(*others[: len(EXIT_COLUMNS)]),
        moves=_moves(*others[len(EXIT_COLUMNS) :]),
        mark_lasts=timedelta(days=mark_days),
    )


def _moves(minutes_before: int, most: int) -> rules.MoveRules:
    return rules.MoveRules(timedelta(minutes=minutes_before), most)


def _exits(
    introduction: str,
    professional: str,
    closing: str,
    second_factor: bool,
    cooldown_days: int,
    misstart_minutes: int,
    resume_hours: int,
    self_rebooking: bool,
) -> rules.ExitRules:
    return rules.ExitRules(
        introduction=rules.Outcome(introduction),
        professional=rules.Outcome(professional),
        closing=rules.Outcome(closing),
        second_factor=second_factor,
        cooldown=timedelta(days=cooldown_days),
        misstart_grace=timedelta(minutes=misstart_minutes),
        resume=timedelta(hours=resume_hours),
        self_rebooking=self_rebooking,
    )


def _tier(notice_minutes: int, outcome: str, short_notice: bool) -> rules.Tier:
    return rules.Tier(timedelta(minutes=notice_minutes), rules.Outcome(outcome), short_notice)


_rows_in_force = Prepared(
    lambda: (
        Policy.objects.filter(
            Q(since=None) | Q(since__lte=Later("at")),
            Q(until=None) | Q(until__gt=Later("at")),
            is_active=True,
            tiers__isnull=False,
        )
        .order_by("pk", "-tiers__notice_minutes")
        .values_list(*POLICY_COLUMNS, *(f"tiers__{column}" for column in TIER_COLUMNS))
    )
)


def policies_in_force(at: datetime) -> list[rules.Policy]:
    """Every policy that holds at this moment, as the rule engine takes it; one query, read with
    every page that shows a rule. A policy without tiers says nothing and is left out."""
    split = len(POLICY_COLUMNS)
    return [
        _policy(*columns, tiers=tuple(_tier(*row[split:]) for row in group))
        for columns, group in groupby(_rows_in_force(at=at), key=lambda row: row[:split])
    ]


def as_rule(policy: Policy) -> rules.Policy:
    """A policy, switched on or not, as the rule engine takes it."""
    columns = (
        policy.pk,
        policy.name,
        policy.department_id,
        policy.category_id,
        policy.position_id,
        policy.kind,
        policy.promised_minutes,
        policy.default_decision,
        policy.default_minutes_before,
        policy.mark_days,
        *(getattr(policy, column) for column in (*EXIT_COLUMNS, *MOVE_COLUMNS)),
    )
    return _policy(*columns, tiers=tiers_of(policy))


def tiers_of(policy: Policy) -> tuple[rules.Tier, ...]:
    """Longest notice first."""
    tiers = sorted(policy.tiers.all(), key=lambda tier: -tier.notice_minutes)
    return tuple(_tier(each.notice_minutes, each.outcome, each.short_notice) for each in tiers)


def columns_of(policy: Policy) -> dict[str, Any]:
    """What a policy says beside its tiers, in the order people read it."""
    return {column: getattr(policy, column) for column in POLICY_FIELDS}


class Standing(models.TextChoices):
    """Whether a policy holds."""

    IN_FORCE = "in_force", _("In force")
    SCHEDULED = "scheduled", _("Switched on for later")
    DRAFT = "draft", _("Draft")
    ENDED = "ended", _("Ended")


def standing(policy: Policy, now: datetime) -> Standing:
    if not policy.is_active:
        return Standing.DRAFT
    if policy.until is not None and policy.until <= now:
        return Standing.ENDED
    begun = policy.since is None or policy.since <= now
    return Standing.IN_FORCE if begun else Standing.SCHEDULED


def in_order_of_standing(
    policies: models.QuerySet[Policy], now: datetime
) -> models.QuerySet[Policy]:
    """In force, for later, drafts, ended; within each the general ones first."""
    rank = Case(
        When(is_active=False, then=Value(2)),
        When(until__lte=now, then=Value(3)),
        When(since__gt=now, then=Value(1)),
        default=Value(0),
    )
    specific = [F(field).asc(nulls_first=True) for field in ("position", "category", "department")]
    return policies.order_by(rank, *specific, "kind", "name", "pk")


def visible_policies(user: User) -> models.QuerySet[Policy]:
    """The policies that can matter to this member of staff: of those made for another department
    they learn nothing."""
    policies = Policy.objects.select_related("department", "category", "position__department")
    if sees_everything(user):
        return policies
    mine = departments_of(user).values("pk")
    return policies.filter(
        Q(department=None) | Q(department__in=mine),
        Q(position=None) | Q(position__department__in=mine),
    )


def was_ever_on(policy: Policy) -> bool:
    """Whether it is switched on or once was, as the configuration's history tells."""
    subject = policy._meta.label_lower
    own = ConfigurationChange.objects.filter(subject=subject, subject_id=policy.pk, kind=subject)
    said = own.filter(Q(before__is_active=True) | Q(after__is_active=True))
    return policy.is_active or said.exists()


def may_edit_policy(user: User, department: int | None, position: Position | None) -> bool:
    """Administrators write every policy; others, those that reach nobody outside their departments.

    `department` and `position` are what the policy is limited to.
    """
    if not user.has_perm(EDIT_POLICIES):
        return False
    if sees_everything(user):
        return True
    limits = {department, position.department_id if position else None} - {None}
    mine = set(departments_of(user).values_list("pk", flat=True))
    return bool(limits) and limits <= mine


def give_up_after(time: str) -> None:
    """Until the transaction ends, a statement that takes longer fails with OperationalError."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [time])


def policy_for(interview: Interview, policies: list[rules.Policy]) -> rules.Policy:
    """The policy that speaks most precisely of an interview."""
    return rules.most_specific(policies, facts_of(interview))


def start_that_counts(interview: Interview) -> datetime | None:
    """The start that notice is measured to: an invitation has none, whatever time came with it,
    because nobody waits for somebody who has not booked."""
    return None if interview.status == InterviewStatus.INVITED else interview.starts_at


def cancel_rule(
    interview: Interview, policies: list[rules.Policy], *, now: datetime
) -> CancelRule | None:
    """What cancelling `interview` now would do; None where there is nothing to cancel any more.

    The same decision as a request would get: pages, API and requests all ask rules.decide.
    """
    if interview.status not in CANCELLABLE:
        return None
    policy = policy_for(interview, policies)
    starts_at = start_that_counts(interview)
    decision = rules.decide(policy, starts_at=starts_at, asked_at=now)
    return CancelRule(
        outcome=decision.outcome,
        short_notice=decision.short_notice,
        automatic_until=rules.automatic_until(policy, starts_at=starts_at),
        promised_minutes=policy.promised_minutes,
        decide_by=decision.decide_by,
        default=policy.default,
        spans=rules.spans(policy, starts_at=starts_at) if starts_at else [],
    )


def move_rule(
    interview: Interview, policies: list[rules.Policy], *, now: datetime
) -> rules.MoveDecision | None:
    """What moving `interview` now would meet with; None where there is nothing to move. Pages and
    the service itself (receivers.py) ask here."""
    if interview.status != InterviewStatus.BOOKED or interview.starts_at is None:
        return None
    policy = policy_for(interview, policies)
    moved = _moved_alone(interview) if interview.moves else 0
    return rules.decide_move(policy, starts_at=interview.starts_at, asked_at=now, moved=moved)


def with_moves(interviews: InterviewQuerySet) -> InterviewQuerySet:
    """Each with what `move_rule` asks of it: lists of any length ask nothing more."""
    own = HistoryEntry.objects.filter(
        interview=OuterRef("pk"), event="moved", by_candidate=True
    ).order_by()
    counted = own.values("interview").annotate(count=Count("pk")).values("count")
    was_moved = When(moves__gt=0, then=Coalesce(Subquery(counted), 0))
    return interviews.annotate(moved_alone=Case(was_moved, default=0))


def _moved_alone(interview: Interview) -> int:
    """How often the candidate has moved it: what HR does for them is not held against them."""
    counted: int | None = getattr(interview, "moved_alone", None)  # with_moves
    if counted is not None:
        return counted
    return interview.history.filter(event="moved", by_candidate=True).count()


_offered = Prepared(lambda: Reason.objects.filter(purpose=Later("purpose"), is_active=True))


def offered_reasons(purpose: Purpose) -> list[Reason]:
    return _offered(purpose=str(purpose))


def visible_cancellations(user: User | AnonymousUser) -> CancellationQuerySet:
    """The cancellations of the interviews `user` may see."""
    return Cancellation.objects.filter(interview__in=visible_to(user))


def visible_request(reference: str, user: User) -> Cancellation | None:
    """The one of this number with all its facts, where the member of staff may see it."""
    return _request.first(user, reference=reference)


_request = PreparedForStaff(
    lambda: Cancellation.objects.with_facts().filter(reference=Later("reference")),
    department="interview__listed_department",
)


def reference_of(text: str, user: User) -> str:
    """The interview `user` may see that goes by this number, or whose receipt does; else empty."""
    reference = as_reference(text)
    if not reference:
        return ""
    if visible_to(user).filter(reference=reference).exists():
        return reference
    receipts = visible_cancellations(user).filter(reference=reference)
    return receipts.values_list("interview__reference", flat=True).first() or ""


def earlier_cancellations(cancellation: Cancellation, user: User) -> int:
    """How often else this candidate has called off before it began, as far as `user` may see."""
    candidate = cancellation.interview.candidate.pk
    return len(_earlier(user, candidate=candidate, at=cancellation.requested_at))


_earlier = PreparedForStaff(
    lambda: Cancellation.objects.filter(
        interview__application__candidate=Later("candidate"),
        party=Party.CANDIDATE,
        is_exit=False,
        status=CancellationStatus.APPROVED,
        requested_at__lt=Later("at"),
    ).values_list("pk"),
    department="interview__listed_department",
)


def deciders(cancellation: Cancellation) -> models.QuerySet[User]:
    """The HR leads of the department, for telling others whom to ask."""
    department = cancellation.interview.position.department_id
    leads = User.objects.filter(role=Role.HR_LEAD, is_active=True, departments=department)
    return leads.order_by("name")


_latest = Prepared(
    lambda: (
        Cancellation.objects.filter(interview=Later("interview"))
        .select_related("reason", "decided_by")
        .order_by("-pk")[:1]
    )
)


def latest_cancellation(interview: Interview) -> Cancellation | None:
    """The last word on cancelling the interview: it may have been declined or taken back."""
    latest = _latest.first(interview=interview.pk)
    if latest is not None:
        latest.interview = interview
    return latest


def current_cancellation(interview: Interview) -> Cancellation | None:
    """The cancellation that put the interview into the state it is in, if one did."""
    if interview.status not in {InterviewStatus.CANCELLING, InterviewStatus.CANCELLED}:
        return None
    latest = latest_cancellation(interview)
    stands = {CancellationStatus.REQUESTED, CancellationStatus.APPROVED}
    return latest if latest and latest.status in stands else None


def current_exit(interview: Interview) -> Cancellation | None:
    """The request to leave that put the interview into the state it is in, if one did."""
    if interview.status not in {InterviewStatus.EXITING, InterviewStatus.WITHDRAWN}:
        return None
    latest = latest_cancellation(interview)
    stands = {CancellationStatus.REQUESTED, CancellationStatus.APPROVED}
    return latest if latest and latest.is_exit and latest.status in stands else None


# Which entry of the history a cancellation in each status ends with.
_RECORDED_AS = {
    CancellationStatus.REQUESTED: "cancellation_requested",
    CancellationStatus.APPROVED: "cancelled",
    CancellationStatus.DECLINED: "cancellation_declined",
    CancellationStatus.LAPSED: "cancellation_taken_back",
    CancellationStatus.REVERSED: "cancellation_reversed",
}
_EXIT_RECORDED_AS = {
    CancellationStatus.REQUESTED: "exit_requested",
    CancellationStatus.APPROVED: "withdrawn",
    CancellationStatus.DECLINED: "exit_declined",
    CancellationStatus.LAPSED: "exit_taken_back",
    CancellationStatus.REVERSED: "cancellation_reversed",
}


@dataclass(frozen=True)
class Receipt:
    """What anybody holding a receipt's number may see of it."""

    cancellation: Cancellation
    masked_name: str
    verified: bool
    fingerprint: str  # hash of the history entry it stands on; empty where there is none


def receipt(reference: str) -> Receipt:
    """The receipt, checked against the history: the chain holds, and says the same as the row.

    Raises Cancellation.DoesNotExist. Two queries, and two more where they disagree: a decision may
    have been committed between them, which is no reason to doubt a receipt.
    """
    found = _receipt(reference)
    return found if found.verified else _receipt(reference)


def _receipt(reference: str) -> Receipt:
    cancellation = Cancellation.objects.with_facts().get(reference=reference)
    interview = cancellation.interview
    entries = list(interview.history.all())
    mine = [entry for entry in entries if entry.data.get("receipt") == reference]
    return Receipt(
        cancellation=cancellation,
        masked_name=interview.candidate.user.masked_name,
        verified=bool(mine)
        and _says_the_same(cancellation, mine[-1])
        and not any(history.breaks(interview, entries)),
        fingerprint=mine[-1].hash if mine else "",
    )


def _says_the_same(cancellation: Cancellation, entry: HistoryEntry) -> bool:
    """Whether a cancellation's last entry knows it in the status and with the times it now has."""
    recorded = _EXIT_RECORDED_AS if cancellation.is_exit else _RECORDED_AS
    event = recorded[CancellationStatus(cancellation.status)]
    if cancellation.was_overtaken:
        event = "cancellation_overtaken"
    changed_at = cancellation.reversed_at or cancellation.decided_at or cancellation.requested_at
    return (
        entry.event == event
        and entry.at == changed_at
        and cancellation.for_history.items() <= entry.data.items()
    )
