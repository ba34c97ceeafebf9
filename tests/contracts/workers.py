"""Real workers and a real beat beside this test's database, with a broker of their own."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from urllib.parse import urlsplit, urlunsplit

import pytest
from celery import Celery
from django.conf import settings
from django.db import connection
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from redis import Redis

from config.embedded.valkey import Valkey

PATIENCE = 240  # seconds
WORKER = ("worker", "--concurrency", "2", "--without-gossip", "--without-mingle")
BEAT = ("beat", "--pidfile=", "--max-interval", "1")


@pytest.fixture
def broker(tmp_path):
    """A broker of its own: other tests publish too."""
    server = Valkey(tmp_path / "valkey", log=tmp_path / "valkey.log", durable=False)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def start(tmp_path, broker):
    """Starts workers, or a beat, that use this test's database; ends those that are left."""
    running = []

    def start(program=WORKER, **environment):
        with (tmp_path / f"celery-{len(running)}.log").open("wb") as log:
            started = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "config", *program],
                cwd=settings.BASE_DIR,
                env=os.environ
                | {"DATABASE_URL": database_url(), "REDIS_URL": broker.url}
                | environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        running.append(started)
        return started

    yield start
    for each in running:
        kill(each)


def database_url() -> str:
    url = urlsplit(os.environ["DATABASE_URL"])
    return urlunsplit(url._replace(path=f"/{connection.settings_dict['NAME']}"))


def kill(started: subprocess.Popen) -> None:
    """kill -9, the processes it forked included."""
    if started.poll() is None:
        os.killpg(started.pid, signal.SIGKILL)
        started.wait()


def listening(broker) -> int:
    """How many workers wait for something to do."""
    with Redis(unix_socket_path=str(broker.socket)) as asked:
        return sum(each["cmd"] == "brpop" for each in asked.client_list())


def come_due(name: str) -> None:
    """The next beat begins with this task of the schedule, as it does after hours without one."""
    every = settings.CELERY_BEAT_SCHEDULE[name]["schedule"]
    interval, _ = IntervalSchedule.objects.get_or_create(
        every=every.total_seconds(), period=IntervalSchedule.SECONDS
    )
    PeriodicTask.objects.update_or_create(
        name=name,
        defaults={
            "task": settings.CELERY_BEAT_SCHEDULE[name]["task"],
            "interval": interval,
            "last_run_at": timezone.now() - timedelta(hours=1),
        },
    )


def tasks(broker) -> Celery:
    """Our tasks by name, sent through the test's own broker."""
    app = Celery(broker=f"redis+socket://{broker.socket}?virtual_host=0", set_as_current=False)
    app.conf.task_ignore_result = True
    return app


def wait_until(condition, what: str, *, every: float = 0.05) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(every)
