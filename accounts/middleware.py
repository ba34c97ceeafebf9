"""Who may come in, and their own language and time zone once they are known."""

import zoneinfo
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, resolve_url
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from accounts import services
from accounts.decorators import View, with_choices
from accounts.models import User


class SignInRequired(LoginRequiredMiddleware):
    """Whose session has ended while they filled in a form is told that it was not sent, and comes
    back to it after signing in."""

    def process_view(
        self, request: HttpRequest, view_func: View, view_args: Any, view_kwargs: Any
    ) -> HttpResponseBase | None:
        """Django looks up who asks first, also for pages that are open to everybody."""
        if not getattr(view_func, "login_required", True):
            return None
        return super().process_view(request, view_func, view_args, view_kwargs)

    def handle_no_permission(self, request: HttpRequest, view_func: View) -> HttpResponseRedirect:
        if request.method != "POST":
            return super().handle_no_permission(request, view_func)
        messages.warning(
            request,
            _("You were signed out meanwhile, so nothing was sent. Sign in and send it again."),
        )
        return redirect_to_login(
            with_choices(request.get_full_path(), request, view_func),
            resolve_url(self.get_login_url(view_func)),
            self.get_redirect_field_name(view_func),
        )


class SecondStepRequired:
    """Where the company asks for a second step (STAFF_SECOND_STEP), staff without one reach the
    pages that set one up, and pages open to everybody. The API asks for itself
    (accounts/tokens.py)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: View, args: Any, kwargs: Any
    ) -> HttpResponseRedirect | None:
        open_to_all = not getattr(view, "login_required", True)
        if open_to_all or getattr(view, "before_second_step", False):
            return None
        if not services.second_step_missing(request):
            return None
        next = request.get_full_path() if request.method == "GET" else ""
        return redirect(f"{reverse('accounts:two_step')}?{urlencode({'next': next})}")


# Where a request brings a token of its own, what answers it knows by that who asks, and reads
# session and person only where it must: what is typed in the interview room is saved all the time.
OWN_TOKEN = "X-Room"  # noqa: S105 - a header's name


def speak_to(user: User, request: HttpRequest) -> None:
    """In the language this person chose, if they did."""
    if user.language:
        translation.activate(user.language)
        request.LANGUAGE_CODE = user.language


class PersonalSettings:
    """Over what the browser asked for goes what the person chose."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if OWN_TOKEN in request.headers:
            return self.get_response(request)
        user = request.user
        if not user.is_authenticated:
            return self.get_response(request)
        speak_to(user, request)
        if not user.time_zone:
            return self.get_response(request)
        with timezone.override(zoneinfo.ZoneInfo(user.time_zone)):
            return self.get_response(request)
