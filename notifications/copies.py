"""What is told beside a message once it has gone: to group chats what a department's desk is told,
to a person's browsers what they are sent by text message or mail."""

from collections.abc import Iterator

from django.conf import settings

from notifications.events import SECRET_EVENTS, Group, kind_of
from notifications.models import COMPANY, Channel, ChatGroup, Notification, PushSubscription
from notifications.remembering import Remembered
from notifications.services import Notice


def of(notification: Notification) -> Iterator[Notice]:
    """The copies; none of what opens an account."""
    if notification.event in SECRET_EVENTS:
        return
    if notification.channel == Channel.DESK and _is_shared(notification.recipient):
        yield from _to_groups(notification)
    elif notification.channel in (Channel.SMS, Channel.EMAIL) and settings.VAPID_PRIVATE_KEY:
        yield from _to_browsers(notification)


def _is_shared(recipient: str) -> bool:
    """Whether it is a desk whose messages group chats are told; one's own are one's own."""
    return recipient == COMPANY or recipient.startswith("department:")


def _to_groups(notification: Notification) -> Iterator[Notice]:
    for group in active_groups():
        if group.audiences and notification.recipient not in group.audiences:
            continue
        yield _copy(
            notification,
            Channel.CHAT,
            recipient=f"chat:{group.pk}",
            key=f"{notification.dedupe_key}:chat:{group.pk}",
            language=group.language or settings.LANGUAGE_CODE,
        )


@Remembered
def active_groups() -> list[ChatGroup]:
    """There are few. One that was added or may see less counts some seconds later; one switched off
    is told nothing all the same, and its copy fails as withdrawn (channels/chat.py)."""
    return list(ChatGroup.objects.filter(is_active=True).defer("url"))


def _to_browsers(notification: Notification) -> Iterator[Notice]:
    """Once, whether it went by text message, by mail or by both: these were stored together."""
    if kind_of(notification.event).group in (Group.ACCOUNT, Group.WORK, Group.FIGURES):
        return
    told_at = notification.created_at.isoformat()
    browsers = PushSubscription.objects.filter(recipient=notification.recipient)
    for pk in browsers.values_list("pk", flat=True):
        yield _copy(
            notification,
            Channel.PUSH,
            recipient=notification.recipient,
            key=f"push:{pk}:{notification.event}:{notification.subject}:{told_at}",
            language=notification.language,
            address=str(pk),
        )


def _copy(
    notification: Notification,
    channel: Channel,
    *,
    recipient: str,
    key: str,
    language: str,
    address: str = "",
) -> Notice:
    return Notice(
        event=notification.event,
        channel=channel,
        recipient=recipient,
        address=address,
        language=language,
        subject=notification.subject,
        dedupe_key=key,
        time_zone=notification.time_zone,
        params=notification.params,
        deadline=notification.deadline,
    )
