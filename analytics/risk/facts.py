"""All that a model may know of an appointment, and how it is told to the model. Pure: no ORM, no
clock.

What is not a field of `Facts` cannot reach a model: there is no way around this page. Nothing here
is about what somebody is (gender, age, marital status, health, where they were born), and nothing
comes from a person's record: no marks, no earlier absences, no earlier interviews of theirs.
Everything was known when the appointment was made or when its questions were answered; nothing is
known from afterwards.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from analytics import measures


class Target(TextChoices):
    """What is foreseen."""

    NO_SHOW = "no_show", _("Not appearing")
    CANCEL = "cancel", pgettext_lazy("what is foreseen", "Cancelling")


# Of what a mapping carries over (Interview.extra) these questions alone are read.
QUESTIONS = frozenset(measures.QUESTIONS) - {"appointment"}
ANSWERS = frozenset(measures.CONFIRMING)
APPOINTMENTS = frozenset(measures.APPOINTMENTS)


@dataclass(frozen=True)
class Facts:
    """One appointment as it stood when it was made. Codes; what is not known is empty or None."""

    kind: str = ""
    source: str = ""  # of which system it came, empty: ours
    department: str = ""
    category: str = ""
    place: str = ""
    lives_elsewhere: bool | None = None  # than where the interview is
    works_elsewhere: bool | None = None  # than where they live
    starts_at: datetime | None = None
    booked_at: datetime | None = None
    invited_at: datetime | None = None
    moves: int = 0
    answers: Mapping[str, str] = field(default_factory=dict)
    appointment: str = ""


def answers_of(extra: Mapping[str, object]) -> dict[str, str]:
    """Of everything a mapping carried over, the answers a model may know."""
    asked = {code: extra[code] for code in sorted(QUESTIONS & extra.keys())}
    return {code: value for code, value in asked.items() if _is_answer(value)}  # type: ignore[misc]


def _is_answer(value: object) -> bool:
    return isinstance(value, str) and value in ANSWERS


def appointment_of(extra: Mapping[str, object]) -> str:
    made = extra.get("appointment")
    return made if isinstance(made, str) and made in APPOINTMENTS else ""


def elsewhere(one: str, other: str) -> bool | None:
    """Whether two places differ; None where one of them is not known."""
    one, other = one.strip().casefold(), other.strip().casefold()
    return one not in other and other not in one if one and other else None


# --- features ---------------------------------------------------------------------------------

LEADS = ((timedelta(days=1), "day"), (timedelta(days=3), "days"), (timedelta(days=7), "week"))
HOURS = ((6, ""), (9, "early"), (12, "morning"), (14, "noon"), (18, "afternoon"), (22, "evening"))
SLOW = timedelta(days=3)  # from the invitation to the booking
LONGEST_CODE = 60


def features(facts: Facts, zone: ZoneInfo) -> dict[str, float]:
    """What the model sees: a handful of yes-or-no statements, each named so that words.factor can
    say it. A statement about something unknown is left out."""
    return dict.fromkeys(_statements(facts, zone), 1.0)


def _statements(facts: Facts, zone: ZoneInfo) -> Iterator[str]:
    for code, answer in facts.answers.items():
        yield f"answer:{code}={answer}"
    for name in ("appointment", "kind", "source", "department", "category", "place"):
        value = str(getattr(facts, name)).strip().casefold()[:LONGEST_CODE]
        if value or name == "source":
            yield f"{name}={value}"
    if facts.lives_elsewhere:
        yield "lives_elsewhere"
    if facts.works_elsewhere:
        yield "works_elsewhere"
    if facts.starts_at is not None:
        yield from _times(facts, facts.starts_at, zone)
    if facts.moves:
        yield "moved_again" if facts.moves > 1 else "moved"


def _times(facts: Facts, starts_at: datetime, zone: ZoneInfo) -> Iterator[str]:
    """A time of day in the small hours is how imported rows say that they know none."""
    local = starts_at.astimezone(zone)
    hour = next((name for until, name in HOURS if local.hour < until), "")
    if hour:
        yield f"hour={hour}"
    if local.weekday() >= 5:
        yield "weekend"
    # What was reinstated after its time keeps the hour of that, and took place: it would say so.
    if facts.booked_at is None or facts.booked_at >= starts_at:
        return
    ahead = starts_at - facts.booked_at
    yield f"ahead={next((name for within, name in LEADS if ahead <= within), 'long')}"
    if facts.invited_at is not None and facts.booked_at - facts.invited_at > SLOW:
        yield "booked_slowly"
