"""What the codes that figures count by are called."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from analytics.measures import HANDLING_MINUTES, NOTICE_HOURS
from analytics.risk.words import APPOINTMENTS
from cancellations.models import Absence, Reason
from cancellations.models import Offer as Help
from cancellations.work import WORDS as WORK
from interviews.booking.models import DeclineReason
from interviews.imports.answers import ANSWERS
from interviews.models import ReminderRule
from interviews.refill.models import OfferState
from interviews.reminders.words import what, when
from interviews.room.models import Ending, QuestionStage
from notifications.faults import words_for
from notifications.models import Channel, WorkKind

# The way of an interview, as figures.FUNNEL names it.
STEPS = {
    "invited": pgettext_lazy("figures", "Invited"),
    "opened": gettext_lazy("Opened the invitation"),
    "booked": pgettext_lazy("figures", "Booked"),
    "confirmed": gettext_lazy("Confirmed"),
    "attended": gettext_lazy("Came"),
    "completed": pgettext_lazy("figures", "Completed"),
}
# How far a reminder came.
REACHED = {
    "confirmed": gettext_lazy("Confirmed that they come"),
    "delivered": gettext_lazy("Reminder arrived"),
    "sent": gettext_lazy("Reminder sent, arrival not known"),
    "failed": gettext_lazy("Reminder did not arrive"),
    "none": gettext_lazy("No reminder"),
}
PARTIES = {
    "candidate": gettext_lazy("Candidates cancelled"),
    "company": gettext_lazy("The company cancelled"),
    "exit": gettext_lazy("Candidates left midway"),
    "decline": gettext_lazy("Invitations declined"),
}
_PURPOSES = {"candidate": "cancel", "company": "company", "exit": "exit"}
REQUESTED = {
    "cancel": gettext_lazy("To cancel"),
    "exit": gettext_lazy("To leave midway"),
    "company": gettext_lazy("Called off by the company"),
}
_DECIDED = {
    "open": gettext_lazy("Not decided yet"),
    "excused": gettext_lazy("Excused"),
    "rebooked": gettext_lazy("Given another time"),
    "marked": gettext_lazy("Put on the record"),
    "attended": gettext_lazy("They were there"),
}
# What a mapping carries over is counted by these (measures.QUESTIONS), however each source asks it.
_QUESTIONS = {
    "permission": gettext_lazy("May leave in time"),
    "no_meetings": gettext_lazy("Has no meeting in the way"),
    "reminder_call": gettext_lazy("May be called three hours before"),
    "alternative_number": gettext_lazy("Has given a second number"),
    "resume_printed": gettext_lazy("Has read the description and printed the résumé"),
    "venue_clear": gettext_lazy("Knows the way"),
    "call_letter": gettext_lazy("Has got the invitation letter"),
    "expected": gettext_lazy("Says that they will come"),
    "appointment": gettext_lazy("How the appointment was made"),
}
PROVIDERS = {
    "twilio": gettext_lazy("Twilio"),
    "smtp": gettext_lazy("Our mail server"),
    "mail": gettext_lazy("Mail provider"),
}


def reason_labels() -> dict[tuple[str, str], str]:
    """By who ended it and the code of the reason. One query."""
    labels = {(each.purpose, each.code): each.label for each in Reason.objects.all()}
    found = {
        (party, code): label
        for party, purpose in _PURPOSES.items()
        for (_purpose, code), label in labels.items()
        if purpose == _purpose
    }
    return found | {("decline", value): str(label) for value, label in DeclineReason.choices}


def stage(code: str) -> str:
    return _labelled(dict(QuestionStage.choices), code)


def ending(code: str) -> str:
    return _labelled(dict(Ending.choices), code)


def at_question(number: str) -> str:
    return _("Question %(number)s") % {"number": number} if number.isdecimal() else _("not known")


def rule(known: ReminderRule | None) -> str:
    """What it sends, and when."""
    return f"{what(known)} · {when(known)}" if known else _("not known any more")


def channel(code: str) -> str:
    return _labelled(dict(Channel.choices), code)


def provider(code: str) -> str:
    return _labelled(PROVIDERS, code) if code else _("directly")


def cause(code: str) -> str:
    """Why a message did not arrive; a code that is not common stays one."""
    return words_for(code) or code or _("no cause told")


def decided(code: str) -> str:
    return _labelled(_DECIDED, code)


def absence(code: str) -> str:
    """Why HR looked."""
    return _labelled(dict(Absence._meta.get_field("code").choices or ()), code)


def work_code(kind: str, code: str) -> str:
    """What HR was asked to look at."""
    if code in WORK:
        return str(WORK[code])
    return code or _labelled(dict(WorkKind.choices), kind)


def offered(code: str) -> str:
    """What was offered instead of cancelling."""
    return _labelled(dict(Help.choices), code)


def offer(code: str) -> str:
    return _labelled(dict(OfferState.choices), code)


def answer(code: str) -> str:
    return str(ANSWERS.get(code) or APPOINTMENTS.get(code) or code.replace("_", " "))


def question(code: str) -> str:
    return str(_QUESTIONS.get(code) or code.replace("_", " ").capitalize())


def _labelled(labels: dict, code: str) -> str:
    return str(labels[code]) if code in labels else _("not known")


# --- steps of histograms --------------------------------------------------------------------------


def notice_step(low: float | None, high: float | None) -> str:
    """So many hours before the start."""
    if low is None:
        return _("after the start")
    if high is None:
        return _("over %(days)d d") % {"days": NOTICE_HOURS[-1] // 24}
    if high > 24:
        return _("%(from)d–%(to)d d") % {"from": low // 24, "to": high // 24}
    return _("%(from)d–%(to)d h") % {"from": low, "to": high}


def handling_step(low: float | None, high: float | None) -> str:
    """So many minutes."""
    if high is None:
        return _("over %(days)d d") % {"days": HANDLING_MINUTES[-1] // 1440}
    if high <= 60:
        return _("%(from)d–%(to)d min") % {"from": low or 0, "to": high}
    if high <= 1440:
        return _("%(from)g–%(to)g h") % {"from": (low or 0) / 60, "to": high / 60}
    return _("%(from)d–%(to)d d") % {"from": (low or 0) // 1440, "to": high // 1440}
