"""What kind of message each event is: whether people may do without it, and whether it can wait.

Who adds an event adds it here; one that is not here is sent to everybody at once.
"""

from dataclasses import dataclass

from django.db.models import TextChoices
from django.utils.translation import pgettext_lazy


class Group(TextChoices):
    """Messages that people think of as one, and choose together."""

    ACCOUNT = "account", pgettext_lazy("messages", "Signing in and your account")
    INTERVIEW = "interview", pgettext_lazy("messages", "What happens to your interviews")
    REMINDERS = "reminders", pgettext_lazy("messages", "Reminders")
    OFFERS = "offers", pgettext_lazy("messages", "Times that came free")
    NEWS = "news", pgettext_lazy("messages", "Positions that fit you")
    WORK = "work", pgettext_lazy("messages", "Work at the desk")
    FIGURES = "figures", pgettext_lazy("messages", "The week in figures")


OF_CANDIDATES = (Group.REMINDERS, Group.OFFERS, Group.NEWS)
OPTIONAL = (*OF_CANDIDATES, Group.FIGURES)
# Of these a day brings only so many. Reminders are about what the reader has agreed to: they may be
# switched off, but never fall away because something else was offered that day.
CAPPED = (Group.OFFERS, Group.NEWS)


@dataclass(frozen=True)
class Event:
    """`can_wait`: quiet hours hold it back, though never past its deadline. That is the first of
    the parameters `until` that has a time, unless the notice names one."""

    group: Group
    can_wait: bool = False
    until: tuple[str, ...] = ()

    @property
    def is_optional(self) -> bool:
        return self.group in OPTIONAL

    @property
    def is_capped(self) -> bool:
        return self.group in CAPPED


_ACCOUNT = Event(Group.ACCOUNT)
_INTERVIEW = Event(Group.INTERVIEW)
_REMINDER = Event(Group.REMINDERS, can_wait=True, until=("deadline_at", "starts_at"))
_WORK = Event(Group.WORK)

EVENTS: dict[str, Event] = {
    "sign_in_code": _ACCOUNT,
    "password_reset_code": _ACCOUNT,
    "password_reset": _ACCOUNT,
    "password_changed": _ACCOUNT,
    "exit_code": _ACCOUNT,
    "staff_invited": _ACCOUNT,
    "access_changed": _ACCOUNT,
    "cancellation_received": _INTERVIEW,
    "cancellation_done": _INTERVIEW,
    "cancellation_declined": _INTERVIEW,
    "company_cancelled": _INTERVIEW,
    "exit_received": _INTERVIEW,
    "exit_done": _INTERVIEW,
    "exit_declined": _INTERVIEW,
    "booked_again": _INTERVIEW,
    "interview_reinstated": _INTERVIEW,
    "status_corrected": _INTERVIEW,
    "interview_invited": _INTERVIEW,
    "interview_booked": _INTERVIEW,
    "interview_moved": _INTERVIEW,
    "invitation_declined": _INTERVIEW,
    "trouble_asked": _INTERVIEW,
    "interview_missed": _INTERVIEW,
    "absence_excused": _INTERVIEW,
    "interview_rebooked": _INTERVIEW,
    "mark_set": _INTERVIEW,
    "appeal_decided": _INTERVIEW,
    "document_rejected": _INTERVIEW,
    "documents_accepted": _INTERVIEW,
    "documents_missing": Event(Group.INTERVIEW, can_wait=True),
    "application_ended": _INTERVIEW,
    "interview_reminder": _REMINDER,
    "invitation_reminder": _REMINDER,
    "invitation_ends": _REMINDER,
    "place_offered": Event(Group.OFFERS, can_wait=True, until=("held_at",)),
    "absence_to_decide": _WORK,
    "alert_opened": _WORK,
    "alert_closed": _WORK,
    "alert_waiting": _WORK,
    "appeal_to_decide": _WORK,
    "interview_moved_staff": _WORK,
    "invitation_declined_staff": _WORK,
    "place_refilled": _WORK,
    "cancellation_to_decide": _WORK,
    "cancellation_taken_back": _WORK,
    "candidate_booked_again": _WORK,
    "candidate_left": _WORK,
    "company_cancelled_many": _WORK,
    "company_cancelled_one": _WORK,
    "decision_escalated": _WORK,
    "decision_reminder": _WORK,
    "exit_taken_back": _WORK,
    "exit_to_decide": _WORK,
    "interview_cancelled": _WORK,
    "interview_reinstated_staff": _WORK,
    "interviewer_released": _WORK,
    "interviewer_released_many": _WORK,
    "position_cancellation": _WORK,
    "position_exit": _WORK,
    "token_issued": _WORK,
    "webhook_switched_off": _WORK,
    "weekly_summary": Event(Group.FIGURES, can_wait=True),
    "work_escalated": _WORK,
    "work_reminder": _WORK,
}

# What these say opens an account: they are not kept once they are of no more use, nor copied.
SECRET_EVENTS = frozenset(
    {"sign_in_code", "password_reset_code", "password_reset", "staff_invited"}
)


def kind_of(event: str) -> Event:
    return EVENTS.get(event, _INTERVIEW)
