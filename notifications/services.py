"""The outbox: store with the change it tells of, send after that has committed, at least once."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from notifications import channels, rendering
from notifications.channels import Refused, TryAgain
from notifications.models import Notification, State

logger = structlog.get_logger(__name__)

BATCH = 5
# Longer than a whole claimed batch can take, so that nobody else sends what is still being sent.
LEASE = timedelta(seconds=BATCH * settings.PROVIDER_TIMEOUT + 10)
# A message that could not be sent is tried again after 10 s, 30 s, 2 min, 10 min and an hour.
BACKOFF = [timedelta(seconds=s) for s in (10, 30, 120, 600, 3600)]


@dataclass(frozen=True)
class Notice:
    """One message to one recipient on one channel, not yet stored."""

    event: str
    channel: str
    recipient: str
    address: str
    language: str
    subject: str
    dedupe_key: str
    time_zone: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    not_before: datetime | None = None


def notify(*notices: Notice) -> None:
    """Store messages in the caller's transaction; they are sent after it commits.

    A notice whose dedupe key is already stored is dropped: telling twice is impossible.
    """
    now = timezone.now()
    stored = Notification.objects.bulk_create(
        [
            Notification(
                event=notice.event,
                channel=notice.channel,
                recipient=notice.recipient,
                address=notice.address,
                language=notice.language,
                time_zone=notice.time_zone,
                subject=notice.subject,
                params=notice.params,
                dedupe_key=notice.dedupe_key,
                not_before=notice.not_before or now,
                created_at=now,
            )
            for notice in notices
        ],
        ignore_conflicts=True,
    )
    if stored:
        transaction.on_commit(partial(_publish, [notice.dedupe_key for notice in notices]))


def _publish(dedupe_keys: list[str]) -> None:
    """Tell the worker. Where the broker is away the sweep finds the rows within seconds."""
    from notifications.tasks import deliver_now

    try:
        deliver_now.delay(dedupe_keys)
    except Exception:
        logger.warning("broker_away", messages=len(dedupe_keys))


def claim(now: datetime, *, among: Iterable[str] | None = None, limit: int = BATCH) -> list[Notification]:
    """Take up to `limit` due messages for this worker alone, until the lease ends."""
    due = Notification.objects.due(now)
    if among is not None:
        due = due.filter(dedupe_key__in=list(among))
    with transaction.atomic():
        ids = list(
            due.select_for_update(skip_locked=True)
            .order_by("not_before", "pk")
            .values_list("pk", flat=True)[:limit]
        )
        Notification.objects.filter(pk__in=ids).update(
            state=State.SENDING, claimed_until=now + LEASE, attempts=F("attempts") + 1
        )
    return list(Notification.objects.filter(pk__in=ids).order_by("not_before", "pk"))


def deliver(notification: Notification) -> None:
    """Send one claimed message. At least once: a crash between the provider's accept and our note
    of it means a second try when the lease ends, with the same dedupe key."""
    try:
        message = rendering.render(notification)
        provider_id = channels.send(notification, message)
    except Refused as refusal:
        _finish(notification, state=State.FAILED, error_code=refusal.code)
        logger.warning("message_refused", notification=notification.pk, code=refusal.code)
    except TryAgain as trouble:
        _postpone(notification, trouble.code)
    except Exception:
        logger.exception("message_broke", notification=notification.pk)
        _postpone(notification, "error")
    else:
        _finish(
            notification,
            state=State.DELIVERED if notification.channel == "desk" else State.SENT,
            title=message.title[:200],
            body=message.body,
            provider_id=provider_id,
            sent_at=timezone.now(),
            error_code="",
        )


def _postpone(notification: Notification, code: str) -> None:
    if notification.attempts > len(BACKOFF):
        _finish(notification, state=State.FAILED, error_code=code)
        logger.warning("message_given_up", notification=notification.pk, code=code)
        return
    delay = BACKOFF[notification.attempts - 1]
    _finish(notification, state=State.QUEUED, error_code=code, not_before=timezone.now() + delay)


def _finish(notification: Notification, **values: Any) -> None:
    """Write the outcome, unless the lease ended and another worker has the message now."""
    Notification.objects.filter(
        pk=notification.pk, state=State.SENDING, attempts=notification.attempts
    ).update(claimed_until=None, **values)
