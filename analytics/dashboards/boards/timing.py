"""When: which hours of the week are booked, called off and missed, and how long before."""

from typing import Any

from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from analytics import figures
from analytics.charts import HeatMap, Histogram, Series
from analytics.dashboards import words
from analytics.dashboards.asking import Asked
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
    sample,
    texts,
)
from analytics.figures import Bar, Hour, Rate

MAPS = ("hours", "notice")
USUAL_HOURS = range(9, 18)  # shown even where nothing begins in them


def build(asked: Asked) -> Board:
    read = asked.read(*MAPS)
    hours = figures.hours_of(read.maps["hours"])
    notice, before = (figures.notice_of(maps["notice"]) for maps in (read.maps, read.maps_before))
    panels = [
        heat_of_starts(asked, hours),
        heat(
            asked,
            "cancelled",
            pgettext("figures", "Cancelled"),
            _("When what was cancelled would have begun"),
            hours,
        ),
        heat(
            asked,
            "no_show",
            pgettext("figures", "Did not come"),
            _("When those who did not come were expected"),
            hours,
        ),
        by_hour(hours),
        by_weekday(hours),
        notices(asked, notice, before),
    ]
    return Board(tiles(hours, notice), panels)


def tiles(hours: list[Hour], notice: list[Bar]) -> list[Tile]:
    asked = sum(bar.count for bar in notice)
    late = Rate(sum(bar.count for bar in notice if bar.high is not None and bar.high <= 24), asked)
    evening = [each for each in hours if each.hour >= 18]
    found = [Tile(_("Asked to cancel within 24 h of the start"), rate(late), sample(late))]
    for label, some in (
        (_("Did not come, from 18:00"), evening),
        (_("Did not come, before 18:00"), [each for each in hours if each.hour < 18]),
    ):
        missed = figures.missed_in(some)
        found.append(Tile(label, rate(missed), sample(missed)))
    return found


def _starts_finding(hours: list[Hour]) -> str:
    busiest = max(hours, key=lambda each: each.starts)
    if not busiest.starts:
        return _("When interviews are booked")
    return _("Most interviews begin on %(day)s at %(hour)d:00") % {
        "day": WEEKDAYS[busiest.weekday],
        "hour": busiest.hour,
    }


def _shown(hours: list[Hour]) -> list[int]:
    """From the first hour in which anything begins to the last."""
    there = [each.hour for each in hours if each.starts]
    span = [*USUAL_HOURS, *there]
    return list(range(min(span), max(span) + 1))


def heat_of_starts(asked: Asked, hours: list[Hour]) -> Panel:
    return heat(asked, "starts", pgettext("figures", "Booked"), _starts_finding(hours), hours)


def heat(asked: Asked, what: str, label: str, title: str, hours: list[Hour]) -> Panel:
    columns = _shown(hours)
    known = {(each.weekday, each.hour): getattr(each, what) for each in hours}
    days = [str(WEEKDAYS_ABBR[day]) for day in range(7)]
    values = [[known[day, hour] for hour in columns] for day in range(7)]
    there = any(map(any, values))

    def linked(day: int) -> list[Linked]:
        return [
            Linked(value, asked.behind("hours", what, day, hour) if value else "")
            for value, hour in zip(values[day], columns, strict=True)
        ]

    table = Table(
        [*texts(pgettext("figures", "Day")), *numbers(*(f"{hour}:00" for hour in columns))],
        [[str(WEEKDAYS[day]), *linked(day)] for day in range(7)] if there else [],
    )
    about = _("%(what)s, by the day of the week and the hour of the start.") % {"what": label}
    chart = HeatMap(title, about, days, [str(hour) for hour in columns], values)
    return Panel(f"heat-{what}", title, table, chart if there else None, is_wide=True)


def by_hour(hours: list[Hour]) -> Panel:
    rows = [
        [f"{hour}:00", *_told([each for each in hours if each.hour == hour])]
        for hour in _shown(hours)
    ]
    return _times("hours", _("By the hour of the start"), _("Hour"), rows)


def by_weekday(hours: list[Hour]) -> Panel:
    rows = [
        [str(WEEKDAYS[day]), *_told([each for each in hours if each.weekday == day])]
        for day in range(7)
    ]
    return _times("weekdays", _("By the day of the week"), pgettext("figures", "Day"), rows)


def _told(hours: list[Hour]) -> list[Any]:
    starts = sum(each.starts for each in hours)
    return [starts, figures.cancelled_in(hours), figures.missed_in(hours)]


def _times(key: str, title: str, first: str, rows: list[list]) -> Panel:
    columns = [
        *texts(first),
        *numbers(pgettext("figures", "Booked")),
        *rates(pgettext("figures", "Cancelled"), pgettext("figures", "Did not come")),
    ]
    there = any(row[1] for row in rows)
    return Panel(key, title, Table(columns, rows if there else []), is_listed=True)


def notices(asked: Asked, notice: list[Bar], before: list[Bar]) -> Panel:
    """How long before the start candidates ask to cancel."""
    labels = [words.notice_step(bar.low, bar.high) for bar in notice]
    whole, past = sum(bar.count for bar in notice), sum(bar.count for bar in before)
    rows: list[list[Any]] = [
        [
            label,
            Linked(bar.count, asked.behind("notice", step)),
            Rate(bar.count, whole),
            Rate(old.count, past),
        ]
        for step, (label, bar, old) in enumerate(zip(labels, notice, before, strict=True))
    ]
    title = _("How long before the start candidates ask to cancel")
    late = Rate(sum(bar.count for bar in notice if bar.high is not None and bar.high <= 24), whole)
    if late.share is not None and not late.is_small:
        title = _("%(share)s ask to cancel less than 24 hours before the start") % {
            "share": percent(late.share)
        }
    columns = [
        *texts(_("Before the start")),
        *numbers(_("Requests")),
        *rates(pgettext("figures", "Share"), _("Share before")),
    ]
    chart = Histogram(
        title,
        _("Requests to cancel by the time left until the start."),
        labels,
        [
            Series(
                _("Requests"), [bar.count for bar in notice], [count(bar.count) for bar in notice]
            )
        ],
    )
    there = bool(whole)
    table = Table(columns, rows if there else [])
    return Panel("notice", title, table, chart if there else None, is_wide=True)
