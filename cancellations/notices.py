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
from interviews import calendar_entries
from interviews.models import Correction, Department, Interview, Move, Position
from interviews.notices import CANDIDATE, STAFF, addresses, facts, leads_of
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
# What is true only while the interview is off.
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
    for cancellation in cancellations:
        yield from to_candidate(cancellation, "company_cancelled")
    yield from called_off_to_staff(cancellations)


def called_off_to_staff(cancellations: Sequence[Cancellation]) -> Iterator[Notice]:
    theirs: dict[tuple[str, User | Department], list[Cancellation]] = defaultdict(list)
    for cancellation in cancellations:
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
            yield from _to_person(concerned[0], event, whose, STAFF)
        else:
            yield to_department(concerned[0], event)
            if whose.email:
                yield _notice(concerned[0], event, "email", whose.audience, whose.email)


def corrected(correction: Correction, interview: Interview) -> Iterator[Notice]:
    """A status was set right by hand: the candidate is told; of an interview that takes place after
    all, everybody who had been told that it does not."""
    reinstated = correction.move == Move.REINSTATE
    event = "interview_reinstated" if reinstated else "status_corrected"
    told: list[tuple[str, User | Department, tuple[str, ...]]] = [
        (event, interview.candidate.user, CANDIDATE)
    ]
    if reinstated:
        staff = {interview.position.recruiter, interview.interviewer} - {None}
        told += [("interview_reinstated_staff", each, STAFF) for each in staff if each]
        told.append(("interview_reinstated_staff", interview.position.department, ("desk",)))
    for event, whose, channels in told:
        for address in addresses(whose, channels):
            yield Notice(
                event=event,
                subject=interview.subject,
                dedupe_key=f"{event}:{correction.reference}:{address['channel']}:{address['recipient']}",
                params=_correction_params(correction, interview, address["language"])
                | calendar_entries.param(interview, event, address),
                **address,
            )


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
    for address in addresses(whose, STAFF):
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


def _correction_params(
    correction: Correction, interview: Interview, language: str
) -> dict[str, Any]:
    with translation.override(language):
        status = str(InterviewStatus(interview.status).label)
    return facts(interview) | {"status": status, "note": correction.note}


def chased(
    item: WorkItem, interview: Interview, step: str, people: Iterable[User], *, words: Promise | str
) -> Iterator[Notice]:
    """Something has waited too long: these `people` are told. `words` say what it is about."""
    decision, other = CHASING[step]
    event = decision if item.kind == WorkKind.CANCELLATION else other
    for person in people:
        for address in addresses(person, STAFF):
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
    return facts(interview) | {
        "work": kind,
        "words": about,
        "due_at": item.due_at.isoformat(),
        "item": item.reference,
    }


def to_candidate(cancellation: Cancellation, event: str, **more: Any) -> Iterator[Notice]:
    """By text message and by email; `more` are parameters beside the usual ones."""
    user = cancellation.interview.candidate.user
    yield from _to_person(cancellation, event, user, CANDIDATE, **more)


def _to_recruiter(cancellation: Cancellation, event: str, **more: Any) -> Iterator[Notice]:
    recruiter = cancellation.interview.position.recruiter
    if recruiter is not None:
        yield from _to_person(cancellation, event, recruiter, STAFF, **more)


def to_interviewer(cancellation: Cancellation, event: str, **more: Any) -> Iterator[Notice]:
    """Where there is one who is not the recruiter as well."""
    interviewer = cancellation.interview.interviewer
    if interviewer is not None and interviewer != cancellation.interview.position.recruiter:
        yield from _to_person(cancellation, event, interviewer, STAFF, **more)


def to_whoever_decides(cancellation: Cancellation, event: str, **more: Any) -> Iterator[Notice]:
    for person in told_to_decide(cancellation.interview.position):
        yield from _to_person(cancellation, event, person, STAFF, **more)


def to_whoever_acts(cancellation: Cancellation, event: str, **more: Any) -> Iterator[Notice]:
    """The recruiter; where there is none any more, the HR leads, that somebody sees to it."""
    position = cancellation.interview.position
    if position.recruiter is not None and position.recruiter.is_active:
        yield from _to_recruiter(cancellation, event, **more)
        return
    for lead in leads_of(position.department):
        yield from _to_person(cancellation, event, lead, STAFF, **more)


def _to_person(
    cancellation: Cancellation, event: str, user: User, channels: tuple[str, ...], **more: Any
) -> Iterator[Notice]:
    for found in addresses(user, channels):
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
        params=_params(cancellation, language)
        | more
        | calendar_entries.param(
            cancellation.interview,
            event,
            {"channel": channel, "language": language},
            was_to_start=cancellation.starts_at,
        ),
    )


def _params(cancellation: Cancellation, language: str) -> dict[str, Any]:
    """Names ending in `_at` are times, as ISO 8601 in UTC; the sender shows them in local time."""
    return facts(cancellation.interview) | {
        "starts_at": cancellation.starts_at.isoformat() if cancellation.starts_at else None,
        "reason": cancellation.reason.label_in(language),
        "short_notice": cancellation.short_notice,
        "promised_minutes": cancellation.policy.get("promised_minutes"),
        "decide_at": cancellation.decide_by.isoformat() if cancellation.decide_by else None,
        "decided_by_policy": cancellation.decided_by_id is None,
        "note": cancellation.note,
        "receipt": cancellation.reference,
        "talent_pool": cancellation.interview.candidate.talent_pool_at is not None,
    }
