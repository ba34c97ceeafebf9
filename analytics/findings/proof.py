"""Before and after an action: as many days on either side, the action's own day on neither.

It says what the figures did since then, never that the action did it: what the rest did in the same
days stands beside it.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from analytics import figures
from analytics.figures import SMALL, Filter, Period, Rate, Step
from analytics.findings import watched
from analytics.findings.intervals import Interval, needed, newcombe, wilson

WINDOWS = (14, 28, 56, 91)  # days
USUAL = 28
STEPS: tuple[Step, ...] = ("week", "month")  # of the chart: the first with enough in its steps
LOOKED_BACK = 3  # windows before the action that the chart shows


class Verdict(StrEnum):
    """What can be said of the days since."""

    EARLY = "early"  # no day is over since
    GROWING = "growing"  # not all of them are
    FEW = "few"  # too few on one side
    UNCLEAR = "unclear"  # the interval holds nought
    BETTER = "better"
    WORSE = "worse"


@dataclass(frozen=True)
class Side:
    """One side of the action: its days, the rate and how sure that is."""

    period: Period
    rate: Rate

    @property
    def interval(self) -> Interval | None:
        """Of few, nothing is said."""
        return None if self.rate.is_small else wilson(self.rate)

    @property
    def lacks(self) -> int:
        """How many more there have to be at least."""
        return max(0, SMALL - self.rate.denominator)


@dataclass(frozen=True)
class Change:
    """From one side to the other."""

    before: Side
    after: Side

    @property
    def is_comparable(self) -> bool:
        return not (self.before.rate.is_small or self.after.rate.is_small)

    @property
    def difference(self) -> float:
        return (self.after.rate.share or 0) - (self.before.rate.share or 0)

    @property
    def interval(self) -> Interval | None:
        if not self.is_comparable:
            return None
        return newcombe(self.after.rate, self.before.rate)

    @property
    def needed(self) -> int | None:
        """On either side, about, for a difference of this size to be told."""
        return needed(self.before.rate, self.after.rate)


@dataclass(frozen=True)
class Proof:
    """An action's own interviews, and the others that the viewer sees."""

    change: Change
    rest: Change
    verdict: Verdict
    days: int
    days_left: int  # until the days since are as many as those before

    @property
    def rest_moved_likewise(self) -> bool:
        """Clearly, and in the same direction."""
        interval = self.rest.interval
        if interval is None or not interval.excludes_zero:
            return False
        return (self.rest.difference > 0) == (self.change.difference > 0)


def windows(done_on: date, today: date, days: int) -> tuple[Period, Period]:
    """The days before, and those since that are over; none yet is a period of no days."""
    before = Period(done_on - timedelta(days=days), done_on - timedelta(days=1))
    since = done_on + timedelta(days=1)
    last = min(done_on + timedelta(days=days), today - timedelta(days=1))
    return before, Period(since, max(last, since - timedelta(days=1)))


def prove(
    measure: str, chosen: Filter, everything: Filter, *, done_on: date, today: date, days: int
) -> Proof:
    """`everything` is what the viewer sees, `chosen` a part of it. Four queries."""
    before, after = windows(done_on, today, days)
    own = [watched.rate(measure, chosen, period) for period in (before, after)]
    whole = [watched.rate(measure, everything, period) for period in (before, after)]
    others = [_without(part, all_) for all_, part in zip(whole, own, strict=True)]
    change = Change(Side(before, own[0]), Side(after, own[1]))
    rest = Change(Side(before, others[0]), Side(after, others[1]))
    verdict = _verdict(change, rises_for_the_better=_rises(measure))
    return Proof(change, rest, verdict, days, before.days - after.days)


def _without(part: Rate, whole: Rate) -> Rate:
    """What is left; what is counted anew between two reads takes nothing below nought."""
    denominator = max(0, whole.denominator - part.denominator)
    return Rate(min(denominator, max(0, whole.numerator - part.numerator)), denominator)


def _rises(measure: str) -> bool:
    return watched.WATCHED[measure].rises_for_the_better


def _verdict(change: Change, *, rises_for_the_better: bool) -> Verdict:
    """Once, when the days since are as many as those before: who looks every day finds, sooner or
    later, an interval that leaves out nought by chance."""
    if not change.after.period.days:
        return Verdict.EARLY
    if change.after.period.days < change.before.period.days:
        return Verdict.GROWING
    interval = change.interval
    if interval is None:
        return Verdict.FEW
    if not interval.excludes_zero:
        return Verdict.UNCLEAR
    return Verdict.BETTER if (change.difference > 0) == rises_for_the_better else Verdict.WORSE


# --- over time ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Course:
    """Rates by the first days of their steps, and the step in which something was done."""

    step: Step
    own: list[tuple[date, Rate]]
    rest: list[tuple[date, Rate]]
    marked: int


def course(
    measure: str, chosen: Filter, everything: Filter, *, done_on: date, today: date, days: int
) -> Course | None:
    """In weeks, or in months where weeks hold too few; nothing where these do as well. Two queries,
    or four."""
    yesterday = today - timedelta(days=1)
    first = done_on - timedelta(days=days * LOOKED_BACK)
    period = Period(first, max(done_on, min(done_on + timedelta(days=days), yesterday)))
    for step in STEPS:
        own = watched.series(measure, chosen, period, step)
        if sum(not rate.is_small for _since, rate in own) * 2 >= len(own):
            whole = watched.series(measure, everything, period, step)
            rest = [
                (since, _without(part, all_))
                for (since, all_), (_since, part) in zip(whole, own, strict=True)
            ]
            marked = max(n for n, (since, _rate) in enumerate(own) if since <= done_on)
            return Course(step, own, rest, marked)
    return None


def everything_like(chosen: Filter, seen: Filter) -> Filter:
    """What the viewer sees, of the same source and kind."""
    return figures.Filter(seen.departments, None, chosen.source, chosen.kind)
