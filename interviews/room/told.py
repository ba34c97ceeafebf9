"""A candidate's stays in the room, as HR reads them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise

from interviews.models import Interview
from interviews.room import queries
from interviews.room.models import Answer, Ending, RoomEventKind, Sitting
from interviews.room.questions import in_words

# Seen in every stay, so that it tells nothing of this one.
ORDINARY = frozenset({RoomEventKind.ENTERED, RoomEventKind.HIDDEN, RoomEventKind.SHOWN})


@dataclass(frozen=True)
class Stay:
    """One sitting: how it ended or where it stands, and what was observed how often."""

    sitting: Sitting
    ending: str  # in words; empty while it goes on
    is_here: bool
    is_elsewhere: bool  # on a platform: of what goes on there we see nothing
    answered: int
    questions: int
    minutes: int
    observed: list[tuple[Promise | str, int]]
    answers: list[tuple[dict[str, Any], Answer]]


def stays_of(interview: Interview, *, now: datetime) -> list[Stay]:
    """The latest first. One query where there are none."""
    sittings = list(interview.sittings.order_by("-entered_at", "-pk"))
    is_elsewhere = interview.position.platform_id is not None
    return [_stay(sitting, now, is_elsewhere) for sitting in sittings]


def _stay(sitting: Sitting, now: datetime, is_elsewhere: bool) -> Stay:
    answers = queries.answers_of(sitting)
    known = sitting.evidence or queries.evidence(sitting, now)
    counts: dict[str, int] = known.get("events", {})
    kinds = dict(RoomEventKind.choices)
    return Stay(
        sitting=sitting,
        ending=str(Ending(sitting.ending).label) if sitting.ending else "",
        is_here=queries.presence(sitting, now) == queries.Presence.HERE,
        is_elsewhere=is_elsewhere,
        answered=known.get("answered", 0),
        questions=known.get("questions", 0),
        minutes=round(known.get("seconds", 0) / 60),
        observed=[(kinds.get(kind, kind), n) for kind, n in counts.items() if kind not in ORDINARY],
        answers=[
            (in_words(question), answer)
            for question, answer in zip(sitting.questions, answers, strict=False)
        ],
    )
