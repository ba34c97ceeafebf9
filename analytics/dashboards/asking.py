"""What a page of figures is asked for: a period and a filter, all of it in the address as codes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import quote_plus, urlencode

from django import forms
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from accounts.models import User
from analytics import figures
from analytics.behind import Figure
from analytics.dashboards.telling import MOST_ROWS
from analytics.figures import Counts, Filter, Period, Split, Step
from cancellations.desk_filters import ANY, OUR_OWN, Narrowing
from cancellations.forms import Chip
from interviews.imports.answers import source_title
from interviews.listing import (
    OURS,
    departments_offered,
    positions_offered,
    sources_offered,
)
from interviews.models import InterviewKind

PRESETS = {
    "last_7": gettext_lazy("Last 7 days"),
    "last_30": gettext_lazy("Last 30 days"),
    "last_90": gettext_lazy("Last 90 days"),
    "this_month": gettext_lazy("This month"),
    "last_month": gettext_lazy("Last month"),
    "this_quarter": gettext_lazy("This quarter"),
    "last_quarter": gettext_lazy("Last quarter"),
    "this_year": gettext_lazy("This year"),
    "last_year": gettext_lazy("Last 12 months"),
}
USUAL = "last_30"
PERIOD = ("period", "since", "until")

# A page leads to hundreds of lists, told apart by ids and codes that come again and again.
_quoted = lru_cache(maxsize=4096)(quote_plus)


def preset(name: str, today: date) -> Period:
    """The period called `name`; those that have begun end today."""
    if name.startswith("last_") and name.removeprefix("last_").isdigit():
        return Period(today - timedelta(days=int(name.removeprefix("last_")) - 1), today)
    month = today.replace(day=1)
    quarter = month.replace(month=(month.month - 1) // 3 * 3 + 1)
    match name:
        case "this_month":
            return Period(month, today)
        case "last_month":
            return Period(_months_before(month, 1), month - timedelta(days=1))
        case "this_quarter":
            return Period(quarter, today)
        case "last_quarter":
            return Period(_months_before(quarter, 3), quarter - timedelta(days=1))
        case "this_year":
            return Period(today.replace(month=1, day=1), today)
        case "last_year":
            return Period(today - timedelta(days=364), today)
    raise KeyError(name)


def _months_before(first: date, months: int) -> date:
    number = first.year * 12 + first.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)


class InsightFilter(Narrowing):
    """The period, and which interviews. What could not be understood narrows nothing, and says
    so."""

    field_order = (*PERIOD, "department", "position", "category", "source", "recruiter", "kind")

    period = forms.ChoiceField(
        label=gettext_lazy("Period"), required=False, choices=[*PRESETS.items()]
    )
    department = forms.ChoiceField(label=gettext_lazy("Department"), required=False)
    position = forms.ChoiceField(label=gettext_lazy("Position"), required=False)
    category = forms.ChoiceField(label=gettext_lazy("Category"), required=False)
    source = forms.ChoiceField(label=gettext_lazy("Source"), required=False)
    recruiter = forms.ChoiceField(label=gettext_lazy("Recruiter"), required=False)
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"), required=False, choices=[ANY, *InterviewKind.choices]
    )

    def __init__(self, data: QueryDict, *, user: User) -> None:
        super().__init__(data)
        departments, positions = departments_offered(user), positions_offered(user)
        recruiters = {str(each[2]): str(each[3]) for each in positions if each[2]}
        sources = sources_offered(pk for pk, _name in departments)
        categories = {each[4]: each[5] for each in positions}
        self.names: dict[str, dict[int | str | None, str]] = {
            "department": dict(departments),
            "position": {each[0]: each[1] for each in positions},
            "category": dict(sorted(categories.items(), key=lambda each: each[1])),
            "recruiter": {None: _("Nobody"), **{int(pk): name for pk, name in recruiters.items()}},
            "source": {"": str(OUR_OWN), **{each: source_title(each) or each for each in sources}},
            "kind": {value: str(label) for value, label in InterviewKind.choices},
        }
        for name in ("department", "position", "category"):
            self.offer(name, [(str(pk), label) for pk, label in self.names[name].items()])
        self.offer("recruiter", sorted(recruiters.items(), key=lambda each: each[1]))
        self.offer(
            "source", [(str(code) or OURS, name) for code, name in self.names["source"].items()]
        )
        self.full_clean()

    def clean(self) -> dict[str, Any]:
        """A period that ends before it begins is none."""
        chosen = super().clean() or self.cleaned_data
        since, until = chosen.get("since"), chosen.get("until")
        if since and until and since > until:
            self.add_error("until", _("The period ends before it begins."))
            del chosen["since"]
        return chosen

    @property
    def narrowing(self) -> dict[str, Any]:
        """Days win over a preset, and the usual preset goes without saying."""
        said = super().narrowing
        if "since" in said or "until" in said or said.get("period") == USUAL:
            said.pop("period", None)
        return said

    def chips(self) -> list[Chip]:
        return [
            Chip(str(self[name].label), self._in_words(name, value), self.query(without=name))
            for name, value in self.narrowing.items()
            if name not in PERIOD
        ]

    def chosen_period(self, today: date) -> Period:
        said = self.narrowing
        since: date | None = said.get("since")
        until: date | None = said.get("until")
        if since:
            return Period(since, until or max(today, since))
        if until:
            return Period(until - timedelta(days=29), until)
        return preset(said.get("period", USUAL), today)


@dataclass(frozen=True)
class Asked:
    """What a page is asked for, as far as this person may see it."""

    user: User
    form: InsightFilter
    today: date
    chosen: Filter
    period: Period
    is_file: bool = False  # which has every row there is; a page, the first of them

    @cached_property
    def before(self) -> Period:
        return self.period.before

    @property
    def most_rows(self) -> int | None:
        """Of a table: one more than a page shows says that there are more."""
        return None if self.is_file else MOST_ROWS + 1

    @property
    def is_ahead(self) -> bool:
        return self.period.since > self.today

    @property
    def step(self) -> Step:
        """How a series goes: so that a chart has a few dozen steps at most."""
        for step, days in (("day", 31), ("week", 190), ("month", 1140)):
            if self.period.days <= days:
                return step  # type: ignore[return-value]
        return "quarter"

    @property
    def compares_departments(self) -> bool:
        """Whether there are several to stand beside one another."""
        narrowed = {"department", "position"} & self.form.narrowing.keys()
        return not narrowed and len(self.form.names["department"]) > 1

    @property
    def query(self) -> str:
        return self.form.query()

    def query_for(self, name: str) -> str:
        """The same for another period."""
        said = QueryDict(self.query, mutable=True)
        for each in PERIOD:
            said.pop(each, None)
        if name != USUAL:
            said["period"] = name
        return said.urlencode()

    @property
    def preset(self) -> str:
        """The name of the period, if it has one."""
        said = self.form.narrowing
        return "" if "since" in said or "until" in said else said.get("period", USUAL)

    def read(self, *maps: str) -> "Read":
        """Maps of both periods, by their names; what several parts of a page ask for is read
        once."""
        return Read(
            self,
            figures.splits(self.chosen, self.period, *maps),
            figures.splits(self.chosen, self.before, *maps),
        )

    def name_of(self, dimension: str, key: int | str | None) -> str:
        """What is no longer there has no name."""
        return self.form.names[dimension].get(key) or _("not known any more")

    @cached_property
    def _listed(self) -> dict[str, str]:
        """What the desk's list is narrowed to for the same interviews, as it stands in addresses: a
        page has hundreds of them."""
        said = {name: _quoted(str(value)) for name, value in self.form.narrowing.items()}
        said.pop("period", None)
        return said | {"since": str(self.period.since), "until": str(self.period.until)}

    def rows(self, period: Period | None = None, /, **narrowed: Any) -> str:
        """Where the desk lists the interviews behind a figure; nothing where its list cannot be
        narrowed like that, as to those without a recruiter."""
        if None in narrowed.values():
            return ""
        return f"{self._list_url}?{self._narrowed(period, narrowed)}"

    def behind(self, name: str, *parts: object) -> str:
        """Where the interviews are listed that count in this map, by keys of these parts."""
        return self._behind_url + _figure(name, *parts)

    def behind_fewer(self, period: Period | None = None, /, **narrowed: Any) -> Callable[..., str]:
        """As `behind`, of these days or more narrowly; with the way back to this page."""
        said = f"{self._narrowed(period, narrowed)}&from={_quoted(self.query)}"
        begins = f"{self._rows_url}?{said}&figure="
        return lambda name, *parts: begins + _figure(name, *parts)

    def _narrowed(self, period: Period | None, narrowed: dict[str, Any]) -> str:
        if narrowed.get("source") == "":  # nothing to tell apart where all are our own
            del narrowed["source"]
            if len(self.form.names["source"]) > 1:
                narrowed["source"] = OURS
        said = self._listed | {name: _quoted(str(value)) for name, value in narrowed.items()}
        if period is not None:
            said |= {"since": str(period.since), "until": str(period.until)}
        return "&".join(f"{name}={value}" for name, value in said.items())

    def waiting(self, kind: str) -> str:
        """Where the desk's queue shows what of this kind waits."""
        said = {"kind": kind}
        if department := self.form.narrowing.get("department"):
            said["department"] = str(department)
        return f"{reverse('cancellations:queue')}?{urlencode(said)}"

    @cached_property
    def _behind_url(self) -> str:
        said = f"{self.query}&" if self.query else ""
        return f"{self._rows_url}?{said}figure="

    @cached_property
    def _rows_url(self) -> str:
        return reverse("analytics:rows")

    @cached_property
    def _list_url(self) -> str:
        return reverse("cancellations:interviews")


