# ruff: noqa: S608 - no piece of SQL in here comes from outside
"""Keeping the cells: counting anew what has changed, all of it, or a sample to compare.

One worker counts at a time, under a lock of the database: sums are shared between cells, and of two
that count them side by side each would miss what the other has not committed. Marks are taken
before the statement that counts, so whatever changes after it has been counted is marked still.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from analytics.measures import CONTRIBUTIONS, FACTS, INVITATIONS, MAPS, NUMBERS, PLACES
from analytics.models import ALL, COMPANY, Cell, DirtyCell, Scope, Span

LOCK = 0x63656C6C  # of counting: "cell"
# These statements are long and take a few milliseconds: planned and compiled anew each time, they
# would take several times as long. The planner cannot know how many keys a map has, and would sort.
QUICK = (
    "SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL jit = off;"
    " SET LOCAL enable_sort = off"
)
ALL_AT_ONCE = "SET LOCAL jit = off; SET LOCAL work_mem = '64MB'"
BATCH = 200  # cells counted at once
POSITIONS_AT_ONCE = 25  # of a rebuild, in one transaction

Key = tuple[int, date]  # the owner and the first day of a cell or a sum
Rows = dict[tuple[str, str], list[Any]]  # by source and kind: what COLUMNS come to

KEY = "owner, since, source, kind"
COLUMNS = (*NUMBERS, *MAPS)
MAP_NUMBERS = {name: number for number, name in enumerate(MAPS)}  # compared more quickly

# --- what a cell is counted from ------------------------------------------------------------------

_DAY_OF = """
    >= (cell.since::timestamp AT TIME ZONE %(zone)s::text)
    AND {at} < ((cell.since + 1)::timestamp AT TIME ZONE %(zone)s::text)
"""
_CELLS = "unnest(%(owners)s::bigint[], %(sinces)s::date[]) AS cell(owner, since)"
INTERVIEWS_OF_CELLS = f"""{_CELLS}
    JOIN interviews_interview i ON i.listed_position = cell.owner
    AND i.listed_at {_DAY_OF.format(at="i.listed_at")}"""
INVITATIONS_OF_CELLS = f"""{_CELLS}
    JOIN interviews_interview i ON i.listed_position = cell.owner
    AND i.created_at {_DAY_OF.format(at="i.created_at")}"""
SLOTS_OF_CELLS = f"""{_CELLS}
    JOIN interviews_slot s ON s.position_id = cell.owner
    AND s.starts_at {_DAY_OF.format(at="s.starts_at")}"""
INTERVIEWS_OF_POSITIONS = """(
    SELECT * FROM interviews_interview WHERE listed_position = ANY(%(owners)s::bigint[])
) i"""
SLOTS_OF_POSITIONS = """(
    SELECT * FROM interviews_slot WHERE position_id = ANY(%(owners)s::bigint[])
) s"""


_EITHER = f"coalesce(source, '{ALL}') AS source, coalesce(kind, '{ALL}') AS kind"


def _both(columns: str) -> str:
    """Of each source and kind, and of all of them together."""
    return f"GROUPING SETS (({KEY}{columns}), (owner, since{columns}))"


def _counted(interviews: str, invitations: str, slots: str) -> str:
    """The cells of those interviews, invitations and slots, from the source."""
    numbers = ", ".join(
        f"count(*) FILTER (WHERE {holds}) AS {name}"
        if holds
        else f"coalesce(sum({name}), 0) AS {name}"
        for name, holds in NUMBERS.items()
    )
    each = f"each({KEY}, interview, key)"
    rows = " UNION ALL ".join(
        f"SELECT {MAP_NUMBERS[name]} AS map, each.* FROM ({rows}) {each}"
        for name, rows in CONTRIBUTIONS.items()
    )
    return f"""
