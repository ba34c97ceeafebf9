"""What a model may know: a short list of facts about appointments, and nothing else."""

import re
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from analytics.risk import queries, records
from analytics.risk.facts import (
    ANSWERS,
    QUESTIONS,
    Facts,
    answers_of,
    appointment_of,
    elsewhere,
    features,
)
from interviews.imports.rows import Record

ZONE = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 5, 11, 4, 30, tzinfo=UTC)  # Monday 12:30 in Shanghai

# What must never be known of anybody, by any part of any name.
FORBIDDEN = {
    *("gender", "sex", "marital", "married", "age", "birth", "birthday", "national", "native"),
    *("hukou", "ethnic", "religion", "health", "medical", "disability", "pregnant", "certificate"),
    *("mark", "marks", "absence", "absences", "appeal", "record", "name", "mobile", "phone"),
    *("email", "resume_text", "detail", "note", "score"),
}
FULL = Facts(
    kind="on_site",
    source="old_ats",
    department="d1",
    category="frontline",
    place="Shenzhen",
    lives_elsewhere=True,
    works_elsewhere=True,
    starts_at=NOON,
    booked_at=NOON - timedelta(days=9),
    invited_at=NOON - timedelta(days=13),
    moves=2,
    answers=dict.fromkeys(QUESTIONS, "no"),
    appointment="walk_in",
)


def words_of(name):
    return set(re.split(r"[^a-z]+", name.lower())) - {""}


def names_of(facts):
    return {name.split("=")[0].removeprefix("answer:") for name in features(facts, ZONE)}


def test_nothing_forbidden_is_a_fact_a_column_or_a_feature():
    known = {
        *(each.name for each in fields(Facts)),
        *queries.COLUMNS,
        *queries.COLUMNS.values(),
        *names_of(FULL),
        *QUESTIONS,
    }
    assert len(known) > 30
    reached = {name: words_of(name) & FORBIDDEN for name in known}
    assert not {name: words for name, words in reached.items() if words}


def test_every_fact_there_is_reaches_the_model_through_this_list():
    """A fact added to Facts has to be thought about here."""
    assert {each.name for each in fields(Facts)} == {
        *("kind", "source", "department", "category", "place", "lives_elsewhere"),
        *("works_elsewhere", "starts_at", "booked_at", "invited_at", "moves", "answers"),
        "appointment",
    }


@pytest.mark.parametrize(
    "forbidden",
    [
        {"gender": "female"},
        {"marital_status": "married"},
        {"age": "51"},
        {"health": "no"},
        {"native_city": "chennai"},
        {"marks": "yes"},
        {"industry": "bfsi"},
    ],
)
def test_whatever_a_mapping_carries_over_only_the_questions_are_read(forbidden):
    extra = {"expected": "yes", "appointment": "walk_in"}
    assert answers_of(extra | forbidden) == {"expected": "yes"}
    row = {
        **dict.fromkeys(queries.COLUMNS, ""),
        "starts_at": NOON,
        "booked_at": None,
        "created_at": NOON,
        "moves": 0,
    }
    assert queries.facts_of({**row, "extra": extra}) == queries.facts_of(
        {**row, "extra": extra | forbidden}
    )
    assert records.facts_of(record(extra), "x") == records.facts_of(record(extra | forbidden), "x")


def record(extra):
    return Record(1, "", NOON, None, None, None, None, {"name": "Candidate 1"}, extra)


@pytest.mark.parametrize("answer", ["", "maybe, I am pregnant", None, 7, ["yes"]])
def test_an_answer_is_one_of_four_codes(answer):
    assert answers_of({"expected": answer}) == {}
    assert answers_of({"expected": "uncertain"}) == {"expected": "uncertain"}
    assert {"yes", "no", "uncertain", "unknown"} == ANSWERS


def test_an_appointment_is_one_of_three_kinds():
    assert appointment_of({"appointment": "scheduled"}) == "scheduled"
    assert appointment_of({"appointment": "by her husband"}) == ""


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ("Chennai", "chennai ", False),
        ("深圳", "深圳市南山区1号楼", False),
        ("Chennai", "Bangalore", True),
        ("", "Chennai", None),
        ("Chennai", "", None),
    ],
)
def test_where_somebody_lives_is_only_known_as_here_or_elsewhere(one, other, said):
    assert elsewhere(one, other) is said


def test_what_is_unknown_says_nothing():
    assert features(Facts(), ZONE) == {"source=": 1.0}


@pytest.mark.parametrize(
    ("before", "feature"),
    [
        (timedelta(days=1), "ahead=day"),
        (timedelta(days=1, seconds=1), "ahead=days"),
        (timedelta(days=3), "ahead=days"),
        (timedelta(days=3, seconds=1), "ahead=week"),
        (timedelta(days=7), "ahead=week"),
        (timedelta(days=7, seconds=1), "ahead=long"),
    ],
)
def test_how_long_ahead_it_was_booked(before, feature):
    facts = Facts(starts_at=NOON, booked_at=NOON - before)
    assert feature in features(facts, ZONE)


@pytest.mark.parametrize("after", [timedelta(0), timedelta(hours=2), timedelta(days=9)])
def test_what_was_reinstated_after_its_time_says_nothing_of_when_it_was_booked(after):
    facts = Facts(starts_at=NOON, booked_at=NOON + after, invited_at=NOON - timedelta(days=9))
    assert not {name for name in features(facts, ZONE) if name.startswith(("ahead=", "booked"))}


@pytest.mark.parametrize(
    ("hour", "feature"),
    [(5, None), (6, "early"), (9, "morning"), (12, "noon"), (14, "afternoon"), (21, "evening")],
)
def test_time_of_day_is_local_and_the_small_hours_say_nothing(hour, feature):
    at = datetime(2026, 5, 11, hour, tzinfo=ZONE)
    said = {name for name in features(Facts(starts_at=at), ZONE) if name.startswith("hour=")}
    assert said == ({f"hour={feature}"} if feature else set())


def test_saturday_is_a_weekend_and_friday_is_not():
    friday = datetime(2026, 5, 15, 23, tzinfo=ZONE)
    assert "weekend" not in features(Facts(starts_at=friday), ZONE)
    assert "weekend" in features(Facts(starts_at=friday + timedelta(hours=1)), ZONE)


def test_the_day_itself_is_not_known():
    """Everybody invited for one day shares what happened on it, which nobody knows beforehand."""
    later = replace(
        FULL,
        starts_at=NOON + timedelta(days=7),
        booked_at=FULL.booked_at + timedelta(days=7),
        invited_at=FULL.invited_at + timedelta(days=7),
    )
    assert features(later, ZONE) == features(FULL, ZONE)
