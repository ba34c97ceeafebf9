"""Reads of the queue: what waits for a member of staff, with everything its rows show. However many
rows a page has, it takes one query for each kind of thing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Generic, TypeVar

from django.db.models import CharField, F, Model, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.permissions import HANDLE_WORK
from cancellations.models import Cancellation, CancellationStatus
from cancellations.queries import visible_cancellations, visible_request
from cancellations.work import ABOUT, WORDS, roles_with
from config.prepared import Later, Prepared, among
from config.references import LENGTH
from interviews.keyset import midnight
from interviews.models import Department, Interview
from interviews.queries import PreparedForStaff, departments_of, sees_everything, visible_to
from notifications.models import WorkItem, WorkItemQuerySet, WorkKind

PAGE_SIZE = 50
LINES = 30  # of the queue itself: a day's work, and a page that comes at once
DONE_SHOWN = 10
COUNTED = 100  # beyond that a count says "99+"
ANY = "0" * LENGTH  # stands for each of them in an address that is put together once
Entry = TypeVar("Entry")
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
    def alert_page(self) -> str:
        """Where the figures stand that it is about, if it is about figures."""
        alert = self.item.params.get("alert") if self.item else None
        return reverse("alerts:alert", args=[alert]) if alert else ""

    @property
    def decided_at_page(self) -> str:
        """Where it is decided, if not beside the queue."""
        params = self.item.params if self.item else {}
        if absence := params.get("absence"):
            return reverse("cancellations:absence", args=[absence])
        if self.item and self.item.kind == WorkKind.DOCUMENT and self.interview:
            return reverse("interviews:desk_documents", args=[self.interview.reference])
        mark = params.get("mark")
        return reverse("cancellations:appeal", args=[mark]) if mark else ""

    @property
    def is_late(self) -> bool:
        """Past what was promised to the candidate; or past its time."""
        if self.cancellation is not None:
            return self.cancellation.promised_by < timezone.now()
        return self.item is not None and self.item.due_at < timezone.now()


@dataclass(frozen=True)
class Line:
    """An item as the list beside the case shows it: no more is read than that takes."""

    item: WorkItem
    request: Cancellation | None = None
    candidate: str = ""
    position: str = ""
    assignee: User | None = None

    @property
    def key(self) -> str:
        """What its page is found by."""
        return self.request.reference if self.request else self.item.reference

    @property
    def address(self) -> str:
        return _address_of_any("case" if self.request else "work_item").replace(ANY, self.key)

    @property
    def kind(self) -> str:
        return str(self.item.get_kind_display())

    @property
    def outcome(self) -> str:
        """How it ended."""
        return self.request.get_status_display() if self.request else self.kind

    @property
    def is_due(self) -> bool:
        return self.item.due_at < timezone.now()

    @property
    def is_late(self) -> bool:
        """Past what was promised to the candidate."""
        return self.request is not None and self.request.promised_by < timezone.now()


@cache
def _address_of_any(name: str) -> str:
    return reverse(f"cancellations:{name}", args=[ANY])


@dataclass(frozen=True)
class Page(Generic[Entry]):
    """One page of a list. How many there are is not counted: of thousands nobody asks."""

    entries: Sequence[Entry]
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
    found = _ALL_OPEN() if sees_everything(user) else _OPEN(user=user.pk)
    return len(found)


def _open(items: WorkItemQuerySet) -> QuerySet:
    return items.open().order_by().values_list("pk")[:COUNTED]


_ALL_OPEN = Prepared(lambda: _open(WorkItem.objects.all()))
_OPEN = Prepared(
    lambda: _open(
        WorkItem.objects.filter(
            audience__in=Department.objects.filter(staff=Later("user"))
            .annotate(name_of_audience=_AUDIENCE)
            .values("name_of_audience")
        )
    )
)


def colleagues_of(user: User) -> list[User]:
    """Who else may handle the work of this member of staff's departments."""
    found = _handlers(user, roles=roles_with(HANDLE_WORK))
    return [each for each in dict.fromkeys(found) if each != user]


_handlers = PreparedForStaff(
    lambda: (
        User.objects.filter(among("role", Later("roles")), is_active=True)
        .only("pk", "name")
        .order_by("name", "pk")
    ),
    department="departments",
)


