"""What happened to an interview, in words: how each event of its history is told."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

EVENTS: dict[str, Promise] = {
    "invited": _("Invited"),
    "opened": _("Invitation opened"),
    "booked": _("Booked"),
    "place_taken": _("Took a place that had come free"),
    "moved": _("Moved to another time"),
    "declined": _("Invitation declined"),
    "gate_passed": _("Let through by HR"),
    "documents_asked": _("Asked for documents"),
    "ended_by_score": _("Application ended: score not reached"),
    "imported": _("Taken over from another system"),
    "cancellation_requested": _("Cancellation asked for"),
    "cancelled": _("Cancelled"),
    "cancellation_declined": _("Cancellation declined"),
    "cancellation_taken_back": _("Request taken back"),
    "corrected": _("Status set right by hand"),
    "work_opened": _("Work opened"),
    "work_reminded": _("Reminder sent: still to do"),
    "work_escalated": _("HR leads told: overdue"),
    "work_assigned": _("Work taken on or passed on"),
    "work_resolved": _("Work settled"),
    "cancellation_overtaken": _("Request overtaken: the company cancelled"),
    "cancellation_reversed": _("Cancellation reversed"),
    "started": _("Interview begun"),
    "exit_requested": _("Asked to leave in the middle"),
    "exit_declined": _("Leaving declined"),
    "exit_taken_back": _("Request to leave taken back"),
    "help_asked": _("Asked for help from a person"),
    "misstarted": _("Begun by mistake, as if it had not been"),
    "completed": _("Interview completed"),
    "missed": _("Did not come"),
    "lapsed": _("Deadline passed without the end"),
    "withdrawn": _("Left in the middle"),
    "confirmed": _("Said they will come"),
    "trouble_reported": _("Told of trouble at the start"),
    "absence_excused": _("Absence excused"),
    "absence_rebooked": _("Given another time after an absence"),
    "absence_attended": _("Found to have come"),
    "absence_marked": _("Absence held against the record"),
    "mark_appealed": _("Appealed against the mark"),
    "mark_lifted": _("Mark lifted"),
    "mark_upheld": _("Mark upheld"),
}


def event_words(event: str) -> str:
    """What the event is called; one nobody has named yet, by its code."""
    return str(EVENTS.get(event) or event.replace("_", " ").capitalize())
