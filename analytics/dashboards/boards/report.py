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
        reasons.split(now["candidate"], before["candidate"], "candidate", labels),
        reasons.split(now["company"], before["company"], "company", labels),
        timing.heat_of_starts(hours),
        timing.notices(notice, past),
        exits.by_stage(read),
        reasons.split(now["exit"], before["exit"], "exit", labels),
        attendance.reminders(read),
        decisions.waiting(read),
        decisions.requests(read),
        delivery.channels(figures.delivery_of(read.maps["delivery"])),
    ]
    return Board(overview.tiles(asked, read), [each for each in panels if not each.is_empty])
