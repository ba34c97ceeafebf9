"""Why interviews end early: how often which reason is given, how that changes, and where."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.permissions import READ_DETAIL
from analytics import figures
from analytics.behind import ANY
from analytics.charts import Bars, Columns, Mark, Series, StackedBars
from analytics.dashboards import words
from analytics.dashboards.asking import Asked, in_table, on_axis, step_of
from analytics.dashboards.quotes import some
from analytics.dashboards.telling import (
    Board,
    Linked,
    Panel,
    Table,
    Tile,
    count,
    numbers,
    percent,
    rate,
    rates,
    texts,
    tile_of_count,
)
from analytics.figures import Dimension, Filter, Period, Rate, Split, Step

LEADING = 4  # reasons drawn by themselves; the others together
MOST_BARS = 8
QUARTERS = 4
MAPS = ("reasons",)

Labels = Mapping[tuple[str, str], str]


def build(asked: Asked) -> Board:
    labels = words.reason_labels()
    read = asked.read(*MAPS)
    now = figures.reasons_of(read.maps["reasons"])
    before = figures.reasons_of(read.maps_before["reasons"])
    leading = list(now["candidate"])[:LEADING]
    panels = [
        *(split(asked, now, before, each, labels) for each in ("candidate", "exit")),
        trend(asked, leading, labels),
        quarters(asked, labels),
        compared(asked, "position", leading, labels),
        compared(asked, "source", leading, labels),
        *(split(asked, now, before, each, labels) for each in ("company", "decline")),
    ]
    may_read = asked.user.has_perm(READ_DETAIL) and not asked.is_file  # which holds a table alone
    quotes = some(asked, labels) if may_read else []
    return Board(tiles(asked, now, before), panels, quotes)


def tiles(
    asked: Asked, now: dict[str, dict[str, int]], before: dict[str, dict[str, int]]
) -> list[Tile]:
    return [
        tile_of_count(
            str(label),
            sum(now[party].values()),
            sum(before[party].values()),
            asked.behind("reasons", party, ANY),
        )
        for party, label in words.PARTIES.items()
    ]


def _label(labels: Labels, party: str, code: str) -> str:
    return labels.get((party, code), code)


def split(
    asked: Asked,
    all_now: Mapping[str, Mapping[str, int]],
    all_before: Mapping[str, Mapping[str, int]],
    party: str,
    labels: Labels,
) -> Panel:
    """How often which reason is given, the most frequent first."""
    now, before = all_now[party], all_before[party]
    whole, whole_before = sum(now.values()), sum(before.values())
    codes = [*now, *(code for code in before if code not in now)]
    rows: list[list[Any]] = []
    bars: list[Mark] = []
    for code in codes:
        of = Rate(now.get(code, 0), whole)
        past = Rate(before.get(code, 0), whole_before)
        label = _label(labels, party, code)
        url = asked.behind("reasons", party, code)
        rows.append([label, Linked(of.numerator, url), of, past])
        said = count(of.numerator) if of.is_small else f"{count(of.numerator)} · {rate(of)}"
        comparable = not (of.is_small or past.is_small)
        value: float = of.numerator
        earlier: float | None = None
        if comparable:
            value, earlier = (of.share or 0) * 100, (past.share or 0) * 100
        bars.append(Mark(label, value, said, before=earlier))
    title = str(words.PARTIES[party])
    columns = [
        *texts(_("Reason")),
        *numbers(pgettext("figures", "Number")),
        *rates(pgettext("figures", "Share"), _("Share before")),
    ]
    chart = Bars(_finding(now, party, labels) or title, title, bars) if whole else None
    finding = _finding(now, party, labels)
    return Panel(f"reasons-{party}", finding or title, Table(columns, rows), chart)


def _finding(now: Mapping[str, int], party: str, labels: Labels) -> str:
    """The first reason with its share."""
    if not now:
        return ""
    code = next(iter(now))
    of = Rate(now[code], sum(now.values()))
    said = {
        "reason": _label(labels, party, code),
        "share": rate(of) if of.is_small else percent(of.share or 0),
    }
    match party:
        case "candidate":
            return _("Candidates cancel: “%(reason)s” comes first, %(share)s") % said
        case "company":
            return _("The company cancels: “%(reason)s” comes first, %(share)s") % said
        case "exit":
            return _("Candidates leave midway: “%(reason)s” comes first, %(share)s") % said
    return _("Invitations are declined: “%(reason)s” comes first, %(share)s") % said


def _of(counted: Split, leading: list[str]) -> list[int]:
    """How often each of the leading reasons, and the others together, of candidates."""
    own: Counter[str] = Counter()
    for (_party, code), number in counted.items():
        own[code if code in leading else ""] += number
    return [own[code] for code in (*leading, "")]


def _names(leading: list[str], labels: Labels) -> list[str]:
    return [*(_label(labels, "candidate", code) for code in leading), _("Other reasons")]


def _stacked(names: list[str], rows: list[list[int]]) -> list[Series]:
    return [Series(name, [values[number] for values in rows]) for number, name in enumerate(names)]


def _linked(behind: Callable[..., str], leading: list[str], values: list[int]) -> list[Any]:
    """The leading reasons lead to their rows; all the others together have no key of their own."""
    *told, others = values
    return [
        Linked(number, behind("reasons", "candidate", code))
        for code, number in zip(leading, told, strict=True)
    ] + [others]


def trend(asked: Asked, leading: list[str], labels: Labels) -> Panel:
    points = figures.split_series(asked.chosen, asked.period, "reasons", asked.step, "candidate")
    title = _("Reasons of candidates over time")
    return _over_time(
        "trend",
        title,
        points,
        asked=asked,
        within=asked.period,
        step=asked.step,
        leading=leading,
        labels=labels,
    )


def quarters(asked: Asked, labels: Labels) -> Panel:
    """The quarter the period ends in, beside those before it."""
    starts = Period(asked.period.until, asked.period.until).starts("quarter")
    for _number in range(QUARTERS - 1):
        starts = [*Period(starts[0], starts[0]).before.starts("quarter"), *starts]
    whole = Period(starts[0], asked.period.until) if starts else asked.period
    points = figures.split_series(asked.chosen, whole, "reasons", "quarter", "candidate")
    own: Counter[str] = Counter()
    for _since, counted in points:
        for (_party, code), number in counted.items():
            own[code] += number
    leading = [code for code, number in own.most_common(LEADING) if number]
    title = _("Reasons of candidates, quarter by quarter")
    return _over_time(
        "quarters",
        title,
        points,
        asked=asked,
        within=whole,
        step="quarter",
        leading=leading,
        labels=labels,
    )


def _over_time(
    key: str,
    title: str,
    points: list[tuple[date, Split]],
    *,
    asked: Asked,
    within: Period,
    step: Step,
    leading: list[str],
    labels: Labels,
) -> Panel:
    found = [(since, _of(counted, leading)) for since, counted in points]
    names = _names(leading, labels)
    columns = [*texts(pgettext("figures", "Days")), *numbers(*names)]
    rows: list[list[Any]] = [
        [
            in_table(since, step),
            *_linked(asked.behind_fewer(step_of(since, step, within)), leading, values),
        ]
        for since, values in found
    ]
    there = any(sum(values) for _since, values in found)
    chart = None
    if there:
        about = _("How often candidates gave each of the leading reasons.")
        series = _stacked(names, [values for _since, values in found])
        chart = Columns(title, about, [on_axis(since, step) for since, _values in found], series)
    return Panel(key, title, Table(columns, rows if there else []), chart, is_wide=True)


def _leading_positions(asked: Asked) -> Filter:
    """Those a page may show: a map is read slowly, and a company has hundreds of positions. Of what
    had no time yet, the numbers do not say who called it off: a position may come with too much."""
    if asked.most_rows is None:
        return asked.chosen
    numbers = ["cancelled_by_candidate", "cancelled_unbooked"]
    rows = figures.by(asked.chosen, asked.period, "position", numbers)
    least = sorted((row.counts.cancelled_by_candidate for row in rows), reverse=True)
    enough = least[asked.most_rows - 1] if len(least) >= asked.most_rows else 0
    positions = (
        row.key
        for row in rows
        if isinstance(row.key, int)
        and row.counts.cancelled_by_candidate + row.counts.cancelled_unbooked >= enough
    )
    return replace(asked.chosen, positions=tuple(positions))


def compared(asked: Asked, dimension: Dimension, leading: list[str], labels: Labels) -> Panel:
    """The leading reasons beside one another, where most is cancelled first."""
    chosen = asked.chosen
    if dimension == "position":
        chosen = _leading_positions(asked)
    found = figures.split_by(chosen, asked.period, "reasons", dimension, "candidate")
    each: list[tuple[str, dict[str, Any], list[int]]] = [
        (asked.name_of(dimension, key), {dimension: key}, _of(counted, leading))
        for key, counted in found.items()
    ]
    given = sorted((row for row in each if sum(row[2])), key=lambda row: (-sum(row[2]), row[0]))
    names = _names(leading, labels)
    headings = {
        "position": (_("Position"), _("Reasons of candidates by position")),
        "source": (_("Source"), _("Reasons of candidates by source")),
    }
    column, title = headings[dimension]
    columns = [*texts(column), *numbers(pgettext("figures", "Together"), *names)]
    lines: list[list[Any]] = []
    for label, own, values in given:
        behind = asked.behind_fewer(**own)
        together = Linked(sum(values), behind("reasons", "candidate", ANY))
        lines.append([label, together, *_linked(behind, leading, values)])
    chart = None
    if drawn := given[:MOST_BARS]:
        chart = StackedBars(
            title,
            _("How often candidates gave each of the leading reasons."),
            [label for label, _own, _values in drawn],
            _stacked(names, [values for _label, _own, values in drawn]),
            [count(sum(values)) for _label, _own, values in drawn],
        )
    return Panel(f"reasons-by-{dimension}", title, Table(columns, lines), chart)
