"""Messages about nothing in particular, and who carries them."""

from datetime import timedelta

from django.utils import timezone

from notifications import services
from notifications.events import EVENTS, Event, Group
from notifications.models import Notification
from notifications.services import Notice, notify

OPTIONAL = "test_optional"  # people may do without it, and it can wait


def told(key="1", event="password_changed", **fields) -> Notification:
    """One message, stored."""
    values = {
        "channel": "sms",
        "recipient": "user:1",
        "address": "+8613800000001",
        "language": "en",
        "subject": "user:1",
    }
    notify(Notice(event=event, dedupe_key=key, **(values | fields)))
    return again(key)


def again(key="1") -> Notification:
    return Notification.objects.get(dedupe_key=key)


def sent(key="1", **fields) -> Notification:
    """One the provider has taken."""
    message = told(key, **fields)
    Notification.objects.filter(pk=message.pk).update(
        state="sent", sent_at=timezone.now(), provider_id=f"SM{key}"
    )
    return again(key)


def tried(key="1") -> Notification:
    """After everything due was tried."""
    services.deliver_due(seconds=10)
    return again(key)


def later(**time):
    return timezone.now() + timedelta(**time)


def optional_event(monkeypatch, group=Group.REMINDERS) -> str:
    """An event of a kind that no app has yet, with the words of another."""
    monkeypatch.setitem(EVENTS, OPTIONAL, Event(group, can_wait=True))
    from notifications import courtesy, rendering

    monkeypatch.setattr(courtesy, "CAPPED_EVENTS", [OPTIONAL] if EVENTS[OPTIONAL].is_capped else [])
    original = rendering.render

    def render(notification):
        """With the words of another event, the kind of its own."""
        monkeypatch.setitem(EVENTS, "password_changed", EVENTS[OPTIONAL])
        own, notification.event = notification.event, "password_changed"
        try:
            return original(notification)
        finally:
            notification.event = own
            monkeypatch.setitem(EVENTS, "password_changed", Event(Group.ACCOUNT))

    monkeypatch.setattr(rendering, "render", render)
    return OPTIONAL
