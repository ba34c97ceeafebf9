"""When a series takes place, to the minute, whatever the clocks do."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from interviews.booking.rules import Pattern, occurrences

EVERY_DAY = frozenset(range(7))


def starts(zone="Asia/Shanghai", *, first, last, times=(time(10),), **fields):
    pattern = Pattern(
        **{
            "weekdays": EVERY_DAY,
            "times": times,
            "length": timedelta(minutes=30),
            "zone": ZoneInfo(zone),
            "since": date(2026, 1, 1),
            **fields,
        }
    )
    return [start for start, _end in occurrences(pattern, first, last)]


def test_days_and_times_come_in_order_in_utc():
    found = starts(
        first=date(2026, 11, 23),
        last=date(2026, 11, 29),
        weekdays={0, 2},
        times=(time(14, 30), time(9)),
    )

    assert found == [
        datetime(2026, 11, 23, 1, 0, tzinfo=UTC),
        datetime(2026, 11, 23, 6, 30, tzinfo=UTC),
        datetime(2026, 11, 25, 1, 0, tzinfo=UTC),
        datetime(2026, 11, 25, 6, 30, tzinfo=UTC),
    ]


@pytest.mark.parametrize(
    ("since", "until", "days"),
    [
        (date(2026, 1, 31), date(2026, 1, 31), 1),
        (date(2026, 1, 31), date(2026, 3, 1), 30),  # over the end of a short month
        (date(2026, 2, 1), None, 28),
        (date(2026, 3, 1), None, 0),
        (date(2025, 1, 1), date(2026, 1, 30), 0),
    ],
)
def test_first_and_last_day_are_part_of_it(since, until, days):
    last = date(2026, 3, 1) if until else date(2026, 2, 28)

    found = starts(first=date(2026, 1, 31), last=last, since=since, until=until)

    assert len(found) == days


def test_time_that_the_clocks_skip_is_left_out():
    found = starts(
        "Europe/Berlin",
        first=date(2026, 3, 28),
        last=date(2026, 3, 30),
        times=(time(2, 30),),
    )

    assert found == [
        datetime(2026, 3, 28, 1, 30, tzinfo=UTC),
        datetime(2026, 3, 30, 0, 30, tzinfo=UTC),
    ]


def test_time_that_comes_twice_is_meant_once_the_first_time():
    found = starts(
        "Europe/Berlin", first=date(2026, 10, 25), last=date(2026, 10, 25), times=(time(2, 30),)
    )

    assert found == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC)]


def test_ten_in_the_morning_stays_ten_in_the_morning():
    found = starts("Europe/Berlin", first=date(2026, 3, 28), last=date(2026, 3, 29))

    assert [each.hour for each in found] == [9, 8]


def test_length_is_real_time_over_a_change_of_the_clocks():
    pattern = Pattern(
        weekdays=EVERY_DAY,
        times=(time(1, 30),),
        length=timedelta(hours=1),
        zone=ZoneInfo("Europe/Berlin"),
        since=date(2026, 3, 29),
        until=date(2026, 3, 29),
    )

    ((start, end),) = occurrences(pattern, date(2026, 3, 1), date(2026, 4, 1))

    assert end - start == timedelta(hours=1)
    assert end.astimezone(pattern.zone).hour == 3
