"""The outbox: store with the change it tells of, send after that has committed, at least once."""

import json
import time
import traceback
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from notifications import channels, rendering
from notifications.channels import Refused, TryAgain
from notifications.models import Channel, Notification, State

logger = structlog.get_logger(__name__)

# A message that could not be sent is tried again after 10 s, 30 s, 2 min, 10 min and an hour.
BACKOFF = [timedelta(seconds=s) for s in (10, 30, 120, 600, 3600)]
# What these say opens an account: they are not kept once they are of no more use, nor sent late.
SECRET_EVENTS = frozenset(
    {"sign_in_code", "password_reset_code", "password_reset", "staff_invited"}
)
AT_ONCE = 20  # messages handed to one task
MOST_TASKS = 10  # for what one transaction stored; where it is much, each task gets more
BROKER_REST = 15.0  # seconds in which a broker that failed is not asked again; the sweep sends


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


# One statement with one parameter, whatever the number of messages: a fifth of the time that
# bulk_create takes to build its own, in the middle of what a candidate waits for.
STORE = """
INSERT INTO notifications_notification
    (event, channel, recipient, address, language, time_zone, subject, params, dedupe_key,
     not_before, created_at, state, attempts, title, body, provider_id, error_code)
SELECT event, channel, recipient, address, language, time_zone, subject, params, dedupe_key,
     not_before, %s, 'queued', 0, '', '', '', ''
FROM jsonb_to_recordset(%s::jsonb) AS notice(
    event text, channel text, recipient text, address text, language text, time_zone text,
    subject text, params jsonb, dedupe_key text, not_before timestamptz)
ON CONFLICT DO NOTHING
"""


def notify(*notices: Notice) -> None:
    """Store messages in the caller's transaction; they are sent after it commits.

    A notice whose dedupe key is already stored is dropped: telling twice is impossible.
    """
    if not notices:
        return
    now = timezone.now()
    rows = [{**vars(notice), "not_before": notice.not_before or now} for notice in notices]
    with connection.cursor() as cursor:
        cursor.execute(STORE, [now, json.dumps(rows, cls=DjangoJSONEncoder)])
    transaction.on_commit(partial(_publish, [notice.dedupe_key for notice in notices]))


def supersede(subject: str | Iterable[str], events: Iterable[str]) -> None:
    """Do not begin, or begin again, to send what about `subject`, one or several, has been
    overtaken, in the caller's transaction. What is being sent this moment may still arrive, and
    then says so."""
    subjects = [subject] if isinstance(subject, str) else list(subject)
    Notification.objects.filter(
        subject__in=subjects, event__in=events, state__in=[State.QUEUED, State.SENDING]
    ).update(state=State.SUPERSEDED)


_broker_rests_until = 0.0


