"""How long candidates wait for HR, whether promises are kept, and what is saved and refilled."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.models import User
from accounts.permissions import DECIDE_CANCELLATION
from analytics import figures
from analytics.behind import ANY
from analytics.charts import Bars, Histogram, Mark, Series
from analytics.dashboards import words
from analytics.dashboards.asking import Asked, Read
from analytics.dashboards.telling import (
    NOTHING,
    Board,
    Column,
    Linked,
    Panel,
    Table,
    Tile,
    What,
    count,
    minutes,
    numbers,
    percent,
    rate,
    rates,
    texts,
    tile,
    tile_of_count,
)
from analytics.figures import SMALL, Decisions, Handling, Rate

MAPS = ("requests", "handling", "saved", "refill")


def build(asked: Asked) -> Board:
    read = asked.read(*MAPS)
    panels = [waiting(asked, read), requests(asked, read), saved(asked, read), refilled(read)]
    if asked.user.has_perm(DECIDE_CANCELLATION):
        panels.insert(2, by_person(asked, figures.handling_by_person_of(read.maps["handling"])))
    return Board(tiles(asked, read), panels)


def _sum(found: dict[str, Decisions]) -> Decisions:
    """Of what candidates asked for, to cancel or to leave."""
    cancel, leave = found["cancel"], found["exit"]
    names = ("waiting", "by_hr", "by_default", "at_once", "asked")
    sums = {name: getattr(cancel, name) + getattr(leave, name) for name in names}
    return Decisions(**sums, in_time=cancel.in_time + leave.in_time)


def tiles(asked: Asked, read: Read) -> list[Tile]:
    now, past = (figures.handling_of(maps["handling"]) for maps in (read.maps, read.maps_before))
    all_now, all_past = (
        _sum(figures.all_decisions_of(maps["requests"])) for maps in (read.maps, read.maps_before)
    )
    found = [tile_of_count(_("Decided by HR"), all_now.by_hr, all_past.by_hr)]
    for label, value, before in (
        (_("Half are decided within"), now.p50, past.p50),
        (_("95 of 100 are decided within"), now.p95, past.p95),
    ):
        if now.count < SMALL:
            of = _("%(count)d decided: too few to say") % {"count": now.count}
            found.append(Tile(label, NOTHING, of))
            continue
        change = ""
        if past.count >= SMALL:
            change = _("%(time)s the period before") % {"time": minutes(before)}
        of = _("of %(count)s decided") % {"count": count(now.count)}
        found.append(Tile(label, minutes(value), of, change))
    return [
        *found,
        tile(_("Within the promise"), all_now.in_time, all_past.in_time),
        tile(_("Left to the default"), all_now.default_rate, all_past.default_rate),
        Tile(
            pgettext("figures", "Waiting"),
            count(all_now.waiting),
            url=asked.waiting("cancellation"),
        ),
    ]


def waiting(asked: Asked, read: Read) -> Panel:
    whole = figures.handling_of(read.maps["handling"])
    decided = _sum(figures.all_decisions_of(read.maps["requests"]))
    title = _("How long candidates wait for a decision")
    if decided.in_time.share is not None and not decided.in_time.is_small:
        title = _("%(share)s are decided within the time promised") % {
            "share": percent(decided.in_time.share)
        }
    bars = whole.histogram
    while bars and not bars[-1].count:  # the longest steps are seldom needed
        bars = bars[:-1]
    labels = [words.handling_step(bar.low, bar.high) for bar in bars]
    rows: list[list[Any]] = [
        [
            label,
            Linked(bar.count, asked.behind("handling", ANY, step)),
            Rate(bar.count, whole.count),
        ]
        for step, (label, bar) in enumerate(zip(labels, bars, strict=True))
    ]
    columns = [
        *texts(_("Time to decide")),
        *numbers(_("Requests")),
        *rates(pgettext("figures", "Share")),
    ]
    chart = None
    if rows:
        series = Series(_("Requests"), [bar.count for bar in bars])
        about = _("Requests that wait for HR, by the time until they were decided.")
        chart = Histogram(title, about, labels, [series])
    return Panel("handling", title, Table(columns, rows), chart, is_wide=True)


def requests(asked: Asked, read: Read) -> Panel:
    now = figures.all_decisions_of(read.maps["requests"])
    before = figures.all_decisions_of(read.maps_before["requests"])
    rows: list[list[Any]] = [
        [
            str(words.REQUESTED[sort]),
            Linked(each.asked, asked.behind("requests", sort, "asked")),
            before[sort].asked,
            Linked(each.at_once, asked.behind("requests", sort, "at_once")),
            Linked(each.by_hr, asked.behind("requests", sort, "by_hr")),
            Linked(each.by_default, asked.behind("requests", sort, "by_default")),
            Linked(each.declined, asked.behind("requests", sort, "declined")),
            Linked(each.taken_back, asked.behind("requests", sort, "lapsed")),
            Linked(each.reversed, asked.behind("requests", sort, "reversed")),
            Linked(each.in_time, asked.behind("requests", sort, "in_time")),
        ]
        for sort, each in now.items()
        if each.asked
    ]
    columns = [
        *texts(_("What was asked for")),
        *numbers(
            _("Requests"),
            _("The period before"),
            _("Decided at once"),
            _("Decided by HR"),
            _("By the default"),
            pgettext("figures", "Declined"),
            _("Taken back"),
            _("Reinstated"),
        ),
        *rates(_("Within the promise")),
    ]
    title = _("Requests and how they were decided")
    return Panel("requests", title, Table(columns, rows), is_wide=True, is_listed=True)


def by_person(asked: Asked, people: dict[int, Handling]) -> Panel:
    """In the order of names, with the sample; times only where there are enough. No ranking."""
    names = dict(User.objects.filter(pk__in=people).values_list("pk", "name"))
    rows: list[list[Any]] = [
        [
            names.get(pk, _("not known any more")),
            Linked(each.count, asked.behind("handling", pk, ANY)),
            *_times(each),
        ]
        for pk, each in people.items()
        if pk
    ]
    rows.sort(key=lambda row: str(row[0]))
    if 0 in people:
        default = Linked(people[0].count, asked.behind("handling", 0, ANY))
        rows.append([_("The policy’s default"), default, *_times(people[0])])
    columns = [
        *texts(_("Decided by")),
        *numbers(_("Requests")),
        Column(_("Half within"), What.MINUTES),
        Column(_("95 of 100 within"), What.MINUTES),
    ]
    title = _("By who decided")
    note = _(
        "In the order of names. What somebody decides depends on what reaches them and when: these"
        " figures do not say who works well. Times from %(count)d decisions on."
    ) % {"count": SMALL}
    return Panel("people", title, Table(columns, rows), note=note, is_listed=True)


def _times(each: Handling) -> list[float | None]:
    return [each.p50, each.p95] if each.count >= SMALL else [None, None]


def saved(asked: Asked, read: Read) -> Panel:
    """What was offered instead of cancelling, and whether it kept the interview."""
    found = figures.saved_by_reason_of(read.maps["saved"])
    labels = words.reason_labels()
    rows: list[list[Any]] = [
        [
            labels.get(("candidate", reason), reason),
            words.offered(offered),
            Linked(each.offered, asked.behind("saved", reason, offered, ANY)),
            Linked(each.moved, asked.behind("saved", reason, offered, "moved")),
            Linked(each.kept, asked.behind("saved", reason, offered, "kept")),
            each.rate,
        ]
        for (reason, offered), each in found.items()
    ]
    rows.sort(key=lambda row: -row[2].value)
    columns = [
        *texts(_("Reason"), _("Offered instead")),
        *numbers(_("Offers"), pgettext("figures", "Moved"), pgettext("figures", "Kept")),
        *rates(pgettext("figures", "Saved")),
    ]
    title = _("Saved from cancelling")
    whole = sum((row[-1] for row in rows), Rate(0, 0))
    if whole.share is not None:
        title = _("Saved from cancelling: %(share)s") % {"share": rate(whole)}
    return Panel("saved", title, Table(columns, rows), is_listed=True)


def refilled(read: Read) -> Panel:
    """What became of places that were given up."""
    found = figures.refilled_of(read.maps["refill"])
    rows: list[list[Any]] = [
        [label, number]
        for label, number in (
            (_("Places given up"), found.freed),
            (_("Taken again"), found.taken),
            (_("Nobody left to ask"), found.closed),
            (_("Being offered"), found.open),
            *((_("Offers: %(state)s") % {"state": words.offer(state)}, number)
              for state, number in found.offers.items()),
        )
    ]  # fmt: skip
    title = _("Places given up and taken again")
    if found.rate.share is not None:
        title = _("Places taken again: %(share)s") % {"share": rate(found.rate)}
    there = any(number for _label, number in rows)
    bars = [Mark(label, number, count(number)) for label, number in rows[:4]]
    chart = Bars(title, _("Places given up, and what became of them."), bars) if there else None
    table = Table(
        [*texts(_("What became of them")), *numbers(pgettext("figures", "Number"))],
        rows if there else [],
    )
    return Panel("refilled", title, table, chart)
