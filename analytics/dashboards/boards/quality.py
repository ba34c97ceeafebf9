"""Whether the data is in order: what HR was asked to look at, and what records lack."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from analytics import figures
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
    rates,
    texts,
    tile,
)
from analytics.figures import Rate


def build(asked: Asked) -> Board:
    read = asked.read("quality")
    now, before = read.counts, read.counts_before
    found = figures.quality_of(read.maps["quality"])
    still_open = sum(each["open"] for each in found.values())
    tiles = [
        Tile(_("To be looked at"), count(still_open)),
        tile(
            _("Ended without a time"),
            Rate(now.without_end, now.invited),
            Rate(before.without_end, before.invited),
        ),
        tile(
            _("Booked without saying when"),
            Rate(now.without_booking_time, now.booked),
            Rate(before.without_booking_time, before.booked),
        ),
    ]
    return Board(tiles, [findings(asked, found), sources(asked)])


def findings(asked: Asked, found: dict[tuple[str, str], dict[str, int]]) -> Panel:
    """What somebody was asked to look at, the most open first."""
    rows: list[list[Any]] = []
    for (kind, code), each in found.items():
        whole = Rate(each["settled"], each["settled"] + each["open"])
        url = asked.behind("quality", kind, code, "open")
        rows.append([words.work_code(kind, code), Linked(each["open"], url), whole])
    rows.sort(key=lambda row: (-row[1].value, str(row[0])))
    columns = [
        *texts(pgettext("figures", "What")),
        *numbers(pgettext("figures", "Open")),
        *rates(_("Settled")),
    ]
    title = _("What HR was asked to look at")
    return Panel("findings", title, Table(columns, rows), is_wide=True, is_listed=True)


def sources(asked: Asked) -> Panel:
    """What records lack, by where they came from."""
    rows: list[list[Any]] = [
        [
            asked.name_of("source", row.key),
            row.counts.invited,
            Rate(row.counts.without_end, row.counts.invited),
            Rate(row.counts.without_booking_time, row.counts.booked),
        ]
        for row in figures.by(asked.chosen, asked.period, "source")
    ]
    columns = [
        *texts(_("Source")),
        *numbers(pgettext("figures", "Interviews")),
        *rates(_("Ended without a time"), _("Booked without saying when")),
    ]
    title = _("What records lack, by source")
    return Panel("sources", title, Table(columns, rows), is_wide=True, is_listed=True)
