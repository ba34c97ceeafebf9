# ruff: noqa: S608 - no piece of SQL in here comes from outside
"""The interviews behind a figure that is counted by key.

They are found as they were counted: which days have such a key is read off the cells, and the
interviews of those days come from the SQL that counts them (analytics/measures.py). So a page of
them takes as long as its days, however many interviews there are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate
from typing import Any

from django.conf import settings
from django.db import connection

from analytics.cells import INTERVIEWS_OF_CELLS
from analytics.figures import SEPARATOR, Filter, Period, each_position, told_apart
from analytics.measures import CONTRIBUTIONS, FACTS
from analytics.models import Scope, Span
from interviews.keyset import Place
from interviews.queries import company_day

SIZE = 50
ANY = "*"  # in the place of a part of a key
# Places and offers belong to slots, and what became of an invitation is told by the interview.
NOT_OF_INTERVIEWS = {"refill", "invitations"}

Cell = tuple[int, date]  # a position and a day
Days = list[tuple[date, int]]  # how much each counts, the latest first


@dataclass(frozen=True)
class Figure:
    """What counts by the keys of these parts, in one map of the cells."""

    map: str
    parts: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.map}:{SEPARATOR.join(self.parts)}"

    @property
    def pattern(self) -> str:
        """For LIKE. All keys of a map have as many parts, and none has the separator in it."""
        escaped = (
            part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            for part in self.parts
        )
        return SEPARATOR.join("%" if part == ANY else part for part in escaped)


def figure(said: str) -> Figure | None:
    """The one that is written like that; None where there is none."""
    name, _colon, key = said.partition(":")
    if name not in CONTRIBUTIONS or name in NOT_OF_INTERVIEWS or not key or "\0" in key:
        return None
    return Figure(name, tuple(key.split(SEPARATOR)))


def interviews(
    chosen: Filter, period: Period, of: Figure, *, after: Place | None = None
) -> tuple[list[int], bool]:
    """SIZE of them, the latest first, from the one `after` which they begin; and whether there are
    more."""
    if chosen.is_empty:
        return [], False
    last = min(company_day(after.at), period.until) if after else period.until
    days = _days(chosen, Period(period.since, last), of)
    found: list[int] = []
    while days and len(found) <= SIZE:
        some, days = _a_page_of(days)
        found += _found(chosen, _cells(chosen, some, of), of, after)
    return found[:SIZE], len(found) > SIZE


def _counts(of: Figure) -> str:
    """How often a row of cells counts what is asked for."""
    return (
        f"(SELECT sum(each.value::int) FROM jsonb_each_text(c.{of.map}) each"
        " WHERE each.key LIKE %(key)s)"
    )


def _days(chosen: Filter, period: Period, of: Figure) -> Days:
    """The latest days that have any, with how many: a page's worth and the day it begins in."""
    scope, owners = chosen.rows
    return _ask(
        f"""
        SELECT since, sum(n)::int FROM (
            SELECT c.since, {_counts(of)} AS n FROM analytics_cell c
            WHERE c.scope = %(scope)s AND c.span = '{Span.DAY}'
                AND c.owner = ANY(%(owners)s::bigint[]) AND c.since BETWEEN %(first)s AND %(last)s
                AND {told_apart(chosen)} AND c.{of.map} IS NOT NULL
        ) counted WHERE n > 0 GROUP BY since ORDER BY since DESC LIMIT {SIZE + 2}
        """,
        chosen,
        of,
        scope=str(scope),
        owners=owners,
        first=period.since,
        last=period.until,
    )


def _a_page_of(days: Days) -> tuple[list[date], Days]:
    """As many days as count a page and one more; and the others. There may be fewer interviews:
    of one, several messages count, and the first day may have been shown in part."""
    together = accumulate(count for _day, count in days)
    enough = next((n for n, count in enumerate(together, 1) if count > SIZE), len(days))
    return [day for day, _count in days[:enough]], days[enough:]


def _cells(chosen: Filter, days: Sequence[date], of: Figure) -> list[Cell]:
    return _ask(
        f"""
        SELECT DISTINCT c.owner, c.since FROM analytics_cell c
        WHERE c.scope = '{Scope.POSITION}' AND c.span = '{Span.DAY}'
            AND c.owner = ANY(%(owners)s::bigint[]) AND c.since = ANY(%(days)s::date[])
            AND {told_apart(chosen)} AND c.{of.map} IS NOT NULL AND {_counts(of)} > 0
        """,
        chosen,
        of,
        owners=list(each_position(chosen).positions or ()),
        days=list(days),
    )


def _found(chosen: Filter, cells: Sequence[Cell], of: Figure, after: Place | None) -> list[int]:
    """One more than a page."""
    begins = "AND (i.listed_at, i.id) < (%(at)s, %(id)s)" if after else ""
    rows = _ask(
        f"""
        WITH {FACTS.format(interviews=INTERVIEWS_OF_CELLS)}
        SELECT i.id FROM interviews_interview i
        WHERE i.id IN (
            SELECT interview FROM ({CONTRIBUTIONS[of.map]})
                c(owner, since, source, kind, interview, key)
            WHERE key LIKE %(key)s AND {told_apart(chosen, is_exact=True)}
        ) {begins}
        ORDER BY i.listed_at DESC, i.id DESC LIMIT {SIZE + 1}
        """,
        chosen,
        of,
        owners=[owner for owner, _day in cells],
        sinces=[day for _owner, day in cells],
        zone=settings.TIME_ZONE,
        at=after.at if after else None,
        id=after.id if after else None,
    )
    return [pk for (pk,) in rows]


def _ask(statement: str, chosen: Filter, of: Figure, **values: Any) -> list[Any]:
    known = {"key": of.pattern, "source": chosen.source, "kind": chosen.kind, **values}
    with connection.cursor() as cursor:
        cursor.execute(statement, known)
        return cursor.fetchall()
