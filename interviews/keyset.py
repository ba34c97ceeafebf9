"""A page of a list, newest first, in the same time however long the list is.

A list is made of parts (a department's, a position's, a person's), each the beginning of one index;
the parts, each as long as a page, are then merged.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import chain
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Func, IntegerField, Model, Q, QuerySet
from django.utils import timezone

COUNTED = 1000  # more than that is said to be more than that

# The parts of a list, and the rows of one part, which name it as OuterRef("pk").
Parts = tuple[QuerySet, QuerySet]


@dataclass(frozen=True)
class Place:
    """Where in a list a row stands."""

    at: datetime
    id: int


@dataclass(frozen=True)
class Page:
    """As much of a list as one page shows, as dictionaries of the columns asked for."""

    rows: list[dict[str, Any]]
    newer: bool
    older: bool
    count: int  # at most COUNTED + 1


NOTHING = Page(rows=[], newer=False, older=False, count=0)


def page(
    model: type[Model],
    lists: Iterable[Parts],
    columns: Iterable[str],
    *,
    by: str,
    size: int,
    after: Place | None = None,
    before: Place | None = None,
    countable: Sequence[str] = (),
) -> Page:
    """`size` rows of the lists together, the latest `by` on top: the first ones, or those that come
    after or before a place. One query a list, and one. `countable` is an order in which the rows
    of a part are quicker counted than in the page's own."""
    backwards = before is not None and after is None
    order = (by, "id") if backwards else (f"-{by}", "-id")
    found: list[int] = []
    count = 0
    for parts, rows in lists:
        beginning = _from(rows, by, after, before).order_by(*order).values("pk")[: size + 1]
        counted = rows.order_by(*(countable or (f"-{by}", "-id"))).values("pk")[: COUNTED + 1]
        each = parts.order_by().values_list(
            ArraySubquery(beginning),
            Func(ArraySubquery(counted), function="cardinality", output_field=IntegerField()),
        )
        keys, counts = zip(*each, strict=True) if each else ((), ())
        found += chain.from_iterable(keys)
        count += sum(counts)
    chosen = model._default_manager.filter(pk__in=found)
    shown = list(chosen.order_by(*order).values("pk", *columns)[: size + 1])
    more, shown = len(shown) > size, shown[:size]
    if backwards:
        shown.reverse()
    return Page(
        rows=shown,
        newer=more if backwards else after is not None,
        older=True if backwards else more,
        count=min(count, COUNTED + 1),
    )


def _from(rows: QuerySet, by: str, after: Place | None, before: Place | None) -> QuerySet:
    """Those that stand behind the one place, or in front of the other."""
    if after:
        behind = Q(**{f"{by}__lt": after.at}) | Q(id__lt=after.id)
        return rows.filter(behind, **{f"{by}__lte": after.at})
    if before:
        in_front = Q(**{f"{by}__gt": before.at}) | Q(id__gt=before.id)
        return rows.filter(in_front, **{f"{by}__gte": before.at})
    return rows


def midnight(day: date) -> datetime:
    """When the day begins for the reader."""
    return timezone.make_aware(datetime.combine(day, time.min))
