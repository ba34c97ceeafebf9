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
from django.db.models import F, QuerySet
from django.utils import timezone

from notifications import channels, courtesy, rendering
from notifications.channels import Refused, TryAgain
from notifications.events import SECRET_EVENTS, kind_of
from notifications.models import Channel, Notification, State
from notifications.signals import message_failed

logger = structlog.get_logger(__name__)

# A message that could not be sent is tried again after 10 s, 30 s, 2 min, 10 min and an hour.
BACKOFF = [timedelta(seconds=s) for s in (10, 30, 120, 600, 3600)]
PATIENCE = timedelta(hours=1)  # by when a message without a deadline of its own should have gone
AT_ONCE = 20  # messages handed to one task
MOST_TASKS = 10  # for what one transaction stored; where it is much, each task gets more
IN_HAND = 5.0  # seconds for which a worker keeps claimed what it has not begun to send
LOOK_AGAIN = 0.2  # seconds after which it asks whether what it has claimed is still to be sent
BROKER_REST = 15.0  # seconds in which a broker that failed is not asked again; the sweep sends
# A provider that is away so often in a row rests, longer each time it is tried: messages wait in
# the outbox with all their tries, and go one after the other once it is back.
AWAY_AFTER = 3
LEAST_REST, LONGEST_REST = timedelta(seconds=10), timedelta(minutes=5)


@dataclass(frozen=True)
class Notice:
    """One message to one recipient on one channel, not yet stored. After `deadline` it is of no
    more use: it is not sent, and quiet hours do not hold it back that long."""

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
    deadline: datetime | None = None


# One statement with one parameter, whatever the number of messages: a fifth of the time that
# bulk_create takes to build its own, in the middle of what a candidate waits for.
STORE = """
INSERT INTO notifications_notification
    (event, channel, recipient, address, language, time_zone, subject, params, dedupe_key,
     not_before, deadline, urgent_by, created_at, state, attempts, title, body, provider_id,
     error_code)
SELECT event, channel, recipient, address, language, time_zone, subject, params, dedupe_key,
     not_before, deadline, urgent_by, %s, 'queued', 0, '', '', '', ''
FROM jsonb_to_recordset(%s::jsonb) AS notice(
    event text, channel text, recipient text, address text, language text, time_zone text,
    subject text, params jsonb, dedupe_key text, not_before timestamptz, deadline timestamptz,
    urgent_by timestamptz)
ON CONFLICT DO NOTHING
"""


def notify(*notices: Notice) -> None:
    """Store messages in the caller's transaction; they are sent after it commits.

    A notice whose dedupe key is already stored is dropped: telling twice is impossible.
    """
    if not notices:
        return
    now = timezone.now()
    rows = [{**vars(notice), **_times(notice, now)} for notice in notices]
    with connection.cursor() as cursor:
        cursor.execute(STORE, [now, json.dumps(rows, cls=DjangoJSONEncoder)])
    transaction.on_commit(partial(_publish, [notice.dedupe_key for notice in notices]))


def _times(notice: Notice, now: datetime) -> dict[str, str | None]:
    not_before = notice.not_before or now
    deadline = notice.deadline or _deadline(notice, now)
    urgent_by = max(deadline or not_before + PATIENCE, not_before)
    return {
        "not_before": not_before.isoformat(),
        "deadline": deadline.isoformat() if deadline else None,
        "urgent_by": urgent_by.isoformat(),
    }


def _deadline(notice: Notice, now: datetime) -> datetime | None:
    """Codes run out; of others the kind of event says which parameter counts."""
    if notice.event in SECRET_EVENTS and "minutes" in notice.params:
        return now + timedelta(minutes=notice.params["minutes"])
    times = (notice.params.get(name) for name in kind_of(notice.event).until)
    return next((datetime.fromisoformat(each) for each in times if each), None)


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
    keys = None if among is None else list(among)
    taken = 0
    # Who was told what to send does not ask for more. One that had to be tried twice counts twice,
    # and leaves another to the sweep.
    while (keys is None or taken < len(keys)) and time.monotonic() < deadline:
        batch = claim(timezone.now(), among=keys)
        if not batch:
            break
        taken += _deliver_batch(batch, min(deadline, time.monotonic() + IN_HAND))
    return taken


