"""The sweep over the reminders against the bare SQL that claims them: seconds, ratio, memory.

    .venv/bin/python -m config.embedded exec -- .venv/bin/python -m benchmarks.reminders

A million booked interviews with the steps of all rules, of which fifty thousand are due. The
yardstick claims the same steps in the same batches, locks their interviews and marks them as taken.
The two come in turns; what either did is taken back. Memory is that of a process that does one
sweep; flat means that it takes hardly more for all steps than for a tenth of them.
"""

import argparse
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402

from benchmarks import data  # noqa: E402
from interviews.models import Position, ReminderRule, Step  # noqa: E402
from interviews.reminders import sweep  # noqa: E402
from notifications.models import Notification  # noqa: E402
from tests.database import without_triggers  # noqa: E402

INTERVIEWS, DUE = 1_000_000, 50_000
MOST_RATIO = 3
MOST_GROWTH = 20  # MiB
BOOKED = """
UPDATE interviews_interview SET status = 'booked', booked_at = now() - interval '3 days',
    starts_at = date_trunc('second', now()) + interval '25 hours' + id % 997 * interval '1 hour',
    ends_at = date_trunc('second', now()) + interval '26 hours' + id % 997 * interval '1 hour',
    ended_at = NULL
WHERE status <> 'booked'
"""
PLANNED = """
INSERT INTO interviews_step (interview_id, rule_id, anchor_at, due_at, outcome)
SELECT i.id, r.id, i.starts_at, i.starts_at + make_interval(mins => r.minutes), ''
FROM interviews_interview i CROSS JOIN interviews_reminderrule r
WHERE i.status = 'booked' AND r.stage = 'booked' AND r.anchor = 'start' AND r.whom = ''
"""
# As if it were a day before these appointments.
FALLS_DUE = """
WITH chosen AS (
    SELECT id FROM interviews_step WHERE rule_id = %(rule)s::int AND done_at IS NULL
    ORDER BY id LIMIT %(count)s::int
), near AS (
    UPDATE interviews_interview i SET starts_at = date_trunc('second', now()) + interval '23 hours'
    FROM interviews_step s WHERE s.id IN (SELECT id FROM chosen) AND i.id = s.interview_id
)
UPDATE interviews_step SET anchor_at = date_trunc('second', now()) + interval '23 hours',
    due_at = date_trunc('second', now()) - interval '1 hour'
WHERE id IN (SELECT id FROM chosen)
"""
AGAIN = "UPDATE interviews_step SET done_at = NULL, outcome = '' WHERE done_at IS NOT NULL"
CLAIM = """
SELECT step.id FROM interviews_step step
JOIN interviews_interview interview ON interview.id = step.interview_id
WHERE step.done_at IS NULL AND step.due_at <= now() ORDER BY step.due_at LIMIT %(batch)s::int
FOR UPDATE OF step, interview SKIP LOCKED
"""
TAKE = "UPDATE interviews_step SET done_at = now(), outcome = 'sent' WHERE id = ANY(%(ids)s)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--interviews", type=int, default=INTERVIEWS)
    parser.add_argument("--due", type=int, default=DUE)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--one-sweep", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one_sweep:
        sweep.take_due(seconds=3600)
        print(peak())
        return
    call_command("migrate", verbosity=0)
    if not Position.objects.exists():  # `make bench` has made them before
        data.positions()
    data.grow(chosen.interviews)
    prepare()
    fall_due(chosen.due // 10)
    few = peak_of_one_sweep()
    start_over()
    fall_due(chosen.due)
    many = peak_of_one_sweep()
    pairs = []
    for _ in range(chosen.pairs):
        start_over()
        bare = timed(lambda: claimed(sweep.BATCH), chosen.due)
        start_over()
        pairs.append((timed(lambda: sweep.take_due(seconds=3600), chosen.due), bare))
    start_over()
    ratio = median(mine / bare for mine, bare in pairs)
    mine, bare = median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)
    print(
        f"{chosen.due:,} steps due among {chosen.interviews:,} interviews: {mine:.1f} s, claiming"
        f" alone {bare:.1f} s, ratio {ratio:.2f}; peak {many:.0f} MiB, with a tenth {few:.0f} MiB"
    )
    if ratio > MOST_RATIO or many - few > MOST_GROWTH:
        sys.exit(f"Above {MOST_RATIO} × claiming, or {MOST_GROWTH} MiB more than with a tenth.")


def prepare() -> None:
    """Everything is booked and planned; nothing is due."""
    with connection.cursor() as cursor, without_triggers():
        cursor.execute(BOOKED)
        cursor.execute("DELETE FROM interviews_step")
        cursor.execute(PLANNED)
    ReminderRule.objects.update(plan_from=None)
    vacuum()


def fall_due(count: int) -> None:
    rule = ReminderRule.objects.get(stage="booked", minutes=-24 * 60)
    with connection.cursor() as cursor, without_triggers():
        cursor.execute(FALLS_DUE, {"rule": rule.pk, "count": count})
    vacuum()


def start_over() -> None:
    """What was taken is due again, and nobody has been told."""
    Notification.objects.filter(event="interview_reminder").delete()
    with connection.cursor() as cursor:
        cursor.execute(AGAIN)
    vacuum()


def vacuum() -> None:
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE interviews_step, interviews_interview")
        cursor.execute("VACUUM ANALYZE notifications_notification")


def claimed(batch: int) -> int:
    """The bare SQL, batch after batch."""
    taken = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(CLAIM, {"batch": batch})
            ids = [pk for (pk,) in cursor.fetchall()]
            if not ids:
                return taken
            cursor.execute(TAKE, {"ids": ids})
            taken += len(ids)


def timed(call, count: int) -> float:
    """Seconds; every step was taken, each once."""
    began = perf_counter()
    taken = call()
    took = perf_counter() - began
    done = Step.objects.exclude(done_at=None).count()
    if not taken == done == count:
        sys.exit(f"{taken} taken, {done} done, {count} due.")
    return took


def peak_of_one_sweep() -> float:
    """MiB of a process that does nothing else."""
    command = [sys.executable, "-m", "benchmarks.reminders", "--one-sweep"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return float(done.stdout.splitlines()[-1])


def peak() -> float:
    """MiB. Not getrusage: that counts what the process it was forked from had."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    main()
