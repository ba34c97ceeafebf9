"""`make bench`: the product against the floor, as ratios measured in pairs, one after the other.

The machine drifts, so a floor request stands beside every measured request, and the median of the
pairs' ratios is what counts.
"""

import argparse
import random
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from statistics import median, quantiles
from urllib.parse import urlencode

from django.utils import timezone

from benchmarks import data
from benchmarks.servers import Client, Reply, Server, prepare, serve

PAIRS = 300
WARM_UP = 30


@dataclass
class Figure:
    """Milliseconds of one kind of request, and of the floor request beside each."""

    name: str
    times: list[float]
    floors: list[float]

    @property
    def ratio(self) -> float:
        return median(mine / theirs for mine, theirs in zip(self.times, self.floors, strict=True))

    def row(self) -> str:
        ratios = [mine / theirs for mine, theirs in zip(self.times, self.floors, strict=True)]
        low, _, high = quantiles(ratios, n=4)
        p95 = quantiles(self.times, n=20)[-1]
        return (
            f"{self.name:<44}{median(self.floors):>8.2f}{median(self.times):>9.2f}{p95:>9.2f}"
            f"{p95 / median(self.times):>9.2f}{self.ratio:>9.2f}  ({low:.2f}–{high:.2f})"
        )


HEAD = (
    f"{'':<44}{'floor':>8}{'median':>9}{'p95':>9}{'p95/med':>9}{'ratio':>9}  (quartiles)\n"
    f"{'':<44}{'ms':>8}{'ms':>9}{'ms':>9}"
)


def in_pairs(name: str, base: Server, calls: list[Callable[[], Reply]], *, expect: int) -> Figure:
    """Each call beside one of the floor, the order of the two drawn by chance."""
    yardstick = Client(base.port)
    chance = random.Random(7)
    figure = Figure(name, [], [])
    for number, call in enumerate(calls):
        pair = [("floor", lambda: yardstick.send("POST", f"/floor/{chance.randint(1, 1000)}/", {}))]
        pair.append(("mine", call))
        chance.shuffle(pair)
        for kind, send in pair:
            reply = send()
            wanted = 200 if kind == "floor" else expect
            if reply.status != wanted:
                sys.exit(
                    f"{name}: {kind} answered {reply.status}, not {wanted}: {reply.body[:500]!r}"
                )
            if number >= WARM_UP:
                (figure.floors if kind == "floor" else figure.times).append(reply.seconds * 1000)
    return figure


def cookies(session: str) -> dict[str, str]:
    return {"sessionid": session, "csrftoken": "a" * 32}


def cancelling(name: str, product: Server, base: Server, offered: list) -> Figure:
    """The cancel POST, each of an interview not cancelled before."""
    people = data.signed_in(PAIRS // 3, offered, bookings=3)
    calls: list[Callable[[], Reply]] = []
    for session, references in people:
        client = Client(product.port, cookies(session))
        for reference in references:
            fields = {"reason": "time_conflict", "detail": "", "csrfmiddlewaretoken": "a" * 32}
            path = f"/interviews/{reference}/cancel/"
            calls.append(lambda c=client, p=path, f=fields: c.send("POST", p, f))
    return in_pairs(name, base, calls, expect=303)


def pages(product: Server, base: Server, offered: list) -> list[Figure]:
    people = data.signed_in(20, offered, bookings=5)
    clients = [(Client(product.port, cookies(session)), refs) for session, refs in people]

    def reading(path: Callable[[list[str]], str]) -> list[Callable[[], Reply]]:
        paths = [(client, path(refs)) for client, refs in clients]
        return [
            lambda c=client, p=address: c.send("GET", p)
            for client, address in (paths[n % len(paths)] for n in range(PAIRS))
        ]

    return [
        in_pairs("my interviews", base, reading(lambda refs: "/interviews/"), expect=200),
        in_pairs(
            "one interview", base, reading(lambda refs: f"/interviews/{refs[0]}/"), expect=200
        ),
    ]


def desk_lists(product: Server, base: Server, offered: list) -> list[Figure]:
    """The desk's list of interviews as an HR lead reads it: as it opens, narrowed, gone on in."""
    client = Client(product.port, cookies(data.lead_signed_in(offered)))
    reference = data.middle_of_the_list()
    return [
        in_pairs(name, base, [lambda p=path: client.send("GET", p)] * PAIRS, expect=200)
        for name, path in (
            ("desk list", "/desk/interviews/"),
            ("desk list, narrowed", "/desk/interviews/?status=completed&kind=ai"),
            ("desk list, gone on in", f"/desk/interviews/?after={reference}"),
        )
    ]


def desk_queue(product: Server, base: Server, offered: list, *, items: int) -> list[Figure]:
    """The queue with `items` open ones, one case of it, and a decision, as an HR lead has them."""
    client = Client(product.port, cookies(data.lead_signed_in(offered)))
    receipts = data.waiting(items)
    reading = {
        "queue": "/desk/",
        "queue, narrowed": "/desk/?kind=cancellation&assignee=nobody",
        "one case": f"/desk/requests/{receipts[-1]}/",
    }
    figures = [
        in_pairs(name, base, [lambda p=path: client.send("GET", p)] * PAIRS, expect=200)
        for name, path in reading.items()
    ]
    fields = {"note": "", "csrfmiddlewaretoken": "a" * 32}
    deciding: list[Callable[[], Reply]] = [
        lambda r=receipt: client.send("POST", f"/desk/requests/{r}/approve/", fields)
        for receipt in receipts[:PAIRS]
    ]
    return [*figures, in_pairs("decision", base, deciding, expect=302)]


def export(product: Server, offered: list) -> str:
    """What taking 100,000 rows along adds to the web worker, and how long the file takes."""
    client = Client(product.port, cookies(data.lead_signed_in(offered)))
    before = product.worker_memory()
    today = timezone.localdate()
    days = {"since": today - timedelta(days=89), "until": today}  # of 900
    fields = {"format": "csv", "csrfmiddlewaretoken": "a" * 32, "query": urlencode(days)}
    reply = client.send("POST", "/desk/interviews/export/", fields)
    lines = reply.content
    grown = product.worker_memory() - before
    rows = lines.count(b"\n") - 1
    return (
        f"{f'export of {rows:,} rows as CSV':<44}{reply.seconds:>8.1f} s {grown:>8.1f} MB more,"
        f" {len(lines) / 1e6:.1f} MB of file"
    )


def weight(product: Server, offered: list) -> str:
    """What one's interviews and one of them weigh."""
    ((session, references),) = data.signed_in(1, offered, bookings=5)
    client = Client(product.port, cookies(session))
    paths = {"/interviews/": "/interviews/", "/interviews/…/": f"/interviews/{references[0]}/"}
    return "\n".join(weighed(client, name, path) for name, path in paths.items())


def weighed(client: Client, name: str, path: str) -> str:
    """Kilobytes over the wire of a page and all it loads, with an empty cache."""
    page = client.send("GET", path)
    size = len(page.body) + sum(len(client.send("GET", link).body) for link in linked(page))
    return f"{'weight of ' + name:<44}{size / 1024:>8.1f} KB"


def linked(page: Reply) -> set[str]:
    """The stylesheets, scripts and pictures a page loads."""
    return set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page.content.decode()))


