"""Mail, against a real SMTP server on this machine."""

from datetime import time, timedelta
from email import message_from_bytes, policy

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from notifications import preferences, services
from notifications.models import Notification, State
from notifications.services import BACKOFF, Notice, notify
from tests.contracts.providers import MailServer
from tests.notifications.messages import optional_event

pytestmark = [pytest.mark.django_db, pytest.mark.servers]
ADDRESS = "zhang@example.com"


@pytest.fixture
def mail_server(settings):
    with MailServer() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST = "127.0.0.1"
        settings.EMAIL_PORT = server.port
        settings.EMAIL_TIMEOUT = 1
        yield server


def mail(**fields) -> Notification:
    values = {"event": "password_changed", "address": ADDRESS, "language": "zh-hans"}
    notify(
        Notice(
            channel="email",
            recipient="user:1",
            subject="user:1",
            dedupe_key="password_changed:1",
            **(values | fields),
        )
    )
    return Notification.objects.get()


def tried(notification: Notification) -> Notification:
    services.deliver_due(seconds=10)
    return Notification.objects.get(pk=notification.pk)


def parsed(content: bytes):
    return message_from_bytes(content, policy=policy.default)


def test_a_mail_is_delivered(mail_server):
    notification = tried(mail())

    assert notification.state == State.SENT
    ((recipients, content),) = mail_server.received
    received = parsed(content)
    assert recipients == [ADDRESS]
    assert received["Subject"] == "您的面约密码已修改" == notification.title
    assert received["Auto-Submitted"] == "auto-generated"
    assert received["Message-ID"] == notification.provider_id
    assert "您的密码已修改。" in received.get_content()


def mails(count: int) -> None:
    for number in range(count):
        notify(
            Notice(
                event="password_changed",
                channel="email",
                recipient=f"user:{number}",
                address=f"person{number}@example.com",
                language="en",
                subject=f"user:{number}",
                dedupe_key=f"password_changed:{number}",
            )
        )


def test_mails_of_one_batch_share_a_connection(mail_server):
    mails(5)

    services.deliver_due(seconds=10)

    assert len(mail_server.received) == 5
    assert mail_server.greeted == 1


def test_a_mail_after_trouble_goes_by_another_connection(mail_server):
    mail_server.answers.append("421 4.3.2 Too many mails on this connection")
    mails(3)

    services.deliver_due(seconds=10)

    assert len(mail_server.received) == 2
    assert mail_server.greeted == 2


def test_a_refused_recipient_is_final(mail_server):
    mail_server.answers.append("550 5.1.1 No such mailbox")

    notification = tried(mail())

    assert notification.state == State.FAILED
    assert notification.error_code == "550"
    assert not mail_server.received


def test_a_busy_mailbox_is_tried_again_and_the_message_id_stays(mail_server, monkeypatch):
    mail_server.answers.append("451 4.7.1 Greylisted, come back later")
    real = services._finish_arrived

    with time_machine.travel(timezone.now(), tick=False) as clock:
        notification = tried(mail())
        assert notification.state == State.QUEUED
        assert notification.error_code == "451"
        clock.shift(BACKOFF[0])

        # The worker dies between the server's accept and our note of it …
        monkeypatch.setattr(services, "_finish_arrived", lambda *args: None)
        assert tried(notification).state == State.SENDING
        monkeypatch.setattr(services, "_finish_arrived", real)
        clock.shift(timedelta(minutes=5))
        # … so the mail goes out a second time.
        assert tried(notification).state == State.SENT

    ids = [parsed(content)["Message-ID"] for _, content in mail_server.received]
    assert len(ids) == 2
    assert len(set(ids)) == 1


def test_a_server_that_is_away_is_tried_again(mail_server, settings):
    settings.EMAIL_PORT = 9

    notification = tried(mail())

    assert notification.state == State.QUEUED
    assert notification.error_code == "unreachable"


def test_a_server_that_never_answers_is_left_in_time(mail_server):
    mail_server.latency = 1.5

    notification = tried(mail())

    assert notification.state == State.QUEUED
    assert notification.error_code == "unreachable"


@pytest.mark.parametrize(
    "address", ["no address", "a@b.example\nBcc: c@d.example", "张三@例子.example"]
)
def test_what_is_no_address_is_refused(mail_server, address):
    notification = tried(mail(address=address))

    assert notification.state == State.FAILED
    assert notification.error_code == "address"
    assert not mail_server.received


def test_no_address_reaches_the_log(mail_server, caplog):
    caplog.set_level("DEBUG")
    mail_server.answers.append("550 5.1.1 No such mailbox")

    tried(mail())

    ours = [record for record in caplog.records if record.name != "mail.log"]  # the server's own
    assert any("message_failed" in record.getMessage() for record in ours)
    assert not any(ADDRESS in record.getMessage() for record in ours)


def test_what_one_may_do_without_is_ended_with_one_click(mail_server, monkeypatch, settings):
    settings.QUIET_HOURS = (time(8), time(8))
    mail(event=optional_event(monkeypatch))
    services.deliver_due(seconds=10)

    ((_recipients, content),) = mail_server.received
    received = parsed(content)
    url = received["List-Unsubscribe"].strip(" <>")
    assert received["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert url.startswith(f"{settings.PUBLIC_URL}/messages/off/")

    path = url.removeprefix(settings.PUBLIC_URL)
    assert Client().post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert preferences.of("user:1")["reminders", "email"] is False


def test_what_must_be_said_has_no_way_out(mail_server):
    tried(mail())

    ((_recipients, content),) = mail_server.received
    assert "List-Unsubscribe" not in parsed(content)
