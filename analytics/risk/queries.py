"""Reads: what to learn from, what lies ahead, and what the desk shows of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from accounts.models import User
from analytics.risk.facts import Facts, Target, answers_of, appointment_of, elsewhere
from analytics.risk.models import RiskModel, RiskScore
from analytics.risk.training import Example
from analytics.risk.words import Factor, chance, factors
from cancellations.models import Cancellation, CancellationStatus, Party
from interviews.models import Interview, InterviewQuerySet
from interviews.queries import departments_of, sees_everything, visible_to
from interviews.states import InterviewStatus

MOST_EXAMPLES = 50_000  # the latest
AHEAD = timedelta(days=7)
BATCH = 1000

# Every column a model may know of, by the name it has here.
COLUMNS = {
    "id": "pk",
    "kind": "kind",
    "source": "source",
    "starts_at": "starts_at",
    "booked_at": "booked_at",
    "created_at": "created_at",
    "moves": "moves",
    "place": "location",
    "extra": "extra",
    "department_id": "listed_department",
    "department": "application__position__department__code",
    "category": "application__position__category__code",
    "position_city": "application__position__city",
    "city": "application__candidate__city",
}
CAME = frozenset(
    {
        InterviewStatus.IN_PROGRESS,
        InterviewStatus.EXITING,
        InterviewStatus.COMPLETED,
        InterviewStatus.INCOMPLETE,
    }
)
OFF = frozenset({InterviewStatus.CANCELLED, InterviewStatus.WITHDRAWN})


def facts_of(row: dict[str, Any]) -> Facts:
    """Of one row of COLUMNS. When an imported interview was invited, only its own system knows."""
    return Facts(
        kind=row["kind"],
        source=row["source"],
        department=row["department"],
        category=row["category"],
        place=row["place"],
        lives_elsewhere=elsewhere(row["city"], row["place"]),
        works_elsewhere=elsewhere(row["city"], row["position_city"]),
        starts_at=row["starts_at"],
        booked_at=row["booked_at"],
        invited_at=None if row["source"] else row["created_at"],
        moves=row["moves"],
        answers=answers_of(row["extra"]),
        appointment=appointment_of(row["extra"]),
    )


def _rows(interviews: QuerySet[Interview]) -> QuerySet[Interview, dict[str, Any]]:
    renamed = {name: F(column) for name, column in COLUMNS.items() if name != column}
    renamed.pop("id", None)
    plain = [name for name, column in COLUMNS.items() if name == column]
    return interviews.values("id", *plain, **renamed)


# --- to learn from ----------------------------------------------------------------------------


def examples(target: str, *, now: datetime) -> list[Example]:
    """The latest appointments of which is known whether what is foreseen happened. What the company
    called off says nothing of anybody, nor does what another system called off without saying who.
    """
    carried_out = Cancellation.objects.filter(
        interview=OuterRef("pk"), status=CancellationStatus.APPROVED, party=Party.CANDIDATE
    )
    past = Interview.objects.filter(starts_at__lt=now)
    rows = _rows(past.order_by("-starts_at", "-pk")).annotate(
        outcome=F("status"),
        called_off=Exists(carried_out.filter(is_exit=False)),
        left=Exists(carried_out.filter(is_exit=True)),
    )
    return [
        Example(facts_of(row), outcome)
        for row in rows[:MOST_EXAMPLES].iterator(chunk_size=BATCH)
        if (outcome := _outcome(target, row)) is not None
    ]


def _outcome(target: str, row: dict[str, Any]) -> int | None:
    came = row["outcome"] in CAME or row["left"]
    called_off = not came and (
        row["called_off"] or (row["outcome"] == InterviewStatus.WITHDRAWN and not row["source"])
    )
    missed = row["outcome"] == InterviewStatus.NO_SHOW
    if target == Target.NO_SHOW:
        return int(missed) if came or missed else None
    return int(called_off) if came or missed or called_off else None


# --- ahead ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Coming:
    """One appointment that is booked."""

    interview: int
    department: int
    starts_at: datetime
    facts: Facts


def ahead(now: datetime) -> Iterator[list[Coming]]:
    """What is booked for the next days, batch after batch."""
    booked = Interview.objects.filter(
        status=InterviewStatus.BOOKED, starts_at__gt=now, starts_at__lte=now + AHEAD
    )
    rows = _rows(booked.order_by("starts_at", "pk")).iterator(chunk_size=BATCH)
    found = (
        Coming(row["id"], row["department_id"], row["starts_at"], facts_of(row)) for row in rows
    )
    while batch := list(islice(found, BATCH)):
        yield batch


def newest_models() -> dict[str, RiskModel]:
    """The newest of each target, used or not."""
    newest = RiskModel.objects.order_by("target", "-pk").distinct("target")
    return {model.target: model for model in newest}


# --- on the desk ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ahead:
    """One appointment that may need help, as the desk shows it."""

    interview: Interview
    chances: list[str]
    factors: list[Factor]


def needing_help(user: User, *, now: datetime) -> InterviewQuerySet:
    """What this member of staff sees of appointments that may need help, the next first. Whoever
    has said that they come to this time is left in peace; what was moved since is looked at anew
    first."""
    scores = RiskScore.objects.filter(
        needs_help=True, interview=OuterRef("pk"), starts_at=OuterRef("starts_at")
    )
    if not sees_everything(user):
        scores = scores.filter(department__in=departments_of(user).values("pk"))
    unconfirmed = Q(confirmed_at=None) | Q(confirmed_at__lt=F("booked_at"))
    return (
        visible_to(user)
        .filter(unconfirmed, Exists(scores))
        .filter(status=InterviewStatus.BOOKED, starts_at__gt=now)
        .order_by("starts_at", "pk")
    )


def shown(interviews: list[Interview], models: dict[str, RiskModel]) -> list[Ahead]:
    """With what the models say of each."""
    by_interview: dict[int, list[RiskScore]] = {}
    keys = [interview.pk for interview in interviews]
    for score in RiskScore.objects.filter(interview__in=keys, needs_help=True).order_by("-target"):
        by_interview.setdefault(score.interview, []).append(score)
    return [
        _shown(interview, by_interview.get(interview.pk, []), models) for interview in interviews
    ]


def _shown(interview: Interview, scores: list[RiskScore], models: dict[str, RiskModel]) -> Ahead:
    current = [
        score
        for score in scores
        if score.starts_at == interview.starts_at and score.target in models
    ]
    codes = dict.fromkeys(code for score in current for code in score.factors)
    return Ahead(
        interview,
        [
            chance(score.target, score.probability, models[score.target].usual_rate)
            for score in current
        ],
        factors(codes, interview.source),
    )
