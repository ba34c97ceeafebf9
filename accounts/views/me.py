"""A person's own settings."""

import segno
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from accounts import queries, services, two_step
from accounts.decorators import desk_required
from accounts.forms import NO_CHOICE, SettingsForm, TwoStepOffForm, TwoStepOnForm
from accounts.models import User
from accounts.throttling import TooManyTries
from accounts.views.entrance import draw, limited, safe_next


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
    )


@desk_required
@sensitive_post_parameters()
@never_cache
def two_step_on(request: HttpRequest) -> HttpResponse:
    """Scan, enter the first code, done."""
    user = _user(request)
    if two_step.is_on(user):
        return redirect("accounts:me")
    form = TwoStepOnForm(request.POST if request.method == "POST" else None, user=user)
    template, qr = "accounts/two_step_on.html", _qr(user, form.secret)
    if form.is_valid():
        try:
            right = services.confirm_password(user, form.cleaned_data["password"])
        except TooManyTries as error:
            return limited(request, template, form, error, qr=qr)
        if right:
            two_step.switch_on(user, form.secret)
            messages.success(request, _("Two-step sign-in is on."))
            return redirect("accounts:me")
        form.add_error("password", _("That is not your current password."))
    return draw(request, template, form, qr=qr)


def _qr(user: User, secret: str) -> str:
    code = segno.make(two_step.address_of(user, secret), error="m")
    return code.svg_data_uri(scale=4, border=2, dark="#000", light="#fff")


@desk_required
@sensitive_post_parameters()
@never_cache
def two_step_off(request: HttpRequest) -> HttpResponse:
    user = _user(request)
    form = TwoStepOffForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            right = services.confirm_password(user, form.cleaned_data["password"])
        except TooManyTries as error:
            return limited(request, "accounts/two_step_off.html", form, error)
        if right:
            two_step.switch_off(user)
            messages.success(request, _("Two-step sign-in is off."))
            return redirect("accounts:me")
        form.add_error("password", _("That is not your current password."))
    return draw(request, "accounts/two_step_off.html", form)


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
