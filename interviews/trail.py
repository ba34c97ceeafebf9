"""What happened to the interviews a member of staff may see, newest first, in the same time however
much of it there is; read as interviews/listing.py reads interviews."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Func, IntegerField, OuterRef, Q, QuerySet

from accounts.models import User
from interviews.listing import COUNTED, Part, midnight
from interviews.models import HistoryEntry, Interview, Position
from interviews.queries import departments_of

CANDIDATE = "candidate"  # as an actor: whoever's interview it is


@dataclass(frozen=True)
class Wanted:
    """What a part of history is narrowed to; what is not given narrows nothing. `actor` is
    "user:12", "system", "import" or CANDIDATE."""

    since: date | None = None
    until: date | None = None
    department: int | None = None
    position: int | None = None
    source: str = ""
    actor: str = ""
    event: str = ""
    interview: int | None = None

    def narrow(self, entries: "QuerySet[HistoryEntry]") -> "QuerySet[HistoryEntry]":
        """By everything an entry says of itself; whose it is, `_parts` says."""
        if self.interview:
            entries = entries.filter(interview=self.interview)
        if self.event:
            entries = entries.filter(event=self.event)
        if self.source:
            entries = entries.filter(listed_source=self.source).exclude(listed_source="")
        if self.actor == CANDIDATE:
            entries = entries.filter(by_candidate=True)
        elif self.actor:
            entries = entries.filter(actor=self.actor)
        if self.since:
            entries = entries.filter(at__gte=midnight(self.since))
        if self.until:
            entries = entries.filter(at__lt=midnight(self.until + timedelta(days=1)))
        return entries


@dataclass(frozen=True)
class Place:
    """Where in the list an entry stands."""

    at: datetime
    id: int


def some(
    user: User,
    wanted: Wanted,
    columns: Iterable[str],
    *,
    size: int,
    after: Place | None = None,
    before: Place | None = None,
) -> Part:
    """`size` entries this user may see, newest first: the first ones, or those that come after or
    before a place. Two queries."""
    parts, column = _parts(user, wanted)
    own = wanted.narrow(HistoryEntry.objects.filter(**{column: OuterRef("pk")}))
    backwards = before is not None and after is None
    order = ("at", "id") if backwards else ("-at", "-id")
    beginning = _from(own, after, before).order_by(*order).values("pk")[: size + 1]
    # Of one interview the chain's index is the shortest way, which this order leads to.
    countable = ("-sequence",) if wanted.interview else ("-at", "-id")
    counted = own.order_by(*countable).values("pk")[: COUNTED + 1]
    found = parts.order_by().values_list(
        ArraySubquery(beginning),
        Func(ArraySubquery(counted), function="cardinality", output_field=IntegerField()),
    )
    lists, counts = zip(*found, strict=True) if found else ((), ())
    chosen = HistoryEntry.objects.filter(pk__in=list(chain.from_iterable(lists)))
    rows = list(chosen.order_by(*order).values("pk", "at", *columns)[: size + 1])
    more, rows = len(rows) > size, rows[:size]
    if backwards:
        rows.reverse()
    return Part(
        rows=rows,
        newer=more if backwards else after is not None,
        older=True if backwards else more,
        count=min(sum(counts), COUNTED + 1),
    )


def everything(user: User, wanted: Wanted) -> "QuerySet[HistoryEntry]":
    """The whole list, newest first."""
    parts, column = _parts(user, wanted)
    own = HistoryEntry.objects.filter(**{f"{column}__in": list(parts.values_list("pk", flat=True))})
    return wanted.narrow(own).order_by("-at", "-id")


def concerned(user: User, wanted: Wanted) -> "QuerySet[Interview]":
    """The interviews to which something of it happened."""
    return Interview.objects.filter(
        pk__in=everything(user, wanted).order_by().values("interview_id")
    )


def _parts(user: User, wanted: Wanted) -> tuple[QuerySet, str]:
    """The departments, or the position, whose history makes up the list, and the column of an entry
    that names them. Nothing outside the user's departments."""
    departments = departments_of(user)
    if wanted.department:
        departments = departments.filter(pk=wanted.department)
    if not wanted.position:
        return departments, "listed_department"
    positions = Position.objects.filter(department__in=departments.values("pk"))
    return positions.filter(pk=wanted.position), "listed_position"


def _from(
    entries: "QuerySet[HistoryEntry]", after: Place | None, before: Place | None
) -> "QuerySet[HistoryEntry]":
    """Those that stand behind the one place, or in front of the other."""
    if after:
        behind = Q(at__lt=after.at) | Q(id__lt=after.id)
        return entries.filter(behind, at__lte=after.at)
    if before:
        in_front = Q(at__gt=before.at) | Q(id__gt=before.id)
        return entries.filter(in_front, at__gte=before.at)
    return entries
