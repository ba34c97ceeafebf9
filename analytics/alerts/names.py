"""What the places are called that alerts are about."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from analytics.alerts.models import Key, Whose
from cancellations.desk_filters import OUR_OWN
from interviews.imports.answers import source_title
from interviews.models import Department, Position


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