@dataclass(frozen=True)
class Read:
    """What the cells say of the period that is asked about and of the one before."""

    asked: Asked
    maps: dict[str, Split]
    maps_before: dict[str, Split]

    @cached_property
    def counts(self) -> Counts:
        return figures.totals(self.asked.chosen, self.asked.period)

    @cached_property
    def counts_before(self) -> Counts:
        return figures.totals(self.asked.chosen, self.asked.before)


def ask(data: QueryDict, user: User, *, is_file: bool = False) -> Asked:
    """What `data`, a query of an address, asks for."""
    form = InsightFilter(data, user=user)
    said = form.narrowing
    source = said.get("source")
    chosen = figures.filter_for(
        user,
        **{
            name: int(said[name]) if name in said else None
            for name in ("department", "position", "category", "recruiter")
        },
        source="" if source == OURS else source,
        kind=said.get("kind"),
    )
    today = timezone.localdate(timezone=timezone.get_default_timezone())
    return Asked(user, form, today, chosen, form.chosen_period(today), is_file)


def _figure(name: str, *parts: object) -> str:
    return _quoted(str(Figure(name, tuple(map(str, parts)))))


# --- days in words --------------------------------------------------------------------------------


def in_words(period: Period) -> str:
    """From the first day to the last."""
    if period.since == period.until:
        return date_format(period.since, "DATE_FORMAT")
    return _("%(first)s to %(last)s") % {
        "first": date_format(period.since, "DATE_FORMAT"),
        "last": date_format(period.until, "DATE_FORMAT"),
    }


def on_axis(day: date, step: Step) -> str:
    """The first day of a step, short."""
    match step:
        case "month":
            return date_format(day, pgettext("month on an axis", "M Y"))
        case "quarter":
            return f"{day.year} Q{(day.month + 2) // 3}"
    return date_format(day, pgettext("day on an axis", "j M"))


def in_table(day: date, step: Step) -> str:
    """The first day of a step, whole: a file may be of any year."""
    return day.isoformat() if step in ("day", "week") else on_axis(day, step)


def step_of(since: date, step: Step, within: Period) -> Period:
    """The days of a step that lie within a period."""
    match step:
        case "day":
            last = since
        case "week":
            last = since + timedelta(days=6)
        case _:
            months = 1 if step == "month" else 3
            last = _months_before(since, -months) - timedelta(days=1)
    return Period(max(since, within.since), min(last, within.until))
