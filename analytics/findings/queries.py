"""Reads of actions: every one begins from what this user may see."""

from django.db.models import Q, QuerySet

from accounts.models import User
from accounts.permissions import EDIT_POLICIES, HANDLE_WORK
from analytics import figures
from analytics.figures import Filter
from analytics.findings.codes import Side
from analytics.findings.models import ANY, Action
from interviews.queries import departments_of, sees_everything


def visible_actions(user: User) -> QuerySet[Action]:
    """Those of one's departments: of the one a position is in now, or was in before it was removed.
    All of them to who sees the whole company."""
    actions = Action.objects.select_related("department", "position__department", "logged_by")
    if sees_everything(user):
        return actions
    own = departments_of(user).values("pk")
    return actions.filter(Q(position__department__in=own) | Q(position=None, department__in=own))


def may_log(user: User) -> bool:
    return user.has_perm(HANDLE_WORK)


def may_change(user: User, action: Action) -> bool:
    """Who logged it, and who leads the departments it can be seen in."""
    if not may_log(user):
        return False
    return action.logged_by_id == user.pk or user.has_perm(EDIT_POLICIES)


def chosen_by(action: Action, user: User) -> Filter | None:
    """The interviews it is about, as far as this user may see them; None where what it was about is
    there no more."""
    narrowed: dict[str, int] = {}
    if action.scope == Side.POSITION:
        if action.position_id is None:
            return None
        narrowed = {"position": action.position_id}
    elif action.scope == Side.DEPARTMENT:
        if action.department_id is None:
            return None
        narrowed = {"department": action.department_id}
    source = None if action.source == ANY else action.source
    return figures.filter_for(user, **narrowed, source=source, kind=action.kind or None)
