"""Who is told what about signing in."""

from collections.abc import Iterator
from uuid import uuid4

from django.utils.translation import get_language

from accounts.models import User
from notifications.services import Notice


def code(user: User, event: str, code: str, *, minutes: int) -> Notice:
    """A one-time code to the mobile number: "sign_in_code" or "password_reset_code"."""
    return _notice(user, event, "sms", user.mobile or "", {"code": code, "minutes": minutes})


def reset_link(user: User, url: str, *, minutes: int) -> Notice:
    return _notice(
        user, "password_reset", "email", user.email or "", {"url": url, "minutes": minutes}
    )


def password_changed(user: User) -> Iterator[Notice]:
    """By every way we have, so that whoever did not change it learns of it."""
    for channel, address in (("sms", user.mobile), ("email", user.email)):
        if address:
            yield _notice(user, "password_changed", channel, address, {})


def _notice(
    user: User, event: str, channel: str, address: str, params: dict[str, str | int]
) -> Notice:
    person = f"user:{user.pk}"
    return Notice(
        event=event,
        channel=channel,
        recipient=person,
        address=address,
        language=user.language or get_language() or "",
        subject=person,
        dedupe_key=f"{event}:{uuid4().hex}",  # asking again is meant to send again
        time_zone=user.time_zone,
        params=dict(params),
    )
