"""Reads of the queue: what waits for a member of staff, with everything its rows show. However many
rows a page has, it takes one query for each kind of thing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from django.db.models import CharField, Model, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone

from accounts.models import User
from accounts.permissions import HANDLE_WORK
from cancellations.models import Cancellation, CancellationStatus
from cancellations.queries import visible_cancellations
from cancellations.work import ABOUT, WORDS, roles_with
from interviews.keyset import midnight
from interviews.models import Department, DepartmentStaff, Interview
from interviews.queries import departments_of, sees_everything, visible_to
from notifications.models import WorkItem, WorkItemQuerySet, WorkKind

PAGE_SIZE = 50
DONE_SHOWN = 20
COUNTED = 100  # beyond that a count says "99+"
Row = TypeVar("Row")
Stored = TypeVar("Stored", bound=Model)


@dataclass(frozen=True)
class Case:
    """Something to do with what it is about. A request decided at once never was anybody's to do:
    it has no item."""

    item: WorkItem | None
    interview: Interview | None
    cancellation: Cancellation | None
    assignee: User | None = None
    closed_by: User | None = None

    @property
    def view(self) -> str:
        """The name of its page."""
        return "case" if self.cancellation else "work_item"

    @property
    def key(self) -> str:
        """What its page is found by."""
        if self.cancellation is not None:
            return self.cancellation.reference
        return self.item.reference if self.item else ""

    @property
    def is_settled(self) -> bool:
        return self.item is None or self.item.closed_at is not None

    @property
    def stands(self) -> str:
        """Changes whenever somebody settles it, takes it on or gives it back."""
        if self.item is None or self.is_settled:
            return "closed"
        return self.item.assignee.replace(":", "-") or "open"

    @property
    def words(self) -> str:
        """What an anomaly or a follow-up is about."""
        if self.item is None:
            return ""
        return self.item.task or str(WORDS.get(self.item.params.get("code", ""), ""))

    @property
    def is_late(self) -> bool:
        """Past what was promised to the candidate; or past its time."""
        if self.cancellation is not None:
            return self.cancellation.promised_by < timezone.now()
        return self.item is not None and self.item.due_at < timezone.now()


@dataclass(frozen=True)
class Page(Generic[Row]):
    """One page of a list. How many there are is not counted: of thousands nobody asks."""

    entries: Sequence[Row]
    number: int
    has_next: bool

    @property
    def previous(self) -> int:
        return self.number - 1

    @property
    def next(self) -> int:
        return self.number + 1


def work_of(user: User, departments: Iterable[Department] | None = None) -> WorkItemQuerySet:
    """What is addressed to the departments of this member of staff; administrators see all.

    Who has read `departments` already gives them along: the database then knows how many they are.
    """
    if sees_everything(user):
        return WorkItem.objects.all()
    if departments is not None:
        return WorkItem.objects.filter(audience__in=[each.audience for each in departments])
    names = departments_of(user).annotate(name_of_audience=_AUDIENCE).values("name_of_audience")
    return WorkItem.objects.filter(audience__in=names)


_AUDIENCE = Concat(Value("department:"), Cast("pk", CharField()))


def waiting(user: User) -> int:
    """How many items are open, up to COUNTED."""
    return work_of(user).open()[:COUNTED].count()


def colleagues_of(user: User) -> QuerySet[User]:
    """Who else may handle the work of this member of staff's departments."""
    people = User.objects.filter(role__in=roles_with(HANDLE_WORK), is_active=True)
    if not sees_everything(user):
        own = DepartmentStaff.objects.filter(department__in=departments_of(user))
        people = people.filter(pk__in=own.values("user"))
    return people.exclude(pk=user.pk).only("pk", "name").order_by("name", "pk")


def page_number(asked: str) -> int:
    """Which page an address asks for; what is no number, and no page, is the first."""
    return max(1, int(asked)) if asked.isdecimal() and len(asked) < 5 else 1


def cut(rows: QuerySet[Stored], number: int) -> Page[Stored]:
    """One page of these rows; the first where there are not so many."""
    start = (number - 1) * PAGE_SIZE
    found = list(rows[start : start + PAGE_SIZE + 1])
    if not found and number > 1:
        return cut(rows, 1)
    return Page(found[:PAGE_SIZE], number, has_next=len(found) > PAGE_SIZE)


def page(
    items: WorkItemQuerySet, number: int, *, also: Sequence[WorkItem], user: User
) -> tuple[Page[Case], Sequence[Case]]:
    """One page of these items, the first due on top; and `also` those others, read along with
    them."""
    here = cut(items.by_urgency(), number)
    read = entries([*here.entries, *also], user)
    shown = len(here.entries)
    return Page(read[:shown], here.number, here.has_next), read[shown:]


def done_today(items: WorkItemQuerySet, *, now: datetime) -> list[WorkItem]:
    """The latest closed since local midnight."""
    closed = items.filter(closed_at__gte=midnight(timezone.localdate(now)))
    return list(closed.order_by("-closed_at")[:DONE_SHOWN])


def entries(items: Sequence[WorkItem], user: User) -> list[Case]:
    """The items with what they are about, as far as `user` may see it."""
    receipts = {item.params.get("receipt") for item in items} - {None}
    requests: dict[str, Cancellation] = {}
    if receipts:
        found = visible_cancellations(user).with_facts().filter(reference__in=receipts)
        requests = {cancellation.reference: cancellation for cancellation in found}
    interviews = {each.interview.reference: each.interview for each in requests.values()}
    others = {_interview_of(item) for item in items} - interviews.keys() - {""}
    if others:
        rest = visible_to(user).with_facts().filter(reference__in=others)
        interviews |= {interview.reference: interview for interview in rest}
    people = _people({name for item in items for name in (item.assignee, item.closed_by)}, user)
    return [
        Case(
            item=item,
            interview=interviews.get(_interview_of(item)),
            cancellation=requests.get(item.params.get("receipt", "")),
            assignee=people.get(item.assignee),
            closed_by=people.get(item.closed_by),
        )
        for item in items
    ]


def case_of(cancellation: Cancellation, user: User) -> Case:
    """A request that is already read, with the work it makes while it waits."""
    interview = cancellation.interview
    item = None
    if cancellation.status == CancellationStatus.REQUESTED:
        items = WorkItem.objects.open().filter(kind=WorkKind.CANCELLATION)
        item = items.filter(subject=interview.subject).first()
    people = _people({item.assignee}, user) if item else {}
    return Case(item, interview, cancellation, people.get(item.assignee) if item else None)


def _interview_of(item: WorkItem) -> str:
    return item.subject.removeprefix(ABOUT) if item.subject.startswith(ABOUT) else ""


def _people(names: set[str], user: User) -> dict[str, User]:
    """Those called "user:12", by that name."""
    people = {f"user:{user.pk}": user}
    numbers = [name.removeprefix("user:") for name in names - people.keys() if "user:" in name]
    if numbers:
        found = User.objects.only("pk", "name").filter(pk__in=numbers)
        people |= {f"user:{person.pk}": person for person in found}
    return people
