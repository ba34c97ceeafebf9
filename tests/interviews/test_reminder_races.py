"""Several workers sweep at once, one of them dies: every step is taken once."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import close_old_connections, connection, transaction
from django.utils import timezone

from interviews.models import Interview, ReminderRule, Step
from interviews.reminders import planning, sweep
from notifications.models import Notification
from tests.factories import InterviewFactory

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 60


def due_now(count: int) -> None:
    """So many appointments whose reminder is due at this moment."""
    for _ in range(count):
        InterviewFactory(link="", starts_in=timedelta(hours=20))
    Step.objects.all().delete()
    rule = ReminderRule.objects.get(stage="booked", minutes=-1440)
    Step.objects.bulk_create(
        Step(
            interview=interview,
            rule=rule,
            anchor_at=interview.starts_at,
            due_at=timezone.now() - timedelta(seconds=1),
        )
        for interview in Interview.objects.all()
    )


def in_a_thread(call):
    def run(*args):
        try:
            return call(*args)
        finally:
            connection.close()
            close_old_connections()

    return run


def test_three_workers_take_every_step_once(monkeypatch):
    monkeypatch.setattr(sweep, "BATCH", 7)
    due_now(MANY)

    with ThreadPoolExecutor(3) as workers:
        sweeping = [
            workers.submit(in_a_thread(lambda: sweep.take_due(seconds=30))) for _ in range(3)
        ]
        taken = sum(each.result() for each in sweeping)

    assert taken == MANY
    assert Step.objects.filter(outcome="sent").count() == MANY
    told = Notification.objects.filter(event="interview_reminder")
    assert told.count() == told.values("dedupe_key").distinct().count() == MANY


def test_what_a_worker_that_died_had_in_hand_is_taken_by_the_next(monkeypatch):
    due_now(3)
    with monkeypatch.context() as patch:
        patch.setattr(sweep, "notify", lambda *told: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            sweep.take_batch(timezone.now())
    assert Step.objects.filter(done_at=None).count() == 3

    assert sweep.take_due(seconds=10) == 3
    assert Notification.objects.filter(event="interview_reminder").count() == 3


def test_interview_in_somebody_elses_hands_is_passed_over(monkeypatch):
    """Who cancels it at this moment waits for nobody, and the sweep waits for nobody."""
    due_now(2)
    held = Interview.objects.earliest("pk")

    with transaction.atomic():
        Interview.objects.lock(held.reference)
        with ThreadPoolExecutor(1) as worker:
            sweeping = worker.submit(in_a_thread(lambda: sweep.take_due(seconds=5)))
            taken = sweeping.result(timeout=20)

    assert taken == 1
    assert held.steps.get().done_at is None


def waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0] > 0


def test_planning_for_a_changed_rule_and_a_booking_do_not_wait_for_each_other():
    """A booking holds the interview and has planned a step of the rule; planning holds the rule and
    waits for the interview."""
    interview = InterviewFactory(link="")
    Step.objects.all().delete()
    rule = ReminderRule.objects.get(stage="booked", minutes=-1440)
    ReminderRule.objects.update(plan_from=None)
    ReminderRule.objects.filter(pk=rule.pk).update(plan_from=0)

    with ThreadPoolExecutor(1) as worker:
        with transaction.atomic():
            Interview.objects.lock(interview.reference)
            planning.plan([interview.pk], now=timezone.now())
            planned = worker.submit(in_a_thread(lambda: planning.plan_changed_rules(pieces=1)))
            until = time.monotonic() + 20
            while not waits_for_a_lock():
                assert time.monotonic() < until
                time.sleep(0.05)
        assert planned.result(timeout=20) == 1

    assert interview.steps.filter(rule=rule).count() == 1
