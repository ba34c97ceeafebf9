"""What staff have to do about an interview, from opening it to settling it. A late request brings
its item along; anomalies and follow-ups are opened by whoever finds them."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, time, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.permissions import DECIDE_CANCELLATION, HANDLE_WORK, PERMISSIONS, READ_DETAIL, Role
from cancellations import notices
from cancellations.models import Cancellation, may_decide
from config.prepared import Later, Prepared, among
from interviews import history
from interviews.imports.compare import Code
from interviews.models import Interview
from interviews.platforms.models import Difference
from interviews.queries import sees_everything
from interviews.reminders.rules import Doubt
from interviews.states import ENDED
from notifications import reach, work
from notifications.models import WorkItem, WorkKind
from notifications.services import notify

ABOUT = "interview:"  # what the subjects of items about interviews begin with

# What an anomaly or a follow-up is about: the code in its parameters, in words.
WORDS: dict[str, Promise] = {
    "reason_contradicted": _("The reason given does not fit what happened."),
    "not_attended": _("Invited, reminded, and not heard of since."),
    "wrong_contact": _("Messages do not arrive. Is the number still right?"),
    "asks_for_a_person": _("Asks for help from a person."),
    "document_to_check": _("A document has been handed in. Is it the right one?"),
    # What cancellations.consistency finds.
    "status_not_in_history": _("Its status is not the one its history ends with."),
    "slot_still_held": _("It was called off but still holds its slot."),
    "slot_count_wrong": _("Its slot counts other bookings than there are."),
    "no_end": _("It has ended, but nothing says when."),
    "end_too_soon": _("It has not ended, but an end is written down."),
    "request_still_open": _("It has ended, but a request still waits for an answer."),
    "request_without_effect": _("A request was granted, but the interview was not called off."),
    "sitting_still_open": _("It has ended, but the room still waits for the candidate."),
    "not_in_file": _("What happened in the room is missing in the candidate's file."),
    "file_differs": _("The candidate's file says something else than the room."),
    "file_of_another": _("What happened in the room is in another candidate's file."),
    # What analytics.drift finds.
    "figures_differ": _("The figures of its day did not match. They have been counted anew."),
    # What analytics.alerts finds.
    "alert_no_show": _("More candidates do not come than the rule allows."),
    "alert_no_reply": _("More invitations run out than the rule allows."),
    "alert_cancel": _("More interviews are cancelled than the rule allows."),
    "alert_exit": _("More candidates leave midway than the rule allows."),
    "alert_incomplete": _("More interviews are not finished than the rule allows."),
    "alert_undelivered": _("More messages do not arrive than the rule allows."),
    "alert_mismatch": _("More records do not match than the rule allows."),
    "missed": _("They did not come. Excuse it, give another time, or put it on the record."),
    "appeal": _("Appeals against a mark. Somebody who did not set it decides."),
    **{each.value: each.label for each in (*Difference, *Code, *Doubt)},
}
# What ends with a decision on a page of its own, and not by a word that it is settled.
DECIDED = frozenset({WorkKind.CANCELLATION, WorkKind.ABSENCE, WorkKind.APPEAL})


class Taken(Exception):
    """Somebody else has this number or address."""


class AlreadyOpen(Exception):
    """Something of this kind waits already; `item` is what."""

    def __init__(self, item: WorkItem) -> None:
        super().__init__(item.reference)
        self.item = item


def chase_at(cancellation: Cancellation) -> tuple[datetime, datetime]:
    """When to remind of a late request and when to tell the HR leads. The reminder comes at the
    promised time, the leads are told after as long again; both before the default decides."""
    asked_at, promised_by = cancellation.requested_at, cancellation.promised_by
    decide_by = cancellation.decide_by or promised_by
    remind_at = promised_by if promised_by < decide_by else asked_at + (decide_by - asked_at) / 2
    patience: timedelta = min(promised_by - asked_at, (decide_by - remind_at) / 2)
    return remind_at, remind_at + patience


def open_request(cancellation: Cancellation) -> None:
    """HR has something to decide. In the transaction of the request."""
    remind_at, escalate_at = chase_at(cancellation)
    work.open_item(
        WorkKind.CANCELLATION,
        audience=cancellation.interview.position.department.audience,
        subject=cancellation.interview.subject,
        params={"receipt": cancellation.reference},
        due_at=cancellation.decide_by or cancellation.promised_by,
        remind_at=remind_at,
        escalate_at=escalate_at,
        opened_at=cancellation.requested_at,
    )


def open_follow_up(
    interview: Interview, *, by: User, task: str, due_at: datetime, to: User | None
) -> WorkItem:
    """Somebody has to see to `task` by then: `to`, or (None) whoever takes it on. The caller has
    seen to it that `by` may see the interview.

    Raises PermissionDenied, AlreadyOpen.
    """
    if not by.has_perm(HANDLE_WORK):
        raise PermissionDenied
    if to not in (None, by) and to not in colleagues_for(interview):
        raise PermissionDenied
    return _open(
        interview,
        WorkKind.FOLLOW_UP,
        by=by,
        due_at=due_at,
        task=task,
        assignee=f"user:{to.pk}" if to else "",
    )


def open_anomaly(
    interview: Interview, code: str, *, by: User | None = None, due_at: datetime | None = None
) -> WorkItem | None:
    """Something about this interview does not fit: `code` of WORDS says what. Due tomorrow at ten
    unless told otherwise. None where an anomaly of it is open already.

    It locks the interview: who opens many in one transaction does so in order of their keys.
    """
    if code not in WORDS:
        raise ValueError(code)
    try:
        return _open(
            interview,
            WorkKind.ANOMALY,
            by=by,
            due_at=due_at or at_ten(days=1),
            params={"code": code},
        )
    except AlreadyOpen:
        return None


def open_document_to_check(interview: Interview) -> None:
    """A document was handed in; one item is enough for all that wait with this interview."""
    params = {"code": "document_to_check"}
    with suppress(AlreadyOpen):
        _open(interview, WorkKind.DOCUMENT, by=None, due_at=at_ten(days=1), params=params)


def settle_documents(interviews: Iterable[Interview], *, by: User) -> None:
    """Every document of theirs has been looked at. In the transaction of who did so, with the
    interviews locked."""
    about = {interview.subject: interview for interview in interviews}
    items = WorkItem.objects.open().filter(subject__in=list(about), kind=WorkKind.DOCUMENT)
    for item in items.order_by("pk"):
        settled = work.resolve(item.reference, by=history.actor_of(by))
        _record(about[item.subject], "work_resolved", settled, by)


def open_wrong_contact(recipient: str, subject: str) -> WorkItem | None:
    """Nothing reaches this candidate: somebody has to find out how to. It stands with the interview
    the message was about, or with the one that comes next; None where there is none any more."""
    theirs = Interview.objects.filter(
        application__candidate__user=int(recipient.removeprefix("user:"))
    ).exclude(status__in=ENDED)
    reference = subject.removeprefix(ABOUT)
    found = theirs.filter(reference=reference).first() or theirs.order_by("starts_at").first()
    if found is None:
        return None
    due_at = at_ten(days=1)
    if found.starts_at and timezone.now() < found.starts_at < due_at:
        due_at = found.starts_at
    params = {"code": "wrong_contact", "recipient": recipient}
    try:
        return _open(found, WorkKind.WRONG_CONTACT, by=None, due_at=due_at, params=params)
    except AlreadyOpen:
        return None


@transaction.atomic
def _open(
    interview: Interview, kind: WorkKind, *, by: User | None, due_at: datetime, **fields: Any
) -> WorkItem:
    locked = Interview.objects.lock(interview.reference)
    items = WorkItem.objects.open().filter(subject=locked.subject, kind=kind)
    if waiting := items.first():
        raise AlreadyOpen(waiting)
    audience = locked.position.department.audience
    work.open_item(kind, audience=audience, subject=locked.subject, due_at=due_at, **fields)
    item = items.get()
    _record(locked, "work_opened", item, by, **({"to": [item.assignee]} if item.assignee else {}))
    return item


def at_ten(*, days: int) -> datetime:
    """So many days ahead at ten in the morning, where the reader is."""
    day = timezone.localdate() + timedelta(days=days)
    return timezone.make_aware(datetime.combine(day, time(10)))


def settle_requests(*interviews: Interview, by: User | None, at: datetime) -> None:
    """There is nothing to decide any more. In the transaction of what settled it, with the
    interviews locked."""
    subjects = [interview.subject for interview in interviews]
    work.close_items(subjects, [WorkKind.CANCELLATION], by=history.actor_of(by), at=at)


def may_handle(item: WorkItem, cancellation: Cancellation | None, user: User) -> bool:
    """Whether `user` may take this on: what they cannot decide they do not keep from others."""
    if item.kind == WorkKind.CANCELLATION:
        return cancellation is not None and may_decide(cancellation, user)
    return user.has_perm(HANDLE_WORK)


def roles_with(permission: str) -> list[str]:
    return [role for role, granted in PERMISSIONS.items() if permission in granted]


def colleagues(item: WorkItem) -> list[User]:
    """Who in the department can take this on, by name."""
    permission = DECIDE_CANCELLATION if item.kind == WorkKind.CANCELLATION else HANDLE_WORK
    return _handlers_of(item.audience, permission)


def colleagues_for(interview: Interview) -> list[User]:
    """Who can take on a follow-up of this interview, by name."""
    return _handlers_of(interview.position.department.audience, HANDLE_WORK)


_handlers = Prepared(
    lambda: (
        User.objects.filter(
            among("role", Later("roles")), is_active=True, departments=Later("department")
        )
        .only("pk", "name")
        .order_by("name", "pk")
    )
)


def _handlers_of(audience: str, permission: str) -> list[User]:
    whose, _colon, number = audience.partition(":")
    if whose != "department":
        return []
    return _handlers(roles=roles_with(permission), department=int(number))


def assign_work(item: WorkItem, *, to: User | None, by: User, expected: str) -> WorkItem:
    """Take an item on, pass it on, or (`to` None) give it back. `expected` is whose it was when
    `by` saw it. The caller has seen to it that `by` may see the item.

    Raises PermissionDenied, TakenMeanwhile.
    """
    if not _may_assign(item, to, by, expected):
        raise PermissionDenied
    with transaction.atomic():
        interview = _locked(item)
        before = WorkItem.objects.get(pk=item.pk).assignee
        assigned = work.assign(item.reference, to=f"user:{to.pk}" if to else "", expected=expected)
        if assigned.assignee != before:
            _record(interview, "work_assigned", assigned, by, to=[assigned.assignee])
    return assigned


def _may_assign(item: WorkItem, to: User | None, by: User, expected: str) -> bool:
    """Everybody for themselves; HR leads and administrators for their colleagues."""
    cancellation = cancellation_of(item)
    leads = by.has_perm(DECIDE_CANCELLATION)
    if not by.has_perm(HANDLE_WORK):
        return False
    if to is None:
        return leads or expected in {"", f"user:{by.pk}"}
    if to == by:
        return may_handle(item, cancellation, by)
    return leads and to in colleagues(item) and may_handle(item, cancellation, to)


def resolve_work(item: WorkItem, *, by: User, note: str) -> WorkItem:
    """Settle an anomaly or a follow-up; what is decided is settled by its decision alone.

    Raises PermissionDenied, TakenMeanwhile.
    """
    if item.kind in DECIDED or not may_handle(item, None, by):
        raise PermissionDenied
    with transaction.atomic():
        interview = _locked(item)
        if item.kind == WorkKind.WRONG_CONTACT:  # reminders go on; locked in this order by all
            reach.solve(item.params["recipient"])
        resolved = work.resolve(item.reference, by=history.actor_of(by), note=note)
        _record(interview, "work_resolved", resolved, by)
    return resolved


def correct_contact(item: WorkItem, *, by: User, mobile: str = "", email: str = "") -> WorkItem:
    """Another number or address of somebody nothing reaches, as they have told HR: reminders go on,
    and the item is settled. History says which of the two, and neither. The caller has normalised
    them, and seen to it that `by` may see the item.

    Raises PermissionDenied, TakenMeanwhile, and Taken where somebody else has it.
    """
    if item.kind != WorkKind.WRONG_CONTACT or not may_correct_contact(by):
        raise PermissionDenied
    given = {name: value for name, value in (("mobile", mobile), ("email", email)) if value}
    recipient: str = item.params["recipient"]
    people = User.objects.filter(pk=recipient.removeprefix("user:"), role=Role.CANDIDATE)
    with transaction.atomic():
        interview = _locked(item)
        reach.solve(recipient)
        resolved = work.resolve(item.reference, by=history.actor_of(by))
        _record(interview, "work_resolved", resolved, by, corrected=sorted(given))
        try:
            with transaction.atomic():
                people.update(**given)
        except IntegrityError:
            raise Taken from None
    return resolved


def may_correct_contact(user: User) -> bool:
    return user.has_perm(HANDLE_WORK) and user.has_perm(READ_DETAIL)


def chase(item: WorkItem, step: str) -> None:
    """Somebody should have acted: remind whose it is, or tell the HR leads. In the transaction that
    takes the step; an item settled meanwhile is left alone by it."""
    interview = _locked(item)
    if interview is None:
        return
    item = WorkItem.objects.get(pk=item.pk)  # as it stands now that nobody can settle it
    people = _whom_to_remind(item, interview) if step == "remind" else _leads(interview)
    words = WORDS.get(item.params.get("code", ""), "")
    notify(*notices.chased(item, interview, step, people, words=words))
    event = {"remind": "work_reminded", "escalate": "work_escalated"}[step]
    _record(interview, event, item, None, to=[f"user:{person.pk}" for person in people])


def _whom_to_remind(item: WorkItem, interview: Interview) -> list[User]:
    """Who took it on, while they can still do it; else who decides, where that is what it waits
    for; else the recruiter of the position; else the HR leads."""
    if holder := holder_of(item):
        return [holder]
    if item.kind == WorkKind.CANCELLATION:
        return notices.told_to_decide(interview.position)
    recruiter = interview.position.recruiter
    return [recruiter] if recruiter and recruiter.is_active else _leads(interview)


def holder_of(item: WorkItem) -> User | None:
    """Whose it is; nobody, where they have left the department or may not handle it any more."""
    number = item.assignee.removeprefix("user:")
    if not number.isdecimal():
        return None
    person = User.objects.filter(pk=number, is_active=True).first()
    if person is None or sees_everything(person) or person in colleagues(item):
        return person
    return None


def _leads(interview: Interview) -> list[User]:
    return notices.deciders_of(interview.position.department)


def cancellation_of(item: WorkItem) -> Cancellation | None:
    """The request that an item of that kind is about."""
    if item.kind != WorkKind.CANCELLATION:
        return None
    requests = Cancellation.objects.with_facts()
    return requests.filter(reference=item.params.get("receipt", "")).first()


def _locked(item: WorkItem) -> Interview | None:
    """What the item is about, locked before the item, as whoever settles it does."""
    if not item.subject.startswith(ABOUT):
        return None
    reference = item.subject.removeprefix(ABOUT)
    interviews = Interview.objects.with_facts().select_for_update(of=("self",))
    return interviews.filter(reference=reference).first()


def _record(
    interview: Interview | None, event: str, item: WorkItem, by: User | None, **data: object
) -> None:
    """Codes and ids; never the note, which may hold a name."""
    if interview is not None:
        told = {"item": item.reference, "kind": item.kind, **data}
        history.record(interview, (event, told), by=by)
