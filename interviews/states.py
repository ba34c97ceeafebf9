"""The states of an interview, and the groups of them other code asks for."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class InterviewStatus(TextChoices):
    INVITED = "invited", _("Invited")
    BOOKED = "booked", _("Booked")
    CANCELLING = "cancelling", _("Cancelling")
    CANCELLED = "cancelled", _("Cancelled")
    IN_PROGRESS = "in_progress", _("In progress")
    EXITING = "exiting", _("Leaving")
    WITHDRAWN = "withdrawn", _("Left")
    COMPLETED = "completed", _("Completed")
    INCOMPLETE = "incomplete", _("Incomplete")
    NO_SHOW = "no_show", _("Missed")


UPCOMING = frozenset({InterviewStatus.INVITED, InterviewStatus.BOOKED, InterviewStatus.CANCELLING})
CANCELLABLE = frozenset({InterviewStatus.INVITED, InterviewStatus.BOOKED})
UNDER_WAY = frozenset({InterviewStatus.IN_PROGRESS, InterviewStatus.EXITING})
ENDED = frozenset(InterviewStatus) - UPCOMING - UNDER_WAY
HOLDS_A_SLOT = frozenset({InterviewStatus.BOOKED, InterviewStatus.CANCELLING}) | UNDER_WAY
# How an invitation can end before anything is booked.
ENDS_AN_INVITATION = ENDED - {InterviewStatus.COMPLETED, InterviewStatus.INCOMPLETE}
REINSTATABLE = frozenset(
    {
        InterviewStatus.CANCELLED,
        InterviewStatus.WITHDRAWN,
        InterviewStatus.NO_SHOW,
        InterviewStatus.INCOMPLETE,
    }
)
