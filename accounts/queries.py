"""Reads."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from accounts import two_step
from accounts.identifiers import Identifier, IdentifierKind, masked
from accounts.models import User
from accounts.permissions import STAFF_ROLES, Role


@dataclass(frozen=True)
class WayIn:
    """One thing a person may sign in by, masked."""

    label: str
    value: str


def ways_in(user: User) -> list[WayIn]:
    known = [
        (_("Mobile number"), IdentifierKind.MOBILE, user.mobile),
        (_("ID number"), IdentifierKind.NATIONAL_ID, user.national_id),
        (_("Email address"), IdentifierKind.EMAIL, user.email),
    ]
    return [WayIn(label, masked(Identifier(kind, value))) for label, kind, value in known if value]


def staff() -> QuerySet[User]:
    """Everybody who works at the desk or did: those switched off as well."""
    return User.objects.filter(Q(role__in=STAFF_ROLES) | Q(is_superuser=True)).defer("national_id")


def administrators() -> QuerySet[User]:
    """Those who may give roles, now."""
    return staff().filter(Q(role=Role.ADMINISTRATOR) | Q(is_superuser=True), is_active=True)


def people(*, text: str = "", role: str = "", state: str = "") -> QuerySet[User]:
    """Staff by name, narrowed to a piece of name or address, a role, a state; each `has_step`."""
    found = staff().annotate(has_step=Exists(two_step.authenticators().filter(user=OuterRef("pk"))))
    if text:
        found = found.filter(Q(name__icontains=text) | Q(email__icontains=text))
    if role:
        found = found.filter(role=role)
    match state:
        case "active":
            found = found.filter(is_active=True)
        case "inactive":
            found = found.filter(is_active=False)
        case "no-second-step":
            found = found.filter(is_active=True, has_step=False)
    return found.prefetch_related("departments").order_by("name", "pk")


def departments() -> QuerySet[Any]:
    """Every department there is. Departments name their staff and stand above this app, which
    knows them by that relation alone."""
    return User._meta.get_field("departments").related_model._default_manager.all()


def active_per_role() -> dict[str, int]:
    """How many active people hold each role of staff."""
    held = staff().filter(is_active=True).values_list("role").annotate(count=Count("pk"))
    nobody = {str(role): 0 for role in STAFF_ROLES}
    return nobody | dict(held.order_by())
