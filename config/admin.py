"""Administrators' site."""

from typing import Any

from django.contrib.admin.sites import AdminSite
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _


class Site(AdminSite):
    """The stock admin; sign-in happens at /desk/ like for all staff."""

    site_header = _("Mianyue administration")
    site_title = _("Mianyue")
    index_title = _("Everything the product holds")
    site_url = "/desk/"

    @method_decorator(login_not_required)
    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One way in for all staff, with its limits and its second step."""
        if request.user.is_authenticated:
            raise PermissionDenied
        next = request.GET.get(REDIRECT_FIELD_NAME, reverse("admin:index"))
        return redirect_to_login(next, reverse("accounts:desk_sign_in"))
