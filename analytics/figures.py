# ruff: noqa: S608 - no piece of SQL in here comes from outside
"""Every figure there is, read off the cells: pages, files, the API, mails and alerts all ask here.

A `Filter` begins from what somebody may see (`filter_for`); a `Period` is whole local days. What is
read is bounded by the days and months asked about and by the owners, never by how many interviews
there are.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, timedelta
from typing import Any, Literal

from django.db import connection

from accounts.models import User
from analytics.measures import HANDLING_MINUTES, MAPS, NOTICE_HOURS
from analytics.models import ALL, COMPANY, Scope, Span
from interviews.models import Department, Position
from interviews.queries import departments_of, sees_everything

SMALL = 20  # below this a count says more than a percentage
MOST_DAYS = 92  # of a series by day; a longer one goes by month
SEPARATOR = "|"

Step = Literal["day", "week", "month", "quarter"]
Pieces = list[tuple[str, date, date]]  # spans with their first and last days
Dimension = Literal["department", "position", "category", "recruiter", "source", "kind"]


# --- what is asked --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Period:
    """From the first local day to the last, both of them in it."""

    since: date
    until: date

    @property
    def days(self) -> int:
        return max(0, (self.until - self.since).days + 1)

    @property
    def before(self) -> "Period":
        """As many days, just before; of whole months, as many months."""
        if self._is_whole_months:
            months = (self.until.year - self.since.year) * 12
            months += self.until.month - self.since.month + 1
            return Period(_months_on(self.since, -months), self.since - timedelta(days=1))
        return Period(self.since - timedelta(days=self.days), self.since - timedelta(days=1))

    @property
    def step(self) -> Step:
        """How a series over it goes."""
        return "day" if self.days <= MOST_DAYS else "month"

    @property
    def _is_whole_months(self) -> bool:
        ends = (self.until + timedelta(days=1)).day == 1
        return self.since.day == 1 and ends and self.days > 0

    def pieces(self, step: Step | None = None) -> Pieces:
        """The spans it is read in: whole months where it has them and the step does not ask for
        days, and the days before and after."""
        whole = _next_month(self.since - timedelta(days=1))
        end = (self.until + timedelta(days=1)).replace(day=1)
        found = [(str(Span.DAY), self.since, self.until)]
        if step not in {"day", "week"} and whole < end:
            found = [
                (str(Span.DAY), self.since, whole - timedelta(days=1)),
                (str(Span.MONTH), whole, end - timedelta(days=1)),
                (str(Span.DAY), end, self.until),
            ]
        return [piece for piece in found if piece[1] <= piece[2]]

    def starts(self, step: Step) -> list[date]:
        """The first days of its steps, in order; the first may lie before it."""
        if self.days == 0:
            return []
        at, found = _start_of(self.since, step), []
        while at <= self.until:
            found.append(at)
            at = _following(at, step)
        return found


def _next_month(day: date) -> date:
    """The first of the month after."""
    return _months_on(day.replace(day=1), 1)


def _months_on(first: date, months: int) -> date:
    number = first.year * 12 + first.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def _start_of(day: date, step: Step) -> date:
    match step:
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case "quarter":
            return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
    return day


def _following(start: date, step: Step) -> date:
    match step:
        case "week":
            return start + timedelta(days=7)
        case "month":
            return _months_on(start, 1)
        case "quarter":
            return _months_on(start, 3)
    return start + timedelta(days=1)


@dataclass(frozen=True)
class Filter:
    """Which interviews: of these departments (None: of the whole company), and, unless None, of
    these positions, this source ("": our own), this kind."""

    departments: tuple[int, ...] | None = None
    positions: tuple[int, ...] | None = None
    source: str | None = None
    kind: str | None = None

    @property
    def is_empty(self) -> bool:
        """Nothing can be in it."""
        return self.departments == () or self.positions == ()

    @property
    def rows(self) -> tuple[Scope, list[int]]:
        """Whose rows it reads."""
        if self.positions is not None:
            return Scope.POSITION, list(self.positions)
        if self.departments is not None:
            return Scope.DEPARTMENT, list(self.departments)
        return Scope.COMPANY, [COMPANY]


COMPANY_WIDE = Filter()


def filter_for(
    user: User,
    *,
    department: int | None = None,
    position: int | None = None,
    category: int | None = None,
    recruiter: int | None = None,
    source: str | None = None,
    kind: str | None = None,
) -> Filter:
    """What was chosen, as far as `user` may see it: nothing of other departments than theirs."""
    departments: tuple[int, ...] | None = None
    if department is not None or not sees_everything(user):
        mine = departments_of(user)
        if department is not None:
            mine = mine.filter(pk=department)
        departments = tuple(mine.order_by("pk").values_list("pk", flat=True))
    chosen = {"pk": position, "category": category, "recruiter": recruiter}
    wanted = {name: value for name, value in chosen.items() if value is not None}
    positions: tuple[int, ...] | None = None
    if wanted:
        found = Position.objects.filter(**wanted)
        if departments is not None:
            found = found.filter(department__in=departments)
        positions = tuple(found.order_by("pk").values_list("pk", flat=True))
    return Filter(departments, positions, source, kind)


# --- what is answered -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Rate:
    """So many of so many."""

    numerator: int
    denominator: int

    @property
    def is_small(self) -> bool:
        """Too few for a percentage to say anything: show the counts."""
        return self.denominator < SMALL

    @property
    def share(self) -> float | None:
        """Between 0 and 1; None of nothing."""
        return self.numerator / self.denominator if self.denominator else None

    def __add__(self, other: "Rate") -> "Rate":
        return Rate(self.numerator + other.numerator, self.denominator + other.denominator)


@dataclass(frozen=True)
class Counts:
    """How many interviews, as models.Cell counts them. `booked` is ever booked; `cancelled` and
    `no_show` are of those; `attended` began, whatever came of it."""

    invited: int = 0
    opened: int = 0
    booked: int = 0
    confirmed: int = 0
    attended: int = 0
    completed: int = 0
    cancelled: int = 0
    cancelled_by_candidate: int = 0
    cancelled_by_company: int = 0
    cancelled_unbooked: int = 0
    declined: int = 0
    withdrawn: int = 0
    exited: int = 0
    incomplete: int = 0
    no_show: int = 0
    missed_invitation: int = 0
    open_invitation: int = 0
    upcoming: int = 0
    cancelling: int = 0
    in_progress: int = 0
    exiting: int = 0
    asked_late: int = 0
    moved: int = 0
    moves: int = 0
    without_end: int = 0
    without_booking_time: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, name) + getattr(other, name) for name in NUMBERS))

    @property
    def due(self) -> int:
        """Whose time came and who were expected: they came, or did not."""
        return self.attended + self.no_show

    @property
    def cancel_rate(self) -> Rate:
        """Of those booked."""
        return Rate(self.cancelled, self.booked)

    @property
    def candidate_cancel_rate(self) -> Rate:
        """Of those booked."""
        return Rate(self.cancelled_by_candidate, self.booked)

    @property
    def no_show_rate(self) -> Rate:
        """Of those due."""
        return Rate(self.no_show, self.due)

    @property
    def exit_rate(self) -> Rate:
        """Of those who began."""
        return Rate(self.exited, self.attended)

    @property
    def incomplete_rate(self) -> Rate:
        """Of those who began."""
        return Rate(self.incomplete, self.attended)

    @property
    def completion_rate(self) -> Rate:
        """Of those invited."""
        return Rate(self.completed, self.invited)

    @property
    def funnel(self) -> list[tuple[str, int]]:
        """The way of an interview, by the names of the counts."""
        return [(name, getattr(self, name)) for name in FUNNEL]


NUMBERS = tuple(each.name for each in fields(Counts))
FUNNEL = ("invited", "opened", "booked", "confirmed", "attended", "completed")
NOTHING = Counts()

# Counts by key; the parts of a key are a tuple. measures.CONTRIBUTIONS says what they are.
Split = dict[tuple[str, ...], int]


@dataclass(frozen=True)
class Point:
    """One step of a series."""

    since: date
    counts: Counts = NOTHING


@dataclass(frozen=True)
class Row:
    """One of several owners: `key` is the id of a department, position, category or recruiter, or
    the code of a source or kind; None is no recruiter."""

    key: int | str | None
    counts: Counts = NOTHING


@dataclass(frozen=True)
class Line:
    """What is counted of one day, position, source and kind; `position` is an id."""

    day: date
    position: int
    source: str
    kind: str
    counts: Counts


@dataclass(frozen=True)
class Hour:
    """What began, or should have, in one hour of the week; 0 is Monday."""

    weekday: int
    hour: int
    starts: int = 0
    came: int = 0
    cancelled: int = 0
    no_show: int = 0


@dataclass(frozen=True)
class Bar:
    """One bar of a histogram: from `low` to below `high`; None is without end."""

    low: float | None
    high: float | None
    count: int


@dataclass(frozen=True)
class Handling:
    """How long HR took for requests that wait for a person, decided by them or by default."""

    histogram: Sequence[Bar]  # minutes
    count: int = 0
    p50: float | None = None  # minutes, from the histogram; None of nothing
    p95: float | None = None


@dataclass(frozen=True)
class Decisions:
    """Requests of one sort ("cancel" or "exit") and what became of them."""

    asked: int = 0
    late: int = 0
    waiting: int = 0
    approved: int = 0
    declined: int = 0
    taken_back: int = 0
    overtaken: int = 0
    reversed: int = 0
    at_once: int = 0
    by_hr: int = 0
    by_default: int = 0
    in_time: Rate = field(default_factory=lambda: Rate(0, 0))

    @property
    def default_rate(self) -> Rate:
        """How often nobody had decided, of what waited for a person."""
        return Rate(self.by_default, self.by_hr + self.by_default)


@dataclass(frozen=True)
class Expected:
    """What became of those who were expected."""

    came: int = 0
    missed: int = 0
    cancelled: int = 0

    @property
    def no_show_rate(self) -> Rate:
        return Rate(self.missed, self.came + self.missed)


@dataclass(frozen=True)
class Saved:
    """What an offer in the place of cancelling came to."""

    moved: int = 0
    kept: int = 0
    cancelled: int = 0
    open: int = 0

    @property
    def offered(self) -> int:
        return self.moved + self.kept + self.cancelled + self.open

    @property
    def rate(self) -> Rate:
        """Of those of whom it is known."""
        return Rate(self.moved + self.kept, self.moved + self.kept + self.cancelled)


@dataclass(frozen=True)
class Refilled:
    """Places given up, and what became of them; and the offers made of places."""

    freed: int = 0
    taken: int = 0
    closed: int = 0
    open: int = 0
    offers: Mapping[str, int] = field(default_factory=dict)  # by OfferState

    @property
    def rate(self) -> Rate:
        return Rate(self.taken, self.freed)


@dataclass(frozen=True)
class Delivered:
    """Messages about interviews, of one channel and provider: sent, arrived, failed by code."""

    channel: str
    provider: str
    sent: int = 0  # the provider has it; whether it arrived is not known
    delivered: int = 0
    failed: int = 0
    bounced: int = 0
    superseded: int = 0
    causes: Mapping[str, int] = field(default_factory=dict)  # of those that failed or bounced

    @property
    def failure_rate(self) -> Rate:
        lost = self.failed + self.bounced
        return Rate(lost, self.sent + self.delivered + lost)


@dataclass(frozen=True)
class Overview:
    """One period in one look."""

    counts: Counts
    saved: Saved
    refilled: Refilled
    cancel: Decisions
    exit: Decisions


# --- reading: counts ------------------------------------------------------------------------------


def totals(chosen: Filter, period: Period) -> Counts:
    return _numbers(chosen, period.pieces(), "0").get(0, NOTHING)


def series(
    chosen: Filter, period: Period, step: Step | None = None, numbers: Sequence[str] = NUMBERS
) -> list[Point]:
    """Each step of the period, also those with nothing in them. A step that the period begins or
    ends in counts the days of the period alone. `numbers` as in `by`."""
    step = step or period.step
    start = f"date_trunc('{step}', c.since::timestamp)::date"
    rows = _numbers(chosen, period.pieces(step), start, names=numbers)
    return [Point(since, rows.get(since, NOTHING)) for since in period.starts(step)]


def by(
    chosen: Filter, period: Period, dimension: Dimension, numbers: Sequence[str] = NUMBERS
) -> list[Row]:
    """Beside one another, the most booked first; those with nothing are left out. Of many, `RATED`
    numbers alone are read far more quickly; the others then stay 0."""
    chosen, key, more = _split_up(chosen, dimension)
    rows = _numbers(chosen, period.pieces(), key, more, numbers)
    # Cells may hold places that came free, and nothing else.
    found = [Row(key, counts) for key, counts in rows.items() if counts != NOTHING]
    return sorted(found, key=lambda row: (-row.counts.booked, -row.counts.invited, str(row.key)))


def lines(chosen: Filter, period: Period) -> Iterator[Line]:
    """As they are kept, a position after the other: however many there are, those of one position
    are in memory. Those in which no interview counts are left out."""
    columns = ", ".join(["c.since, c.source, c.kind", *(f"c.{name}" for name in NUMBERS)])
    for position in each_position(chosen).positions or ():
        own = Filter(chosen.departments, (position,), chosen.source, chosen.kind)
        for day, source, kind, *numbers in _read(
            own, period.pieces("day"), columns, "ORDER BY 1, 2, 3", is_exact=True
        ):
            counts = Counts(*numbers)
            if counts.invited:
                yield Line(day, position, source, kind, counts)


def crossed(
    chosen: Filter, period: Period, one: Dimension, other: Dimension
) -> dict[int | str | None, dict[int | str | None, Counts]]:
    """As `by`, each of them told apart once more."""
    keys = f"{_OF_POSITION[one]}, {_OF_POSITION[other]}"
    sums = ", ".join(f"sum(c.{name})::int" for name in NUMBERS)
    is_exact = not EXACT.isdisjoint({_OF_POSITION[one], _OF_POSITION[other]})
    joined = "JOIN interviews_position p ON p.id = c.owner GROUP BY 1, 2"
    found: dict[int | str | None, dict[int | str | None, Counts]] = {}
    for key, beside, *numbers in _read(
        each_position(chosen), period.pieces(), f"{keys}, {sums}", joined, is_exact
    ):
        found.setdefault(key, {})[beside] = Counts(*numbers)
    return found


def _split_up(chosen: Filter, dimension: Dimension) -> tuple[Filter, str, str]:
    """The filter whose rows tell these apart, and what they are told apart by."""
    match dimension:
        case "source" | "kind":
            return chosen, f"c.{dimension}", ""
        case "department" if chosen.positions is None:
            return _each_department(chosen), "c.owner", ""
        case "position":
            return each_position(chosen), "c.owner", ""
    column = {"department": "department_id", "category": "category_id"}.get(
        dimension, "recruiter_id"
    )
    joined = "JOIN interviews_position p ON p.id = c.owner"
    return each_position(chosen), f"p.{column}", joined


def _each_department(chosen: Filter) -> Filter:
    if chosen.departments is not None:
        return chosen
    departments = tuple(Department.objects.order_by("pk").values_list("pk", flat=True))
    return Filter(departments, None, chosen.source, chosen.kind)


def each_position(chosen: Filter) -> Filter:
    """The same interviews, by the positions they are of."""
    if chosen.positions is not None:
        return chosen
    positions = Position.objects.all()
    if chosen.departments is not None:
        positions = positions.filter(department__in=chosen.departments)
    keys = tuple(positions.order_by("pk").values_list("pk", flat=True))
    return Filter(chosen.departments, keys, chosen.source, chosen.kind)


def _numbers(
    chosen: Filter, pieces: Pieces, key: str, more: str = "", names: Sequence[str] = NUMBERS
) -> dict[Any, Counts]:
    """Sums of numbers by an SQL expression."""
    sums = ", ".join(f"sum(c.{name})::int" for name in names)
    rows = _read(chosen, pieces, f"{key}, {sums}", f"{more} GROUP BY 1", key in EXACT)
    return {key: Counts(**dict(zip(names, counts, strict=True))) for key, *counts in rows}


EXACT = frozenset({"c.source", "c.kind"})  # what only rows of one source and kind tell apart
# What rows of positions are told apart by.
_OF_POSITION: dict[Dimension, str] = {
    "department": "p.department_id",
    "position": "c.owner",
    "category": "p.category_id",
    "recruiter": "p.recruiter_id",
    "source": "c.source",
    "kind": "c.kind",
}


def told_apart(chosen: Filter, *, is_exact: bool = False) -> str:
    """The condition of the rows that are read: told apart by source and kind (`is_exact`, or where
    the filter names one), or of all of them together."""
    if not is_exact and chosen.source is None and chosen.kind is None:
        return f"source = '{ALL}' AND kind = '{ALL}'"
    which = [f"source <> '{ALL}'"]
    which += ["source = %(source)s"] * (chosen.source is not None)
    which += ["kind = %(kind)s"] * (chosen.kind is not None)
    return " AND ".join(which)


def _read(
    chosen: Filter, pieces: Pieces, columns: str, rest: str, is_exact: bool, **more: str
) -> list[tuple[Any, ...]]:
    """Rows of the cells, summed or as they are."""
    if chosen.is_empty or not pieces:
        return []
    scope, owners = chosen.rows
    which = "scope = %(scope)s AND owner = ANY(%(owners)s::bigint[])"
    which += f" AND {told_apart(chosen, is_exact=is_exact)}"
    values: dict[str, Any] = {
        "scope": str(scope),
        "owners": owners,
        "source": chosen.source,
        "kind": chosen.kind,
        **more,
    }
    # Joined to a list of spans, PostgreSQL would read all days there are and then choose.
    of_spans = []
    for number, (span, first, last) in enumerate(pieces):
        days = f"span = '{span}' AND since BETWEEN %(first{number})s AND %(last{number})s"
        of_spans.append(f"SELECT * FROM analytics_cell WHERE {which} AND {days}")
        values |= {f"first{number}": first, f"last{number}": last}
    table = f"({' UNION ALL '.join(of_spans)}) c"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM {table} {rest}", values)
        return cursor.fetchall()


# --- reading: what counts by key ------------------------------------------------------------------


def splits(chosen: Filter, period: Period, *maps: str) -> dict[str, Split]:
    """Several maps of the cells at once, summed."""
    found: dict[str, Split] = {name: {} for name in maps}
    for name, _key, split in _split_by(chosen, period.pieces(), maps, "0"):
        found[name] = split
    return found


def split(chosen: Filter, period: Period, name: str) -> Split:
    return splits(chosen, period, name)[name]


def split_series(
    chosen: Filter, period: Period, name: str, step: Step | None = None, first: str = ""
) -> list[tuple[date, Split]]:
    """As `series`, of one map; of the keys alone that begin with the part `first`, if one is
    given."""
    step = step or period.step
    start = f"date_trunc('{step}', c.since::timestamp)::date"
    rows = _split_by(chosen, period.pieces(step), [name], start, first=first)
    found = {since: split for _name, since, split in rows}
    return [(since, found.get(since, {})) for since in period.starts(step)]


def split_by(
    chosen: Filter, period: Period, name: str, dimension: Dimension, first: str = ""
) -> dict[int | str | None, Split]:
    """As `by`, of one map; `first` as in `split_series`."""
    found = splits_by(chosen, period, dimension, name, first=first)
    return {key: maps[name] for key, maps in found.items()}


def splits_by(
    chosen: Filter, period: Period, dimension: Dimension, *maps: str, first: str = ""
) -> dict[int | str | None, dict[str, Split]]:
    """The same of several maps at once; of each key those in which there is something."""
    chosen, key, more = _split_up(chosen, dimension)
    found: dict[int | str | None, dict[str, Split]] = {}
    for name, group, counted in _split_by(chosen, period.pieces(), maps, key, more, first):
        found.setdefault(group, {})[name] = counted
    return found


def crossed_split(
    chosen: Filter, period: Period, name: str, one: Dimension, other: Dimension
) -> dict[int | str | None, dict[int | str | None, Split]]:
    """As `crossed`, of one map."""
    keys = f"{_OF_POSITION[one]}, {_OF_POSITION[other]}"
    is_exact = not EXACT.isdisjoint({_OF_POSITION[one], _OF_POSITION[other]})
    joined = f"""JOIN interviews_position p ON p.id = c.owner
        CROSS JOIN LATERAL jsonb_each(c.{_known(name)}) each
        WHERE c.{name} IS NOT NULL GROUP BY 1, 2, 3"""
    columns = f"{keys}, each.key, sum(each.value::int)::int"
    found: dict[int | str | None, dict[int | str | None, Split]] = {}
    for key, beside, text, count in _read(
        each_position(chosen), period.pieces(), columns, joined, is_exact
    ):
        split = found.setdefault(key, {}).setdefault(beside, {})
        split[tuple(text.split(SEPARATOR))] = count
    return found


def _known(name: str) -> str:
    if name not in MAPS:
        raise ValueError(f"No such map: {name}")
    return name


def _split_by(
    chosen: Filter,
    pieces: Pieces,
    maps: Iterable[str],
    key: str,
    more: str = "",
    first: str = "",
) -> list[tuple[str, Any, Split]]:
    lists = ", ".join(f"('{name}', c.{_known(name)})" for name in maps)
    rest = f"""{more} CROSS JOIN LATERAL (VALUES {lists}) of(map, counts)
        CROSS JOIN LATERAL jsonb_each(of.counts) each
        WHERE of.counts IS NOT NULL AND starts_with(each.key, %(first)s) GROUP BY 1, 2, 3"""
    columns = f"of.map, {key}, each.key, sum(each.value::int)::int"
    found: dict[tuple[str, Any], Split] = {}
    for name, group, text, count in _read(
        chosen, pieces, columns, rest, key in EXACT, first=f"{first}{SEPARATOR}" if first else ""
    ):
        found.setdefault((name, group), {})[tuple(text.split(SEPARATOR))] = count
    return [(name, group, split) for (name, group), split in found.items()]


# --- what the dashboards show ---------------------------------------------------------------------


def overview(chosen: Filter, period: Period) -> Overview:
    maps = splits(chosen, period, "saved", "refill", "requests")
    return overview_of(totals(chosen, period), maps)


def overview_of(counts: Counts, maps: Mapping[str, Split]) -> Overview:
    return Overview(
        counts=counts,
        saved=saved_of(maps["saved"]),
        refilled=refilled_of(maps["refill"]),
        cancel=decisions_of(maps["requests"], "cancel"),
        exit=decisions_of(maps["requests"], "exit"),
    )


def reasons(chosen: Filter, period: Period) -> dict[str, dict[str, int]]:
    """By who ended it ("candidate", "company", "exit", "decline"): how often, by the reason's code;
    the most frequent first."""
    return reasons_of(split(chosen, period, "reasons"))


def reasons_of(counted: Split) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {"candidate": {}, "company": {}, "exit": {}, "decline": {}}
    for (party, code), count in sorted(counted.items(), key=lambda each: (-each[1], each[0])):
        found[party][code] = count
    return found


def hours(chosen: Filter, period: Period) -> list[Hour]:
    """Every hour of the week, also those in which nothing begins: 168 of them."""
    return hours_of(split(chosen, period, "hours"))


HOURS = ("starts", "came", "cancelled", "no_show")


def hours_of(counted: Split) -> list[Hour]:
    def of(what: str, weekday: int, hour: int) -> int:
        return counted.get((what, str(weekday), str(hour)), 0)

    return [
        Hour(day, hour, *(of(what, day, hour) for what in HOURS))
        for day in range(7)
        for hour in range(24)
    ]


def cancelled_in(hours: Iterable[Hour]) -> Rate:
    """Of those booked."""
    hours = list(hours)
    return Rate(sum(each.cancelled for each in hours), sum(each.starts for each in hours))


def missed_in(hours: Iterable[Hour]) -> Rate:
    """Of those due, as everywhere."""
    hours = list(hours)
    missed = sum(each.no_show for each in hours)
    return Rate(missed, missed + sum(each.came for each in hours))


def notice(chosen: Filter, period: Period) -> list[Bar]:
    """How many hours before the start candidates asked to cancel."""
    return notice_of(split(chosen, period, "notice"))


def notice_of(counted: Split) -> list[Bar]:
    return _histogram(counted, NOTICE_HOURS)


def handling(chosen: Filter, period: Period) -> Handling:
    return handling_of(split(chosen, period, "handling"))


def handling_by_person(chosen: Filter, period: Period) -> dict[int, Handling]:
    """By the id of who decided; 0 is a policy's default."""
    return handling_by_person_of(split(chosen, period, "handling"))


