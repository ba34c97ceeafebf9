"""Who is told what about leaving an interview midway."""

from collections.abc import Iterator
from typing import Any

from cancellations import notices
from cancellations.models import Cancellation
from notifications.services import Notice

# What is true only until somebody has decided, and must not arrive after the decision.
WHILE_UNDECIDED = ("exit_received", "exit_to_decide", "decision_reminder", "decision_escalated")


def received(request: Cancellation) -> Iterator[Notice]:
    """HR has to decide: the candidate learns by when, HR learns that there is something to do."""
    yield from notices.to_candidate(request, "exit_received")
    yield from notices.to_whoever_decides(request, "exit_to_decide")
    yield notices.to_department(request, "exit_to_decide")


def left(request: Cancellation) -> Iterator[Notice]:
    """They have left: the candidate is thanked, HR and the department learn of it at once."""
    yield from notices.to_candidate(request, "exit_done", **_came_so_far(request))
    yield from notices.to_whoever_acts(request, "candidate_left", **_came_so_far(request))
    yield from notices.to_interviewer(request, "candidate_left", **_came_so_far(request))
    yield from notices.to_department_and_mailbox(request, "position_exit")


def declined(request: Cancellation) -> Iterator[Notice]:
    """The candidate may go on where they were, and learns why."""
    yield from notices.to_candidate(request, "exit_declined", interview=request.interview.reference)


def taken_back(request: Cancellation) -> Iterator[Notice]:
    """The candidate goes on after all: HR need not decide any more."""
    yield from notices.to_whoever_decides(request, "exit_taken_back")
    yield notices.to_department(request, "exit_taken_back")


def booked_again(request: Cancellation) -> Iterator[Notice]:
    """Who left has taken another time; the reversal keeps the messages apart from those before."""
    interview = request.interview
    assert interview.starts_at is not None  # noqa: S101 - it was just given one
    more = {"starts_at": interview.starts_at.isoformat(), "interview": interview.reference}
    yield from notices.to_candidate(request, "booked_again", **more)
    yield from notices.to_whoever_acts(request, "candidate_booked_again", **more)


def _came_so_far(request: Cancellation) -> dict[str, Any]:
    cooldown = request.cooldown_until
    return {
        "interview": request.interview.reference,
        "left_at": request.requested_at.isoformat(),
        "answered": request.evidence.get("answered", 0),
        "questions": request.evidence.get("questions", 0),
        "self_rebooking": request.policy["exit"]["self_rebooking"] and cooldown is None,
        "cooldown_until_at": cooldown.isoformat() if cooldown else None,
    }
