"""Reads: what somebody may see of alerts, and whose they are."""

from collections.abc import Iterable

from django.db.models import Q

from accounts.models import User
from accounts.permissions import EDIT_POLICIES
from analytics.alerts.models import Alert, AlertQuerySet, AlertRule, Key, Whose
from interviews.models import Position
from interviews.queries import departments_of, sees_everything


def visible_alerts(user: User) -> AlertQuerySet:
    """Of one's departments and their positions; of the company and its sources, administrators."""
    alerts = Alert.objects.all()
    if sees_everything(user):
        return alerts
    mine = departments_of(user).values("pk")
    positions = Position.objects.filter(department__in=mine).values("pk")
    return alerts.filter(
        Q(scope=Whose.DEPARTMENT, owner__in=mine) | Q(scope=Whose.POSITION, owner__in=positions)
    )


def watching() -> list[AlertRule]:
    return list(AlertRule.objects.filter(is_active=True))


def may_read_rules(user: User) -> bool:
    return user.has_perm(EDIT_POLICIES)


def may_edit_rules(user: User) -> bool:
    """They hold for the whole company, so who works with some departments only reads them."""
    return may_read_rules(user) and sees_everything(user)


def departments_concerned(scope: str, keys: Iterable[Key]) -> dict[Key, int]:
    """Whose it is to see to them; none for the company and its sources."""
    keys = list(keys)
    if scope == Whose.DEPARTMENT:
        return {key: key.owner for key in keys}
    if scope == Whose.POSITION:
        positions = Position.objects.filter(pk__in=[key.owner for key in keys])
        found = dict(positions.values_list("pk", "department_id"))
        return {key: found[key.owner] for key in keys if key.owner in found}
    return {}
