# ruff: noqa: S608 - no piece of SQL in here comes from outside
"""Keeping the cells: counting anew what has changed, all of it, or a sample to compare.

A cell is counted from the rows. A sum moves by what its cells have changed by, in the same
transaction: it always is what the stored cells add up to. `department` of a cell says which
department's sums it is in, so that it is taken from there when its position has moved.

One worker counts at a time, under a lock of the database: sums are shared between cells, and of two
that count them side by side each would miss what the other has not committed. Marks are taken
before the statement that counts, so whatever changes after it has been counted is marked still.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import structlog
from django.conf import settings
from django.db import DataError, connection, transaction
from django.db.backends.utils import CursorWrapper

from analytics.measures import CONTRIBUTIONS, FACTS, INVITATIONS, MAPS, NUMBERS, PLACES
from analytics.models import ALL, COMPANY, DirtyCell, Scope, Span

logger = structlog.get_logger(__name__)

LOCK = 0x63656C6C  # of counting: "cell"
# The planner cannot know how many keys a map has, and would sort.
QUICK = "SET LOCAL jit = off; SET LOCAL enable_sort = off"
# What counts cells is long, and planned for many of them. For a few, a plan of their own is made in
# a sixth of the time that one takes; for hundreds, such plans are far off.
FEW = 10
PLANNED = "SET LOCAL plan_cache_mode = {}"
ALL_AT_ONCE = (
    "SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL jit = off;"
    " SET LOCAL work_mem = '64MB'"
)
BATCH = 200  # cells counted at once
POSITIONS_AT_ONCE = 25  # of a rebuild, in one transaction

Key = tuple[int, date]  # the owner and the first day of a cell or a sum
Rows = dict[tuple[str, str], tuple[Any, ...]]  # by source and kind: what COLUMNS come to
Place = tuple[str, str, int, date, str, str]  # of a row: WHERE_IT_IS

Mark = tuple[int, date, int]  # position, day, department
Counts = Counter[str | tuple[str, str]]  # by the name of a number, or of a map and its key
# The cell's, source, kind, what the row was and what it is.
Written = tuple[Key, str, str, tuple[Any, ...] | None, tuple[Any, ...] | None]
# Of a mark without a position: that day's sums of its department are added up anew.
SUMS_ALONE = 0

KEY = "owner, since, source, kind"
WHERE_IT_IS = ("scope", "span", *KEY.split(", "))
COLUMNS = ("department", *NUMBERS, *MAPS)
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


_COUNT = ", ".join(
    f"count(*) FILTER (WHERE {holds}) AS {name}" if holds else f"coalesce(sum({name}), 0) AS {name}"
    for name, holds in NUMBERS.items()
)
_ADD = ", ".join(f"sum({name}) AS {name}" for name in NUMBERS)
_EACH = " UNION ALL ".join(
    f"SELECT {MAP_NUMBERS[name]} AS map, each.* FROM ({rows}) each({KEY}, interview, key)"
    for name, rows in CONTRIBUTIONS.items()
)
_FILTERED = ", ".join(
    f"jsonb_object_agg(key, n) FILTER (WHERE map = {MAP_NUMBERS[name]}) AS {name}" for name in MAPS
)
_DEPARTMENT = "(SELECT p.department_id FROM interviews_position p WHERE p.id = owner)"


def _rows(numbers: str, counted: str, department: str) -> str:
    """Rows as they are stored, of numbers and of counts by key."""
    columns = [f"coalesce(numbers.{name}, 0)::int AS {name}" for name in NUMBERS]
    columns += [f"maps.{name}" for name in MAPS]
    return f"""
numbers AS ({numbers}), counted AS ({counted}), maps AS (
    SELECT {KEY}, {_FILTERED} FROM counted GROUP BY {KEY}
)
SELECT {KEY}, {department} AS department, {", ".join(columns)}
FROM numbers FULL JOIN maps USING ({KEY})"""


def counted_from(interviews: str, invitations: str, slots: str) -> str:
    """The cells of those interviews, invitations and slots, from the source."""
    rows = _rows(
        f"SELECT owner, since, {_EITHER}, {_COUNT} FROM facts GROUP BY {_both('')}",
        f"SELECT owner, since, {_EITHER}, map, key, count(*) AS n FROM ({_EACH}) each"
        f" GROUP BY {_both(', map, key')}",
        _DEPARTMENT,
    )
    return f"""