def page_number(asked: str) -> int:
    """Which page an address asks for; what is no number, and no page, is the first."""
    return max(1, int(asked)) if asked.isdecimal() and len(asked) < 5 else 1


def cut(rows: QuerySet[Stored], number: int, *, size: int = PAGE_SIZE) -> Page[Stored]:
    """One page of these rows; the first where there are not so many."""
    start = (number - 1) * size
    found = list(rows[start : start + size + 1])
    if not found and number > 1:
        return cut(rows, 1, size=size)
    return Page(found[:size], number, has_next=len(found) > size)


def page(
    items: WorkItemQuerySet, number: int, *, also: Sequence[WorkItem], user: User
) -> tuple[Page[Line], Sequence[Line]]:
    """One page of these items, the first due on top; and `also` those others, read along with
    them."""
    here = cut(items.by_urgency(), number, size=LINES)
    read = lines([*here.entries, *also], user)
    shown = len(here.entries)
    return Page(read[:shown], here.number, here.has_next), read[shown:]


def done_today(items: WorkItemQuerySet, *, now: datetime) -> list[WorkItem]:
    """The latest closed since local midnight."""
    closed = items.filter(closed_at__gte=midnight(timezone.localdate(now)))
    return list(closed.order_by("-closed_at")[:DONE_SHOWN])


def lines(items: Sequence[WorkItem], user: User) -> list[Line]:
    """The items with what a line says of each, as far as `user` may see it."""
    receipts = {item.params.get("receipt") for item in items} - {None}
    found = _requests(user, references=list(receipts)) if receipts else []
    requests: dict[str, Any] = {request.reference: request for request in found}
    others = {_interview_of(item) for item in items if item.params.get("receipt") not in requests}
    others -= {""}
    rest = _interviews(user, references=list(others)) if others else []
    interviews: dict[str, tuple[str, str]] = {row[0]: row[1:] for row in rest}
    people = _people({item.assignee for item in items}, user)

    def line(item: WorkItem) -> Line:
        request = requests.get(item.params.get("receipt", ""))
        whose = interviews.get(_interview_of(item), ("", _words_of(item)))
        if request is not None:
            whose = (request.candidate, request.position)
        return Line(item, request, *whose, assignee=people.get(item.assignee))

    return [line(item) for item in items]


def _words_of(item: WorkItem) -> str:
    """What it is about that is about no interview."""
    is_of_one = item.subject.startswith(ABOUT)
    return "" if is_of_one else str(WORDS.get(item.params.get("code", ""), ""))


_requests = PreparedForStaff(
    lambda: (
        Cancellation.objects.filter(among("reference", Later("references")))
        .only(
            *("reference", "is_exit", "starts_at", "status", "requested_at", "policy"),
            *("requested_by_id", "decided_by_id"),
        )
        .annotate(
            candidate=F("interview__application__candidate__user__name"),
            position=F("interview__application__position__title"),
        )
    ),
    department="interview__listed_department",
)
_interviews = PreparedForStaff(
    lambda: Interview.objects.filter(among("reference", Later("references"))).values_list(
        "reference", "application__candidate__user__name", "application__position__title"
    ),
    department="listed_department",
)


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


def opened(line: Line, user: User) -> Case:
    """What a line is about, with all there is to know of it."""
    cancellation = visible_request(line.request.reference, user) if line.request else None
    if cancellation is None:
        return entries([line.item], user)[0]
    return _case(line.item, cancellation, user)


def case_of(cancellation: Cancellation, user: User) -> Case:
    """A request that is already read, with the work it makes while it waits."""
    item = None
    if cancellation.status == CancellationStatus.REQUESTED:
        items = WorkItem.objects.open().filter(kind=WorkKind.CANCELLATION)
        item = items.filter(subject=cancellation.interview.subject).first()
    return _case(item, cancellation, user)


def _case(item: WorkItem | None, cancellation: Cancellation, user: User) -> Case:
    assignee = _people({item.assignee}, user).get(item.assignee) if item else None
    return Case(item, cancellation.interview, cancellation, assignee)


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
