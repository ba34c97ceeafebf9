"""Work done beside requests."""

import time
from typing import Any

from celery import current_app, shared_task
from celery.signals import worker_ready
from django.core.cache import cache
from django.utils import timezone

from notifications import reach, services, webhooks, work

HEARTBEAT_KEY = "worker-heartbeat"
HEARTBEAT_LIFE = 60  # seconds after which a worker that said nothing counts as gone


@shared_task
def deliver_now(dedupe_keys: list[str]) -> None:
    """Send messages just stored."""
    services.deliver_due(among=dedupe_keys, seconds=120)


@shared_task
def sweep() -> None:
    """Send whatever is due and the broker lost, or a worker took with it when it died.

    It ends before the next one begins (CELERY_BEAT_SCHEDULE), so that a backlog never fills every
    worker with sweeps.
    """
    services.deliver_due(seconds=15)


@shared_task
def take_work_steps() -> None:
    """Remind of what is not done yet, tell the HR lead of what should have been, and have somebody
    look after whom nothing reaches."""
    work.take_steps(timezone.now())
    reach.tell()


@shared_task
def deliver_webhooks() -> None:
    """Send webhooks what has just happened, and what is due again. Several at once are no help: one
    delivers, the others end. The beat begins it as well, for what the broker lost."""
    webhooks.deliver_due(seconds=15)


@shared_task
def forget_deliveries() -> None:
    """Drop the old end of the webhooks' log."""
    webhooks.forget_old()


@shared_task
def heartbeat() -> None:
    """Say that beat, broker and worker work together; /readyz looks for it."""
    cache.set(HEARTBEAT_KEY, time.time(), timeout=HEARTBEAT_LIFE)


@worker_ready.connect
def report_ready(**kwargs: Any) -> None:
    """Say so once before beat first does, so that /readyz turns ok with the worker; not with one
    that is there for long jobs alone."""
    if current_app.conf.task_default_queue in current_app.amqp.queues.consume_from:
        heartbeat()
