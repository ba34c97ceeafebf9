"""What happens to an interview itself. Callers that already hold the row's lock pass the interview;
the others pass its reference."""

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import User
from interviews import history
from interviews.models import Application, Interview, InterviewKind, Slot, Stage
from interviews.signals import application_ended, interview_moved, place_given_up
from interviews.states import UPCOMING, InterviewStatus

USUAL_LENGTH = timedelta(minutes=30)  # of an interview of which nobody knows when it ends


class SlotFull(Exception):
    """The slot has no place left."""


def take_place(slot: Slot) -> None:
    """Raises SlotFull, also where it was closed; the count and the limit are compared by the
    database in one statement."""
    free = Slot.objects.filter(pk=slot.pk, booked__lt=F("capacity"), closed_at=None)
    if not free.update(booked=F("booked") + 1):
        raise SlotFull


# One statement, in the middle of what a candidate waits for: the count, the place on its way to
# somebody else where its time lies ahead, and whether anybody waits for one.
FREE = """
WITH freed AS (
    UPDATE interviews_slot SET booked = booked - 1 WHERE id = %(slot)s
    RETURNING id, position_id, kind, starts_at, closed_at
), place AS (
    INSERT INTO interviews_freedplace (slot_id, origin, at)
    SELECT id, 'given_up', %(now)s FROM freed WHERE starts_at > %(now)s AND closed_at IS NULL
    RETURNING id
)
SELECT place.id FROM place, freed WHERE EXISTS (
    SELECT FROM interviews_waitingentry entry
    WHERE entry.position_id = freed.position_id AND entry.kind = freed.kind
    AND entry.state = 'waiting'
)
"""


def free_place(slot_id: int | None) -> None:
    """Somebody has given it up; whoever waits for one may get it at once."""
    if slot_id is None:
        return
    with connection.cursor() as cursor:
        cursor.execute(FREE, {"slot": slot_id, "now": timezone.now()})
        waited_for = cursor.fetchone()
    if waited_for is not None:
        place_given_up.send(sender=Slot, place_id=waited_for[0])


def release_place(slot_id: int) -> None:
    """Free, for anybody to book."""
    Slot.objects.filter(pk=slot_id).update(booked=F("booked") - 1)


def free_places(slot_ids: Iterable[int | None]) -> None:
    """One place of each slot for every time it is named, of which nobody hears: the company gave
    them up. The slots are locked in order."""
    freed = Counter(slot_id for slot_id in slot_ids if slot_id is not None)
    if not freed:
        return
    list(Slot.objects.filter(pk__in=freed).order_by("pk").select_for_update().only("pk"))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE interviews_slot SET booked = booked - freed.places"
            " FROM unnest(%s::bigint[], %s::int[]) AS freed(slot, places) WHERE id = freed.slot",
            [list(freed.keys()), list(freed.values())],
        )


@transaction.atomic
def invite(
    application: Application,
    *,
    by: User | None,
    kind: str = InterviewKind.AI,
    deadline: datetime | None = None,
    at: datetime | None = None,
    **details: object,
) -> Interview:
    """A new interview, not yet booked."""
    interview = Interview(application=application, kind=kind, deadline=deadline, **details)
    interview.save()
    history.record(interview, "invited", by=by, at=at)
    return interview


@transaction.atomic
def book_interview(
    reference: str, slot: Slot, *, by: User | None, at: datetime | None = None
) -> Interview:
    """Give an invited interview its time. Raises SlotFull, TransitionNotAllowed."""
    interview = Interview.objects.lock(reference)
    give_time(interview, slot, by=by, at=at or timezone.now())
    return interview


class _InvitedMeanwhile(Exception):
    """An application has more interviews than were locked before it."""


@transaction.atomic
def end_application(
    application: Application, *, by: User | None, at: datetime
) -> list[Interview] | None:
    """It does not go on: what is still to come of it is called off, nobody is asked to wait for a
    time any more, and the candidate is told of that. Returns what was called off; None where the
    application had ended before.

    What has begun goes on to its own end. A caller who holds interviews holds none that comes after
    those of this application.
    """
    while True:  # what somebody is invited to in between is seen once the application is held
        with suppress(_InvitedMeanwhile), transaction.atomic():
            interviews, locked = _lock_with_interviews(application)
            break
    had_ended = locked.stage == Stage.ENDED
    locked.stage = application.stage = Stage.ENDED
    locked.save(update_fields=["stage"])
    application_ended.send(
        sender=Application, application=locked, interviews=interviews, by=by, at=at
    )
    return None if had_ended else interviews


