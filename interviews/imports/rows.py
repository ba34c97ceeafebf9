"""One row of a file becomes a record, or a list of what is wrong with it. No database."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta, tzinfo
from difflib import get_close_matches
from functools import lru_cache
from itertools import islice
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.identifiers import normalise_email, normalise_mobile, normalise_national_id
from config.references import as_reference
from interviews.imports.mapping import (
    CHOICES,
    LENGTHS,
    MOMENTS,
    REQUIRED,
    Column,
    Dates,
    Mapping,
    What,
)
from interviews.imports.problems import ImportRefused, Problem, Rejection
from interviews.imports.text import fold, shortened, tidy
from interviews.states import InterviewStatus

LONGEST_KEY = 200
MOST_OFFERED = 20
LONGEST_MINUTES = 24 * 60
MOST_PLACES = 1000
LONGEST_NUMBER = 6  # digits, leading zeros included
OWN_REFERENCE = ("编号 Reference", "编号", "Reference")  # as our own lists and exports title it
UNTIMED = frozenset(
    {
        InterviewStatus.INVITED,
        InterviewStatus.CANCELLED,
        InterviewStatus.WITHDRAWN,
        InterviewStatus.NO_SHOW,
    }
)


@dataclass(slots=True)
class Record:
    """What one row says, normalised; times in UTC, absent ones None."""

    line: int
    key: str
    starts_at: datetime | None
    ends_at: datetime | None
    deadline: datetime | None
    applied_at: datetime | None
    screened_at: datetime | None
    texts: dict[str, str]
    extra: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        return self.texts.get(name, "")


Row = Record | Rejection


class Wrong(Exception):
    """A cell's value will not do; the message says what to do."""


@dataclass(frozen=True)
class _Place:
    """A field's column in this file: where it is, and all that is known of it."""

    indexes: tuple[int, ...]
    times: tuple[int, ...]
    column: Column
    title: str


