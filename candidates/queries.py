"""Reads of a candidate's record."""

from datetime import datetime

from accounts.models import User
from candidates.models import Mark, MarkState

STANDING = [MarkState.ACTIVE, MarkState.APPEALED]


def own_marks(user: User) -> list[Mark]:
    """Everything that was ever held against them, the newest first, with their appeals."""
    marks = Mark.objects.filter(candidate__user=user).select_related("appealed_by")
    return list(marks.defer("appealed_by__file").order_by("-set_at"))


def overdue(now: datetime, *, at_most: int) -> list[str]:
    """The marks whose time has passed, by reference."""
    marks = Mark.objects.filter(state__in=STANDING, expires_at__lte=now).order_by("expires_at")
    return list(marks.values_list("reference", flat=True)[:at_most])
