"""How somebody is reached about an interview, and what a message may say of it."""

from collections.abc import Iterator
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
    if isinstance(whose, User):
        if not is_told(whose):
            return
        recipient = f"user:{whose.pk}"
        found = {"sms": whose.mobile, "email": whose.email, "desk": recipient}
        language, time_zone = whose.language, whose.time_zone
    else:
        recipient = whose.audience
        found = {"email": whose.email, "desk": recipient}
        language, time_zone = "", ""
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
        yield Notice(
            event=event,
            subject=interview.subject,
            dedupe_key=f"{event}:{key}:{address['channel']}:{address['recipient']}",
            params=facts(interview) | more | calendar_entries.param(interview, event, address),
            **address,
        )
