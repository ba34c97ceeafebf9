"""Text messages by Twilio's real SDK, against a server on this machine."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from notifications import services
from notifications.channels import sms
from notifications.models import Notification, State
from notifications.services import BACKOFF, Notice, notify
from tests.contracts.providers import Twilio

pytestmark = [pytest.mark.django_db, pytest.mark.servers]
NUMBER = "+8613800000001"


@pytest.fixture
def twilio(settings):
    settings.TWILIO_ACCOUNT_SID = "AC" + "0" * 32
    settings.TWILIO_AUTH_TOKEN = "token"
    settings.TWILIO_FROM = "+12025550100"
    settings.PROVIDER_TIMEOUT = 1
    with Twilio() as server:
        settings.TWILIO_API_BASE = server.url
        yield server
    for client in clients():
        client.http_client.session.close()
    sms._client.cache_clear()


def clients():
    from django.conf import settings

    yield sms._client(
        settings.TWILIO_ACCOUNT_SID,
        settings.TWILIO_AUTH_TOKEN,
        settings.TWILIO_API_BASE,
        settings.PROVIDER_TIMEOUT,
    )


def text_message(event="password_changed", **fields) -> Notification:
    key = f"{event}:1"
    values = {"channel": "sms", "recipient": "user:1", "address": NUMBER, "language": "en"}
    notify(Notice(event=event, subject="user:1", dedupe_key=key, **(values | fields)))
    return Notification.objects.get(dedupe_key=key)


def tried(notification: Notification) -> Notification:
    """After everything that is due was tried."""
    services.deliver_due(seconds=10)
    return Notification.objects.get(pk=notification.pk)


def test_a_message_is_delivered_and_keeps_twilios_id(twilio):
    notification = tried(text_message())

    assert notification.state == State.SENT
    assert notification.provider_id.startswith("SM")
    assert notification.sent_at is not None
    assert twilio.sent == [
        {"To": NUMBER, "From": "+12025550100", "Body": notification.body},
    ]
    assert twilio.paths == [f"/2010-04-01/Accounts/AC{'0' * 32}/Messages.json"]
    assert "password has been changed" in notification.body


@pytest.mark.parametrize("code", [21211, 21610, 21614])
def test_a_refusal_is_final(twilio, code):
    twilio.answers.append((400, code))

    notification = tried(text_message())

    assert notification.state == State.FAILED
    assert notification.error_code == str(code)
    assert tried(notification).attempts == 1


@pytest.mark.parametrize(
    ("status", "code"), [(500, 20500), (503, 20503), (429, 20429), (401, 20003), (403, 20403)]
)
def test_trouble_that_may_pass_is_tried_again_later(twilio, status, code):
    twilio.answers.append((status, code))

    with time_machine.travel(timezone.now(), tick=False) as clock:
        notification = tried(text_message())
        assert notification.state == State.QUEUED
        assert notification.error_code == str(code)
        assert notification.not_before == timezone.now() + BACKOFF[0]

        clock.shift(BACKOFF[0] - timedelta(seconds=1))
        assert tried(notification).state == State.QUEUED
        clock.shift(timedelta(seconds=1))
        again = tried(notification)

    assert again.state == State.SENT
    assert again.attempts == 2
    assert again.error_code == ""
    assert len(twilio.requests) == 2


def test_a_provider_that_never_answers_is_left_in_time_and_tried_again(twilio):
    twilio.answers.append(1.5)

    notification = tried(text_message())

    assert notification.state == State.QUEUED
    assert notification.error_code == "timeout"


def test_a_provider_that_is_away_is_tried_again(twilio, settings):
    settings.TWILIO_API_BASE = "http://127.0.0.1:9"

    notification = tried(text_message())

    assert notification.state == State.QUEUED
    assert notification.error_code == "unreachable"


def test_a_proxy_that_is_set_here_is_used(twilio, settings, monkeypatch):
    monkeypatch.setenv("http_proxy", twilio.url)
    settings.TWILIO_API_BASE = "http://texts.invalid"

    assert tried(text_message()).state == State.SENT
    assert twilio.paths[0].startswith("http://texts.invalid/")


def test_after_the_last_wait_a_message_is_given_up(twilio):
    twilio.answers.extend([(500, 20500)] * 10)

    with time_machine.travel(timezone.now(), tick=False) as clock:
        notification = tried(text_message())
        for wait in BACKOFF:
            assert notification.state == State.QUEUED
            assert notification.not_before == timezone.now() + wait
            clock.shift(wait)
            notification = tried(notification)

    assert notification.state == State.FAILED
    assert notification.error_code == "20500"
    assert len(twilio.requests) == len(BACKOFF) + 1


def test_missing_credentials_are_ours_to_put_right(settings):
    settings.TWILIO_ACCOUNT_SID = settings.TWILIO_AUTH_TOKEN = ""

    notification = tried(text_message())

    assert notification.state == State.QUEUED
    assert notification.error_code == "not_configured"


def test_a_registered_template_goes_with_its_words_instead_of_the_text(twilio, settings):
    settings.TWILIO_TEMPLATES = {"sign_in_code/sms.en": "HX0123"}
    settings.TWILIO_FROM = "MG0123"

    tried(text_message("sign_in_code", params={"code": "135790", "minutes": 5}))

    assert twilio.sent == [
        {
            "To": NUMBER,
            "MessagingServiceSid": "MG0123",
            "ContentSid": "HX0123",
            "ContentVariables": '{"code": "135790", "minutes": "5"}',
        }
    ]


def test_no_number_reaches_the_log(twilio, caplog):
    caplog.set_level("DEBUG")
    twilio.answers.append((400, 21211))

    tried(text_message())

    assert "message_failed" in caplog.text
    assert NUMBER.removeprefix("+") not in caplog.text
