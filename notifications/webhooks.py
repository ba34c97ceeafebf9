"""Webhooks: events are stored with what happened and sent after it, signed, at least once.

Their order is not promised. A receiver that fails or hangs is left alone for a while, and holds
nobody else up: each webhook has one delivery under way at most, in a thread of its own.
"""

import json
import secrets
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

import structlog
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from config.prepared import Prepared
from notifications.channels import webhook as channel
from notifications.models import State, Webhook, WebhookDelivery
from notifications.signals import webhook_switched_off

logger = structlog.get_logger(__name__)

# After each try that failed, in seconds: 10 s to 24 h, nearly two days in all.
BACKOFF = [timedelta(seconds=s) for s in (10, 60, 300, 1800, 7200, 21600, 43200, 86400)]
LONGEST_REST = timedelta(minutes=10)  # of a webhook between two tries, whatever it is to be sent
BOTH_SECRETS = timedelta(hours=24)  # after a new one was made, the old one signs as well
KEPT_FOR = timedelta(days=30)  # the log, and events for a webhook that is off
AT_ONCE = 8  # webhooks served at the same moment
ALONE = 7_305_001  # the lock of PostgreSQL by which one worker delivers at a time
PING = "ping"


@dataclass(frozen=True)
class Event:
    """Something that happened: `id` tells it from all others for good, `audience` whose it is;
    `body` is what receivers read and holds nothing personal."""

    id: str
    event: str
    audience: str
    body: dict[str, Any]


# --- Events come in -----------------------------------------------------------------------------

_anybody_listens = Prepared(lambda: Webhook.objects.values_list("pk")[:1])

# The lock keeps the webhook until the events of it are there to see. Somebody who removed it
# meanwhile would leave them leading nowhere, and what they tell of could not be committed.
STORE = """
INSERT INTO notifications_webhookdelivery
    (webhook_id, event_id, event, audience, body, state, not_before, attempts, error_code,
     created_at)
SELECT webhook.id, happened.id, happened.event, happened.audience, happened.body, 'queued',
     GREATEST(%(now)s, webhook.rests_until), 0, '', %(now)s
FROM jsonb_to_recordset(%(events)s::jsonb)
    AS happened(id text, event text, audience text, body text)
JOIN notifications_webhook AS webhook
    ON (webhook.events = '{}' OR happened.event = ANY(webhook.events))
    AND (webhook.audiences = '{}' OR happened.audience = ANY(webhook.audiences))
FOR KEY SHARE OF webhook
ON CONFLICT DO NOTHING
"""


def anybody_listens() -> bool:
    """Whether there is any webhook; for callers that would have to gather events first."""
    return _anybody_listens.first() is not None


def store(events: Iterable[Event]) -> None:
    """Keep events for every webhook that wants them, those switched off as well, in the caller's
    transaction. One whose id a webhook already knows is dropped."""
    rows = [{**vars(each), "body": _text(each.body)} for each in events]
    with connection.cursor() as cursor:
        cursor.execute(STORE, {"now": timezone.now(), "events": json.dumps(rows)})
        stored = cursor.rowcount
    if stored:
        transaction.on_commit(_publish)


def _text(body: dict[str, Any]) -> str:
    return json.dumps(body, cls=DjangoJSONEncoder, ensure_ascii=False, separators=(",", ":"))


def _publish() -> None:
    """Tell the worker; the sweep finds the rows where the broker is away."""
    from notifications.tasks import deliver_webhooks

    try:
        deliver_webhooks.delay()
    except Exception as trouble:
        logger.warning("broker_away", error=type(trouble).__name__)


# --- Setting up ---------------------------------------------------------------------------------


def new_secret() -> str:
    return f"whsec_{secrets.token_urlsafe(32)}"


def set_up(
    *, name: str, url: str, events: Iterable[str], audiences: Iterable[str], pk: int | None = None
) -> Webhook:
    """A new webhook with a new secret, or another address and choice for the one with `pk`.

    Raises channels.webhook.BadAddress, Webhook.DoesNotExist.
    """
    channel.look_at(url)
    chosen = {"name": name, "url": url, "events": sorted(events), "audiences": sorted(audiences)}
    if pk is None:
        return Webhook.objects.create(**chosen, secret=new_secret())
    # Another address has not failed yet.
    fresh = {"failing_since": None, "failures": 0, "rests_until": None}
    with transaction.atomic():
        hook = Webhook.objects.select_for_update(no_key=True).get(pk=pk)
        moved = hook.url != url
        for field, value in (chosen | (fresh if moved else {})).items():
            setattr(hook, field, value)
        hook.save()
    return hook


@transaction.atomic
def rotate_secret(pk: int) -> Webhook:
    """A new secret; for BOTH_SECRETS the one before signs as well, so that the receiver can be
    changed in between. Another one within that time replaces the new secret alone: what the
    receiver has goes on signing. Raises Webhook.DoesNotExist."""
    hook = Webhook.objects.select_for_update(no_key=True).get(pk=pk)
    if not hook.both_sign:
        hook.previous_secret = hook.secret
        hook.previous_until = timezone.now() + BOTH_SECRETS
    hook.secret = new_secret()
    hook.save(update_fields=["secret", "previous_secret", "previous_until"])
    return hook


