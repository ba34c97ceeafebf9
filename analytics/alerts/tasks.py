"""Work done beside requests."""

from celery import shared_task
from django.utils import timezone

from analytics.alerts import services


@shared_task
def check_alerts() -> None:
    """Each rule within a minute of a change of figures, and once an hour whatever happens."""
    services.check_due(timezone.now())