# One statement takes and gives them: what the ORM needs for the same, in two and a transaction,
# costs as much as handing over a message.
CLAIM = """
WITH due AS MATERIALIZED (
    SELECT id FROM notifications_notification
    WHERE {due} AND NOT channel = ANY(%(resting)s)
    ORDER BY {first}
    LIMIT %(most)s
    FOR UPDATE SKIP LOCKED
)
UPDATE notifications_notification AS message
SET state = 'sending', claimed_until = %(until)s, attempts = message.attempts + 1
FROM due WHERE message.id = due.id
RETURNING {columns}
"""
# By their names: of all there are, a statement that is prepared could not go on after a migration
# has added one.
_COLUMNS = ", ".join(f"message.{each.column}" for each in Notification._meta.concrete_fields)
ABANDONED = CLAIM.format(
    due="state = 'sending' AND claimed_until < %(now)s", first="claimed_until", columns=_COLUMNS
)
WAITING = CLAIM.format(
    due="state = 'queued' AND not_before <= %(now)s",
    first="urgent_by, not_before",
    columns=_COLUMNS,
)
# "|| ''" keeps PostgreSQL from looking for a few names through all that waits: of that index it
# believes, until it has counted again, that it is as short as it was in quieter times.
AMONG = CLAIM.format(
    due="dedupe_key = ANY(%(among)s) AND state || '' = 'queued' AND not_before <= %(now)s",
    first="urgent_by, not_before",
    columns=_COLUMNS,
)


def claim(
    now: datetime, *, among: list[str] | None = None, most: int = AT_ONCE
) -> list[Notification]:
    """Take a few due messages for this worker alone, until the lease ends: first what a worker that
    died left behind, then what has to be there soonest. Not where the provider rests.

    What was left behind is taken alone: one that kills its workers takes no others with it. Who was
    told what to send, `among`, leaves it to the sweep.
    """
    given = {
        "now": now,
        "until": now + settings.DELIVERY_LEASE,
        "resting": _resting(now),
        "most": most,
    }
    if among is not None:
        taken = list(Notification.objects.raw(AMONG, {**given, "among": among}))
    else:
        taken = list(Notification.objects.raw(ABANDONED, {**given, "most": 1}))
        taken = taken or list(Notification.objects.raw(WAITING, given))
    return sorted(taken, key=lambda each: (each.urgent_by or now, each.not_before, each.pk))


def _deliver_batch(batch: list[Notification], deadline: float) -> int:
    """Send what was claimed together; how many were begun. What there is no time left for, or no
    provider, goes back as if it had not been claimed; what was superseded meanwhile does not go."""
    from notifications.channels import email  # on use, as the channels do

    looked, begun = time.monotonic(), 0
    waiting = list(batch)
    with email.kept_open():
        while waiting and time.monotonic() < deadline:
            if time.monotonic() - looked > LOOK_AGAIN:
                waiting, looked = _still_ours(waiting), time.monotonic()
                if not waiting:
                    break
            notification = waiting.pop(0)
            if notification.channel in _resting(timezone.now()):
                _give_back([notification])
                continue
            deliver(notification)
            begun += 1
    _give_back(waiting)
    return begun


def _still_ours(claimed: list[Notification]) -> list[Notification]:
    pks = [each.pk for each in claimed]
    ours = set(
        Notification.objects.filter(pk__in=pks, state=State.SENDING).values_list("pk", flat=True)
    )
    return [each for each in claimed if each.pk in ours]


def _give_back(claimed: list[Notification]) -> None:
    """They were not tried, so they keep their try."""
    if not claimed:
        return
    mine = Notification.objects.filter(
        pk__in=[each.pk for each in claimed],
        state=State.SENDING,
        claimed_until=claimed[0].claimed_until,
    )
    mine.update(state=State.QUEUED, claimed_until=None, attempts=F("attempts") - 1)


def deliver(notification: Notification) -> None:
    """Send one claimed message. At least once: a crash between the provider's accept and our note
    of it means a second try when the lease ends, with the same dedupe key."""
    match courtesy.judge(notification, timezone.now()):
        case courtesy.Drop(code):
            _finish(notification, state=State.SUPERSEDED, error_code=code)
            return
        case courtesy.Hold(until):  # it was not tried, so it keeps its try
            attempts = F("attempts") - 1
            _finish(notification, state=State.QUEUED, not_before=until, attempts=attempts)
            return
    if notification.attempts > len(BACKOFF) + 1:  # whoever took it up last died of it
        _give_up(notification, notification.error_code or "crash")
        return
    try:
        message = rendering.render(notification)
        provider_id = channels.send(notification, message)
    except Refused as refusal:
        _came_back(notification.channel)
        _give_up(notification, refusal.code)
    except TryAgain as trouble:
        if trouble.is_away:
            _stayed_away(notification.channel)
        _postpone(notification, trouble.code)
    except Exception as error:
        # Where, not what: an exception's words may quote an address or a name.
        where = "".join(traceback.format_tb(error.__traceback__))
        kind = type(error).__name__
        logger.error("message_broke", notification=notification.pk, error=kind, where=where)
        _postpone(notification, "error")
    else:
        _came_back(notification.channel)
        _arrived_there(notification, message, provider_id)


