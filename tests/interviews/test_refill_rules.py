from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from interviews.refill.rules import hold
from notifications.courtesy import quiet_until

SHANGHAI = ZoneInfo("Asia/Shanghai")
HOUR = timedelta(hours=1)


def at(text, zone=SHANGHAI):
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def kept(now, starts_at, *, lasts=HOUR, near=3 * HOUR, zone=SHANGHAI):
    asked_at = quiet_until(now, zone) or now
    return hold(asked_at=asked_at, starts_at=starts_at, lasts=lasts, near=near)


@pytest.mark.parametrize(
    ("now", "asked", "until"),
    [
        ("2026-03-02 10:00", "2026-03-02 10:00", "2026-03-02 11:00"),
        ("2026-03-02 08:00", "2026-03-02 08:00", "2026-03-02 09:00"),
        ("2026-03-02 07:59:59", "2026-03-02 08:00", "2026-03-02 09:00"),
        ("2026-03-02 20:59:59", "2026-03-02 20:59:59", "2026-03-02 21:59:59"),
        ("2026-03-02 21:00", "2026-03-03 08:00", "2026-03-03 09:00"),
        ("2026-02-28 23:30", "2026-03-01 08:00", "2026-03-01 09:00"),
        ("2026-12-31 22:00", "2027-01-01 08:00", "2027-01-01 09:00"),
        ("2026-03-02 00:00", "2026-03-02 08:00", "2026-03-02 09:00"),
    ],
)
def test_nobody_is_asked_at_night_and_the_hour_begins_with_asking(now, asked, until):
    found = kept(at(now), at("2027-02-01 10:00"))

    assert (found.asked_at, found.until) == (at(asked), at(until))


@pytest.mark.parametrize(
    ("now", "offered"),
    [
        ("2026-03-02 11:00", True),
        ("2026-03-02 11:00:01", False),
        ("2026-03-02 14:00", False),
        ("2026-03-02 15:00", False),
    ],
)
def test_what_begins_too_soon_is_not_offered_to_the_second(now, offered):
    assert (kept(at(now), at("2026-03-02 14:00")) is not None) == offered


def test_what_is_too_near_in_the_morning_is_not_offered_at_night():
    assert kept(at("2026-03-01 22:00"), at("2026-03-02 10:59")) is None
    assert kept(at("2026-03-01 22:00"), at("2026-03-02 11:00")) is not None


def test_nothing_is_kept_beyond_its_beginning():
    found = kept(at("2026-03-02 10:00"), at("2026-03-02 10:30"), near=timedelta(0))

    assert found.until == at("2026-03-02 10:30")
    assert kept(at("2026-03-02 10:30"), at("2026-03-02 10:30"), near=timedelta(0)) is None


def test_night_is_where_the_candidate_is():
    now = at("2026-03-02 10:00")  # nine in the evening in New York
    new_york = ZoneInfo("America/New_York")

    found = kept(now, at("2026-03-10 10:00"), zone=new_york)

    assert found.asked_at == at("2026-03-02 08:00", new_york)


def test_the_morning_comes_on_time_when_the_clocks_change():
    berlin = ZoneInfo("Europe/Berlin")

    found = kept(at("2026-03-28 22:00", berlin), at("2026-04-10 10:00"), zone=berlin)

    assert found.asked_at == at("2026-03-29 08:00", berlin)
    assert found.asked_at - at("2026-03-28 22:00", berlin).astimezone(SHANGHAI) == 9 * HOUR
