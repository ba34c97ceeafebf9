"""The whole on a few sheets of paper: the leading panels of the other pages."""

from analytics import figures
from analytics.dashboards import words
from analytics.dashboards.asking import Asked
from analytics.dashboards.boards import (
    attendance,
    decisions,
    delivery,
    exits,
    overview,
    reasons,
    timing,
)
from analytics.dashboards.telling import Board

MAPS = (
    *overview.MAPS,
    *reasons.MAPS,
    *timing.MAPS,
    *exits.MAPS,
    "reminders",
    "handling",
    *delivery.MAPS,
)


def build(asked: Asked) -> Board:
    read = asked.read(*MAPS)
    labels = words.reason_labels()
    now, before = (figures.reasons_of(maps["reasons"]) for maps in (read.maps, read.maps_before))
    hours = figures.hours_of(read.maps["hours"])
    notice, past = (figures.notice_of(maps["notice"]) for maps in (read.maps, read.maps_before))
    panels = [
        overview.funnel(asked, read.counts, read.counts_before),
        overview.outcomes(asked),
        overview.compared(asked, "department" if asked.compares_departments else "position"),
        reasons.split(asked, now, before, "candidate", labels),
        reasons.split(asked, now, before, "company", labels),
        timing.heat_of_starts(asked, hours),
        timing.notices(asked, notice, past),
        exits.by_stage(asked, read),
        reasons.split(asked, now, before, "exit", labels),
        attendance.reminders(asked, read),
        decisions.waiting(asked, read),
        decisions.requests(asked, read),
        delivery.channels(asked, figures.delivery_of(read.maps["delivery"])),
    ]
    return Board(overview.tiles(asked, read), [each for each in panels if not each.is_empty])
