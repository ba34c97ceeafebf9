"""How somebody is reached about an interview, and what a message may say of it."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings

from accounts.models import User
from accounts.permissions import Role
from interviews import calendar_entries
from interviews.models import Department, Interview
from notifications.services import Notice

CANDIDATE = ("sms", "email")
STAFF = ("email", "desk")


def is_told(person: User) -> bool:
    """Staff who were switched off learn nothing any more; candidates are told of what is theirs,
    whether they may sign in or not."""
    return person.is_active or person.role == Role.CANDIDATE


def leads_of(department: Department) -> list[User]:
    """The HR leads who are told what nobody else sees to."""
    leads = User.objects.filter(role=Role.HR_LEAD, departments=department, is_active=True)
    return list(leads.order_by("pk"))


def addresses(whose: User | Department, channels: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Where somebody is reached, and in which words, for each of the channels they have."""
    found: dict[str, str | None]
    if not isinstance(whose, User):
        found = {"email": whose.email, "desk": whose.audience}
        yield from ways(whose.audience, found, channels)
    elif is_told(whose):
        recipient = f"user:{whose.pk}"
        found = {"sms": whose.mobile, "email": whose.email, "desk": recipient}
        yield from ways(recipient, found, channels, whose.language, whose.time_zone)


def ways(
    recipient: str,
    found: Mapping[str, str | None],
    channels: tuple[str, ...],
    language: str = "",
    time_zone: str = "",
) -> Iterator[dict[str, Any]]:
    """Each of the channels for which an address was `found`."""
    for channel in channels:
        if address := found.get(channel):
            yield {
                "channel": channel,
                "recipient": recipient,
                "address": address,
                "language": language or settings.LANGUAGE_CODE,
                "time_zone": time_zone,
            }


def facts(interview: Interview) -> dict[str, Any]:
    """What any message may say. Names ending in `_at` are times, as ISO 8601 in UTC; the sender
    shows them in local time."""
    return {
        "candidate": interview.candidate.user.name,
        "position": interview.position.title,
        "department": interview.position.department.name,
        "kind": interview.kind,
        "starts_at": interview.starts_at.isoformat() if interview.starts_at else None,
        "location": interview.location,
        "recruiter": recruiter_of(interview),
        "interview": interview.reference,
    }


def recruiter_of(interview: Interview) -> str:
    """Whom candidates are told to ask; nobody, where they have left."""
    recruiter = interview.position.recruiter
    return recruiter.name if recruiter and is_told(recruiter) else ""


def about(
    interview: Interview,
    event: str,
    whose: User | Department,
    channels: tuple[str, ...],
    *,
    key: str,
    **more: Any,
) -> Iterator[Notice]:
    """One message on each of the channels. `key` tells this occasion from others of the event;
    `more` are parameters beside the facts."""
    for address in addresses(whose, channels):
        params = facts(interview) | more | calendar_entries.param(interview, event, address)
        yield notice(event, interview.subject, address, key=key, params=params)


def notice(
    event: str, subject: str, address: dict[str, Any], *, key: str, params: dict[str, Any]
) -> Notice:
    """The message on one of the channels."""
    return Notice(
        event=event,
        subject=subject,
        dedupe_key=f"{event}:{key}:{address['channel']}:{address['recipient']}",
        params=params,
        **address,
    )
