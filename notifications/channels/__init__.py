"""One module a channel; each has `send(notification, message)`, which sends one message and returns
the provider's id for it."""

from importlib import import_module

from django.conf import settings

from notifications.models import Channel, Notification
from notifications.rendering import Message


class Refused(Exception):
    """The provider will never take this message; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class TryAgain(Exception):
    """Not now: the provider is away, slow or busy."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    @property
    def is_away(self) -> bool:
        """Whether others sent there now would fare the same."""
        return self.code in {"timeout", "unreachable", "421", "429"} or (
            len(self.code) == 3 and self.code.startswith("5")
        )


def send(notification: Notification, message: Message) -> str:
    """Send on the notification's channel; in demo mode nothing leaves the machine. Raises Refused
    or TryAgain."""
    stays_here = settings.MESSAGES_STAY_HERE and notification.channel != Channel.DESK
    name = "here" if stays_here else notification.channel
    # Imported on use: a web server only stores messages, and a provider's SDK is large.
    return import_module(f"{__name__}.{name}").send(notification, message)
