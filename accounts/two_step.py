"""Two-step sign-in with an authenticator app, on django-allauth's MFA."""

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret, validate_totp_code
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings

from accounts import crypto
from accounts.models import User


class Adapter(DefaultMFAAdapter):
    """Keeps the shared secret encrypted like national ID numbers."""

    def encrypt(self, text: str) -> str:
        return crypto.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return crypto.decrypt(encrypted_text)

    def get_totp_issuer(self) -> str:
        return str(settings.PRODUCT_NAME)


def is_on(user: User) -> bool:
    return is_mfa_enabled(user, [Authenticator.Type.TOTP])


def new_secret() -> str:
    return generate_totp_secret()


def address_of(user: User, secret: str) -> str:
    """The otpauth: address an authenticator app reads from the QR code."""
    return Adapter().build_totp_url(user, secret)


def matches(secret: str, code: str) -> bool:
    return validate_totp_code(secret, code)


def switch_on(user: User, secret: str) -> None:
    TOTP.activate(user, secret)


def switch_off(user: User) -> None:
    Authenticator.objects.filter(user=user).delete()


def check(user: User, code: str) -> bool:
    """Whether `code` is the app's current one; each is taken once."""
    authenticator = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).first()
    if authenticator is None or not authenticator.wrap().validate_code(code):
        return False
    authenticator.record_usage()
    return True
