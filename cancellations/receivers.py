"""What this app does when an app below says that something happened."""

from typing import Any

from django.dispatch import receiver

from cancellations import work
from notifications.models import WorkItem
from notifications.signals import work_step_reached


@receiver(work_step_reached)
def chase(item: WorkItem, step: str, **kwargs: Any) -> None:
    work.chase(item, step)
