"""A mapping says what the columns of a file mean. It is data: a TOML file, shipped or one's own."""

import re
import tomllib
from collections.abc import Iterable
from collections.abc import Mapping as MappingType
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import TextChoices
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from interviews.imports.problems import ImportRefused
from interviews.imports.text import fold
from interviews.models import EARLIEST, LATEST, InterviewKind, Stage
from interviews.states import InterviewStatus

SHIPPED = Path(__file__).parent / "mappings"
LARGEST = 256 * 1024


class What(TextChoices):
    """What the rows of a file are; each in the order in which a company brings them in."""

    CANDIDATES = "candidates", gettext_lazy("Candidates")
    POSITIONS = "positions", gettext_lazy("Positions")
    SLOTS = "slots", gettext_lazy("Slots")
    APPLICATIONS = "applications", gettext_lazy("Applications")
    INTERVIEWS = "interviews", gettext_lazy("Interviews")


# What a file can say of an interview. A request that waits for an answer, or a conversation under
# way, needs more beside it than a row can carry.
STATUSES = (
    InterviewStatus.INVITED,
    InterviewStatus.BOOKED,
    InterviewStatus.CANCELLED,
    InterviewStatus.WITHDRAWN,
    InterviewStatus.COMPLETED,
    InterviewStatus.INCOMPLETE,
    InterviewStatus.NO_SHOW,
)
CHOICES: dict[str, tuple[str, ...]] = {
    "kind": tuple(InterviewKind.values),
    "status": tuple(status.value for status in STATUSES),
    "stage": tuple(Stage.values),
    "is_open": ("yes", "no"),
}
MOMENTS = ("starts_at", "deadline", "applied_at", "screened_at")
LENGTHS = {
    "number": 100,
    "candidate_key": 100,
    "name": 100,
    "mobile": 40,
    "national_id": 40,
    "email": 254,
    "city": 100,
    "department": 100,
    "department_code": 50,
    "position_code": 100,
    "position": 200,
    "position_city": 100,
    "category": 100,
    "category_code": 50,
    "recruiter": 254,
    "interviewer": 254,
    "location": 200,
    "link": 200,
    "minutes": 10,
    "capacity": 10,
}
FIELDS = (*LENGTHS, *CHOICES, *MOMENTS)
REQUIRED: dict[str, tuple[str, ...]] = {
    What.CANDIDATES: ("name",),
    What.POSITIONS: ("position_code", "position"),
    What.SLOTS: ("position_code", "starts_at"),
    What.APPLICATIONS: ("name", "position_code"),
    What.INTERVIEWS: ("name", "department", "position", "status"),
}
_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True)
class Column:
    """Where one field comes from, and how what stands there becomes its value."""

    titles: tuple[str, ...]
    default: str = ""
    strip: str = ""
    drop: tuple[re.Pattern[str], ...] = ()
    values: MappingType[str, str] = field(default_factory=dict)
    other: str | None = None
    code: bool = False
    times: tuple[str, ...] = ()
    optional: bool = False


@dataclass(frozen=True)
class Dates:
    """How dates are written: replacements that tidy a cell, then the shapes it may have."""

    clean: tuple[tuple[re.Pattern[str], str], ...]
    shapes: tuple[str, ...]
    times: tuple[str, ...]
    time: time
    earliest: datetime
    latest: datetime


@dataclass(frozen=True)
class Mapping:
    """Everything the engine must know of a file beyond what stands in it."""

    name: str
    what: What
    titles: MappingType[str, str]  # by language
    source: str
    zone: ZoneInfo
    key: tuple[str, ...]
    dates: Dates
    fields: MappingType[str, Column]
    extra: MappingType[str, Column]
    invites: bool = False  # whoever comes at the AI interview is invited; not so with old records

    @property
    def title(self) -> str:
        """What people call it, in the reader's language."""
        return self.titles.get(get_language() or "") or self.name


def shipped() -> list[str]:
    """The names of the mappings that come with the product."""
    return sorted(path.stem for path in SHIPPED.glob("*.toml"))


def load(name_or_path: str) -> Mapping:
    """A shipped mapping by its name, or any by its path. Raises ImportRefused in plain words."""
    path = Path(name_or_path)
    if name_or_path in shipped():
        path = SHIPPED / f"{name_or_path}.toml"
    try:
        if path.stat().st_size > LARGEST:
            raise ImportRefused(_("The mapping %(name)s is too large.") % {"name": name_or_path})
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ImportRefused(
            _("The mapping %(name)s is not UTF-8 text.") % {"name": name_or_path}
        ) from error
    except (OSError, ValueError) as error:
        raise ImportRefused(
            _("There is no mapping %(name)s. Give a path, or one of: %(shipped)s.")
            % {"name": name_or_path, "shipped": ", ".join(shipped())}
        ) from error
    return parse(text, name=path.stem)


