"""Trying a policy against reading the requests it is tried on: seconds, ratio, memory.

    .venv/bin/python -m config.embedded exec -- .venv/bin/python -m benchmarks.backtest

The yardstick is one pass over the same rows with what a rule asks of them. The two come in turns,
and the median of the pairs' ratios is what counts.
"""

import argparse
import resource
import sys
from collections.abc import Callable
from datetime import timedelta
from statistics import median
from time import perf_counter

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts.models import User  # noqa: E402
from accounts.permissions import Role  # noqa: E402
from benchmarks import data  # noqa: E402
from cancellations import backtest, queries, rules  # noqa: E402
from cancellations.models import CancellationQuerySet  # noqa: E402
from interviews.models import Position  # noqa: E402

REQUESTS = 100_000
MOST_SECONDS = 5
MOST_RATIO = 1.5
MOST_GROWTH = 20  # MiB
HOUR = timedelta(hours=1)
DRAFT = rules.Policy(
    id=0,
    name="tried",
    scope=rules.Scope(),
    tiers=(
        rules.Tier(48 * HOUR, rules.Outcome.AUTOMATIC),
        rules.Tier(6 * HOUR, rules.Outcome.NEEDS_HR),
        rules.Tier(0 * HOUR, rules.Outcome.REFUSED),
    ),
    promised_minutes=15,
    default=rules.Default.APPROVE,
    default_before=HOUR / 2,
)
CANCELLATIONS = """
INSERT INTO cancellations_cancellation (reference, interview_id, party, requested_by_id, reason_id,
    detail, requested_at, starts_at, notice, outcome, short_notice, policy, status, decided_at,
    note)
SELECT 'C' || lpad(i.id::text, 9, '0'), i.id, 'candidate', c.user_id,
    (SELECT min(id) FROM cancellations_reason), '',
    now() - (i.id %% 360) * interval '1 day', i.starts_at,
    (i.id %% 97) * interval '1 hour' + interval '1 s',
    CASE WHEN i.id %% 97 < 12 THEN 'needs_hr' ELSE 'automatic' END, false, '{}', 'approved',
    now() - (i.id %% 360) * interval '1 day' + interval '9 minutes', ''
FROM interviews_interview i
JOIN interviews_application a ON a.id = i.application_id
JOIN candidates_candidate c ON c.id = a.candidate_id
WHERE NOT EXISTS (SELECT FROM cancellations_cancellation x WHERE x.interview_id = i.id)
ORDER BY i.id LIMIT %(count)s::int
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--requests", type=int, default=REQUESTS)
    chosen = parser.parse_args()
    call_command("migrate", verbosity=0)
    if not Position.objects.exists():  # `make bench` has made them before
        data.positions()
    data.grow(chosen.requests)
    with connection.cursor() as cursor:
        cursor.execute(CANCELLATIONS, {"count": chosen.requests})
        cursor.execute("VACUUM ANALYZE")
    administrator = User(role=Role.ADMINISTRATOR)
    since = timezone.now() - timedelta(days=365)
    asked = backtest.requests(administrator, DRAFT.scope, since=since)
    in_force = queries.policies_in_force(timezone.now())
    there = asked.count()

    def trying() -> None:
        trial = backtest.try_policy(asked, in_force=in_force, tried=DRAFT)
        list(backtest.changed_requests(asked, trial)[:50])
        backtest.handling_time(asked)
        if trial.total != there or not trial.changed:
            sys.exit(f"{trial.total} requests tried of {there}.")

    reading(asked)
    before = resident()
    pairs = [(seconds(trying), seconds(lambda: reading(asked))) for _ in range(chosen.pairs)]
    growth = resident() - before
    ratio = median(tried / read for tried, read in pairs)
    tried, read = median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)
    print(
        f"trying a policy on {there:,} requests: {tried:.2f} s, reading them {read:.2f} s,"
        f" ratio {ratio:.2f}, {growth:.0f} MiB more"
    )
    if tried > MOST_SECONDS or ratio > MOST_RATIO or growth > MOST_GROWTH:
        sys.exit(f"Above {MOST_SECONDS} s, {MOST_RATIO} × reading or {MOST_GROWTH} MiB.")


def reading(asked: CancellationQuerySet) -> None:
    """One pass over the rows with what a rule asks of them."""
    columns = ("requested_at", "starts_at", "notice", "outcome", "interview__kind")
    place = (f"{backtest.POSITION}{part}" for part in ("", "__department", "__category"))
    for _ in asked.values_list(*columns, *place).iterator():
        pass


def seconds(call: Callable[[], None]) -> float:
    began = perf_counter()
    call()
    return perf_counter() - began


def resident() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
