"""What staff have to do about an interview, from opening it to settling it. A late request brings
its item along; anomalies and follow-ups are opened by whoever finds them."""

from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.permissions import DECIDE_CANCELLATION, HANDLE_WORK, Role
from cancellations import notices
from cancellations.models import Cancellation, may_decide
from interviews import history
from interviews.models import Interview
from notifications import work
from notifications.models import WorkItem, WorkKind
from notifications.services import notify

ABOUT = "interview:"  # what the subjects of items about interviews begin with

# What an anomaly or a follow-up is about: the code in its parameters, in words.
WORDS: dict[str, Promise] = {
    "reason_contradicted": _("The reason given does not fit what happened."),
    "time_differs": _("The time differs from what the other system says."),
    "not_attended": _("Invited, reminded, and not heard of since."),
    "wrong_contact": _("Messages do not arrive. Is the number still right?"),
}


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


def colleagues(item: WorkItem) -> list[User]:
    """Who in the department can take this on."""
    roles = [Role.HR_LEAD]
    if item.kind != WorkKind.CANCELLATION:
        roles.append(Role.RECRUITER)
    kind, _colon, number = item.audience.partition(":")
    if kind != "department":
        return []
    people = User.objects.filter(departments=int(number), role__in=roles, is_active=True)
    return list(people.order_by("name", "pk"))


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
    """Settle an anomaly or a follow-up; a late request is settled by its decision alone.

    Raises PermissionDenied, TakenMeanwhile.
    """
    if item.kind == WorkKind.CANCELLATION or not may_handle(item, None, by):
        raise PermissionDenied
    with transaction.atomic():
        interview = _locked(item)
        resolved = work.resolve(item.reference, by=history.actor_of(by), note=note)
        _record(interview, "work_resolved", resolved, by)
    return resolved


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
    """Who took it on; else the recruiter of the position; else the HR leads."""
    holder = User.objects.filter(pk=item.assignee.removeprefix("user:") or 0, is_active=True)
    recruiter = interview.position.recruiter
    if item.assignee and (found := holder.first()):
        return [found]
    return [recruiter] if recruiter and recruiter.is_active else _leads(interview)


def _leads(interview: Interview) -> list[User]:
    """The HR leads of the department; the administrators where it has none."""
    active = User.objects.filter(is_active=True).order_by("pk")
    leads = active.filter(role=Role.HR_LEAD, departments=interview.position.department)
    return list(leads) or list(active.filter(role=Role.ADMINISTRATOR))


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