WITH {FACTS.format(interviews=interviews)}, {INVITATIONS.format(invitations=invitations)},
{PLACES.format(slots=slots)}, {rows}"""


# --- what a sum is counted from -------------------------------------------------------------------

_KEYS_OF = f"""
    CROSS JOIN LATERAL (VALUES {", ".join(f"({MAP_NUMBERS[name]}, c.{name})" for name in MAPS)})
        of(map, counts)
    CROSS JOIN LATERAL jsonb_each(of.counts) each
    WHERE of.counts IS NOT NULL"""


def _summed(children: str) -> str:
    """The sums of those cells, or of those sums. What all sources and kinds come to is added anew
    at each level."""
    rows = _rows(
        f"SELECT owner, since, {_EITHER}, {_ADD} FROM children GROUP BY {_both('')}",
        f"SELECT owner, since, {_EITHER}, map, key, sum(each.value::int) AS n"
        f" FROM children c {_KEYS_OF} GROUP BY {_both(', map, key')}",
        "NULL::bigint",
    )
    return f"WITH children AS MATERIALIZED ({children} AND c.source <> '{ALL}'), {rows}"


@dataclass(frozen=True)
class Level:
    """One kind of rows, and how those of some owners and days are counted."""

    scope: Scope
    span: Span
    of_some: str

    def counted(self, cursor: CursorWrapper, keys: Collection[Key]) -> dict[Key, Rows]:
        """What the rows of some would be, not stored."""
        few = len(keys) <= FEW
        cursor.execute(PLANNED.format("force_custom_plan" if few else "force_generic_plan"))
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
        found.setdefault((owner, since), {})[source, kind] = tuple(counted)
    return found


_CHILDREN = ", ".join(f"c.{name}" for name in ("source", "kind", *NUMBERS, *MAPS))


def _months_of_days(scope: Scope) -> Level:
    children = f"""
        SELECT cell.owner, cell.since, {_CHILDREN} FROM {_CELLS} JOIN analytics_cell c
        ON c.scope = '{scope}' AND c.span = 'day' AND c.owner = cell.owner
            AND c.since >= cell.since AND c.since < (cell.since + interval '1 month')::date"""
    return Level(scope, Span.MONTH, _summed(children))


CELLS = Level(
    Scope.POSITION,
    Span.DAY,
    counted_from(INTERVIEWS_OF_CELLS, INVITATIONS_OF_CELLS, SLOTS_OF_CELLS),
)
POSITION_MONTHS = _months_of_days(Scope.POSITION)
DEPARTMENT_DAYS = Level(
    Scope.DEPARTMENT,
    Span.DAY,
    _summed(f"""
        SELECT cell.owner, cell.since, {_CHILDREN}
        FROM {_CELLS} CROSS JOIN (
            SELECT DISTINCT owner FROM analytics_cell WHERE scope = 'position' AND span = 'month'
        ) position
        JOIN analytics_cell c ON c.scope = 'position' AND c.span = 'day'
            AND c.owner = position.owner AND c.since = cell.since AND c.department = cell.owner"""),
)
DEPARTMENT_MONTHS = _months_of_days(Scope.DEPARTMENT)
COMPANY_DAYS = Level(
    Scope.COMPANY,
    Span.DAY,
    _summed(f"""
        SELECT cell.owner, cell.since, {_CHILDREN}
        FROM {_CELLS} CROSS JOIN interviews_department d
        JOIN analytics_cell c ON c.scope = 'department' AND c.span = 'day'
            AND c.owner = d.id AND c.since = cell.since"""),
)
COMPANY_MONTHS = _months_of_days(Scope.COMPANY)
SUMS = (POSITION_MONTHS, DEPARTMENT_DAYS, DEPARTMENT_MONTHS, COMPANY_DAYS, COMPANY_MONTHS)
LEVELS = {(each.scope, each.span): each for each in (CELLS, *SUMS)}


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
# To be taken after whatever else waits.
MARK_BEHIND = """
INSERT INTO analytics_dirtycell (position, day, department, id)
SELECT mark.*, least((SELECT min(id) FROM analytics_dirtycell), 0) - row_number() OVER ()
FROM ({}) mark"""


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
        marks = set(cursor.fetchall())
        try:
            _recount(cursor, marks)
        except DataError:  # of one of them: it must not hold up the others
            marks -= _recount_one_by_one(cursor, marks)
    return len({(position, day) for position, day, _department in marks})


def _recount_one_by_one(cursor: CursorWrapper, marks: set[Mark]) -> set[Mark]:
    """Which of these could not be counted. They stay marked, behind whatever else is."""
    failed: set[Mark] = set()
    for each in sorted(marks):
        try:
            _recount(cursor, {each})
        except DataError:
            logger.exception("cell_not_counted", position=each[0], day=str(each[1]))
            failed.add(each)
    if failed:
        some = "SELECT * FROM unnest(%s::bigint[], %s::date[], %s::bigint[])"
        cursor.execute(MARK_BEHIND.format(some), _columns_of(failed))
    return failed


@transaction.atomic
def _recount(cursor: CursorWrapper, marks: set[Mark]) -> None:
    days = {(department, day) for position, day, department in marks if position == SUMS_ALONE}
    if cells := {(position, day) for position, day, _department in marks if position != SUMS_ALONE}:
        written = _replace(cursor, CELLS, cells)
        if changes := _changes(written):
            _add(cursor, changes)
        # Of a cell that does not say in which sums it is, only these tell.
        days |= {
            (after[0], day)
            for (_position, day), _source, _kind, before, after in written
            if before and after and before[0] is None and after[0] is not None
        }
    if days:
        _sum_anew(cursor, {DEPARTMENT_DAYS: days})


def _replace(cursor: CursorWrapper, level: Level, keys: Collection[Key]) -> list[Written]:
    """Count these rows anew and store those that differ: what they were, and what they are."""
    now, was = level.counted(cursor, keys), level.stored(cursor, keys)
    written = [
        (key, *which, before, after)
        for key in keys
        for which in now.get(key, {}).keys() | was.get(key, {}).keys()
        if (before := was.get(key, {}).get(which)) != (after := now.get(key, {}).get(which))
    ]
    _write(
        cursor,
        {
            (str(level.scope), str(level.span), *key, source, kind): after
            for key, source, kind, _before, after in written
        },
    )
    return written


def _changes(written: list[Written]) -> dict[Place, Counts]:
    """By how much each sum changes when cells do."""
    changes: defaultdict[Place, Counts] = defaultdict(Counter)
    for (position, day), source, kind, *rows in written:
        for row, sign in zip(rows, (-1, 1), strict=True):
            if row is None:
                continue
            department, counts = row[0], _counts(row)
            month = day.replace(day=1)
            whose = [(Scope.COMPANY, COMPANY)]
            if department is not None:
                whose.append((Scope.DEPARTMENT, department))
            places = [(scope, Span.DAY, owner, day) for scope, owner in whose]
            places += [(scope, Span.MONTH, owner, month) for scope, owner in whose]
            for place in (*places, (Scope.POSITION, Span.MONTH, position, month)):
                change = changes[str(place[0]), str(place[1]), *place[2:], source, kind]
                for name, n in counts.items():
                    change[name] += sign * n
    return {place: change for place, change in changes.items() if any(change.values())}


def _add(cursor: CursorWrapper, changes: dict[Place, Counts]) -> None:
    """To the sums as they are stored."""
    cursor.execute(_OF_PLACES.format(f"SELECT {_OF_PLACE}"), _columns_of(changes))
    stored = {tuple(row[:6]): _counts(row[6:]) for row in cursor.fetchall()}
    rows: dict[Place, tuple[Any, ...] | None] = {}
    for place, change in changes.items():
        counts = stored.get(place, Counter())
        for name, n in change.items():
            counts[name] += n
        rows[place] = _row({name: n for name, n in counts.items() if n})
    _write(cursor, rows)


def _counts(row: Sequence[Any]) -> Counts:
    """What a row counts: by the name of a number, or by a map's and a key."""
    _department, *numbers = row[: 1 + len(NUMBERS)]
    counts: Counts = Counter(dict(zip(NUMBERS, numbers, strict=True)))
    for name, keys in zip(MAPS, row[1 + len(NUMBERS) :], strict=True):
        if keys is not None:
            counts.update({(name, key): n for key, n in json.loads(keys).items()})
    return counts


