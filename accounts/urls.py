"""Addresses of signing in and of a person's own settings."""

from django.urls import path

from accounts.views import me, passwords, sign_in

app_name = "accounts"

urlpatterns = [
    path("sign-in/", sign_in.sign_in, name="sign_in"),
    path("sign-in/code/", sign_in.request_code, name="request_code"),
    path("sign-in/code/confirm/", sign_in.confirm_code, name="confirm_code"),
    path("sign-in/code/again/", sign_in.resend_code, name="resend_code"),
    path("sign-in/second-step/", sign_in.second_step, name="second_step"),
    path("desk/sign-in/", sign_in.desk_sign_in, name="desk_sign_in"),
    path("sign-out/", sign_in.sign_out, name="sign_out"),
    path("password/forgotten/", passwords.forgotten, name="forgotten"),
    path("password/reset/sent/", passwords.reset_sent, name="reset_sent"),
    path(
        "password/reset/<uidb64>/<token>/",
        passwords.ResetPassword.as_view(),
        name="reset_password",
    ),
    path("password/set/", passwords.set_password, name="set_password"),
    path("me/", me.me, name="me"),
    path("me/password/", passwords.change_password, name="change_password"),
    path("me/two-step/on/", me.two_step_on, name="two_step_on"),
    path("me/two-step/off/", me.two_step_off, name="two_step_off"),
    path("language/", me.language, name="language"),
]