def parse(text: str, *, name: str) -> Mapping:
    """The mapping written in `text`; raises ImportRefused naming every problem in it."""
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ImportRefused(
            _("The mapping %(name)s is not valid TOML: %(error)s.") % {"name": name, "error": error}
        ) from error
    reader = _Reader(data)
    mapping = reader.read(name)
    if mapping is None or reader.problems:
        raise ImportRefused(
            _("The mapping %(name)s cannot be used: %(problems)s")
            % {"name": name, "problems": " ".join(reader.problems)}
        )
    return mapping


class _Reader:
    """Reads the tables of a mapping and collects what is wrong with them."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        self.problems: list[str] = []
        self.named_values = {
            name: self._value_map(f"values.{name}", table)
            for name, table in self._table(data, "values").items()
        }

    def complain(self, message: str, **details: object) -> None:
        self.problems.append(message % details)

    def read(self, name: str) -> Mapping | None:
        data = self.data
        known = {
            "what",
            "source",
            "title",
            "time_zone",
            "key",
            "dates",
            "fields",
            "extra",
            "values",
            "invites",
        }
        for unknown in sorted(data.keys() - known):
            self.complain(_("“%(key)s” is not a setting."), key=unknown)
        what = self._what()
        titles = self._titles()
        source = self._text(data, "source", "")
        if not _CODE.fullmatch(source):
            self.complain(_("“source” must be a short code such as old_ats."))
        fields = {
            field_name: self._column(f"fields.{field_name}", table)
            for field_name, table in self._table(data, "fields").items()
        }
        for unknown in sorted(fields.keys() - set(FIELDS)):
            self.complain(
                _("“%(key)s” is not a field; the fields are: %(fields)s."),
                key=unknown,
                fields=", ".join(FIELDS),
            )
        for missing in [needed for needed in REQUIRED[what] if needed not in fields]:
            self.complain(_("The field “%(key)s” is missing."), key=missing)
        for choice in CHOICES.keys() & fields.keys():
            column = fields[choice]
            for value in {*column.values.values(), column.default, column.other or ""} - {""}:
                if value not in CHOICES[choice]:
                    self.complain(
                        _("“%(value)s” is not a value of “%(key)s”; use one of: %(choices)s."),
                        value=value,
                        key=choice,
                        choices=", ".join(CHOICES[choice]),
                    )
        extra = {
            code: self._column(f"extra.{code}", table)
            for code, table in self._table(data, "extra").items()
        }
        self._check_codes(extra)
        key = tuple(self._texts(data, "key"))
        if not key or not set(key) <= fields.keys():
            self.complain(_("“key” must list one or more of the mapping's fields."))
        zone = self._zone()
        dates = self._dates(zone, needed=not fields.keys().isdisjoint(MOMENTS))
        if dates is None:
            return None
        invites = data.get("invites", False)
        if not isinstance(invites, bool) or (invites and what != What.APPLICATIONS):
            self.complain(_("“invites” must be true or false, and true only for applications."))
        return Mapping(name, what, titles, source, zone, key, dates, fields, extra, bool(invites))

    def _what(self) -> What:
        what = self._text(self.data, "what", What.INTERVIEWS)
        if what not in What:
            self.complain(_("“what” must be one of: %(kinds)s."), kinds=", ".join(What.values))
            return What.INTERVIEWS
        return What(what)

    def _titles(self) -> dict[str, str]:
        """One title for every language, or a table with one for each."""
        titles = self.data.get("title", {})
        if isinstance(titles, str):
            return {code: titles for code, _name in settings.LANGUAGES}
        if not isinstance(titles, dict) or not _all_text(titles.values()):
            self.complain(_("“title” must be a text, or one text for each language."))
            return {}
        return titles

    def _check_codes(self, extra: dict[str, Column]) -> None:
        for code, column in extra.items():
            if not _CODE.fullmatch(code):
                self.complain(_("“%(key)s” is not a code."), key=f"extra.{code}")
            if not column.values and not column.code:
                self.complain(
                    _("“%(key)s” needs values, so that only codes are carried over."),
                    key=f"extra.{code}",
                )
            meanings = {*column.values.values(), column.default, column.other or ""} - {""}
            for value in sorted(meanings) if not column.code else ():
                if not _CODE.fullmatch(value):
                    self.complain(
                        _("“%(value)s” in “%(key)s” is not a code."),
                        value=value,
                        key=f"extra.{code}",
                    )

    def _zone(self) -> ZoneInfo:
        name = self._text(self.data, "time_zone", "Asia/Shanghai")
        try:
            return ZoneInfo(name)
        except (ValueError, OSError, KeyError):
            self.complain(_("“%(name)s” is not a time zone."), name=name)
            return ZoneInfo("UTC")

    def _dates(self, zone: ZoneInfo, *, needed: bool) -> Dates | None:
        table = self._table(self.data, "dates")
        for unknown in sorted(
            table.keys() - {"clean", "shapes", "times", "time", "earliest", "latest"}
        ):
            self.complain(_("“%(key)s” is not a setting."), key=f"dates.{unknown}")
        clean = []
        for pair in self._list(table, "clean"):
            if not (isinstance(pair, list) and len(pair) == 2 and _all_text(pair)):
                self.complain(_("“dates.clean” must list pairs: a pattern and what replaces it."))
                continue
            if pattern := self._pattern("dates.clean", pair[0]):
                clean.append((pattern, pair[1]))
        shapes, times = self._shapes(table, "shapes"), self._shapes(table, "times")
        if needed and not shapes:
            self.complain(_("“dates.shapes” must list at least one shape such as %%Y-%%m-%%d."))
        try:
            return Dates(
                clean=tuple(clean),
                shapes=shapes,
                times=times,
                time=time.fromisoformat(self._text(table, "time", "00:00")),
                earliest=self._bound(table, "earliest", EARLIEST, zone),
                latest=self._bound(table, "latest", LATEST, zone),
            )
        except ValueError:
            self.complain(
                _("“dates.time” must be a time such as 09:00, “earliest” and “latest” dates.")
            )
            return None

    def _shapes(self, table: dict[str, Any], key: str) -> tuple[str, ...]:
        shapes = self._texts(table, key)
        for shape in shapes:
            try:
                datetime.strptime(EARLIEST.strftime(shape), shape)  # noqa: DTZ007 - only tried
            except ValueError:
                self.complain(_("“%(shape)s” is not a shape of a date."), shape=shape)
        return tuple(shapes)

    def _bound(self, table: dict[str, Any], key: str, limit: datetime, zone: ZoneInfo) -> datetime:
        value = table.get(key)
        if value is None:
            return limit
        moment = datetime.fromisoformat(str(value))
        moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        if key == "latest" and not isinstance(value, datetime):
            moment += timedelta(days=1)  # the last day counts
        if not EARLIEST <= moment <= LATEST:
            raise ValueError(key)
        return moment

    def _column(self, where: str, table: Any) -> Column:
        if not isinstance(table, dict):
            self.complain(_("“%(key)s” must be a table."), key=where)
            return Column(())
        known = {
            "column", "columns", "default", "strip", "drop", "values", "other", "code", "times",
            "optional",
        }  # fmt: skip
        for unknown in sorted(table.keys() - known):
            self.complain(_("“%(key)s” is not a setting."), key=f"{where}.{unknown}")
        titles = self._texts(table, "columns") or [self._text(table, "column", "")]
        default = self._text(table, "default", "")
        if not any(titles) and not default:
            self.complain(_("“%(key)s” needs a column or a default."), key=where)
        values = table.get("values", {})
        if isinstance(values, str):
            if values not in self.named_values:
                self.complain(_("There are no values named “%(name)s”."), name=values)
            values = self.named_values.get(values, {})
        else:
            values = self._value_map(f"{where}.values", values)
        drop = [self._pattern(where, pattern) for pattern in self._texts(table, "drop")]
        return Column(
            titles=tuple(title for title in titles if title),
            default=default,
            strip=self._text(table, "strip", ""),
            drop=tuple(pattern for pattern in drop if pattern),
            values=values,
            other=self._text(table, "other", "") if "other" in table else None,
            code=table.get("code") is True,
            times=tuple(self._texts(table, "times")),
            optional=table.get("optional") is True,
        )

    def _value_map(self, where: str, table: Any) -> dict[str, str]:
        if not isinstance(table, dict) or not _all_text(table.values()):
            self.complain(_("“%(key)s” must give a text for each value."), key=where)
            return {}
        return {fold(value): meaning for value, meaning in table.items()}

    def _table(self, data: dict[str, Any], key: str) -> dict[str, Any]:
        table = data.get(key, {})
        if not isinstance(table, dict):
            self.complain(_("“%(key)s” must be a table."), key=key)
            return {}
        return table

    def _text(self, data: dict[str, Any], key: str, default: str) -> str:
        value = data.get(key, default)
        if not isinstance(value, str):
            self.complain(_("“%(key)s” must be a text."), key=key)
            return default
        return value

    def _list(self, data: dict[str, Any], key: str) -> list[Any]:
        value = data.get(key, [])
        if not isinstance(value, list):
            self.complain(_("“%(key)s” must be a list."), key=key)
            return []
        return value

    def _texts(self, data: dict[str, Any], key: str) -> list[str]:
        value = self._list(data, key)
        if not _all_text(value):
            self.complain(_("“%(key)s” must be a list of texts."), key=key)
            return []
        return value

    def _pattern(self, where: str, text: str) -> re.Pattern[str] | None:
        try:
            return re.compile(text, re.IGNORECASE)
        except re.error as error:
            self.complain(
                _("“%(pattern)s” in “%(key)s” is not a regular expression: %(error)s."),
                pattern=text,
                key=where,
                error=error,
            )
            return None


def _all_text(values: Iterable[Any]) -> bool:
    return all(isinstance(value, str) for value in values)
