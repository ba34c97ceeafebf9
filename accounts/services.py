"""Signing in and everything around it. Nothing here tells a known number from an unknown one."""

import time
from dataclasses import asdict, dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Self

from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib import auth
from django.contrib.auth.tokens import default_token_generator
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from rest_framework.authtoken.models import Token

from accounts import browsers, codes, identifiers, notices, throttling, two_step
from accounts.changes import record
from accounts.identifiers import IdentifierKind
from accounts.models import AccessChangeKind, User
from accounts.throttling import TooManyTries
from notifications.services import notify

BACKEND = "accounts.backends.IdentifierBackend"
CODE_SESSION_KEY = "one-time-code"
CONFIRMED_SESSION_KEY = "confirmed"  # when this session last proved who it is
CONFIRMED_SECONDS = 600
SECOND_STEP_DONE = "second-step-done"


class Purpose(StrEnum):
    """What a code is asked for; the value is the event its message carries."""

    SIGN_IN = "sign_in_code"
    RESET = "password_reset_code"


@dataclass(frozen=True)
class PendingCode:
    """What the session remembers of a code on its way: no number in clear, and no user where the
    number is unknown."""

    purpose: str
    token: str
    account: str
    user: int | None
    shown: str
    next: str = ""

    @classmethod
    def of(cls, session: SessionBase) -> Self | None:
        kept = session.get(CODE_SESSION_KEY)
        return cls(**kept) if kept else None

    @property
    def owner(self) -> User | None:
        """Whose number it is; nobody where it is unknown or the account is switched off."""
        return User.objects.filter(pk=self.user, is_active=True).first() if self.user else None

    @property
    def is_reset(self) -> bool:
        return self.purpose == Purpose.RESET

    @property
    def wait(self) -> timedelta:
        """How long until another code may be asked for."""
        return throttling.wait_left(throttling.SENDING_GAP, self.account)


def check_password(
    request: HttpRequest, *, identifier: str, password: str, at_desk: bool = False
) -> User | None:
    """The person, or None for a wrong password, an unknown number, an account that is switched
    off, and at the desk for a candidate. Raises TooManyTries.

    Does not sign in: call `sign_in` next, unless `two_step.is_on`.
    """
    account, address = throttling.account_key(identifier), throttling.client_address(request)
    throttling.spend(throttling.FAILURES_PER_ADDRESS, address)
    throttling.spend(throttling.PASSWORD_PER_ACCOUNT, account)
    user = auth.authenticate(request, identifier=identifier, password=password)
    if getattr(request, "axes_locked_out", False):
        request.axes_locked_out = False  # type: ignore[attr-defined]
        raise TooManyTries(settings.AXES_COOLOFF_TIME)
    if not isinstance(user, User) or (at_desk and not user.works_at_desk):
        return None
    throttling.give_back(throttling.FAILURES_PER_ADDRESS, address)
    _forget_failures(user, address)
    return user


def check_second_step(request: HttpRequest, user: User, code: str) -> bool:
    """Whether `code` is what the authenticator app of `user` shows, or a recovery code of theirs
    not used before: of that they are told. Raises TooManyTries."""
    key, address = f"user:{user.pk}", throttling.client_address(request)
    throttling.spend(throttling.FAILURES_PER_ADDRESS, address)
    throttling.spend(throttling.SECOND_STEP, key)
    if not two_step.check_app(user, code):
        with transaction.atomic():
            if not two_step.check_recovery_code(user, code):
                return False
            record(user, AccessChangeKind.CODE_USED, by=user)
    throttling.give_back(throttling.FAILURES_PER_ADDRESS, address)
    throttling.forget(throttling.SECOND_STEP, key)
    return True


def check_passkey(request: HttpRequest, answer: Any, *, user: User | None = None) -> User | None:
    """Whose passkey answered the challenge of this session: that of `user` as a second step, or of
    anybody at the desk, as both steps at once. Raises TooManyTries."""
    address = throttling.client_address(request)
    throttling.spend(throttling.FAILURES_PER_ADDRESS, address)
    try:
        owner = two_step.check_passkey(user, answer)
    except two_step.NoPasskey:
        return None
    if not owner.works_at_desk:
        return None
    throttling.give_back(throttling.FAILURES_PER_ADDRESS, address)
    return owner


def sign_in(request: HttpRequest, user: User) -> None:
    """Begin a session under a new key. The language somebody switched to before signing in becomes
    theirs, for messages too, where they have not chosen one; what a browser merely asks for does
    not."""
    auth.login(request, user, backend=BACKEND)
    confirmed(request)
    switched_to = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)
    if not user.language and switched_to in dict(settings.LANGUAGES):
        change_settings(user, language=switched_to)


