"""What a step of the reminders does at the moment it is due. Pure: no ORM, no clock."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from interviews.states import InterviewStatus

AGAIN = timedelta(minutes=15)  # until a step that cannot be taken now is looked at again

ANSWER_WITHIN = timedelta(minutes=30)  # for saying that there was trouble, before it is too late


class When(TextChoices):
    """The status in which a rule applies."""

    INVITED = InterviewStatus.INVITED.value, _("Invited")
    BOOKED = InterviewStatus.BOOKED.value, _("Booked")
    STARTED = InterviewStatus.IN_PROGRESS.value, _("In progress")


class Anchor(TextChoices):
    """What a rule counts its minutes from."""

    INVITED = "invited", _("the invitation")
    DEADLINE = "deadline", _("the end of the invitation")
    BOOKED = "booked", _("the booking")
    START = "start", _("the start")
    END = "end", _("the end")


class What(TextChoices):
    MESSAGE = "message", _("Write to the candidate")
    FOLLOW_UP = "follow_up", _("Follow-up for HR")
    TROUBLE = "trouble", _("Ask the candidate whether there is trouble")
    CLOSE = "close", _("Close the window: missed, or incomplete")


class Words(TextChoices):
    """What the candidate is written: the events of the messages."""

    NOT_OPENED = "invitation_reminder", _("The invitation waits to be opened")
    ENDING = "invitation_ends", _("The invitation ends soon")
    APPOINTMENT = "interview_reminder", _("The appointment, to confirm, move or cancel")


class Unless(TextChoices):
    """What makes a rule needless."""

    NEVER = "", pgettext_lazy("an exception", "none")
    OPENED = "opened", _("the invitation was opened")
    CONFIRMED = "confirmed", _("the candidate has confirmed")


class Whom(TextChoices):
    """Which interviews a rule is for."""

    EVERYBODY = "", pgettext_lazy("for whom", "everybody")
    HELP = "help", _("those who may need help")


class Channels(TextChoices):
    BOTH = "both", _("Text message and email")
    SMS = "sms", _("Text message")
    EMAIL = "email", _("Email")


class Outcome(TextChoices):
    """What became of a step."""

    SENT = "sent", pgettext_lazy("a step", "Sent")
    FOLLOWED_UP = "followed_up", _("HR has it to do")
    CLOSED = "closed", _("Window closed")
    LEFT_TO_HR = "left_to_hr", _("Left to HR")
    NOT_NEEDED = "not_needed", _("Not needed any more")
    OVERTAKEN = "overtaken", _("Overtaken by what happened")
    TOO_LATE = "too_late", _("Too late to be of use")


class Doubt(TextChoices):
    """Why nobody is put down as missing by the clock alone, and HR looks instead."""

    TROUBLE = "trouble_reported", _("The candidate told of trouble at the start.")
    NOT_DELIVERED = "not_delivered", _("Nothing we wrote about it is known to have arrived.")
    FAULT = "platform_fault", _("It failed on our side or on the platform.")
    NOT_SEEN = "attendance_unknown", _("It takes place where we do not see who came.")


@dataclass(frozen=True)
class Plan:
    """What a rule says, as far as the clock is concerned."""

    is_active: bool
    when: str
    what: str
    offset: timedelta
    unless: str = Unless.NEVER
    useful: timedelta | None = None  # how late it is still of use; None: always


@dataclass(frozen=True)
class Facts:
    """How an interview stands at the moment of looking."""

    status: str
    anchor_at: datetime | None
    pointless_from: datetime | None  # a message: the start or the deadline it tells of
    was_opened: bool = False
    is_confirmed: bool = False
    trouble_told: bool = False
    contact_wrong: bool = False
    is_seen: bool = True  # we would know if they had come
    open_until: datetime | None = None  # a window: its own end, the door, time to answer


@dataclass(frozen=True)
class Look:
    """Act now (neither), look again `later`, or be done with an `outcome`."""

    outcome: Outcome | None = None
    later: datetime | None = None

    @property
    def acts(self) -> bool:
        return self.outcome is None and self.later is None


ACT = Look()


def look(plan: Plan, facts: Facts, *, planned_for: datetime, now: datetime) -> Look:
    """What to do with a step planned for the anchor time `planned_for`."""
    if not plan.is_active or facts.anchor_at != planned_for:
        return Look(Outcome.OVERTAKEN)
    if facts.status != plan.when:
        return _elsewhere(plan, facts, now)
    due = planned_for.astimezone(UTC) + plan.offset  # hours, whatever the clocks do meanwhile
    if due > now:  # the rule has been changed since
        return Look(later=due)
    if plan.useful is not None and now > due + plan.useful:
        return Look(Outcome.TOO_LATE)
    match plan.what:
        case What.MESSAGE | What.TROUBLE:
            return _message(plan, facts, now)
        case What.FOLLOW_UP:
            return Look(Outcome.NOT_NEEDED) if _is_needless(plan, facts) else ACT
    if facts.open_until is not None and facts.open_until > now:
        return Look(later=facts.open_until)
    return ACT


def _elsewhere(plan: Plan, facts: Facts, now: datetime) -> Look:
    """While a request is pending nobody is missing, but the window is still to be closed."""
    pending = {
        When.BOOKED: InterviewStatus.CANCELLING,
        When.STARTED: InterviewStatus.EXITING,
    }
    if plan.what == What.CLOSE and facts.status == pending.get(When(plan.when)):
        return Look(later=now + AGAIN)
    return Look(Outcome.OVERTAKEN)


def _message(plan: Plan, facts: Facts, now: datetime) -> Look:
    if plan.what == What.TROUBLE and (facts.trouble_told or not facts.is_seen):
        return Look(Outcome.NOT_NEEDED)
    if facts.pointless_from is not None:
        if plan.what == What.MESSAGE and facts.pointless_from <= now:
            return Look(Outcome.TOO_LATE)
        if plan.what == What.TROUBLE and facts.pointless_from > now:  # whatever the rule says
            return Look(later=facts.pointless_from)
    if _is_needless(plan, facts):
        return Look(Outcome.NOT_NEEDED)
    if facts.contact_wrong:  # the clock stands still until HR has found them
        return Look(later=now + AGAIN)
    return ACT


def _is_needless(plan: Plan, facts: Facts) -> bool:
    match plan.unless:
        case Unless.OPENED:
            return facts.was_opened
        case Unless.CONFIRMED:
            return facts.is_confirmed
    return False


@dataclass(frozen=True)
class Window:
    """What is known when the window of an appointment closes."""

    is_seen: bool  # we would know if they had come
    was_told: bool  # something we wrote about it has arrived
    our_fault: bool
    trouble_told: bool


def doubt(window: Window) -> Doubt | None:
    """Why HR has to look before anybody is put down as missing; None where nothing speaks for
    them."""
    if window.trouble_told:
        return Doubt.TROUBLE
    if window.our_fault:
        return Doubt.FAULT
    if not window.was_told:
        return Doubt.NOT_DELIVERED
    return None if window.is_seen else Doubt.NOT_SEEN
