"""When a series takes place. Pure: no ORM, no clock."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Pattern:
    """The same times on the same days of every week. Days of the week count from Monday, 0."""

    weekdays: Collection[int]
    times: Collection[time]
    length: timedelta
    zone: ZoneInfo
    since: date
    until: date | None = None  # the last day; None goes on


def occurrences(pattern: Pattern, first: date, last: date) -> Iterator[tuple[datetime, datetime]]:
    """Start and end, in UTC, of each time of the pattern from one local day to another, in order.

    A time of day that the clocks skip that day is left out; of one that comes twice the first is
    meant. `length` is real time, whatever the clocks do meanwhile.
    """
    day = max(first, pattern.since)
    last = min(last, pattern.until or last)
    while day <= last:
        if day.weekday() in pattern.weekdays:
            for at in sorted(pattern.times):
                starts_at = _moment(day, at, pattern.zone)
                if starts_at is not None:
                    yield starts_at, starts_at + pattern.length
        day += DAY


def overlapping(times: Collection[time], length: timedelta) -> tuple[time, time] | None:
    """The first two times of a day of which one begins before the other has ended."""
    minutes = length.total_seconds() / 60
    ordered = sorted(times)
    for one, other in pairwise(ordered):
        if (other.hour - one.hour) * 60 + other.minute - one.minute < minutes:
            return one, other
    return None


def meeting(one: Pattern, other: Pattern, first: date) -> datetime | None:
    """When, from local day `first` on, two patterns first take place at once; None where they never
    do. Two weeks in which both go on tell: every week is like the one before, and clocks that
    change between zones move them by an hour at most."""
    first = max(first, one.since, other.since)
    last = first + 14 * DAY
    taken = [
        (start, end, which)
        for which, pattern in enumerate((one, other))
        for start, end in occurrences(pattern, first, last)
    ]
    latest: dict[int, datetime] = {}  # when the last one of each has ended
    for start, end, which in sorted(taken):
        if start < latest.get(1 - which, start):
            return start
        latest[which] = max(end, latest.get(which, end))
    return None


def _moment(day: date, at: time, zone: ZoneInfo) -> datetime | None:
    """None for a time that this day does not have."""
    local = datetime.combine(day, at, zone)
    moment = local.astimezone(UTC)
    exists = moment.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None)
    return moment if exists else None
