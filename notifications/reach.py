"""Where a message does not arrive: another channel instead, and somebody who sees to it."""

from collections.abc import Mapping
from datetime import datetime

import structlog
from django.db import transaction
from django.utils import timezone

from notifications import faults, preferences, rendering
from notifications.events import SECRET_EVENTS
from notifications.models import Channel, Notification, NotificationQuerySet, OutOfReach, State
from notifications.services import Notice, notify
from notifications.signals import person_out_of_reach

logger = structlog.get_logger(__name__)

INSTEAD = ":instead:"  # in the dedupe key of what goes another way
DEAD = (State.FAILED, State.BOUNCED)
NOT_GONE = (State.QUEUED, State.SENDING, State.SUPERSEDED)
WAYS = (Channel.SMS, Channel.EMAIL)


def fall_back(notification: Notification, addresses: Mapping[str, str | None]) -> None:
    """One message has failed for good: send it on the other channel of `addresses` instead, unless
    that has it already, or they have switched such messages off there. Where none is left the
    person is out of reach. In the transaction that marks it as failed, with all that told the same
    locked."""
    if notification.channel not in WAYS or notification.event in SECRET_EVENTS:
        return
    refused = preferences.refused(notification.recipient, notification.event)
    alive = _told_otherwise(notification).exclude(state__in=DEAD)
    if alive.exclude(state__in=NOT_GONE, channel__in=refused).exists():
        return
    ways = {channel: to for channel, to in addresses.items() if channel not in refused}
    if INSTEAD not in notification.dedupe_key and _send_otherwise(notification, ways):
        return
    if faults.is_theirs(notification.error_code):
        _lose(notification)


def solve(recipient: str, *, at: datetime | None = None) -> None:
    """Somebody can be reached again, in the caller's transaction."""
    lost = OutOfReach.objects.filter(recipient=recipient, solved_at=None)
    lost.update(solved_at=at or timezone.now())


def _told_otherwise(notification: Notification) -> NotificationQuerySet:
    """The same, told at the same time on another channel."""
    return Notification.objects.filter(
        recipient=notification.recipient,
        subject=notification.subject,
        event=notification.event,
        created_at=notification.created_at,
        channel__in=WAYS,
    ).exclude(pk=notification.pk)


def _send_otherwise(notification: Notification, addresses: Mapping[str, str | None]) -> bool:
    """Whether there was a way it has not gone yet."""
    gone = set(_told_otherwise(notification).values_list("channel", flat=True))
    for channel in WAYS:
        address = addresses.get(channel)
        if channel == notification.channel or channel in gone or not address:
            continue
        if not rendering.has_words(notification.event, channel):
            continue
        notify(
            Notice(
                event=notification.event,
                channel=channel,
                recipient=notification.recipient,
                address=address,
                language=notification.language,
                subject=notification.subject,
                dedupe_key=f"{notification.dedupe_key}{INSTEAD}{channel}",
                time_zone=notification.time_zone,
                params=notification.params,
                deadline=notification.deadline,
            )
        )
        return True
    return False


def _lose(notification: Notification) -> None:
    """Known as out of reach once, however much fails meanwhile."""
    lost = OutOfReach(
        recipient=notification.recipient,
        subject=notification.subject,
        since=timezone.now(),
        code=notification.error_code,
    )
    OutOfReach.objects.bulk_create([lost], ignore_conflicts=True)


class _ToldElsewhere(Exception):
    """Another worker told of it, or it was solved, while this one was at it."""


def tell(*, at_most: int = 200) -> int:
    """Those who see to it are told of people newly out of reach; how many. Apart from the failure
    itself: they lock what it is about, which whoever overtakes a message has locked before it."""
    lost = OutOfReach.objects.filter(solved_at=None, told_at=None).order_by("since")
    told = 0
    for each in lost[:at_most]:
        try:
            told += _tell(each)
        except Exception:  # one must not keep the others waiting
            logger.exception("out_of_reach_untold", recipient=each.recipient)
    return told


def _tell(lost: OutOfReach) -> bool:
    try:
        with transaction.atomic():
            person_out_of_reach.send(
                sender=OutOfReach, recipient=lost.recipient, subject=lost.subject
            )
            untold = OutOfReach.objects.filter(pk=lost.pk, told_at=None, solved_at=None)
            if not untold.update(told_at=timezone.now()):
                raise _ToldElsewhere
    except _ToldElsewhere:
        return False
    return True