def memory(product: Server, offered: list) -> str:
    """Megabytes resident in the web worker after a thousand mixed requests."""
    ((session, references),) = data.signed_in(1, offered, bookings=3)
    client = Client(product.port, cookies(session))
    paths = [
        "/interviews/",
        f"/interviews/{references[0]}/",
        f"/interviews/{references[1]}/cancel/",
        "/help/",
        "/sign-in/",
        "/api/v1/interviews/",
        "/api/schema/",
        "/receipts/",
    ]
    for number in range(1000):
        client.send("GET", paths[number % len(paths)])
    return (
        f"{'web worker after 1,000 mixed requests':<44}{product.worker_memory():>8.1f} MB resident"
    )


def main() -> None:
    from benchmarks import room  # it measures with what stands above

    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--many", type=int, default=1_000_000, help="interviews in the large run")
    parser.add_argument("--no-import", action="store_true", help="leave out importing 100,000 rows")
    parser.add_argument("--room", action="store_true", help="the interview room alone")
    chosen = parser.parse_args()
    prepare()
    offered = data.positions()
    if not chosen.room:  # while nothing else waits in the outbox, which a beat would send as well
        for name in ("delivery", "arrival"):
            subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False)
    with (
        serve("benchmarks.floor:application", "benchmarks.floor_settings") as base,
        serve("config.wsgi:application", "config.settings") as product,
    ):
        few = data.grow(10_000)
        lines = [HEAD]
        if chosen.room:
            print("\n".join([*lines, *room.lines(product, base, offered)]))
            return
        small = cancelling(f"cancel, {few:,} interviews", product, base, offered)
        lines += [small.row(), *(figure.row() for figure in pages(product, base, offered))]
        few_lists = desk_lists(product, base, offered)
        few_lists += desk_queue(product, base, offered, items=1_000)
        lines += [figure.row() for figure in few_lists]
        # It copies whole tables, so it comes while there are few rows.
        subprocess.run([sys.executable, "-m", "benchmarks.company"], check=False)
        many = data.grow(chosen.many)
        large = cancelling(f"cancel, {many:,} interviews", product, base, offered)
        lines += [large.row(), *(figure.row() for figure in pages(product, base, offered))]
        many_lists = desk_lists(product, base, offered)
        many_lists += desk_queue(product, base, offered, items=10_000)
        lines += [figure.row() for figure in many_lists]
        lines.append(
            f"{'cancel, many against few (ratio of ratios)':<44}{large.ratio / small.ratio:>8.2f}"
        )
        for before, after in zip(few_lists, many_lists, strict=True):
            name = f"{after.name}, many against few (ratio of ratios)"
            lines.append(f"{name:<64}{after.ratio / before.ratio:>8.2f}")
        lines += room.lines(product, base, offered)
        lines += [weight(product, offered), export(product, offered)]
        with serve("config.wsgi:application", "config.settings") as fresh:
            lines.append(memory(fresh, offered))
        print("\n".join(lines))
    subprocess.run([sys.executable, "-m", "benchmarks.backtest"], check=True)
    subprocess.run([sys.executable, "-m", "benchmarks.reconcile"], check=True)
    if not chosen.no_import:
        subprocess.run([sys.executable, "-m", "benchmarks.import_rows"], check=True)
    # At the end: it has everybody booked.
    subprocess.run([sys.executable, "-m", "benchmarks.reminders"], check=True)
