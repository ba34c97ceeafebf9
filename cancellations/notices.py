"""Who is told what about a cancellation."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings

from accounts.models import User
from cancellations.models import Cancellation
from interviews.models import Department
from notifications.services import Notice

# What is true only until somebody has decided, and must not arrive after the decision.
WHILE_UNDECIDED = ("cancellation_received", "cancellation_to_decide")


def received(cancellation: Cancellation) -> Iterator[Notice]:
    """HR has to decide: the candidate learns by when, HR learns that there is something to do."""
    yield from _to_candidate(cancellation, "cancellation_received")
    yield from _to_recruiter(cancellation, "cancellation_to_decide")
    yield _to_department(cancellation, "cancellation_to_decide")


def cancelled(cancellation: Cancellation) -> Iterator[Notice]:
    """It is off: the candidate, the recruiter, the interviewer and the department are told."""
    yield from _to_candidate(cancellation, "cancellation_done")
    yield from _to_recruiter(cancellation, "interview_cancelled")
    interviewer = cancellation.interview.interviewer
    if interviewer is not None and interviewer != cancellation.interview.position.recruiter:
        yield from _to_person(cancellation, "interviewer_released", interviewer, ["email", "desk"])
    yield _to_department(cancellation, "position_cancellation")
    department = cancellation.interview.position.department
    if department.email:
        yield _notice(
            cancellation, "position_cancellation", "email", department.audience, department.email
        )


def declined(cancellation: Cancellation) -> Iterator[Notice]:
    """The appointment stands, and the candidate learns why."""
    yield from _to_candidate(cancellation, "cancellation_declined")


def taken_back(cancellation: Cancellation) -> Iterator[Notice]:
    """The candidate comes after all: HR need not decide any more."""
    yield from _to_recruiter(cancellation, "cancellation_taken_back")
    yield _to_department(cancellation, "cancellation_taken_back")


def _to_candidate(cancellation: Cancellation, event: str) -> Iterator[Notice]:
    user = cancellation.interview.candidate.user
    yield from _to_person(cancellation, event, user, ["sms", "email"])


def _to_recruiter(cancellation: Cancellation, event: str) -> Iterator[Notice]:
    recruiter = cancellation.interview.position.recruiter
    if recruiter is not None:
        yield from _to_person(cancellation, event, recruiter, ["email", "desk"])


def _to_person(
    cancellation: Cancellation, event: str, user: User, channels: list[str]
) -> Iterator[Notice]:
    recipient = f"user:{user.pk}"
    addresses = {"sms": user.mobile, "email": user.email, "desk": recipient}
    for channel in channels:
        address = addresses[channel]
        if address:
            yield _notice(cancellation, event, channel, recipient, address, person=user)


def _to_department(cancellation: Cancellation, event: str) -> Notice:
    department: Department = cancellation.interview.position.department
    return _notice(cancellation, event, "desk", department.audience, department.audience)


def _notice(
    cancellation: Cancellation,
    event: str,
    channel: str,
    recipient: str,
    address: str,
    person: User | None = None,
) -> Notice:
    language = (person.language if person else "") or settings.LANGUAGE_CODE
    return Notice(
        event=event,
        channel=channel,
        recipient=recipient,
        address=address,
        language=language,
        time_zone=person.time_zone if person else "",
        subject=cancellation.interview.subject,
        dedupe_key=f"{event}:{cancellation.reference}:{channel}:{recipient}",
        params=_params(cancellation, language),
    )


def _params(cancellation: Cancellation, language: str) -> dict[str, Any]:
    """Names ending in `_at` are times, as ISO 8601 in UTC; the sender shows them in local time."""
    interview = cancellation.interview
    position = interview.position
    recruiter = position.recruiter
    return {
        "candidate": interview.candidate.user.name,
        "position": position.title,
        "department": position.department.name,
        "kind": interview.kind,
        "starts_at": cancellation.starts_at.isoformat() if cancellation.starts_at else None,
        "reason": cancellation.reason.label_in(language),
        "short_notice": cancellation.short_notice,
        "promised_minutes": cancellation.policy.get("promised_minutes"),
        "decide_at": cancellation.decide_by.isoformat() if cancellation.decide_by else None,
        "decided_by_policy": cancellation.decided_by_id is None,
        "note": cancellation.note,
        "receipt": cancellation.reference,
        "talent_pool": interview.candidate.talent_pool_at is not None,
        "recruiter": recruiter.name if recruiter else "",
    }
