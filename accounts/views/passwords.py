"""Forgotten, reset, first and changed passwords."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import INTERNAL_RESET_SESSION_TOKEN, PasswordResetConfirmView
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters

from accounts import services, staff
from accounts.decorators import before_second_step
from accounts.forms import ChangePasswordForm, ForgottenForm, SetPasswordForm
from accounts.identifiers import IdentifierKind
from accounts.models import User
from accounts.throttling import TooManyTries
from accounts.views.entrance import draw, enter, entrance, limited, safe_next


@entrance
def forgotten(request: HttpRequest) -> HttpResponse:
    """Whose password: a code goes to a mobile number, a link to an email address."""
    form = ForgottenForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            given = services.request_reset(request, form.cleaned_data["identifier"])
        except TooManyTries as error:
            return limited(request, "accounts/forgotten.html", form, error)
        by_mail = given is IdentifierKind.EMAIL
        return redirect("accounts:reset_sent" if by_mail else "accounts:confirm_code")
    return draw(request, "accounts/forgotten.html", form)


@entrance
def reset_sent(request: HttpRequest) -> HttpResponse:
    return draw(request, "accounts/reset_sent.html")


@method_decorator(login_not_required, name="dispatch")
class ResetPassword(PasswordResetConfirmView):
    """Choose a new password, from the link in a mail or after a code. Opening the link uses
    nothing up: mail scanners open it too."""

    form_class = SetPasswordForm
    template_name = "accounts/reset_password.html"
    token_generator = staff.first_password_tokens

    def get_user(self, uidb64: str) -> Any:
        user = super().get_user(uidb64)
        return user if user is not None and user.is_active else None

    def form_valid(self, form: BaseForm) -> HttpResponse:
        assert self.user is not None  # noqa: S101 - dispatch found the link valid
        del self.request.session[INTERNAL_RESET_SESSION_TOKEN]
        services.set_password(self.request, self.user, form.cleaned_data["new_password1"])
        messages.success(self.request, _("Your password is set."))
        return enter(self.request, self.user)


@before_second_step
@sensitive_post_parameters()
def set_password(request: HttpRequest) -> HttpResponse:
    """First password of somebody who came in by code; may be put off."""
    user = request.user
    if not isinstance(user, User) or user.has_usable_password():
        return redirect("accounts:change_password")
    next = safe_next(request)
    form = SetPasswordForm(user, request.POST if request.method == "POST" else None)
    if form.is_valid():
        services.set_password(request, user, form.cleaned_data["new_password1"])
        messages.success(request, _("Your password is set."))
        return redirect(next or "home")
    return draw(request, "accounts/set_password.html", form, next=next)


@sensitive_post_parameters()
def change_password(request: HttpRequest) -> HttpResponse:
    """A new password for the current one."""
    user = request.user
    if not isinstance(user, User) or not user.has_usable_password():
        return redirect("accounts:set_password")
    form = ChangePasswordForm(user, request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            right = services.confirm_password(user, form.cleaned_data["current_password"])
        except TooManyTries as error:
            return limited(request, "accounts/change_password.html", form, error)
        if right:
            services.set_password(request, user, form.cleaned_data["new_password1"])
            messages.success(request, _("Your password is changed. Other devices are signed out."))
            return redirect("accounts:me")
        form.add_error("current_password", _("That is not your current password."))
    return draw(request, "accounts/change_password.html", form)
