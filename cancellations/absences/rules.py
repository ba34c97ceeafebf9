"""What may follow from an absence. Pure: no ORM, no clock."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Obstacle(TextChoices):
    """What forbids holding an absence against anybody."""

    NEVER_BOOKED = "never_booked", _("It is not on record when they booked it.")
    NOT_OVER = "not_over", _("Its time is not over.")
    NOT_DELIVERED = "not_delivered", _("Nothing we wrote about it is known to have arrived.")
    REQUEST_PENDING = "request_pending", _("A request of theirs was waiting for HR.")
    PLATFORM_FAULT = "platform_fault", _("It failed on our side or on the platform.")
    CAME = "came", _("They were there.")


@dataclass(frozen=True)
class Known:
    """Everything that is known of an absence, in codes, counts and times."""

    starts_at: datetime
    booked_at: datetime | None
    is_over: bool
    came: bool  # stayed in the room or on the platform, other than by a false start
    was_told: bool
    request_pending: bool
    platform_fault: bool
    opened_at: datetime | None = None
    confirmed_at: datetime | None = None
    trouble: str = ""  # what they told of, by its code
    troubles: tuple[tuple[str, int], ...] = ()  # seen of device and line, by kind
    messages: tuple[tuple[str, str, str, datetime], ...] = ()  # event, channel, state, at

    def obstacles(self) -> list[Obstacle]:
        """In the order people ask: nothing may be held against them where there is one."""
        found = {
            Obstacle.NEVER_BOOKED: self.booked_at is None,
            Obstacle.NOT_OVER: not self.is_over,
            Obstacle.CAME: self.came,
            Obstacle.NOT_DELIVERED: not self.was_told,
            Obstacle.REQUEST_PENDING: self.request_pending,
            Obstacle.PLATFORM_FAULT: self.platform_fault,
        }
        return [obstacle for obstacle, stands in found.items() if stands]

    def as_evidence(self) -> dict[str, Any]:
        """For keeping with what was decided: nothing personal."""
        return {
            "obstacles": [str(each.value) for each in self.obstacles()],
            "starts_at": self.starts_at.isoformat(),
            "booked_at": _iso(self.booked_at),
            "opened_at": _iso(self.opened_at),
            "confirmed_at": _iso(self.confirmed_at),
            "trouble": self.trouble,
            "troubles": dict(self.troubles),
            "messages": [
                {"event": event, "channel": channel, "state": state, "at": at.isoformat()}
                for event, channel, state, at in self.messages
            ],
        }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
