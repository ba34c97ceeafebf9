"""Finding an interview by what somebody has at hand: a reference, a name, a number."""

import unicodedata
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db.models import Exists, F, OuterRef, Value
from django.db.models.functions import Collate, Concat, Upper

from accounts import identifiers
from accounts.models import User
from accounts.permissions import READ_DETAIL, Role
from candidates.models import Candidate
from interviews.queries import visible_to

LONGEST = 200
PREFIX = 2  # letters from which on a name may go on; of a Chinese name the surname is enough
MOST = 50  # people
_LAST = "\U0010ffff"  # sorts after every character


@dataclass(frozen=True)
class Found:
    """Candidates with an interview the searcher may see, at most MOST; `more` where there are
    others of such a name."""

    people: tuple[int, ...] = ()
    more: bool = False


def tidy(text: str) -> str:
    """What was typed, without what nobody means: full-width letters, white space, NUL."""
    return unicodedata.normalize("NFKC", text.replace("\x00", "")).strip()


def find_people(text: str, user: User) -> Found:
    """By whole mobile number, ID number or email address, where `user` may read those; else by
    name, whole or its beginning."""
    text = tidy(text)
    if not text or len(text) > LONGEST:
        return Found()
    try:
        identifier = identifiers.parse(text)
    except ValidationError:
        return _by_name(text, user)
    owner = User.objects.find(identifier) if user.has_perm(READ_DETAIL) else None
    if owner is None:
        return Found()
    return _found(_within_sight(user).filter(user=owner).values_list("pk", flat=True))


def _by_name(text: str, user: User) -> Found:
    first = Collate(Upper(Value(text)), "C")
    goes_on = len(text) >= PREFIX or not text.isascii()
    last = Collate(Concat(Upper(Value(text)), Value(_LAST)), "C") if goes_on else first
    named = (
        _within_sight(user)
        .annotate(folded=Collate(Upper(F("user__name")), "C"))
        .filter(folded__gte=first, folded__lte=last, user__role=Role.CANDIDATE)
    )
    return _found(named.order_by("folded", "pk").values_list("pk", flat=True))


def _within_sight(user: User):  # type: ignore[no-untyped-def]
    own = visible_to(user).filter(application__candidate=OuterRef("pk"))
    return Candidate.objects.filter(Exists(own))


def _found(people) -> Found:  # type: ignore[no-untyped-def]
    found = list(people[: MOST + 1])
    return Found(tuple(found[:MOST]), more=len(found) > MOST)


def interviews_of(people: tuple[int, ...], user: User) -> list[str]:
    """The references of up to two of their interviews that `user` may see: one leads there."""
    own: list[str] = list(
        visible_to(user)
        .filter(application__candidate__in=people)
        .values_list("reference", flat=True)[:2]
    )
    return own