def _lock_with_interviews(application: Application) -> tuple[list[Interview], Application]:
    """The interviews first, as everywhere."""
    to_come = Interview.objects.filter(application=application, status__in=UPCOMING)
    rows = to_come.with_facts().order_by("pk").select_for_update(of=("self",))
    interviews = list(rows)
    locked = lock_application(application.pk)
    if to_come.exclude(pk__in=[each.pk for each in interviews]).exists():
        raise _InvitedMeanwhile
    return interviews, locked


def lock_application(pk: int) -> Application:
    """As it stands once nobody else has it in hand; after its interviews. Whoever makes an
    interview of it, or brings one back, holds it: none is left standing when it ends."""
    rows = Application.objects.select_for_update(of=("self",), no_key=True)
    return rows.get(pk=pk)


TIME = ["status", "slot", "starts_at", "ends_at", "booked_at", "moves"]


def give_time(interview: Interview, slot: Slot, *, by: User | None, at: datetime) -> None:
    """Book an invited interview, whose lock the caller holds. Raises SlotFull,
    TransitionNotAllowed."""
    interview.book(slot=slot, at=at)
    take_place(slot)
    interview.save(update_fields=TIME)
    history.record(interview, ("booked", _told(slot)), by=by, at=at)


def move_interview(interview: Interview, slot: Slot, *, by: User | None, at: datetime) -> None:
    """Give a booked interview another time: a place is taken there and freed here, or neither.

    The caller holds its lock. Raises SlotFull, TransitionNotAllowed.
    """
    before, slot_before = interview.starts_at, interview.slot_id
    interview.reschedule(slot=slot, at=at)
    _lock_slots(slot_before, slot.pk)
    take_place(slot)
    free_place(slot_before)
    interview.save(update_fields=TIME)
    was = {"before": before.isoformat() if before else None}
    history.record(interview, ("moved", {**_told(slot), **was}), by=by, at=at)
    interview_moved.send(sender=Interview, interview=interview, before=before, by=by, at=at)


def _lock_slots(*slots: int | None) -> None:
    """In the order of their keys: two who change places wait for one another, and not for ever."""
    both = [each for each in slots if each is not None]
    list(Slot.objects.filter(pk__in=both).order_by("pk").select_for_update().only("pk"))


def _told(slot: Slot) -> dict[str, Any]:
    return {"slot": slot.pk, "starts_at": slot.starts_at.isoformat()}


def cancel_interview(interview: Interview, *, at: datetime) -> None:
    """Call the appointment off and free its place; the caller holds the lock, records history."""
    slot_id = interview.slot_id
    interview.cancel(at=at)
    interview.save(update_fields=["status", "slot", "ended_at"])
    free_place(slot_id)


def cancel_interviews(interviews: Sequence[Interview], *, at: datetime) -> None:
    """The same for many, in three statements."""
    slots = [interview.slot_id for interview in interviews]
    for interview in interviews:
        interview.cancel(at=at)
    Interview.objects.filter(pk__in=[interview.pk for interview in interviews]).update(
        status=InterviewStatus.CANCELLED, slot=None, ended_at=at
    )
    free_places(slots)


def withdraw_interview(interview: Interview, *, at: datetime) -> None:
    """The candidate has left: free the place. The caller holds the lock, records history."""
    slot_id = interview.slot_id
    interview.withdraw(at=at)
    interview.save(update_fields=["status", "slot", "ended_at"])
    free_place(slot_id)


def miss_interview(interview: Interview, *, at: datetime) -> None:
    """Nobody came; the place stays theirs, since its time has passed. The caller holds the lock,
    records history."""
    interview.miss(at=at)
    interview.save(update_fields=["status", "ended_at"])


def slot_at(interview: Interview, starts_at: datetime) -> Slot | None:
    """The slot of the interview's position and kind that begins then, if one is open."""
    slots = Slot.objects.filter(position=interview.position, kind=interview.kind, closed_at=None)
    return slots.filter(starts_at=starts_at).first()


def reinstate_interview(interview: Interview, *, starts_at: datetime, at: datetime) -> None:
    """It takes place after all, then. Where that is the time of a slot, a place of it is taken.

    The caller holds the lock, records history. Raises SlotFull, TransitionNotAllowed.
    """
    length = USUAL_LENGTH
    if interview.starts_at and interview.ends_at:
        length = interview.ends_at - interview.starts_at
    slot_before, slot = interview.slot_id, slot_at(interview, starts_at)
    interview.reinstate(slot=slot, at=at)
    if slot is None:
        interview.starts_at, interview.ends_at = starts_at, starts_at + length
    _lock_slots(slot_before, slot.pk if slot else None)
    free_place(slot_before)  # who missed it, or did not finish, still held one
    if slot is not None:
        take_place(slot)
    interview.save(
        update_fields=["status", "slot", "starts_at", "ends_at", "booked_at", "ended_at"]
    )
