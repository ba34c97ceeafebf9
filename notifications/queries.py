"""Reads of the outbox."""

from collections.abc import Iterable

from notifications.models import Channel, Notification, NotificationQuerySet, State


def inbox(audiences: Iterable[str]) -> NotificationQuerySet:
    """What the desk shows to somebody reached under these names, newest first."""
    return Notification.objects.filter(
        channel=Channel.DESK, recipient__in=list(audiences), state=State.DELIVERED
    ).order_by("-id")