WITH {FACTS.format(interviews=interviews)}, {INVITATIONS.format(invitations=invitations)},
{PLACES.format(slots=slots)}, numbers AS (
    SELECT owner, since, {_EITHER}, {numbers} FROM facts GROUP BY {_both("")}
), counted AS (
    SELECT owner, since, {_EITHER}, map, key, count(*) AS n
    FROM ({rows}) each GROUP BY {_both(", map, key")}
), {_MAPS}
{_TAIL}"""


# --- what a sum is counted from -------------------------------------------------------------------


def _summed(children: str) -> str:
    """The sums of those cells, or of those sums."""
    numbers = ", ".join(f"sum({name}) AS {name}" for name in NUMBERS)
    maps = ", ".join(f"({MAP_NUMBERS[name]}, {name})" for name in MAPS)
    return f"""
WITH children AS MATERIALIZED ({children}), numbers AS (
    SELECT owner, since, {_EITHER}, {numbers} FROM children GROUP BY {_both("")}
), counted AS (
    SELECT owner, since, {_EITHER}, of.map, each.key, sum(each.value::int) AS n
    FROM children CROSS JOIN LATERAL (VALUES {maps}) of(map, counts)
    CROSS JOIN LATERAL jsonb_each(of.counts) each
    WHERE of.counts IS NOT NULL
    GROUP BY {_both(", of.map, each.key")}
), {_MAPS}
{_TAIL}"""


_FILTERED = ", ".join(
    f"jsonb_object_agg(key, n) FILTER (WHERE map = {MAP_NUMBERS[name]}) AS {name}" for name in MAPS
)
_MAPS = f"""maps AS (
    SELECT {KEY}, {_FILTERED} FROM counted GROUP BY {KEY}
)"""
_TAIL = "SELECT {}, {}, {} FROM numbers FULL JOIN maps USING ({})".format(
    KEY,
    ", ".join(f"coalesce(numbers.{name}, 0)::int AS {name}" for name in NUMBERS),
    ", ".join(f"maps.{name}" for name in MAPS),
    KEY,
)


@dataclass(frozen=True)
class Level:
    """One kind of rows: how those of some owners and days, or those of all, are counted anew."""

    scope: Scope
    span: Span
    of_some: str
    of_all: str

    def delete(self, cursor: CursorWrapper, keys: Collection[Key]) -> None:
        cursor.execute(
            "DELETE FROM analytics_cell c USING"
            " unnest(%(owners)s::bigint[], %(sinces)s::date[]) AS gone(owner, since)"
            " WHERE c.scope = %(scope)s AND c.span = %(span)s"
            " AND c.owner = gone.owner AND c.since = gone.since",
            self._values(keys),
        )

    def insert(self, cursor: CursorWrapper, keys: Collection[Key]) -> None:
        cursor.execute(self._insert(self.of_some), self._values(keys))

    def insert_all(self, cursor: CursorWrapper, positions: Sequence[int] = ()) -> None:
        """Those of these positions, or of every department, or of the company."""
        values = {**self._values([]), "owners": list(positions)}
        cursor.execute(self._insert(self.of_all), values)

    def counted(self, cursor: CursorWrapper, keys: Collection[Key]) -> dict[Key, Rows]:
        """What the rows of some would be, not stored."""
        cursor.execute(self.of_some, self._values(keys))
        return _by_key(cursor)

    def stored(self, cursor: CursorWrapper, keys: Collection[Key]) -> dict[Key, Rows]:
        """What they are."""
        cursor.execute(
            f"SELECT {_OF_CELL} FROM {_CELLS} JOIN analytics_cell c"
            " ON c.scope = %(scope)s AND c.span = %(span)s"
            " AND c.owner = cell.owner AND c.since = cell.since",
            self._values(keys),
        )
        return _by_key(cursor)

    def _insert(self, rows: str) -> str:
        columns = ", ".join(("scope", "span", *KEY.split(", "), *COLUMNS))
        return (
            f"INSERT INTO analytics_cell ({columns})"
            f" SELECT %(scope)s::text, %(span)s::text, counted.* FROM ({rows}) counted"
        )

    def _values(self, keys: Collection[Key]) -> dict[str, Any]:
        ordered = sorted(keys)
        return {
            "scope": str(self.scope),
            "span": str(self.span),
            "owners": [owner for owner, _since in ordered],
            "sinces": [since for _owner, since in ordered],
            "zone": settings.TIME_ZONE,
        }


_OF_CELL = ", ".join(f"c.{name}" for name in (*KEY.split(", "), *COLUMNS))


def _by_key(cursor: CursorWrapper) -> dict[Key, Rows]:
    """By owner and day: what is counted by source and kind."""
    found: dict[Key, Rows] = {}
    for owner, since, source, kind, *counted in cursor.fetchall():
        found.setdefault((owner, since), {})[source, kind] = counted
    return found


def _children(owner: str, since: str, tables: str) -> str:
    """Those of one source and kind: what all of them come to is counted anew at each level."""
    columns = ", ".join(f"c.{name}" for name in ("source", "kind", *COLUMNS))
    either = "AND" if " WHERE " in tables else "WHERE"
    return (
        f"SELECT {owner} AS owner, {since} AS since, {columns} FROM {tables}"
        f" {either} c.source <> '{ALL}'"
    )


def _months_of_days(scope: Scope, whose: str) -> Level:
    days = f"c.scope = '{scope}' AND c.span = 'day'"
    of_some = _children(
        "cell.owner",
        "cell.since",
        f"{_CELLS} JOIN analytics_cell c ON {days} AND c.owner = cell.owner"
        " AND c.since >= cell.since AND c.since < (cell.since + interval '1 month')::date",
    )
    of_all = _children(
        "c.owner",
        "date_trunc('month', c.since::timestamp)::date",
        f"analytics_cell c WHERE {days}{whose}",
    )
    return Level(scope, Span.MONTH, _summed(of_some), _summed(of_all))


CELLS = Level(
    Scope.POSITION,
    Span.DAY,
    _counted(INTERVIEWS_OF_CELLS, INVITATIONS_OF_CELLS, SLOTS_OF_CELLS),
    _counted(INTERVIEWS_OF_POSITIONS, INTERVIEWS_OF_POSITIONS, SLOTS_OF_POSITIONS),
)
POSITION_MONTHS = _months_of_days(Scope.POSITION, " AND c.owner = ANY(%(owners)s::bigint[])")
DEPARTMENT_DAYS = Level(
    Scope.DEPARTMENT,
    Span.DAY,
    _summed(
        _children(
            "cell.owner",
            "cell.since",
            f"{_CELLS} JOIN interviews_position p ON p.department_id = cell.owner"
            " JOIN analytics_cell c ON c.scope = 'position' AND c.span = 'day'"
            " AND c.owner = p.id AND c.since = cell.since",
        )
    ),
    _summed(
        _children(
            "p.department_id",
            "c.since",
            "analytics_cell c JOIN interviews_position p ON p.id = c.owner"
            " WHERE c.scope = 'position' AND c.span = 'day'",
        )
    ),
)
DEPARTMENT_MONTHS = _months_of_days(Scope.DEPARTMENT, "")
COMPANY_DAYS = Level(
    Scope.COMPANY,
    Span.DAY,
    _summed(
        _children(
            "cell.owner",
            "cell.since",
            f"{_CELLS} CROSS JOIN interviews_department d"
            " JOIN analytics_cell c ON c.scope = 'department' AND c.span = 'day'"
            " AND c.owner = d.id AND c.since = cell.since",
        )
    ),
    _summed(
        _children(
            str(COMPANY),
            "c.since",
            "analytics_cell c WHERE c.scope = 'department' AND c.span = 'day'",
        )
    ),
)
COMPANY_MONTHS = _months_of_days(Scope.COMPANY, "")
LEVELS = {
    (each.scope, each.span): each
    for each in (
        CELLS,
        POSITION_MONTHS,
        DEPARTMENT_DAYS,
        DEPARTMENT_MONTHS,
        COMPANY_DAYS,
        COMPANY_MONTHS,
    )
}
SUMS = (DEPARTMENT_DAYS, DEPARTMENT_MONTHS, COMPANY_DAYS, COMPANY_MONTHS)


def level(scope: str, span: str) -> Level:
    return LEVELS[Scope(scope), Span(span)]


# --- counting what has changed --------------------------------------------------------------------

# Several marks of one cell are taken together. The latest first: what happens now is told now, also
# while an import of many thousands is being counted.
TAKE = """
DELETE FROM analytics_dirtycell dirty
USING (
    SELECT DISTINCT position, day FROM (
        SELECT position, day FROM analytics_dirtycell ORDER BY id DESC LIMIT %(most)s
    ) latest
) cell
WHERE dirty.position = cell.position AND dirty.day = cell.day
RETURNING dirty.position, dirty.day, dirty.department
"""


@transaction.atomic
def recount_batch(most: int = BATCH) -> int:
    """Count some dirty cells anew, with every sum they are part of; how many. None where another
    worker is at it: it takes the rest as well."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s::bigint)", [LOCK])
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(QUICK)
        cursor.execute(TAKE, {"most": most})
        taken = set(cursor.fetchall())
        cells = {(position, day) for position, day, _department in taken}
        if cells:
            department_days = {(department, day) for _position, day, department in taken}
            _recount(cursor, cells, department_days | _where_they_are(cursor, cells))
    return len(cells)


