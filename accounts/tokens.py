"""How callers of the API say who they are, what their token lets them do, and how often they may
call.

There are two kinds of token: the one a person gets for a password, which may whatever the person
may; and those administrators issue to other systems (ApiToken), which act as a member of staff
within their scopes.
"""

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _
from drf_spectacular.authentication import SessionScheme as BaseSessionScheme
from rest_framework.authentication import SessionAuthentication as BaseSessionAuthentication
from rest_framework.authentication import TokenAuthentication as BaseTokenAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request
from rest_framework.throttling import UserRateThrottle

from accounts import services
from accounts.models import ApiToken, User

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which itself needs this module first

PREFIX = "mianyue_"  # tells an issued token apart at a glance, and to scanners for leaked secrets
SEEN_EVERY = timedelta(minutes=1)  # how exact "last used" is


class TokenExpired(AuthenticationFailed):
    default_code = "token_expired"
    default_detail = _("This token has run out. Ask an administrator for a new one.")


class TokenRevoked(AuthenticationFailed):
    default_code = "token_revoked"
    default_detail = _("This token was revoked. Ask an administrator for a new one.")


def digest(secret: str) -> str:
    """What is kept of a secret. It has 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


class SecondStepMissing(PermissionDenied):
    default_code = "second_step_missing"
    title = _("A second step is missing")
    default_detail = _("Your company asks for a second step of signing in. Set one up at the desk.")


class SessionAuthentication(BaseSessionAuthentication):
    """The session of somebody in a browser, with the second step the company asks for."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        found = super().authenticate(request)
        if found and services.second_step_missing(request._request):
            raise SecondStepMissing
        return found


class SessionScheme(BaseSessionScheme):  # type: ignore[no-untyped-call]
    """How the API's document names it."""

    target_class = "accounts.tokens.SessionAuthentication"


class TokenAuthentication(BaseTokenAuthentication):
    """`Authorization: Token …`. Answers in the person's own language unless the caller asks for
    one with Accept-Language."""

    def authenticate(self, request: Request) -> tuple[User | AnonymousUser, Any] | None:
        found = super().authenticate(request)
        if found and found[0].language and "Accept-Language" not in request.headers:
            translation.activate(found[0].language)
        return found

    def authenticate_credentials(self, key: str) -> tuple[User | AnonymousUser, Any]:
        if "\x00" in key:  # PostgreSQL takes none
            raise AuthenticationFailed
        if key.startswith(PREFIX):
            return _bearer_of(key)
        user, token = super().authenticate_credentials(key)
        if services.lacks_second_step(user):
            raise SecondStepMissing
        return user, token


def _bearer_of(secret: str) -> tuple[User, ApiToken]:
    """Whom an issued token acts as. Raises AuthenticationFailed."""
    found = ApiToken.objects.select_related("user").filter(digest=digest(secret)).first()
    if found is None or not found.user.works_at_desk:
        raise AuthenticationFailed
    now = timezone.now()
    if found.revoked_at is not None:
        raise TokenRevoked
    if found.expires_at <= now:
        raise TokenExpired
    if found.last_used_at is None or found.last_used_at < now - SEEN_EVERY:
        unseen = Q(last_used_at=None) | Q(last_used_at__lt=now - SEEN_EVERY)
        ApiToken.objects.filter(unseen, pk=found.pk).update(last_used_at=now)
    found.user.api_token_id = found.pk
    return found.user, found


def caller_of(request: Request) -> str:
    """One name for whoever calls with the same token, or is signed in as the same person."""
    if isinstance(request.auth, ApiToken):
        return f"token:{request.auth.pk}"
    return f"user:{request.user.pk}"


class CallerRateThrottle(UserRateThrottle):
    """Each issued token has its own count; all other ways in count as the person."""

    def get_cache_key(self, request: Request, view: "APIView") -> str | None:
        if isinstance(request.auth, ApiToken):
            return self.cache_format % {"scope": self.scope, "ident": f"token-{request.auth.pk}"}
        return super().get_cache_key(request, view)
