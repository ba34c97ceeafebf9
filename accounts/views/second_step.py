"""A person's own second step: an authenticator app, passkeys, recovery codes."""

from typing import Any

import segno
from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import services, two_step
from accounts.decorators import before_second_step, confirmation_required, desk_required
from accounts.forms import ConfirmForm, PasskeyForm, TwoStepOffForm, TwoStepOnForm
from accounts.models import User
from accounts.throttling import TooManyTries
from accounts.views.entrance import draw, limited, link, safe_next


@before_second_step
@desk_required
@require_safe
@never_cache
def two_step_page(request: HttpRequest) -> HttpResponse:
    """All of it at a glance; the only place open to who still has to set one up."""
    user = _user(request)
    return draw(
        request,
        "accounts/two_step.html",
        has_app=two_step.has_app(user),
        passkeys=two_step.passkeys(user),
        is_on=two_step.is_on(user),
        codes_left=two_step.recovery_codes_left(user),
        codes_made=two_step.RECOVERY_CODES,
        missing=services.second_step_missing(request),
        next=safe_next(request),
    )


@before_second_step
@desk_required
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def two_step_on(request: HttpRequest) -> HttpResponse:
    """Scan, enter the first code, done."""
    user = _user(request)
    if two_step.has_app(user):
        return redirect("accounts:two_step")
    form = TwoStepOnForm(request.POST if request.method == "POST" else None, user=user)
    template, qr = "accounts/two_step_on.html", _qr(user, form.secret)
    if form.is_valid():
        try:
            right = _proved(request, form)
        except TooManyTries as error:
            return limited(request, template, form, error, qr=qr)
        if right:
            services.add_app(request, user, form.secret)
            messages.success(request, _("Two-step sign-in is on."))
            return _to_recovery_codes(user)
    return draw(request, template, form, qr=qr)


def _qr(user: User, secret: str) -> str:
    code = segno.make(two_step.address_of(user, secret), error="m")
    return code.svg_data_uri(scale=4, border=2, dark="#000", light="#fff")


@desk_required
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def two_step_off(request: HttpRequest) -> HttpResponse:
    """Take the app off."""
    form = TwoStepOffForm(request.POST if request.method == "POST" else None)
    template = "accounts/two_step_off.html"
    if form.is_valid():
        try:
            if _proved(request, form):
                services.drop_app(_user(request))
                messages.success(request, _("The authenticator app is taken off."))
                return redirect("accounts:two_step")
        except TooManyTries as error:
            return limited(request, template, form, error)
        except services.SecondStepNeeded:
            form.add_error(None, _needed())
    return draw(request, template, form)


@before_second_step
@confirmation_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def add_passkey(request: HttpRequest) -> HttpResponse:
    """A name, then the browser asks for finger, face, PIN or key."""
    user = _user(request)
    if len(two_step.passkeys(user)) >= two_step.PASSKEYS_AT_MOST:
        messages.warning(request, _("That is enough passkeys. Take one off first."))
        return redirect("accounts:two_step")
    form = PasskeyForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        name, answer = form.cleaned_data["name"], form.cleaned_data["credential"]
        try:
            services.add_passkey(request, user, name, answer)
        except two_step.NoPasskey:
            form.add_error(None, _("The browser gave no passkey. Try again."))
        else:
            messages.success(request, _("The passkey “%(name)s” is added.") % {"name": name})
            return _to_recovery_codes(user)
    return draw(request, "accounts/add_passkey.html", form)


@require_POST
@before_second_step
@confirmation_required
@never_cache
def passkey_options(request: HttpRequest) -> HttpResponse:
    """What the browser needs to make a passkey."""
    return JsonResponse(two_step.challenge_to_register(_user(request)))


@confirmation_required
@require_http_methods(["GET", "HEAD", "POST"])
def drop_passkey(request: HttpRequest, pk: int) -> HttpResponse:
    if request.method != "POST":  # who had to sign in anew
        return redirect("accounts:two_step")
    try:
        services.drop_passkey(_user(request), pk)
    except services.SecondStepNeeded:
        messages.warning(request, _needed())
    else:
        messages.success(request, _("The passkey is taken off. Remove it from the device as well."))
    return redirect("accounts:two_step")


@before_second_step
@confirmation_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """How many are left; new ones, shown this once, when they are asked for."""
    user = _user(request)
    if not two_step.is_on(user):
        return redirect("accounts:two_step")
    made = services.make_recovery_codes(user) if request.method == "POST" else []
    return draw(
        request,
        "accounts/recovery_codes.html",
        codes=[f"{code[:4]} {code[4:]}" for code in made],
        left=two_step.recovery_codes_left(user),
    )


@before_second_step
@desk_required
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest) -> HttpResponseBase:
    """The password once more, before going on."""
    user, next = _user(request), safe_next(request)
    if not user.has_usable_password():
        messages.info(request, _("Choose a password first."))
        return redirect(link("accounts:set_password", next))
    form = ConfirmForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            if _proved(request, form):
                return redirect(next or "accounts:me")
        except TooManyTries as error:
            return limited(request, "accounts/confirm.html", form, error, next=next)
    return draw(request, "accounts/confirm.html", form, next=next)


def _proved(request: HttpRequest, form: Form) -> bool:
    """Whether the form holds the person's password; says so in it if not. Raises TooManyTries."""
    if services.confirm_password(_user(request), form.cleaned_data["password"]):
        services.confirmed(request)
        return True
    form.add_error("password", _("That is not your current password."))
    return False


def _to_recovery_codes(user: User) -> Any:
    """Whoever has a second step should have codes for the day it is lost."""
    has_some = two_step.recovery_codes_left(user)
    return redirect("accounts:two_step" if has_some else "accounts:recovery_codes")


def _needed() -> str:
    return _("Your company asks for a second step. Add another one before you take this one off.")


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - SignInRequired saw to it
    return request.user
