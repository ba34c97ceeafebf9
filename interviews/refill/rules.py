"""When somebody is offered a place, and for how long. Pure: no ORM, no clock."""

from dataclasses import dataclass
from datetime import datetime, timedelta

UNANSWERED = 3  # offers in a row that nobody answered; after that they are asked no more


@dataclass(frozen=True)
class Hold:
    """From when to when a place is kept for somebody."""

    asked_at: datetime
    until: datetime


def hold(
    *, asked_at: datetime, starts_at: datetime, lasts: timedelta, near: timedelta
) -> Hold | None:
    """How a place that begins at `starts_at` is kept for somebody who is asked at `asked_at`; None
    where it begins within `near` of that."""
    if starts_at - asked_at < near or starts_at <= asked_at:
        return None
    return Hold(asked_at, min(asked_at + lasts, starts_at))
