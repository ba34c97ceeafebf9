"""What BI tools read: the numbers of the figures, and nothing about anybody."""

import re

import pytest
from django.db import connection
from django.utils import timezone

from analytics import figures
from analytics.figures import COMPANY_WIDE, NUMBERS, Period
from analytics.measures import HANDLING_MINUTES, MAPS, NOTICE_HOURS
from tests.analytics.test_pages import at, count, some_of_everything
from tests.factories import (
    AbsenceFactory,
    FreedPlaceFactory,
    InterviewFactory,
    OfferFactory,
    PositionFactory,
)

pytestmark = pytest.mark.django_db

ALWAYS = Period(
    timezone.localdate().replace(year=2000, month=1, day=1),
    timezone.localdate().replace(year=2099, month=12, day=31),
)
# By the map of the cells they are drawn from.
VIEWS = {
    "reasons": ["reasons"],
    "requests": ["requests"],
    "handling": ["decision_times"],
    "notice": ["notice"],
    "hours": ["hours_of_the_week"],
    "exits": ["exits"],
    "reminders": ["reminders"],
    "absences": ["absences"],
    "saved": ["saved"],
    "refill": ["freed_places", "place_offers"],
    "delivery": ["messages"],
    "quality": ["findings"],
    "invitations": ["invitations"],
    "venues": ["venues"],
    "answers": ["answers"],
}
LISTS = ["departments", "categories", "positions"]


def read(query):
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def columns_of(view):
    return read(
        "SELECT a.attname, col_description(a.attrelid, a.attnum)"
        " FROM pg_attribute a WHERE a.attnum > 0"
        f" AND a.attrelid = 'bi.{view}'::regclass ORDER BY a.attnum"
    )


@pytest.fixture
def everything():
    """Of two positions, and of every kind."""
    for position in (PositionFactory(), PositionFactory()):
        some_of_everything(position)
        AbsenceFactory(interview__position=position, interview__starts_at=at(hour=13))
        FreedPlaceFactory(slot__position=position, slot__starts_at=at(hour=14))
        OfferFactory(slot__position=position, slot__starts_at=at(hour=15))
        InterviewFactory(
            position=position,
            completed=True,
            starts_at=at(),
            slot=None,
            location="Hall 1",
            extra={"reminder_call": "yes"},
            source="ats",
        )
    count()


def test_every_map_of_the_cells_has_its_views():
    named = {
        name
        for (name,) in read(
            "SELECT table_name FROM information_schema.views WHERE table_schema = 'bi'"
        )
    }
    assert set(VIEWS) == set(MAPS)
    assert named == {
        *LISTS,
        "interview_days",
        *(each for views in VIEWS.values() for each in views),
    }


def test_sums_of_the_days_are_the_totals(everything):
    sums = ", ".join(f"sum({name})::int" for name in NUMBERS)
    (row,) = read(f"SELECT {sums} FROM bi.interview_days")

    totals = figures.totals(COMPANY_WIDE, ALWAYS)
    assert totals.booked > 5
    assert dict(zip(NUMBERS, row, strict=True)) == {name: getattr(totals, name) for name in NUMBERS}


def test_every_number_of_the_cells_is_there():
    assert [name for name, _about in columns_of("interview_days")] == [
        "day",
        "position_id",
        "source",
        "kind",
        *NUMBERS,
    ]


@pytest.mark.parametrize("name", MAPS)
def test_views_hold_what_the_maps_hold(everything, name):
    """Whatever counts by key, summed over all days and positions."""
    whole = sum(figures.split(COMPANY_WIDE, ALWAYS, name).values())
    counted = 0
    for view in VIEWS[name]:
        last = columns_of(view)[-1][0]
        counted += read(f"SELECT coalesce(sum({last}), 0)::int FROM bi.{view}")[0][0]
    assert counted == whole
    if name not in {"saved", "handling", "refill"}:
        assert whole > 0


def test_parts_of_keys_are_columns(everything):
    given = figures.reasons(COMPANY_WIDE, ALWAYS)
    rows = read("SELECT party, reason, sum(interviews)::int FROM bi.reasons GROUP BY 1, 2")
    assert sorted(rows) == sorted(
        (party, code, number) for party, codes in given.items() for code, number in codes.items()
    )
    hours = {
        (each.weekday, each.hour): each.starts
        for each in figures.hours(COMPANY_WIDE, ALWAYS)
        if each.starts
    }
    rows = read(
        "SELECT weekday, hour, sum(interviews)::int FROM bi.hours_of_the_week"
        " WHERE what = 'starts' GROUP BY 1, 2"
    )
    assert {(weekday, hour): number for weekday, hour, number in rows} == hours
    rows = read("SELECT state, sum(places)::int FROM bi.freed_places GROUP BY 1")
    places = figures.refilled(COMPANY_WIDE, ALWAYS)
    assert sum(number for _state, number in rows) == places.freed > 0
    rows = read("SELECT state, sum(offers)::int FROM bi.place_offers GROUP BY 1")
    assert dict(rows) == places.offers


@pytest.mark.parametrize(
    ("view", "unit", "edges", "read_bars"),
    [
        ("notice", "hours", NOTICE_HOURS, lambda: figures.notice(COMPANY_WIDE, ALWAYS)),
        (
            "decision_times",
            "minutes",
            HANDLING_MINUTES,
            lambda: figures.handling(COMPANY_WIDE, ALWAYS).histogram,
        ),
    ],
)
def test_steps_have_the_edges_of_the_figures(everything, view, unit, edges, read_bars):
    (sql,) = [row[0] for row in read(f"SELECT pg_get_viewdef('bi.{view}'::regclass)")]
    drawn = [tuple(map(int, found.split(","))) for found in re.findall(r"ARRAY\[([\d, ]+)\]", sql)]
    assert set(drawn) == {edges}
    rows = read(
        f"SELECT from_{unit}, below_{unit}, sum(requests)::int FROM bi.{view} GROUP BY 1, 2"
    )
    bars = [(bar.low, bar.high, bar.count) for bar in read_bars() if bar.count]
    assert sorted(rows, key=str) == sorted(bars, key=str)


def test_everything_says_what_it_is():
    for view in [*LISTS, "interview_days", *(each for views in VIEWS.values() for each in views)]:
        ((about,),) = read(f"SELECT obj_description('bi.{view}'::regclass)")
        assert about, view
        assert [name for name, said in columns_of(view) if not said] == [], view


def test_nothing_is_about_anybody(everything):
    """Neither names nor ids of people, nor what leads to them."""
    views = [*LISTS, "interview_days", *(each for views in VIEWS.values() for each in views)]
    columns = {name for view in views for name, _about in columns_of(view)}
    assert not {
        name
        for name in columns
        if re.search(r"user|person|people|recruiter|candidate_|mail|phone|interview_id", name)
    }
    read_from = read(
        "SELECT DISTINCT table_name FROM information_schema.view_table_usage"
        " WHERE view_schema = 'bi'"
    )
    assert {name for (name,) in read_from} == {
        "analytics_cell",
        "interviews_department",
        "interviews_position",
        "interviews_positioncategory",
    }
