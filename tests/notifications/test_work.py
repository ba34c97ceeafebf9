"""What staff have to do: opened once, taken on by one, settled once, chased once."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from notifications import work
from notifications.models import WorkItem, WorkKind
from notifications.signals import work_step_reached
from notifications.work import TakenMeanwhile

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


def opened(subject="thing:1", **fields) -> WorkItem:
    """About something no app knows, so that nobody else listens."""
    times = {"due_at": NOW + timedelta(hours=2)} | fields
    work.open_item(WorkKind.FOLLOW_UP, audience="department:1", subject=subject, **times)
    return WorkItem.objects.get(subject=subject, closed_at=None)


@pytest.fixture
def steps():
    """The steps that were reached, as they are told."""
    told = []

    def listen(item, step, **kwargs):
        told.append((item.subject, step))

    work_step_reached.connect(listen)
    yield told
    work_step_reached.disconnect(listen)


@pytest.mark.django_db
def test_same_work_is_opened_once_until_it_is_settled():
    first = opened()
    assert opened(due_at=NOW) == first

    work.close_items(["thing:1"], [WorkKind.FOLLOW_UP], by="user:1", at=NOW)

    assert opened() != first
    first = WorkItem.objects.get(pk=first.pk)
    assert (first.closed_at, first.closed_by) == (NOW, "user:1")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("due_in", "escalated_after"),
    [
        (timedelta(hours=2), timedelta(hours=2)),
        (timedelta(days=9), timedelta(days=1)),
        (timedelta(minutes=5), timedelta(hours=1)),
        (timedelta(hours=-3), timedelta(hours=1)),
    ],
)
def test_who_gives_no_times_is_reminded_when_it_is_due_and_the_leads_later(due_in, escalated_after):
    due_at = NOW + due_in
    item = opened(due_at=due_at, opened_at=NOW)

    assert (item.remind_at, item.escalate_at) == (due_at, due_at + escalated_after)


@pytest.mark.django_db
def test_times_that_are_given_hold():
    only_escalated = opened(escalate_at=NOW)
    assert (only_escalated.remind_at, only_escalated.escalate_at) == (None, NOW)


@pytest.mark.django_db
def test_settling_leaves_other_subjects_and_kinds_alone():
    for subject in ("thing:1", "thing:2", "thing:3"):
        opened(subject)

    assert work.close_items(["thing:1", "thing:2"], [WorkKind.ANOMALY], by="user:1") == 0
    assert work.close_items(["thing:1", "thing:2"], [WorkKind.FOLLOW_UP], by="user:1") == 2

    assert WorkItem.objects.open().get().subject == "thing:3"


@pytest.mark.django_db
def test_taken_item_is_not_taken_from_who_has_it():
    item = opened()
    assert work.assign(item.reference, to="user:1").assignee == "user:1"

    with pytest.raises(TakenMeanwhile) as taken:
        work.assign(item.reference, to="user:2")

    assert taken.value.item.assignee == "user:1"
    assert work.assign(item.reference, to="user:1").assignee == "user:1"
    assert work.assign(item.reference, to="user:2", expected="user:1").assignee == "user:2"
    assert work.assign(item.reference, to="", expected="user:2").assignee == ""


@pytest.mark.django_db
def test_settled_item_is_neither_taken_nor_settled_again():
    item = opened()
    work.resolve(item.reference, by="user:1", note="Called her")

    for again in (
        lambda: work.resolve(item.reference, by="user:2", note="Me too"),
        lambda: work.assign(item.reference, to="user:2"),
    ):
        with pytest.raises(TakenMeanwhile) as taken:
            again()
        assert (taken.value.item.closed_by, taken.value.item.note) == ("user:1", "Called her")


def at_once(*actions) -> list[object]:
    """What each of these returned or raised, begun at the same moment on its own connection."""
    barrier, results = threading.Barrier(len(actions)), [None] * len(actions)

    def run(number, action):
        try:
            barrier.wait(timeout=10)
            results[number] = action()
        except TakenMeanwhile as taken:
            results[number] = taken
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(actions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return results


@pytest.mark.django_db(transaction=True)
def test_of_two_who_claim_at_once_one_has_it_and_the_other_is_told_who():
    item = opened()

    results = at_once(
        *(lambda who=who: work.assign(item.reference, to=who) for who in ("user:1", "user:2"))
    )

    (winner,) = [each for each in results if isinstance(each, WorkItem)]
    (loser,) = [each for each in results if isinstance(each, TakenMeanwhile)]
    assert winner.assignee == loser.item.assignee == WorkItem.objects.get().assignee


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_take_each_step_once(steps):
    for number in range(5):
        opened(f"thing:{number}", remind_at=NOW)

    taken = at_once(*[lambda: work.take_steps(NOW)] * 2)

    assert sum(taken) == 5
    assert not WorkItem.objects.exclude(remind_at=None).exists()


@pytest.mark.django_db
def test_steps_are_taken_when_their_time_has_come_and_once(steps):
    opened(remind_at=NOW, escalate_at=NOW + timedelta(minutes=15))

    assert work.take_steps(NOW - timedelta(seconds=1)) == 0
    assert work.take_steps(NOW) == 1
    assert work.take_steps(NOW + timedelta(minutes=14)) == 0
    assert work.take_steps(NOW + timedelta(minutes=15)) == 1
    assert work.take_steps(NOW + timedelta(days=1)) == 0

    assert steps == [("thing:1", "remind"), ("thing:1", "escalate")]


@pytest.mark.django_db
def test_settled_item_reaches_no_step(steps):
    item = opened(remind_at=NOW)
    work.resolve(item.reference, by="user:1")

    assert work.take_steps(NOW) == 0
    assert steps == []


@pytest.mark.django_db
def test_what_was_told_is_taken_back_where_the_item_was_settled_meanwhile():
    """Here the receiver itself settles it, which is when a colleague may."""
    item = opened(remind_at=NOW)

    def listen(item, **kwargs):
        opened("told:1")
        work.resolve(item.reference, by="user:1")

    work_step_reached.connect(listen)
    try:
        assert work.take_steps(NOW) == 0
    finally:
        work_step_reached.disconnect(listen)

    assert not WorkItem.objects.filter(subject="told:1").exists()
    assert WorkItem.objects.get(pk=item.pk).remind_at == NOW


@pytest.mark.django_db
def test_one_item_that_breaks_does_not_keep_the_others_waiting(steps):
    opened("thing:1", remind_at=NOW - timedelta(minutes=1))
    opened("thing:2", remind_at=NOW)

    def listen(item, **kwargs):
        if item.subject == "thing:1":
            with transaction.atomic():
                raise ValueError

    work_step_reached.connect(listen)
    try:
        assert work.take_steps(NOW) == 1
    finally:
        work_step_reached.disconnect(listen)

    assert WorkItem.objects.get(subject="thing:1").remind_at is not None
    assert WorkItem.objects.get(subject="thing:2").remind_at is None