def _publish(dedupe_keys: list[str]) -> None:
    """Tell the worker. Where the broker is away the sweep finds the rows within seconds, and the
    requests that follow do not wait for it in turn."""
    from notifications.tasks import deliver_now

    global _broker_rests_until
    if time.monotonic() < _broker_rests_until:
        return
    try:
        size = max(AT_ONCE, -(-len(dedupe_keys) // MOST_TASKS))
        for start in range(0, len(dedupe_keys), size):
            deliver_now.delay(dedupe_keys[start : start + size])
    except Exception as trouble:
        _broker_rests_until = time.monotonic() + BROKER_REST
        logger.warning("broker_away", error=type(trouble).__name__)


def deliver_due(*, among: Iterable[str] | None = None, seconds: float) -> int:
    """Send what is due, one after the other, and begin none later than `seconds` from now; how
    many were taken up."""
    deadline = time.monotonic() + seconds
    taken = 0
    while time.monotonic() < deadline:
        notification = claim(timezone.now(), among=among)
        if notification is None:
            break
        deliver(notification)
        taken += 1
    return taken


@transaction.atomic
def claim(now: datetime, *, among: Iterable[str] | None = None) -> Notification | None:
    """Take one due message for this worker alone, until the lease ends: first what a worker that
    died left behind, then what has waited longest."""
    # Two queries, because each reads one row off its own index however long the backlog is.
    for due in (Notification.objects.abandoned(now), Notification.objects.waiting(now)):
        if among is not None:
            due = due.filter(dedupe_key__in=list(among))
        notification = due.select_for_update(skip_locked=True).first()
        if notification is not None:
            notification.state = State.SENDING
            notification.claimed_until = now + settings.DELIVERY_LEASE
            notification.attempts += 1
            notification.save(update_fields=["state", "claimed_until", "attempts"])
            return notification
    return None


def deliver(notification: Notification) -> None:
    """Send one claimed message. At least once: a crash between the provider's accept and our note
    of it means a second try when the lease ends, with the same dedupe key."""
    if _too_late(notification):
        _finish(notification, state=State.SUPERSEDED, error_code="too_late")
        return
    if notification.attempts > len(BACKOFF) + 1:  # whoever took it up last died of it
        _give_up(notification, notification.error_code or "crash")
        return
    try:
        message = rendering.render(notification)
        provider_id = channels.send(notification, message)
    except Refused as refusal:
        _give_up(notification, refusal.code)
    except TryAgain as trouble:
        _postpone(notification, trouble.code)
    except Exception as error:
        # Where, not what: an exception's words may quote an address or a name.
        where = "".join(traceback.format_tb(error.__traceback__))
        kind = type(error).__name__
        logger.error("message_broke", notification=notification.pk, error=kind, where=where)
        _postpone(notification, "error")
    else:
        _finish(
            notification,
            state=State.DELIVERED if notification.channel == Channel.DESK else State.SENT,
            title=message.title[:200],
            body=message.body,
            provider_id=provider_id,
            sent_at=timezone.now(),
            error_code="",
        )


@transaction.atomic
def send_again(chosen: QuerySet[Notification]) -> list[Notification]:
    """Queue failed messages anew, with every attempt before them; those that could be.

    What opens an account is left out: its words are gone, and a new code is asked for instead.
    """
    failed = chosen.filter(state=State.FAILED).exclude(event__in=SECRET_EVENTS)
    notifications = list(failed.select_for_update())
    Notification.objects.filter(pk__in=[n.pk for n in notifications]).update(
        state=State.QUEUED, not_before=timezone.now(), attempts=0, error_code=""
    )
    transaction.on_commit(partial(_publish, [n.dedupe_key for n in notifications]))
    return notifications


def _too_late(notification: Notification) -> bool:
    """Whether a code or link has run out before it could be sent."""
    minutes = notification.params.get("minutes")
    if notification.event not in SECRET_EVENTS or minutes is None:
        return False
    return timezone.now() >= notification.created_at + timedelta(minutes=minutes)


def _postpone(notification: Notification, code: str) -> None:
    if notification.attempts > len(BACKOFF):
        _give_up(notification, code)
        return
    delay = BACKOFF[notification.attempts - 1]
    _finish(
        notification,
        state=State.QUEUED,
        error_code=code[:60],
        not_before=timezone.now() + delay,
    )


def _give_up(notification: Notification, code: str) -> None:
    logger.warning("message_failed", notification=notification.pk, code=code)
    _finish(notification, state=State.FAILED, error_code=code[:60])


def _finish(notification: Notification, **values: Any) -> None:
    """Write the outcome, unless the lease ended and another worker has the message now.

    One that was superseded meanwhile stays so, unless it went out: then the truth counts.
    """
    over = values["state"] != State.QUEUED
    arrived = values["state"] in {State.SENT, State.DELIVERED}
    expected = [State.SENDING, State.SUPERSEDED] if arrived else [State.SENDING]
    if over and notification.event in SECRET_EVENTS and not settings.MESSAGES_STAY_HERE:
        values |= {"params": {}, "body": ""}
    Notification.objects.filter(
        pk=notification.pk, state__in=expected, claimed_until=notification.claimed_until
    ).update(claimed_until=None, **values)
