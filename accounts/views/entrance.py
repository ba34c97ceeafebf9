"""What every way of signing in ends with: where to, and through which further step."""

import time
from collections.abc import Callable
from functools import wraps
from math import ceil
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import services, two_step
from accounts.models import User
from accounts.throttling import TooManyTries

SECOND_STEP_SESSION_KEY = "second-step"
SECOND_STEP_SECONDS = 600
LONGEST_NEXT = 1000

Page = Callable[..., HttpResponseBase]


def entrance(view: Page) -> Page:
    """A page for people not signed in; whoever is already goes home."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            return redirect(safe_next(request) or "home")
        return view(request, *args, **kwargs)

    guarded = sensitive_post_parameters()(never_cache(wrapper))
    return login_not_required(require_http_methods(["GET", "HEAD", "POST"])(guarded))


def safe_next(request: HttpRequest) -> str:
    """Where the person was going, if that is a path of ours; else nothing."""
    url = request.POST.get("next", request.GET.get("next", ""))
    ours = url.startswith("/") and url_has_allowed_host_and_scheme(url, allowed_hosts=None)
    return url if ours and "\x00" not in url and len(url) < LONGEST_NEXT else ""


def link(name: str, next: str = "") -> str:
    """The address of one of our pages, `next` carried along."""
    return reverse(name) + (f"?{urlencode({'next': next})}" if next else "")


def enter(request: HttpRequest, user: User, next: str = "") -> HttpResponse:
    """Sign in somebody who has proved who they are, by way of the second step where they have one,
    and by way of choosing a password where there is none yet."""
    if two_step.is_on(user):
        request.session.cycle_key()
        request.session[SECOND_STEP_SESSION_KEY] = {
            "user": user.pk,
            "next": next,
            "until": time.time() + SECOND_STEP_SECONDS,
        }
        return redirect("accounts:second_step")
    return admit(request, user, next)


def admit(
    request: HttpRequest, user: User, next: str = "", *, second_step: bool = False
) -> HttpResponse:
    """Begin the session; `second_step` where that was taken."""
    services.sign_in(request, user)
    if second_step:
        request.session[services.SECOND_STEP_DONE] = True
    if not user.has_usable_password():
        return redirect(link("accounts:set_password", next))
    return redirect(next or "home")


def waiting_for_second_step(request: HttpRequest) -> tuple[User, str] | None:
    """Who has passed the first step in this session lately, and where they were going."""
    kept = request.session.get(SECOND_STEP_SESSION_KEY)
    if not kept or kept["until"] < time.time():
        return None
    user = User.objects.filter(pk=kept["user"], is_active=True).first()
    return (user, kept["next"]) if user else None


def draw(
    request: HttpRequest,
    template: str,
    form: Form | None = None,
    *,
    status: int = 200,
    **context: Any,
) -> HttpResponse:
    """The page, in the frame of whoever looks at it."""
    at_desk = isinstance(request.user, User) and request.user.works_at_desk
    frame = {"base": "desk/base.html" if at_desk else "portal/base.html", "place": "settings"}
    return render(request, template, {"form": form, **frame, **context}, status=status)


def limited(
    request: HttpRequest, template: str, form: Form, error: TooManyTries, **context: Any
) -> HttpResponse:
    """The same page with what was typed, and how long to wait."""
    form.add_error(None, str(error))
    response = draw(request, template, form, status=429, **context)
    response["Retry-After"] = str(max(1, ceil(error.wait.total_seconds())))
    return response