class RowReader:
    """Reads the rows of one file in their order, whose titles decide where everything stands.

    Raises ImportRefused where columns the mapping needs are missing.
    """

    def __init__(self, mapping: Mapping, titles: Sequence[str]) -> None:
        self.mapping = mapping
        self.width = len(titles)
        self._titles = [tidy(title) for title in titles]
        self._index = {fold(title): index for index, title in enumerate(titles) if fold(title)}
        self._check_columns()
        self._reference = self._place(Column(OWN_REFERENCE))
        self._fields = {name: self._place(column) for name, column in mapping.fields.items()}
        self._extra = {code: self._place(column) for code, column in mapping.extra.items()}
        self._moments = {name: self._fields.pop(name) for name in MOMENTS if name in self._fields}
        self._required = frozenset(REQUIRED[mapping.what])
        self._lines: dict[str, int] = {}  # where each key stood first

    def read(self, line: int, cells: Sequence[str]) -> Row:
        """The record in a row, or everything that is wrong with it."""
        cells = [tidy(cell) for cell in cells]
        if surplus := "".join(cells[self.width :]):
            message = _("The row has more cells than there are titles. Look for a comma too many.")
            return Rejection(line, (Problem("", shortened(surplus), message),))
        problems: list[Problem] = []
        texts: dict[str, str] = {}
        for name, place in self._fields.items():
            value, typed = self._value(place, cells)
            try:
                texts[name] = _CHECKS[name](value, place.column) if value else self._empty(name)
            except Wrong as wrong:
                problems.append(Problem(place.title, shortened(typed), str(wrong)))
        moments = {
            name: self._moment(place, cells, problems) for name, place in self._moments.items()
        }
        texts["reference"], _typed = self._value(self._reference, cells)
        extra = self._further(cells, problems)
        starts_at = moments.get("starts_at")
        record = Record(
            line=line,
            key="",
            starts_at=starts_at,
            ends_at=_end(starts_at, texts.get("minutes", "")),
            deadline=moments.get("deadline"),
            applied_at=moments.get("applied_at"),
            screened_at=moments.get("screened_at"),
            texts=texts,
            extra=extra,
        )
        self._check_nothing_missing(record, problems)
        record.key = self._key(record)
        if len(record.key) > LONGEST_KEY:
            title = "; ".join(map(self.title, self.mapping.key))
            problems.append(Problem(title, shortened(record.key), _too_long(LONGEST_KEY)))
        if not problems:
            self._check_first(record, problems)
        if problems:
            return Rejection(line, tuple(problems), record.key, starts_at)
        return record

    def _check_first(self, record: Record, problems: list[Problem]) -> None:
        first = self._lines.setdefault(record.key, record.line)
        if first != record.line:
            title = "; ".join(map(self.title, self.mapping.key))
            message = _("Line %(line)d already holds the same. Remove one of the two.")
            problems.append(Problem(title, shortened(record.key), message % {"line": first}))

    # --- columns ----------------------------------------------------------------------------

    def _check_columns(self) -> None:
        if missing := fit(self.mapping, self._index).missing:
            raise ImportRefused(
                _("The file lacks these columns: %(columns)s.")
                % {"columns": "; ".join(map(self._with_nearest, dict.fromkeys(missing)))}
            )

    def _with_nearest(self, title: str) -> str:
        near = get_close_matches(fold(title), self._index, n=1, cutoff=0.6)
        if not near:
            return f"“{shortened(title)}”"
        return _("“%(title)s” (did you mean “%(near)s”?)") % {
            "title": shortened(title),
            "near": shortened(self._titles[self._index[near[0]]]),
        }

    def _place(self, column: Column) -> _Place:
        def indexes(titles: Sequence[str]) -> tuple[int, ...]:
            found = (self._index.get(fold(title)) for title in titles)
            return tuple(index for index in found if index is not None)

        own = indexes(column.titles)
        title = self._titles[own[0]] if own else (column.titles[0] if column.titles else "")
        return _Place(own, indexes(column.times), column, title)

    # --- values -----------------------------------------------------------------------------

    def _value(self, place: _Place, cells: Sequence[str]) -> tuple[str, str]:
        """The first usable cell of a field, mapped, and what was typed there."""
        column, typed = place.column, ""
        for index in place.indexes:
            text = cells[index] if index < len(cells) else ""
            typed = typed or text
            if column.strip:
                text = text.strip(column.strip)
            if not text or any(pattern.fullmatch(text) for pattern in column.drop):
                continue
            if column.values:
                text = column.values.get(fold(text), text if column.other is None else column.other)
            if text:
                return text, typed
        return column.default, typed

    def _further(self, cells: Sequence[str], problems: list[Problem]) -> dict[str, str]:
        extra = {}
        for code, place in self._extra.items():
            value, typed = self._value(place, cells)
            if not value:
                continue
            if place.column.code:
                value = slugify(value).replace("-", "_")[:40]
            elif value not in place.column.values.values() and value != place.column.default:
                problems.append(Problem(place.title, shortened(typed), _unknown(place.column)))
                continue
            if value:
                extra[code] = value
        return extra

    def _moment(
        self, place: _Place, cells: Sequence[str], problems: list[Problem]
    ) -> datetime | None:
        typed, dates = "", self.mapping.dates
        for index in place.indexes:
            typed = cells[index] if index < len(cells) else ""
            if typed:
                break
        if not typed:
            return None
        hour = next(
            (
                found
                for index in place.times
                if index < len(cells) and (found := read_time(cells[index], dates))
            ),
            None,
        )
        try:
            return read_moment(typed, dates, self.mapping.zone, hour)
        except Wrong as wrong:
            problems.append(Problem(place.title, shortened(typed), str(wrong)))
            return None

    def _check_nothing_missing(self, record: Record, problems: list[Problem]) -> None:
        """What the status needs, and what tells rows apart, must be there; said once per column."""
        complained = {problem.column for problem in problems}
        timed = self.mapping.what == What.SLOTS or (
            self.mapping.what == What.INTERVIEWS and record["status"] not in UNTIMED
        )
        for name in dict.fromkeys((*(("starts_at",) if timed else ()), *self.mapping.key)):
            title = self.title(name)
            value = getattr(record, name) if name in MOMENTS else record[name]
            if not value and title not in complained:
                problems.append(Problem(title, "", _("This must not be empty.")))

    def _key(self, record: Record) -> str:
        parts = []
        for name in self.mapping.key:
            if name in MOMENTS:
                moment = getattr(record, name)
                parts.append(moment.strftime("%Y-%m-%dT%H:%MZ") if moment else "")
            else:
                parts.append(record[name])
        if len(parts) == 1:
            return parts[0]
        return "|".join(part.replace("\\", "\\\\").replace("|", "\\|") for part in parts)

    def _empty(self, name: str) -> str:
        if name in self._required:
            raise Wrong(_("This must not be empty."))
        return ""

    def holds(self, name: str) -> bool:
        """Whether the file has a column for a field."""
        place = self._fields.get(name) or self._moments.get(name)
        return bool(place and place.indexes)

    def title(self, name: str) -> str:
        """What this file calls a field."""
        place = self._fields.get(name) or self._moments.get(name)
        return place.title if place else name


@dataclass(frozen=True)
class Fit:
    """How well the columns of a file are those of a mapping."""

    missing: list[str]  # titles of columns it needs
    known: int  # columns it can make something of


def fit(mapping: Mapping, titles: Iterable[str]) -> Fit:
    there = {fold(title) for title in titles}
    columns = [each for each in (*mapping.fields.values(), *mapping.extra.values()) if each.titles]
    absent = [each for each in columns if there.isdisjoint(map(fold, each.titles))]
    missing = [each.titles[0] for each in absent if not each.optional]
    return Fit(missing, len(columns) - len(absent))


def own_references(row: Row) -> list[str]:
    """What in a row may be our own reference of what it is about: it may stand in a column of its
    own, or as the number of the interview."""
    texts = (row.key, row["reference"]) if isinstance(row, Record) else (row.key,)
    return [found for text in texts if (found := as_reference(text))]


