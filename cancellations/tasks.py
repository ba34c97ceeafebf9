"""Work done beside requests: ids in, service calls out."""

import structlog
from celery import shared_task
from django.utils import timezone

import cancellations.jobs  # noqa: F401 - the worker learns here what kinds of jobs there are
from cancellations import consistency, saved, services
from cancellations.absences import services as absences
from cancellations.models import Cancellation, CancellationStatus

logger = structlog.get_logger(__name__)


@shared_task
def apply_defaults() -> None:
    """Let the policy decide every request whose default has fallen due."""
    due = Cancellation.objects.filter(
        status=CancellationStatus.REQUESTED, decide_by__lte=timezone.now()
    )
    for cancellation_id in due.order_by("decide_by").values_list("pk", flat=True):
        try:
            services.apply_default(cancellation_id)
        except Exception:  # one bad row must not keep the others from being decided in time
            logger.exception("default_failed", cancellation=cancellation_id)


@shared_task(time_limit=3600)
def check_consistency() -> None:
    """Ask HR to look at whatever does not agree about an interview."""
    for anomaly in consistency.check():
        consistency.report(anomaly)


@shared_task
def settle_savings() -> None:
    """Who was offered something instead of cancelling, and has not cancelled, has kept it."""
    saved.settle(timezone.now())


@shared_task
def lift_unfair_marks() -> None:
    """Look again at what is held against people of whom we learned late that nothing arrived."""
    absences.lift_unfair_marks()


@shared_task
def expire_marks() -> None:
    """Let go what has stood on somebody's record for its time."""
    absences.expire_marks()
