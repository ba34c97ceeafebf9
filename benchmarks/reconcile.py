"""Reconciling with a platform against just reading both lists: seconds, ratio, memory.

    .venv/bin/python -m config.embedded exec -- .venv/bin/python -m benchmarks.reconcile

Their list comes from the fake platform in a process of its own, over loopback. The yardstick reads
it page by page and parses the JSON, and reads ours in one query. The two come in turns, and the
median of the pairs' ratios is what counts. Memory is that of a process that does one pass; flat
means that it takes hardly more for all interviews than for a tenth of them.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from urllib.parse import urlencode

import django

os.environ["WEBHOOK_ALLOW_HTTP"] = os.environ["WEBHOOK_ALLOW_PRIVATE"] = "1"
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from benchmarks import data  # noqa: E402
from config.embedded.process import dying_with_us  # noqa: E402
from config.fake_platform import Alder  # noqa: E402
from interviews.models import Platform, PlatformLink, Position  # noqa: E402
from interviews.platforms import reconcile, written  # noqa: E402
from interviews.platforms.http import TOKENS, Account  # noqa: E402
from interviews.platforms.models import Sign  # noqa: E402
from tests.database import without_triggers  # noqa: E402

INTERVIEWS = 100_000
MOST_RATIO = 3
MOST_GROWTH = 20  # MiB
SLUG = "bench"
# The newest: every other one lies ahead, the others took place in the last four weeks. They stand
# at a position of their own; nothing of all this is a move that the database would let pass.
CHOSEN = """
UPDATE interviews_interview i SET kind = 'ai', status = CASE WHEN ahead THEN 'booked'
        ELSE 'completed' END, ended_at = CASE WHEN NOT ahead THEN start END,
    starts_at = start, ends_at = start + interval '30 minutes', listed_position = %(position)s::int
FROM (SELECT id, id %% 2 = 0 AS ahead, date_trunc('second', now())
        + CASE WHEN id %% 2 = 0 THEN interval '1 day' + id %% 997 * interval '1 hour'
            ELSE (1 + id %% 600) * interval '-1 hour' END AS start
    FROM interviews_interview ORDER BY id DESC LIMIT %(count)s::int) chosen
WHERE i.id = chosen.id
"""
LINKS = """
INSERT INTO interviews_platformlink (interview_id, platform_id, external_id, external_status,
    external_starts_at, scores, wanted, attempts, error_code, difference)
SELECT id, %(platform)s::int, lpad(id::text, 9, '0'), status, starts_at,
    CASE WHEN status = 'completed' THEN '{"total": 81.5, "skill": 77}'::jsonb ELSE '{}' END,
    '', 0, '', ''
FROM interviews_interview WHERE listed_position = %(position)s::int
"""
OURS = """
SELECT link.id, link.interview_id, interview.reference, link.external_id, link.external_status,
    link.external_starts_at, link.scores, link.wanted, link.difference, interview.status,
    interview.starts_at
FROM interviews_platformlink AS link
JOIN interviews_interview AS interview ON interview.id = link.interview_id
WHERE link.platform_id = %(platform)s::int
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--interviews", type=int, default=INTERVIEWS)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--one-pass", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one_pass:
        once(Platform.objects.get(slug=SLUG), chosen.interviews)
        print(peak())
        return
    call_command("migrate", verbosity=0)
    if not Position.objects.exists():  # `make bench` has made them before
        data.positions()
    data.grow(chosen.interviews)
    count = chosen.interviews // 10
    with held_on_a_platform(count):
        few = peak_of_one_pass(count)
    with held_on_a_platform(chosen.interviews) as platform:
        many = peak_of_one_pass(chosen.interviews)
        once(platform, chosen.interviews)
        pairs = [
            (once(platform, chosen.interviews), reading(platform, chosen.interviews))
            for _ in range(chosen.pairs)
        ]
    ratio = median(mine / read for mine, read in pairs)
    mine, read = median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)
    print(
        f"reconciling {chosen.interviews:,} interviews: {mine:.1f} s, reading both lists"
        f" {read:.1f} s, ratio {ratio:.2f}; peak {many:.0f} MiB, with a tenth {few:.0f} MiB"
    )
    if ratio > MOST_RATIO or many - few > MOST_GROWTH:
        sys.exit(f"Above {MOST_RATIO} × reading, or {MOST_GROWTH} MiB more than with a tenth.")


