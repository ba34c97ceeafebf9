"""Messages a second through one worker of two processes, against Celery's no-ops.

    .venv/bin/python -m config.embedded exec --durable -- .venv/bin/python -m benchmarks.delivery

Both are queued while the worker takes nothing up, and timed until the broker has nothing left; the
two come in turns, and the median of the rounds' ratios is what counts.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import transaction  # noqa: E402
from django.utils import timezone  # noqa: E402
from redis import Redis  # noqa: E402

from config.celery import app  # noqa: E402
from notifications.models import Notification, State  # noqa: E402
from notifications.services import AT_ONCE, Notice, notify  # noqa: E402

ROUNDS, MESSAGES, TASKS = 5, 3_000, 6_000
ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def worker() -> Iterator[None]:
    command = [sys.executable, "-m", "celery", "-A", "benchmarks.worker", "worker"]
    options = ["--concurrency", "2", "--loglevel", "ERROR", "--without-gossip", "--without-mingle"]
    process = subprocess.Popen([*command, *options], cwd=ROOT)
    try:
        while not app.control.ping(timeout=0.5):
            if process.poll() is not None:
                sys.exit("the worker ended before it began")
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


@contextmanager
def held_back() -> Iterator[None]:
    """What is queued meanwhile is taken up at the end, and at once."""
    queue = app.conf.task_default_queue
    app.control.cancel_consumer(queue, reply=True)
    yield
    app.control.add_consumer(queue, reply=True)


def seconds_until_done(broker: Redis) -> float:
    started = time.perf_counter()
    while broker.llen(app.conf.task_default_queue) or broker.hlen("unacked"):
        time.sleep(0.01)
    return time.perf_counter() - started


def tasks_a_second(broker: Redis) -> float:
    with held_back(), app.producer_pool.acquire() as producer:
        for _ in range(TASKS):
            app.send_task("benchmarks.worker.nothing", producer=producer)
    return TASKS / seconds_until_done(broker)


def messages_a_second(broker: Redis, turn: int) -> float:
    """As candidates' cancellations store them, a few at a time."""
    with held_back():
        for start in range(0, MESSAGES, AT_ONCE):
            with transaction.atomic():
                notify(*(notice(turn, start + number) for number in range(AT_ONCE)))
    rate = MESSAGES / seconds_until_done(broker)
    sent = Notification.objects.filter(subject=f"bench:{turn}", state=State.SENT).count()
    if sent != MESSAGES:
        sys.exit(f"{sent} of {MESSAGES} messages were sent")
    return rate


def notice(turn: int, number: int) -> Notice:
    now = timezone.now()
    return Notice(
        event="cancellation_done",
        channel="email" if number % 2 else "sms",
        recipient=f"user:{number}",
        address=f"{number}@example.com" if number % 2 else f"+86138{number:08d}",
        language="zh-hans",
        subject=f"bench:{turn}",
        dedupe_key=f"bench:{turn}:{number}",
        params={
            "candidate": "张三",
            "position": "装配技术员",
            "department": "制造一部",
            "kind": "ai",
            "starts_at": now.isoformat(),
            "receipt": "7K2M9QX4TB",
            "talent_pool": True,
            "recruiter": "李四",
        },
    )


def main() -> None:
    call_command("migrate", verbosity=0)
    broker = Redis.from_url(settings.REDIS_URL)
    ratios = []
    with worker():
        tasks_a_second(broker)  # warm
        messages_a_second(broker, 0)
        for turn in range(1, ROUNDS + 1):
            bare, ours = tasks_a_second(broker), messages_a_second(broker, turn)
            ratios.append(ours / bare)
            sys.stdout.write(
                f"tasks {bare:8.0f} /s   messages {ours:8.0f} /s   {ours / bare:.2f}\n"
            )
    sys.stdout.write(f"messages against tasks that do nothing: {median(ratios):.2f}\n")


if __name__ == "__main__":
    main()
