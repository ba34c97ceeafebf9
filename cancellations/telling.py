"""Entries of history, told in words: who, when, what, why, and who agreed to it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from cancellations.actors import names_of, who
from cancellations.models import Cancellation, Reason
from interviews.events import event_words
from interviews.history import SYSTEM
from interviews.models import Correction, Move
from interviews.states import InterviewStatus
from interviews.templatetags.when import moment

_INTERVIEW = "interview__"
_APPLICATION = f"{_INTERVIEW}application__"
# What must be asked of an entry for it to be told; names come from the interview, never from it.
COLUMNS = (
    "sequence",
    "event",
    "actor",
    "data",
    "by_candidate",
    f"{_INTERVIEW}reference",
    f"{_APPLICATION}candidate__user__name",
    f"{_APPLICATION}position__title",
    f"{_APPLICATION}position__department__name",
)
DECISIONS = frozenset({"cancelled", "cancellation_declined"})


@dataclass(frozen=True)
class Told:
    """One entry as a page or a file shows it."""

    at: datetime
    interview: str
    sequence: int
    candidate: str
    position: str
    department: str
    what: str
    details: str
    status: str
    why: str
    who: str
    approver: str

    @property
    def place(self) -> str:
        """By which a page that begins behind or before it finds it."""
        return f"{self.interview}-{self.sequence}"


def told(rows: Sequence[dict[str, Any]], *, in_full: bool) -> list[Told]:
    """Three queries, however many rows; what staff wrote themselves only `in_full`. A hand may have
    been at the data of any row."""
    rows = [{**row, "data": row["data"] if isinstance(row["data"], dict) else {}} for row in rows]
    names = names_of(_named(rows))
    reasons = _reasons(rows)
    corrections = _corrections(rows) if in_full else {}
    return [_told(row, names, reasons, corrections) for row in rows]


def _told(
    row: dict[str, Any],
    names: dict[str, str],
    reasons: dict[str, str],
    corrections: dict[str, str],
) -> Told:
    data: dict[str, Any] = row["data"]
    by = _("Candidate") if row["by_candidate"] else who(row["actor"], names)
    status = data.get("status")
    correction = corrections.get(str(data.get("correction")), "")
    return Told(
        at=row["at"],
        interview=row["interview__reference"],
        sequence=row["sequence"],
        candidate=row[f"{_APPLICATION}candidate__user__name"],
        position=row[f"{_APPLICATION}position__title"],
        department=row[f"{_APPLICATION}position__department__name"],
        what=event_words(row["event"]),
        details=" · ".join(_details(row["event"], data, names)),
        status=status if status in InterviewStatus.values else "",
        why=reasons.get(str(data.get("receipt")), "") or correction,
        who=by,
        approver=_approver(row, by) if row["event"] in DECISIONS else "",
    )


def _approver(row: dict[str, Any], by: str) -> str:
    """Who decided: a person, or the rule at once or because nobody had decided in time."""
    by_rule = row["data"].get("decided_by") == "policy" or row["actor"] == SYSTEM
    return _("The rule") if by_rule else by


def _details(event: str, data: dict[str, Any], names: dict[str, str]) -> Iterable[str]:
    """What the entry says beyond its name, as far as there are words for it."""
    if data.get("move") in Move.values:
        yield str(Move(data["move"]).label)
    if (before := data.get("before")) in InterviewStatus.values:
        yield _("before: %(status)s") % {"status": InterviewStatus(before).label}
    if event != "imported" and (starts_at := _time(data.get("starts_at"))):
        yield _("appointment %(time)s") % {"time": moment(starts_at)}
    if source := data.get("source"):
        yield _("from %(source)s") % {"source": source}
    if by := data.get("by"):
        yield who(str(by), names)
    if assignees := _assignees(data):
        yield _("to %(name)s") % {"name": ", ".join(who(each, names) for each in assignees)}
    if data.get("token"):
        yield _("through the API")


def _assignees(data: dict[str, Any]) -> list[str]:
    """Whom something was given to."""
    given = data.get("to")
    return [str(each) for each in given if each] if isinstance(given, list) else []


def _time(value: Any) -> datetime | None:
    try:
        return parse_datetime(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _named(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Whoever these entries speak of, by code."""
    for row in rows:
        if not row["by_candidate"]:
            yield row["actor"]
        yield str(row["data"].get("by", ""))
        yield from _assignees(row["data"])


def _reasons(rows: Sequence[dict[str, Any]]) -> dict[str, str]:
    """By receipt, why an interview was called off."""
    receipts = {str(row["data"]["receipt"]) for row in rows if "receipt" in row["data"]}
    found = Cancellation.objects.filter(reference__in=receipts)
    return {
        reference: Reason(label_zh=label_zh, label_en=label_en).label
        for reference, label_zh, label_en in found.values_list(
            "reference", "reason__label_zh", "reason__label_en"
        )
    }


def _corrections(rows: Sequence[dict[str, Any]]) -> dict[str, str]:
    """By reference, why a status was set right by hand."""
    references = {str(row["data"]["correction"]) for row in rows if "correction" in row["data"]}
    found = Correction.objects.filter(reference__in=references)
    return dict(found.values_list("reference", "reason"))
