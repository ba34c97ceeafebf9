"""Writing down what was done about a finding."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction

from accounts.models import User
from analytics.findings.models import Action
from analytics.findings.queries import may_change, may_log
from config.tracking import act_as

SAID = (
    *("found", "measure", "scope", "department", "position", "source", "kind", "since", "until"),
    *("done", "note", "done_on"),
)


@transaction.atomic
def log_action(action: Action, *, by: User) -> Action:
    """Keep what was done, with what the figures said; `action` was checked against what `by` sees.
    The same sent again, by going back or loading anew, is the one there is.

    Raises PermissionDenied.
    """
    if not may_log(by):
        raise PermissionDenied
    same = {name: getattr(action, name) for name in SAID}
    if logged := Action.objects.filter(logged_by=by, **same).first():
        return logged
    act_as(f"user:{by.pk}")
    action.logged_by = by
    action.save()
    return action


@transaction.atomic
def change_action(action_id: int, *, by: User, **changed: Any) -> Action:
    """What was done, when, and the note; what it concerns and the figures of then stay.

    Raises PermissionDenied.
    """
    action = _locked(action_id, by)
    for name, value in changed.items():
        setattr(action, name, value)
    action.save(update_fields=[*changed])
    return action


@transaction.atomic
def remove_action(action_id: int, *, by: User) -> None:
    """Raises PermissionDenied."""
    _locked(action_id, by).delete()


def _locked(action_id: int, by: User) -> Action:
    action = Action.objects.select_for_update(of=("self",)).get(pk=action_id)
    if not may_change(by, action):
        raise PermissionDenied
    act_as(f"user:{by.pk}")
    return action
