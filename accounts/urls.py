"""Addresses of signing in and of a person's own settings."""

from django.urls import path

from accounts.views import elsewhere, me, messages, passwords, people, second_step, sign_in

app_name = "accounts"

urlpatterns = [
    path("sign-in/", sign_in.sign_in, name="sign_in"),
    path("sign-in/code/", sign_in.request_code, name="request_code"),
    path("sign-in/code/confirm/", sign_in.confirm_code, name="confirm_code"),
    path("sign-in/code/again/", sign_in.resend_code, name="resend_code"),
    path("sign-in/second-step/", sign_in.second_step, name="second_step"),
    path("sign-in/passkey/", sign_in.passkey, name="passkey"),
    path("sign-in/passkey/challenge/", sign_in.passkey_challenge, name="passkey_challenge"),
    path("desk/sign-in/", sign_in.desk_sign_in, name="desk_sign_in"),
    path("desk/sign-in/with/<provider>/", elsewhere.sign_in_with, name="sign_in_with"),
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
    path("me/messages/", messages.choices, name="messages"),
    path("me/messages/browser/", messages.add_browser, name="add_browser"),
    path("me/messages/browser/off/", messages.remove_browsers, name="remove_browsers"),
    path("me/password/", passwords.change_password, name="change_password"),
    path("me/confirm/", second_step.confirm, name="confirm"),
    path("me/two-step/", second_step.two_step_page, name="two_step"),
    path("me/two-step/on/", second_step.two_step_on, name="two_step_on"),
    path("me/two-step/off/", second_step.two_step_off, name="two_step_off"),
    path("me/passkeys/add/", second_step.add_passkey, name="add_passkey"),
    path("me/passkeys/options/", second_step.passkey_options, name="passkey_options"),
    path("me/passkeys/<int:pk>/remove/", second_step.drop_passkey, name="drop_passkey"),
    path("me/recovery-codes/", second_step.recovery_codes, name="recovery_codes"),
    path("me/accounts/<provider>/link/", elsewhere.link, name="link_account"),
    path("me/accounts/<provider>/unlink/", elsewhere.unlink, name="unlink_account"),
    path("language/", me.language, name="language"),
    path("desk/settings/people/", people.people, name="people"),
    path("desk/settings/people/invite/", people.invite, name="invite"),
    path("desk/settings/people/<int:pk>/", people.person, name="person"),
    path("desk/settings/people/<int:pk>/<action>/", people.act, name="act_on_person"),
    path("desk/settings/roles/", people.roles, name="roles"),
]
