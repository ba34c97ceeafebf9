"""Reads: every one begins from what this user may see."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When
from django.db.models.functions import TruncDate
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.permissions import Role
from config.prepared import Later, Prepared
from interviews.models import (
    Closure,
    Department,
    DepartmentStaff,
    Interview,
    InterviewQuerySet,
    Position,
    Slot,
    Stage,
)
from interviews.states import ENDED, ENDS_AN_INVITATION, InterviewStatus
from notifications.models import COMPANY

T = TypeVar("T")


def sees_everything(user: User) -> bool:
    """Whether the interviews of every department are theirs to see."""
    return bool(user.is_superuser or user.role == Role.ADMINISTRATOR)


def departments_of(user: User) -> models.QuerySet[Department]:
    """The departments whose interviews this member of staff works with."""
    if sees_everything(user):
        return Department.objects.all()
    return Department.objects.filter(staff=user)


class PreparedForStaff(Generic[T]):
    """A prepared query of what a member of staff works with: everything `build` gives, or (who does
    not see every department) where `department` of it is one of their own."""

    def __init__(self, build: Callable[[], models.QuerySet[Any, T]], *, department: str) -> None:
        def own() -> models.QuerySet[Any, T]:
            departments = DepartmentStaff.objects.filter(user=Later("user")).values("department")
            return build().filter(**{f"{department}__in": departments})

        self.everything, self.own = Prepared(build), Prepared(own)

    def __call__(self, user: User, **values: Any) -> list[T]:
        """Raises KeyError for a value not given."""
        if sees_everything(user):
            return self.everything(**values)
        return self.own(user=user.pk, **values)

    def first(self, user: User, **values: Any) -> T | None:
        return next(iter(self(user, **values)), None)


_departments = PreparedForStaff(lambda: Department.objects.all(), department="pk")


def read_departments_of(user: User) -> list[Department]:
    """The same departments, read: every page of the desk begins with them."""
    return _departments(user)


def visible_to(user: User | AnonymousUser) -> InterviewQuerySet:
    """The interviews `user` may see: a candidate's own; staff, those of their departments."""
    if not user.is_authenticated or not user.is_active:
        return Interview.objects.none()
    if sees_everything(user):
        return Interview.objects.all()
    if user.works_at_desk:
        own = departments_of(user).values("pk")
        return Interview.objects.filter(listed_department__in=own)
    return own_interviews(user)


def own_interviews(user: User) -> InterviewQuerySet:
    """The interviews of which `user` is the candidate."""
    return Interview.objects.filter(application__candidate__user=user)


def in_reading_order(interviews: InterviewQuerySet) -> InterviewQuerySet:
    """Upcoming first, the soonest at the top; then the ended ones, the latest at the top."""
    ended = Q(status__in=ENDED)
    return interviews.annotate(
        is_ended=Case(When(ended, then=Value(1)), default=Value(0)),
        soonest=Case(When(~ended, then="starts_at")),
    ).order_by("is_ended", "soonest", "-starts_at", "-pk")


FEW = 20  # interviews of one person; hardly anybody has more
_some_own = Prepared(
    lambda: in_reading_order(
        Interview.objects.with_facts().filter(application__candidate__user=Later("user"))
    )[: FEW + 1]
)


def few_own(user: User) -> list[Interview] | None:
    """All of their interviews with their facts, in reading order; None where they are not few."""
    found = _some_own(user=user.pk)
    return found if len(found) <= FEW else None


def positions_of(user: User) -> dict[int, str]:
    """The titles of the positions they have applied for, by id."""
    positions = Position.objects.filter(applications__candidate__user=user)
    return dict(positions.values_list("pk", "title"))


_own_interview = Prepared(
    lambda: Interview.objects.with_facts().filter(
        reference=Later("reference"), application__candidate__user=Later("user")
    )
)


def own_interview(user: User, reference: str) -> Interview | None:
    """The one of their interviews with this reference, with its facts."""
    return _own_interview.first(reference=reference, user=user.pk)


