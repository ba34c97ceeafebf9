"""What happens to an interview itself. Callers that already hold the row's lock pass the interview;
the others pass its reference."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import User
from interviews import history
from interviews.models import Application, Interview, InterviewKind, Slot
from interviews.states import InterviewStatus

USUAL_LENGTH = timedelta(minutes=30)  # of an interview of which nobody knows when it ends


class SlotFull(Exception):
    """The slot has no place left."""


def take_place(slot: Slot) -> None:
    """Raises SlotFull; the count and the limit are compared by the database in one statement."""
    taken = Slot.objects.filter(pk=slot.pk, booked__lt=F("capacity")).update(booked=F("booked") + 1)
    if not taken:
        raise SlotFull


def free_place(slot_id: int | None) -> None:
    if slot_id is not None:
        Slot.objects.filter(pk=slot_id).update(booked=F("booked") - 1)


def free_places(slot_ids: Iterable[int | None]) -> None:
    """One place of each slot for every time it is named; the slots are locked in order."""
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
    at = at or timezone.now()
    interview = Interview.objects.lock(reference)
    interview.book(slot=slot, at=at)
    take_place(slot)
    interview.save()
    history.record(
        interview,
        ("booked", {"slot": slot.pk, "starts_at": slot.starts_at.isoformat()}),
        by=by,
        at=at,
    )
    return interview


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
    """The slot of the interview's position and kind that begins then, if there is one."""
    slots = Slot.objects.filter(position=interview.position, kind=interview.kind)
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
    free_place(slot_before)  # who missed it, or did not finish, still held one
    if slot is not None:
        take_place(slot)
    interview.save(
        update_fields=["status", "slot", "starts_at", "ends_at", "booked_at", "ended_at"]
    )
