"""Who is told what about places that came free."""

from collections.abc import Iterator
from datetime import datetime

from interviews.models import Interview
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


def refilled(offer: Offer, interview: Interview) -> Iterator[Notice]:
    """HR and the interviewer know who comes; the candidate is told of the booking as of any."""
    position = interview.position
    recruiter = position.recruiter if position.recruiter and position.recruiter.is_active else None
    staff = [recruiter] if recruiter else leads_of(position.department)
    if interview.interviewer:
        staff.append(interview.interviewer)
    for person in {each.pk: each for each in staff}.values():
        yield from about(interview, "place_refilled", person, STAFF, key=offer.reference)
    yield from about(
        interview, "place_refilled", position.department, ("desk",), key=offer.reference
    )
