"""Text messages, by Twilio."""

import json
from functools import cache
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from django.conf import settings
from django.urls import reverse
from twilio.base.exceptions import TwilioRestException, TwilioServiceException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from notifications import reports
from notifications.channels import Refused, TryAgain
from notifications.models import Notification
from notifications.rendering import Message

# Wrong credentials, no right, too slow, too many: ours to put right, so the message may still go.
TEMPORARY = frozenset({401, 403, 408, 429})
TWILIO = "https://api.twilio.com"


def send(notification: Notification, message: Message) -> str:
    """Hand one text message to Twilio; its SID.

    Twilio takes no idempotency key: a timeout after it accepted means a second message.
    """
    account = (settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN)
    if not (all(account) and settings.TWILIO_FROM):
        raise TryAgain("not_configured")
    client = _client(*account, settings.TWILIO_API_BASE, settings.PROVIDER_TIMEOUT)
    try:
        sent = client.messages.create(
            to=notification.address, **_sender(), **_content(message), **_report(notification)
        )
    except requests.Timeout:
        raise TryAgain("timeout") from None
    except requests.RequestException:
        raise TryAgain("unreachable") from None
    except (TwilioRestException, TwilioServiceException) as trouble:
        # Its text may quote the number, so only the codes go on from here.
        raise _verdict(trouble.status, trouble.code) from None
    return sent.sid or ""


def _sender() -> dict[str, str]:
    """A number, or a messaging service that picks one."""
    sender = settings.TWILIO_FROM
    return {"messaging_service_sid" if sender.startswith("MG") else "from_": sender}


def _report(notification: Notification) -> dict[str, str]:
    """Where Twilio tells what became of it; not where it could not reach us anyway."""
    if not reports.come_for(notification.channel):
        return {}
    path = reverse("notifications:sms_report", args=[reports.token_of(notification)])
    return {"status_callback": settings.PUBLIC_URL.rstrip("/") + path}


def _content(message: Message) -> dict[str, str]:
    """The text; or, where it was registered with the provider, its template and what fills it."""
    template = settings.TWILIO_TEMPLATES.get(message.template)
    if template is None:
        return {"body": message.body}
    return {"content_sid": template, "content_variables": json.dumps(message.values)}


def _verdict(status: int, code: int | None) -> Refused | TryAgain:
    final = 400 <= status < 500 and status not in TEMPORARY
    return (Refused if final else TryAgain)(str(code or status))


class _Http(TwilioHttpClient):
    """Twilio's own, bound in time (it has no limit by default) and led to another base address."""

    def __init__(self, base: str, timeout: float) -> None:
        super().__init__(timeout=timeout)
        self.base = urlsplit(base)
        # What is set here about proxies and certificates is read once and not with each message.
        self.session = requests.Session()
        around = self.session.merge_environment_settings(base or TWILIO, {}, None, None, None)
        self.session.proxies, self.session.verify = around["proxies"], around["verify"]
        self.session.trust_env = False

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        if self.base.netloc:
            _, _, path, query, _ = urlsplit(url)
            path = self.base.path.rstrip("/") + path
            url = urlunsplit((self.base.scheme, self.base.netloc, path, query, ""))
        return super().request(method, url, *args, **kwargs)


@cache
def _client(sid: str, token: str, base: str, timeout: float) -> Client:
    """One a process, so that connections are kept."""
    return Client(sid, token, http_client=_Http(base, timeout))
