"""What every platform can be asked, whatever its API looks like: the one interface."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Standing(TextChoices):
    """How an interview stands on a platform, in our words."""

    BOOKED = "booked", pgettext_lazy("on a platform", "Booked")
    STARTED = "started", pgettext_lazy("on a platform", "Begun")
    COMPLETED = "completed", pgettext_lazy("on a platform", "Completed")
    INCOMPLETE = "incomplete", pgettext_lazy("on a platform", "Ended early")
    EXITED = "exited", pgettext_lazy("on a platform", "Left by the candidate")
    CANCELLED = "cancelled", pgettext_lazy("on a platform", "Cancelled")
    MISSED = "missed", pgettext_lazy("on a platform", "Nobody came")
    ERROR = "error", pgettext_lazy("on a platform", "Failed on the platform")


class EventKind(TextChoices):
    """What a platform tells us of; all but the last two say how the interview stands from then."""

    STARTED = "started", _("Interview begun")
    COMPLETED = "completed", _("Interview completed")
    INCOMPLETE = "incomplete", _("Ended before the end")
    EXITED = "exited", _("Left by the candidate")
    CANCELLED = "cancelled", _("Cancelled on the platform")
    MISSED = "missed", _("Nobody came")
    ERROR = "error", _("Error of the interview platform")
    SCORES = "scores", _("Scores")


class Cause(TextChoices):
    """Why an interview ended before its end, where a platform says so; the room's own words."""

    DROPPED = "dropped"
    CLOSED = "closed"
    PLATFORM_FAULT = "platform_fault"


MAY_BEGIN = frozenset({Standing.BOOKED, Standing.STARTED})  # not over there yet


@dataclass(frozen=True)
class Appointment:
    """An interview as a platform is told of it; the mapping chooses what of this is sent."""

    reference: str
    starts_at: datetime
    ends_at: datetime
    position: str
    position_code: str
    name: str
    email: str
    mobile: str
    language: str

    @property
    def minutes(self) -> int:
        return round((self.ends_at - self.starts_at).total_seconds() / 60)


@dataclass(frozen=True)
class Held:
    """One interview as a platform holds it. `reference` is ours, where the platform repeats it;
    `standing` is None where it names a state that the mapping does not know."""

    id: str
    reference: str = ""
    standing: Standing | None = None
    starts_at: datetime | None = None
    link: str = ""
    scores: dict[str, float] = field(default_factory=dict)


class Trouble(Exception):
    """The platform did not do what it was asked. `code` is for logs and pages, `status` what it
    answered with, if it did."""

    def __init__(self, code: str, status: int | None = None) -> None:
        super().__init__(code)
        self.code, self.status = code, status


class Unavailable(Trouble):
    """It cannot be asked now, whatever about; perhaps it did what it was asked. `rest` is how many
    seconds it wants to be left alone, if it said so."""

    def __init__(self, code: str, status: int | None = None, *, rest: int = 0) -> None:
        super().__init__(code, status)
        self.rest = rest


class Refused(Trouble):
    """It understood, and would not do this."""


class Unknown(Refused):
    """It knows no such interview."""


class Adapter(Protocol):
    """A platform that can be asked. Every method raises Trouble; none is called in a transaction.

    `key` makes a request count once, however often it is sent.
    """

    def create(self, appointment: Appointment, *, key: str) -> Held: ...

    def move(self, external_id: str, appointment: Appointment, *, key: str) -> Held: ...

    def cancel(self, external_id: str, *, reference: str, key: str) -> None: ...

    def fetch(self, external_id: str, *, reference: str) -> Held: ...

    def pages(self, since: datetime) -> Iterator[list[Held]]:
        """Everything that starts after `since`, page by page."""
        ...