def handling_by_person_of(whole: Split) -> dict[int, Handling]:
    people: dict[int, Split] = {}
    for (person, step), count in whole.items():
        people.setdefault(int(person), {})[person, step] = count
    return {person: handling_of(counted) for person, counted in sorted(people.items())}


def handling_of(counted: Split) -> Handling:
    steps: Split = {}
    for (_person, step), count in counted.items():
        steps[step,] = steps.get((step,), 0) + count
    histogram = _histogram(steps, HANDLING_MINUTES)
    return Handling(
        histogram,
        sum(each.count for each in histogram),
        quantile(histogram, 0.5),
        quantile(histogram, 0.95),
    )


def decisions(chosen: Filter, period: Period) -> dict[str, Decisions]:
    """By what was asked for: "cancel" or "exit"; and "company", for what the company called off."""
    return all_decisions_of(split(chosen, period, "requests"))


def all_decisions_of(counted: Split) -> dict[str, Decisions]:
    return {sort: decisions_of(counted, sort) for sort in ("cancel", "exit", "company")}


def decisions_of(counted: Split, sort: str) -> Decisions:
    def of(key: str) -> int:
        return counted.get((sort, key), 0)

    return Decisions(
        asked=of("asked"),
        late=of("late"),
        waiting=of("requested"),
        approved=of("approved"),
        declined=of("declined"),
        taken_back=of("lapsed"),
        overtaken=of("overtaken"),
        reversed=of("reversed"),
        at_once=of("at_once"),
        by_hr=of("by_hr"),
        by_default=of("by_default"),
        in_time=Rate(of("in_time"), of("in_time") + of("overdue")),
    )


