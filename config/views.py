"""The front door, and the pages for when something went wrong."""

import sys
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

from accounts.decorators import with_choices
from accounts.models import User
from config import problems


@login_not_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """To where this person's day begins."""
    if not request.user.is_authenticated:
        return redirect("accounts:sign_in")
    at_desk = request.user.works_at_desk
    return redirect("cancellations:queue" if at_desk else "cancellations:mine")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if request.path.startswith(problems.API):
        return problems.bad_request(request, exception)
    return error_page(request, "400.html", 400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_page(request, "403.html", 403)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_page(request, "404.html", 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django calls this while it handles the exception: without Valkey, what counts tries cannot
    work, and says that this will pass."""
    if isinstance(sys.exception(), RedisError):
        return unavailable(request)
    if request.path.startswith(problems.API):
        return problems.server_error(request)
    return bare_page("500.html", 500)


def unavailable(request: HttpRequest) -> HttpResponse:
    in_api = request.path.startswith(problems.API)
    response = problems.unavailable(request) if in_api else bare_page("503.html", 503)
    response["Retry-After"] = "60"
    return response


@login_not_required
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    path, match = _page_before(request), request.resolver_match
    back = with_choices(path, request, match.func) if path and match else ""
    return error_page(request, "403_csrf.html", 403, back=back)


def _page_before(request: HttpRequest) -> str:
    """Where the form stood, if that was here; without its query, which may name somebody."""
    page = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(page, allowed_hosts={request.get_host()}):
        return ""
    path = urlsplit(page).path
    return path if url_has_allowed_host_and_scheme(path, allowed_hosts=None) else ""


def error_page(request: HttpRequest, template: str, status: int, **known: Any) -> HttpResponse:
    """In the frame of whoever looks at it, with the way home and the other language."""
    user = getattr(request, "user", None)  # a request may be refused before this is known
    at_desk = isinstance(user, User) and user.works_at_desk
    context = {
        "frame": "desk/base.html" if at_desk else "portal/base.html",
        "at_desk": at_desk,
        # What was sent is not sent again by switching the language, and few such addresses can be
        # opened without it.
        "language_next": "" if request.method in ("GET", "HEAD") else reverse("home"),
        **known,
    }
    return render(request, template, context, status=status)


def bare_page(template: str, status: int) -> HttpResponse:
    """Drawn without the request: neither the session nor the database need to work for it."""
    context = {
        "frame": "bare.html",
        "product_name": settings.PRODUCT_NAME,
        "hotline": settings.HOTLINE,
        "help_mailbox": settings.HELP_MAILBOX,
    }
    return HttpResponse(render_to_string(template, context), status=status)
