"""Who may do what: a role is a set of permissions, and this page is the whole list."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.db.models import TextChoices
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
IMPORT_INTERVIEWS = "interviews.import_interviews"

PERMISSIONS: dict[str, frozenset[str]] = {
    Role.CANDIDATE: frozenset(),
    Role.DEPARTMENT_VIEWER: frozenset({VIEW_DESK}),
    Role.RECRUITER: frozenset({VIEW_DESK, READ_DETAIL}),
    Role.HR_LEAD: frozenset({VIEW_DESK, READ_DETAIL, DECIDE_CANCELLATION}),
    Role.ADMINISTRATOR: frozenset({VIEW_DESK, READ_DETAIL, DECIDE_CANCELLATION, IMPORT_INTERVIEWS}),
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
