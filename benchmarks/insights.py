"""The pages of figures with few interviews and with many: beside the floor, and their queries; and
seconds from the commit of a cancellation until the overview shows it.

    .venv/bin/python -m config.embedded exec --durable -- .venv/bin/python -m benchmarks.insights

The interviews are those of benchmarks.analytics, read as an administrator of the company reads them
and as an HR lead of three departments does. Cancellations are counted by a worker and a beat as the
demo has them.
"""

import argparse
import random
import re
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from statistics import median, quantiles

import django

django.setup()

from django.db import connection, transaction  # noqa: E402
from django.test import Client as InProcess  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from django.urls import reverse  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts.models import User  # noqa: E402
from accounts.permissions import Role  # noqa: E402
from analytics import cells  # noqa: E402
from analytics.dashboards.pages import PAGES  # noqa: E402
from analytics.models import Cell  # noqa: E402
from benchmarks.analytics import INTERVIEWS, grow, timed, vacuum  # noqa: E402
from benchmarks.arrival import BEAT, WORKER, running, wait_for_worker  # noqa: E402
from benchmarks.data import session_of  # noqa: E402
from benchmarks.measure import HEAD, PAIRS, Figure, cookies, in_pairs  # noqa: E402
from benchmarks.servers import Client, Server, prepare, serve  # noqa: E402
from cancellations.models import Purpose, Reason  # noqa: E402
from cancellations.services import TIME_CONFLICT, request_cancellation  # noqa: E402
from interviews.models import Department, Interview  # noqa: E402
from interviews.states import InterviewStatus  # noqa: E402
from tests.contracts.providers import MailServer, Twilio  # noqa: E402

