"""Who did something, in words: history and messages know people, and what no person did, by codes
such as user:12."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from accounts.models import User
from interviews.history import SYSTEM
from interviews.imports.store import ACTOR as IMPORT


def names_of(codes: Iterable[str]) -> dict[str, str]:
    """The names of the people among these, by code; one query."""
    numbers = {code.removeprefix("user:") for code in codes if code.startswith("user:")}
    known = [int(each) for each in numbers if each.isdecimal() and len(each) < 19]
    people = User.objects.filter(pk__in=known)
    return {f"user:{pk}": name for pk, name in people.values_list("pk", "name")}


def who(code: str, names: dict[str, str]) -> str:
    automatic = {SYSTEM: _("The rule"), IMPORT: _("An import")}
    return automatic.get(code) or names.get(code, code)
