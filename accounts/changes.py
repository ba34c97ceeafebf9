"""What is changed about somebody's access is written down, and the person concerned is told."""

from typing import Any

from accounts import notices
from accounts.models import AccessChange, AccessChangeKind, User
from notifications.services import notify


def record(
    person: User, kind: AccessChangeKind, *, by: User | None, tell: bool = True, **details: Any
) -> None:
    """In the caller's transaction. `tell` by email, unless another message says so already."""
    AccessChange.objects.create(person=person, by=by, kind=kind, details=details)
    if tell and person.email:
        notify(notices.access_changed(person, kind, by_somebody=by != person, details=details))
