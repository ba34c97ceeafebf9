"""What every address of the API has in common: tokens keep to their scopes, and a POST that carries
an Idempotency-Key happens once."""

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts import idempotency
from accounts.models import ApiToken
from accounts.scopes import ANY


class ScopeMissing(PermissionDenied):
    default_code = "scope_missing"
    title = _("The token may not do this")
    default_detail = _("Tokens that systems are given cannot be used here.")

    def __init__(self, scope: str | None) -> None:
        wanted = _("This token lacks the scope %(scope)s.") % {"scope": scope} if scope else None
        super().__init__(wanted)


class Endpoint(APIView):
    """`scopes` says for each method which scope an issued token needs; a method left out is not for
    such tokens at all."""

    scopes: ClassVar[Mapping[str, str]] = {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if isinstance(request.auth, ApiToken):
            self._keep_to_scopes(request.auth, request.method or "")
        key = request.headers.get(idempotency.HEADER)
        handler = getattr(self, "post", None)
        if request.method == "POST" and handler and key is not None:
            # A view lives for one request, so this is the only one it holds for.
            once = partial(idempotency.answer_once, self, handler, key)
            setattr(self, "post", once)  # noqa: B010 - mypy would take it for the class's own

    def _keep_to_scopes(self, token: ApiToken, method: str) -> None:
        """Raises ScopeMissing."""
        scope = self.scopes.get("GET" if method == "HEAD" else method)
        if method == "OPTIONS" or scope == ANY or scope in token.scopes:
            return
        raise ScopeMissing(scope)
