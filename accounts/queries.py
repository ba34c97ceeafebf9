"""Reads."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts.identifiers import Identifier, IdentifierKind, masked
from accounts.models import User


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
