"""Links to an offer that open it, and nothing else, without signing in."""

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse

_signer = Signer(salt="interviews.refill.offer", sep=".")


def token_of(reference: str) -> str:
    return _signer.sign(reference)


def reference_in(token: str) -> str | None:
    """The offer's reference; None for what we have not signed."""
    try:
        return _signer.unsign(token)
    except BadSignature:
        return None


def address_of(reference: str) -> str:
    """Whole, for messages."""
    return settings.PUBLIC_URL.rstrip("/") + reverse("refill:by_link", args=[token_of(reference)])
