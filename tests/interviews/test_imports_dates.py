"""Dates as people typed them, each shape of the shared file to the minute."""

from datetime import UTC, datetime, time

import pytest

from interviews.imports import mapping
from interviews.imports.rows import Wrong, read_moment, read_time

ATTENDANCE = mapping.load("attendance")
TEMPLATE = mapping.load("template")


def read(chosen, text, hour=None):
    moment = read_moment(text, chosen.dates, chosen.zone, hour)
    assert moment.tzinfo is UTC
    return moment.astimezone(chosen.zone).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("13.02.2015", "2015-02-13 00:00"),
        ("25.5.2016", "2016-05-25 00:00"),
        ("9.04.2015", "2015-04-09 00:00"),
        ("25.05.16", "2016-05-25 00:00"),
        ("21.4.16", "2016-04-21 00:00"),
        ("4.04.15", "2015-04-04 00:00"),
        ("5.5.16", "2016-05-05 00:00"),
        ("30.1.16 ", "2016-01-30 00:00"),
        ("04/12/16", "2016-12-04 00:00"),
        ("05/11/2016", "2016-11-05 00:00"),
        ("25-05-2016", "2016-05-25 00:00"),
        ("25-5-2016", "2016-05-25 00:00"),
        ("15 Apr 16", "2016-04-15 00:00"),
        ("22 apr 16", "2016-04-22 00:00"),
        ("21-Apr -16", "2016-04-21 00:00"),
        ("22 -Apr -16", "2016-04-22 00:00"),
        ("25 – Apr-16", "2016-04-25 00:00"),
        ("28.08.2016 & 09.30 AM", "2016-08-28 09:30"),
        ("28.08.2016 & 9.30 AM", "2016-08-28 09:30"),
        ("28.8.2016 & 04.00 PM", "2016-08-28 16:00"),
        ("10.2.2016 & 10.30 am", "2016-02-10 10:30"),
    ],
)
def test_attendance_date_is_read_to_the_minute(typed, meant):
    assert read(ATTENDANCE, typed) == meant


def test_attendance_time_typed_elsewhere_is_used():
    assert read(ATTENDANCE, "22.01.2016", time(11, 30)) == "2016-01-22 11:30"


def test_attendance_own_time_wins_over_one_typed_elsewhere():
    assert read(ATTENDANCE, "28.08.2016 & 09.30 AM", time(11, 30)) == "2016-08-28 09:30"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("11.30 AM", time(11, 30)),
        ("9.00 Am", time(9, 0)),
        ("12.30 Pm", time(12, 30)),
        ("Java", None),
        ("Yes", None),
        ("", None),
        ("10", None),
    ],
)
def test_time_is_told_from_other_answers(typed, meant):
    assert read_time(typed, ATTENDANCE.dates) == meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2026-05-09 14:00", "2026-05-09 14:00"),
        ("2026-5-9 9:05", "2026-05-09 09:05"),
        ("2026/05/09 14:00", "2026-05-09 14:00"),
        ("2026.05.09 14:00:00", "2026-05-09 14:00"),
        ("2026年5月9日 14:00", "2026-05-09 14:00"),
        ("2026年5月9日14：00", "2026-05-09 14:00"),
        ("2026-05-09T14:00", "2026-05-09 14:00"),
        ("2026-05-09", "2026-05-09 00:00"),
    ],
)
def test_template_date_is_read_to_the_minute(typed, meant):
    assert read(TEMPLATE, typed) == meant


@pytest.mark.parametrize(
    "typed",
    [
        "31.02.2016",
        "2016",
        "soon",
        "13.13.2016",
        "00.00.0000",
        "1.1.99999",
        "12.04.2018",
        "31.12.2013",
    ],
)
def test_attendance_refuses_what_is_no_date_of_the_set(typed):
    with pytest.raises(Wrong):
        read(ATTENDANCE, typed)


def test_attendance_bounds_are_whole_days():
    assert read(ATTENDANCE, "01.01.2014") == "2014-01-01 00:00"
    assert read(ATTENDANCE, "31.12.2016 & 11.30 PM") == "2016-12-31 23:30"
    with pytest.raises(Wrong):
        read(ATTENDANCE, "01.01.2017")


@pytest.mark.parametrize("typed", ["0001-01-01 00:00", "9999-12-31 23:59", "1999-12-31 12:00"])
def test_template_refuses_times_out_of_reason(typed):
    with pytest.raises(Wrong):
        read(TEMPLATE, typed)


def test_date_is_in_the_mappings_zone():
    moment = read_moment("2026-05-09 14:00", TEMPLATE.dates, TEMPLATE.zone)
    assert moment == datetime(2026, 5, 9, 6, 0, tzinfo=UTC)
