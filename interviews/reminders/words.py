"""Rules and steps of the reminders as people say them."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from interviews.models import Interview
from interviews.reminders.models import ReminderRule
from interviews.reminders.queries import steps_of
from interviews.reminders.rules import What, When


@dataclass(frozen=True)
class Line:
    """One step of an interview as the desk shows it."""

    at: datetime
    what: str
    state: str
    is_done: bool


def length(minutes: int) -> str:
    """24 hours, 90 minutes; days from the third on."""
    if minutes and minutes % (24 * 60) == 0 and minutes >= 3 * 24 * 60:
        days = minutes // (24 * 60)
        return ngettext("%(count)d day", "%(count)d days", days) % {"count": days}
    if minutes and minutes % 60 == 0:
        hours = minutes // 60
        return ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours}
    return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}


def when(rule: ReminderRule) -> str:
    """24 hours before the start."""
    anchor = str(rule.get_anchor_display())
    if rule.minutes == 0:
        return _("at the moment of %(anchor)s") % {"anchor": anchor}
    words = {"time": length(abs(rule.minutes)), "anchor": anchor}
    if rule.minutes < 0:
        return _("%(time)s before %(anchor)s") % words
    return _("%(time)s after %(anchor)s") % words


def what(rule: ReminderRule) -> str:
    """What happens; of a message, which. An invitation that has run out is HR's to follow up."""
    if rule.what == What.CLOSE and rule.stage == When.INVITED:
        return str(What.FOLLOW_UP.label)
    return str(rule.get_message_display() if rule.message else rule.get_what_display())


def lines(interview: Interview) -> list[Line]:
    """What has happened by itself and what is planned, in order."""
    return [
        Line(
            at=step.done_at or step.due_at,
            what=what(step.rule),
            state=str(step.get_outcome_display()) if step.done_at else _("planned"),
            is_done=step.done_at is not None,
        )
        for step in steps_of(interview)
    ]
