"""What staff have to do: opened with the change that calls for it, closed by what settles it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from notifications.models import WorkItem
from notifications.signals import work_step_reached

SYSTEM = "system"


class TakenMeanwhile(Exception):
    """Somebody else has claimed or closed the item; `item` is how it stands now."""

    def __init__(self, item: WorkItem) -> None:
        super().__init__(item.reference)
        self.item = item


def open_item(
    kind: str,
    *,
    audience: str,
    subject: str,
    due_at: datetime,
    remind_at: datetime | None = None,
    escalate_at: datetime | None = None,
    params: dict[str, Any] | None = None,
    assignee: str = "",
) -> None:
    """In the caller's transaction. One already open of this kind about `subject` stays as it is."""
    item = WorkItem(
        kind=kind,
        audience=audience,
        subject=subject,
        params=params or {},
        opened_at=timezone.now(),
        due_at=due_at,
        remind_at=remind_at,
        escalate_at=escalate_at,
        assignee=assignee,
    )
    WorkItem.objects.bulk_create([item], ignore_conflicts=True)


def close_items(
    subject: str, kinds: Iterable[str], *, by: str, note: str = "", at: datetime | None = None
) -> int:
    """Settle what is open about `subject`, in the caller's transaction; how many were."""
    items = WorkItem.objects.open().filter(subject=subject, kind__in=kinds)
    return items.update(closed_at=at or timezone.now(), closed_by=by, note=note)


def assign(reference: str, *, to: str, expected: str = "") -> WorkItem:
    """Give an open item to `to` ("" gives it back), if it still is whose the caller saw it was.

    Raises WorkItem.DoesNotExist, TakenMeanwhile.
    """
    items = WorkItem.objects.filter(reference=reference)
    taken = items.open().filter(assignee__in=[expected, to]).update(assignee=to)
    item = items.get()
    if not taken:
        raise TakenMeanwhile(item)
    return item


def resolve(reference: str, *, by: str, note: str = "") -> WorkItem:
    """Close an open item by hand. Raises WorkItem.DoesNotExist, TakenMeanwhile."""
    items = WorkItem.objects.filter(reference=reference)
    closed = items.open().update(closed_at=timezone.now(), closed_by=by, note=note)
    item = items.get()
    if not closed:
        raise TakenMeanwhile(item)
    return item


def take_steps(now: datetime, *, at_most: int = 500) -> int:
    """Remind and escalate where it is time; how many steps were taken. Several workers may do so at
    once: each step is taken by one of them."""
    taken = 0
    for step, field in (("remind", "remind_at"), ("escalate", "escalate_at")):
        while taken < at_most and _take_step(now, step, field):
            taken += 1
    return taken


@transaction.atomic
def _take_step(now: datetime, step: str, field: str) -> bool:
    due = WorkItem.objects.open().filter(**{f"{field}__lte": now}).order_by(field)
    item = due.select_for_update(skip_locked=True).first()
    if item is None:
        return False
    setattr(item, field, None)
    item.save(update_fields=[field])
    work_step_reached.send(sender=WorkItem, item=item, step=step)
    return True
