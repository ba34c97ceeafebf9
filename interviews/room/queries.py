"""Reads of the room: when it is open, who is in it, how far they have come, how it ended."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from interviews.models import Interview, InterviewKind
from interviews.room.models import Answer, Ending, RoomEvent, RoomEventKind, Sitting
from interviews.services import USUAL_LENGTH
from interviews.states import InterviewStatus

OPENS_BEFORE = timedelta(minutes=10)
RESUME_WITHIN = timedelta(hours=24)  # where no policy says otherwise
AWAY_AFTER = timedelta(seconds=45)
# What passes between two signs of life, sent every ten seconds, counts towards a time limit only
# where it is not longer than this: with the line down, the clock stands still.
LONGEST_GAP = timedelta(seconds=15)
GRACE = 15  # seconds in which what was typed in time still arrives
BLANK = " \t\n\u00a0\u3000"  # what alone is no answer
FAULT_WITHIN = timedelta(minutes=2)  # of vanishing: why somebody did
FAULT_REMEMBERED = timedelta(minutes=15)  # while somebody tries again, and asks for help
OUR_FAULTS = frozenset({RoomEventKind.SERVER_ERROR, RoomEventKind.PLATFORM_ERROR})
IN_FLIGHT = timedelta(seconds=5)  # how late a heartbeat sent before closing the page may come


class State(StrEnum):
    """What the room shows somebody who opens its door."""

    TOO_EARLY = "too_early"
    CHECK = "check"
    RESUME = "resume"
    QUESTION = "question"
    WAITING = "waiting"  # an exit waits for HR
    FINISHED = "finished"
    LEFT = "left"
    OVER = "over"


class Presence(StrEnum):
    HERE = "here"
    AWAY = "away"


def takes_place_here(interview: Interview) -> bool:
    """Whether it is held in our own room, rather than on a platform, at a link or on site."""
    return (
        interview.kind == InterviewKind.AI
        and interview.position.platform_id is None
        and not interview.link
    )


def opens_at(interview: Interview) -> datetime | None:
    return interview.starts_at and interview.starts_at - OPENS_BEFORE


def closes_at(interview: Interview) -> datetime | None:
    """From when on nobody can enter any more who has not been in."""
    return interview.ends_at or (interview.starts_at and interview.starts_at + USUAL_LENGTH)


def open_sitting(interview: Interview) -> Sitting | None:
    return interview.sittings.filter(ended_at=None).first()


def latest_sitting(interview: Interview) -> Sitting | None:
    return interview.sittings.order_by("-entered_at", "-pk").first()


def presence(sitting: Sitting, now: datetime) -> Presence:
    """Whether we have heard of them lately. Being away ends nothing."""
    return Presence.AWAY if now - sitting.last_seen_at > AWAY_AFTER else Presence.HERE


def state_of(
    interview: Interview, sitting: Sitting | None, *, now: datetime, comes_in: bool
) -> State:
    """`sitting` is the latest one; `comes_in` says that this tab has just been let in."""
    match interview.status:
        case InterviewStatus.EXITING:
            return State.WAITING
        case InterviewStatus.COMPLETED:
            return State.FINISHED
        case InterviewStatus.WITHDRAWN:
            return State.LEFT
        case InterviewStatus.IN_PROGRESS:
            return _inside(sitting, now, comes_in)
        case InterviewStatus.BOOKED | InterviewStatus.CANCELLING:
            return _door(interview, sitting, now)
    return State.OVER


def _inside(sitting: Sitting | None, now: datetime, comes_in: bool) -> State:
    if sitting is None or sitting.ended_at:
        return State.CHECK  # begun where nobody kept a sitting
    if sitting.resume_until <= now:
        return State.OVER
    is_here = comes_in and presence(sitting, now) == Presence.HERE
    return State.QUESTION if is_here else State.RESUME


def _door(interview: Interview, sitting: Sitting | None, now: datetime) -> State:
    """Who stepped back from a false start has been in, and may come back as long as anybody else
    who has: they were told that their appointment stands."""
    opens, closes = opens_at(interview), closes_at(interview)
    if opens is None or closes is None:
        return State.OVER
    if sitting is not None and sitting.ending == Ending.MISSTART:
        closes = max(closes, sitting.resume_until)
    if now >= closes:
        return State.OVER
    return State.CHECK if now >= opens else State.TOO_EARLY


# --- time -----------------------------------------------------------------------------------------


def current_seconds(sitting: Sitting, now: datetime) -> float:
    """How long the question in view has been in view, up to now. As interviews/room/saving.py has
    the database count it."""
    gap = now - sitting.last_seen_at
    counted = gap if timedelta(0) < gap <= LONGEST_GAP else timedelta(0)
    return sitting.current_seconds + counted.total_seconds()


def seconds_spent(sitting: Sitting, answer: Answer, now: datetime) -> float:
    if answer.number == sitting.current and sitting.ended_at is None:
        return current_seconds(sitting, now)
    return answer.seconds


def seconds_left(sitting: Sitting, answer: Answer, now: datetime) -> float | None:
    """Until the limit of its question; None where it has none."""
    limit = (sitting.question(answer.number) or {}).get("seconds")
    if limit is None:
        return None
    return max(0.0, float(limit) - seconds_spent(sitting, answer, now))


def is_time_up(sitting: Sitting, answer: Answer, now: datetime) -> bool:
    """Whether nothing more is taken for this question."""
    limit = (sitting.question(answer.number) or {}).get("seconds")
    return limit is not None and seconds_spent(sitting, answer, now) > limit + GRACE


# --- the way through the questions ----------------------------------------------------------------


def is_open(sitting: Sitting, answer: Answer, now: datetime) -> bool:
    """Whether one can still go to this question and answer it."""
    return seconds_left(sitting, answer, now) != 0


def next_number(sitting: Sitting, answers: Sequence[Answer], now: datetime) -> int | None:
    """Where one goes on to: what can still be answered, or one past the last question. None where
    one is there."""
    last = len(sitting.questions)
    if sitting.current > last:
        return None
    later = (a.number for a in answers if a.number > sitting.current and is_open(sitting, a, now))
    return min(later, default=last + 1)


def previous_number(sitting: Sitting, answers: Sequence[Answer], now: datetime) -> int | None:
    earlier = (a.number for a in answers if a.number < sitting.current and is_open(sitting, a, now))
    return max(earlier, default=None)


def progress(sitting: Sitting, answered: int) -> dict[str, int]:
    """How far they are: the question in view, and how many have an answer, also in percent."""
    total = len(sitting.questions)
    return {
        "reached": min(sitting.current, total),
        "answered": answered,
        "total": total,
        "percent": answered * 100 // total if total else 0,
    }


def answers_of(sitting: Sitting) -> list[Answer]:
    """In order, each with the size of its recording as `spoken` (0: none), whose bytes stay where
    they are."""
    answers = list(sitting.answers.order_by("number"))
    sizes = dict(
        sitting.answers.filter(recording__isnull=False).values_list("number", "recording__size")
    )
    for answer in answers:
        answer.spoken = sizes.get(answer.number, 0)  # type: ignore[attr-defined]
    return answers


def is_answered(answer: Answer) -> bool:
    return bool(answer.text.strip(BLANK) or answer.spoken)  # type: ignore[attr-defined]


# --- how it ended ---------------------------------------------------------------------------------


def evidence(sitting: Sitting, now: datetime) -> dict[str, Any]:
    """What is known of a sitting, in codes and numbers: how far they came, how long it took, and
    what was observed how often."""
    answers = answers_of(sitting)
    question = sitting.question(min(sitting.current, len(sitting.questions)))
    events = Counter(sitting.events.order_by().values_list("kind", flat=True))
    return {
        "answered": sum(map(is_answered, answers)),
        "questions": len(sitting.questions),
        "number": sitting.current,
        "stage": question["stage"] if question else "",
        "seconds": round(sum(seconds_spent(sitting, answer, now) for answer in answers)),
        "seen_at": sitting.last_seen_at.isoformat(),
        "events": dict(sorted(events.items())),
    }


def is_our_fault(sitting: Sitting, now: datetime) -> bool:
    """Whether there has been trouble lately on our side or the platform's."""
    lately = sitting.events.filter(kind__in=OUR_FAULTS, at__gte=now - FAULT_REMEMBERED)
    return lately.exists()


def ending_by_evidence(sitting: Sitting, events: Sequence[RoomEvent]) -> Ending:
    """Why somebody who never came back went: trouble on our side or the platform's shortly before
    they vanished, else the page closed as the last thing they did, else the line lost."""
    vanished = sitting.last_seen_at
    if any(each.kind in OUR_FAULTS and each.at >= vanished - FAULT_WITHIN for each in events):
        return Ending.PLATFORM_FAULT
    # A page that closes is hidden as well, and tells of it before or after.
    ignored = (RoomEventKind.AWAY, RoomEventKind.HIDDEN)
    seen = [each for each in events if each.kind not in ignored]
    if not seen or seen[-1].kind != RoomEventKind.CLOSED:
        return Ending.DROPPED
    came_back = vanished > seen[-1].at + IN_FLIGHT  # to another tab, or with a reload
    return Ending.DROPPED if came_back else Ending.CLOSED
