"""Administrators' site."""

from typing import Any

from django.contrib.admin.sites import AdminSite
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLResolver, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _


class Site(AdminSite):
    """The stock admin; sign-in happens at /desk/ like for all staff."""

    site_header = _("Mianyue administration")
    site_title = _("Mianyue")
    index_title = _("Everything the product holds")
    site_url = "/desk/"

    def get_urls(self) -> list[Any]:
        urls = super().get_urls()
        _signed_in_at_the_desk(urls)
        return urls

    @method_decorator(login_not_required)
    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One way in for all staff, with its limits and its second step."""
        if request.user.is_authenticated:
            raise PermissionDenied
        next = request.GET.get(REDIRECT_FIELD_NAME, reverse("admin:index"))
        return redirect_to_login(next, reverse("accounts:desk_sign_in"))

    def password_change(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The one place to change a password: it ends other sessions and tells the owner."""
        return redirect("accounts:change_password")

    def logout(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        super().logout(request, extra_context)
        return redirect("accounts:desk_sign_in")


def _signed_in_at_the_desk(patterns: list[Any]) -> None:
    """Django says where to sign in of the site's own pages only; here of every model's, too."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            _signed_in_at_the_desk(pattern.url_patterns)
        elif pattern.name != "login":
            pattern.callback.login_url = "accounts:desk_sign_in"
