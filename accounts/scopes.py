"""What a token of the API may be let do. A scope never grants what the role of the person does not:
it only takes away."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from accounts.permissions import (
    CANCEL_FOR_COMPANY,
    DECIDE_CANCELLATION,
    EDIT_POLICIES,
    HANDLE_WORK,
    MANAGE_SLOTS,
    READ_HISTORY,
    VIEW_DESK,
)


class Scope(TextChoices):
    READ_INTERVIEWS = "interviews:read", _("Read and search interviews")
    CANCEL_INTERVIEWS = "interviews:cancel", _("Cancel interviews for the company")
    BOOK_INTERVIEWS = "interviews:book", _("Add slots, invite, book and move interviews")
    READ_CANCELLATIONS = "cancellations:read", _("Read cancellations")
    DECIDE_CANCELLATIONS = "cancellations:decide", _("Decide late cancellations")
    READ_WORK = "work:read", _("Read the queue")
    DO_WORK = "work:write", _("Claim and settle what is in the queue")
    READ_POLICIES = "policies:read", _("Read the rules for cancelling")
    READ_HISTORY = "history:read", _("Read the history")
    READ_FIGURES = "figures:read", _("Read figures")


ANY = ""  # every token may

# Without this permission of the person, the scope is of no use.
NEEDS: dict[str, str] = {
    Scope.READ_INTERVIEWS: VIEW_DESK,
    Scope.CANCEL_INTERVIEWS: CANCEL_FOR_COMPANY,
    Scope.BOOK_INTERVIEWS: MANAGE_SLOTS,
    Scope.READ_CANCELLATIONS: VIEW_DESK,
    Scope.DECIDE_CANCELLATIONS: DECIDE_CANCELLATION,
    Scope.READ_WORK: VIEW_DESK,
    Scope.DO_WORK: HANDLE_WORK,
    Scope.READ_POLICIES: EDIT_POLICIES,
    Scope.READ_HISTORY: READ_HISTORY,
    Scope.READ_FIGURES: VIEW_DESK,
}
