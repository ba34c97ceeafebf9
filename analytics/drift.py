"""Whether the cells still are what the interviews come to: a sample is counted anew and compared.
What differs is counted anew, with all the sums it is part of, and HR hears of it."""

import random
from collections.abc import Iterable
from datetime import datetime, time

import structlog
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import BigIntegerField, F, Value
from django.db.models.functions import TruncMonth

from analytics import cells
from analytics.models import COMPANY, DirtyCell, Scope, Span
from cancellations import work
from interviews.models import Interview
from interviews.queries import COMPANY_ZONE, company_day

logger = structlog.get_logger(__name__)

SAMPLE = 200  # interviews, and rows of cells and sums
CODE = "figures_differ"

Row = tuple[cells.Level, cells.Key]

# The rows next to numbers drawn by chance: quick, however many there are and whatever has gone.
NEXT_TO = """
SELECT DISTINCT found.* FROM unnest(%(drawn)s::bigint[]) AS drawn(id)
CROSS JOIN LATERAL (SELECT {columns} FROM {table} WHERE id >= drawn.id ORDER BY id LIMIT 1) found
"""


def check_and_report(size: int = SAMPLE) -> list[Row]:
    """What of a sample differs, counted anew and reported."""
    drifts = check(sample(size))
    if drifts:
        logger.error("cells_differ", rows=len(drifts))
        cells.count_anew(drifts)
        for level, key in drifts:
            _report(level, key)
    return drifts


def sample(size: int) -> set[Row]:
    """The cells of some interviews, and some rows that are there, whatever they count."""
    rows: set[Row] = set()
    with connection.cursor() as cursor:
        for position, at in _next_to(
            cursor, "interviews_interview", "listed_position, listed_at", size
        ):
            day = company_day(at)
            rows |= {(cells.CELLS, (position, day)), (cells.COMPANY_DAYS, (COMPANY, day))}
        for scope, span, owner, since in _next_to(
            cursor, "analytics_cell", "scope, span, owner, since", size
        ):
            rows.add((cells.level(scope, span), (owner, since)))
    return rows


def _next_to(cursor: CursorWrapper, table: str, columns: str, size: int) -> list[tuple]:
    cursor.execute(f"SELECT min(id), max(id) FROM {table}")  # noqa: S608
    first, last = cursor.fetchone()
    if first is None:
        return []
    drawn = [random.randint(first, last) for _ in range(size)]  # noqa: S311
    cursor.execute(NEXT_TO.format(table=table, columns=columns), {"drawn": drawn})
    return cursor.fetchall()


@transaction.atomic
def check(rows: Iterable[Row]) -> list[Row]:
    """Which of these are not what they count. What waits to be counted anew is not looked at."""
    by_level: dict[cells.Level, set[cells.Key]] = {}
    for level, key in rows:
        by_level.setdefault(level, set()).add(key)
    differing: list[Row] = []
    with connection.cursor() as cursor:
        cells.wait_for_turn(cursor)
        by_level[cells.CELLS] = by_level.get(cells.CELLS, set()) - _not_countable()
        for level, keys in by_level.items():
            counted, stored = level.counted(cursor, keys), level.stored(cursor, keys)
            differ = {key for key in keys if counted.get(key) != stored.get(key)}
            if differ:
                # Marks come with the change they are of, and nobody counts meanwhile: what was
                # changed before it was counted here is marked by now.
                differing += [(level, key) for key in sorted(differ - _waiting(level, differ))]
    return differing


def _not_countable() -> set[cells.Key]:
    """What has failed to be counted is known, and would stop the counting of all others."""
    failed = DirtyCell.objects.filter(pk__lt=0).exclude(position=cells.SUMS_ALONE)
    return set(failed.values_list("position", "day"))


def _waiting(level: cells.Level, keys: set[cells.Key]) -> set[cells.Key]:
    """Which of these are marked. There may be as many marks as there are cells, after an import."""
    whose = {
        Scope.POSITION: F("position"),
        Scope.DEPARTMENT: F("department"),
        Scope.COMPANY: Value(COMPANY, output_field=BigIntegerField()),
    }
    first = TruncMonth("day") if level.span == Span.MONTH else F("day")
    marks = DirtyCell.objects.all()
    if level is not cells.CELLS:  # sums are at any moment what the stored cells add up to
        marks = marks.filter(position=cells.SUMS_ALONE)
    marks = marks.annotate(owner=whose[level.scope], since=first)
    owners, sinces = ({key[part] for key in keys} for part in (0, 1))
    marked = marks.filter(owner__in=owners, since__in=sinces)
    return keys & set(marked.values_list("owner", "since").distinct())


def _report(level: cells.Level, key: cells.Key) -> None:
    """It stands with an interview that is counted there, or, where there is none, with the next
    one of the same people's."""
    owner, since = key
    interviews = Interview.objects.order_by("-pk")
    if level.scope == Scope.POSITION:
        interviews = interviews.filter(listed_position=owner)
    elif level.scope == Scope.DEPARTMENT:
        interviews = interviews.filter(listed_department=owner)
    later = interviews.filter(listed_at__gte=datetime.combine(since, time(), COMPANY_ZONE))
    found = later.order_by("listed_at", "pk").first()
    found = found or interviews.first()
    if found is not None:
        work.open_anomaly(found, CODE)
