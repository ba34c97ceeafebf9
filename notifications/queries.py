"""Reads of the outbox."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Exists, OuterRef

from config.prepared import Later, Prepared, among
from notifications.models import (
    Channel,
    Notification,
    NotificationQuerySet,
    OutOfReach,
    State,
)


def inbox(audiences: Iterable[str]) -> NotificationQuerySet:
    """What the desk shows to somebody reached under these names, newest first; once, whoever is
    told the same under two of them."""
    messages = Notification.objects.filter(
        channel=Channel.DESK, recipient__in=list(audiences), state=State.DELIVERED
    )
    same_before = messages.filter(
        event=OuterRef("event"),
        subject=OuterRef("subject"),
        created_at=OuterRef("created_at"),
        id__lt=OuterRef("id"),
    )
    return messages.filter(~Exists(same_before)).order_by("-id")


def sent_here(count: int) -> list[Notification]:
    """The newest `count` text messages and as many mails, newest first."""
    sent = Notification.objects.filter(state=State.SENT).order_by("-sent_at", "-pk")
    texts = sent.filter(channel=Channel.SMS)[:count]
    mails = sent.filter(channel=Channel.EMAIL)[:count]
    return [*texts, *mails]


def held_here(now: datetime, count: int) -> list[Notification]:
    """The text messages and mails that wait for their time, such as the end of the quiet hours, the
    next one first."""
    held = Notification.objects.filter(
        state=State.QUEUED, not_before__gt=now, channel__in=[Channel.SMS, Channel.EMAIL]
    )
    return list(held.order_by("not_before", "pk")[:count])


def unreachable(*recipients: str) -> set[str]:
    """Who of them, such as "user:12", nothing leads to at present; one query."""
    return {recipient for (recipient,) in _lost(recipients=list(recipients))}


_lost = Prepared(
    lambda: OutOfReach.objects.filter(
        among("recipient", Later("recipients")), solved_at=None
    ).values_list("recipient")
)


def delivery_failed(subject: str, recipient: str) -> bool:
    """Whether something about `subject` was sent to them and nothing of it arrived."""
    told = Notification.objects.filter(
        subject=subject, recipient=recipient, channel__in=[Channel.SMS, Channel.EMAIL]
    )
    failed = told.filter(state__in=[State.FAILED, State.BOUNCED]).exists()
    return failed and not told.filter(state__in=[State.SENT, State.DELIVERED]).exists()