@lru_cache(maxsize=8192)
def read_moment(text: str, dates: Dates, zone: tzinfo, hour: time | None = None) -> datetime:
    """A typed date, with or without a time of day, in UTC. Raises Wrong."""
    cleaned = _cleaned(text, dates)
    for shape in dates.shapes:
        try:
            local = datetime.strptime(cleaned, shape)  # noqa: DTZ007 - its zone follows below
        except ValueError:
            continue
        if not ("%H" in shape or "%I" in shape):
            local = datetime.combine(local.date(), hour or dates.time)
        try:
            moment = local.replace(tzinfo=zone).astimezone(UTC)
        except OverflowError:
            break
        if not dates.earliest <= moment < dates.latest:
            raise Wrong(
                _("The date is not between %(earliest)s and %(latest)s. Correct the year.")
                % {
                    "earliest": dates.earliest.astimezone(zone).date().isoformat(),
                    "latest": (dates.latest - timedelta(seconds=1))
                    .astimezone(zone)
                    .date()
                    .isoformat(),
                }
            )
        return moment
    raise Wrong(
        _("This is not a date this file's mapping knows. Write it like %(example)s.")
        % {"example": datetime(2026, 5, 9, 14, 0, tzinfo=UTC).strftime(dates.shapes[0])}
    )


def read_time(text: str, dates: Dates) -> time | None:
    """The time of day in a cell, if that is what stands there."""
    cleaned = _cleaned(text, dates)
    if not cleaned[:1].isdigit():
        return None
    for shape in dates.times:
        try:
            return datetime.strptime(cleaned, shape).time()  # noqa: DTZ007 - a time of day has no zone
        except ValueError:
            continue
    return None


def _cleaned(text: str, dates: Dates) -> str:
    text = tidy(text)
    for pattern, replacement in dates.clean:
        text = pattern.sub(replacement, text)
    return text.strip()


def _end(starts_at: datetime | None, minutes: str) -> datetime | None:
    return starts_at + timedelta(minutes=int(minutes)) if starts_at and minutes else None


# --- what each field may hold -------------------------------------------------------------------


def _too_long(limit: int) -> str:
    return _("This is too long. Keep it to %(limit)d characters.") % {"limit": limit}


def _unknown(column: Column) -> str:
    return _use_one_of(sorted(column.values))


def _use_one_of(values: Iterable[str]) -> str:
    return _("This value is not known. Use one of: %(values)s.") % {
        "values": ", ".join(islice(values, MOST_OFFERED))
    }


def _text(limit: int) -> Callable[[str, Column], str]:
    def check(value: str, column: Column) -> str:
        if len(value) > limit:
            raise Wrong(_too_long(limit))
        return value

    return check


def _choice(name: str) -> Callable[[str, Column], str]:
    allowed = frozenset(CHOICES[name])

    def check(value: str, column: Column) -> str:
        if value in allowed:
            return value
        if column.values:
            raise Wrong(_unknown(column))
        raise Wrong(_use_one_of(CHOICES[name]))

    return check


def _normalised(normalise: Callable[[str], str], limit: int) -> Callable[[str, Column], str]:
    within = _text(limit)

    def check(value: str, column: Column) -> str:
        try:
            return normalise(within(value, column))
        except ValidationError as error:
            raise Wrong(" ".join(error.messages)) from error

    return check


def _minutes(value: str, column: Column) -> str:
    number = value.isascii() and value.isdigit() and len(value) <= LONGEST_NUMBER
    if not (number and 0 < int(value) <= LONGEST_MINUTES):
        raise Wrong(
            _("The duration must be a whole number of minutes, at most %(limit)d.")
            % {"limit": LONGEST_MINUTES}
        )
    return str(int(value))


def _capacity(value: str, column: Column) -> str:
    number = value.isascii() and value.isdigit() and len(value) <= LONGEST_NUMBER
    if not (number and 0 < int(value) <= MOST_PLACES):
        raise Wrong(
            _("The number of places must be a whole number from 1 to %(limit)d.")
            % {"limit": MOST_PLACES}
        )
    return str(int(value))


def _slug(value: str, column: Column) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,50}", value):
        raise Wrong(_("A code is made of letters, digits, hyphens and underscores, at most 50."))
    return value


def _link(value: str, column: Column) -> str:
    value = _text(LENGTHS["link"])(value, column)
    try:
        parts = urlsplit(value)
        sound = parts.scheme in {"http", "https"} and parts.hostname and " " not in value
    except ValueError:
        sound = False
    if not sound:
        raise Wrong(_("A link must begin with https:// and hold no spaces."))
    return value


_CHECKS: dict[str, Callable[[str, Column], str]] = {
    **{name: _text(limit) for name, limit in LENGTHS.items()},
    **{name: _choice(name) for name in CHOICES},
    "mobile": _normalised(normalise_mobile, LENGTHS["mobile"]),
    "national_id": _normalised(normalise_national_id, LENGTHS["national_id"]),
    "email": _normalised(normalise_email, LENGTHS["email"]),
    "recruiter": _normalised(normalise_email, LENGTHS["recruiter"]),
    "interviewer": _normalised(normalise_email, LENGTHS["interviewer"]),
    "minutes": _minutes,
    "capacity": _capacity,
    "department_code": _slug,
    "category_code": _slug,
    "link": _link,
}
