"""What is offered instead of cancelling, and whether it kept the interview."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts.models import User
from cancellations import queries
from cancellations.help.models import Offer
from cancellations.help.queries import FITTING, fitting_positions
from cancellations.models import Cancellation, CancellationStatus, Saved, Saving
from interviews.booking import services as booking
from interviews.models import Interview, Position, Slot
from interviews.queries import free_slots
from interviews.states import InterviewStatus

TIMES = 4  # shown at once; all of them stand on the page for moving
INSTEAD = (Offer.OTHER_TIME, Offer.POSITIONS, Offer.GUIDE)  # of a cancellation
MADE_UP_THEIR_MIND = timedelta(hours=24)  # after that, whoever has not cancelled has kept it


@dataclass(frozen=True)
class Instead:
    """What may suit somebody better than cancelling, for the reason they gave."""

    offered: Offer
    slots: Sequence[Slot] = ()
    positions: Sequence[Position] = field(default_factory=list)


def other_times(interview: Interview, *, now: datetime) -> list[Slot]:
    """The next free times they could move it to, alone, none of them as near as nobody is offered a
    place; none where the rule is against it."""
    rule = queries.move_rule(interview, queries.policies_in_force(now), now=now)
    if rule is None or rule.refused:
        return []
    near = timedelta(minutes=interview.position.refill_near_minutes)
    others = free_slots(interview, now=now).exclude(interviews=interview)
    return list(others.filter(starts_at__gte=now + near)[:TIMES])


def instead_of(interview: Interview, reason: str, *, now: datetime) -> Instead | None:
    """By the code of a reason; None where nothing fits it, or there is nothing of the kind."""
    offered = next((each for each in FITTING.get(reason, []) if each in INSTEAD), None)
    if offered is Offer.OTHER_TIME:
        slots = other_times(interview, now=now)
        return Instead(offered, slots=slots) if slots else None
    if offered is Offer.POSITIONS:
        positions = fitting_positions(interview)
        return Instead(offered, positions=positions) if positions else None
    return Instead(offered) if offered else None


def note_offered(interview: Interview, reason: str, instead: Instead) -> None:
    """They have seen it. Whoever looks again, for another reason, is counted once."""
    Saving.objects.update_or_create(
        interview=interview,
        outcome="",
        defaults={"reason": reason, "offered": instead.offered, "at": timezone.now()},
    )


@transaction.atomic
def move_instead(
    reference: str, slot_id: int, *, by: User, reason: str, shown: datetime | None = None
) -> Interview:
    """Another time in the place of cancelling. Raises Interview.DoesNotExist where it is not
    theirs, and what moving raises: booking.AnotherTime, booking.MoveRefused, TransitionNotAllowed,
    SlotFull."""
    now = timezone.now()
    own = Interview.objects.lock_own(reference, by)
    seen = {"reason": reason, "offered": Offer.OTHER_TIME, "at": now}
    Saving.objects.get_or_create(interview=own, outcome="", defaults=seen)
    interview = booking.move(reference, slot_id, by=by, shown=shown)
    moved(interview, at=now)
    return interview


def moved(interview: Interview, *, at: datetime) -> None:
    """Its candidate has chosen another time, wherever: what was offered instead of cancelling has
    kept it."""
    Saving.objects.filter(interview=interview, outcome="").update(
        outcome=Saved.MOVED, settled_at=at
    )


def not_saved(cancellation: Cancellation) -> None:
    """It was cancelled all the same."""
    was_offered = not {*INSTEAD}.isdisjoint(FITTING.get(cancellation.reason.code, []))
    if was_offered and cancellation.status == CancellationStatus.APPROVED:
        Saving.objects.filter(interview=cancellation.interview_id, outcome="").update(
            outcome=Saved.CANCELLED, settled_at=timezone.now()
        )


def settle(now: datetime) -> None:
    """Who made up their mind without telling: a day later it is known what they did. What waits
    for HR waits here too."""
    undecided = Saving.objects.filter(outcome="", at__lte=now - MADE_UP_THEIR_MIND).exclude(
        interview__status=InterviewStatus.CANCELLING
    )
    called_off = Cancellation.objects.filter(
        interview=OuterRef("interview"),
        requested_at__gte=OuterRef("at"),
        status=CancellationStatus.APPROVED,
        is_exit=False,
    )
    lost = undecided.filter(Exists(called_off))
    lost.update(outcome=Saved.CANCELLED, settled_at=now)
    undecided.update(outcome=Saved.KEPT, settled_at=now)
