"""What follows from what happened to interviews, in the same transaction: webhooks hear of it, what
the platforms that hold them are to be told is written down, and a place given up goes to whoever
waits for one."""

from datetime import datetime
from typing import Any

from django.dispatch import receiver

from interviews.models import Application, Department, HistoryEntry, Interview, Slot
from interviews.platforms import outbox
from interviews.refill import services as refill
from interviews.reminders import planning
from interviews.signals import application_ended, history_recorded, place_given_up
from notifications import webhooks
from notifications.webhooks import Event

# Keys of our own tables mean nothing elsewhere; the status stands with the interview.
OURS_ALONE = frozenset({"slot", "status", "token"})


@receiver(history_recorded, sender=HistoryEntry)
def tell_webhooks(entries: list[HistoryEntry], **kwargs: Any) -> None:
    """One cheap query where there are no webhooks, which is nearly everywhere."""
    if not webhooks.anybody_listens():
        return
    audiences = _audiences({entry.interview_id for entry in entries})
    webhooks.store(_event(entry, audiences[entry.interview_id]) for entry in entries)


@receiver(history_recorded, sender=HistoryEntry)
def tell_platforms(entries: list[HistoryEntry], **kwargs: Any) -> None:
    """Nothing is asked where none of the interviews is held on a platform."""
    outbox.mark(entries)


@receiver(place_given_up, sender=Slot)
def offer_place(place_id: int, **kwargs: Any) -> None:
    refill.keep_for_the_first(place_id)


@receiver(application_ended, sender=Application)
def ask_no_more(application: Application, at: datetime, **kwargs: Any) -> None:
    refill.ask_no_more(application, at=at)


@receiver(history_recorded, sender=HistoryEntry)
def move_steps(entries: list[HistoryEntry], **kwargs: Any) -> None:
    """What happens by itself goes along with the appointment, or not at all."""
    planning.follow(entries)


def _audiences(interviews: set[int]) -> dict[int, str]:
    department = "application__position__department"
    pairs = Interview.objects.filter(pk__in=interviews).values_list("pk", department)
    return {pk: Department(pk=department).audience for pk, department in pairs}


def _event(entry: HistoryEntry, audience: str) -> Event:
    """History holds codes, times and states only, and so does this."""
    reference = entry.interview.reference
    event_id = f"{reference}-{entry.sequence}"
    body = {
        "id": event_id,
        "event": entry.event,
        "at": entry.at,
        "interview": {"reference": reference, "status": entry.data.get("status")},
        "data": {key: value for key, value in entry.data.items() if key not in OURS_ALONE},
    }
    return Event(event_id, entry.event, audience, body)