@contextmanager
def held_on_a_platform(count: int) -> Iterator[Platform]:
    """So many interviews on which both sides agree, and the platform that listens."""
    PlatformLink.objects.filter(platform__slug=SLUG).delete()
    Position.objects.filter(code=SLUG).update(platform=None)
    Platform.objects.filter(slug=SLUG).delete()
    platform = Platform.objects.create(
        slug=SLUG,
        name=SLUG,
        sign=Sign.OAUTH,
        client_id=Alder.client_id,
        secret=Alder.secret,
        mapping=written.examples()["alder"],
    )
    like = Position.objects.first()
    given = {"title": SLUG, "department": like.department, "category": like.category}
    position, _ = Position.objects.update_or_create(
        code=SLUG, defaults={**given, "platform": platform}
    )
    values = {"count": count, "position": position.pk, "platform": platform.pk}
    with connection.cursor() as cursor:
        with without_triggers():
            cursor.execute(CHOSEN, values)
        cursor.execute(LINKS, values)
        cursor.execute("VACUUM ANALYZE")
    with TemporaryDirectory() as directory, listening(platform, Path(directory)) as address:
        Platform.objects.filter(pk=platform.pk).update(base_url=address)
        yield Platform.objects.get(pk=platform.pk)


@contextmanager
def listening(platform: Platform, directory: Path) -> Iterator[str]:
    """The address of the fake platform, in a process of its own, that holds all of them."""
    links = platform.links.order_by("external_id").values_list(
        "external_id", "interview__reference", "external_starts_at", "external_status", "scores"
    )
    interviews = [
        {"id": a, "reference": b, "starts_at": c.isoformat(), "standing": d, "scores": e}
        for a, b, c, d, e in links
    ]
    state = directory / "state.json"
    state.write_text(json.dumps({"number": 900_000_000, "interviews": interviews}))
    command = [sys.executable, "-m", "config.fake_platform", "--port", "0", "--state", str(state)]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "MIANYUE_MODE": "test"},
        preexec_fn=dying_with_us(signal.SIGTERM),
    ) as fake:
        try:
            yield fake.stdout.readline().split()[-1]
        finally:
            fake.terminate()


def once(platform: Platform, count: int) -> float:
    """One pass; seconds."""
    began = perf_counter()
    compared, found = reconcile.summary(reconcile.run(platform.pk))
    took = perf_counter() - began
    if compared != count or found:
        sys.exit(f"{compared} interviews compared, found {dict(found)}.")
    return took


def reading(platform: Platform, count: int) -> float:
    """Both lists, one after the other; seconds."""
    began = perf_counter()
    theirs, cursor = 0, ""
    headers = {"Authorization": f"Bearer {TOKENS.get(Account.of(platform))}"}
    since = timezone.now() - timedelta(days=30)
    while True:
        query = {"limit": 500, "cursor": cursor, "starting_after": since.isoformat()}
        url = f"{platform.base_url}/v2/interviews?{urlencode(query)}"
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as response:
            page = json.load(response)
        theirs += len(page["data"])
        cursor = page["paging"]["next_cursor"]
        if not cursor:
            break
    with connection.cursor() as rows:
        rows.execute(OURS, {"platform": platform.pk})
        ours = len(rows.fetchall())
    if not theirs == ours == count:
        sys.exit(f"{theirs} interviews there, {ours} here.")
    return perf_counter() - began


def peak_of_one_pass(count: int) -> float:
    """MiB of a process that does nothing else."""
    command = [sys.executable, "-m", "benchmarks.reconcile", "--one-pass"]
    done = subprocess.run(
        [*command, f"--interviews={count}"], check=True, stdout=subprocess.PIPE, text=True
    )
    return float(done.stdout)


def peak() -> float:
    """MiB. Not getrusage: that counts what the process it was forked from had."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    main()
