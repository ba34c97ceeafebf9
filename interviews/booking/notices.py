"""Who is told what about being invited, booking, moving and declining."""

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.utils import translation

from interviews.booking import queries
from interviews.models import Decline, DeclineReason, Interview
from interviews.notices import CANDIDATE, STAFF, about, leads_of
from notifications.services import Notice

# What is true only while nobody has booked, and only while the time in it is the one, by whomever
# it is told: superseded with what happens to the interview (interviews/reminders/planning.py).
WHILE_INVITED = ("interview_invited",)
WHILE_BOOKED = (
    "interview_booked",
    "interview_moved",
    "interview_moved_staff",
    "interview_rebooked",
    "interview_reinstated",
    "interview_reinstated_staff",
    "booked_again",
)


def invited(interview: Interview) -> Iterator[Notice]:
    """The candidate, with the link that leads to booking."""
    yield from about(
        interview,
        "interview_invited",
        interview.candidate.user,
        CANDIDATE,
        key=interview.reference,
        token=queries.invitation_token(interview),
        deadline_at=interview.deadline.isoformat() if interview.deadline else None,
    )


def booked(interview: Interview) -> Iterator[Notice]:
    """The candidate has it in writing."""
    yield from about(
        interview,
        "interview_booked",
        interview.candidate.user,
        CANDIDATE,
        key=interview.reference,
    )


def moved(interview: Interview, *, before: datetime | None) -> Iterator[Notice]:
    """One message to each who counts on the time: the candidate, the recruiter, the interviewer."""
    key = f"{interview.reference}:{interview.moves}"
    more = {"before_at": before.isoformat() if before else None}
    yield from about(
        interview, "interview_moved", interview.candidate.user, CANDIDATE, key=key, **more
    )
    people = [interview.position.recruiter, interview.interviewer]
    for person in {each.pk: each for each in people if each}.values():
        yield from about(interview, "interview_moved_staff", person, STAFF, key=key, **more)


def declined(decline: Decline) -> Iterator[Notice]:
    """The candidate is thanked; whoever looks after the position learns of it."""
    interview = decline.interview
    key = interview.reference
    yield from about(interview, "invitation_declined", interview.candidate.user, CANDIDATE, key=key)
    position = interview.position
    recruiter = position.recruiter if position.recruiter and position.recruiter.is_active else None
    for person in [recruiter] if recruiter else leads_of(position.department):
        yield from about(
            interview,
            "invitation_declined_staff",
            person,
            STAFF,
            key=key,
            reason=_reason_in(decline, person.language),
        )


def _reason_in(decline: Decline, language: str) -> str:
    with translation.override(language or settings.LANGUAGE_CODE):
        return str(DeclineReason(decline.reason).label)
