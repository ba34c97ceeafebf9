"""How callers of the API say who they are."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.utils import translation
from rest_framework.authentication import TokenAuthentication as BaseTokenAuthentication
from rest_framework.authtoken.models import Token
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.models import User


class TokenAuthentication(BaseTokenAuthentication):
    """`Authorization: Token …`. Answers in the person's own language unless the caller asks for
    one with Accept-Language."""

    def authenticate(self, request: Request) -> tuple[User | AnonymousUser, Any] | None:
        found = super().authenticate(request)
        if found and found[0].language and "Accept-Language" not in request.headers:
            translation.activate(found[0].language)
        return found

    def authenticate_credentials(self, key: str) -> tuple[User | AnonymousUser, Token]:
        if "\x00" in key:  # PostgreSQL takes none
            raise AuthenticationFailed
        return super().authenticate_credentials(key)
