"""Reads: what somebody may see of alerts, and what those are called that they are about."""

from collections.abc import Iterable

from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.permissions import EDIT_POLICIES
from analytics.alerts.models import Alert, AlertQuerySet, AlertRule, Key, Whose
from cancellations.desk_filters import OUR_OWN
from interviews.imports.answers import source_title
from interviews.models import Department, Position
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


def names_of(scope: str, keys: Iterable[Key]) -> dict[Key, str]:
    """One query for all of them. What is no longer there has no name."""
    keys = set(keys)
    if scope == Whose.COMPANY:
        return {key: _("The whole company") for key in keys}
    if scope == Whose.SOURCE:
        return {key: source_name(key.source) for key in keys}
    known = _titles(scope, {key.owner for key in keys})
    return {key: known.get(key.owner, _("not known any more")) for key in keys}


def source_name(source: str) -> str:
    return (source_title(source) or source) if source else str(OUR_OWN)


def _titles(scope: str, owners: set[int]) -> dict[int, str]:
    if scope == Whose.DEPARTMENT:
        return dict(Department.objects.filter(pk__in=owners).values_list("pk", "name"))
    return dict(Position.objects.filter(pk__in=owners).values_list("pk", "title"))


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