def saved(chosen: Filter, period: Period) -> Saved:
    return saved_of(split(chosen, period, "saved"))


def saved_by_reason(chosen: Filter, period: Period) -> dict[tuple[str, str], Saved]:
    """By the code of the reason, and what was offered."""
    return saved_by_reason_of(split(chosen, period, "saved"))


def saved_by_reason_of(whole: Split) -> dict[tuple[str, str], Saved]:
    found: dict[tuple[str, str], Split] = {}
    for key, count in whole.items():
        reason, offered, _outcome = key
        found.setdefault((reason, offered), {})[key] = count
    return {key: saved_of(counted) for key, counted in sorted(found.items())}


def saved_of(counted: Split) -> Saved:
    return Saved(**_last_part(counted))


def refilled(chosen: Filter, period: Period) -> Refilled:
    return refilled_of(split(chosen, period, "refill"))


def refilled_of(counted: Split) -> Refilled:
    places = _last_part({key: n for key, n in counted.items() if key[:2] == ("place", "given_up")})
    offers = _last_part({key: n for key, n in counted.items() if key[0] == "offer"})
    return Refilled(freed=sum(places.values()), offers=offers, **places)


def reminded(chosen: Filter, period: Period) -> dict[str, Expected]:
    """By how far the reminder came: confirmed, delivered, sent, failed, none."""
    return reminded_of(split(chosen, period, "reminders"))