def request_code(
    request: HttpRequest, *, purpose: Purpose, identifier: str, next: str = ""
) -> None:
    """Send a code to the mobile number of whoever this is, and remember it in the session.

    Raises ValidationError for what is no identifier, and TooManyTries.
    """
    parsed = identifiers.parse(identifier)
    account = throttling.account_key(identifier)
    with throttling.steady_answer():
        _spend_sending(request, account)
        user = User.objects.find(parsed)
        _send_code(request, purpose, user, account, identifiers.masked(parsed), next)


def resend_code(request: HttpRequest, pending: PendingCode) -> None:
    """Send another code in place of the one pending. Raises TooManyTries."""
    with throttling.steady_answer():
        _spend_sending(request, pending.account)
        purpose = Purpose(pending.purpose)
        _send_code(request, purpose, pending.owner, pending.account, pending.shown, pending.next)


def confirm_code(request: HttpRequest, pending: PendingCode, code: str) -> codes.Verdict:
    """Judge what somebody typed; wrong ones count against their address. Raises TooManyTries."""
    address = throttling.client_address(request)
    throttling.spend(throttling.FAILURES_PER_ADDRESS, address)
    verdict = codes.check(pending.token, code)
    if verdict is not codes.Verdict.RIGHT:
        return verdict
    throttling.give_back(throttling.FAILURES_PER_ADDRESS, address)
    del request.session[CODE_SESSION_KEY]
    return verdict


def send_own_code(request: HttpRequest, user: User, *, event: str) -> None:
    """Send `user`, who is signed in, a code to their mobile number that confirms one thing they are
    about to do: `event` names its message and keeps the codes for different things apart.

    Raises TooManyTries.
    """
    _spend_sending(request, f"user:{user.pk}")
    with transaction.atomic():
        token, code = codes.issue()
        notify(notices.code(user, event, code, minutes=codes.MINUTES))
    request.session[f"code:{event}"] = token


def confirm_own_code(request: HttpRequest, code: str, *, event: str) -> codes.Verdict:
    """Judge the code of `send_own_code`. Raises TooManyTries."""
    throttling.spend(throttling.FAILURES_PER_ADDRESS, throttling.client_address(request))
    verdict = codes.check(request.session.get(f"code:{event}", ""), code)
    if verdict is codes.Verdict.RIGHT:
        throttling.give_back(throttling.FAILURES_PER_ADDRESS, throttling.client_address(request))
        del request.session[f"code:{event}"]
    return verdict


def request_reset(request: HttpRequest, identifier: str) -> IdentifierKind:
    """Send a code to the mobile number, or a link to the email address where that was given or is
    all we have. Returns what was given. Raises ValidationError and TooManyTries."""
    parsed = identifiers.parse(identifier)
    if parsed.kind is not IdentifierKind.EMAIL:
        request_code(request, purpose=Purpose.RESET, identifier=identifier)
        return parsed.kind
    with throttling.steady_answer():
        _spend_sending(request, throttling.account_key(identifier))
        user = User.objects.find(parsed)
        if user is not None and user.is_active:
            _send_reset_link(user)
    return parsed.kind


def reset_path(user: User, token: str) -> str:
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    return reverse("accounts:reset_password", args=[uid, token])


def reset_token(user: User) -> str:
    """Lets `user` choose one new password; void after PASSWORD_RESET_TIMEOUT, a new password or a
    new sign-in."""
    return default_token_generator.make_token(user)


def confirm_password(user: User, password: str) -> bool:
    """Whether somebody already signed in knows their password. Raises TooManyTries."""
    key = f"user:{user.pk}"
    throttling.spend(throttling.PASSWORD_PER_ACCOUNT, key)
    if not user.check_password(password):
        return False
    throttling.forget(throttling.PASSWORD_PER_ACCOUNT, key)
    return True


def confirmed(request: HttpRequest) -> None:
    """This session has just proved who it is: for a while it may change how the person signs in."""
    request.session[CONFIRMED_SESSION_KEY] = time.time()


def is_confirmed(request: HttpRequest) -> bool:
    kept = request.session.get(CONFIRMED_SESSION_KEY, 0)
    return bool(time.time() - kept < CONFIRMED_SECONDS)


# --- The second step, set up and taken off by its owner -------------------------------------------


class SecondStepNeeded(Exception):
    """The company asks for a second step: the last one stays until there is another."""


def lacks_second_step(user: User) -> bool:
    """Whether the company asks this person for a second step, and there is none."""
    asked = settings.STAFF_SECOND_STEP == "required" and user.works_at_desk
    return asked and not two_step.is_on(user)


def second_step_missing(request: HttpRequest) -> bool:
    """Whether this session must set up a second step before it may do anything else. Asked of the
    database until there is one; it goes with its sessions, so the answer holds."""
    if not isinstance(request.user, User) or request.session.get(SECOND_STEP_DONE):
        return False
    if lacks_second_step(request.user):
        return True
    if settings.STAFF_SECOND_STEP == "required" and request.user.works_at_desk:
        request.session[SECOND_STEP_DONE] = True
    return False


