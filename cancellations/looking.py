"""Who looked at candidates' contact details, heard them or took which list along, in words."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import User
from cancellations.actors import names_of, who
from cancellations.configuration import KINDS
from cancellations.desk_filters import WHY, InterviewFilter, Narrowing
from cancellations.history_filters import AccessFilter, ChangeFilter, HistoryFilter
from interviews.events import event_words
from interviews.models import Access, Position, PositionCategory
from interviews.queries import departments_of, visible_to
from interviews.trail import CANDIDATE

ABOUT = "interview:"
CONTACT: dict[str, Promise] = {
    "mobile": gettext_lazy("Mobile number"),
    "email": gettext_lazy("Email address"),
    "national_id": gettext_lazy("ID number"),
}
# The lists that are taken along, by the code the log keeps, and what each is narrowed by.
LISTS: dict[str, tuple[Promise, type[Narrowing]]] = {
    "": (gettext_lazy("Interviews"), InterviewFilter),
    "history": (gettext_lazy("History"), HistoryFilter),
    "configuration": (gettext_lazy("Configuration"), ChangeFilter),
    "accesses": (gettext_lazy("Looked at"), AccessFilter),
    "administration": (gettext_lazy("Administration"), InterviewFilter),
}


@dataclass(frozen=True)
class Told:
    """One look at somebody, or one list taken along, as a page or a file shows it."""

    id: int
    at: datetime
    who: str
    what: str
    interview: str  # its reference; empty where it is about no one interview
    candidate: str
    under: str
    details: str


def told(rows: Sequence[dict[str, Any]], user: User) -> list[Told]:
    """As many queries for many rows as for one; nothing outside what `user` may see is named."""
    references = {_reference(row) for row in rows} - {""}
    facts = (
        visible_to(user)
        .filter(reference__in=references)
        .values_list(
            "reference",
            "application__candidate__user__name",
            "application__position__title",
            "application__position__department__name",
        )
    )
    interviews = {reference: tuple(others) for reference, *others in facts}
    names = _Names(rows, user)
    return [_told(row, interviews, names) for row in rows]


def _told(row: dict[str, Any], interviews: dict[str, tuple[str, ...]], names: "_Names") -> Told:
    reference = _reference(row)
    candidate, *under = interviews.get(reference, ("",))
    say = _SAID.get(row["action"], _taken_along)
    return Told(
        id=row["pk"],
        at=row["at"],
        who=row["by__name"],
        what=str(Access(row["action"]).label),
        interview=reference,
        candidate=candidate,
        under=" · ".join(under),
        details=" · ".join(say(row["detail"], names)),
    )


def _reference(row: dict[str, Any]) -> str:
    subject: str = row["subject"]
    return subject.removeprefix(ABOUT) if subject.startswith(ABOUT) else ""


def _heard(detail: dict[str, Any], names: "_Names") -> Iterator[str]:
    yield _("Question %(number)s") % {"number": detail.get("number", "")}


def _read(detail: dict[str, Any], names: "_Names") -> Iterator[str]:
    yield _("Document %(number)s") % {"number": detail.get("document", "")}


def _revealed(detail: dict[str, Any], names: "_Names") -> Iterator[str]:
    for each in detail.get("what", []):
        yield str(CONTACT.get(each, each))
    if why := detail.get("why"):
        yield str(dict(WHY).get(why, why))


def _opened(detail: dict[str, Any], names: "_Names") -> Iterator[str]:
    yield _("Appeal against a mark")


def _taken_along(detail: dict[str, Any], names: "_Names") -> Iterator[str]:
    title, form = _list(detail)
    yield str(title)
    yield str(detail.get("format", "")).upper()
    count = int(detail.get("count", 0))
    yield ngettext("%(count)d row", "%(count)d rows", count) % {"count": count}
    if detail.get("in_full"):
        yield _("with contact details")
    for name, value in _filters(detail):
        field = form.base_fields.get(name)
        label = str(field.label) if field else _("Search result") if name == "found" else name
        if not field or value in {"", "True"}:
            yield label
        else:
            said = {"label": label, "value": names.value(name, value, field)}
            yield _("%(label)s: %(value)s") % said


_SAID = {
    Access.REVEALED: _revealed,
    Access.LISTENED: _heard,
    Access.READ: _read,
    Access.OPENED: _opened,
}


def _list(detail: dict[str, Any]) -> tuple[Promise, type[Narrowing]]:
    return LISTS.get(str(detail.get("list", "")), LISTS[""])


def _filters(detail: dict[str, Any]) -> Iterable[tuple[str, str]]:
    """By name and value; some lists keep the names alone."""
    filters = detail.get("filters", {})
    if isinstance(filters, dict):
        return [(name, str(value)) for name, value in filters.items()]
    return [(str(name), "") for name in filters]


class _Names:
    """What lists were narrowed by, as it is called today, looked up together."""

    def __init__(self, rows: Sequence[dict[str, Any]], user: User) -> None:
        filters = [each for row in rows for each in _filters(row["detail"])]

        def numbers(name: str) -> set[int]:
            return {int(value) for key, value in filters if key == name and value.isdecimal()}

        own = departments_of(user)
        departments = own.filter(pk__in=numbers("department"))
        positions = Position.objects.filter(
            pk__in=numbers("position"), department__in=own.values("pk")
        )
        people = {f"user:{number}" for number in numbers("recruiter")}
        self.known = {
            "department": _by_number(departments, "name"),
            "position": _by_number(positions, "title"),
        }
        if chosen := numbers("category"):
            categories = PositionCategory.objects.filter(pk__in=chosen)
            self.known["category"] = _by_number(categories, "name")
        self.people = names_of(people | {value for key, value in filters if key == "actor"})

    def value(self, name: str, value: str, field: forms.Field) -> str:
        """What is not known goes by its number or code."""
        if name in self.known:
            return self.known[name].get(value, f"#{value}")
        if name == "recruiter":
            return self.people.get(f"user:{value}", f"#{value}")
        if name == "actor":
            return _("Candidate") if value == CANDIDATE else who(value, self.people)
        if name == "event":
            return event_words(value)
        choices: Any = KINDS.items() if value in KINDS else getattr(field, "choices", ())
        return next((str(label) for key, label in choices if str(key) == value), value)


def _by_number(rows: "QuerySet[Any]", name: str) -> dict[str, str]:
    return {str(pk): known for pk, known in rows.values_list("pk", name)}
