"""Who is told what about signing in."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from django.utils import translation

from accounts.models import AccessChangeKind, User
from accounts.permissions import Role
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


def invitation(user: User, url: str, *, days: int) -> Notice:
    """The link by which a new member of staff chooses their first password."""
    params: dict[str, Any] = {"url": url, "days": days, "minutes": days * 24 * 60}
    return _notice(user, "staff_invited", "email", user.email or "", params)


def access_changed(
    user: User, kind: AccessChangeKind, *, by_somebody: bool, details: dict[str, Any]
) -> Notice:
    """What was changed about somebody's access, by themselves or `by_somebody` else."""
    params: dict[str, Any] = {"kind": kind.value, "by_somebody": by_somebody}
    for key, value in details.items():
        params[key] = ", ".join(value) if isinstance(value, list) else value
    if "role" in details:
        with translation.override(_language(user)):
            params["role"] = str(Role(details["role"]).label)
    return _notice(user, "access_changed", "email", user.email or "", params)


def _notice(user: User, event: str, channel: str, address: str, params: dict[str, Any]) -> Notice:
    person = f"user:{user.pk}"
    return Notice(
        event=event,
        channel=channel,
        recipient=person,
        address=address,
        language=_language(user),
        subject=person,
        dedupe_key=f"{event}:{uuid4().hex}",  # asking again is meant to send again
        time_zone=user.time_zone,
        params=dict(params),
    )


def _language(user: User) -> str:
    return user.language or translation.get_language() or ""
