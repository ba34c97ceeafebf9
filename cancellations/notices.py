"""Who is told what about a cancellation."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise

from accounts.models import User
from cancellations.models import Cancellation
from interviews.models import Correction, Department, Interview, Move
from interviews.states import InterviewStatus
from notifications.models import WorkItem, WorkKind
from notifications.services import Notice

# What is true only until somebody has decided, and must not arrive after the decision.
WHILE_UNDECIDED = (
    "cancellation_received",
    "cancellation_to_decide",
    "decision_reminder",
    "decision_escalated",
)
# What is true only while the interview is off, or only once it is on again.
WHILE_CANCELLED = (
    "cancellation_done",
    "interview_cancelled",
    "interviewer_released",
    "position_cancellation",
    "company_cancelled",
    "company_cancelled_one",
)
WHILE_REINSTATED = ("interview_reinstated", "interview_reinstated_staff")
# What staff are told of several at once.
OF_MANY = {
    "position_cancellation": "company_cancelled_many",
    "company_cancelled_one": "company_cancelled_many",
    "interviewer_released": "interviewer_released_many",
}
# What is said when a work item comes to one of its times: of a waiting request, of anything else.
CHASING = {
    "remind": ("decision_reminder", "work_reminder"),
    "escalate": ("decision_escalated", "work_escalated"),
}
LISTED = 100  # interviews named in one message


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


def called_off(cancellations: Sequence[Cancellation]) -> Iterator[Notice]:
    """The company cancels, one interview or many: every candidate is told of theirs; recruiters,
    interviewers and departments once, of all that were theirs."""
    theirs: dict[tuple[str, User | Department], list[Cancellation]] = defaultdict(list)
    for cancellation in cancellations:
        yield from _to_candidate(cancellation, "company_cancelled")
        position = cancellation.interview.position
        interviewer = cancellation.interview.interviewer
        theirs["position_cancellation", position.department].append(cancellation)
        if position.recruiter is not None:
            theirs["company_cancelled_one", position.recruiter].append(cancellation)
        if interviewer is not None and interviewer != position.recruiter:
            theirs["interviewer_released", interviewer].append(cancellation)
    for (event, whose), concerned in theirs.items():
        if len(concerned) > 1:
            yield from _digest(OF_MANY[event], whose, concerned)
        elif isinstance(whose, User):
            yield from _to_person(concerned[0], event, whose, ["email", "desk"])
        else:
            yield _to_department(concerned[0], event)
            if whose.email:
                yield _notice(concerned[0], event, "email", whose.audience, whose.email)


def corrected(correction: Correction, interview: Interview) -> Iterator[Notice]:
    """A status was set right by hand: the candidate is told; of an interview that takes place after
    all, everybody who had been told that it does not."""
    reinstated = correction.move == Move.REINSTATE
    event = "interview_reinstated" if reinstated else "status_corrected"
    told: list[tuple[str, User | Department, list[str]]] = [
        (event, interview.candidate.user, ["sms", "email"])
    ]
    if reinstated:
        staff = {interview.position.recruiter, interview.interviewer} - {None}
        told += [("interview_reinstated_staff", each, ["email", "desk"]) for each in staff if each]
        told.append(("interview_reinstated_staff", interview.position.department, ["desk"]))
    for event, whose, channels in told:
        for address in _addresses(whose, channels):
            yield Notice(
                event=event,
                subject=interview.subject,
                dedupe_key=f"{event}:{correction.reference}:{address['channel']}:{address['recipient']}",
                params=_correction_params(correction, interview, address["language"]),
                **address,
            )


def _digest(
    event: str, whose: User | Department, cancellations: Sequence[Cancellation]
) -> Iterator[Notice]:
    """One message about several interviews."""
    first = cancellations[0]
    listed = [
        {
            "candidate": each.interview.candidate.user.name,
            "position": each.interview.position.title,
            "kind": each.interview.kind,
            "starts_at": each.starts_at.isoformat() if each.starts_at else None,
        }
        for each in cancellations[:LISTED]
    ]
    for address in _addresses(whose, ["email", "desk"]):
        yield Notice(
            event=event,
            subject=f"cancellation:{first.reference}",
            dedupe_key=f"{event}:{first.reference}:{address['channel']}:{address['recipient']}",
            params={
                "count": len(cancellations),
                "more": len(cancellations) - len(listed),
                "reason": first.reason.label_in(address["language"]),
                "interviews": listed,
            },
            **address,
        )


def _addresses(whose: User | Department, channels: list[str]) -> Iterator[dict[str, Any]]:
    """Where somebody is reached, and in which words, for each of the channels they have."""
    if isinstance(whose, User):
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


def _correction_params(
    correction: Correction, interview: Interview, language: str
) -> dict[str, Any]:
    with translation.override(language):
        status = str(InterviewStatus(interview.status).label)
    recruiter = interview.position.recruiter
    return {
        "candidate": interview.candidate.user.name,
        "position": interview.position.title,
        "department": interview.position.department.name,
        "kind": interview.kind,
        "starts_at": interview.starts_at.isoformat() if interview.starts_at else None,
        "location": interview.location,
        "status": status,
        "note": correction.note,
        "recruiter": recruiter.name if recruiter else "",
        "interview": interview.reference,
    }


def chased(
    item: WorkItem, interview: Interview, step: str, people: Iterable[User], *, words: Promise | str
) -> Iterator[Notice]:
    """Something has waited too long: these `people` are told. `words` say what it is about."""
    decision, other = CHASING[step]
    event = decision if item.kind == WorkKind.CANCELLATION else other
    for person in people:
        for address in _addresses(person, ["email", "desk"]):
            yield Notice(
                event=event,
                subject=interview.subject,
                dedupe_key=f"{event}:{item.reference}:{address['channel']}:{address['recipient']}",
                params=_work_params(item, interview, words, address["language"]),
                **address,
            )


def _work_params(
    item: WorkItem, interview: Interview, words: Promise | str, language: str
) -> dict[str, Any]:
    with translation.override(language):
        kind, about = str(WorkKind(item.kind).label), str(words)
    return {
        "candidate": interview.candidate.user.name,
        "position": interview.position.title,
        "department": interview.position.department.name,
        "kind": interview.kind,
        "starts_at": interview.starts_at.isoformat() if interview.starts_at else None,
        "work": kind,
        "words": about,
        "due_at": item.due_at.isoformat(),
        "item": item.reference,
    }


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
