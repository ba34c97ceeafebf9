"""What happens to an interview itself. Callers that already hold the row's lock pass the interview;
the others pass its reference."""

from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import User
from interviews import history
from interviews.models import Application, Interview, InterviewKind, Slot


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
