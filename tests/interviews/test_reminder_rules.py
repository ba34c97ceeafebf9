"""What a step does at its moment: both sides of every boundary, to the second; no database."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from interviews.reminders.forms import RuleForm
from interviews.reminders.rules import (
    AGAIN,
    Doubt,
    Facts,
    Outcome,
    Plan,
    Window,
    doubt,
    look,
)

START = datetime(2024, 5, 10, 6, 0, tzinfo=UTC)
DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)
REMINDER = Plan(True, "booked", "message", -DAY, useful=6 * HOUR)
CLOSE = Plan(True, "booked", "close", 30 * timedelta(minutes=1))
TROUBLE = Plan(True, "booked", "trouble", timedelta(minutes=15), useful=6 * HOUR)
BOOKED = Facts("booked", START, START)


def looked(plan, facts, now, planned_for=START):
    return look(plan, facts, planned_for=planned_for, now=now)


def changed(facts, **fields):
    return Facts(**{**vars(facts), **fields})


@pytest.mark.parametrize(
    ("plan", "facts", "now", "outcome"),
    [
        (REMINDER, BOOKED, START - DAY, None),
        (REMINDER, BOOKED, START - DAY + 6 * HOUR, None),
        (REMINDER, BOOKED, START - DAY + 6 * HOUR + SECOND, Outcome.TOO_LATE),
        (Plan(True, "booked", "message", -DAY), BOOKED, START - SECOND, None),
        (Plan(True, "booked", "message", -DAY), BOOKED, START, Outcome.TOO_LATE),
        (Plan(False, "booked", "message", -DAY), BOOKED, START - DAY, Outcome.OVERTAKEN),
        (REMINDER, changed(BOOKED, anchor_at=START + DAY), START - DAY, Outcome.OVERTAKEN),
        (REMINDER, changed(BOOKED, anchor_at=None), START - DAY, Outcome.OVERTAKEN),
        (REMINDER, changed(BOOKED, status="cancelling"), START - DAY, Outcome.OVERTAKEN),
        (REMINDER, changed(BOOKED, status="cancelled"), START - DAY, Outcome.OVERTAKEN),
        (REMINDER, changed(BOOKED, status="in_progress"), START - DAY, Outcome.OVERTAKEN),
        (TROUBLE, BOOKED, START + HOUR, None),
        (TROUBLE, changed(BOOKED, trouble_told=True), START + HOUR, Outcome.NOT_NEEDED),
        (TROUBLE, changed(BOOKED, is_seen=False), START + HOUR, Outcome.NOT_NEEDED),
        (CLOSE, BOOKED, START + 300 * DAY, None),
        (CLOSE, changed(BOOKED, status="cancelled"), START + HOUR, Outcome.OVERTAKEN),
    ],
)
def test_step_acts_or_is_done(plan, facts, now, outcome):
    found = looked(plan, facts, now)

    assert found.later is None
    assert found.outcome == outcome
    assert found.acts == (outcome is None)


@pytest.mark.parametrize("unless", ["opened", "confirmed"])
@pytest.mark.parametrize("what", ["message", "follow_up"])
@pytest.mark.parametrize("true", [True, False])
def test_what_has_been_done_needs_no_reminder(unless, what, true):
    plan = Plan(True, "booked", what, -DAY, unless=unless)
    facts = changed(BOOKED, was_opened=true, is_confirmed=true)

    assert looked(plan, facts, START - DAY).outcome == (Outcome.NOT_NEEDED if true else None)


@pytest.mark.parametrize(
    ("plan", "facts", "now", "later"),
    [
        # Nobody is missing while HR has their request.
        (CLOSE, changed(BOOKED, status="cancelling"), START + HOUR, START + HOUR + AGAIN),
        # The rule was changed to a later time since the step was planned.
        (REMINDER, BOOKED, START - 2 * DAY, START - DAY),
        # The clock stands still while they cannot be reached.
        (REMINDER, changed(BOOKED, contact_wrong=True), START - DAY, START - DAY + AGAIN),
        # The door is still open to who has been in.
        (CLOSE, changed(BOOKED, open_until=START + 9 * HOUR), START + HOUR, START + 9 * HOUR),
    ],
)
def test_step_is_put_off(plan, facts, now, later):
    assert looked(plan, facts, now).later == later


def test_window_closes_once_the_door_does():
    facts = changed(BOOKED, open_until=START + HOUR)

    assert looked(CLOSE, facts, START + HOUR).acts


@pytest.mark.parametrize(
    ("zone", "start", "before"),
    [
        # The clock goes forward, and back, in the night before: a day is 24 hours.
        ("America/New_York", (2024, 3, 10, 9, 0), (2024, 3, 9, 8, 0)),
        ("America/New_York", (2024, 11, 3, 9, 0), (2024, 11, 2, 10, 0)),
        ("Asia/Shanghai", (2024, 3, 1, 9, 0), (2024, 2, 29, 9, 0)),
        ("Asia/Shanghai", (2024, 8, 1, 0, 30), (2024, 7, 31, 0, 30)),
    ],
)
def test_hours_are_counted_not_clocks(zone, start, before):
    starts_at, due = (datetime(*each, tzinfo=ZoneInfo(zone)) for each in (start, before))
    facts = Facts("booked", starts_at, starts_at)

    assert looked(REMINDER, facts, due, planned_for=starts_at).acts
    assert looked(REMINDER, facts, due - SECOND, planned_for=starts_at).later == due


PLAIN = Window(is_seen=True, was_told=True, our_fault=False, trouble_told=False)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, None),
        ({"trouble_told": True}, Doubt.TROUBLE),
        ({"our_fault": True}, Doubt.FAULT),
        ({"was_told": False}, Doubt.NOT_DELIVERED),
        ({"is_seen": False}, Doubt.NOT_SEEN),
        ({"was_told": False, "our_fault": True}, Doubt.FAULT),
    ],
)
def test_whatever_speaks_for_them_is_looked_at_by_hr(changes, found):
    assert doubt(Window(**{**vars(PLAIN), **changes})) == found


def test_the_unit_is_a_unit_and_no_field():
    with translation.override("zh-hans"):
        assert [str(label) for _unit, label in RuleForm.base_fields["unit"].choices] == [
            "分钟",
            "小时",
            "天",
        ]
