"""Trying a policy: what it would have made of the requests of the past days.

A request is told apart from others by its position, its kind and its notice, and of the notice it
matters only between which two tiers it lies. PostgreSQL counts the requests of each such group in
one pass, and rules.decide says once a group what becomes of it: with the rules in force now, and
with the policy that is tried in their midst. Nobody looks at single requests, however many there
are.

What the rules of the time refused left no request behind, and is in no figure.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.contrib.postgres.fields import ArrayField
from django.db.models import Aggregate, Count, DurationField, F, Func, IntegerField, Q, Value

from accounts.models import User
from cancellations import rules
from cancellations.models import Cancellation, CancellationQuerySet, Party
from interviews.models import Position
from interviews.queries import departments_of, sees_everything

DAYS = (30, 90, 365)
POSITION = "interview__application__position"
AT_ALL = timedelta(microseconds=1)  # the shortest notice there is
_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)


class Group(NamedTuple):
    """Requests that no rule at hand tells apart, and what was recorded of them."""

    position: int
    kind: str
    band: int  # how many of the thresholds their notice reaches
    recorded: str
    requests: int


class Shift(NamedTuple):
    """Where the tried policy decides otherwise than the rules in force."""

    position: int
    kind: str
    band: int


@dataclass(frozen=True)
class Trial:
    """How many requests each outcome has: as recorded, by the rules in force, and as tried."""

    thresholds: Sequence[timedelta]
    recorded: Counter[rules.Outcome] = field(default_factory=Counter)
    in_force: Counter[rules.Outcome] = field(default_factory=Counter)
    tried: Counter[rules.Outcome] = field(default_factory=Counter)
    shifts: dict[Shift, tuple[rules.Outcome, rules.Outcome]] = field(default_factory=dict)
    changed: Counter[tuple[rules.Outcome, rules.Outcome]] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return self.recorded.total()


def thresholds(policies: Iterable[rules.Policy]) -> list[timedelta]:
    """Every notice at which one of these policies may change its mind, shortest first."""
    return sorted({AT_ALL} | {tier.notice for policy in policies for tier in policy.tiers})


def run(
    groups: Iterable[Group],
    facts: Mapping[int, rules.Scope],
    *,
    in_force: Sequence[rules.Policy],
    tried: rules.Policy,
) -> Trial:
    """Decide each group twice. `facts` says of each position what policies tell it apart by.

    The tried policy stands among those in force, in the place of one with exactly its scope.
    """
    others = [policy for policy in in_force if policy.scope != tried.scope]
    trial = Trial(thresholds([*in_force, tried]))
    decided: dict[Shift, tuple[rules.Outcome, rules.Outcome]] = {}
    for position, kind, band, recorded, count in groups:
        alike = Shift(position, kind, band)
        if alike not in decided:
            scope = rules.Scope(
                facts[position].department, facts[position].category, position, kind
            )
            decided[alike] = (
                _outcome(rules.most_specific(in_force, scope), band, trial.thresholds),
                _outcome(rules.most_specific([*others, tried], scope), band, trial.thresholds),
            )
        now, then = decided[alike]
        trial.recorded[rules.Outcome(recorded)] += count
        trial.in_force[now] += count
        trial.tried[then] += count
        if now is not then:
            trial.shifts[alike] = (now, then)
            trial.changed[now, then] += count
    return trial


def _outcome(policy: rules.Policy, band: int, at_least: Sequence[timedelta]) -> rules.Outcome:
    """What becomes of every request in a band: that of the one with the shortest notice in it.

    Below all bands are invitations, which have no start and with it no notice.
    """
    notice = at_least[band - 1] if band else timedelta(0)
    if notice < AT_ALL:
        return rules.decide(policy, starts_at=None, asked_at=_ANY_TIME).outcome
    return rules.decide(policy, starts_at=_ANY_TIME + notice, asked_at=_ANY_TIME).outcome


# --- reading ------------------------------------------------------------------------------------


class _Median(Aggregate):
    function = "PERCENTILE_CONT"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"


def requests(user: User, scope: rules.Scope, *, since: datetime) -> CancellationQuerySet:
    """What candidates have asked since then of the interviews that `user` may see and that lie in
    the scope: nothing else can change."""
    limits = {
        POSITION: scope.position,
        f"{POSITION}__category": scope.category,
        f"{POSITION}__department": scope.department,
        "interview__kind": scope.kind,
    }
    asked = Cancellation.objects.filter(
        **{column: value for column, value in limits.items() if value is not None},
        party=Party.CANDIDATE,
        is_exit=False,
        requested_at__gte=since,
    )
    if sees_everything(user):
        return asked
    mine = departments_of(user).values("pk")
    return asked.filter(**{f"{POSITION}__department__in": mine})


def try_policy(
    asked: CancellationQuerySet, *, in_force: Sequence[rules.Policy], tried: rules.Policy
) -> Trial:
    """What the tried policy would have made of these requests: two queries, however many they
    are."""
    rows = (
        _in_bands(asked, thresholds([*in_force, tried]))
        .order_by()
        .values_list(POSITION, "interview__kind", "band", "outcome")
        .annotate(count=Count("pk"))
    )
    return run((Group(*row) for row in rows.iterator()), _facts(), in_force=in_force, tried=tried)


def changed_requests(asked: CancellationQuerySet, trial: Trial) -> CancellationQuerySet:
    """The requests that would be decided otherwise, the latest first, each with its `band`."""
    places: dict[tuple[str, int], list[int]] = {}
    for position, kind, band in trial.shifts:
        places.setdefault((kind, band), []).append(position)
    which = Q(pk=None)
    for (kind, band), positions in places.items():
        which |= Q(**{"interview__kind": kind, "band": band, f"{POSITION}__in": positions})
    return _in_bands(asked, trial.thresholds).filter(which).order_by("-requested_at", "-pk")


def handling_time(asked: CancellationQuerySet) -> tuple[int, timedelta | None]:
    """How many of these requests people decided, and the median time from asking until then."""
    decided = asked.filter(outcome=rules.Outcome.NEEDS_HR.value, decided_by__isnull=False)
    found = decided.aggregate(
        count=Count("pk"),
        median=_Median(F("decided_at") - F("requested_at"), output_field=DurationField()),
    )
    return found["count"], found["median"]


def _in_bands(asked: CancellationQuerySet, limits: Sequence[timedelta]) -> CancellationQuerySet:
    array = Value(list(limits), output_field=ArrayField(DurationField()))
    band = Func(F("notice"), array, function="WIDTH_BUCKET", output_field=IntegerField())
    return asked.annotate(band=band)


def _facts() -> dict[int, rules.Scope]:
    rows = Position.objects.values_list("pk", "department", "category")
    return {pk: rules.Scope(department, category) for pk, department, category in rows}
