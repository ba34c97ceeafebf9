"""How it goes: the way from invitation to completed interview, and what it loses on the way."""

from collections.abc import Callable, Iterable
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from analytics import figures
from analytics.charts import Bars, Columns, Funnel, Mark, Series
from analytics.dashboards import words
from analytics.dashboards.asking import Asked, Read, in_table, on_axis, step_of
from analytics.dashboards.telling import (
    Board,
    Linked,
    Panel,
    Table,
    Tile,
    count,
    left_out,
    numbers,
    out_of,
    percent,
    rate,
    rates,
    texts,
    tile,
    tile_of_count,
)
from analytics.figures import Counts, Dimension, Rate, Row
from analytics.models import RATED
from interviews.listing import APPOINTED, LEFT_MIDWAY
from interviews.states import InterviewStatus

MOST_BARS = 10
MAPS = ("saved", "refill", "requests")


def _pending(counts: Counts) -> int:
    return counts.upcoming + counts.cancelling + counts.in_progress + counts.exiting


# How an appointment ended, how it is counted, and the status the desk's list has them under.
FATES: tuple[tuple[Promise, Callable[[Counts], int], str], ...] = (
    (
        pgettext_lazy("figures", "Completed"),
        lambda counts: counts.completed,
        InterviewStatus.COMPLETED,
    ),
    (
        pgettext_lazy("figures", "Cancelled"),
        lambda counts: counts.cancelled,
        InterviewStatus.CANCELLED,
    ),
    (
        pgettext_lazy("figures", "Did not come"),
        lambda counts: counts.no_show,
        InterviewStatus.NO_SHOW,
    ),
    (gettext_lazy("Left or not finished"), lambda counts: counts.exited + counts.incomplete, ""),
    (gettext_lazy("Still ahead or going on"), _pending, ""),
)


def build(asked: Asked) -> Board:
    read = asked.read(*MAPS)
    panels = [funnel(asked, read.counts, read.counts_before), outcomes(asked)]
    panels += [compared(asked, each) for each in ("position", "source")]
    # What is half as wide stands beside the first.
    if asked.compares_departments:
        panels.insert(1, compared(asked, "department"))
    else:
        panels.insert(1, panels.pop())
    return Board(tiles(asked, read), panels)


def tiles(asked: Asked, read: Read) -> list[Tile]:
    """The first row: what every board asks first."""
    now = figures.overview_of(read.counts, read.maps)
    before = figures.overview_of(read.counts_before, read.maps_before)
    counts, past = now.counts, before.counts
    booked = asked.rows(status=APPOINTED)
    return [
        tile_of_count(pgettext("figures", "Booked"), counts.booked, past.booked, booked),
        tile(
            pgettext("figures", "Cancelled"),
            counts.cancel_rate,
            past.cancel_rate,
            asked.rows(status=InterviewStatus.CANCELLED),
        ),
        tile(
            pgettext("figures", "Did not come"),
            counts.no_show_rate,
            past.no_show_rate,
            asked.rows(status=InterviewStatus.NO_SHOW),
        ),
        tile(
            pgettext("figures", "Left midway"),
            counts.exit_rate,
            past.exit_rate,
            asked.rows(status=LEFT_MIDWAY),
        ),
        tile(
            pgettext("figures", "Not finished"),
            counts.incomplete_rate,
            past.incomplete_rate,
            asked.rows(status=InterviewStatus.INCOMPLETE),
        ),
        tile(_("Saved from cancelling"), now.saved.rate, before.saved.rate),
        tile(_("Places taken again"), now.refilled.rate, before.refilled.rate),
    ]


def funnel(asked: Asked, now: Counts, before: Counts) -> Panel:
    urls = {
        "booked": asked.rows(status=APPOINTED),
        "completed": asked.rows(status=InterviewStatus.COMPLETED),
    }
    rows: list[list[Any]] = []
    marks: list[Mark] = []
    last = now.invited
    for place, ((name, number), (_name, past)) in enumerate(
        zip(now.funnel, before.funnel, strict=True)
    ):
        label, url = str(words.STEPS[name]), urls.get(name, "")
        of_all = Rate(number, now.invited)
        # People come without having confirmed, and what is imported was not opened here.
        of_last = Rate(number, last) if number <= last else Rate(0, 0)
        rows.append([label, Linked(number, url), of_all, of_last, past])
        said = count(number) if of_all.is_small else f"{count(number)} · {rate(of_all)}"
        if not number and any(further for _step, further in now.funnel[place:]):
            said = _("not recorded")
        marks.append(Mark(label, number, said, url))
        last = number
    columns = [
        *texts(pgettext("figures", "Step")),
        *numbers(pgettext("figures", "Interviews")),
        *rates(_("Of those invited"), _("Of the step before")),
        *numbers(_("The period before")),
    ]
    title = _("From invitation to interview")
    if not (now.completion_rate.is_small or now.open_invitation or _pending(now)):
        title = _("%(share)s of those invited complete their interview") % {
            "share": percent(now.completion_rate.share or 0)
        }
    table = Table(columns, rows if now.invited else [])
    chart = Funnel(title, _("Each step as wide as it has interviews."), marks)
    return Panel("funnel", title, table, chart if now.invited else None)


