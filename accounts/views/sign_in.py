"""Signing in, by password or by code, and signing out."""

from math import ceil
from typing import Any

from django.contrib import auth, messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import elsewhere, services, two_step
from accounts.codes import Verdict
from accounts.forms import (
    CodeForm,
    DeskSignInForm,
    PasskeyAnswerForm,
    RequestCodeForm,
    SecondStepForm,
    SignInForm,
)
from accounts.models import User
from accounts.services import PendingCode, Purpose
from accounts.throttling import TooManyTries
from accounts.views.entrance import (
    SECOND_STEP_SESSION_KEY,
    admit,
    draw,
    enter,
    entrance,
    limited,
    link,
    safe_next,
    waiting_for_second_step,
)


@entrance
def sign_in(request: HttpRequest) -> HttpResponse:
    """By mobile number or ID number and password; staff may come in here too."""
    return _by_password(request, SignInForm, "accounts/sign_in.html")


@entrance
def desk_sign_in(request: HttpRequest) -> HttpResponse:
    """By email and password, staff only: a candidate is refused like a wrong password."""
    return _by_password(request, DeskSignInForm, "accounts/desk_sign_in.html")


def _by_password(
    request: HttpRequest, form_class: type[SignInForm | DeskSignInForm], template: str
) -> HttpResponse:
    next = safe_next(request)
    form = form_class(request.POST if request.method == "POST" else None)
    providers = elsewhere.configured(request) if form_class is DeskSignInForm else []
    if form.is_valid():
        try:
            user = services.check_password(
                request,
                identifier=form.cleaned_data["identifier"],
                password=form.cleaned_data["password"],
                at_desk=form_class is DeskSignInForm,
            )
        except TooManyTries as error:
            return limited(request, template, form, error, next=next, providers=providers)
        if user is not None:
            return enter(request, user, next)
        form.add_error(None, _refusal(form_class))
    return draw(request, template, form, next=next, providers=providers)


def _refusal(form_class: type[SignInForm | DeskSignInForm]) -> str:
    if form_class is DeskSignInForm:
        return _("The email address or the password is not right.")
    return _("The number or the password is not right. No password yet? Sign in with a code.")


@entrance
def request_code(request: HttpRequest) -> HttpResponse:
    """First step by SMS: whose code."""
    next = safe_next(request)
    form = RequestCodeForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        identifier = form.cleaned_data["identifier"]
        try:
            services.request_code(
                request, purpose=Purpose.SIGN_IN, identifier=identifier, next=next
            )
        except TooManyTries as error:
            return limited(request, "accounts/request_code.html", form, error, next=next)
        return redirect("accounts:confirm_code")
    return draw(request, "accounts/request_code.html", form, next=next)


@entrance
def confirm_code(request: HttpRequest) -> HttpResponse:
    """Second step by SMS: the code itself. Ends in the interviews, or in a new password where the
    code was asked for to reset one."""
    pending = PendingCode.of(request.session)
    if pending is None:
        return redirect("accounts:request_code")
    template, context = "accounts/confirm_code.html", _about(pending)
    form = CodeForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            verdict = services.confirm_code(request, pending, form.cleaned_data["code"])
        except TooManyTries as error:
            return limited(request, template, form, error, **context)
        user = pending.owner
        if verdict is Verdict.RIGHT and user is not None:
            return _proved_by_code(request, user, pending)
        if verdict is Verdict.SPENT:
            form.add_error("code", _("This code is no longer valid. Ask for a new one below."))
            return draw(request, template, form, **context, status=429)
        form.add_error("code", _("That is not the code we sent. Look at the newest message."))
    return draw(request, template, form, **context)


def _about(pending: PendingCode) -> dict[str, Any]:
    return {"pending": pending, "wait_seconds": ceil(pending.wait.total_seconds())}


def _proved_by_code(request: HttpRequest, user: User, pending: PendingCode) -> HttpResponse:
    if pending.purpose == Purpose.RESET:
        return redirect(services.reset_path(user, services.reset_token(user)))
    return enter(request, user, pending.next)


@entrance
def resend_code(request: HttpRequest) -> HttpResponseBase:
    """Another code to the same number."""
    pending = PendingCode.of(request.session)
    if request.method != "POST" or pending is None:
        return redirect("accounts:confirm_code" if pending else "accounts:request_code")
    try:
        services.resend_code(request, pending)
    except TooManyTries as error:
        form = CodeForm({})
        form.errors.clear()  # nothing was typed into it
        return limited(request, "accounts/confirm_code.html", form, error, **_about(pending))
    messages.success(request, _("A new code is on its way. The one before is no longer valid."))
    return redirect("accounts:confirm_code")


@entrance
def second_step(request: HttpRequest) -> HttpResponse:
    """The authenticator app's code, a recovery code or a passkey, for those who have them."""
    waiting = waiting_for_second_step(request)
    if waiting is None:
        return redirect("accounts:sign_in")
    user, next = waiting
    form = SecondStepForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            right = services.check_second_step(request, user, form.cleaned_data["code"])
        except TooManyTries as error:
            return _draw_second_step(request, user, form, error)
        if right:
            del request.session[SECOND_STEP_SESSION_KEY]
            return admit(request, user, next, second_step=True)
        form.add_error("code", _("That is not the code the app shows now."))
    return _draw_second_step(request, user, form)


def _draw_second_step(
    request: HttpRequest, user: User, form: SecondStepForm, error: TooManyTries | None = None
) -> HttpResponse:
    template = "accounts/second_step.html"
    has = {"has_app": two_step.has_app(user), "has_passkey": bool(two_step.passkeys(user))}
    if error is not None:
        return limited(request, template, form, error, **has)
    return draw(request, template, form, **has)


@entrance
def passkey_challenge(request: HttpRequest) -> HttpResponseBase:
    """What the browser needs to ask for a passkey, as the second step or as both at once."""
    if request.method != "POST":
        return redirect("accounts:desk_sign_in")
    waiting = waiting_for_second_step(request)
    return JsonResponse(two_step.challenge(waiting[0] if waiting else None))


@entrance
def passkey(request: HttpRequest) -> HttpResponse:
    """The browser's answer. Who has come through the first step waits for the second one with
    their own passkey; else a passkey is both."""
    waiting = waiting_for_second_step(request)
    user, next = waiting or (None, safe_next(request))
    back = "accounts:second_step" if user else "accounts:desk_sign_in"
    if request.method != "POST":
        return redirect(back)
    form = PasskeyAnswerForm(request.POST)
    try:
        answer = form.cleaned_data["credential"] if form.is_valid() else None
        owner = services.check_passkey(request, answer, user=user)
    except TooManyTries as error:
        messages.warning(request, str(error))
        return redirect(back)
    if owner is None:
        messages.warning(
            request, _("That passkey does not open this account. Sign in another way.")
        )
        return redirect(link(back, "" if user else next))
    request.session.pop(SECOND_STEP_SESSION_KEY, None)
    return admit(request, owner, next, second_step=True)


@login_not_required
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session; each goes back to the door they came in by."""
    at_desk = isinstance(request.user, User) and request.user.works_at_desk
    auth.logout(request)
    return redirect(link("accounts:desk_sign_in" if at_desk else "accounts:sign_in"))