@transaction.atomic
def add_app(request: HttpRequest, user: User, secret: str) -> None:
    """From now on the app's code is asked for."""
    first = not two_step.is_on(user)
    two_step.switch_on(user, secret)
    if first:
        _end_other_sessions(request, user)
    record(user, AccessChangeKind.APP_ADDED, by=user)


@transaction.atomic
def drop_app(user: User) -> None:
    """Raises SecondStepNeeded."""
    two_step.drop_app(user)
    _keep_one(user)
    record(user, AccessChangeKind.APP_DROPPED, by=user)


@transaction.atomic
def add_passkey(request: HttpRequest, user: User, name: str, answer: Any) -> None:
    """Raises two_step.NoPasskey."""
    first = not two_step.is_on(user)
    two_step.register_passkey(user, name, answer)
    if first:
        _end_other_sessions(request, user)
    record(user, AccessChangeKind.PASSKEY_ADDED, by=user, name=name)


@transaction.atomic
def drop_passkey(user: User, passkey_id: int) -> None:
    """Nothing where it is gone already. Raises SecondStepNeeded."""
    name = two_step.drop_passkey(user, passkey_id)
    if name is not None:
        _keep_one(user)
        record(user, AccessChangeKind.PASSKEY_DROPPED, by=user, name=name)


@transaction.atomic
def make_recovery_codes(user: User) -> list[str]:
    codes = two_step.make_recovery_codes(user)
    record(user, AccessChangeKind.CODES_MADE, by=user)
    return codes


def _end_other_sessions(request: HttpRequest, user: User) -> None:
    """Other devices were signed in by the password alone."""
    user.sessions_ended += 1
    user.save(update_fields=["sessions_ended"])
    auth.update_session_auth_hash(request, user)


def _keep_one(user: User) -> None:
    if settings.STAFF_SECOND_STEP == "required" and not two_step.is_on(user):
        raise SecondStepNeeded


@transaction.atomic
def set_password(request: HttpRequest, user: User, password: str) -> None:
    """Every other session and every API token of this person ends; this session goes on under a
    new key. Who had a password before is told that it changed."""
    had_one = user.has_usable_password()
    user.set_password(password)
    user.save(update_fields=["password"])
    password_changed(user, tell=had_one, request=request)
    if request.user == user:
        auth.update_session_auth_hash(request, user)
    _forget_failures(user, throttling.client_address(request))


def password_changed(user: User, *, tell: bool, request: HttpRequest | None = None) -> None:
    """What follows every new password: API tokens end, no browser but that of `request` shows their
    messages any more and, where there was a password before, its owner learns of it."""
    Token.objects.filter(user=user).delete()
    browsers.signed_out_elsewhere(user, request)
    if tell:
        notify(*notices.password_changed(user))


def change_settings(user: User, **chosen: str) -> None:
    """Save `language` and `time_zone`, whichever are given."""
    for name, value in chosen.items():
        setattr(user, name, value)
    user.save(update_fields=list(chosen))


def _spend_sending(request: HttpRequest, account: str) -> None:
    throttling.spend(throttling.SENDING_PER_ADDRESS, throttling.client_address(request))
    throttling.spend(throttling.SENDING_GAP, account)
    throttling.spend(throttling.SENDING_PER_ACCOUNT, account)


@transaction.atomic
def _send_code(
    request: HttpRequest, purpose: Purpose, user: User | None, account: str, shown: str, next: str
) -> None:
    token, code = codes.issue()
    if user is not None and not user.is_active:
        user = None
    if user is not None and user.mobile:
        notify(notices.code(user, purpose.value, code, minutes=codes.MINUTES))
    elif user is not None and user.email and purpose is Purpose.RESET:
        _send_reset_link(user)
    pending = PendingCode(
        purpose=purpose.value,
        token=token,
        account=account,
        user=user.pk if user else None,
        shown=shown,
        next=next,
    )
    request.session[CODE_SESSION_KEY] = asdict(pending)


@transaction.atomic
def _send_reset_link(user: User) -> None:
    path = reset_path(user, reset_token(user))
    minutes = settings.PASSWORD_RESET_TIMEOUT // 60
    notify(notices.reset_link(user, settings.PUBLIC_URL.rstrip("/") + path, minutes=minutes))


def _forget_failures(user: User, address: str) -> None:
    """Somebody who proved who they are starts afresh, by every way they sign in."""
    for identifier in filter(None, [user.mobile, user.email, user.national_id]):
        account = throttling.account_key(identifier)
        throttling.forget(throttling.PASSWORD_PER_ACCOUNT, account)
        AxesProxyHandler.reset_attempts(username=account, ip_address=address)
