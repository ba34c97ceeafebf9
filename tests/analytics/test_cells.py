"""Cells, counted anew where something has changed; also by several at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from threading import Event

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from analytics import cells, drift, tasks
from analytics.figures import Counts
from analytics.measures import NUMBERS
from analytics.models import Cell, DirtyCell
from cancellations.models import Saving
from interviews.models import Interview
from notifications.models import Notification
from tests.analytics import counting
from tests.factories import (
    CancellationFactory,
    DepartmentFactory,
    FreedPlaceFactory,
    InterviewFactory,
    OfferFactory,
    SittingFactory,
    tell,
)

pytestmark = pytest.mark.django_db


def recount():
    while cells.recount_batch():
        pass


def test_what_is_counted_has_a_column_and_a_field_each():
    columns = {field.name for field in Cell._meta.get_fields()}
    assert columns == {"id", *cells.WHERE_IT_IS, *cells.COLUMNS}
    assert tuple(NUMBERS) == tuple(Counts.__dataclass_fields__)


def test_cells_say_what_the_interviews_come_to():
    InterviewFactory(completed=True)
    interview = InterviewFactory(no_show=True)
    InterviewFactory(invited=True, kind="on_site", source="elsewhere")
    CancellationFactory(approved=True)
    CancellationFactory()
    OfferFactory()
    tell(interview)

    recount()

    assert counting.stored() == counting.counted()
    assert not DirtyCell.objects.exists()


def test_rebuilding_gives_the_same_rows_whatever_was_there(capsys):
    CancellationFactory(approved=True)
    InterviewFactory(no_show=True)
    recount()
    before = counting.stored()
    Cell.objects.filter(scope="position").update(booked=7)
    Cell.objects.filter(scope="company").delete()
    Cell.objects.create(
        scope="position", span="day", owner=10**6, since="2020-01-01", source="*", kind="*"
    )

    call_command("rebuild_cells")

    assert counting.stored() == before
    assert "2 positions" not in before
    assert "Counted the interviews of 3 positions" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("starts_at", "day"),
    [
        (datetime(2026, 3, 31, 15, 59, 59, tzinfo=UTC), date(2026, 3, 31)),
        (datetime(2026, 3, 31, 16, tzinfo=UTC), date(2026, 4, 1)),
    ],
)
def test_days_are_those_of_the_company(starts_at, day):
    InterviewFactory(starts_at=starts_at)

    recount()

    cell = Cell.objects.get(scope="company", span="day", source="*", booked=1)
    assert (cell.since, cell.booked) == (day, 1)
    assert Cell.objects.get(
        scope="company", span="month", source="*", booked=1
    ).since == day.replace(day=1)


def test_what_is_not_booked_counts_on_the_day_it_was_invited():
    InterviewFactory(invited=True)

    recount()

    cell = Cell.objects.get(scope="position", span="day", source="*")
    assert (cell.since, cell.invited, cell.booked) == (timezone.localdate(), 1, 0)


def test_interview_that_moves_leaves_the_cell_it_was_in():
    interview = InterviewFactory()
    recount()

    Interview.objects.filter(pk=interview.pk).update(
        starts_at=interview.starts_at + timedelta(days=40)
    )
    assert DirtyCell.objects.count() == 2
    recount()

    assert counting.stored() == counting.counted()
    own = Cell.objects.filter(scope="company", span="day", booked=1)
    assert own.count() == 2  # of it alone, and of all


@pytest.mark.parametrize(
    ("change", "days"),
    [
        ({"status": "no_show", "starts_at": None, "booked_at": None}, ["start", "invited"]),
        ({"booked_at": datetime(2026, 3, 5, tzinfo=UTC)}, ["start", "invited"]),
        ({"created_at": datetime(2026, 3, 3, tzinfo=UTC)}, ["start", "invited", "otherwise"]),
        ({"status": "in_progress"}, ["start"]),  # it was answered, whatever becomes of it
        ({"opened_at": datetime(2026, 3, 5, tzinfo=UTC)}, ["start"]),
    ],
)
def test_day_of_the_invitation_is_marked_where_its_answer_changes(change, days):
    interview = InterviewFactory(starts_at=datetime(2026, 3, 31, tzinfo=UTC))
    invited = datetime(2026, 3, 2, tzinfo=UTC)
    Interview.objects.filter(pk=interview.pk).update(created_at=invited, booked_at=invited)
    recount()

    Interview.objects.filter(pk=interview.pk).update(**change)

    known = {
        "start": date(2026, 3, 31), "invited": date(2026, 3, 2), "otherwise": date(2026, 3, 3)
    }  # fmt: skip
    assert set(DirtyCell.objects.values_list("day", flat=True)) == {known[day] for day in days}
    recount()
    assert counting.stored() == counting.counted()


def test_sums_follow_a_position_to_its_new_department():
    interview = InterviewFactory()
    recount()

    interview.position.department = DepartmentFactory()
    interview.position.save()
    recount()

    owners = set(Cell.objects.filter(scope="department").values_list("owner", flat=True))
    assert owners == {interview.position.department_id}


@pytest.mark.parametrize("most", [1, 200])
def test_position_that_moves_twice_takes_its_counts_along(most):
    """Also where marks of the old department are counted when it is in the new one already."""
    interview, place = InterviewFactory(no_show=True), FreedPlaceFactory()
    InterviewFactory(
        application__position=interview.position, slot=None, starts_at=interview.starts_at
    )
    recount()
    for position in (interview.position, place.slot.position, interview.position):
        Interview.objects.filter(pk=interview.pk).update(opened_at=timezone.now())
        position.department = DepartmentFactory()
        position.save()
        cells.recount_batch(most)
    recount()

    assert counting.stored() == counting.counted()


def test_what_has_not_changed_is_not_written():
    interview = InterviewFactory(no_show=True)
    recount()
    before = versions()

    Interview.objects.update(opened_at=interview.opened_at)
    counting.mark([(interview.position.pk, timezone.localdate(interview.starts_at), 0)])
    recount()
    list(cells.rebuild())

    assert versions() == before


def versions():
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, ctid::text, xmin::text FROM analytics_cell ORDER BY id")
        return cursor.fetchall()


def test_rebuilding_that_breaks_off_leaves_the_sums_marked():
    InterviewFactory(no_show=True)
    DirtyCell.objects.all().delete()  # nothing of it has been counted
    next(rebuilding := cells.rebuild())
    rebuilding.close()

    recount()

    assert counting.stored() == counting.counted()


def test_cell_that_cannot_be_counted_holds_up_no_other():
    good, bad = CancellationFactory(approved=True), CancellationFactory(approved=True)
    promised = bad.policy
    type(bad).objects.filter(pk=bad.pk).update(
        policy={"promised_minutes": "soon"}, outcome="needs_hr", party="candidate"
    )
    recount()

    found = counting.stored()
    assert found["position", "day", good.interview.position.pk,
                 timezone.localdate(good.interview.starts_at), "*", "*"]  # fmt: skip
    assert {mark.position for mark in DirtyCell.objects.all()} == {bad.interview.position.pk}
    assert max(DirtyCell.objects.values_list("pk", flat=True)) < 0

    assert drift.check_and_report() == []  # which looks at the others
    for _positions in cells.rebuild():
        pass
    type(bad).objects.filter(pk=bad.pk).update(policy=promised)
    recount()
    assert counting.stored() == counting.counted()


def test_cell_that_an_older_worker_wrote_is_in_its_sums_once():
    """It does not say whose sums it is in."""
    interview = InterviewFactory(completed=True)
    recount()
    Cell.objects.update(department=None)
    Interview.objects.filter(pk=interview.pk).update(moves=2)

    recount()

    assert counting.stored() == counting.counted()


def test_department_of_cells_that_waited_is_known_after_the_migration():
    """Their sums are in the department of before: added up anew."""
    interview = InterviewFactory()
    recount()
    interview.position.department = DepartmentFactory()
    interview.position.save()
    Cell.objects.update(department=None)
    fill = import_module("analytics.migrations.0002_departments_of_cells").FILL
    with connection.cursor() as cursor:
        cursor.execute(fill)

    recount()

    assert counting.stored() == counting.counted()


@pytest.mark.parametrize(
    ("change", "marks"),
    [
        (lambda told: Notification.objects.update(state="failed", error_code="30003"), True),
        (lambda told: Notification.objects.update(state="queued"), True),  # sent again
        (lambda told: Notification.objects.update(address="", body="", params={}), False),
        (lambda told: Notification.objects.update(arrived_at=timezone.now()), False),
        (lambda told: Saving.objects.update(outcome="kept"), True),
        (lambda told: FreedPlaceFactory(), True),
    ],
)
def test_cell_is_marked_by_whatever_changes_its_counts_and_nothing_else(change, marks):
    interview = InterviewFactory()
    tell(interview)
    Saving.objects.create(interview=interview, reason="x", offered="guide", at=timezone.now())
    recount()

    change(interview)

    assert DirtyCell.objects.exists() == marks
    recount()
    assert counting.stored() == counting.counted()


def test_latest_marks_are_taken_first():
    old, new = InterviewFactory(), InterviewFactory()
    DirtyCell.objects.all().delete()
    for interview in (old, new):
        Interview.objects.filter(pk=interview.pk).update(opened_at=timezone.now())

    assert cells.recount_batch(1) == 1

    assert DirtyCell.objects.get().position == old.position.pk


# --- several at once ------------------------------------------------------------------------------


def elsewhere(call):
    """On a connection of its own."""

    def run():
        try:
            return call()
        finally:
            connection.close()

    return run


def before_statement(word, change):
    """Let `change` happen just before the first statement that begins so."""
    waiting = [change]

    def intervene(execute, sql, *args):
        if waiting and word in sql:
            waiting.pop()()
        return execute(sql, *args)

    return connection.execute_wrapper(intervene)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "when", ["pg_try_advisory", "DELETE FROM analytics_dirtycell", "WITH \nfacts",
             "JOIN analytics_cell", "INSERT INTO analytics_cell"]
)  # fmt: skip
def test_what_changes_while_it_is_counted_is_not_lost(when):
    """It commits in between: counted now, or marked for the next time."""
    interview = InterviewFactory()
    with ThreadPoolExecutor(1) as pool:

        def change():
            def book():
                Interview.objects.filter(pk=interview.pk).update(opened_at=timezone.now())

            pool.submit(elsewhere(book)).result()

        with before_statement(when, change):
            cells.recount_batch()
    recount()

    assert counting.stored() == counting.counted()
    assert Cell.objects.get(scope="company", span="day", source="*", booked=1).opened == 1


@pytest.mark.django_db(transaction=True)
def test_what_commits_after_it_was_counted_is_still_marked():
    """A change begun before the marks are taken, and committed after: its own mark stays."""
    interview = InterviewFactory()
    changed, counted = Event(), Event()

    def change():
        with transaction.atomic():
            Interview.objects.filter(pk=interview.pk).update(opened_at=timezone.now())
            changed.set()
            assert counted.wait(30)

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(elsewhere(change))
        assert changed.wait(30)
        recount()  # waits for nobody, and takes the marks there are
        assert not DirtyCell.objects.exists()
        assert Cell.objects.get(scope="company", span="day", source="*", booked=1).opened == 0
        counted.set()
        done.result()

    recount()

    assert Cell.objects.get(scope="company", span="day", source="*", booked=1).opened == 1


@pytest.mark.django_db(transaction=True)
def test_nobody_who_changes_something_waits_for_who_counts():
    interview = InterviewFactory()
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        cells.recount_batch()  # not committed yet

        def change():
            with connection.cursor() as cursor:
                cursor.execute("SET statement_timeout = '5s'")
            Interview.objects.filter(pk=interview.pk).update(opened_at=timezone.now())

        pool.submit(elsewhere(change)).result()
    recount()

    assert counting.stored() == counting.counted()


@pytest.mark.django_db(transaction=True)
def test_second_worker_leaves_it_to_the_first():
    InterviewFactory()
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        with connection.cursor() as cursor:
            cells.wait_for_turn(cursor)
        assert pool.submit(elsewhere(cells.recount_batch)).result() == 0

    assert cells.recount_batch() == 2  # where it is, and where it was invited


@pytest.mark.django_db(transaction=True)
def test_many_who_change_and_many_who_count_at_once_leave_the_right_figures():
    interviews = [InterviewFactory() for _ in range(4)]

    def change(interview):
        for days in range(1, 6):
            Interview.objects.filter(pk=interview.pk).update(
                starts_at=interview.starts_at + timedelta(days=days)
            )

    calls = [elsewhere(lambda each=each: change(each)) for each in interviews]
    calls += [elsewhere(tasks.recount) for _ in range(3)]
    with ThreadPoolExecutor(len(calls)) as pool:
        for done in [pool.submit(call) for call in calls]:
            done.result()
    recount()

    assert counting.stored() == counting.counted()


@pytest.mark.django_db(transaction=True)
def test_worker_that_dies_leaves_the_marks():
    interview = InterviewFactory()

    def die():
        with transaction.atomic():
            cells.recount_batch()
            connection.connection.close()  # the server undoes what was not committed

    with ThreadPoolExecutor(1) as pool, pytest.raises(Exception, match="closed"):
        pool.submit(elsewhere(die)).result()
    assert DirtyCell.objects.filter(position=interview.position.pk).exists()
    recount()

    assert counting.stored() == counting.counted()


def test_who_never_saw_a_question_has_not_left_at_the_last_one():
    sitting = SittingFactory(current=0)
    Interview.objects.filter(pk=sitting.interview_id).update(status="incomplete")
    recount()

    assert counting.stored() == counting.counted()
    assert Cell.objects.filter(exits__has_key="lapse|stage|unknown").exists()