def _row(counts: dict[str | tuple[str, str], int]) -> tuple[Any, ...] | None:
    """The row of a sum that counts so much; none where that is nothing."""
    if not counts:
        return None
    maps: dict[str, dict[str, int]] = {}
    for name, n in counts.items():
        if isinstance(name, tuple):
            maps.setdefault(name[0], {})[name[1]] = n
    keys = [json.dumps(maps[name]) if name in maps else None for name in MAPS]
    return (None, *(counts.get(name, 0) for name in NUMBERS), *keys)


_OF_PLACE = ", ".join(f"c.{name}" for name in (*WHERE_IT_IS, *COLUMNS))
# What is put before says what is done with the rows that are there.
_OF_PLACES = """{} FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::date[], %s::text[],
    %s::text[]) AS at(scope, span, owner, since, source, kind)
    JOIN analytics_cell c USING (scope, span, owner, since, source, kind)"""
_TYPES = {
    "scope": "text", "span": "text", "owner": "bigint", "since": "date", "source": "text",
    "kind": "text", "department": "bigint", **dict.fromkeys(NUMBERS, "int"),
    **dict.fromkeys(MAPS, "jsonb"),
}  # fmt: skip
_STORE = f"""
INSERT INTO analytics_cell ({", ".join(_TYPES)})
SELECT * FROM unnest({", ".join(f"%s::{kind}[]" for kind in _TYPES.values())})
ON CONFLICT ({", ".join(WHERE_IT_IS)}) DO UPDATE
SET ({", ".join(COLUMNS)}) = ROW({", ".join(f"excluded.{name}" for name in COLUMNS)})"""
_REMOVE = "DELETE FROM analytics_cell WHERE id IN (" + _OF_PLACES.format("SELECT c.id") + ")"