ANEW = {"state": State.QUEUED, "attempts": 0, "error_code": "", "status_code": None}


@transaction.atomic
def switch(pk: int, *, on: bool) -> Webhook:
    """While it is off, events are kept for it, each for KEPT_FOR. Switched on, it is sent these one
    after the other, and whatever it has not taken since it began to fail. Raises
    Webhook.DoesNotExist."""
    hook = Webhook.objects.select_for_update(no_key=True).get(pk=pk)
    hook.is_active = on
    if on:
        if hook.failing_since:
            missed = hook.deliveries.filter(
                state__in=[State.QUEUED, State.FAILED], tried_at__gte=hook.failing_since
            )
            missed.update(**ANEW, not_before=F("created_at"))
        hook.failing_since, hook.failures, hook.rests_until = None, 0, None
        transaction.on_commit(_publish)
    hook.save(update_fields=["is_active", "failing_since", "failures", "rests_until"])
    return hook


@transaction.atomic
def remove(pk: int) -> Webhook:
    """The webhook and its log. This waits for whoever stores events for it or writes down a try:
    they lock it too, and it before its deliveries. Raises Webhook.DoesNotExist."""
    hook = Webhook.objects.select_for_update().get(pk=pk)
    hook.delete()
    return hook


@transaction.atomic
def ping(pk: int) -> None:
    """Send an event that means nothing, now, to see whether it arrives. Raises
    Webhook.DoesNotExist."""
    if not _wake(pk):
        raise Webhook.DoesNotExist
    now = timezone.now()
    event_id = f"ping-{secrets.token_hex(8)}"
    body = {"id": event_id, "event": PING, "at": now, "interview": None, "data": {}}
    WebhookDelivery.objects.create(
        webhook_id=pk,
        event_id=event_id,
        event=PING,
        body=_text(body),
        not_before=now,
        created_at=now,
    )
    transaction.on_commit(_publish)


@transaction.atomic
def replay(delivery_id: int) -> bool:
    """Send an event again, now and with all its tries before it; False where that is under way."""
    deliveries = WebhookDelivery.objects.filter(pk=delivery_id)
    for pk in deliveries.values_list("webhook_id", flat=True):
        _wake(pk)
    again = deliveries.exclude(state__in=[State.QUEUED, State.SENDING])
    queued = again.update(**ANEW, not_before=timezone.now())
    transaction.on_commit(_publish)
    return bool(queued)


def _wake(pk: int) -> bool:
    """Let it rest no longer; False where there is no such webhook. It stays until the transaction
    ends."""
    return bool(Webhook.objects.filter(pk=pk).update(rests_until=None))


@transaction.atomic
def forget_old() -> int:
    """Drop the log of what arrived, or never will, long ago; where a webhook is off, what waits for
    it as well. How many deliveries."""
    # Each before its deliveries, as everywhere.
    list(Webhook.objects.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    old = WebhookDelivery.objects.filter(created_at__lt=timezone.now() - KEPT_FOR)
    over = ~Q(state__in=[State.QUEUED, State.SENDING]) | Q(webhook__is_active=False)
    return old.filter(over).delete()[0]


# --- Deliveries go out --------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """How one try ended."""

    status: int | None
    error: str
    milliseconds: int

    @property
    def arrived(self) -> bool:
        return not self.error


def deliver_due(*, seconds: float) -> int:
    """Send what is due, several webhooks side by side, and begin nothing later than `seconds` from
    now; how many tries. Does nothing while another worker is at it."""
    with _alone() as alone:
        return _deliver(time.monotonic() + seconds) if alone else 0


def _deliver(deadline: float) -> int:
    tries = 0
    under_way: dict[Future[Outcome], WebhookDelivery] = {}
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="webhook") as pool:
        while True:
            while len(under_way) < AT_ONCE and time.monotonic() < deadline:
                busy = {delivery.webhook_id for delivery in under_way.values()}
                due = claim(timezone.now(), busy=busy)
                if due is None:
                    break
                # Threads get values, never the database.
                under_way[pool.submit(_try, **_letter(due))] = due
            if not under_way:
                return tries
            ended, _ = wait(under_way, timeout=1, return_when=FIRST_COMPLETED)
            for each in ended:
                finish(under_way.pop(each), each.result())
                tries += 1


@contextmanager
def _alone() -> Iterator[bool]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [ALONE])
        (alone,) = cursor.fetchone()
    try:
        yield alone
    finally:
        if alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [ALONE])


