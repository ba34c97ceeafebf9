"""What Prometheus is told: how long requests took, and how the outbox and the requests stand.

Request times live in the process that answered. Where several web workers run, set
PROMETHEUS_MULTIPROC_DIR to a directory of their own, and any of them answers for all.
"""

from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Count
from django.utils import timezone
from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Histogram,
    generate_latest,
    multiprocess,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from cancellations.models import Cancellation, CancellationStatus
from notifications.models import Notification, State

if settings.PROMETHEUS_MULTIPROC_DIR:
    Path(settings.PROMETHEUS_MULTIPROC_DIR).mkdir(parents=True, exist_ok=True)

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# What waits or needs somebody. Messages sent are not counted: each scrape would read them all.
WATCHED = (State.QUEUED, State.SENDING, State.FAILED)

requests = Histogram(
    "mianyue_request_seconds",
    "Time from a request's arrival to its answer.",
    ["method", "route", "status"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


def observe(*, method: str | None, route: str, status: int, seconds: float) -> None:
    """Count one request. `route` is a pattern, never a path: a label's values must stay few."""
    known = method if method in METHODS else "other"
    requests.labels(known, route, str(status)).observe(seconds)


def exposition() -> bytes:
    """Everything, in Prometheus' text format."""
    measured = REGISTRY
    if settings.PROMETHEUS_MULTIPROC_DIR:
        measured = CollectorRegistry()
        multiprocess.MultiProcessCollector(measured)  # type: ignore[no-untyped-call]
    standing = CollectorRegistry()
    standing.register(Standing())
    return generate_latest(measured) + generate_latest(standing)


class Standing(Collector):
    """Read from the database at each scrape, so that every worker gives the same answer."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Nothing while the database is away: absence can be alerted on, a zero would lie."""
        try:
            yield from self._read()
        except DatabaseError:
            return

    def _read(self) -> list[GaugeMetricFamily]:
        now = timezone.now()
        outbox = GaugeMetricFamily(
            "mianyue_outbox_messages", "Messages by state.", labels=["state"]
        )
        counted = Notification.objects.filter(state__in=WATCHED).values_list("state")
        counts = dict(counted.annotate(Count("pk")))
        for state in WATCHED:
            outbox.add_metric([state.value], counts.get(state, 0))

        due = Notification.objects.waiting(now).values_list("not_before", flat=True).first()
        oldest = (now - due).total_seconds() if due else 0
        open_requests = Cancellation.objects.filter(status=CancellationStatus.REQUESTED).count()
        return [
            outbox,
            GaugeMetricFamily(
                "mianyue_outbox_oldest_due_seconds",
                "How long the oldest message that may go has waited.",
                value=oldest,
            ),
            GaugeMetricFamily(
                "mianyue_open_cancellations",
                "Cancellation requests that wait for a decision.",
                value=open_requests,
            ),
        ]