def outcomes(asked: Asked) -> Panel:
    """What became of them, over time."""
    points = figures.series(asked.chosen, asked.period, asked.step)
    labels = [on_axis(point.since, asked.step) for point in points]
    parts = [(str(label), [of(point.counts) for point in points]) for label, of, _status in FATES]
    spans = [step_of(point.since, asked.step, asked.period) for point in points]
    urls = [asked.rows(span, status=APPOINTED) for span in spans]
    rows: list[list[Any]] = [
        [
            in_table(point.since, asked.step),
            Linked(point.counts.booked, url),
            *(
                Linked(of(point.counts), asked.rows(span, status=status) if status else "")
                for _fate, of, status in FATES
            ),
        ]
        for point, span, url in zip(points, spans, urls, strict=True)
    ]
    columns = [
        *texts(pgettext("figures", "Days")),
        *numbers(pgettext("figures", "Booked"), *(label for label, _values in parts)),
    ]
    title = _("What became of the appointments")
    there = any(point.counts.booked for point in points)
    chart = Columns(
        title,
        _("Appointments by the day of their start, and how each of them ended."),
        labels,
        [Series(label, values) for label, values in parts],
        urls=urls,
    )
    table = Table(columns, rows if there else [])
    return Panel("outcomes", title, table, chart if there else None, is_wide=True)


def compared(asked: Asked, dimension: Dimension) -> Panel:
    """Beside one another, the most booked first."""
    column, heading = {
        "department": (_("Department"), _("Did not come, by department")),
        "position": (_("Position"), _("Did not come, by position")),
        "source": (_("Source"), _("Did not come, by source")),
    }[dimension]
    rows = figures.by(asked.chosen, asked.period, dimension, RATED)
    lines = [_line(asked, dimension, row) for row in rows[: asked.most_rows]]
    columns = [
        *texts(column),
        *numbers(pgettext("figures", "Booked")),
        *rates(
            pgettext("figures", "Cancelled"),
            pgettext("figures", "Did not come"),
            pgettext("figures", "Left midway"),
            pgettext("figures", "Completed"),
        ),
    ]
    bars = [
        Mark(
            asked.name_of(dimension, row.key),
            (row.counts.no_show_rate.share or 0) * 100,
            f"{rate(row.counts.no_show_rate)} · {out_of(row.counts.no_show_rate)}",
            asked.rows(status=InterviewStatus.NO_SHOW, **{dimension: row.key}),
        )
        for row in _comparable(rows)
    ]
    chart = None
    if len(bars) > 1:
        chart = Bars(
            heading,
            _("Those with the most appointments; none with fewer than %(count)d expected.")
            % {"count": figures.SMALL},
            bars,
            most=100,
        )
    few = sum(row.counts.no_show_rate.is_small for row in rows)
    return Panel(
        dimension,
        heading,
        Table(columns, lines),
        chart,
        note=left_out(few) if chart else "",
        is_wide=dimension == "position",
    )


def _comparable(rows: Iterable[Row]) -> list[Row]:
    """In the order of the table: by size, not by who does worst."""
    return [row for row in rows if not row.counts.no_show_rate.is_small][:MOST_BARS]


def _line(asked: Asked, dimension: Dimension, row: Row) -> list[Any]:
    """Each figure leads to its rows."""
    counts = row.counts

    def linked(value: Any, **narrowed: Any) -> Any:
        return Linked(value, asked.rows(**narrowed, **{dimension: row.key}))

    return [
        asked.name_of(dimension, row.key),
        linked(counts.booked, status=APPOINTED),
        linked(counts.cancel_rate, status=InterviewStatus.CANCELLED),
        linked(counts.no_show_rate, status=InterviewStatus.NO_SHOW),
        linked(counts.exit_rate, status=LEFT_MIDWAY),
        linked(Rate(counts.completed, counts.booked), status=InterviewStatus.COMPLETED),
    ]
