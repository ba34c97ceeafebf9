"""What the rates come to now: every one of those a rule watches, in a number of queries that does
not depend on how many there are."""

from collections.abc import Callable, Mapping
from datetime import date

from analytics import figures
from analytics.alerts import rules
from analytics.alerts.models import AlertRule, Key, Measure, Whose
from analytics.figures import Counts, Dimension, Filter, Period, Rate, Split
from interviews.platforms.models import Difference
from notifications.models import Channel, WorkKind

DIMENSIONS: dict[str, Dimension] = {
    Whose.DEPARTMENT: "department",
    Whose.POSITION: "position",
    Whose.SOURCE: "source",
}
# What goes to people's phones and mailboxes; the desk itself is always reached.
CHANNELS = (Channel.SMS.value, Channel.EMAIL.value)
LOST = ("failed", "bounced")
SENT = ("sent", "delivered", *LOST)
# Anomalies that are about something else than two records that do not say the same.
OTHER_ANOMALIES = frozenset({"reason_contradicted", "figures_differ", Difference.FAILED.value})
MAPS = {
    Measure.NO_REPLY: "invitations",
    Measure.UNDELIVERED: "delivery",
    Measure.MISMATCH: "quality",
}


def window(rule: AlertRule, today: date) -> Period:
    return rules.window(rule.rate, rule.days, today)


def filter_of(rule: AlertRule) -> Filter:
    return Filter(kind=rule.kind or None)


def measure(rule: AlertRule, today: date) -> dict[Key, Rate]:
    """By what is watched; what had nothing in these days is left out."""
    chosen, period = filter_of(rule), window(rule, today)
    name = MAPS.get(Measure(rule.rate))
    splits = splits_by_key(rule.scope, chosen, period, name) if name else {}
    if of_split := OF_SPLIT.get(Measure(rule.rate)):
        return {key: of_split(maps[name]) for key, maps in splits.items() if name}
    counts = counts_by_key(rule.scope, chosen, period)
    if rule.rate == Measure.MISMATCH:
        return {
            key: mismatched(splits.get(key, {}).get("quality", {}), each)
            for key, each in counts.items()
        }
    return {key: rate_of(rule.rate, each) for key, each in counts.items()}


def rate_of(measure: str, counts: Counts) -> Rate:
    """One that is counted by itself, and not in a map."""
    match measure:
        case Measure.NO_SHOW:
            return counts.no_show_rate
        case Measure.CANCEL:
            return counts.cancel_rate
        case Measure.EXIT:
            return counts.exit_rate
        case Measure.INCOMPLETE:
            return counts.incomplete_rate
    raise KeyError(measure)


def undelivered(delivery: Split) -> Rate:
    def number(states: tuple[str, ...]) -> int:
        return sum(n for key, n in delivery.items() if key[0] in CHANNELS and key[2] in states)

    return Rate(number(LOST), number(SENT))


# Those that a map says by itself.
OF_SPLIT: dict[str, Callable[[Split], Rate]] = {
    Measure.NO_REPLY: figures.ran_out_of,
    Measure.UNDELIVERED: undelivered,
}


def mismatched(quality: Split, counts: Counts) -> Rate:
    """Of all interviews; one that was looked at twice counts twice."""
    return Rate(min(sum(mismatches(quality).values()), counts.invited), counts.invited)


def mismatches(quality: Split) -> dict[str, int]:
    """By code."""
    found: dict[str, int] = {}
    for (kind, code, _state), number in quality.items():
        if kind == WorkKind.ANOMALY and code not in OTHER_ANOMALIES:
            found[code] = found.get(code, 0) + number
    return found


# --- by what is watched ---------------------------------------------------------------------------


def key_of(scope: str, value: int | str | None) -> Key:
    return Key(source=str(value)) if scope == Whose.SOURCE else Key(owner=int(value or 0))


def counts_by_key(scope: str, chosen: Filter, period: Period) -> dict[Key, Counts]:
    if scope == Whose.COMPANY:
        return {Key(): figures.totals(chosen, period)}
    rows = figures.by(chosen, period, DIMENSIONS[scope])
    return {key_of(scope, row.key): row.counts for row in rows}


def splits_by_key(
    scope: str, chosen: Filter, period: Period, *maps: str
) -> dict[Key, Mapping[str, Split]]:
    if scope == Whose.COMPANY:
        return {Key(): figures.splits(chosen, period, *maps)}
    found = figures.splits_by(chosen, period, DIMENSIONS[scope], *maps)
    return {key_of(scope, value): each for value, each in found.items()}
