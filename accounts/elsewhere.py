"""Signing in with an account elsewhere: the company's own identity provider (OpenID Connect),
DingTalk or Feishu. allauth speaks their protocols; who may come in is decided here.

Nobody is signed up. An account elsewhere opens ours where its owner has linked it before; failing
that, and from the company's provider only, where it vouches for the email address of active staff.
Nothing the provider tells about a person is kept but the number it knows them by.
"""

import secrets
from typing import Any

import structlog
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter, _build_apps_from_settings
from allauth.socialaccount.internal import jwtkit
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin
from allauth.socialaccount.providers.base import AuthError
from allauth.socialaccount.providers.dingtalk.provider import DingTalkProvider
from allauth.socialaccount.providers.feishu.provider import FeishuProvider
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.provider import OAuth2Provider
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import identifiers, queries
from accounts.changes import record
from accounts.models import AccessChangeKind, User
from accounts.views.entrance import enter

logger = structlog.get_logger(__name__)


class Discreet:
    """A provider of which we keep no more than who it says somebody is."""

    def extract_extra_data(self, data: Any) -> dict[str, Any]:
        return {}


class DingTalk(Discreet, DingTalkProvider):
    title = gettext_lazy("DingTalk")


class Feishu(Discreet, FeishuProvider):
    title = gettext_lazy("Feishu")


class CompanyAdapter(OpenIDConnectOAuth2Adapter):
    """Checks the signature of the ID token as well: allauth trusts the connection it came by."""

    def _decode_id_token(self, app: SocialApp, id_token: str) -> dict[str, Any]:
        claims: dict[str, Any] = jwtkit.verify_and_decode(
            credential=id_token,
            keys_url=self.openid_config["jwks_uri"],
            issuer=self.openid_config["issuer"],
            audience=app.client_id,
            lookup_kid=jwtkit.lookup_kid_jwk,
            verify_signature=True,
        )
        return claims


class Company(Discreet, OpenIDConnectProvider):
    """The company's provider: with a nonce, which allauth does not send, beside state and PKCE."""

    oauth2_adapter_class = CompanyAdapter

    @property
    def title(self) -> str:
        return str(self.app.name)

    def redirect(self, request: HttpRequest, process: str, **kwargs: Any) -> HttpResponse:
        nonce = secrets.token_urlsafe(16)
        asked = self.get_auth_params() | {"nonce": nonce}
        return super().redirect(request, process, auth_params=asked, nonce=nonce, **kwargs)

    def sociallogin_from_response(self, request: HttpRequest, response: Any) -> SocialLogin:
        claims = response["id_token"]
        if response.get("userinfo", claims)["sub"] != claims["sub"]:
            raise OAuth2Error("The ID token and the user's information are of two people.")
        login = super().sociallogin_from_response(request, response)
        login.nonce = claims.get("nonce")
        return login

    def extract_email_addresses(self, data: Any) -> list[EmailAddress]:
        """Some providers say "false" in quotes, which is not false."""
        addresses: list[EmailAddress] = super().extract_email_addresses(data)
        for address in addresses:
            address.verified = address.verified in (True, "true")
        return addresses


class Adapter(DefaultSocialAccountAdapter):
    """Providers stand in the settings alone, and every way through allauth ends here."""

    def list_apps(
        self, request: HttpRequest | None, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        found = _build_apps_from_settings(provider=provider, client_id=client_id)
        return [app for apps in found.values() for app in apps]

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def populate_user(
        self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]
    ) -> User:
        return sociallogin.user

    def authenticate_by_email(self, sociallogin: SocialLogin) -> None:
        """`owner` does it, by rules of our own."""

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """The provider has said who it is; the rest is ours."""
        state = sociallogin.state
        if getattr(sociallogin, "nonce", None) != state.get("nonce"):
            raise OAuth2Error("The nonce is another one.")
        if state["process"] == "connect":
            raise ImmediateHttpResponse(_linked(request, sociallogin))
        user = owner(sociallogin)
        if user is None:
            raise ImmediateHttpResponse(_unknown(request, sociallogin.provider))
        raise ImmediateHttpResponse(enter(request, user, state.get("next", "")))

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        stopped = error == AuthError.CANCELLED
        raise ImmediateHttpResponse(trouble(request, provider, exception, stopped=stopped))


def configured(request: HttpRequest) -> list[OAuth2Provider]:
    """The providers there are keys for, in the order of the settings."""
    adapter = Adapter(request)
    return [
        adapter.get_provider(request, app.provider_id or app.provider)
        for app in adapter.list_apps(request)
    ]


def links(user: User, request: HttpRequest) -> list[tuple[OAuth2Provider, bool]]:
    """Each configured provider, and whether this person has linked an account of theirs."""
    providers = configured(request)
    if not providers:
        return []
    linked = set(SocialAccount.objects.filter(user=user).values_list("provider", flat=True))
    return [(provider, provider.sub_id in linked) for provider in providers]


def owner(login: SocialLogin) -> User | None:
    """Whom an account elsewhere opens: active staff only."""
    if login.account.pk:
        linked: User = login.account.user
        return linked if linked.works_at_desk else None
    for address in login.email_addresses:
        if address.verified:
            try:
                email = identifiers.normalise_email(address.email)
            except ValidationError:
                continue
            return queries.staff().filter(email=email, is_active=True).first()
    return None


@transaction.atomic
def link(user: User, login: SocialLogin) -> bool:
    """From now on this account elsewhere opens ours; False where it opens another one already."""
    account = login.account
    if account.pk:
        return bool(account.user_id == user.pk)
    account.user = user
    try:
        with transaction.atomic():
            account.save()
    except IntegrityError:
        return False
    record(user, AccessChangeKind.LINKED, by=user, name=str(login.provider.title))
    return True


@transaction.atomic
def unlink(user: User, provider: OAuth2Provider) -> None:
    """Whatever this person linked of the provider's opens nothing any more."""
    removed, _rows = SocialAccount.objects.filter(user=user, provider=provider.sub_id).delete()
    if removed:
        record(user, AccessChangeKind.UNLINKED, by=user, name=str(provider.title))


def trouble(
    request: HttpRequest, provider: Any, exception: Exception | None, *, stopped: bool = False
) -> HttpResponse:
    """Back to where somebody came from, with what to do."""
    name: str | Promise = provider.title
    if stopped:
        messages.info(
            request, _("You stopped. Nothing has been done with %(name)s.") % {"name": name}
        )
    else:
        logger.warning(
            "sign_in_elsewhere_failed", provider=provider.sub_id, error=type(exception).__name__
        )
        text = _("%(name)s could not tell us who you are. Try again, or use your password.")
        messages.warning(request, text % {"name": name})
    return _back(request)


def _unknown(request: HttpRequest, provider: Any) -> HttpResponse:
    text = _(
        "Your account at %(name)s is not known here. Sign in with your password and link it under "
        "My settings, or ask an administrator."
    )
    messages.warning(request, text % {"name": provider.title})
    return _back(request)


def _linked(request: HttpRequest, login: SocialLogin) -> HttpResponse:
    user = request.user
    if not isinstance(user, User) or not user.works_at_desk:
        return _back(request)
    name = {"name": login.provider.title}
    if link(user, login):
        messages.success(request, _("From now on you can sign in with %(name)s.") % name)
    else:
        text = _("That account at %(name)s belongs to somebody else here.")
        messages.warning(request, text % name)
    return _back(request)


def _back(request: HttpRequest) -> HttpResponse:
    signed_in = request.user.is_authenticated
    return redirect("accounts:me" if signed_in else "accounts:desk_sign_in")
