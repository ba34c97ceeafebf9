"""What a list of interviews may show, and how each value is told on a page and in a file."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.identifiers import Identifier, IdentifierKind, masked
from interviews.models import InterviewKind, Stage
from interviews.states import InterviewStatus
from interviews.templatetags.contact import grouped
from interviews.templatetags.status import status

Show = Callable[[Any], Any]


def _as_is(value: Any) -> Any:
    return value or ""


def _label(choices: Any) -> Show:
    return lambda value: str(choices(value).label)


def _moment(value: datetime | None) -> str:
    """Day, weekday and time in columns of equal width."""
    return date_format(timezone.localtime(value), "Y-m-d D H:i") if value else ""


def _local(value: datetime | None) -> datetime | str:
    """As a spreadsheet's date, which knows no time zone."""
    return timezone.localtime(value).replace(tzinfo=None, second=0, microsecond=0) if value else ""


def _masked(kind: IdentifierKind) -> Show:
    return lambda value: masked(Identifier(kind, value)) if value else ""


def _yes(value: bool) -> str:
    return _("late") if value else ""


@dataclass(frozen=True)
class Column:
    """One column: where its value stands, as seen from an interview. `on_page` and `in_file` say
    how it is told; what is `personal` is told in full only to who may read it."""

    key: str
    title: str | Promise
    path: str
    on_page: Show = _as_is
    in_file: Show | None = None
    personal: bool = False

    def exported(self, value: Any, *, in_full: bool) -> Any:
        if self.personal:
            return (value or "") if in_full else self.on_page(value)
        return (self.in_file or self.on_page)(value)


_PERSON = "application__candidate__user__"
_POSITION = "application__position__"
COLUMNS = {
    column.key: column
    for column in (
        Column("candidate", gettext_lazy("Candidate"), f"{_PERSON}name"),
        Column("position", gettext_lazy("Position"), f"{_POSITION}title"),
        Column("department", gettext_lazy("Department"), f"{_POSITION}department__name"),
        Column("starts_at", gettext_lazy("Time"), "starts_at", _moment, _local),
        Column("kind", gettext_lazy("Kind"), "kind", _label(InterviewKind)),
        Column("status", gettext_lazy("Status"), "status", status, _label(InterviewStatus)),
        Column("late", gettext_lazy("Asked late"), "asked_late", _yes),
        Column("recruiter", gettext_lazy("Recruiter"), f"{_POSITION}recruiter__name"),
        Column("interviewer", gettext_lazy("Interviewer"), "interviewer__name"),
        Column("stage", gettext_lazy("Stage"), "application__stage", _label(Stage)),
        Column(
            "mobile",
            gettext_lazy("Mobile number"),
            f"{_PERSON}mobile",
            _masked(IdentifierKind.MOBILE),
            personal=True,
        ),
        Column(
            "email",
            gettext_lazy("Email address"),
            f"{_PERSON}email",
            _masked(IdentifierKind.EMAIL),
            personal=True,
        ),
        Column("place", gettext_lazy("Place"), "location"),
        Column("source", gettext_lazy("Source"), "source"),
        Column("booked_at", pgettext_lazy("when", "Booked"), "booked_at", _moment, _local),
        Column("ended_at", pgettext_lazy("when", "Ended"), "ended_at", _moment, _local),
        Column("reference", gettext_lazy("Reference"), "reference", grouped, _as_is),
    )
}
ALWAYS = "candidate"  # it leads to the interview
USUAL = ("candidate", "position", "department", "starts_at", "kind", "status", "recruiter")


def chosen_columns(keys: list[str]) -> list[Column]:
    """Those of these keys in the order of the list, the candidate always; the usual ones where
    nothing is chosen."""
    wanted = set(keys or USUAL) | {ALWAYS}
    return [column for key, column in COLUMNS.items() if key in wanted]
