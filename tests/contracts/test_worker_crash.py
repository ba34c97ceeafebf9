"""A real worker, real servers, and kill -9 in the middle of 500 messages."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from email import message_from_bytes
from urllib.parse import urlsplit, urlunsplit

import pytest
from celery import Celery
from django.conf import settings
from django.db import connection
from django.utils import timezone

from config.embedded.valkey import Valkey
from notifications.models import Notification, State
from notifications.services import Notice, notify
from tests.contracts.providers import MailServer, Twilio

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.servers]
MESSAGES = 500
LEASE = 4  # seconds
PATIENCE = 240  # seconds


@pytest.fixture
def broker(tmp_path):
    """A broker of its own: other tests publish too."""
    server = Valkey(tmp_path / "valkey", log=tmp_path / "valkey.log", durable=False)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def start_worker(tmp_path, broker):
    """Starts workers that use this test's database; ends those that are left."""
    running = []

    def start(**environment):
        with (tmp_path / f"worker-{len(running)}.log").open("wb") as log:
            worker = subprocess.Popen(
                [
                    *(sys.executable, "-m", "celery", "-A", "config", "worker"),
                    *("--concurrency", "2", "--without-gossip", "--without-mingle"),
                ],
                cwd=settings.BASE_DIR,
                env=os.environ
                | {"DATABASE_URL": database_url(), "REDIS_URL": broker.url}
                | environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        running.append(worker)
        return worker

    yield start
    for worker in running:
        kill(worker)


def database_url() -> str:
    url = urlsplit(os.environ["DATABASE_URL"])
    return urlunsplit(url._replace(path=f"/{connection.settings_dict['NAME']}"))


def kill(worker: subprocess.Popen) -> None:
    """kill -9, the processes it forked included."""
    if worker.poll() is None:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()


def tasks(broker) -> Celery:
    """Our tasks by name, sent through the test's own broker."""
    app = Celery(broker=f"redis+socket://{broker.socket}?virtual_host=0", set_as_current=False)
    app.conf.task_ignore_result = True
    return app


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


def wait_until(condition, what: str, *, every: float = 0.05) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(every)


def test_a_worker_killed_in_the_middle_loses_nothing(broker, start_worker, record_property):
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
            for start in range(0, MESSAGES, 20):
                app.send_task("notifications.tasks.deliver_now", [keys[start : start + 20]])

            first = start_worker(**around)
            wait_until(lambda: delivered().total() >= MESSAGES * 0.4, "the first worker")
            kill(first)
            in_hand = set(
                Notification.objects.filter(state=State.SENDING).values_list("address", flat=True)
            )
            killed_at = timezone.now()
            before = delivered()
            assert before.total() < MESSAGES, "killed too late to show anything"

            start_worker(**around)
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


def test_a_worker_finds_its_broker_again(broker, start_worker, tmp_path):
    with Twilio() as twilio:
        start_worker(
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
