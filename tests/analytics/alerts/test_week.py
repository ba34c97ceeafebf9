"""A week of a company, with the rules every installation begins with: the right alerts, once, and
no others."""

from datetime import timedelta

import pytest

from analytics.alerts import services
from analytics.alerts.models import Alert, AlertRule
from notifications.models import Notification, WorkItem
from tests.analytics.alerts.watched import MONDAY, interviews, recount
from tests.factories import CancellationFactory, DepartmentFactory, PositionFactory, WorkItemFactory

pytestmark = pytest.mark.django_db
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def company():
    busy, small, calm = (DepartmentFactory(name=name) for name in ("制造部", "行政部", "研发部"))
    return {
        "fitter": PositionFactory(department=busy, title="装配技术员"),
        "checker": PositionFactory(department=busy, title="质检员"),
        "clerk": PositionFactory(department=small, title="文员"),
        "engineer": PositionFactory(department=calm, title="工程师"),
    }


def day_passes(day, *changes):
    """What happens at nine; then the worker looks again and again until night, at whatever was
    counted and by the clock."""
    for number, change in enumerate(changes):
        change()
        for again in range(3):
            recount()
            services.check_due(day + number * HOUR + again * 2 * MINUTE)
    for hour in range(len(changes), 14):
        services.check_due(day + hour * HOUR)


def leave(position, number, day):
    for each in interviews(position, number, "withdrawn", day=day):
        CancellationFactory(approved=True, interview=each, is_exit=True)


def opened():
    return [(each.rate, each.scope) for each in Alert.objects.order_by("pk")]


def test_the_right_alerts_once_and_no_others(company):
    fitter, checker = company["fitter"], company["checker"]
    clerk, engineer = company["clerk"], company["engineer"]
    monday, tuesday, wednesday, thursday, friday, saturday, sunday = (
        MONDAY + number * DAY for number in range(7)
    )

    # Exactly what the rules allow, and a department of which there are too few to say anything.
    day_passes(
        monday,
        lambda: interviews(fitter, 46, "completed", day=monday),
        lambda: interviews(fitter, 4, "no_show", day=monday),
        lambda: interviews(clerk, 10, "no_show", day=monday),
        lambda: interviews(engineer, 40, "completed", day=monday),
        lambda: interviews(engineer, 10, "ran_out", day=monday),
    )
    day_passes(
        tuesday,
        lambda: interviews(fitter, 46, "completed", day=tuesday),
        lambda: interviews(fitter, 4, "no_show", day=tuesday),
        lambda: interviews(engineer, 40, "completed", day=tuesday),
        lambda: interviews(clerk, 9, "no_show", day=tuesday),
    )
    assert opened() == []

    # Nine in a hundred and three do not come.
    day_passes(
        wednesday,
        lambda: interviews(fitter, 2, "completed", day=wednesday),
        lambda: interviews(fitter, 1, "no_show", day=wednesday),
    )
    assert opened() == [("no_show", "department")]

    # Three in ten leave midway: what the rule allows; then one more.
    day_passes(
        thursday,
        lambda: interviews(checker, 28, "completed", day=thursday),
        lambda: leave(checker, 12, thursday),
    )
    assert opened() == [("no_show", "department")]
    day_passes(friday, lambda: leave(checker, 1, friday))
    assert opened() == [("no_show", "department"), ("exit", "position")]

    # A few records do not match; the others come.
    def differ():
        for each in interviews(engineer, 2, "completed", day=saturday):
            WorkItemFactory(interview=each, kind="anomaly", params={"code": "time_differs"})

    day_passes(saturday, differ, lambda: interviews(fitter, 20, "completed", day=saturday))
    day_passes(sunday, lambda: interviews(fitter, 60, "completed", day=sunday))

    assert opened() == [("no_show", "department"), ("exit", "position")]
    missed, left = Alert.objects.order_by("pk")
    assert (missed.owner, left.owner) == (fitter.department_id, checker.pk)
    assert (missed.opened_at.date(), left.opened_at.date()) == (wednesday.date(), friday.date())
    assert (missed.first.numerator, missed.first.denominator) == (9, 103)
    assert (left.first.numerator, left.first.denominator) == (13, 41)
    assert (missed.ending, left.ending) == ("recovered", "")
    items = dict(WorkItem.objects.filter(params__has_key="alert").values_list("subject", "note"))
    assert items.keys() == {missed.subject, left.subject}
    assert items[missed.subject]
    assert not items[left.subject]
    events = Notification.objects.filter(event__startswith="alert_").order_by("pk")
    assert [(each.event, each.subject) for each in events] == [
        ("alert_opened", missed.subject),
        ("alert_opened", left.subject),
        ("alert_closed", missed.subject),
    ]


def test_every_installation_watches_what_was_asked_for():
    rules = AlertRule.objects.values_list("rate", "scope", "threshold")
    assert {*rules} == {
        ("no_show", "department", 8),
        ("no_reply", "source", 20),
        ("exit", "position", 30),
        ("mismatch", "company", 5),
    }
