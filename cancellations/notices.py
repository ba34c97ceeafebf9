"""Who is told what about a cancellation."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise

from accounts.models import User
from accounts.permissions import DECIDE_CANCELLATION, Role
from cancellations.models import Cancellation
from interviews.models import Correction, Department, Interview, Move, Position
from interviews.queries import departments_of
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
    "exit_done",
    "candidate_left",
    "position_exit",
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
    yield from to_candidate(cancellation, "cancellation_received")
    yield from to_whoever_decides(cancellation, "cancellation_to_decide")
    yield to_department(cancellation, "cancellation_to_decide")


def cancelled(cancellation: Cancellation) -> Iterator[Notice]:
    """It is off: the candidate, the recruiter, the interviewer and the department are told."""
    yield from to_candidate(cancellation, "cancellation_done")
    yield from _to_recruiter(cancellation, "interview_cancelled")
    yield from to_interviewer(cancellation, "interviewer_released")
    yield from to_department_and_mailbox(cancellation, "position_cancellation")


def declined(cancellation: Cancellation) -> Iterator[Notice]:
    """The appointment stands, and the candidate learns why."""
    yield from to_candidate(cancellation, "cancellation_declined")


def taken_back(cancellation: Cancellation) -> Iterator[Notice]:
    """The candidate comes after all: HR need not decide any more."""
    yield from to_whoever_decides(cancellation, "cancellation_taken_back")
    yield to_department(cancellation, "cancellation_taken_back")


def called_off(cancellations: Sequence[Cancellation]) -> Iterator[Notice]:
    """The company cancels, one interview or many: every candidate is told of theirs; recruiters,
    interviewers and departments once, of all that were theirs."""
    theirs: dict[tuple[str, User | Department], list[Cancellation]] = defaultdict(list)
    for cancellation in cancellations:
        yield from to_candidate(cancellation, "company_cancelled")
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
            yield to_department(concerned[0], event)
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


def leads_of(department: Department) -> list[User]:
    """The HR leads who are told what nobody else sees to."""
    leads = User.objects.filter(role=Role.HR_LEAD, departments=department, is_active=True)
    return list(leads.order_by("pk"))


def deciders_of(department: Department) -> list[User]:
    """Who decides what waits: the HR leads, and where a department has none the administrators."""
    if leads := leads_of(department):
        return leads
    return list(User.objects.filter(role=Role.ADMINISTRATOR, is_active=True).order_by("pk"))


def told_to_decide(position: Position) -> list[User]:
    """The recruiter, as far as they see the position; where they may not decide, who may as well.
    The promise made to the candidate is short: nobody is told only once it is broken."""
    recruiter, department = position.recruiter, position.department
    if recruiter is None or not recruiter.is_active:
        return deciders_of(department)
    if not departments_of(recruiter).filter(pk=department.pk).exists():
        return deciders_of(department)
    if recruiter.has_perm(DECIDE_CANCELLATION):
        return [recruiter]
    return [recruiter, *deciders_of(department)]


def is_told(person: User) -> bool:
    """Staff who were switched off learn nothing any more; candidates are told of what is theirs,
    whether they may sign in or not."""
    return person.is_active or person.role == Role.CANDIDATE


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


def _correction_params(
    correction: Correction, interview: Interview, language: str
) -> dict[str, Any]:
    with translation.override(language):
        status = str(InterviewStatus(interview.status).label)
    return {
        "candidate": interview.candidate.user.name,
        "position": interview.position.title,
        "department": interview.position.department.name,
        "kind": interview.kind,
        "starts_at": interview.starts_at.isoformat() if interview.starts_at else None,
        "location": interview.location,
        "status": status,
        "note": correction.note,
        "recruiter": _recruiter_of(interview),
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


def _recruiter_of(interview: Interview) -> str:
    """Whom candidates are told to ask; nobody, where they have left."""
    recruiter = interview.position.recruiter
    return recruiter.name if recruiter and is_told(recruiter) else ""


def to_candidate(cancellation: Cancellation, event: str, **more: Any) -> Iterator[Notice]:
    """By text message and by email; `more` are parameters beside the usual ones."""
    user = cancellation.interview.candidate.user
    yield from _to_person(cancellation, event, user, ["sms", "email"], **more)


def _to_recruiter(cancellation: Cancellation, event: str, **more: Any) -> Iterator[Notice]:
    recruiter = cancellation.interview.position.recruiter
    if recruiter is not None:
        yield from _to_person(cancellation, event, recruiter, ["email", "desk"], **more)


def to_interviewer(cancellation: Cancellation, event: str, **more: Any) -> Iterator[Notice]:
    """Where there is one who is not the recruiter as well."""
    interviewer = cancellation.interview.interviewer
    if interviewer is not None and interviewer != cancellation.interview.position.recruiter:
        yield from _to_person(cancellation, event, interviewer, ["email", "desk"], **more)


def to_whoever_decides(cancellation: Cancellation, event: str, **more: Any) -> Iterator[Notice]:
    for person in told_to_decide(cancellation.interview.position):
        yield from _to_person(cancellation, event, person, ["email", "desk"], **more)


def to_whoever_acts(cancellation: Cancellation, event: str, **more: Any) -> Iterator[Notice]:
    """The recruiter; where there is none any more, the HR leads, that somebody sees to it."""
    position = cancellation.interview.position
    if position.recruiter is not None and position.recruiter.is_active:
        yield from _to_recruiter(cancellation, event, **more)
        return
    for lead in leads_of(position.department):
        yield from _to_person(cancellation, event, lead, ["email", "desk"], **more)


def _to_person(
    cancellation: Cancellation, event: str, user: User, channels: list[str], **more: Any
) -> Iterator[Notice]:
    for found in _addresses(user, channels):
        channel, address = found["channel"], found["address"]
        yield _notice(
            cancellation, event, channel, found["recipient"], address, person=user, **more
        )


def to_department(cancellation: Cancellation, event: str) -> Notice:
    """At the desk."""
    department: Department = cancellation.interview.position.department
    return _notice(cancellation, event, "desk", department.audience, department.audience)


def to_department_and_mailbox(cancellation: Cancellation, event: str) -> Iterator[Notice]:
    """At the desk, and in the department's mailbox where it has one."""
    yield to_department(cancellation, event)
    department = cancellation.interview.position.department
    if department.email:
        yield _notice(cancellation, event, "email", department.audience, department.email)


def _notice(
    cancellation: Cancellation,
    event: str,
    channel: str,
    recipient: str,
    address: str,
    person: User | None = None,
    **more: Any,
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
        params=_params(cancellation, language) | more,
    )


def _params(cancellation: Cancellation, language: str) -> dict[str, Any]:
    """Names ending in `_at` are times, as ISO 8601 in UTC; the sender shows them in local time."""
    interview = cancellation.interview
    position = interview.position
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
        "recruiter": _recruiter_of(interview),
    }