def reminded_of(counted: Split) -> dict[str, Expected]:
    found = _expected(counted, "reached")
    steps = ("confirmed", "delivered", "sent", "failed", "none")
    return {step: found.get(step, Expected()) for step in steps}


def reminded_by_rule(chosen: Filter, period: Period) -> dict[int, Expected]:
    """By the id of the rule that wrote to them."""
    return reminded_by_rule_of(split(chosen, period, "reminders"))


def reminded_by_rule_of(counted: Split) -> dict[int, Expected]:
    found = _expected(counted, "rule")
    return {int(rule): each for rule, each in found.items()}


def ran_out(chosen: Filter, period: Period) -> Rate:
    return ran_out_of(split(chosen, period, "invitations"))


def ran_out_of(counted: Split) -> Rate:
    """Of the invitations made then that are no longer open, unless the company called them off."""
    lost = counted.get(("ran_out",), 0)
    return Rate(lost, lost + counted.get(("answered",), 0))


def venues(chosen: Filter, period: Period) -> dict[str, Expected]:
    """By where it takes place."""
    return venues_of(split(chosen, period, "venues"))


def venues_of(counted: Split) -> dict[str, Expected]:
    rows = {("", *key): count for key, count in counted.items()}
    return _expected(rows, "")


def answers(chosen: Filter, period: Period) -> dict[str, dict[str, Expected]]:
    """By the code of what was asked beforehand, and of the answer."""
    return answers_of(split(chosen, period, "answers"))


