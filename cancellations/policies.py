"""What staff do about policies. Each function is one use case, in one transaction.

Writers of policies wait for each other: what one of them checks still holds when it saves. Readers
wait for nobody.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from cancellations import queries, rules
from cancellations.models import Cancellation, Policy
from config.tracking import act_as

SCOPE = ("department", "category", "position", "kind")


@dataclass(frozen=True)
class Draft:
    """What a policy is to say."""

    columns: dict[str, Any]  # a value for each of queries.POLICY_FIELDS
    tiers: tuple[rules.Tier, ...]  # longest notice first


class EditedMeanwhile(Exception):
    """Somebody else has changed the policy since it was read."""


class Overlaps(Exception):
    """Another policy is switched on for exactly this scope, at the same time."""

    def __init__(self, others: Sequence[Policy]) -> None:
        super().__init__()
        self.others = others


class Unconfirmed(Exception):
    """What is about to hold is unusual, and nobody has said that it is meant."""


class AlreadyEnded(Exception):
    """It would be in force for no moment from now on."""


class OnceInForce(Exception):
    """It has been switched on at some time: what it decided refers to it, so it stays."""


@transaction.atomic
def create_policy(draft: Draft, *, by: User) -> Policy:
    """A new policy, not switched on. Raises PermissionDenied."""
    _begin(by)
    policy = Policy(is_active=False, version=0)
    _take(policy, draft.columns, by)
    _save(policy, draft.tiers)
    return policy


@transaction.atomic
def save_policy(
    policy_id: int, draft: Draft, *, by: User, version: int, is_meant: bool = False
) -> Policy:
    """What somebody has written takes the place of what the policy said. Where it is switched on,
    the next request follows it; whom it is for, and when it began, then stay as they are.

    Raises Policy.DoesNotExist, PermissionDenied, EditedMeanwhile; and where it is switched on
    Overlaps, AlreadyEnded, and Unconfirmed where it is unusual and not `is_meant`.
    """
    policy = _lock(policy_id, by, version)
    if not policy.is_active:
        _take(policy, draft.columns, by)
    else:
        if not is_meant and rules.concerns(draft.tiers):
            raise Unconfirmed
        now, began = timezone.now(), policy.since
        scope = {column: getattr(policy, column) for column in SCOPE}
        _take(policy, draft.columns | scope, by)
        has_begun = began is None or began <= now
        policy.since = began if has_begun else begins_at(policy, now)
        _require_room(policy, now)
    _save(policy, draft.tiers)
    return policy


@transaction.atomic
def switch_on(
    policy_id: int, *, by: User, version: int, is_meant: bool = False, replacing: bool = False
) -> Policy:
    """From now on, or from when it says, requests follow this policy.

    `replacing`: what holds for exactly this scope ends where this one begins. Raises
    Policy.DoesNotExist, PermissionDenied, EditedMeanwhile, Unconfirmed, AlreadyEnded, Overlaps.
    """
    policy = _lock(policy_id, by, version)
    now = timezone.now()
    if policy.is_active:
        return policy
    if not is_meant and rules.concerns(queries.tiers_of(policy)):
        raise Unconfirmed
    policy.since = begins_at(policy, now)
    if replacing:
        for other in replaceable(policy, now=now):
            other.until = policy.since
            _save(other)
    _require_room(policy, now)
    policy.is_active = True
    _save(policy)
    return policy


@transaction.atomic
def switch_off(policy_id: int, *, by: User, version: int, is_meant: bool = False) -> Policy:
    """Requests follow it no longer; the next less specific policy applies to them.

    Raises Policy.DoesNotExist, PermissionDenied, EditedMeanwhile, and Unconfirmed where it is the
    one for interviews in general.
    """
    policy = _lock(policy_id, by, version)
    if not policy.is_active:
        return policy
    if not is_meant and is_general(policy):
        raise Unconfirmed
    policy.is_active = False
    _save(policy)
    return policy


@transaction.atomic
def discard_policy(policy_id: int, *, by: User, version: int) -> None:
    """A draft that never decided anything goes; that it was there stays on record.

    Raises Policy.DoesNotExist, PermissionDenied, EditedMeanwhile, OnceInForce.
    """
    policy = _lock(policy_id, by, version)
    decided = Cancellation.objects.filter(policy__policy=policy.pk)
    if queries.was_ever_on(policy) or decided.exists():
        raise OnceInForce
    policy.delete()


def is_general(policy: Policy) -> bool:
    """Whether it stands below all others: without it, HR decides what no other policy covers."""
    return queries.as_rule(policy).scope == rules.Scope()


def overlapping(policy: Policy, *, now: datetime) -> list[Policy]:
    """What is switched on for exactly this scope while this policy holds, or would from now on."""
    since = begins_at(policy, now)
    others = Policy.objects.filter(
        Q(until=None) | Q(until__gt=since),
        **{column: getattr(policy, column) for column in SCOPE},
        is_active=True,
    ).exclude(pk=policy.pk)
    if policy.until:
        others = others.filter(Q(since=None) | Q(since__lt=policy.until))
    return list(others.order_by("since", "pk"))


def replaceable(policy: Policy, *, now: datetime) -> list[Policy]:
    """Those of them that can end where this one begins, because they begin earlier."""
    since = begins_at(policy, now)
    others = overlapping(policy, now=now)
    return [other for other in others if other.since is None or other.since < since]


def begins_at(policy: Policy, now: datetime) -> datetime:
    """From when it holds, where it does from now on."""
    return max(policy.since or now, now)


def _begin(by: User) -> None:
    """Writers come one at a time; what they change is put down to them."""
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE cancellations_policy IN SHARE ROW EXCLUSIVE MODE")
    act_as(f"user:{by.pk}")


def _lock(policy_id: int, by: User, version: int) -> Policy:
    _begin(by)
    policy = queries.visible_policies(by).get(pk=policy_id)
    if not queries.may_edit_policy(by, policy.department_id, policy.position):
        raise PermissionDenied
    if policy.version != version:
        raise EditedMeanwhile
    return policy


def _require_room(policy: Policy, now: datetime) -> None:
    if policy.until is not None and policy.until <= begins_at(policy, now):
        raise AlreadyEnded
    others = overlapping(policy, now=now)
    if others:
        raise Overlaps(others)


def _take(policy: Policy, columns: dict[str, Any], by: User) -> None:
    """Raises PermissionDenied where it would then reach beyond what `by` may write for."""
    for column, value in columns.items():
        setattr(policy, column, value)
    if not queries.may_edit_policy(by, policy.department_id, policy.position):
        raise PermissionDenied


def _save(policy: Policy, tiers: Collection[rules.Tier] | None = None) -> None:
    """A tier that stays as it was is not touched: the history names what changed, and no more."""
    policy.version += 1
    policy.save()
    if tiers is None:
        return
    wanted = {int(tier.notice.total_seconds() // 60): tier for tier in tiers}
    policy.tiers.exclude(notice_minutes__in=wanted).delete()
    there = {tier.notice_minutes: tier for tier in policy.tiers.all()}
    for minutes, tier in wanted.items():
        says = {"outcome": tier.outcome.value, "short_notice": tier.short_notice}
        if minutes in there:
            policy.tiers.filter(pk=there[minutes].pk).exclude(**says).update(**says)
        else:
            policy.tiers.create(notice_minutes=minutes, **says)
