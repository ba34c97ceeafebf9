"""Push messages to browsers (RFC 8030, 8291, 8292), encrypted for the browser alone.

The address comes from the browser, so from whoever signs in: it is looked at and called as those of
webhooks are.
"""

import json
import time
from base64 import urlsafe_b64encode
from functools import cache

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from py_vapid import Vapid02

from notifications.channels import Refused, TryAgain
from notifications.channels.webhook import BadAddress, NotTaken, call, look_at
from notifications.models import Notification, PushSubscription
from notifications.rendering import Message

KEPT_FOR = 24 * 3600  # seconds a push service keeps it for a browser that is away
GONE = frozenset({404, 410})


def send(notification: Notification, message: Message) -> str:
    """Tell one browser. One that has withdrawn is forgotten."""
    subscription = PushSubscription.objects.filter(pk=int(notification.address)).first()
    if subscription is None:
        raise Refused("withdrawn")
    try:
        target = look_at(subscription.endpoint)
        headers = _headers(f"{target.scheme}://{target.host_header}")
        answer = call("POST", target, _sealed(subscription, message), headers)
    except BadAddress as error:
        raise Refused(error.code) from None
    except NotTaken as error:
        raise TryAgain(error.code) from None
    if answer.status in GONE:
        subscription.delete()
        raise Refused("withdrawn")
    if not 200 <= answer.status < 300:
        final = 400 <= answer.status < 500 and answer.status != 429
        raise (Refused if final else TryAgain)(str(answer.status))
    return ""


def public_key() -> str:
    """What browsers are told to expect messages from; empty where push is not set up."""
    return _public_key(settings.VAPID_PRIVATE_KEY) if settings.VAPID_PRIVATE_KEY else ""


@cache
def _vapid(private_key: str) -> Vapid02:
    return Vapid02.from_string(private_key)


@cache
def _public_key(private_key: str) -> str:
    point = _vapid(private_key).public_key.public_bytes(
        Encoding.X962, PublicFormat.UncompressedPoint
    )
    return urlsafe_b64encode(point).rstrip(b"=").decode()


def _sealed(subscription: PushSubscription, message: Message) -> bytes:
    keys = {"p256dh": subscription.key, "auth": subscription.secret}
    shown = {
        "title": str(settings.PRODUCT_NAME),
        "body": message.body[:1000],
        "url": settings.PUBLIC_URL.rstrip("/") + "/",
    }
    from pywebpush import WebPusher  # large, and only the worker needs it

    pusher = WebPusher({"endpoint": subscription.endpoint, "keys": keys})
    sealed = pusher.encode(json.dumps(shown, ensure_ascii=False).encode())
    return bytes(sealed["body"])


def _headers(audience: str) -> dict[str, str]:
    claims = {
        "sub": f"mailto:{settings.HELP_MAILBOX}",
        "aud": audience,
        "exp": int(time.time()) + 12 * 3600,
    }
    return {
        **_vapid(settings.VAPID_PRIVATE_KEY).sign(claims),
        "Content-Type": "application/octet-stream",
        "Content-Encoding": "aes128gcm",
        "TTL": str(KEPT_FOR),
        "Urgency": "normal",
    }
