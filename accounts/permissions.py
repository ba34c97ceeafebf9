"""Who may do what: a role is a set of permissions, and this page is the whole list."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django_fsm import TransitionNotAllowed, can_proceed, has_transition_perm

if TYPE_CHECKING:
    from accounts.models import User


class Role(TextChoices):
    CANDIDATE = "candidate", _("Candidate")
    RECRUITER = "recruiter", _("Recruiter")
    HR_LEAD = "hr_lead", _("HR lead")
    DEPARTMENT_VIEWER = "department_viewer", _("Department viewer")
    ADMINISTRATOR = "administrator", _("Administrator")


STAFF_ROLES = frozenset({Role.RECRUITER, Role.HR_LEAD, Role.DEPARTMENT_VIEWER, Role.ADMINISTRATOR})

VIEW_DESK = "accounts.view_desk"
DECIDE_CANCELLATION = "cancellations.decide_cancellation"
# What candidates tell HR alone: their words, and how to reach them.
READ_DETAIL = "cancellations.read_detail"
CANCEL_FOR_COMPANY = "cancellations.cancel_for_company"
EDIT_POLICIES = "cancellations.edit_policies"
CORRECT_INTERVIEWS = "interviews.correct_interviews"
EXPORT_INTERVIEWS = "interviews.export_interviews"
READ_HISTORY = "interviews.read_history"
MANAGE_SLOTS = "interviews.manage_slots"
IMPORT_INTERVIEWS = "interviews.import_interviews"
MANAGE_STAFF = "accounts.manage_staff"
HANDLE_WORK = "notifications.handle_work"
SET_MARK = "candidates.set_mark"
DECIDE_APPEAL = "candidates.decide_appeal"
MANAGE_CONNECTIONS = "notifications.manage_connections"  # API tokens, webhooks and group chats
READ_MESSAGES = "notifications.read_messages"
EDIT_MESSAGES = "notifications.edit_messages"  # for the whole company: messages know no departments

_VIEWER = frozenset({VIEW_DESK, READ_HISTORY})
_RECRUITER = _VIEWER | {
    READ_DETAIL,
    HANDLE_WORK,
    CANCEL_FOR_COMPANY,
    CORRECT_INTERVIEWS,
    EXPORT_INTERVIEWS,
    MANAGE_SLOTS,
    SET_MARK,
}
_LEAD = _RECRUITER | {DECIDE_CANCELLATION, EDIT_POLICIES, DECIDE_APPEAL, READ_MESSAGES}

PERMISSIONS: dict[str, frozenset[str]] = {
    Role.CANDIDATE: frozenset(),
    Role.DEPARTMENT_VIEWER: _VIEWER,
    Role.RECRUITER: _RECRUITER,
    Role.HR_LEAD: _LEAD,
    Role.ADMINISTRATOR: _LEAD
    | {IMPORT_INTERVIEWS, MANAGE_STAFF, MANAGE_CONNECTIONS, EDIT_MESSAGES},
}

# As the page that tells who may do what says it.
LABELS: dict[str, Promise] = {
    VIEW_DESK: _("Open the desk: see the departments' interviews and requests"),
    READ_HISTORY: _("Read the history of the departments' interviews"),
    READ_DETAIL: _("Read what candidates write, and how to reach them"),
    HANDLE_WORK: _("Take on, pass on and settle what waits in the queue"),
    MANAGE_SLOTS: _("Offer times; invite, book and move for candidates"),
    CORRECT_INTERVIEWS: _("Correct a status by hand, reinstate an interview"),
    CANCEL_FOR_COMPANY: _("Cancel interviews for the company"),
    EXPORT_INTERVIEWS: _("Export lists of interviews"),
    DECIDE_CANCELLATION: _("Decide late cancellations"),
    SET_MARK: _("Put an absence on a candidate’s record"),
    DECIDE_APPEAL: _("Decide appeals against marks that others have set"),
    EDIT_POLICIES: _("Write and switch the rules for cancelling"),
    READ_MESSAGES: _("Read the words of messages"),
    EDIT_MESSAGES: _("Write the words of messages"),
    IMPORT_INTERVIEWS: _("Import records"),
    MANAGE_STAFF: _("Give roles and departments to staff"),
    MANAGE_CONNECTIONS: _("Issue API tokens, set up webhooks and group chats"),
}

# What the Django admin asks for, one per model and action.
MODEL_ACTIONS = ("view_", "add_", "change_", "delete_")


def allows(user: "User", permission: str) -> bool:
    """Whether the role of `user` carries `permission`; superusers everything, inactive nothing.

    Administrators hold the Django admin's permissions on every model beside their own.
    """
    if not user.is_active:
        return False
    if user.is_superuser or permission in PERMISSIONS[user.role]:
        return True
    action = permission.partition(".")[2]
    return user.role == Role.ADMINISTRATOR and action.startswith(MODEL_ACTIONS)


def of(user: "User") -> list[Promise]:
    """What somebody may do, in words."""
    return [label for permission, label in LABELS.items() if allows(user, permission)]


def require_permission(transition: Callable[..., Any], user: "User | None") -> None:
    """Raise PermissionDenied unless `user` may take this bound transition, TransitionNotAllowed
    where nobody can any more.

    django-fsm does not look at `permission=` when a transition is called, so services do; and it
    denies permission where the state forbids the move, which is not the same answer. `None` is the
    system acting by a policy.
    """
    if not can_proceed(transition):
        raise TransitionNotAllowed
    if user is not None and not has_transition_perm(transition, user):
        raise PermissionDenied