def _arrived_there(
    notification: Notification, message: rendering.Message, provider_id: str
) -> None:
    """The provider has it; those who want to be told beside are told now."""
    from notifications import copies  # it composes notices

    now = timezone.now()
    at_desk = notification.channel == Channel.DESK
    values = {
        "state": State.DELIVERED if at_desk else State.SENT,
        "title": message.title[:200],
        "body": message.body,
        "provider_id": provider_id[:120],
        "sent_at": now,
        "arrived_at": now if at_desk else None,
        "error_code": "",
    }
    beside = list(copies.of(notification))
    if not beside:
        _finish_arrived(notification, values)
        return
    with transaction.atomic():
        _finish_arrived(notification, values)
        notify(*beside)


# What nearly every message ends with; put together anew by the ORM it costs as much as the words.
ARRIVED = """
UPDATE notifications_notification
SET state = %(state)s, title = %(title)s, body = %(body)s, provider_id = %(provider_id)s,
    sent_at = %(sent_at)s, arrived_at = %(arrived_at)s, error_code = %(error_code)s,
    claimed_until = NULL
WHERE id = %(pk)s AND claimed_until = %(claimed_until)s AND state = 'sending'
"""


def _finish_arrived(notification: Notification, values: dict[str, Any]) -> None:
    """As _finish does, and by it where this is not the usual end: a secret that is to be erased,
    somebody else who has written meanwhile."""
    if notification.event not in SECRET_EVENTS:
        claim = {"pk": notification.pk, "claimed_until": notification.claimed_until}
        with connection.cursor() as cursor:
            cursor.execute(ARRIVED, {**values, **claim})
            if cursor.rowcount:
                return
    _finish(notification, **values)


@transaction.atomic
def send_again(chosen: QuerySet[Notification]) -> list[Notification]:
    """Queue failed messages anew, with every attempt before them; those that could be.

    What opens an account is left out: its words are gone, and a new code is asked for instead.
    """
    failed = chosen.filter(state=State.FAILED).exclude(event__in=SECRET_EVENTS)
    notifications = list(failed.select_for_update())
    Notification.objects.filter(pk__in=[n.pk for n in notifications]).update(
        state=State.QUEUED, not_before=timezone.now(), attempts=0, error_code="", provider_id=""
    )
    transaction.on_commit(partial(_publish, [n.dedupe_key for n in notifications]))
    return notifications


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
    with transaction.atomic():
        lock_all_told(notification)
        if _finish(notification, state=State.FAILED, error_code=code[:60]):
            tell_of_failure(notification, code)


def lock_all_told(notification: Notification) -> None:
    """Everything that told the same at the same time, in order: where two channels fail at once,
    the second sees that the first has."""
    same = Notification.objects.filter(
        recipient=notification.recipient,
        subject=notification.subject,
        event=notification.event,
        created_at=notification.created_at,
    )
    list(same.order_by("pk").select_for_update().values_list("pk"))


def tell_of_failure(notification: Notification, code: str) -> None:
    """In the transaction that marks the message as failed."""
    notification.error_code = code[:60]
    message_failed.send(sender=Notification, notification=notification)


def _finish(notification: Notification, **values: Any) -> bool:
    """Write the outcome, unless the lease ended and another worker has the message now; whether it
    was written.

    One that was superseded meanwhile stays so, unless it went out: then the truth counts. Where the
    provider told how it ended before we heard that it was taken, that stays and the rest is added.
    """
    over = values["state"] != State.QUEUED
    arrived = values["state"] in {State.SENT, State.DELIVERED}
    expected = [State.SENDING, State.SUPERSEDED] if arrived else [State.SENDING]
    if over and notification.event in SECRET_EVENTS and not settings.MESSAGES_STAY_HERE:
        values |= {"params": {}, "body": ""}
    mine = Notification.objects.filter(pk=notification.pk, claimed_until=notification.claimed_until)
    written = mine.filter(state__in=expected).update(claimed_until=None, **values)
    if arrived and not written:
        for known in ("state", "error_code", "arrived_at"):
            del values[known]
        ended = mine.filter(state__in=[State.DELIVERED, State.FAILED, State.BOUNCED])
        ended.update(claimed_until=None, **values)
    return bool(written)


# --- Providers that are away ----------------------------------------------------------------------

# Each process finds out by itself: how often in a row, and until when it rests.
_away: dict[str, tuple[int, datetime | None]] = {}


def _resting(now: datetime) -> list[str]:
    return [channel for channel, (_count, until) in _away.items() if until and now < until]


def _stayed_away(channel: str) -> None:
    count = _away.get(channel, (0, None))[0] + 1
    until = None
    if count >= AWAY_AFTER:
        rest = min(LEAST_REST * 2 ** min(count - AWAY_AFTER, 10), LONGEST_REST)
        until = timezone.now() + rest
        logger.warning("provider_away", channel=channel, seconds=rest.total_seconds())
    _away[channel] = (count, until)


def _came_back(channel: str) -> None:
    _away.pop(channel, None)