def answers_of(counted: Split) -> dict[str, dict[str, Expected]]:
    asked = sorted({question for question, _answer, _fate in counted})
    return {question: _expected(counted, question) for question in asked}


def delivery(chosen: Filter, period: Period) -> list[Delivered]:
    """By channel and provider, the most used first."""
    return delivery_of(split(chosen, period, "delivery"))


def delivery_of(counted: Split) -> list[Delivered]:
    found = []
    for channel, provider in sorted({key[:2] for key in counted}):
        states: dict[str, int] = {}
        causes: dict[str, int] = {}
        for (_channel, _provider, state, cause), count in counted.items():
            if (_channel, _provider) == (channel, provider):
                states[state] = states.get(state, 0) + count
                if state in {"failed", "bounced"}:
                    causes[cause] = causes.get(cause, 0) + count
        in_order = dict(sorted(causes.items(), key=lambda each: (-each[1], each[0])))
        found.append(Delivered(channel, provider, **states, causes=in_order))
    return sorted(found, key=lambda each: -(each.failure_rate.denominator + each.superseded))


def absences(chosen: Filter, period: Period) -> dict[str, dict[str, int]]:
    """By why HR looked: how often, by what was decided ("open": nothing yet)."""
    return absences_of(split(chosen, period, "absences"))


