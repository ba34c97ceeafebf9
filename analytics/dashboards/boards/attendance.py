"""Who does not come, and which reminder keeps it from happening."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from analytics import figures
from analytics.charts import Bars, Lines, Mark, Series
from analytics.dashboards import words
from analytics.dashboards.asking import Asked, Read, in_table, on_axis, step_of
from analytics.dashboards.telling import (
    Board,
    Linked,
    Panel,
    Table,
    Tile,
    left_out,
    numbers,
    out_of,
    percent,
    rate,
    rates,
    texts,
    tile,
)
from analytics.figures import Counts, Expected, Point, Rate, Step
from interviews.listing import RAN_OUT
from interviews.models import ReminderRule
from interviews.states import InterviewStatus

MOST_BARS = 10
LEAST_WEEKS = 3  # of a curve by weeks
MAPS = ("reminders", "venues", "answers", "absences", "invitations")


def build(asked: Asked) -> Board:
    read = asked.read(*MAPS)
    panels = [
        over_time(asked, read.counts),
        reminders(asked, read),
        rules(asked, read),
        expected(
            asked,
            "venues",
            _("Did not come, by place"),
            _("Place"),
            _largest(figures.venues_of(read.maps["venues"])),
            ["venues"],
        ),
        *answers(asked, read),
        absences(asked, read),
    ]
    return Board(tiles(asked, read), panels)


def tiles(asked: Asked, read: Read) -> list[Tile]:
    now, before = read.counts, read.counts_before
    return [
        tile(
            pgettext("figures", "Did not come"),
            now.no_show_rate,
            before.no_show_rate,
            asked.rows(status=InterviewStatus.NO_SHOW),
        ),
        tile(
            _("Confirmed beforehand"),
            Rate(now.confirmed, now.booked),
            Rate(before.confirmed, before.booked),
        ),
        tile(
            _("Opened the invitation"),
            Rate(now.opened, now.invited),
            Rate(before.opened, before.invited),
        ),
        tile(
            _("Let the invitation run out"),
            figures.ran_out_of(read.maps["invitations"]),
            figures.ran_out_of(read.maps_before["invitations"]),
            asked.rows(status=RAN_OUT),
        ),
    ]


def _step(asked: Asked, counts: Counts) -> Step:
    """Weeks where days would hold too few for a curve."""
    days = asked.period.days
    few = counts.no_show_rate.denominator < figures.SMALL * days
    return "week" if asked.step == "day" and few and days >= LEAST_WEEKS * 7 else asked.step


def over_time(asked: Asked, counts: Counts) -> Panel:
    """The rate of each step, beside that of the same step of the period before."""
    step = _step(asked, counts)
    points = figures.series(asked.chosen, asked.period, step)
    earlier = figures.series(asked.chosen, asked.before, step)[: len(points)]
    rows: list[list[Any]] = []
    for number, point in enumerate(points):
        period = step_of(point.since, step, asked.period)
        past = earlier[number].counts.no_show_rate if number < len(earlier) else Rate(0, 0)
        url = asked.rows(period, status=InterviewStatus.NO_SHOW)
        rows.append([in_table(point.since, step), Linked(point.counts.no_show_rate, url), past])
    labels = [on_axis(point.since, step) for point in points]
    title = _("Did not come, over time")
    series = [_rates(_("this period"), points)]
    if len(earlier) == len(points):
        series.append(_rates(_("the period before"), earlier, is_before=True))
    there = any(value >= 0 for value in series[0].values)
    about = _("Of those expected, in per cent; only steps with %(count)d expected or more.")
    chart = Lines(title, about % {"count": figures.SMALL}, labels, series, unit="%")
    columns = [
        *texts(pgettext("figures", "Days")),
        *rates(pgettext("figures", "Did not come"), _("The period before")),
    ]
    known = [row for row in rows if row[1].value.denominator or row[2].denominator]
    few = _("Too few in every step for a curve, which needs %(count)d expected.")
    return Panel(
        "no-shows",
        title,
        Table(columns, known),
        chart if there else None,
        note="" if there or not known else few % {"count": figures.SMALL},
        is_wide=True,
    )


def _rates(label: str, points: Iterable[Point], *, is_before: bool = False) -> Series:
    """Nothing is drawn of steps with few."""
    found = [point.counts.no_show_rate for point in points]
    values = [-1.0 if of.is_small or of.share is None else of.share * 100 for of in found]
    return Series(label, values, [f"{rate(of)}, {out_of(of)}" for of in found], is_before)


def _largest(found: Mapping[str, Expected]) -> list[tuple[str, Expected]]:
    return sorted(found.items(), key=lambda each: (-each[1].no_show_rate.denominator, each[0]))


def _reminder_finding(reached: Mapping[str, Expected]) -> str:
    """Confirming against the best that is known of those who did not."""
    confirmed = reached["confirmed"].no_show_rate
    others = [each.no_show_rate for step, each in reached.items() if step != "confirmed"]
    rest = sum(others, Rate(0, 0))
    if confirmed.is_small or rest.is_small:
        return ""
    return _("Of those who confirmed, %(confirmed)s did not come; of the others, %(others)s") % {
        "confirmed": percent(confirmed.share or 0),
        "others": percent(rest.share or 0),
    }


def expected(
    asked: Asked,
    key: str,
    title: str,
    column: str,
    counted: Iterable[tuple[str, Expected]],
    map_and_parts: Sequence[str],
    name: Callable[[str], str] = str,
    *,
    finding: str = "",
) -> Panel:
    """What became of those who were expected, by the last part of a key before their fate; bars
    only of what is not small."""
    by_code = [(code, each) for code, each in counted if each != Expected()]
    found = [(name(code), each) for code, each in by_code]
    rows: list[list[Any]] = []
    for (code, each), (label, _each) in zip(by_code, found, strict=True):
        came, missed, cancelled = (
            Linked(number, asked.behind(*map_and_parts, code, fate))
            for number, fate in (
                (each.came, "came"),
                (each.missed, "missed"),
                (each.cancelled, "cancelled"),
            )
        )
        rows.append([label, came, missed, cancelled, each.no_show_rate])
    bars = [
        Mark(
            label,
            (each.no_show_rate.share or 0) * 100,
            f"{rate(each.no_show_rate)} · {out_of(each.no_show_rate)}",
        )
        for label, each in found
        if not each.no_show_rate.is_small
    ]
    columns = [
        *texts(column),
        *numbers(_("Came"), pgettext("figures", "Did not come"), pgettext("figures", "Cancelled")),
        *rates(_("Did not come, of those expected")),
    ]
    chart = Bars(finding or title, title, bars[:MOST_BARS], most=100) if bars else None
    return Panel(
        key,
        finding or title,
        Table(columns, rows),
        chart,
        note=left_out(len(found) - len(bars)) if bars else "",
        is_listed=not bars,
    )


def reminders(asked: Asked, read: Read) -> Panel:
    reached = figures.reminded_of(read.maps["reminders"])
    return expected(
        asked,
        "reminders",
        _("Did not come, by how far the reminder came"),
        _("Reminder"),
        reached.items(),
        ["reminders", "reached"],
        lambda step: str(words.REACHED[step]),
        finding=_reminder_finding(reached),
    )


def rules(asked: Asked, read: Read) -> Panel:
    """By the rule that wrote to them."""
    found = figures.reminded_by_rule_of(read.maps["reminders"])
    known = ReminderRule.objects.in_bulk(found)
    return expected(
        asked,
        "rules",
        _("Did not come, by the step that wrote to them"),
        pgettext("figures", "Step"),
        ((str(pk), each) for pk, each in found.items()),
        ["reminders", "rule"],
        lambda pk: words.rule(known.get(int(pk))),
    )


def answers(asked: Asked, read: Read) -> list[Panel]:
    """By what was answered beforehand, where it was asked."""
    found = figures.answers_of(read.maps["answers"])
    title = _("Did not come, by the answer to “%(question)s”")
    return [
        expected(
            asked,
            f"answers-{number}",
            title % {"question": words.question(question)},
            pgettext("figures", "Answer"),
            _largest(by_answer),
            ["answers", question],
            words.answer,
        )
        for number, (question, by_answer) in enumerate(found.items(), 1)
    ]


def absences(asked: Asked, read: Read) -> Panel:
    """Why HR looked, and what was decided."""
    found = figures.absences_of(read.maps["absences"])
    rows: list[list[Any]] = [
        [
            words.absence(code),
            words.decided(decision),
            Linked(number, asked.behind("absences", code, decision)),
        ]
        for code, decisions in found.items()
        for decision, number in sorted(decisions.items(), key=lambda each: -each[1])
    ]
    columns = [
        *texts(_("Why HR looked"), _("What was decided")),
        *numbers(pgettext("figures", "Number")),
    ]
    title = _("Absences and what was decided")
    return Panel("absences", title, Table(columns, rows), is_listed=True)
