"""What a platform says against what we hold, and which of the two is plainly right. No queries."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from interviews.platforms.base import Held, Standing
from interviews.platforms.models import Difference, Wish
from interviews.states import ENDED, InterviewStatus

PRECISION = timedelta(minutes=1)  # some platforms keep no seconds

_TO_COME = frozenset({InterviewStatus.BOOKED, InterviewStatus.CANCELLING})
_GOING_ON = frozenset({InterviewStatus.IN_PROGRESS})
_OVER_THERE = frozenset({Standing.COMPLETED, Standing.INCOMPLETE, Standing.EXITED})
_FOLLOWS: dict[Standing, frozenset[InterviewStatus]] = {
    Standing.STARTED: _TO_COME,
    **dict.fromkeys(_OVER_THERE, _TO_COME | _GOING_ON),
    Standing.MISSED: frozenset({InterviewStatus.BOOKED}),
}
# Where an interview stands here and there without either being wrong.
_AGREES: dict[Standing, frozenset[InterviewStatus]] = {
    Standing.BOOKED: _TO_COME | {InterviewStatus.INVITED},
    Standing.STARTED: frozenset({InterviewStatus.IN_PROGRESS, InterviewStatus.EXITING}),
    Standing.COMPLETED: frozenset({InterviewStatus.COMPLETED}),
    Standing.INCOMPLETE: frozenset(
        {
            InterviewStatus.INCOMPLETE,
            InterviewStatus.WITHDRAWN,
            InterviewStatus.CANCELLED,
            InterviewStatus.EXITING,
        }
    ),
    Standing.EXITED: frozenset(
        {
            InterviewStatus.WITHDRAWN,
            InterviewStatus.INCOMPLETE,
            InterviewStatus.CANCELLED,
            InterviewStatus.EXITING,
        }
    ),
    Standing.CANCELLED: frozenset(ENDED | {InterviewStatus.INVITED}),
    # Whoever has asked to cancel has not failed to come.
    Standing.MISSED: frozenset(
        {
            InterviewStatus.NO_SHOW,
            InterviewStatus.CANCELLED,
            InterviewStatus.CANCELLING,
            InterviewStatus.WITHDRAWN,
        }
    ),
    # A fault of theirs must not stand as somebody's no-show.
    Standing.ERROR: frozenset(ENDED - {InterviewStatus.NO_SHOW}),
}
_OTHERWISE: dict[Standing, Difference] = {
    Standing.BOOKED: Difference.NOT_BEGUN,
    Standing.STARTED: Difference.GOES_ON,
    Standing.COMPLETED: Difference.TOOK_PLACE,
    Standing.INCOMPLETE: Difference.ENDED,
    Standing.EXITED: Difference.LEFT,
    Standing.CANCELLED: Difference.CANCELLED,
    Standing.MISSED: Difference.MISSED,
    Standing.ERROR: Difference.FAILED,
}


@dataclass(frozen=True)
class Verdict:
    """What to do about an interview: follow what happened there, tell them how it is, have HR look
    at it, or (none of these) nothing, because both agree."""

    follow: Standing | None = None
    tell: Wish | None = None
    difference: Difference | None = None

    @property
    def agrees(self) -> bool:
        return not (self.follow or self.tell or self.difference)


AGREED = Verdict()


def verdict(status: str, starts_at: datetime | None, held: Held) -> Verdict:
    """Of an interview of which nothing is still to be told and nothing on its way."""
    standing = held.standing
    if standing is None:
        return Verdict(difference=Difference.UNCLEAR)
    if status in _AGREES[standing]:
        if standing == Standing.BOOKED and moved(starts_at, held.starts_at):
            return Verdict(tell=Wish.BOOK)  # when it is, is ours to say
        return AGREED
    if status in _FOLLOWS.get(standing, frozenset()):
        return Verdict(follow=standing)
    if standing == Standing.BOOKED and status in ENDED:
        return Verdict(tell=Wish.CANCEL)
    return Verdict(difference=_OTHERWISE[standing])


def moved(ours: datetime | None, theirs: datetime | None) -> bool:
    """Whether both know a time and it is not the same."""
    return ours is not None and theirs is not None and abs(ours - theirs) >= PRECISION
