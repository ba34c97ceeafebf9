"""What happened to the interviews a member of staff may see, newest first, in the same time however
much of it there is: its parts are each department's, or a position's where one is asked for."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import OuterRef, QuerySet

from accounts.models import User
from interviews import keyset
from interviews.keyset import Page, Place, midnight
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


def some(
    user: User,
    wanted: Wanted,
    columns: Iterable[str],
    *,
    size: int,
    after: Place | None = None,
    before: Place | None = None,
) -> Page:
    """`size` entries this user may see. Two queries."""
    parts, column = _parts(user, wanted)
    own = wanted.narrow(HistoryEntry.objects.filter(**{column: OuterRef("pk")}))
    return keyset.page(
        HistoryEntry,
        [(parts, own)],
        ("at", *columns),
        by="at",
        size=size,
        after=after,
        before=before,
        # Of one interview the chain's index is the shortest way, which this order leads to.
        countable=("-sequence",) if wanted.interview else (),
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
