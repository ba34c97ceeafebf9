"""After an interview was called off, or left: applying again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from accounts.models import User
from cancellations.help.queries import fitting_positions
from cancellations.models import Cancellation, CancellationQuerySet, CancellationStatus
from candidates.models import Candidate
from interviews.booking.services import reach_stage
from interviews.gates.services import OVER, GateShut
from interviews.models import Application, Interview, Position, Stage
from interviews.refill.models import WaitingEntry
from interviews.refill.queries import waiting_entry
from interviews.refill.services import may_wait, stop_waiting
from interviews.services import end_application, lock_application
from interviews.states import HOLDS_A_SLOT, InterviewStatus

ENDED_SO = frozenset({InterviewStatus.CANCELLED, InterviewStatus.WITHDRAWN})
SOURCE = "again"  # of an application that follows one before it


class NotAgain(Exception):
    """The position is closed, the application goes on, or has ended."""


class Cooling(Exception):
    """A rule lets them apply again from a certain time on only."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until.isoformat())
        self.until = until


@dataclass(frozen=True)
class WaysOn:
    """What is open to a candidate whose interview was called off, or who left it."""

    waiting: WaitingEntry | None  # for another time, of which they will be told
    may_wait: bool
    may_apply: bool
    cooldown_until: datetime | None  # from when on they may
    in_pool: bool
    positions: Sequence[Position]  # others that may suit them

    @property
    def may_go_on(self) -> bool:
        """Whether they can do something about this position themselves."""
        return self.waiting is not None or self.may_wait or self.may_apply


def ways_on(interview: Interview, now: datetime) -> WaysOn | None:
    """None while it is not over."""
    if interview.status not in ENDED_SO:
        return None
    may_apply = may_apply_again(interview)
    return WaysOn(
        waiting=waiting_entry(interview),
        may_wait=may_wait(interview),
        may_apply=may_apply,
        cooldown_until=cooldown_of(interview.candidate, now) if may_apply else None,
        in_pool=interview.candidate.talent_pool_at is not None,
        positions=fitting_positions(interview),
    )


def cooldown_of(candidate: Candidate, now: datetime) -> datetime | None:
    """Until when no new application of theirs is taken, if a rule says so."""
    return (
        cooling(now)
        .filter(interview__application__candidate=candidate)
        .aggregate(until=Max("cooldown_until"))["until"]
    )


def cooling(now: datetime) -> CancellationQuerySet:
    """The exits after which somebody has still to wait."""
    return Cancellation.objects.filter(
        is_exit=True, status=CancellationStatus.APPROVED, cooldown_until__gt=now
    )


def may_apply_again(interview: Interview) -> bool:
    """Whether a new application may follow, but for a cooldown: not beside an appointment that they
    have for the position, or an invitation to one."""
    return (
        interview.status in ENDED_SO
        and interview.position.is_open
        and interview.application.stage not in OVER
        and not _has_another(interview)
    )


def _has_another(interview: Interview) -> bool:
    another = Interview.objects.filter(
        application__candidate=interview.application.candidate_id,
        application__position=interview.application.position_id,
        status__in=[InterviewStatus.INVITED, *HOLDS_A_SLOT],
    )
    return another.exists()


@transaction.atomic
def apply_again(reference: str, *, by: User) -> Interview | None:
    """A new application for the same position takes the place of this one, and is invited by
    itself, if no gate stands before the interview. Doing it again gives the same invitation.

    Raises Interview.DoesNotExist where it is not theirs, NotAgain, Cooling.
    """
    now = timezone.now()
    # Not from who only refers to them: those hold the interview by then, and we wait for it next.
    candidate = Candidate.objects.select_for_update(no_key=True).get(user=by)
    interview = Interview.objects.lock_own(reference, by)
    before = interview.application
    before.stage = lock_application(before.pk).stage
    if (made := _made_since(before)) is not None:
        return made
    if not may_apply_again(interview):
        raise NotAgain
    if (until := cooldown_of(candidate, now)) is not None:
        raise Cooling(until)
    stop_waiting(reference, by=by)
    end_application(before, by=by, at=now)
    application = Application.objects.create(
        candidate=candidate,
        position=before.position,
        applied_at=now,
        stage=Stage.SCREENED,
        screened_at=now,  # by what was known of them: it cannot come before the application
        source=SOURCE,
    )
    try:
        return reach_stage(application, Stage.AI_INTERVIEW, by=by, at=now)
    except GateShut:  # HR lets them through once they have what is asked for
        return None


def _made_since(application: Application) -> Interview | None:
    """The invitation of an application that followed this one already."""
    later = Interview.objects.with_facts().filter(
        application__candidate=application.candidate_id,
        application__position=application.position_id,
        application__pk__gt=application.pk,
        application__source=SOURCE,
    )
    return later.order_by("pk").first()
