"""A sample of the cells is compared with what they count, and what differs is heard of."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics import cells, drift, tasks
from analytics.models import Cell, DirtyCell
from interviews.models import Interview
from notifications.models import WorkItem
from tests.analytics import counting
from tests.database import without_triggers
from tests.factories import DepartmentFactory, InterviewFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def interview():
    interview = InterviewFactory()
    recount()
    return interview


def recount():
    while cells.recount_batch():
        pass


def test_nothing_is_said_of_what_agrees(interview):
    tasks.check_cells()

    assert not WorkItem.objects.exists()
    assert not DirtyCell.objects.exists()


@pytest.mark.parametrize("scope", ["position", "department", "company"])
@pytest.mark.parametrize("span", ["day", "month"])
def test_row_that_differs_is_heard_of_and_right_again(interview, scope, span):
    Cell.objects.filter(scope=scope, span=span).update(no_show=9)

    tasks.check_cells()

    item = WorkItem.objects.get(kind="anomaly")
    assert (item.subject, item.params["code"]) == (interview.subject, drift.CODE)
    recount()
    assert counting.stored() == counting.counted()


def test_change_that_nobody_marked_is_found(interview):
    with without_triggers():
        Interview.objects.update(opened_at="2026-03-04T10:00:00Z")

    tasks.check_cells()

    assert WorkItem.objects.filter(kind="anomaly").exists()
    recount()
    assert counting.stored() == counting.counted()


def test_cell_without_interviews_is_found(interview):
    Cell.objects.create(
        scope="position", span="day", owner=interview.position.pk, since="2020-01-01", source="*",
        kind="*", booked=3,
    )  # fmt: skip

    tasks.check_cells()

    assert WorkItem.objects.filter(kind="anomaly").exists()
    recount()
    assert counting.stored() == counting.counted()


def test_what_waits_to_be_counted_is_no_drift(interview):
    Interview.objects.update(opened_at="2026-03-04T10:00:00Z")
    interview.position.department = DepartmentFactory()
    interview.position.save()

    tasks.check_cells()

    assert not WorkItem.objects.exists()


@pytest.mark.parametrize("scope", ["position", "department", "company"])
@pytest.mark.parametrize("span", ["day", "month"])
def test_marks_of_others_do_not_hide_what_differs(interview, scope, span):
    Cell.objects.filter(scope=scope, span=span).update(no_show=9)
    day = interview.starts_at.date()
    DirtyCell.objects.create(
        day=day - timedelta(days=400), position=interview.position.pk,
        department=interview.position.department_id,
    )  # fmt: skip
    if scope != "company":
        DirtyCell.objects.create(day=day, position=0, department=0)

    tasks.check_cells()

    assert WorkItem.objects.filter(kind="anomaly").exists()


def test_marks_are_not_read_where_nothing_differs(interview):
    counting.mark([(interview.position.pk, interview.starts_at.date(), 0)])
    with CaptureQueriesContext(connection) as queries:
        tasks.check_cells()

    asked = [each["sql"] for each in queries.captured_queries if "dirtycell" in each["sql"]]
    assert ['"id" < 0' in each for each in asked] == [True]  # what has failed, in its index


def test_nothing_to_compare_is_fine():
    tasks.check_cells()
