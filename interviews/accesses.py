"""Who looked at candidates' contact details, who heard them and who took lists along, newest first.
Administrators read all of it; others what concerns interviews of their departments, and the lists
that people of these took along."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import OuterRef, Q, QuerySet

from accounts.models import User
from interviews import keyset
from interviews.keyset import Page, Parts, Place, midnight
from interviews.models import Access, AccessLog, DepartmentStaff
from interviews.queries import departments_of, sees_everything

COLUMNS = ("at", "action", "subject", "detail", "by__name")


@dataclass(frozen=True)
class Wanted:
    """What the log is narrowed to; what is not given narrows nothing."""

    since: date | None = None
    until: date | None = None
    by: int | None = None
    action: str = ""

    def narrow(self, accesses: "QuerySet[AccessLog]") -> "QuerySet[AccessLog]":
        if self.by:
            accesses = accesses.filter(by=self.by)
        if self.action:
            accesses = accesses.filter(action=self.action)
        if self.since:
            accesses = accesses.filter(at__gte=midnight(self.since))
        if self.until:
            accesses = accesses.filter(at__lt=midnight(self.until + timedelta(days=1)))
        return accesses


def some(
    user: User,
    wanted: Wanted,
    *,
    size: int,
    after: Place | None = None,
    before: Place | None = None,
) -> Page:
    """`size` accesses this user may read of. Three queries at most."""
    lists = _lists(user, wanted)
    return keyset.page(AccessLog, lists, COLUMNS, by="at", size=size, after=after, before=before)


def everything(user: User, wanted: Wanted) -> "QuerySet[AccessLog]":
    """The whole log, newest first."""
    accesses = wanted.narrow(AccessLog.objects.all())
    if not sees_everything(user):
        own = departments_of(user).values("pk")
        accesses = accesses.filter(
            Q(listed_department__in=own) | _TAKEN_ALONG & Q(by__in=_people(user))
        )
    return accesses.order_by("-at", "-id")


# Lists, which are of no one interview.
_TAKEN_ALONG = Q(action=Access.EXPORTED, listed_department=None)


def _lists(user: User, wanted: Wanted) -> list[Parts]:
    accesses = wanted.narrow(AccessLog.objects.all())
    if sees_everything(user):
        return [(User.objects.filter(pk=user.pk), accesses)]  # one part: all of it
    people = User.objects.filter(pk__in=_people(user))
    if wanted.by:
        people = people.filter(pk=wanted.by)
    return [
        (departments_of(user), accesses.filter(listed_department=OuterRef("pk"))),
        (people, accesses.filter(_TAKEN_ALONG, by=OuterRef("pk"))),
    ]


def _people(user: User) -> QuerySet:
    """Who works for this user's departments, by id."""
    own = departments_of(user).values("pk")
    return DepartmentStaff.objects.filter(department__in=own).values("user")
