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


OPTIONAL = (Group.REMINDERS, Group.OFFERS, Group.NEWS)


@dataclass(frozen=True)
class Event:
    """`can_wait`: quiet hours hold it back, though never past its deadline."""

    group: Group
    can_wait: bool = False

    @property
    def is_optional(self) -> bool:
        return self.group in OPTIONAL


_ACCOUNT = Event(Group.ACCOUNT)
_INTERVIEW = Event(Group.INTERVIEW)
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
    "work_escalated": _WORK,
    "work_reminder": _WORK,
}

# What these say opens an account: they are not kept once they are of no more use, nor copied.
SECRET_EVENTS = frozenset(
    {"sign_in_code", "password_reset_code", "password_reset", "staff_invited"}
)


def kind_of(event: str) -> Event:
    return EVENTS.get(event, _INTERVIEW)
