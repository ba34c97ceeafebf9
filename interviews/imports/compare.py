"""While the old system and this one both run: where do they differ? Looks, and changes nothing."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.contrib.admin.utils import label_for_field
from django.db.models import Count, TextChoices
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from accounts import crypto
from accounts.identifiers import Identifier, IdentifierKind, masked
from interviews.imports.mapping import Mapping
from interviews.imports.rows import Record, Row, RowReader, own_references
from interviews.imports.sheet import Seen
from interviews.imports.text import fold
from interviews.listing import sources_offered
from interviews.models import (
    Application,
    Department,
    Interview,
    InterviewKind,
    Position,
    Stage,
)
from interviews.states import InterviewStatus

PERSONAL = frozenset({"name", "mobile", "email", "national_id"})  # shown whole to few


class Code(TextChoices):
    """What HR is asked to look at about one interview."""

    STATUS = "status_differs", gettext_lazy("The status differs from what the other system says.")
    TIME = "time_differs", gettext_lazy("The time differs from what the other system says.")
    FACTS = "facts_differ", gettext_lazy("Something differs from what the other system says.")
    ONLY_HERE = "only_here", gettext_lazy("The other system does not have it.")


class Finding(TextChoices):
    DIFFERENT = "different", gettext_lazy("Different values")
    ONLY_THERE = "only_there", gettext_lazy("Only in the file")
    ONLY_HERE = "only_here", gettext_lazy("Only here")


@dataclass
class Found:
    """One interview on which the two do not agree: by line, by key at the source, ours by its
    reference; and each field that differs, with their value and ours."""

    finding: Finding
    line: int
    key: str
    reference: str = ""
    fields: list[tuple[str, str, str]] = field(default_factory=list)


def code_of(found: Found) -> Code:
    """What weighs most of it."""
    if found.finding == Finding.ONLY_HERE:
        return Code.ONLY_HERE
    names = {name for name, _theirs, _ours in found.fields}
    if "status" in names:
        return Code.STATUS
    return Code.TIME if names & {"starts_at", "ends_at"} else Code.FACTS


def sources() -> list[str]:
    """Where the interviews that are here came from."""
    return sources_offered(Department.objects.values_list("pk", flat=True))


def likely_source(rows: Sequence[Row], mapping: Mapping) -> str:
    """The source whose keys most of these rows hold; the mapping's own where none is ahead."""
    known = Interview.objects.filter(
        source__in=sources(), source_key__in={row.key for row in rows}
    ).exclude(source_key="")
    counts = dict(known.order_by("source").values_list("source").annotate(Count("pk")))
    return max((mapping.source, *counts), key=lambda source: counts.get(source, 0))


def differences(
    records: Sequence[Record], mapping: Mapping, reader: RowReader, *, source: str
) -> Iterator[Found]:
    """What of these records is not here, or not like this; they are found by their key at `source`,
    or by our own reference. An empty cell says nothing; and what describes a position, of which a
    file may say something else in every row, is not compared."""
    ours = _found_here(records, source)
    compared = [name for name in COMPARED if reader.holds(name)]
    for record in records:
        interview = ours.get(record.line)
        if interview is None:
            yield Found(Finding.ONLY_THERE, record.line, record.key)
            continue
        fields = [
            told for name in compared if (told := _difference(name, record, interview, mapping))
        ]
        fields += [
            (name, code, interview.extra.get(name, ""))
            for name, code in record.extra.items()
            if interview.extra.get(name) != code
        ]
        if fields:
            yield Found(Finding.DIFFERENT, record.line, record.key, interview.reference, fields)


def _found_here(records: Sequence[Record], source: str) -> dict[int, Interview]:
    """The interview each record is about, by line."""
    interviews = Interview.objects.select_related(
        "application__position__department", "application__candidate__user", "interviewer"
    )
    keyed = interviews.filter(source=source, source_key__in=[record.key for record in records])
    by_key = {each.source_key: each for each in keyed.exclude(source_key="")}
    found = {record.line: by_key[record.key] for record in records if record.key in by_key}
    named = {
        record.line: references
        for record in records
        if record.line not in found and (references := own_references(record))
    }
    if named:
        wanted = {reference for references in named.values() for reference in references}
        ours = {each.reference: each for each in interviews.filter(reference__in=wanted)}
        for line, references in named.items():
            if interview := next((ours[each] for each in references if each in ours), None):
                found[line] = interview
    return found


def only_here(seen: Seen, *, source: str) -> list[Found]:
    """What came from that source, begins within the time the file covers, and is not in it."""
    if seen.earliest is None or seen.latest is None:
        return []
    ours = (
        Interview.objects.filter(
            source=source, starts_at__gte=seen.earliest, starts_at__lte=seen.latest
        )
        .exclude(source_key="")
        .order_by("starts_at", "pk")
        .values_list("source_key", "reference")
    )
    return [
        Found(Finding.ONLY_HERE, seen.line, key, reference)
        for key, reference in ours.iterator()
        if key not in seen.keys and reference not in seen.references
    ]