def _recount(cursor: CursorWrapper, cells: set[Key], department_days: set[Key]) -> None:
    days = {(COMPANY, day) for _owner, day in cells}
    for level, keys in (
        (CELLS, cells),
        (POSITION_MONTHS, _months(cells)),
        (DEPARTMENT_DAYS, department_days),
        (DEPARTMENT_MONTHS, _months(department_days)),
        (COMPANY_DAYS, days),
        (COMPANY_MONTHS, _months(days)),
    ):
        level.delete(cursor, keys)
        level.insert(cursor, keys)


def _where_they_are(cursor: CursorWrapper, cells: set[Key]) -> set[Key]:
    """The days of their departments now: a position may have moved since the mark was made."""
    positions = list({position for position, _day in cells})
    cursor.execute(
        "SELECT id, department_id FROM interviews_position WHERE id = ANY(%s::bigint[])",
        [positions],
    )
    departments = dict(cursor.fetchall())
    return {(departments[each], day) for each, day in cells if each in departments}


def _months(days: Iterable[Key]) -> set[Key]:
    return {(owner, day.replace(day=1)) for owner, day in days}


def mark(cells: Iterable[tuple[int, date, int]]) -> None:
    """Have these counted anew: position, day, department."""
    DirtyCell.objects.bulk_create(
        DirtyCell(position=position, day=day, department=department)
        for position, day, department in cells
    )


