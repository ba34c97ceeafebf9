"""What beat does, by the rows its scheduler makes of the settings."""

import pytest
from celery.signals import worker_ready
from django.conf import settings
from django.core.cache import cache
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import ModelEntry

from config import run
from config.celery import app
from notifications.tasks import HEARTBEAT_KEY


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(settings.CELERY_BEAT_SCHEDULE))
def test_task_nobody_took_up_is_dropped_when_the_next_one_comes(name):
    entry = settings.CELERY_BEAT_SCHEDULE[name]

    made = ModelEntry.from_entry(name, app=app, **entry)

    assert PeriodicTask.objects.get().expire_seconds == entry["schedule"].total_seconds()
    assert made.options["expires"] == entry["schedule"].total_seconds()


def queue_of(task: str) -> str:
    return app.amqp.router.route({}, task)["queue"].name


def test_long_work_waits_in_a_queue_of_its_own():
    """Else somebody who wants to sign in would wait behind it for their code."""
    assert queue_of("interviews.tasks.work_on_job") == "jobs"
    others = [entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()]
    for task in ("notifications.tasks.deliver_now", *others):
        assert queue_of(task) == app.conf.task_default_queue


def test_make_run_has_a_worker_for_each_queue(tmp_path):
    started = [child.argv for child in run.programs(tmp_path, 8000, {}, 0)]
    workers = [argv for argv in started if "worker" in argv]
    queues = [argv[argv.index("--queues") + 1] if "--queues" in argv else "" for argv in workers]

    assert sorted(queues) == ["", "jobs"]


def test_worker_for_long_work_alone_does_not_pass_for_the_other(monkeypatch):
    """It would say that messages are being sent."""
    monkeypatch.setattr(app.amqp.queues, "_consume_from", {"jobs": app.amqp.queues["jobs"]})

    worker_ready.send(sender=None)

    assert cache.get(HEARTBEAT_KEY) is None


def test_worker_reports_as_soon_as_it_is_ready():
    assert cache.get(HEARTBEAT_KEY) is None

    worker_ready.send(sender=None)

    assert cache.get(HEARTBEAT_KEY)
