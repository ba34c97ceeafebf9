"""From an outbox row to the words a person reads."""

from dataclasses import dataclass

from notifications.models import Notification


@dataclass(frozen=True)
class Message:
    title: str
    body: str


def render(notification: Notification) -> Message:
    raise NotImplementedError