def _columns_of(rows: Iterable[Sequence[Any]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _write(cursor: CursorWrapper, rows: dict[Place, tuple[Any, ...] | None]) -> None:
    """Store these rows; those of nothing go."""
    if gone := [place for place, row in rows.items() if row is None]:
        cursor.execute(_REMOVE, _columns_of(gone))
    if there := [(*place, *row) for place, row in rows.items() if row is not None]:
        cursor.execute(_STORE, _columns_of(there))


# --- adding up anew -------------------------------------------------------------------------------


@transaction.atomic
def count_anew(rows: Iterable[tuple[Level, Key]]) -> None:
    """Trust nothing that is stored of these cells and sums, nor of what they are part of."""
    keys: dict[Level, set[Key]] = {}
    for level, key in rows:
        keys.setdefault(level, set()).add(key)
    with connection.cursor() as cursor:
        wait_for_turn(cursor)
        cursor.execute(QUICK)
        cells = keys.pop(CELLS, set())
        departments = {
            (row[0], day)
            for (_position, day), _source, _kind, *both in _replace(cursor, CELLS, cells)
            for row in both
            if row is not None and row[0] is not None
        }
        keys[POSITION_MONTHS] = keys.get(POSITION_MONTHS, set()) | _months(cells)
        keys[DEPARTMENT_DAYS] = keys.get(DEPARTMENT_DAYS, set()) | departments
        keys[COMPANY_DAYS] = keys.get(COMPANY_DAYS, set()) | {(COMPANY, day) for _, day in cells}
        _sum_anew(cursor, keys)


def _sum_anew(cursor: CursorWrapper, keys: dict[Level, set[Key]]) -> None:
    """These sums, and those that they are part of, from what is stored below them."""
    days = keys.get(DEPARTMENT_DAYS, set())
    company = keys.get(COMPANY_DAYS, set()) | {(COMPANY, day) for _owner, day in days}
    more = {
        DEPARTMENT_MONTHS: _months(days),
        COMPANY_DAYS: company,
        COMPANY_MONTHS: _months(company),
    }
    for level in SUMS:
        if wanted := keys.get(level, set()) | more.get(level, set()):
            _replace(cursor, level, wanted)


def _months(days: Iterable[Key]) -> set[Key]:
    return {(owner, day.replace(day=1)) for owner, day in days}


# --- counting everything --------------------------------------------------------------------------

# In tables for as long as the transaction: each is read by several statements, and planned for what
# is in it. Maps are taken apart once, and whatever is above is added up from whole numbers.
_SOURCES = {
    source.split()[0]: source[source.index("(") :]
    for source in (
        FACTS.format(interviews=INTERVIEWS_OF_POSITIONS),
        INVITATIONS.format(invitations=INTERVIEWS_OF_POSITIONS),
        PLACES.format(slots=SLOTS_OF_POSITIONS),
    )
}
_DAYS_OF_POSITIONS = (
    f"SELECT {KEY}, {_COUNT} FROM facts GROUP BY {KEY}",
    f"SELECT {KEY}, map, key, count(*)::int AS n FROM ({_EACH}) each GROUP BY {KEY}, map, key",
)
_CELLS_OF_DEPARTMENTS = f"""c.scope = 'position' AND c.span = 'day' AND c.source <> '{ALL}'
    AND c.department IS NOT NULL"""
_DAYS_OF_DEPARTMENTS = (
    f"""SELECT c.department AS owner, since, source, kind, {_ADD} FROM analytics_cell c
    WHERE {_CELLS_OF_DEPARTMENTS} GROUP BY 1, 2, 3, 4""",
    f"""SELECT c.department AS owner, since, source, kind, map, key,
        sum(each.value::int)::int AS n
    FROM analytics_cell c {_KEYS_OF} AND {_CELLS_OF_DEPARTMENTS} GROUP BY 1, 2, 3, 4, 5, 6""",
)


def _above(below: str, *, owner: str = "owner", since: str = "since") -> tuple[str, str]:
    """What those add up to."""
    key = f"{owner} AS owner, {since} AS since, source, kind"
    return (
        f"SELECT {key}, {_ADD} FROM {below}_numbers GROUP BY 1, 2, 3, 4",
        f"SELECT {key}, map, key, sum(n)::int AS n FROM {below}_counted GROUP BY 1, 2, 3, 4, 5, 6",
    )


_MONTH = "date_trunc('month', since::timestamp)::date"
_SAME = " AND ".join(f"c.{name} = fresh.{name}" for name in KEY.split(", "))
_IS_THE_SAME = "({}) IS NOT DISTINCT FROM ({})".format(
    *(", ".join(f"{row}.{name}" for name in COLUMNS) for row in ("c", "fresh"))
)
_OF_LEVEL = """c.scope = %(scope)s::text AND c.span = %(span)s::text
    AND (%(owners)s::bigint[] IS NULL OR c.owner = ANY(%(owners)s::bigint[]))"""
_REMOVE_OTHERS = f"""
DELETE FROM analytics_cell c WHERE {_OF_LEVEL}
    AND NOT EXISTS (SELECT FROM fresh WHERE {_SAME} AND {_IS_THE_SAME})
RETURNING c.since, c.department"""
_STORE_NEW = f"""
INSERT INTO analytics_cell ({", ".join((*WHERE_IT_IS, *COLUMNS))})
SELECT %(scope)s::text, %(span)s::text, fresh.* FROM fresh
WHERE NOT EXISTS (SELECT FROM analytics_cell c WHERE {_OF_LEVEL} AND {_SAME})
RETURNING since, department"""
# The sums of what has been written have to be added up anew: where the rebuild is not broken off,
# it does so itself.
_MARK = MARK_BEHIND.format(
    f"SELECT DISTINCT {SUMS_ALONE}, since, department FROM written WHERE department IS NOT NULL"
)


def rebuild() -> Iterator[int]:
    """Count everything anew, some positions at a time; yields how many positions are done.

    What changes meanwhile stays marked, and is counted by the worker where it gets its turn
    between two of these, or afterwards. The sums of departments and of the company come last;
    interrupted before, those of what was not the same are marked, and it can be begun again.
    Positions with something that cannot be counted stay as they are.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM interviews_position"
            " UNION SELECT owner FROM analytics_cell WHERE scope = 'position' ORDER BY 1"
        )
        positions = [position for (position,) in cursor.fetchall()]
    for first in range(0, len(positions), POSITIONS_AT_ONCE):
        some = positions[first : first + POSITIONS_AT_ONCE]
        try:
            _rebuild(some)
        except DataError:
            logger.exception("positions_not_counted", positions=some)
        yield first + len(some)
    with transaction.atomic(), connection.cursor() as cursor:
        wait_for_turn(cursor)
        cursor.execute(ALL_AT_ONCE)
        _make(cursor, "days", _DAYS_OF_DEPARTMENTS)
        _make(cursor, "months", _above("days", since=_MONTH))
        _make(cursor, "company_days", _above("days", owner=str(COMPANY)))
        _make(cursor, "company_months", _above("months", owner=str(COMPANY)))
        _replace_all(cursor, DEPARTMENT_DAYS, "days")
        _replace_all(cursor, DEPARTMENT_MONTHS, "months")
        _replace_all(cursor, COMPANY_DAYS, "company_days")
        _replace_all(cursor, COMPANY_MONTHS, "company_months")
        DirtyCell.objects.filter(position=SUMS_ALONE).delete()


@transaction.atomic
def _rebuild(positions: list[int]) -> None:
    with connection.cursor() as cursor:
        wait_for_turn(cursor)
        cursor.execute(ALL_AT_ONCE)
        for name, source in _SOURCES.items():
            _table(cursor, name, source, owners=positions)
        _make(cursor, "days", _DAYS_OF_POSITIONS)
        _make(cursor, "months", _above("days", since=_MONTH))
        _replace_all(cursor, CELLS, "days", positions)
        _replace_all(cursor, POSITION_MONTHS, "months", positions)


def _table(cursor: CursorWrapper, name: str, rows: str, **values: Any) -> None:
    cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{name}")
    values["zone"] = settings.TIME_ZONE
    cursor.execute(f"CREATE TEMP TABLE {name} ON COMMIT DROP AS {rows}", values)
    if name != "fresh":
        cursor.execute(f"ANALYZE {name}")


def _make(cursor: CursorWrapper, name: str, rows: tuple[str, str]) -> None:
    """Two tables, of numbers and of counts by key."""
    numbers, counted = rows
    _table(cursor, f"{name}_numbers", numbers)
    _table(cursor, f"{name}_counted", counted)


def _replace_all(
    cursor: CursorWrapper, level: Level, name: str, owners: list[int] | None = None
) -> None:
    """Have these rows say what those tables do; what says so already is not written."""
    fresh = _rows(
        f"SELECT owner, since, {_EITHER}, {_ADD} FROM {name}_numbers GROUP BY {_both('')}",
        f"SELECT owner, since, {_EITHER}, map, key, sum(n) AS n FROM {name}_counted"
        f" GROUP BY {_both(', map, key')}",
        _DEPARTMENT if level is CELLS else "NULL::bigint",
    )
    values = {"scope": str(level.scope), "span": str(level.span), "owners": owners}
    _table(cursor, "fresh", f"WITH {fresh}")
    for statement in (_REMOVE_OTHERS, _STORE_NEW):
        cursor.execute(f"WITH written AS ({statement}) {_MARK}", values)


def wait_for_turn(cursor: CursorWrapper) -> None:
    """Nobody else counts until the transaction ends."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s::bigint)", [LOCK])
