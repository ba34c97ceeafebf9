"""The codes of what is found, watched and done."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Found(TextChoices):
    """What may stand out."""

    NO_SHOW = "no_show", _("Many do not come")
    CANCEL = "cancel", _("Many cancel")
    EXIT = "exit", _("Many leave midway")
    TIME_CONFLICT = "time_conflict", _("Times do not suit")
    OTHER_OFFER = "other_offer", _("Others were faster")
    NOT_INTERESTED = "not_interested", _("Not what they expected")
    NOT_KNOWING_HOW = "not_knowing_how", _("They do not know how it works")
    EVENINGS = "evenings", _("Absences depend on the hour")
    WEEKENDS = "weekends", _("Absences depend on the day")
    LATE_NOTICE = "late_notice", _("They cancel at the last moment")
    REMINDER_LOST = "reminder_lost", _("Reminders that do not arrive")
    NOT_REMINDED = "not_reminded", _("Nobody reminded them")
    QUESTION = "question", _("One question loses people")
    RAN_OUT = "ran_out", _("Invitations run out")
    WRONG_CONTACT = "wrong_contact", _("Wrong contacts")
    UNDELIVERED = "undelivered", _("Messages do not arrive")
    SLOW = "slow", _("Decisions take longer than promised")
    DEFAULTS = "defaults", _("Nobody decides in time")
    NOT_REFILLED = "not_refilled", _("Freed places stay empty")


class Measure(TextChoices):
    """What is watched after something was done: so many of so many."""

    NO_SHOW = "no_show", _("Did not come, of those expected")
    CANCEL = "cancel", _("Candidates cancelled, of those booked")
    EXIT = "exit", _("Left midway, of those who began")
    RAN_OUT = "ran_out", _("Invitations run out, of all invitations")
    NOT_KNOWING_HOW = "not_knowing_how", _("By mistake or not knowing how, of all reasons")
    LATE_NOTICE = "late_notice", _("Asked less than 24 hours before, of requests to cancel")
    UNDELIVERED = "undelivered", _("Did not arrive, of all messages")
    OVERDUE = "overdue", _("Decided later than promised, of decisions by HR")
    DEFAULTS = "defaults", _("Left to the default, of what waited for HR")
    REFILLED = "refilled", _("Taken again, of places given up")


WATCHED = {
    Found.NO_SHOW: Measure.NO_SHOW,
    Found.CANCEL: Measure.CANCEL,
    Found.EXIT: Measure.EXIT,
    Found.TIME_CONFLICT: Measure.CANCEL,
    Found.OTHER_OFFER: Measure.CANCEL,
    Found.NOT_INTERESTED: Measure.EXIT,
    Found.NOT_KNOWING_HOW: Measure.NOT_KNOWING_HOW,
    Found.EVENINGS: Measure.NO_SHOW,
    Found.WEEKENDS: Measure.NO_SHOW,
    Found.LATE_NOTICE: Measure.LATE_NOTICE,
    Found.REMINDER_LOST: Measure.UNDELIVERED,
    Found.NOT_REMINDED: Measure.NO_SHOW,
    Found.QUESTION: Measure.EXIT,
    Found.RAN_OUT: Measure.RAN_OUT,
    Found.WRONG_CONTACT: Measure.UNDELIVERED,
    Found.UNDELIVERED: Measure.UNDELIVERED,
    Found.SLOW: Measure.OVERDUE,
    Found.DEFAULTS: Measure.DEFAULTS,
    Found.NOT_REFILLED: Measure.REFILLED,
}


class Done(TextChoices):
    """What HR did."""

    SLOTS = "slots", _("Offered more or other times")
    POSITION = "position", _("Changed what the position says or asks for")
    POLICY = "policy", _("Changed the rule for cancelling or leaving")
    REMINDERS = "reminders", _("Changed the reminders")
    WORDING = "wording", _("Reworded a message")
    QUESTIONS = "questions", _("Changed the questions of the interview")
    GUIDE = "guide", _("Improved the guide or the answers")
    CONTACTS = "contacts", _("Corrected contacts")
    STAFFING = "staffing", _("Arranged who decides, and when")
    CALLS = "calls", _("Called candidates")
    OTHER = "other", pgettext_lazy("what was done", "Something else")


class Side(TextChoices):
    """Whose interviews an action concerns."""

    POSITION = "position", _("Position")
    DEPARTMENT = "department", _("Department")
    COMPANY = "company", _("Company")
