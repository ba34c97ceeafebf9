"""A person's own settings."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts import elsewhere, permissions, queries, services, two_step
from accounts.forms import NO_CHOICE, SettingsForm
from accounts.models import User
from accounts.views.entrance import draw, safe_next


@never_cache
def me(request: HttpRequest) -> HttpResponse:
    """Language, time zone, and what we know to sign this person in by."""
    user = _user(request)
    form = SettingsForm(
        request.POST if request.method == "POST" else None,
        initial={
            "language": user.language or NO_CHOICE,
            "time_zone": user.time_zone or NO_CHOICE,
        },
    )
    if form.is_valid():
        services.change_settings(user, **form.cleaned_data)
        response = redirect("accounts:me")
        _remember_language(response, user.language)
        with translation.override(user.language or translation.get_language()):
            messages.success(request, _("Your settings are saved."))
        return response
    return draw(
        request,
        "accounts/me.html",
        form,
        ways_in=queries.ways_in(user),
        has_password=user.has_usable_password(),
        two_step=two_step.is_on(user),
        links=elsewhere.links(user, request) if user.works_at_desk else [],
        may=permissions.of(user),
    )


@login_not_required
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Switch the language here and, for who is signed in, everywhere."""
    chosen = request.POST.get("language", "")
    response = redirect(safe_next(request) or "home")
    if chosen in dict(settings.LANGUAGES):
        if isinstance(request.user, User):
            services.change_settings(request.user, language=chosen)
        _remember_language(response, chosen)
    return response


def _remember_language(response: HttpResponse, language: str) -> None:
    if not language:
        response.delete_cookie(settings.LANGUAGE_COOKIE_NAME)
        return
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite="Lax",
    )


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - SignInRequired saw to it
    return request.user