def absences_of(counted: Split) -> dict[str, dict[str, int]]:
    return _two_parts(counted)


@dataclass(frozen=True)
class Exits:
    """Where people leave, or stop coming back: how often, by the part of the interview, the number
    of the question, and, of those left unfinished, how the sitting ended."""

    exits_by_stage: Mapping[str, int]
    exits_by_question: Mapping[str, int]
    lapses_by_stage: Mapping[str, int]
    lapses_by_question: Mapping[str, int]
    lapses_by_ending: Mapping[str, int]


def exits(chosen: Filter, period: Period) -> Exits:
    return exits_of(split(chosen, period, "exits"))


def exits_of(counted: Split) -> Exits:
    def of(what: str, by: str) -> dict[str, int]:
        return _last_part({key: n for key, n in counted.items() if key[:2] == (what, by)})

    return Exits(
        of("exit", "stage"),
        of("exit", "question"),
        of("lapse", "stage"),
        of("lapse", "question"),
        of("lapse", "ending"),
    )


def quality(chosen: Filter, period: Period) -> dict[tuple[str, str], dict[str, int]]:
    """By the kind and the code of what HR was asked to look at: how many are open, and settled."""
    return quality_of(split(chosen, period, "quality"))


def quality_of(counted: Split) -> dict[tuple[str, str], dict[str, int]]:
    found: dict[tuple[str, str], dict[str, int]] = {}
    for (kind, code, state), count in counted.items():
        found.setdefault((kind, code), {"open": 0, "settled": 0})[state] = count
    return dict(sorted(found.items()))


