"""When an alert opens and when it is over. Whole numbers only: 8 % is not more than 8 %."""

from datetime import date, datetime, timedelta

from analytics.figures import SMALL, Period, Rate

# Everything counts on the day of the start: what is cancelled or lost now is mostly of days ahead.
LOOKS_AHEAD = frozenset({"cancel", "undelivered"})
AHEAD = 14  # days
CALM = timedelta(hours=1)  # for which a rate has to stay down before its alert closes


def window(rate: str, days: int, today: date) -> Period:
    """The days whose figures a rule looks at."""
    last = today + timedelta(days=AHEAD) if rate in LOOKS_AHEAD else today
    return Period(today - timedelta(days=days - 1), last)


def is_breached(rate: Rate, *, threshold: int, minimum: int) -> bool:
    """More than `threshold` per cent, of enough to say so."""
    enough = rate.denominator >= max(minimum, SMALL)
    return enough and rate.numerator * 100 > threshold * rate.denominator


def has_recovered(rate: Rate, *, threshold: int, margin: int) -> bool:
    """So far below the threshold that the next case or two do not cross it again."""
    return not rate.is_small and rate.numerator * 100 <= (threshold - margin) * rate.denominator


def is_too_few(rate: Rate, *, minimum: int) -> bool:
    """Less than half of what a rule needs to speak: its days have gone by. Around the minimum
    itself an alert stays as it is."""
    return rate.denominator * 2 < max(minimum, SMALL)


def is_worse(rate: Rate, than: Rate) -> bool:
    return rate.numerator * than.denominator > than.numerator * rate.denominator


def is_calm(calm_since: datetime | None, now: datetime) -> bool:
    return calm_since is not None and now - calm_since >= CALM
