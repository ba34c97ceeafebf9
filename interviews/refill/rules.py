"""When somebody is offered a place, and for how long. Pure: no ORM, no clock."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo

NIGHT_FROM, NIGHT_UNTIL = time(21), time(8)  # where the candidate is: nobody is asked then
UNANSWERED = 3  # offers in a row that nobody answered; after that they are asked no more


@dataclass(frozen=True)
class Hold:
    """From when to when a place is kept for somebody."""

    asked_at: datetime
    until: datetime


def hold(
    *, now: datetime, starts_at: datetime, lasts: timedelta, near: timedelta, zone: tzinfo
) -> Hold | None:
    """How a place that begins at `starts_at` is kept for somebody in `zone`; None where it begins
    within `near` of asking them.

    Who would be asked at night is asked in the morning, and has their time from then.
    """
    asked_at = waking(now, zone)
    if starts_at - asked_at < near or starts_at <= asked_at:
        return None
    return Hold(asked_at, min(asked_at + lasts, starts_at))


def waking(now: datetime, zone: tzinfo) -> datetime:
    """`now`, or the morning after where it is night in `zone`."""
    local = now.astimezone(zone)
    if NIGHT_UNTIL <= local.time() < NIGHT_FROM:
        return now
    day = local.date() + timedelta(days=local.time() >= NIGHT_FROM)
    return datetime.combine(day, NIGHT_UNTIL, tzinfo=zone).astimezone(now.tzinfo)
