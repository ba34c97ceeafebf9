"""What providers report, checked by the SDKs they are signed with."""

import hashlib
import hmac
import json
import time
from base64 import b64encode

import pytest
from django.test import Client
from django.urls import reverse
from twilio.request_validator import RequestValidator

from notifications import reports
from notifications.channels import sms
from notifications.models import Notification, State
from tests.contracts.providers import Twilio
from tests.notifications.messages import again, sent, told, tried

pytestmark = pytest.mark.django_db
PUBLIC = "https://interviews.example.com"


@pytest.fixture(autouse=True)
def _public(settings):
    settings.PUBLIC_URL = PUBLIC
    settings.TWILIO_AUTH_TOKEN = "token"


# --- Twilio ---------------------------------------------------------------------------------------


def from_twilio(path, sent, *, token="token", address=PUBLIC) -> int:
    """As Twilio calls: it signs the address the public sees; we stand behind a proxy."""
    signature = RequestValidator(token).compute_signature(address + path, sent)
    client = Client(enforce_csrf_checks=True)
    answer = client.post(path, sent, headers={"X-Twilio-Signature": signature}, secure=True)
    return answer.status_code


def address_of(message) -> str:
    return reverse("notifications:sms_report", args=[reports.token_of(message)])


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("queued", State.SENT),
        ("sending", State.SENT),
        ("sent", State.SENT),
        ("delivered", State.DELIVERED),
        ("undelivered", State.FAILED),
        ("failed", State.FAILED),
        ("nonsense", State.SENT),
    ],
)
def test_twilio_tells_how_it_ended(said, state):
    message = sent()
    form = {"MessageSid": "SM1", "MessageStatus": said, "ErrorCode": "30005", "To": "+86138"}

    assert from_twilio(address_of(message), form) == 204
    assert again().state == state
    assert again().error_code == ("30005" if state == State.FAILED else "")


@pytest.mark.parametrize("forged", [{"token": "another"}, {"address": "https://elsewhere.example"}])
def test_who_does_not_sign_as_twilio_is_not_heard(forged):
    message = sent()
    form = {"MessageSid": "SM1", "MessageStatus": "delivered"}

    assert from_twilio(address_of(message), form, **forged) == 403
    assert again().state == State.SENT


def test_without_an_account_nobody_is_heard(settings):
    settings.TWILIO_AUTH_TOKEN = ""
    message = sent()

    answer = from_twilio(address_of(message), {"MessageStatus": "delivered"}, token="")
    assert answer == 403


def test_reports_that_are_late_repeated_or_about_nothing_change_nothing():
    message = sent()
    path = address_of(message)
    form = {"MessageSid": "SM1", "MessageStatus": "delivered"}
    for _time in range(2):
        assert from_twilio(path, form) == 204
    assert from_twilio(path, form | {"MessageStatus": "failed"}) == 204
    assert again().state == State.DELIVERED

    assert from_twilio(path, form | {"MessageSid": "SM2"}) == 204
    unknown = reverse("notifications:sms_report", args=["1:c0ffee"])
    assert from_twilio(unknown, form) == 204


@pytest.mark.servers
def test_twilio_is_told_where_to_report(settings):
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_FROM = "AC" + "0" * 32, "+12025550100"
    settings.PROVIDER_TIMEOUT = 1
    with Twilio() as server:
        settings.TWILIO_API_BASE = server.url
        told()
        message = tried()
        account = (settings.TWILIO_ACCOUNT_SID, "token", server.url, 1)
        sms._client(*account).http_client.session.close()
        sms._client.cache_clear()

    assert server.sent[0]["StatusCallback"] == PUBLIC + address_of(message)


# --- mail providers -------------------------------------------------------------------------------

MAIL = reverse("notifications:mail_report")


@pytest.fixture
def postmark(settings):
    settings.ANYMAIL_PROVIDER = "postmark"
    settings.ANYMAIL = {"WEBHOOK_SECRET": "name:password"}


def from_postmark(event, *, secret="name:password") -> int:
    authorization = f"Basic {b64encode(secret.encode()).decode()}"
    client = Client(enforce_csrf_checks=True, headers={"Authorization": authorization})
    return client.post(MAIL, json.dumps(event), content_type="application/json").status_code


def mail() -> Notification:
    message = sent(channel="email", address="z@example.com")
    Notification.objects.update(provider_id="00000000-1111")
    return message


def delivery(message=None, **fields):
    known = {"Metadata": {"notification": reports.token_of(message)}} if message else {}
    return {
        "RecordType": "Delivery",
        "MessageID": "00000000-1111",
        "Recipient": "z@example.com",
        "DeliveredAt": "2026-11-22T10:00:00Z",
        **known,
        **fields,
    }


BOUNCE = {"RecordType": "Bounce", "Type": "HardBounce", "ID": 1, "Email": "z@example.com"}


@pytest.mark.parametrize("knows", [True, False])
def test_a_provider_tells_that_a_mail_arrived(postmark, knows):
    message = mail()

    assert from_postmark(delivery(message if knows else None)) == 200
    assert again().state == State.DELIVERED


def test_a_mail_may_come_back_after_it_arrived(postmark):
    message = mail()
    from_postmark(delivery(message))

    assert from_postmark(delivery(message, **BOUNCE)) == 200
    assert again().state == State.BOUNCED
    assert again().error_code == "bounced"


@pytest.mark.parametrize("record", ["Open", "Click"])
def test_what_people_do_with_a_mail_is_not_kept(postmark, record):
    message = mail()

    assert from_postmark(delivery(message, RecordType=record, OriginalLink="https://x/")) == 200
    assert again().state == State.SENT


def test_a_stranger_is_not_heard(postmark):
    message = mail()

    assert from_postmark(delivery(message), secret="name:guess") == 400
    assert again().state == State.SENT


def test_a_mail_we_did_not_send_changes_nothing(postmark):
    mail()

    assert from_postmark(delivery(MessageID="somebody else's")) == 200
    assert again().state == State.SENT


def test_mailguns_own_signature_is_checked(settings):
    settings.ANYMAIL_PROVIDER = "mailgun"
    settings.ANYMAIL = {"MAILGUN_WEBHOOK_SIGNING_KEY": "key", "WEBHOOK_SECRET": "name:password"}
    message = mail()

    def call(key):
        timestamp, token = str(int(time.time())), "t" * 50
        digest = hmac.new(key.encode(), f"{timestamp}{token}".encode(), hashlib.sha256)
        event = {
            "signature": {
                "timestamp": timestamp,
                "token": token,
                "signature": digest.hexdigest(),
            },
            "event-data": {
                "event": "delivered",
                "timestamp": time.time(),
                "recipient": "z@example.com",
                "message": {"headers": {"message-id": "00000000-1111"}},
                "user-variables": {"notification": reports.token_of(message)},
            },
        }
        authorization = f"Basic {b64encode(b'name:password').decode()}"
        client = Client(headers={"Authorization": authorization})
        return client.post(MAIL, json.dumps(event), content_type="application/json").status_code

    assert call("another") == 400
    assert again().state == State.SENT
    Notification.objects.update(provider_id="<00000000-1111>")
    assert call("key") == 200
    assert again().state == State.DELIVERED


def test_mail_by_smtp_has_no_reports():
    assert Client().post(MAIL, "{}", content_type="application/json").status_code == 404