# --- pieces ---------------------------------------------------------------------------------------


def _last_part(counted: Split) -> dict[str, int]:
    found: dict[str, int] = {}
    for key, count in sorted(counted.items()):
        found[key[-1]] = found.get(key[-1], 0) + count
    return found


def _two_parts(counted: Split) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (one, other), count in sorted(counted.items()):
        found.setdefault(one, {})[other] = count
    return found


def _expected(counted: Split, first: str) -> dict[str, Expected]:
    found: dict[str, dict[str, int]] = {}
    for (what, key, fate), count in sorted(counted.items()):
        if what == first:
            found.setdefault(key, {})[fate] = count
    return {key: Expected(**fates) for key, fates in found.items()}


def _histogram(counted: Split, edges: Sequence[int]) -> list[Bar]:
    """Each bar, also those with nothing in them; the first and the last are open."""
    lows, highs = [None, *edges], [*edges, None]
    return [
        Bar(low, high, counted.get((str(number),), 0))
        for number, (low, high) in enumerate(zip(lows, highs, strict=True))
    ]


def quantile(histogram: Sequence[Bar], share: float) -> float | None:
    """Where so much of it lies below, taking what is in a step as evenly spread; None of nothing.
    Without end, the last step counts as its beginning."""
    total = sum(each.count for each in histogram)
    wanted, below = share * total, 0
    for step in histogram:
        if step.count and below + step.count >= wanted:
            low = max(0.0, step.low or 0.0)
            high = low if step.high is None else step.high
            return low + (high - low) * (wanted - below) / step.count
        below += step.count
    return None
