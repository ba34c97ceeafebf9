"""Work done beside requests."""

import time

from celery import shared_task
from django.utils import timezone

from analytics import cells, drift
from analytics.alerts import services as alerts
from analytics.dashboards import weekly

RECOUNT_FOR = 1.5  # seconds, of the two until beat says so again: others want the worker too


@shared_task
def recount() -> None:
    """Count what has changed, batch after batch; alerts are then looked at."""
    ends, counted = time.monotonic() + RECOUNT_FOR, 0
    while (batch := cells.recount_batch()) and time.monotonic() < ends:
        counted += batch
    if counted or batch:
        alerts.figures_changed()


@shared_task(time_limit=3600)
def check_cells() -> None:
    """Once a day, compare a sample with the interviews it counts."""
    drift.check_and_report()


@shared_task
def send_weekly_summary() -> None:
    """Every hour: only on Monday morning is there anything to send."""
    weekly.send_due(timezone.now())
