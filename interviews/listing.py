"""The desk's list of interviews, newest first, in the same time however many there are: its parts
are each department's, or each position's where one is asked for."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection
from django.db.models import F, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import User
from interviews import keyset
from interviews.keyset import Page, Place, midnight
from interviews.models import Department, Interview, InterviewQuerySet, Position
from interviews.queries import PreparedForStaff, departments_of
from interviews.states import InterviewStatus

OURS = "~"  # as a source: what did not come from elsewhere
# As a status: which of those that share one, or those of several. Told as the figures tell them
# (analytics/measures.py).
APPOINTED = "appointed"
LEFT_MIDWAY = "left_midway"
RAN_OUT = "ran_out"
EVER_BOOKED = Q(booked_at__isnull=False) | (
    ~Q(status=InterviewStatus.INVITED) & Q(starts_at__isnull=False)
)
MORE_STATUSES = [
    (APPOINTED, _("Had an appointment")),
    (LEFT_MIDWAY, pgettext_lazy("figures", "Left midway")),
    (RAN_OUT, _("Invitation ran out")),
]


@dataclass(frozen=True)
class Wanted:
    """What a list is narrowed to; what is not given narrows nothing. `people` are candidates that
    a search found."""

    status: str = ""
    kind: str = ""
    source: str = ""
    department: int | None = None
    position: int | None = None
    category: int | None = None
    recruiter: int | None = None
    since: date | None = None
    until: date | None = None
    late: bool = False
    people: tuple[int, ...] | None = None

    def narrow(self, interviews: InterviewQuerySet) -> InterviewQuerySet:
        """By everything an interview says of itself; whose it is, `_parts` says."""
        status = "" if self.status in dict(MORE_STATUSES) else self.status
        exact = {"status": status, "kind": self.kind, "source": self.source}
        named = {name: value for name, value in exact.items() if value}
        if self.source == OURS:
            named["source"] = ""
        interviews = interviews.filter(**named)
        if self.late:
            interviews = interviews.filter(asked_late=True)
        if self.status == APPOINTED:
            interviews = interviews.filter(EVER_BOOKED)
        if self.status == LEFT_MIDWAY:
            interviews = interviews.filter(
                EVER_BOOKED, status=InterviewStatus.WITHDRAWN, declined__isnull=True
            )
        if self.status == RAN_OUT:
            told_here = Q(source="") | Q(ended_at__gte=F("created_at"))
            interviews = interviews.filter(
                told_here,
                status=InterviewStatus.NO_SHOW,
                starts_at__isnull=True,
                booked_at__isnull=True,
            )
        elif self.since or self.until:
            interviews = interviews.filter(starts_at__isnull=False)
        if self.since:
            interviews = interviews.filter(listed_at__gte=midnight(self.since))
        if self.until:
            interviews = interviews.filter(listed_at__lt=midnight(self.until + timedelta(days=1)))
        if self.people is not None:
            interviews = interviews.filter(application__candidate__in=self.people)
        return interviews


def some(
    user: User,
    wanted: Wanted,
    columns: Iterable[str],
    *,
    size: int,
    after: Place | None = None,
    before: Place | None = None,
) -> Page:
    """`size` interviews this user may see. Two queries."""
    if wanted.people == ():
        return keyset.NOTHING
    parts, column = _parts(user, wanted)
    own = wanted.narrow(Interview.objects.filter(**{column: OuterRef("pk")}))
    return keyset.page(
        Interview,
        [(parts, own)],
        ("reference", *columns),
        by="listed_at",
        size=size,
        after=after,
        before=before,
    )


def everything(user: User, wanted: Wanted) -> InterviewQuerySet:
    """The whole list, newest first."""
    parts, column = _parts(user, wanted)
    own = Interview.objects.filter(**{f"{column}__in": list(parts.values_list("pk", flat=True))})
    return wanted.narrow(own).order_by("-listed_at", "-id")


def place_of(reference: str, user: User) -> Place | None:
    """Where the interview stands; None where there is none that this user may see."""
    own = Interview.objects.filter(
        reference=reference, listed_department__in=departments_of(user).values("pk")
    )
    return next((Place(*row) for row in own.values_list("listed_at", "id")), None)


_positions = PreparedForStaff(
    lambda: Position.objects.order_by("title", "pk").values_list(
        "pk", "title", "recruiter_id", "recruiter__name", "category_id", "category__name",
        "department__name", "code",
    ),
    department="department",
)  # fmt: skip
_departments = PreparedForStaff(
    lambda: Department.objects.values_list("pk", "name"), department="pk"
)


def positions_offered(user: User) -> list[tuple[int, str, int | None, str | None, int, str]]:
    """Position and what it is called, recruiter and recruiter's name, category and its name, of all
    this user may list. Those of one title are told apart by their departments, in one by codes."""
    rows = _positions(user)
    alike = Counter(row[1] for row in rows)
    there = Counter((row[1], row[6]) for row in rows)

    def called(title: str, department: str, code: str) -> str:
        if alike[title] == 1:
            return title
        return f"{title} · {department if there[title, department] == 1 else code}"

    return [
        (pk, called(title, department, code), recruiter, name, category, kind)
        for pk, title, recruiter, name, category, kind, department, code in rows
    ]


def departments_offered(user: User) -> list[tuple[int, str]]:
    """Department and name, of all this user may list."""
    return _departments(user)


# Leaps from each value to the next in the index, where DISTINCT would read every interview.
_SOURCES = """
WITH RECURSIVE known (department, source) AS (
    SELECT department, (
        SELECT min(source) FROM interviews_interview WHERE listed_department = department
    )
    FROM unnest(%s::bigint[]) department
    UNION ALL
    SELECT department, (
        SELECT min(interview.source) FROM interviews_interview interview
        WHERE interview.listed_department = known.department AND interview.source > known.source
    )
    FROM known WHERE known.source IS NOT NULL
)
SELECT DISTINCT source FROM known WHERE source <> '' ORDER BY source
"""


def sources_offered(departments: Iterable[int]) -> list[str]:
    """Where the interviews of these departments came from."""
    with connection.cursor() as cursor:
        cursor.execute(_SOURCES, [list(departments)])
        return [source for (source,) in cursor.fetchall()]


def _parts(user: User, wanted: Wanted) -> tuple[QuerySet, str]:
    """The departments or positions whose interviews make up the list, and the column of an
    interview that names them. Nothing outside the user's departments."""
    departments = departments_of(user)
    if wanted.department:
        departments = departments.filter(pk=wanted.department)
    if not wanted.position and not wanted.recruiter and not wanted.category:
        return departments, "listed_department"
    positions = Position.objects.filter(department__in=departments.values("pk"))
    if wanted.position:
        positions = positions.filter(pk=wanted.position)
    if wanted.recruiter:
        positions = positions.filter(recruiter=wanted.recruiter)
    if wanted.category:
        positions = positions.filter(category=wanted.category)
    return positions, "listed_position"
