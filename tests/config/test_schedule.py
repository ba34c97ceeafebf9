"""What beat does, by the rows its scheduler makes of the settings."""

import os
import subprocess
import sys

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


@pytest.mark.parametrize("name", sorted(settings.CELERY_BEAT_SCHEDULE))
def test_what_beat_asks_for_is_a_task_of_the_worker(name):
    app.loader.import_default_modules()

    assert settings.CELERY_BEAT_SCHEDULE[name]["task"] in app.tasks


def queue_of(task: str) -> str:
    return app.amqp.router.route({}, task)["queue"].name


def test_long_work_waits_in_a_queue_of_its_own():
    """Else somebody who wants to sign in would wait behind it for their code."""
    long = {
        "interviews.tasks.work_on_job",
        "cancellations.tasks.check_consistency",
        "analytics.tasks.check_cells",
        "analytics.tasks.send_weekly_summary",
        "analytics.risk.tasks.look_ahead",
        "analytics.risk.tasks.train",
    }
    assert {queue_of(task) for task in long} == {"jobs"}
    others = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} - long
    for task in ("notifications.tasks.deliver_now", *others):
        assert queue_of(task) == app.conf.task_default_queue


def test_make_run_has_a_worker_for_each_queue(tmp_path):
    started = [child.argv for child in run.programs(tmp_path, 8000, {}, 0)]
    workers = [argv for argv in started if "worker" in argv]
    queues = [argv[argv.index("--queues") + 1] if "--queues" in argv else "" for argv in workers]

    assert sorted(queues) == ["", "jobs"]


def test_make_run_starts_a_platform_only_where_there_is_room_for_one(tmp_path):
    there = {"DEMO_PLATFORM_URL": "http://127.0.0.1:8900"}
    with_one, without = (run.programs(tmp_path, 8000, each, 0) for each in (there, {}))

    assert len(with_one) == len(without) + 1
    assert "--port 8900" in " ".join(with_one[-1].argv)
    assert run.platform_url(8000) != run.platform_url(64_700)


def test_platform_that_is_none_does_not_start_in_production():
    for mode in ({}, {"MIANYUE_MODE": "production"}):
        started = subprocess.run(
            [sys.executable, "-m", "config.fake_platform", "--port", "0"],
            env={**{k: v for k, v in os.environ.items() if k != "MIANYUE_MODE"}, **mode},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert started.returncode == 1
        assert "demo mode only" in started.stderr


def test_worker_for_long_work_alone_does_not_pass_for_the_other(monkeypatch):
    """It would say that messages are being sent."""
    monkeypatch.setattr(app.amqp.queues, "_consume_from", {"jobs": app.amqp.queues["jobs"]})

    worker_ready.send(sender=None)

    assert cache.get(HEARTBEAT_KEY) is None


def test_worker_reports_as_soon_as_it_is_ready():
    assert cache.get(HEARTBEAT_KEY) is None

    worker_ready.send(sender=None)

    assert cache.get(HEARTBEAT_KEY)