def title_of(name: str) -> str:
    """What a field is called, in the reader's language."""
    named = {
        "name": pgettext("of a person", "name"),
        "mobile": _("mobile number"),
        "email": _("email"),
        "national_id": _("national ID number"),
        "city": _("city"),
        "department": _("department"),
        "department_code": _("code of the department"),
        "position": _("position"),
        "position_code": _("code of the position"),
        "position_city": _("city of the position"),
        "category": _("position category"),
        "recruiter": _("recruiter"),
        "ends_at": _("ends"),
        "number": _("interview number"),
        "candidate_key": _("candidate number"),
        "category_code": _("code of the category"),
        "minutes": _("minutes"),
        "capacity": _("places"),
        "is_open": _("open"),
    }
    if name in named:
        return capfirst(named[name])
    for model in (Interview, Application):
        if name in {each.name for each in model._meta.get_fields()}:
            return capfirst(str(label_for_field(name, model)))
    return name


def in_words(name: str, value: str) -> str:
    """A value as people read it: what stands for a code, in the reader's language."""
    if name == "is_open":
        return _("Yes") if value == "yes" else _("No")
    labels = {"status": InterviewStatus, "kind": InterviewKind, "stage": Stage}
    if name in labels and value in labels[name]:
        return str(labels[name](value).label)
    return value


# --- one field ----------------------------------------------------------------------------------


def _difference(
    name: str, record: Record, interview: Interview, mapping: Mapping
) -> tuple[str, str, str] | None:
    theirs, ours = COMPARED[name](record, interview)
    if not theirs or theirs in ours:
        return None
    shown = "ends_at" if name == "minutes" else name
    return shown, _kept(theirs, mapping), _kept(ours[0], mapping)


def _kept(value: str | datetime | None, mapping: Mapping) -> str:
    if isinstance(value, datetime):
        return value.astimezone(mapping.zone).strftime("%Y-%m-%d %H:%M")
    return value or ""


Value = str | datetime | None
Both = tuple[Value, tuple[Value, ...]]  # theirs; ours, and what else would be the same


def _text(name: str, ours: Callable[[Interview], str | None]) -> Callable[..., Both]:
    def both(record: Record, interview: Interview) -> Both:
        theirs, here = record[name], ours(interview) or ""
        return theirs, (here, theirs) if fold(theirs) == fold(here) else (here,)

    return both


def _moment(name: str) -> Callable[..., Both]:
    def both(record: Record, interview: Interview) -> Both:
        return getattr(record, name), (getattr(interview, name),)

    return both


def _department(record: Record, interview: Interview) -> Both:
    """The column may hold its name or its code."""
    department = interview.position.department
    theirs = record["department"]
    same = fold(theirs) in {fold(department.name), fold(department.code)}
    return theirs, (department.name, theirs) if same else (department.name,)


def _national_id(record: Record, interview: Interview) -> Both:
    theirs, user = record["national_id"], interview.candidate.user
    if not theirs:
        return "", ("",)
    here = _masked(user.national_id) if user.national_id else ""
    if user.national_id_index == crypto.blind_index(theirs):
        return "", ("",)
    return _masked(theirs), (here,)


def _masked(number: str) -> str:
    return masked(Identifier(IdentifierKind.NATIONAL_ID, number))


def _position(ours: Callable[[Position], str | None]) -> Callable[[Interview], str | None]:
    return lambda interview: ours(interview.position)


def _application_moment(record: Record, interview: Interview) -> Both:
    return record.applied_at, (interview.application.applied_at,)


def _ends_at(record: Record, interview: Interview) -> Both:
    return record.ends_at, (interview.ends_at,)


COMPARED: dict[str, Callable[[Record, Interview], Both]] = {
    "name": _text("name", lambda interview: interview.candidate.user.name),
    "mobile": _text("mobile", lambda interview: interview.candidate.user.mobile),
    "email": _text("email", lambda interview: interview.candidate.user.email),
    "national_id": _national_id,
    "city": _text("city", lambda interview: interview.candidate.city),
    "department": _department,
    "department_code": _text("department_code", _position(lambda one: one.department.code)),
    "position_code": _text("position_code", _position(lambda one: one.code)),
    "position": _text("position", _position(lambda one: one.title)),
    "status": _text("status", lambda interview: interview.status),
    "kind": _text("kind", lambda interview: interview.kind),
    "starts_at": _moment("starts_at"),
    "minutes": _ends_at,
    "location": _text("location", lambda interview: interview.location),
    "link": _text("link", lambda interview: interview.link),
    "interviewer": _text(
        "interviewer",
        lambda interview: interview.interviewer.email if interview.interviewer else "",
    ),
    "deadline": _moment("deadline"),
    "applied_at": _application_moment,
    "stage": _text("stage", lambda interview: interview.application.stage),
}
