"""A real worker, real servers, and kill -9 in the middle of 500 messages."""

import sys
import time
from collections import Counter
from email import message_from_bytes

import pytest
from django.utils import timezone

from notifications.models import Notification, State
from notifications.services import Notice, notify
from tests.contracts.providers import MailServer, Twilio
from tests.contracts.workers import kill, tasks, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.servers]
MESSAGES = 500
LEASE = 4  # seconds


def messages() -> list[Notice]:
    return [
        Notice(
            event="password_changed",
            channel="sms" if number % 2 else "email",
            recipient=f"user:{number}",
            address=f"+86138{number:08d}" if number % 2 else f"{number}@example.com",
            language="en",
            subject=f"user:{number}",
            dedupe_key=f"password_changed:{number}",
        )
        for number in range(MESSAGES)
    ]


def test_a_worker_killed_in_the_middle_loses_nothing(broker, start, record_property):
    with Twilio(latency=0.01) as twilio, MailServer(latency=0.01) as mail_server:
        around = {
            "MIANYUE_MODE": "test",
            "DELIVERY_LEASE": str(LEASE),
            "PROVIDER_TIMEOUT": "1",
            "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
            "TWILIO_AUTH_TOKEN": "token",
            "TWILIO_FROM": "+12025550100",
            "TWILIO_API_BASE": twilio.url,
            "SMTP_URL": f"smtp://127.0.0.1:{mail_server.port}",
        }

        def delivered() -> Counter[str]:
            texts = [form["To"] for form in list(twilio.sent)]
            mails = [recipient for (recipient,), _ in list(mail_server.received)]
            return Counter(texts + mails)

        notices = messages()
        notify(*notices)
        keys = [notice.dedupe_key for notice in notices]
        with tasks(broker) as app:
            for first in range(0, MESSAGES, 20):
                app.send_task("notifications.tasks.deliver_now", [keys[first : first + 20]])

            worker = start(**around)
            wait_until(lambda: delivered().total() >= MESSAGES * 0.4, "the first worker")
            kill(worker)
            in_hand = set(
                Notification.objects.filter(state=State.SENDING).values_list("address", flat=True)
            )
            killed_at = timezone.now()
            before = delivered()
            assert before.total() < MESSAGES, "killed too late to show anything"

            start(**around)
            time.sleep(LEASE)
            unsent = Notification.objects.exclude(state=State.SENT)

            def swept() -> bool:
                app.send_task("notifications.tasks.sweep")
                return not unsent.exists()

            wait_until(swept, "the second worker", every=2)

        after = delivered()

    wanted = {notice.address for notice in notices}
    twice = {address for address, times in after.items() if times > 1}
    record_property("in hand when killed", len(in_hand))
    record_property("delivered twice", len(twice))
    sys.stdout.write(
        f"{MESSAGES} messages; {before.total()} delivered when the worker was killed, "
        f"{len(in_hand)} in hand; delivered in the end: {len(wanted & set(after))}, "
        f"lost: {len(wanted - set(after))}, twice: {len(twice)}\n"
    )
    assert set(after) == wanted
    assert twice <= in_hand, "only what was in hand may go out again"
    assert max(after.values()) <= 2
    again = Notification.objects.filter(address__in=twice)
    assert all(n.attempts == 2 and n.sent_at > killed_at for n in again)
    ids = Counter(message_from_bytes(content)["Message-ID"] for _, content in mail_server.received)
    assert len(ids) == MESSAGES / 2, "a mail sent again has the same Message-ID"


def test_a_worker_finds_its_broker_again(broker, start, tmp_path):
    with Twilio() as twilio:
        start(
            MIANYUE_MODE="test",
            TWILIO_ACCOUNT_SID="AC" + "0" * 32,
            TWILIO_AUTH_TOKEN="token",
            TWILIO_FROM="+12025550100",
            TWILIO_API_BASE=twilio.url,
        )
        first, second = (notice for notice in messages()[:4] if notice.channel == "sms")
        with tasks(broker) as app:
            notify(first)
            app.send_task("notifications.tasks.deliver_now", [[first.dedupe_key]])
            wait_until(lambda: len(twilio.sent) == 1, "the first message")

        broker.child.stop()
        time.sleep(3)
        broker.start()

        with tasks(broker) as app:
            notify(second)
            app.send_task("notifications.tasks.deliver_now", [[second.dedupe_key]])
            wait_until(lambda: len(twilio.sent) == 2, "the second message")