def audiences_of(user: User) -> list[str]:
    """The names under which messages reach this member of staff."""
    company = [COMPANY] if sees_everything(user) else []
    mine = (department.audience for department in departments_of(user))
    return [f"user:{user.pk}", *company, *mine]


@dataclass(frozen=True)
class Step:
    """One station on an application's way, as the timeline shows it."""

    label: str
    state: str  # done, current, ahead or ended
    at: datetime | None = None


def timeline(interview: Interview) -> list[Step]:
    """The whole way through hiring, read off the interview and its application; no queries.

    What is done comes first, then at most one step is current. Imported rows lack many times.
    """
    application, status = interview.application, interview.status
    screened_at = application.screened_at or interview.booked_at
    screened = bool(
        screened_at or status != InterviewStatus.INVITED or application.stage != Stage.APPLIED
    )
    steps = [
        Step(_("Application received"), "done", application.applied_at),
        Step(_("Résumé screened"), "done" if screened else "current", screened_at),
    ]
    booked_label = (
        _("AI interview booked") if interview.kind == "ai" else _("On-site interview booked")
    )
    if status == InterviewStatus.INVITED:
        return [
            *steps,
            Step(_("Invited"), "current" if screened else "ahead", interview.created_at),
            Step(_("Interview"), "ahead"),
            Step(_("Waiting for second interview"), "ahead"),
        ]
    ended = _("Invitation declined") if interview.has_declined else InterviewStatus(status).label
    if status in ENDS_AN_INVITATION and not interview.was_booked:
        return [
            *steps,
            Step(_("Invited"), "done", interview.created_at),
            Step(str(ended), "ended", interview.ended_at),
        ]
    steps.append(Step(booked_label, "done", interview.booked_at))
    match status:
        case InterviewStatus.BOOKED:
            steps.append(Step(_("Interview"), "current", interview.starts_at))
        case InterviewStatus.CANCELLING:
            steps.append(Step(_("Cancellation being handled"), "current"))
        case InterviewStatus.IN_PROGRESS | InterviewStatus.EXITING:
            steps.append(Step(_("Interview in progress"), "current", interview.starts_at))
        case InterviewStatus.COMPLETED:
            steps.append(Step(_("Interview completed"), "done", interview.ended_at))
        case _:
            return [*steps, Step(str(ended), "ended", interview.ended_at)]
    completed = status == InterviewStatus.COMPLETED
    later = completed and application.stage in {Stage.SECOND_INTERVIEW, Stage.OFFER, Stage.HIRED}
    waiting = completed and application.stage != Stage.ENDED
    steps.append(
        Step(
            _("Second interview") if later else _("Waiting for second interview"),
            "done" if later else "current" if waiting else "ahead",
        )
    )
    return steps


def offered_slots(interview: Interview, *, now: datetime) -> models.QuerySet[Slot]:
    """The times ahead of its position and kind, the next first, those that are full as well; none
    that was closed, and none on a day of a closure."""
    slots = Slot.objects.filter(position=interview.position, kind=interview.kind)
    return without_closures(slots.filter(starts_at__gt=now, closed_at=None)).order_by(
        "starts_at", "pk"
    )


def free_slots(interview: Interview, *, now: datetime) -> models.QuerySet[Slot]:
    """The times that can be offered and have a place, the next first."""
    return offered_slots(interview, now=now).filter(booked__lt=F("capacity"))


def without_closures(slots: models.QuerySet[Slot]) -> models.QuerySet[Slot]:
    """Without those on days on which the company, or the department of their position, is closed.
    Days are those of the company."""
    return slots.alias(local_day=LOCAL_DAY).filter(~Exists(_closed(OuterRef("local_day"))))


def company_day(at: datetime) -> date:
    """The day that a closure would have to cover."""
    return at.astimezone(COMPANY_ZONE).date()


COMPANY_ZONE = ZoneInfo(settings.TIME_ZONE)
LOCAL_DAY = TruncDate("starts_at", tzinfo=COMPANY_ZONE)


def _closed(day: OuterRef) -> models.QuerySet[Closure]:
    department = Q(department=None) | Q(department=OuterRef("position__department"))
    return Closure.objects.filter(department, first_day__lte=day, last_day__gte=day)