@transaction.atomic
def claim(now: datetime, *, busy: Iterable[int] = ()) -> WebhookDelivery | None:
    """Take one due delivery until the lease ends, of a webhook that is on, awake and not `busy`;
    first what a worker that died left behind."""
    awake = Webhook.objects.filter(
        Q(rests_until=None) | Q(rests_until__lte=now), is_active=True
    ).exclude(pk__in=list(busy))
    left_behind = Q(state=State.SENDING, claimed_until__lt=now)
    waiting = Q(state=State.QUEUED, not_before__lte=now)
    for pk in chain(_abandoned(awake, left_behind), _next(awake, waiting)):
        delivery = (
            WebhookDelivery.objects.filter(left_behind | waiting, pk=pk)
            .select_related("webhook")
            .select_for_update(of=("self",), skip_locked=True)
            .first()
        )
        if delivery is not None:
            delivery.state = State.SENDING
            delivery.claimed_until = now + settings.DELIVERY_LEASE
            delivery.attempts += 1
            delivery.save(update_fields=["state", "claimed_until", "attempts"])
            return delivery
    return None


def _abandoned(awake: QuerySet[Webhook], left_behind: Q) -> Iterator[int]:
    found = WebhookDelivery.objects.filter(left_behind, webhook__in=awake)
    yield from found.order_by("claimed_until").values_list("pk", flat=True)


def _next(awake: QuerySet[Webhook], waiting: Q) -> Iterator[int]:
    """The next delivery of each, the one that waits longest first. Each webhook is asked by itself:
    for one that rests or is off any number may wait, and they are not read."""
    own = WebhookDelivery.objects.filter(waiting, webhook=OuterRef("pk"))
    own = own.order_by("not_before", "pk")
    found = awake.annotate(
        next=Subquery(own.values("pk")[:1]), since=Subquery(own.values("not_before")[:1])
    )
    pks = found.order_by("since").values_list("next", flat=True)
    yield from (pk for pk in pks if pk is not None)


def _letter(delivery: WebhookDelivery) -> dict[str, Any]:
    """What a try needs."""
    hook = delivery.webhook
    secrets = [hook.secret]
    if hook.both_sign:
        secrets.append(hook.previous_secret)
    # Its departments may have been changed since the event was stored.
    wanted = not hook.audiences or delivery.audience in {"", *hook.audiences}
    return {
        "url": hook.url if wanted else "",
        "body": delivery.body.encode(),
        "secrets": secrets,
        "headers": {"Mianyue-Event": delivery.event, "Mianyue-Event-Id": delivery.event_id},
    }


NOT_WANTED = "not_wanted"


def _try(url: str, **letter: Any) -> Outcome:
    """One try; never raises."""
    begun = time.monotonic()
    status, error = None, NOT_WANTED
    if url:
        try:
            status, error = channel.send(url, **letter), ""
        except channel.NotTaken as refusal:
            status, error = refusal.status, refusal.code
        except Exception as trouble:
            error = "error"
            logger.error("webhook_broke", error=type(trouble).__name__)
    return Outcome(status, error, round((time.monotonic() - begun) * 1000))


@transaction.atomic
def finish(delivery: WebhookDelivery, outcome: Outcome) -> None:
    """Write down how a try ended, unless the lease ended meanwhile and somebody else has it."""
    now = timezone.now()
    hooks = Webhook.objects.select_for_update(no_key=True)
    hook = hooks.filter(pk=delivery.webhook_id).first()
    if hook is None:  # removed meanwhile, and its deliveries with it
        return
    state, not_before = State.DELIVERED, delivery.not_before
    if outcome.error == NOT_WANTED:
        state = State.SUPERSEDED
    elif not outcome.arrived:
        exhausted = delivery.attempts > len(BACKOFF)
        state = State.FAILED if exhausted else State.QUEUED
        not_before = now + BACKOFF[min(delivery.attempts, len(BACKOFF)) - 1]
    mine = WebhookDelivery.objects.filter(
        pk=delivery.pk, state=State.SENDING, claimed_until=delivery.claimed_until
    )
    written = mine.update(
        state=state,
        not_before=not_before,
        claimed_until=None,
        status_code=outcome.status,
        error_code=outcome.error[:60],
        milliseconds=outcome.milliseconds,
        tried_at=now,
    )
    if written and state != State.SUPERSEDED:
        _count(hook, outcome, now)


def _count(hook: Webhook, outcome: Outcome, now: datetime) -> None:
    """How the webhook is doing; after WEBHOOK_OFF_AFTER without one arrival it is switched off."""
    if outcome.arrived:
        hook.failing_since, hook.failures, hook.rests_until = None, 0, None
    else:
        hook.failures += 1
        hook.failing_since = hook.failing_since or now
        hook.rests_until = now + min(BACKOFF[min(hook.failures, len(BACKOFF)) - 1], LONGEST_REST)
        if hook.is_active and now - hook.failing_since >= settings.WEBHOOK_OFF_AFTER:
            hook.is_active = False
            logger.warning("webhook_switched_off", webhook=hook.pk)
            webhook_switched_off.send(sender=Webhook, webhook=hook)
    hook.save(update_fields=["failing_since", "failures", "rests_until", "is_active"])
