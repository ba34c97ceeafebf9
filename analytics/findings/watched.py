"""What is watched: rates by their codes, over any period, read off the cells."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from analytics import figures
from analytics.figures import Counts, Filter, Period, Rate, Split, Step
from analytics.findings.codes import Measure

NOT_KNOWING_HOW = ("difficulty", "mistake")  # reasons, of cancelling and of leaving
NONE = Rate(0, 0)


def overdue(counted: Split, sorts: tuple[str, ...] = ("cancel", "exit")) -> Rate:
    """Of what HR decided, later than promised."""
    kept = sum((figures.decisions_of(counted, sort).in_time for sort in sorts), NONE)
    return Rate(kept.denominator - kept.numerator, kept.denominator)


def defaults(counted: Split) -> Rate:
    """Of what waited for HR, decided by nobody."""
    sorts = ("cancel", "exit")
    return sum((figures.decisions_of(counted, sort).default_rate for sort in sorts), NONE)


def not_knowing_how(counted: Split) -> Rate:
    """Of the reasons candidates give for cancelling and leaving."""
    given = {key: number for key, number in counted.items() if key[0] in {"candidate", "exit"}}
    named = sum(number for key, number in given.items() if key[1] in NOT_KNOWING_HOW)
    return Rate(named, sum(given.values()))


def late_notice(counted: Split) -> Rate:
    """Of requests to cancel, less than a day before the start."""
    bars = figures.notice_of(counted)
    late = sum(bar.count for bar in bars if bar.high is not None and bar.high <= 24)
    return Rate(late, sum(bar.count for bar in bars))


def undelivered(counted: Split) -> Rate:
    """Of all messages about interviews."""
    return sum((each.failure_rate for each in figures.delivery_of(counted)), NONE)


def refilled(counted: Split) -> Rate:
    return figures.refilled_of(counted).rate


@dataclass(frozen=True)
class Watched:
    """Where a rate is read: off the counts, or off one map. It is better the lower it is, or the
    higher."""

    of_counts: Callable[[Counts], Rate] | None = None
    name: str = ""
    of_map: Callable[[Split], Rate] | None = None
    rises_for_the_better: bool = False


WATCHED: dict[str, Watched] = {
    Measure.NO_SHOW: Watched(lambda counts: counts.no_show_rate),
    Measure.CANCEL: Watched(lambda counts: counts.candidate_cancel_rate),
    Measure.EXIT: Watched(lambda counts: counts.exit_rate),
    Measure.RAN_OUT: Watched(name="invitations", of_map=figures.ran_out_of),
    Measure.NOT_KNOWING_HOW: Watched(name="reasons", of_map=not_knowing_how),
    Measure.LATE_NOTICE: Watched(name="notice", of_map=late_notice),
    Measure.UNDELIVERED: Watched(name="delivery", of_map=undelivered),
    Measure.OVERDUE: Watched(name="requests", of_map=overdue),
    Measure.DEFAULTS: Watched(name="requests", of_map=defaults),
    Measure.REFILLED: Watched(name="refill", of_map=refilled, rises_for_the_better=True),
}


def rate(measure: str, chosen: Filter, period: Period) -> Rate:
    """One query."""
    watched = WATCHED[measure]
    if watched.of_counts is not None:
        return watched.of_counts(figures.totals(chosen, period))
    assert watched.of_map is not None  # noqa: S101 - tells mypy
    return watched.of_map(figures.split(chosen, period, watched.name))


def series(measure: str, chosen: Filter, period: Period, step: Step) -> list[tuple[date, Rate]]:
    """One query."""
    watched = WATCHED[measure]
    if watched.of_counts is not None:
        points = figures.series(chosen, period, step)
        return [(point.since, watched.of_counts(point.counts)) for point in points]
    assert watched.of_map is not None  # noqa: S101 - tells mypy
    found = figures.split_series(chosen, period, watched.name, step)
    return [(since, watched.of_map(counted)) for since, counted in found]
