"""What stands out where a rate is high: compared with as many days before, or with the rest of the
same days. What may as well be chance is not named, nor what is said of fewer than twenty."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from operator import eq
from typing import Any

from analytics import figures
from analytics.alerts import measuring
from analytics.alerts.measuring import (
    CHANNELS,
    DIMENSIONS,
    LOST,
    OF_SPLIT,
    SENT,
    counts_by_key,
    key_of,
    mismatches,
    rate_of,
    splits_by_key,
)
from analytics.alerts.models import Key, Measure, Whose
from analytics.figures import NOTHING, Counts, Dimension, Filter, Period, Rate, Split
from interviews.room.models import Ending
from notifications import faults

MOST = 3
LEAST_LIFT = 1.25
# How many times its usual scatter a difference has to be: a fact by itself; one of many positions,
# sources or recruiters, of which some always stand out by chance.
CLEAR, CLEAR_OF_MANY = 2.0, 3.0
EARLY, EVENING = 9, 18  # hours of the day
MAPS = ("delivery", "absences", "exits", "quality", "hours", "reminders", "reasons")
# What is told apart where one of them may stand out.
WITHIN: dict[str, tuple[Dimension, ...]] = {
    Whose.COMPANY: ("department", "source", "recruiter"),
    Whose.DEPARTMENT: ("position", "source", "recruiter"),
    Whose.POSITION: ("source",),
    Whose.SOURCE: ("department",),
}
BEFORE, REST = "before", "rest"


@dataclass(frozen=True)
class Cause:
    """`now` is a rate that is higher than `beside`: that of the days before, or of the rest. `key`
    is a code or an id: which error, source, position."""

    code: str
    now: Rate
    beside: Rate
    against: str = BEFORE
    key: str = ""

    @property
    def lift(self) -> float | None:
        """How many times as high; None beside nothing at all."""
        if not self.beside.share or self.now.share is None:
            return None
        return self.now.share / self.beside.share

    @property
    def clearness(self) -> float:
        """By how many times its usual scatter the difference is more than none."""
        one, other = self.now, self.beside
        if one.is_small or other.is_small or one.share is None or other.share is None:
            return 0.0
        whole = one + other
        share = whole.numerator / whole.denominator
        scatter = share * (1 - share) * (1 / one.denominator + 1 / other.denominator)
        return (one.share - other.share) / math.sqrt(scatter) if scatter > 0 else 0.0

    @property
    def stands_out(self) -> bool:
        wanted = CLEAR_OF_MANY if self.code in OF_MANY else CLEAR
        lift = self.lift
        return self.clearness >= wanted and (lift is None or lift >= LEAST_LIFT)

    @property
    def told(self) -> dict[str, Any]:
        """As it is kept."""
        return {
            "code": self.code,
            "key": self.key,
            "against": self.against,
            "now": [self.now.numerator, self.now.denominator],
            "beside": [self.beside.numerator, self.beside.denominator],
        }

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Cause":
        return cls(
            told["code"], Rate(*told["now"]), Rate(*told["beside"]), told["against"], told["key"]
        )


OF_MANY = frozenset({"department", "position", "source", "recruiter"})


@dataclass(frozen=True)
class Seen:
    """What is known of one of those a rule watches, now and before; and, by what may stand out,
    the rate of each."""

    now: Counts
    before: Counts
    maps: Mapping[str, Split]
    maps_before: Mapping[str, Split]
    beside: Mapping[str, Mapping[str, Rate]]

    def of(self, name: str) -> tuple[Split, Split]:
        return self.maps.get(name, {}), self.maps_before.get(name, {})


def gather(
    measure: str, scope: str, keys: Iterable[Key], kind: str, period: Period
) -> dict[Key, list[Cause]]:
    """Of each, the strongest first. As many queries for one as for all of them."""
    keys = list(keys)
    if not keys:
        return {}
    chosen = _narrowed(scope, keys, kind)
    now, before = (counts_by_key(scope, chosen, each) for each in (period, period.before))
    maps, past = (splits_by_key(scope, chosen, each, *MAPS) for each in (period, period.before))
    beside = _beside(measure, scope, chosen, period)
    return {
        key: ranked(
            measure,
            Seen(
                now.get(key, NOTHING),
                before.get(key, NOTHING),
                maps.get(key, {}),
                past.get(key, {}),
                beside.get(key, {}),
            ),
        )
        for key in keys
    }


def _narrowed(scope: str, keys: list[Key], kind: str) -> Filter:
    owners = tuple(sorted(key.owner for key in keys))
    match scope:
        case Whose.DEPARTMENT:
            return Filter(departments=owners, kind=kind or None)
        case Whose.POSITION:
            return Filter(positions=owners, kind=kind or None)
    return Filter(kind=kind or None)


def _beside(
    measure: str, scope: str, chosen: Filter, period: Period
) -> dict[Key, dict[str, dict[str, Rate]]]:
    if measure in (Measure.UNDELIVERED, Measure.MISMATCH):
        return {}  # counted in maps: their channels and codes are told apart instead
    found: dict[Key, dict[str, dict[str, Rate]]] = {}
    for other in WITHIN[scope]:
        for key, each in _told_apart(measure, scope, chosen, period, other).items():
            found.setdefault(key, {})[other] = {
                str(value): rate for value, rate in each.items() if value is not None
            }
    return found


Rates = dict[int | str | None, Rate]


def _told_apart(
    measure: str, scope: str, chosen: Filter, period: Period, other: Dimension
) -> dict[Key, Rates]:
    """The rate in each of those watched, by the other dimension."""
    if of_split := OF_SPLIT.get(measure):
        name = measuring.MAPS[Measure(measure)]
        if scope == Whose.COMPANY:
            splits = figures.split_by(chosen, period, name, other)
            return {Key(): {value: of_split(each) for value, each in splits.items()}}
        crossed_splits = figures.crossed_split(chosen, period, name, DIMENSIONS[scope], other)
        return {
            key_of(scope, key): {value: of_split(each) for value, each in splits.items()}
            for key, splits in crossed_splits.items()
        }
    if scope == Whose.COMPANY:
        rows = figures.by(chosen, period, other)
        return {Key(): {row.key: rate_of(measure, row.counts) for row in rows}}
    crossed = figures.crossed(chosen, period, DIMENSIONS[scope], other)
    return {
        key_of(scope, key): {value: rate_of(measure, counts) for value, counts in each.items()}
        for key, each in crossed.items()
    }


def ranked(measure: str, seen: Seen) -> list[Cause]:
    """Those that stand out, the clearest first; of reminders, codes and so on one each."""
    found = sorted(
        (each for each in _candidates(measure, seen) if each.stands_out),
        key=lambda each: (-each.clearness, each.code, each.key),
    )
    by_group: dict[str, Cause] = {}
    for each in found:
        by_group.setdefault(GROUPS.get(each.code, each.code), each)
    return list(by_group.values())[:MOST]


GROUPS = {"no_reminder": "reminders", "not_reached": "reminders"}


def _candidates(measure: str, seen: Seen) -> Iterator[Cause]:
    for look in LOOKS[measure]:
        yield from look(measure, seen)


# --- what is looked at ----------------------------------------------------------------------------


def _lost_to(delivery: Split, holds: Callable[[str], bool]) -> Rate:
    """What did not arrive for such a cause, of all that was sent to people."""
    sent = {key: n for key, n in delivery.items() if key[0] in CHANNELS and key[2] in SENT}
    lost = sum(n for key, n in sent.items() if key[2] in LOST and holds(key[3]))
    return Rate(lost, sum(sent.values()))


def _messages(measure: str, seen: Seen) -> Iterator[Cause]:
    now, before = seen.of("delivery")
    yield Cause(
        "wrong_contact", _lost_to(now, faults.is_theirs), _lost_to(before, faults.is_theirs)
    )

    def is_ours(code: str) -> bool:
        return not faults.is_theirs(code)

    yield Cause("undelivered", _lost_to(now, is_ours), _lost_to(before, is_ours))


def _errors(measure: str, seen: Seen) -> Iterator[Cause]:
    """Each reason for which messages are lost, and each channel beside the others."""
    now, before = seen.of("delivery")
    for code in sorted({key[3] for key in now if key[0] in CHANNELS and key[2] in LOST}):
        is_it = partial(eq, code)
        yield Cause("error", _lost_to(now, is_it), _lost_to(before, is_it), key=code)
    by_channel = {
        channel: _lost_to({key: n for key, n in now.items() if key[0] == channel}, lambda _: True)
        for channel in CHANNELS
    }
    for channel, rate in by_channel.items():
        yield Cause("channel", rate, _rest(by_channel, channel), REST, channel)


def _rest(rates: Mapping[str, Rate], but: str) -> Rate:
    return sum((rate for key, rate in rates.items() if key != but), Rate(0, 0))


def _link(measure: str, seen: Seen) -> Iterator[Cause]:
    """Invitations that nobody opens. Of those still open it is not held against the link that
    nobody has yet."""

    def unopened(counts: Counts) -> Rate:
        over = counts.invited - counts.open_invitation
        return Rate(max(0, over - counts.opened), over)

    yield Cause("link", unopened(seen.now), unopened(seen.before))


def _platform(measure: str, seen: Seen) -> Iterator[Cause]:
    """Of those who should have been in the room."""

    def faulty(counts: Counts, maps: Mapping[str, Split]) -> Rate:
        fault = Ending.PLATFORM_FAULT.value
        looked = sum(n for key, n in maps.get("absences", {}).items() if key[0] == fault)
        broken = maps.get("exits", {}).get(("lapse", "ending", fault), 0)
        told = sum(n for key, n in maps.get("quality", {}).items() if key[1] == "platform_failed")
        return Rate(min(looked + broken + told, counts.due), counts.due)

    now, before = faulty(seen.now, seen.maps), faulty(seen.before, seen.maps_before)
    yield Cause("platform", now, before)


def _hours(measure: str, seen: Seen) -> Iterator[Cause]:
    """Early and evening times, each beside the rest of the day."""
    counted, _before = seen.of("hours")
    hours = figures.hours_of(counted)
    rate = figures.cancelled_in if measure == Measure.CANCEL else figures.missed_in
    for code, part in (("early", range(EARLY)), ("evening", range(EVENING, 24))):
        inside = (each for each in hours if each.hour in part)
        outside = (each for each in hours if each.hour not in part)
        yield Cause(code, rate(inside), rate(outside), REST)


def _reminders(measure: str, seen: Seen) -> Iterator[Cause]:
    """Who had no reminder, more often than before; or whom it did not reach, beside the others."""
    now, before = (figures.reminded_of(each) for each in seen.of("reminders"))

    def without(found: Mapping[str, figures.Expected]) -> Rate:
        numbers = {step: each.no_show_rate.denominator for step, each in found.items()}
        return Rate(numbers["none"], sum(numbers.values()))

    yield Cause("no_reminder", without(now), without(before))
    missed = {step: each.no_show_rate for step, each in now.items()}
    unreached = missed.pop("none") + missed.pop("failed")
    yield Cause("not_reached", unreached, sum(missed.values(), Rate(0, 0)), REST)


PARTIES = {Measure.EXIT: "exit", Measure.CANCEL: "candidate"}


def _reasons(measure: str, seen: Seen) -> Iterator[Cause]:
    """The reason given, of all that are."""
    party = PARTIES[Measure(measure)]
    now, before = (figures.reasons_of(each)[party] for each in seen.of("reasons"))
    for code, number in now.items():
        yield Cause(
            "reason",
            Rate(number, sum(now.values())),
            Rate(before.get(code, 0), sum(before.values())),
            key=code,
        )


def _questions(measure: str, seen: Seen) -> Iterator[Cause]:
    """The question at which they leave, of all those who do."""
    now, before = (figures.exits_of(each).exits_by_question for each in seen.of("exits"))
    for number, count in now.items():
        if number != "unknown":
            yield Cause(
                "question",
                Rate(count, sum(now.values())),
                Rate(before.get(number, 0), sum(before.values())),
                key=number,
            )


def _endings(measure: str, seen: Seen) -> Iterator[Cause]:
    """How it ended, of those who began; faults of the platform are told by themselves."""
    now, before = (figures.exits_of(each).lapses_by_ending for each in seen.of("exits"))
    for ending, number in now.items():
        if ending not in ("unknown", Ending.PLATFORM_FAULT):
            past = Rate(before.get(ending, 0), seen.before.attended)
            yield Cause("ending", Rate(number, seen.now.attended), past, key=ending)


def _codes(measure: str, seen: Seen) -> Iterator[Cause]:
    """What does not match."""
    now, before = (mismatches(each) for each in seen.of("quality"))
    for code, number in now.items():
        past = Rate(before.get(code, 0), seen.before.invited)
        yield Cause("code", Rate(number, seen.now.invited), past, key=code)


def _one_of_many(measure: str, seen: Seen) -> Iterator[Cause]:
    for dimension, rates in seen.beside.items():
        for key, rate in rates.items():
            yield Cause(dimension, rate, _rest(rates, key), REST, key)


Look = Callable[[str, Seen], Iterator[Cause]]
LOOKS: dict[str, tuple[Look, ...]] = {
    Measure.NO_SHOW: (_messages, _link, _platform, _hours, _reminders, _one_of_many),
    Measure.NO_REPLY: (_messages, _link, _one_of_many),
    Measure.CANCEL: (_hours, _reasons, _one_of_many),
    Measure.EXIT: (_platform, _reasons, _questions, _one_of_many),
    Measure.INCOMPLETE: (_platform, _endings, _one_of_many),
    Measure.UNDELIVERED: (_errors,),
    Measure.MISMATCH: (_codes,),
}
