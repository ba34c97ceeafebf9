"""What alerts do when an app below says that something happened."""

from typing import Any

from django.dispatch import receiver

from analytics.alerts import services
from notifications.models import WorkItem
from notifications.signals import work_step_reached


@receiver(work_step_reached)
def chase(item: WorkItem, step: str, **kwargs: Any) -> None:
    services.chase(item, step)