FEW = 10_000
CANCELLED = 20
MOST_GROWTH = 1.3  # the median, of its own with few
MOST_FLOORS = 12
MOST_QUERIES = 20
MOST_SECONDS = 5.0  # until a cancellation is shown
PATIENCE = 60  # seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--interviews", type=int, default=INTERVIEWS)
    parser.add_argument("--pairs", type=int, default=PAIRS // 3, help="of each page")
    parser.add_argument("--only", default="", help="pages whose names contain this")
    chosen = parser.parse_args()
    prepare()
    with (
        serve("benchmarks.floor:application", "benchmarks.floor_settings") as base,
        serve("config.wsgi:application", "config.settings") as product,
    ):
        few, _queries = measured(FEW, product, base, chosen)
        many, queries = measured(chosen.interviews, product, base, chosen)
        waits = shown(product)
    print(f"{'many against few, ratio of ratios; ratio; queries':<52}")
    above = []
    for before, after, asked in zip(few, many, queries, strict=True):
        growth = after.ratio / before.ratio  # beside the floor: the machine drifts
        line = f"{after.name:<52}{growth:>8.2f}{after.ratio:>8.2f}{asked:>5}"
        if growth > MOST_GROWTH or after.ratio > MOST_FLOORS or asked > MOST_QUERIES:
            above.append(after.name)
            line += "  above"
        print(line)
    p95 = quantiles(waits, n=20)[-1]
    print(
        f"{len(waits)} cancellations, commit to overview: p50 {median(waits):.2f} s, p95"
        f" {p95:.2f} s, longest {max(waits):.2f} s"
    )
    if max(waits) > MOST_SECONDS:
        above.append("commit to overview")
    if above:
        sys.exit(
            f"Above {MOST_GROWTH} × its own, {MOST_FLOORS} × the floor, {MOST_QUERIES} queries or"
            f" {MOST_SECONDS:.0f} s: {'; '.join(above)}"
        )


def measured(
    interviews: int, product: Server, base: Server, chosen: argparse.Namespace
) -> tuple[list[Figure], list[int]]:
    """Every page with so many interviews, and how often it asks the database."""
    grown = timed(lambda: grow(interviews))
    rebuilt = timed(lambda: list(cells.rebuild()))
    vacuum("analytics_cell")
    print(
        f"{interviews:,} interviews, made in {grown:.0f} s; {Cell.objects.count():,} rows of"
        f" cells, counted in {rebuilt:.0f} s"
    )
    print(HEAD)
    figures, queries = [], []
    for name, session, path in asked():
        if chosen.only in name:
            client = Client(product.port, cookies(session))
            call = [lambda c=client, p=path: c.send("GET", p)] * chosen.pairs
            figures.append(in_pairs(name, base, call, expect=200))
            queries.append(queries_of(session, path))
            print(figures[-1].row(), flush=True)
    return figures, queries


def asked() -> Iterator[tuple[str, str, str]]:
    """Each page as it is read: its name, whose session, its address."""
    departments = list(Department.objects.order_by("pk")[:3])
    administrator = session_of(staff(Role.ADMINISTRATOR, []))
    lead = session_of(staff(Role.HR_LEAD, departments))
    ways = {
        "": (administrator, ""),
        ", HR lead": (lead, ""),
        ", 12 months": (administrator, "?period=last_year"),
        ", department, 12 months": (
            administrator,
            f"?period=last_year&department={departments[0].pk}",
        ),
        ", one kind, 12 months": (administrator, "?period=last_year&kind=ai"),
    }
    for page in PAGES.values():
        for way, (session, query) in ways.items():
            yield page.name + way, session, reverse(page.url_name) + query


def staff(role: Role, departments: list[Department]) -> User:
    user, _ = User.objects.get_or_create(
        email=f"{role.value}@bench.example", role=role, defaults={"name": "主管", "password": "!"}
    )
    user.departments.set(departments)
    return user


def queries_of(session: str, path: str) -> int:
    client = InProcess(SERVER_NAME="127.0.0.1")
    client.cookies["sessionid"] = session
    client.get(path, secure=True)  # what a process learns once
    with CaptureQueriesContext(connection) as captured:
        client.get(path, secure=True)
    return len(captured)


# --- from the commit to the page ------------------------------------------------------------------


def shown(product: Server) -> list[float]:
    """Seconds of each cancellation, one after the other and at any moment between two beats."""
    since = timezone.localdate() + timedelta(days=3)  # long before: nobody has to decide
    ahead = Interview.objects.filter(status=InterviewStatus.BOOKED, listed_at__date__gte=since)
    own = ahead.order_by("application__candidate", "pk").distinct("application__candidate")
    found = own.values_list("reference", "application__candidate__user")[: CANCELLED + 1]
    path = f"{reverse('analytics:overview')}?since={since}&until={since + timedelta(days=60)}"
    reader = Client(product.port, cookies(session_of(staff(Role.ADMINISTRATOR, []))))
    waits = []
    with (
        Twilio() as texts,
        MailServer() as mails,
        running(WORKER, texts, mails),
        running(BEAT, texts, mails),
    ):
        wait_for_worker()
        for reference, user in found:
            waits.append(seconds_until_shown(reference, user, reader, path))
            time.sleep(random.uniform(0, 2))
    return waits[1:]  # of the first a worker has much to load


def seconds_until_shown(reference: str, user: int, reader: Client, path: str) -> float:
    others = Reason.objects.exclude(code=TIME_CONFLICT)  # who then waits for another time
    reason = others.filter(purpose=Purpose.CANCEL).earliest("pk")
    before = cancelled(reader, path)
    committed: list[float] = []
    with transaction.atomic():
        transaction.on_commit(lambda: committed.append(time.monotonic()))
        request_cancellation(reference, by=User.objects.get(pk=user), reason=reason)
    while cancelled(reader, path) != before + 1:
        if time.monotonic() - committed[0] > PATIENCE:
            sys.exit(f"not on the overview after {PATIENCE} s")
        time.sleep(0.05)
    return time.monotonic() - committed[0]


def cancelled(reader: Client, path: str) -> int:
    """The number in the tile that leads to those cancelled."""
    page = reader.send("GET", path).content.decode()
    tile = re.search(r'<dd[^>]*>\s*<a href="[^"]*status=cancelled".*?</div>', page, re.DOTALL)
    if not tile:
        sys.exit("no tile of those cancelled")
    said = re.search(r"(\d[\d,]*) / (\d[\d,]*)", re.sub(r"<[^>]+>", "", tile[0]))
    return int(said[1].replace(",", "")) if said else 0


if __name__ == "__main__":
    main()
