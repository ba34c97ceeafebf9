"""Work done beside requests."""

import time

from celery import shared_task
from django.core.cache import cache
from django.utils import timezone

from notifications import services

HEARTBEAT_KEY = "worker-heartbeat"


@shared_task
def deliver_now(dedupe_keys: list[str]) -> None:
    """Send messages just stored."""
    for notification in services.claim(timezone.now(), among=dedupe_keys):
        services.deliver(notification)


@shared_task
def sweep() -> None:
    """Send whatever is due and the broker lost, or a worker took with it when it died."""
    while claimed := services.claim(timezone.now()):
        for notification in claimed:
            services.deliver(notification)


@shared_task
def heartbeat() -> None:
    """Say that beat, broker and worker work together; /readyz looks for it."""
    cache.set(HEARTBEAT_KEY, time.time(), timeout=60)
