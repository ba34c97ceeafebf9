"""Where people leave the interview, and where they do not come back to it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from analytics import figures
from analytics.charts import Bars, Mark
from analytics.dashboards import words
from analytics.dashboards.asking import Asked, Read
from analytics.dashboards.telling import (
    Board,
    Linked,
    Panel,
    Table,
    count,
    numbers,
    percent,
    rate,
    rates,
    texts,
    tile,
    tile_of_count,
)
from analytics.figures import Rate
from analytics.models import RATED
from interviews.listing import LEFT_MIDWAY
from interviews.states import InterviewStatus

MOST_BARS = 15
MAPS = ("exits",)


def build(asked: Asked) -> Board:
    read = asked.read(*MAPS)
    now, before = read.counts, read.counts_before
    found = figures.exits_of(read.maps["exits"])
    question = pgettext("figures", "question")
    left, lapsed = _left(), _lapsed()
    tiles = [
        tile_of_count(_("Began"), now.attended, before.attended),
        tile(
            pgettext("figures", "Left midway"),
            now.exit_rate,
            before.exit_rate,
            asked.rows(status=LEFT_MIDWAY),
        ),
        tile(
            pgettext("figures", "Not finished"),
            now.incomplete_rate,
            before.incomplete_rate,
            asked.rows(status=InterviewStatus.INCOMPLETE),
        ),
        tile(
            pgettext("figures", "Completed"),
            Rate(now.completed, now.attended),
            Rate(before.completed, before.attended),
            asked.rows(status=InterviewStatus.COMPLETED),
        ),
    ]
    panels = [
        by_stage(asked, read),
        where(asked, "question", question, found.exits_by_question, words.at_question, left),
        where(asked, "stage", _("stage"), found.lapses_by_stage, words.stage, lapsed),
        where(asked, "question", question, found.lapses_by_question, words.at_question, lapsed),
        endings(asked, found.lapses_by_ending),
        positions(asked),
    ]
    return Board(tiles, panels)


def by_stage(asked: Asked, read: Read) -> Panel:
    found = figures.exits_of(read.maps["exits"]).exits_by_stage
    return where(asked, "stage", _("stage"), found, words.stage, _left())


def _in_order(found: Mapping[str, int]) -> list[tuple[str, int]]:
    """Questions by their number, stages as they follow one another."""
    stages = ["introduction", "professional", "closing"]

    def place(key: str) -> tuple[int, int]:
        if key.isdecimal():
            return 0, int(key)
        return (0, stages.index(key)) if key in stages else (1, 0)

    return sorted(found.items(), key=lambda each: place(each[0]))


@dataclass(frozen=True)
class Side:
    """One way of not getting to the end, and how it is told."""

    code: str
    verb: str
    title: str  # with %(what)s
    finding: str  # with %(where)s and %(share)s


def _left() -> Side:
    return Side(
        "exit",
        pgettext("figures", "Left"),
        _("Where people leave, by %(what)s"),
        _("Most leave at: %(where)s, %(share)s"),
    )


def _lapsed() -> Side:
    return Side(
        "lapse",
        _("Did not come back"),
        _("Where people stop and do not come back, by %(what)s"),
        _("Most of those who do not come back stop at: %(where)s, %(share)s"),
    )


def where(
    asked: Asked,
    by: str,
    what: str,
    found: Mapping[str, int],
    named: Callable[[str], str],
    side: Side,
) -> Panel:
    whole = sum(found.values())
    rows: list[list[Any]] = [
        [
            named(code),
            Linked(number, asked.behind("exits", side.code, by, code)),
            Rate(number, whole),
        ]
        for code, number in _in_order(found)
        if number
    ]
    title = side.title % {"what": what}
    if rows:
        code, most = max(found.items(), key=lambda each: each[1])
        of = Rate(most, whole)
        said = rate(of) if of.is_small else percent(of.share or 0)
        title = side.finding % {"where": named(code), "share": said}
    columns = [
        *texts(what.capitalize()),
        *numbers(side.verb),
        *rates(pgettext("figures", "Share")),
    ]
    return Panel(f"{side.code}s-by-{by}", title, Table(columns, rows), _bars(title, rows))


def _bars(title: str, rows: list[list]) -> Bars | None:
    bars = [
        Mark(
            label,
            of.numerator,
            count(of.numerator) if of.is_small else f"{count(of.numerator)} · {rate(of)}",
        )
        for label, _number, of in rows[:MOST_BARS]
    ]
    return Bars(title, _("How often, in the order of the interview."), bars) if bars else None


def endings(asked: Asked, found: Mapping[str, int]) -> Panel:
    """How those sittings ended that nobody came back to."""
    whole = sum(found.values())
    rows: list[list[Any]] = [
        [
            words.ending(code),
            Linked(number, asked.behind("exits", "lapse", "ending", code)),
            Rate(number, whole),
        ]
        for code, number in sorted(found.items(), key=lambda each: -each[1])
    ]
    title = _("How interviews ended that were not finished")
    columns = [
        *texts(_("Ending")),
        *numbers(pgettext("figures", "Not finished")),
        *rates(pgettext("figures", "Share")),
    ]
    return Panel("lapses-by-ending", title, Table(columns, rows), _bars(title, rows))


def positions(asked: Asked) -> Panel:
    found = figures.by(asked.chosen, asked.period, "position", RATED)
    began = [row for row in found if row.counts.attended]
    rows: list[list[Any]] = [
        [
            asked.name_of("position", row.key),
            row.counts.attended,
            Linked(row.counts.exit_rate, asked.rows(status=LEFT_MIDWAY, position=row.key)),
            Linked(
                row.counts.incomplete_rate,
                asked.rows(status=InterviewStatus.INCOMPLETE, position=row.key),
            ),
        ]
        for row in began[: asked.most_rows]
    ]
    columns = [
        *texts(_("Position")),
        *numbers(_("Began")),
        *rates(pgettext("figures", "Left midway"), pgettext("figures", "Not finished")),
    ]
    title = _("By position")
    return Panel("exits-by-position", title, Table(columns, rows), is_listed=True)
