"""Demo mode: messages go nowhere, and /demo/messages/ shows them."""

from notifications.models import Notification
from notifications.rendering import Message


def send(notification: Notification, message: Message) -> str:
    """Nothing to do: the row is what the page shows."""
    return ""
