"""Whether what is written arrives: by channel and provider, and why it does not."""

from collections import Counter
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from analytics import figures
from analytics.behind import ANY
from analytics.charts import Bars, Mark, Series, StackedBars
from analytics.dashboards import words
from analytics.dashboards.asking import Asked
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
from analytics.figures import Delivered, Rate

MOST_CAUSES = 10
MAPS = ("delivery",)


def build(asked: Asked) -> Board:
    read = asked.read(*MAPS)
    now, before = (figures.delivery_of(maps["delivery"]) for maps in (read.maps, read.maps_before))
    tiles = [
        tile_of_count(
            pgettext("figures", "Messages"), _whole(now).denominator, _whole(before).denominator
        ),
        tile(_("Did not arrive"), _whole(now), _whole(before)),
        tile(_("Known to have arrived"), _arrived(now), _arrived(before)),
    ]
    return Board(tiles, [channels(asked, now), causes(now)])


def _whole(found: list[Delivered]) -> Rate:
    return sum((each.failure_rate for each in found), Rate(0, 0))


def _arrived(found: list[Delivered]) -> Rate:
    arrived = sum(each.delivered for each in found)
    return Rate(arrived, _whole(found).denominator)


def _name(each: Delivered) -> str:
    return f"{words.channel(each.channel)} · {words.provider(each.provider)}"


def channels(asked: Asked, found: list[Delivered]) -> Panel:
    rows: list[list[Any]] = [
        [
            words.channel(each.channel),
            words.provider(each.provider),
            *(
                Linked(
                    getattr(each, state),
                    asked.behind("delivery", each.channel, each.provider, state, ANY),
                )
                for state in ("delivered", "sent", "failed", "bounced", "superseded")
            ),
            each.failure_rate,
        ]
        for each in found
    ]
    columns = [
        *texts(_("Channel"), _("Provider")),
        *numbers(
            pgettext("figures", "Arrived"),
            _("Sent, arrival not known"),
            pgettext("figures", "Failed"),
            pgettext("figures", "Came back"),
            _("Not needed any more"),
        ),
        *rates(_("Did not arrive")),
    ]
    title = _("By channel and provider")
    chart = None
    if found:
        series = [
            Series(pgettext("figures", "Arrived"), [each.delivered for each in found]),
            Series(_("Sent, arrival not known"), [each.sent for each in found]),
            Series(_("Did not arrive"), [each.failed + each.bounced for each in found]),
        ]
        chart = StackedBars(
            title,
            _("What became of the messages about these interviews."),
            [_name(each) for each in found],
            series,
            [count(each.failure_rate.denominator) for each in found],
        )
    return Panel("channels", title, Table(columns, rows), chart, is_wide=True)


def causes(found: list[Delivered]) -> Panel:
    """Why messages did not arrive, the most frequent cause first."""
    counted: Counter[tuple[str, str]] = Counter()
    for each in found:
        for code, number in each.causes.items():
            counted[each.channel, code] += number
    whole = sum(counted.values())
    rows: list[list[Any]] = [
        [words.cause(code).rstrip(".。"), words.channel(channel), number, Rate(number, whole)]
        for (channel, code), number in counted.most_common()
    ]
    title = _("Why messages did not arrive")
    if rows:
        of = rows[0][3]
        title = _("Messages did not arrive: “%(cause)s” comes first, %(share)s") % {
            "cause": rows[0][0],
            "share": rate(of) if of.is_small else percent(of.share or 0),
        }
    bars = [
        Mark(f"{cause} · {channel}", number, count(number))
        for cause, channel, number, _of in rows[:MOST_CAUSES]
    ]
    columns = [
        *texts(_("Cause"), _("Channel")),
        *numbers(pgettext("figures", "Messages")),
        *rates(pgettext("figures", "Share")),
    ]
    chart = Bars(title, _("Messages that failed or came back."), bars) if bars else None
    return Panel("causes", title, Table(columns, rows), chart, is_wide=True)
