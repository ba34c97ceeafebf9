"""Tokens that administrators issue to other systems, and revoke."""

import secrets
from collections.abc import Collection
from datetime import datetime
from uuid import uuid4

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone, translation

from accounts import tokens
from accounts.models import ApiToken, User
from accounts.permissions import MANAGE_CONNECTIONS, allows
from accounts.scopes import NEEDS
from notifications.services import Notice, notify


class OutOfReach(Exception):
    """The role of who the token would act as does not hold what these scopes need."""

    def __init__(self, scopes: Collection[str]) -> None:
        super().__init__(", ".join(scopes))
        self.scopes = list(scopes)


@transaction.atomic
def issue_token(
    name: str, *, acts_as: User, scopes: Collection[str], expires_at: datetime, by: User
) -> tuple[ApiToken, str]:
    """A new token and its secret, which nobody can see again; who it acts as is told.

    Raises PermissionDenied, OutOfReach.
    """
    if not allows(by, MANAGE_CONNECTIONS) or not acts_as.works_at_desk:
        raise PermissionDenied
    if useless := [scope for scope in scopes if not allows(acts_as, NEEDS[scope])]:
        raise OutOfReach(useless)
    secret = tokens.PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        name=name,
        user=acts_as,
        scopes=sorted(scopes),
        hint=secret[: len(tokens.PREFIX) + 4],
        digest=tokens.digest(secret),
        expires_at=expires_at,
        created_by=by,
    )
    notify(issued(token))
    return token, secret


def revoke_token(token_id: int, *, by: User) -> ApiToken:
    """From this moment the token opens nothing. Revoking again changes nothing. Raises
    PermissionDenied, ApiToken.DoesNotExist."""
    if not allows(by, MANAGE_CONNECTIONS):
        raise PermissionDenied
    ApiToken.objects.filter(pk=token_id, revoked_at=None).update(
        revoked_at=timezone.now(), revoked_by=by
    )
    return ApiToken.objects.get(pk=token_id)


def issued(token: ApiToken) -> Notice:
    """To whom the token acts as: what is done with it stands in the history under their name."""
    user = token.user
    return Notice(
        event="token_issued",
        channel="desk",
        recipient=f"user:{user.pk}",
        address="",
        language=user.language or translation.get_language() or "",
        subject=f"user:{user.pk}",
        dedupe_key=f"token_issued:{uuid4().hex}",
        time_zone=user.time_zone,
        params={"name": token.name, "by": token.created_by.name},
    )
