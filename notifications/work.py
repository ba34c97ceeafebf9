"""What staff have to do: opened with the change that calls for it, closed by what settles it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from notifications.models import WorkItem
from notifications.signals import work_step_reached

logger = structlog.get_logger(__name__)

SYSTEM = "system"
LEAST_PATIENCE, MOST_PATIENCE = timedelta(hours=1), timedelta(days=1)


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
    task: str = "",
    assignee: str = "",
    opened_at: datetime | None = None,
) -> None:
    """In the caller's transaction. One already open of this kind about `subject` stays as it is.

    Unless the caller says when, the reminder comes when it is due, and the leads are told after as
    long again, within bounds.
    """
    opened_at = opened_at or timezone.now()
    if remind_at is None and escalate_at is None:
        patience = min(max(due_at - opened_at, LEAST_PATIENCE), MOST_PATIENCE)
        remind_at, escalate_at = due_at, due_at + patience
    item = WorkItem(
        kind=kind,
        audience=audience,
        subject=subject,
        params=params or {},
        task=task,
        opened_at=opened_at,
        due_at=due_at,
        remind_at=remind_at,
        escalate_at=escalate_at,
        assignee=assignee,
    )
    WorkItem.objects.bulk_create([item], ignore_conflicts=True)


def bring_forward(
    subject: str, kind: str, *, due_at: datetime, remind_at: datetime, escalate_at: datetime
) -> None:
    """What is open of this kind about `subject` and due later is due by then, in the caller's
    transaction."""
    items = WorkItem.objects.open().filter(subject=subject, kind=kind, due_at__gt=due_at)
    items.update(due_at=due_at, remind_at=remind_at, escalate_at=escalate_at)


def close_items(
    subjects: Iterable[str],
    kinds: Iterable[str],
    *,
    by: str,
    at: datetime | None = None,
    note: str = "",
) -> int:
    """Settle what is open about these subjects, in the caller's transaction; how many were. `note`
    says what settled it."""
    items = WorkItem.objects.open().filter(subject__in=list(subjects), kind__in=list(kinds))
    said = {"note": note} if note else {}
    return items.update(closed_at=at or timezone.now(), closed_by=by, **said)


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
        due = WorkItem.objects.open().filter(**{f"{field}__lte": now}).order_by(field)
        for item in due[:at_most]:
            try:
                taken += _take_step(item, step, field)
            except Exception:  # one bad item must not keep the others waiting
                logger.exception("work_step_failed", item=item.reference, step=step)
    return taken


class _TakenElsewhere(Exception):
    """The step was taken by another worker, or the item closed, while this one was at it."""


def _take_step(item: WorkItem, step: str, field: str) -> bool:
    """Those told come first and lock what the item is about; only then the item itself is touched.
    Who settles it takes the two in the same order."""
    try:
        with transaction.atomic():
            work_step_reached.send(sender=WorkItem, item=item, step=step)
            waiting = WorkItem.objects.open().filter(pk=item.pk, **{field: getattr(item, field)})
            if not waiting.update(**{field: None}):
                raise _TakenElsewhere
    except _TakenElsewhere:
        return False
    return True
