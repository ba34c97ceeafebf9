"""Browsers that show our messages do so for who is signed in there, and for nobody after them."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts.models import User
from notifications import preferences
from notifications.models import PushSubscription

COOKIE = "browser"  # outlives the session: that may have run out when somebody else signs in
AGE = 365 * 24 * 3600


def remember(response: HttpResponse, subscription: PushSubscription) -> None:
    """Let this browser say which it is."""
    response.set_signed_cookie(
        COOKIE,
        str(subscription.pk),
        salt=COOKIE,
        max_age=AGE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def signed_in(request: HttpRequest, user: User) -> None:
    """What somebody else had shown here ends."""
    if (number := _number(request)) is not None:
        preferences.remove_browser(number, unless_of=_recipient(user))


def signed_out(request: HttpRequest) -> None:
    if (number := _number(request)) is not None:
        preferences.remove_browser(number)


def signed_out_elsewhere(user: User, request: HttpRequest | None = None) -> None:
    """Every other session of theirs has ended; without a request every one."""
    here = _number(request) if request is not None else None
    preferences.remove_browsers(_recipient(user), but=[] if here is None else [here])


def _number(request: HttpRequest) -> int | None:
    kept = request.get_signed_cookie(COOKIE, default="", salt=COOKIE)
    return int(kept) if kept else None


def _recipient(user: User) -> str:
    return f"user:{user.pk}"
