"""Work done beside requests."""

import structlog
from celery import shared_task
from django.utils import timezone

from analytics.risk import services, training

logger = structlog.get_logger(__name__)


@shared_task(time_limit=3600)
def train() -> None:
    """Once a night. Where the extra is not installed there is nothing to train with, and what was
    trained elsewhere stays in use."""
    if not training.is_installed():
        logger.info("risk_not_installed")
        return
    services.train_all(now=timezone.now())


@shared_task(time_limit=1800)
def look_ahead() -> None:
    """Once an hour."""
    services.look_ahead(now=timezone.now())
