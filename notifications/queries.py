"""Reads of the outbox."""

from collections.abc import Iterable

from django.db.models import Exists, OuterRef

from notifications.models import Channel, Notification, NotificationQuerySet, State


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