# --- counting everything --------------------------------------------------------------------------


def rebuild() -> Iterator[int]:
    """Count everything anew, some positions at a time; yields how many positions are done.

    What changes meanwhile stays marked, and is counted by the worker as ever. Interrupted, it can
    be begun again; the sums of departments and of the company come last.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM interviews_position"
            " UNION SELECT owner FROM analytics_cell WHERE scope = 'position' ORDER BY 1"
        )
        positions = [position for (position,) in cursor.fetchall()]
    for first in range(0, len(positions), POSITIONS_AT_ONCE):
        some = positions[first : first + POSITIONS_AT_ONCE]
        with transaction.atomic(), connection.cursor() as cursor:
            wait_for_turn(cursor)
            cursor.execute(ALL_AT_ONCE)
            Cell.objects.filter(scope=Scope.POSITION, owner__in=some).delete()
            CELLS.insert_all(cursor, some)
            POSITION_MONTHS.insert_all(cursor, some)
        yield first + len(some)
    with transaction.atomic(), connection.cursor() as cursor:
        wait_for_turn(cursor)
        cursor.execute(ALL_AT_ONCE)
        Cell.objects.exclude(scope=Scope.POSITION).delete()
        cursor.execute("ANALYZE analytics_cell")  # else what follows is planned for an empty table
        for each in SUMS:
            each.insert_all(cursor)


def wait_for_turn(cursor: CursorWrapper) -> None:
    """Nobody else counts until the transaction ends."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s::bigint)", [LOCK])
