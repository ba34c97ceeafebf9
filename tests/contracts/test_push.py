"""Push messages, read as a browser reads them."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from urllib.parse import urlsplit

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from py_vapid import Vapid02

from notifications.channels import push
from notifications.models import Notification, PushSubscription, State
from tests.contracts.receiver import Receiver
from tests.notifications.messages import told, tried

pytestmark = [pytest.mark.django_db, pytest.mark.servers]
SECRET = b"0123456789abcdef"


def text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.fixture
def browser(settings):
    """A push service on this machine, and the key of a browser behind it."""
    ours = ec.generate_private_key(ec.SECP256R1())
    settings.VAPID_PRIVATE_KEY = text(
        ours.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    )
    settings.WEBHOOK_ALLOW_HTTP = settings.WEBHOOK_ALLOW_PRIVATE = True
    settings.PROVIDER_TIMEOUT = 1
    key = ec.generate_private_key(ec.SECP256R1())
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    with Receiver() as service:
        PushSubscription.objects.create(
            recipient="user:1", endpoint=service.url, key=text(point), secret=text(SECRET)
        )
        service.key = key
        yield service


def pushed() -> Notification:
    """After a text message went, and what is told beside it."""
    told(event="status_corrected", params={"status": "no-show", "kind": "ai", "position": "Li"})
    tried()
    return Notification.objects.get(channel="push")


@pytest.fixture
def sms_goes(monkeypatch):
    monkeypatch.setattr("notifications.channels.sms.send", lambda notification, message: "SM1")


@pytest.mark.usefixtures("sms_goes")
def test_the_browser_alone_can_read_it_and_knows_who_sends(browser):
    message = pushed()

    assert message.state == State.SENT
    (received,) = browser.received
    shown = json.loads(
        http_ece.decrypt(
            received.body, private_key=browser.key, auth_secret=SECRET, version="aes128gcm"
        )
    )
    assert shown["body"] == Notification.objects.get(channel="sms").body
    assert shown["url"].startswith("http")
    headers = {name.lower(): value for name, value in received.headers.items()}
    assert headers["content-encoding"] == "aes128gcm"
    assert int(headers["ttl"]) > 0
    authorization = headers["authorization"]
    assert authorization.startswith("vapid t=")
    assert f"k={push.public_key()}" in authorization.replace(" ", "")
    token = authorization.removeprefix("vapid t=").partition(",")[0]
    claims = json.loads(urlsafe_b64decode(token.split(".")[1] + "=="))
    parts = urlsplit(browser.url)
    assert claims["aud"] == f"{parts.scheme}://{parts.netloc}"
    assert claims["sub"].startswith("mailto:")
    assert Vapid02.verify(authorization)


@pytest.mark.usefixtures("sms_goes")
@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_withdrew_is_forgotten(browser, status):
    browser.answers.append(status)

    message = pushed()

    assert (message.state, message.error_code) == (State.FAILED, "withdrawn")
    assert not PushSubscription.objects.exists()


@pytest.mark.usefixtures("sms_goes")
@pytest.mark.parametrize(
    ("answer", "state"), [(500, State.QUEUED), (429, State.QUEUED), (413, State.FAILED)]
)
def test_a_push_service_in_trouble_is_tried_again(browser, answer, state):
    browser.answers.append(answer)

    assert pushed().state == state
    assert PushSubscription.objects.exists()


@pytest.mark.usefixtures("sms_goes", "browser")
def test_an_address_in_our_own_network_is_not_called(settings):
    settings.WEBHOOK_ALLOW_PRIVATE = False

    message = pushed()

    assert (message.state, message.error_code) == (State.FAILED, "private_address")
