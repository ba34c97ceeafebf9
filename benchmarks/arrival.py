"""From the commit of a cancellation to the provider's accept: seconds, p50, p95 and the longest.

    .venv/bin/python -m config.embedded exec --durable -- .venv/bin/python -m benchmarks.arrival

Fifty candidates a second cancel for a minute, in a process of their own and in as many threads as
the demo's web server has, each when it is their turn, however long those before them take. A worker
and a beat as the demo has them send what that stores, by Twilio's SDK and by SMTP, to servers here
that note when each message was theirs.
"""

import argparse
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from email import message_from_bytes
from pathlib import Path
from statistics import quantiles
from typing import Any

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import close_old_connections, connection, transaction  # noqa: E402

from accounts.models import User  # noqa: E402
from benchmarks import data  # noqa: E402
from cancellations.models import Purpose, Reason  # noqa: E402
from cancellations.services import TIME_CONFLICT, request_cancellation  # noqa: E402
from config.celery import app  # noqa: E402
from interviews.models import Interview, Position  # noqa: E402
from notifications.models import Channel, Notification, State  # noqa: E402
from tests.contracts.providers import MailServer, Twilio  # noqa: E402

A_SECOND, SECONDS = 50, 60
MOST_P95 = 5.0  # seconds
WARM_UP = 20  # cancellations, for what a worker loads with its first message
PATIENCE = 300  # seconds until the last message has to be there
THREADS = 8
WORKER = ("worker", "--concurrency", "2", "--without-gossip", "--without-mingle")
BEAT = ("beat", "--pidfile=")
ROOT = Path(__file__).resolve().parent.parent


class Noted(list[tuple[float, Any]]):
    """What was taken, each with the moment."""

    def append(self, taken: Any) -> None:
        super().append((time.time(), taken))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--a-second", type=int, default=A_SECOND)
    parser.add_argument("--seconds", type=int, default=SECONDS)
    parser.add_argument("--cancel", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.cancel:
        cancel_all(json.load(sys.stdin), chosen.a_second)
        return
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # of the server that takes the mails
    call_command("migrate", verbosity=0)
    offered = list(Position.objects.filter(category__code="bench")) or data.positions()
    count = chosen.a_second * chosen.seconds
    references = booked(WARM_UP + count, offered)
    with Twilio() as texts, MailServer() as mails, ExitStack() as stack:
        texts.sent, mails.received = Noted(), Noted()
        for program in (WORKER, BEAT):
            stack.enter_context(running(program, texts, mails))
        wait_for_worker()
        committed, behind = cancelled(references, chosen.a_second)
        waits = waited(committed, texts.sent, mails.received)
    p95 = quantiles(waits, n=20)[-1]
    print(
        f"{count:,} cancellations, {chosen.a_second} a second (at most {behind:.1f} s late),"
        f" {len(waits):,} text messages and mails: commit to accept p50"
        f" {quantiles(waits, n=2)[0]:.2f} s, p95 {p95:.2f} s, longest {max(waits):.2f} s"
    )
    if p95 > MOST_P95:
        sys.exit(f"Above {MOST_P95:.0f} s.")


@contextmanager
def running(program: tuple[str, ...], texts: Twilio, mails: MailServer) -> Iterator[None]:
    """As `make run` starts it, with providers on this machine."""
    providers = {
        "TWILIO_API_BASE": texts.url,
        "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "TWILIO_AUTH_TOKEN": "token",
        "TWILIO_FROM": "+12025550100",
        "SMTP_URL": f"smtp://127.0.0.1:{mails.port}",
    }
    command = [sys.executable, "-m", "celery", "-A", "config", *program, "--loglevel", "ERROR"]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **providers})
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


def wait_for_worker() -> None:
    give_up = time.monotonic() + PATIENCE
    while not app.control.ping(timeout=0.5):
        if time.monotonic() > give_up:
            sys.exit("the worker does not answer")


def booked(count: int, offered: list[Position]) -> list[str]:
    """The interviews of so many candidates."""
    people = data.signed_in(count, offered, bookings=1)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return [reference for _session, (reference,) in people]


def cancelled(references: list[str], a_second: int) -> tuple[dict[str, float], float]:
    """When each but the first few was committed, and how late the latest was; all messages have
    gone."""
    command = [sys.executable, "-m", "benchmarks.arrival", "--cancel", "--a-second", str(a_second)]
    done = subprocess.run(
        command, input=json.dumps(references), check=True, stdout=subprocess.PIPE, text=True
    )
    wait_until_gone(references)
    committed, behind = json.loads(done.stdout.splitlines()[-1])
    return committed, behind


def cancel_all(references: list[str], a_second: int) -> None:
    """In a process of their own: the first few at once, and each of the others in its turn."""
    others = Reason.objects.exclude(code=TIME_CONFLICT)  # who then waits for another time
    reason = others.filter(purpose=Purpose.CANCEL).earliest("pk")
    mine = Interview.objects.filter(reference__in=references)
    users = User.objects.in_bulk(mine.values_list("application__candidate__user", flat=True))
    owners = dict(mine.values_list("reference", "application__candidate__user"))
    committed: dict[str, float] = {}

    def cancel(reference: str) -> None:
        try:
            with transaction.atomic():
                # The first of what follows the commit: before anybody is told of it.
                transaction.on_commit(lambda: committed.update({reference: time.time()}))
                request_cancellation(reference, by=users[owners[reference]], reason=reason)
        finally:
            close_old_connections()  # as after a request: the pool has fewer than there are threads

    first, timed = references[:WARM_UP], references[WARM_UP:]
    turns: dict[str, float] = {}
    close_old_connections()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(cancel, first))
        wait_until_gone(first)
        close_old_connections()
        began, asked = time.time(), []
        for number, reference in enumerate(timed):
            turns[reference] = began + number / a_second
            time.sleep(max(0.0, turns[reference] - time.time()))
            asked.append(pool.submit(cancel, reference))
        for each in asked:
            each.result()
    measured = {reference: committed[reference] for reference in timed}
    print(json.dumps([measured, max(at - turns[each] for each, at in measured.items())]))


def wait_until_gone(references: list[str]) -> None:
    give_up = time.monotonic() + PATIENCE
    left = Notification.objects.filter(
        subject__in=[f"interview:{reference}" for reference in references],
        state__in=[State.QUEUED, State.SENDING],
    )
    while still := left.count():
        if time.monotonic() > give_up:
            sys.exit(f"{still} messages did not go")
        time.sleep(0.5)


def waited(committed: dict[str, float], texts: Noted, mails: Noted) -> list[float]:
    """Seconds, of every text message and mail that was sent for these."""
    taken = {form["To"]: at for at, form in texts}
    taken |= {message_from_bytes(content)["Message-ID"]: at for at, (_to, content) in mails}
    sent = Notification.objects.filter(
        subject__in=[f"interview:{reference}" for reference in committed],
        channel__in=[Channel.SMS, Channel.EMAIL],
    )
    waits = []
    for each in sent.only("channel", "address", "provider_id", "subject", "state", "error_code"):
        if each.state != State.SENT:
            sys.exit(f"a message is {each.state} ({each.error_code})")
        key = each.address if each.channel == Channel.SMS else each.provider_id
        waits.append(taken[key] - committed[each.subject.removeprefix("interview:")])
    if len(waits) < 2 * len(committed):
        sys.exit(f"only {len(waits)} messages for {len(committed)} cancellations")
    return waits


if __name__ == "__main__":
    main()
