"""Who is told what about places that came free."""

from collections.abc import Iterator
from datetime import datetime

from accounts.models import User
from interviews.models import Department, Interview
from interviews.notices import CANDIDATE, STAFF, about, addresses, is_told, leads_of
from interviews.refill.links import address_of
from interviews.refill.models import Offer
from notifications.services import Notice

WHILE_OPEN = ("place_offered",)


def offered(offer: Offer, *, asked_at: datetime) -> Iterator[Notice]:
    """A place is kept for them until a certain time; at night they hear of it in the morning."""
    user, position = offer.entry.candidate.user, offer.slot.position
    recruiter = position.recruiter
    params = {
        "candidate": user.name,
        "position": position.title,
        "department": position.department.name,
        "kind": offer.slot.kind,
        "starts_at": offer.slot.starts_at.isoformat(),
        "held_at": offer.held_until.isoformat(),
        "recruiter": recruiter.name if recruiter and is_told(recruiter) else "",
        "link": address_of(offer.reference),
    }
    for address in addresses(user, CANDIDATE):
        yield Notice(
            event="place_offered",
            subject=offer.subject,
            dedupe_key=f"place_offered:{offer.reference}:{address['channel']}",
            params=params,
            not_before=asked_at,
            **address,
        )


def taken(offer: Offer, interview: Interview) -> Iterator[Notice]:
    """It is theirs: the candidate has it in writing, HR knows who comes."""
    told: list[tuple[str, User | Department, tuple[str, ...]]] = [
        ("place_taken", interview.candidate.user, CANDIDATE)
    ]
    position = interview.position
    staff = [position.recruiter] if position.recruiter and position.recruiter.is_active else []
    told += [("place_refilled", each, STAFF) for each in staff or leads_of(position.department)]
    told.append(("place_refilled", position.department, ("desk",)))
    if interview.interviewer and interview.interviewer not in staff:
        told.append(("place_refilled", interview.interviewer, STAFF))
    for event, whose, channels in told:
        yield from about(interview, event, whose, channels, key=offer.reference)
