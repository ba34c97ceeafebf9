"""To an account elsewhere and back: signing in with it, linking and unlinking it."""

from collections.abc import Callable
from typing import Any

from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.provider import OAuth2Provider
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from requests import RequestException

from accounts import elsewhere
from accounts.decorators import confirmation_required
from accounts.models import User
from accounts.views.entrance import entrance, safe_next

POSTED = ["GET", "HEAD", "POST"]  # by GET comes who had to sign in anew
# A provider that is away, says no, or answers in a shape nobody expects.
TROUBLE = (RequestException, OAuth2Error, KeyError, ValueError, TypeError, AttributeError)


@entrance
def sign_in_with(request: HttpRequest, provider: str) -> HttpResponseBase:
    """Off to the provider."""
    chosen = _provider(request, provider)
    if request.method != "POST":
        return redirect("accounts:desk_sign_in")
    return _go(request, chosen, "login", next_url=safe_next(request))


@confirmation_required
@require_http_methods(POSTED)
def link(request: HttpRequest, provider: str) -> HttpResponseBase:
    """Off to the provider, to come back with an account to link."""
    if request.method != "POST":
        return redirect("accounts:me")
    return _go(request, _provider(request, provider), "connect")


@confirmation_required
@require_http_methods(POSTED)
def unlink(request: HttpRequest, provider: str) -> HttpResponse:
    if request.method != "POST":
        return redirect("accounts:me")
    chosen = _provider(request, provider)
    assert isinstance(request.user, User)  # noqa: S101 - SignInRequired saw to it
    elsewhere.unlink(request.user, chosen)
    text = _("%(name)s opens your account no more.")
    messages.success(request, text % {"name": chosen.title})
    return redirect("accounts:me")


@login_not_required
@require_safe
@never_cache
def back(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """Back from the provider, with what the session was told to wait for."""
    chosen = _provider(request, provider_id)
    view = OAuth2CallbackView.adapter_view(chosen.get_oauth2_adapter(request))
    return _understood(request, chosen, lambda: view(request))


def _go(
    request: HttpRequest, provider: OAuth2Provider, process: str, **options: Any
) -> HttpResponseBase:
    """A page that leads on by itself: the policy for forms lets none be sent to other sites, nor
    be sent on to them."""
    response = _understood(
        request, provider, lambda: provider.redirect(request, process, **options)
    )
    if not response.url.startswith(("https://", "http://")):
        return response
    context = {"url": response.url, "name": provider.title}
    return render(request, "accounts/going_on.html", context)


def _understood(request: HttpRequest, provider: OAuth2Provider, step: Callable[[], Any]) -> Any:
    try:
        return step()
    except TROUBLE as exception:
        return elsewhere.trouble(request, provider, exception)


def _provider(request: HttpRequest, name: str) -> Any:
    try:
        return elsewhere.Adapter(request).get_provider(request, name)
    except SocialApp.DoesNotExist:
        raise Http404 from None
