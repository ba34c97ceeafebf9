"""Long work in the background: each item is dealt with exactly once, whatever workers do."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Event

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.utils import timezone

from interviews import jobs
from interviews.jobs import (
    KINDS,
    Halted,
    forget_reports,
    run_job,
    start_job,
    stop_job,
    unfinished_jobs,
)
from interviews.models import Department, Job, JobRow, JobState
from interviews.tasks import forget_old_reports, go_on_with_jobs
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


class Fake:
    """Makes a department of each item, which cannot be made twice."""

    title = "A fake"

    def __init__(self):
        self.before_batch = lambda items: None

    def items(self, job):
        return [f"item-{number}" for number in range(job.total)]

    def do(self, job, items):
        rows = []
        for number, item in enumerate(items, start=job.done + 1):
            Department.objects.create(code=item, name=item)
            rows.append(JobRow(job=job, number=number, outcome="made", subject=item))
        self.before_batch(items)  # and before its transaction ends
        return rows


@pytest.fixture
def fake(monkeypatch):
    kind = Fake()
    monkeypatch.setitem(KINDS, "fake", (kind, 10))
    return kind


@pytest.fixture
def job(fake):
    return start_job("fake", by=UserFactory(recruiter=True), total=35)


def ended(job) -> Job:
    return Job.objects.get(pk=job.pk)


def dealt_with(job) -> list[str]:
    """What was made, which must be what the report tells of."""
    reported = list(job.rows.values_list("subject", flat=True))
    assert sorted(Department.objects.values_list("code", flat=True)) == sorted(reported)
    return reported


def test_job_deals_with_every_item_in_order(job):
    run_job(job.pk)

    assert (ended(job).state, ended(job).done) == (JobState.DONE, 35)
    assert ended(job).ended_at
    assert dealt_with(job) == [f"item-{number}" for number in range(35)]
    assert list(job.rows.values_list("number", flat=True)) == list(range(1, 36))


def test_job_that_is_over_is_not_run_again(job):
    run_job(job.pk)
    run_job(job.pk)

    assert len(dealt_with(job)) == 35


def test_job_without_items_is_done(fake):
    job = start_job("fake", by=UserFactory(recruiter=True), total=0)

    run_job(job.pk)

    assert ended(job).state == JobState.DONE


def test_worker_that_dies_in_a_batch_leaves_nothing_half_done(job, fake):
    class Killed(BaseException):
        pass

    def die(items):
        if "item-12" in items:
            raise Killed

    fake.before_batch = die
    with pytest.raises(Killed):
        run_job(job.pk)
    assert (ended(job).state, ended(job).done) == (JobState.RUNNING, 10)
    assert len(dealt_with(job)) == 10

    fake.before_batch = lambda items: None
    run_job(job.pk)
    assert ended(job).done == 10, "the lease keeps others away"
    Job.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    assert unfinished_jobs() == [job.pk]
    run_job(job.pk)

    assert ended(job).state == JobState.DONE
    assert dealt_with(job) == [f"item-{number}" for number in range(35)]


def test_batch_that_kills_every_worker_is_given_up(job, fake):
    class Killed(BaseException):
        pass

    def die(items):
        raise Killed

    fake.before_batch = die
    for _ in range(jobs.MOST_ATTEMPTS):
        with pytest.raises(Killed):
            run_job(job.pk)
        Job.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))

    run_job(job.pk)

    assert (ended(job).state, ended(job).error_code) == (JobState.FAILED, "gave_up")
    assert unfinished_jobs() == []


def test_database_that_went_away_is_waited_for(job, fake):
    def lose_connection(items):
        raise OperationalError

    fake.before_batch = lose_connection
    run_job(job.pk)
    assert ended(job).state == JobState.RUNNING

    fake.before_batch = lambda items: None
    Job.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    run_job(job.pk)

    assert len(dealt_with(job)) == 35


def test_error_ends_the_job_and_keeps_what_was_done(job, fake):
    def break_down(items):
        if "item-20" in items:
            raise ValueError("13800000000")

    fake.before_batch = break_down
    run_job(job.pk)

    assert (ended(job).state, ended(job).error_code) == (JobState.FAILED, "ValueError")
    assert len(dealt_with(job)) == 20


def test_kind_nobody_knows_fails(job, monkeypatch):
    monkeypatch.delitem(KINDS, "fake")

    run_job(job.pk)

    assert ended(job).state == JobState.FAILED


def test_stopped_job_ends_after_the_batch_in_hand(job, fake):
    def press_stop(items):
        if "item-10" in items:
            stop_job(job.pk)

    fake.before_batch = press_stop
    run_job(job.pk)

    assert (ended(job).state, ended(job).done) == (JobState.STOPPED, 20)
    assert len(dealt_with(job)) == 20


def test_job_stopped_before_it_began_never_begins(job):
    stop_job(job.pk)
    run_job(job.pk)

    assert ended(job).state == JobState.STOPPED
    assert ended(job).ended_at
    assert dealt_with(job) == []


def test_stopping_what_is_over_changes_nothing(job):
    run_job(job.pk)
    stop_job(job.pk)

    assert ended(job).state == JobState.DONE


def test_long_job_makes_room_for_others_and_goes_on(job, fake, monkeypatch):
    published = []
    monkeypatch.setattr(jobs, "AT_ONCE", 0.0)
    monkeypatch.setattr(jobs, "_publish", published.append)

    run_job(job.pk)
    assert published == [job.pk]

    monkeypatch.setattr(jobs, "AT_ONCE", 60.0)
    run_job(job.pk)
    assert len(dealt_with(job)) == 35


def test_form_sent_twice_starts_one_job(fake):
    user = UserFactory(recruiter=True)

    first = start_job("fake", by=user, total=1, reference="7K2M9QX4TB")
    second = start_job("fake", by=user, total=1, reference="7K2M9QX4TB")

    assert first == second
    assert Job.objects.count() == 1


def test_sweep_begins_what_the_broker_lost(job, monkeypatch):
    sent = []
    monkeypatch.setattr(
        "interviews.tasks.work_on_job.apply_async",
        lambda args, expires: sent.append((args, expires)),
    )

    go_on_with_jobs()

    every = settings.CELERY_BEAT_SCHEDULE["go-on-with-jobs"]["schedule"].total_seconds()
    assert sent == [((job.pk,), every)], "it is gone when the next sweep says so again"


def test_old_files_and_reports_are_forgotten_and_others_kept(fake):
    user = UserFactory(recruiter=True)
    old, young = (
        start_job("fake", by=user, total=3, params={"total": number}, file=b"name,mobile")
        for number in (1, 2)
    )
    run_job(old.pk)
    Department.objects.all().delete()
    run_job(young.pk)
    Job.objects.filter(pk=old.pk).update(ended_at=timezone.now() - timedelta(days=91))

    forget_old_reports()

    assert (ended(old).file, ended(old).params, old.rows.count()) == (None, {}, 0)
    assert (bytes(ended(young).file), young.rows.count()) == (b"name,mobile", 3)
    assert forget_reports(before=timezone.now() - timedelta(days=90)) == 0


@pytest.mark.django_db(transaction=True)
def test_who_stops_a_job_does_not_wait_for_the_batch_in_hand(job, fake):
    """Not even for its report, the lines of which refer to the job."""
    in_hand, go_on = Event(), Event()

    def take_long(items):
        if "item-10" in items:
            JobRow.objects.create(job=job, number=0, outcome="made", subject="item-10")
            in_hand.set()
            go_on.wait(30)
            JobRow.objects.filter(number=0).delete()

    fake.before_batch = take_long

    def work():
        try:
            run_job(job.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(work)
        try:
            assert in_hand.wait(30)
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '2s'")
            asked = stop_job(job.pk)
        finally:
            go_on.set()
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = DEFAULT")
        working.result(30)

    assert asked.stop_asked
    assert (ended(job).state, ended(job).done) == (JobState.STOPPED, 20)
    assert len(dealt_with(job)) == 20


@pytest.mark.django_db(transaction=True)
def test_worker_leaves_a_job_alone_that_another_has_in_hand(job, fake, monkeypatch):
    """Even where the lease has ended: it has others to do meanwhile."""
    monkeypatch.setattr(jobs, "LEASE", timedelta(seconds=-1))
    in_hand, go_on = Event(), Event()

    def take_long(items):
        in_hand.set()
        go_on.wait(30)

    fake.before_batch = take_long

    def work():
        try:
            run_job(job.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(work)
        try:
            assert in_hand.wait(30)
            assert jobs._claim(job.pk) is None
        finally:
            go_on.set()
        working.result(30)

    assert ended(job).state == JobState.DONE
    assert len(dealt_with(job)) == 35


def test_kind_may_halt_its_job_and_says_why(job, fake, monkeypatch):
    def halt(job, items):
        if "item-10" in items:
            raise Halted("enough")
        return Fake.do(fake, job, items)

    monkeypatch.setattr(fake, "do", halt)

    run_job(job.pk)

    assert (ended(job).state, ended(job).done) == (JobState.STOPPED, 10)
    assert ended(job).error_code == "enough"
    assert len(dealt_with(job)) == 10


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(3))
def test_two_workers_at_once_do_each_item_once(fake, monkeypatch, attempt):
    """Even where the lease of one ends under it, and the other believes the job is free."""
    monkeypatch.setattr(jobs, "LEASE", timedelta(seconds=-1))
    job = start_job("fake", by=UserFactory(recruiter=True), total=35)
    barrier = Barrier(2)

    def work(_):
        try:
            connection.ensure_connection()
            barrier.wait(timeout=30)
            run_job(job.pk)
            run_job(job.pk)  # the one that came too early to the locked row comes again
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))

    assert (ended(job).state, ended(job).done) == (JobState.DONE, 35)
    assert sorted(dealt_with(job)) == sorted(f"item-{number}" for number in range(35))
    assert job.rows.values("number").distinct().count() == 35
