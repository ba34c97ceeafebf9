"""The second step of signing in, on django-allauth's MFA: an authenticator app, passkeys, and
recovery codes for the day both are lost."""

import struct
from collections.abc import Callable
from typing import Any, TypeVar

from allauth.account.utils import url_str_to_user_pk
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret, validate_totp_code
from allauth.mfa.webauthn.internal import auth as webauthn
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from fido2.utils import websafe_decode

from accounts import crypto
from accounts.models import User

Answer = TypeVar("Answer")
Kind = Authenticator.Type
SECOND_STEPS = [Kind.TOTP, Kind.WEBAUTHN]  # recovery codes alone are none
PASSKEYS_AT_MOST = 20
RECOVERY_CODES = 10


class Adapter(DefaultMFAAdapter):
    """Keeps shared secrets encrypted like national ID numbers."""

    def encrypt(self, text: str) -> str:
        return crypto.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return crypto.decrypt(encrypted_text)

    def get_totp_issuer(self) -> str:
        return str(settings.PRODUCT_NAME)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """A passkey belongs to the host it was made at, and works nowhere else."""
        host = context.request.get_host().partition(":")[0]
        return {"id": host, "name": str(settings.PRODUCT_NAME)}

    def get_public_key_credential_user_entity(self, user: AbstractBaseUser) -> dict[str, Any]:
        entity: dict[str, Any] = super().get_public_key_credential_user_entity(user)
        return entity | {"display_name": str(user)}


def authenticators() -> QuerySet[Authenticator]:
    """Everybody's second steps."""
    return Authenticator.objects.filter(type__in=SECOND_STEPS)


def is_on(user: User) -> bool:
    return authenticators().filter(user=user).exists()


def has_app(user: User) -> bool:
    return Authenticator.objects.filter(user=user, type=Kind.TOTP).exists()


def switch_off(user: User) -> None:
    """Take off everything, recovery codes too."""
    Authenticator.objects.filter(user=user).delete()


def _forget_codes_alone(user: User) -> None:
    """Recovery codes stand in for something; without it they go."""
    if not is_on(user):
        switch_off(user)


# --- The authenticator app -----------------------------------------------------------------------


def new_secret() -> str:
    return generate_totp_secret()


def address_of(user: User, secret: str) -> str:
    """The otpauth: address an authenticator app reads from the QR code."""
    return Adapter().build_totp_url(user, secret)


def matches(secret: str, code: str) -> bool:
    return validate_totp_code(secret, code)


def switch_on(user: User, secret: str) -> None:
    TOTP.activate(user, secret)


def drop_app(user: User) -> None:
    Authenticator.objects.filter(user=user, type=Kind.TOTP).delete()
    _forget_codes_alone(user)


def check_app(user: User, code: str) -> bool:
    """Whether `code` is the app's current one; each is taken once."""
    return _check(user, Kind.TOTP, code)


def _check(user: User, kind: str, code: str) -> bool:
    authenticator = Authenticator.objects.filter(user=user, type=kind).first()
    if authenticator is None or not authenticator.wrap().validate_code(code):
        return False
    authenticator.record_usage()
    return True


# --- Recovery codes ------------------------------------------------------------------------------


@transaction.atomic
def make_recovery_codes(user: User) -> list[str]:
    """New ones in place of any before, to be shown this once."""
    Authenticator.objects.filter(user=user, type=Kind.RECOVERY_CODES).delete()
    return RecoveryCodes.activate(user).generate_codes()


def recovery_codes_left(user: User) -> int:
    codes = Authenticator.objects.filter(user=user, type=Kind.RECOVERY_CODES).first()
    return len(codes.wrap().get_unused_codes()) if codes else 0


def check_recovery_code(user: User, code: str) -> bool:
    """Whether `code` is one of those not used yet; each is taken once."""
    return is_on(user) and _check(user, Kind.RECOVERY_CODES, code)


# --- Passkeys ------------------------------------------------------------------------------------
# The browser is given a challenge, which the session keeps, and answers it in JSON.


class NoPasskey(Exception):
    """The browser's answer does not prove anything."""


def passkeys(user: User) -> list[Authenticator]:
    return list(Authenticator.objects.filter(user=user, type=Kind.WEBAUTHN).order_by("pk"))


def challenge_to_register(user: User) -> dict[str, Any]:
    """A passkey is kept on the device and asks for finger, face or PIN, so that it can stand for
    both steps at once."""
    return webauthn.begin_registration(user, passwordless=True)


def register_passkey(user: User, name: str, answer: Any) -> None:
    """Raises NoPasskey for an answer to another challenge, from another site, or of no sense."""

    def register() -> None:
        webauthn.parse_registration_response(answer)
        made = webauthn.complete_registration(answer).credential_data
        if webauthn.get_authenticator_by_credential_id(user, made.credential_id):
            raise NoPasskey
        webauthn.WebAuthn.add(user, name, answer)

    _understood(register)


def drop_passkey(user: User, passkey_id: int) -> str | None:
    """Take one off; its name, or None where there is none of this number."""
    passkey = Authenticator.objects.filter(user=user, type=Kind.WEBAUTHN, pk=passkey_id).first()
    if passkey is None:
        return None
    passkey.delete()
    _forget_codes_alone(user)
    return str(passkey)


def challenge(user: User | None) -> dict[str, Any]:
    """For the second step of `user`; for None, whoever holds a passkey of this site."""
    return webauthn.begin_authentication(user)


def check_passkey(user: User | None, answer: Any) -> User:
    """Whose passkey answered. Raises NoPasskey."""

    def check() -> User:
        webauthn.parse_authentication_response(answer)
        owner = user or _owner(answer)
        passkey = webauthn.complete_authentication(owner, answer)
        passkey.record_usage()
        return owner

    return _understood(check)


def _owner(answer: dict[str, Any]) -> User:
    handle = websafe_decode(answer["response"]["userHandle"]).decode()
    owner = User.objects.filter(pk=url_str_to_user_pk(handle), is_active=True).first()
    if owner is None:
        raise NoPasskey
    return owner


def _understood(step: Callable[[], Answer]) -> Answer:
    """allauth and fido2 take an answer apart trusting its shape."""
    try:
        return step()
    except (
        ValidationError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        IndexError,
        OverflowError,
        RecursionError,
        struct.error,
    ):
        raise NoPasskey from None
