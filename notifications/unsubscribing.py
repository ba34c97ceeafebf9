"""The address by which somebody ends a group of optional messages without signing in (RFC 8058).

It says whom and what, signed; it shows nobody's data and signs nobody in.
"""

from django.conf import settings
from django.core import signing
from django.urls import reverse

from notifications.events import Group, kind_of
from notifications.models import Notification

SALT = "notifications.unsubscribing"


def url_for(notification: Notification) -> str:
    said = [notification.recipient, kind_of(notification.event).group.value, notification.channel]
    token = signing.dumps(said, salt=SALT)
    return settings.PUBLIC_URL.rstrip("/") + reverse("notifications:unsubscribe", args=[token])


def read(token: str) -> tuple[str, Group, str] | None:
    """Whom, what and where; None where nobody signed it. It does not run out: a mail may be read
    years later."""
    try:
        recipient, group, channel = signing.loads(token, salt=SALT)
        return recipient, Group(group), channel
    except (signing.BadSignature, ValueError, TypeError):
        return None
