"""Calling 500 interviews off for the company against set-based SQL that changes the same rows.

    .venv/bin/python -m config.embedded exec --durable -- .venv/bin/python -m benchmarks.company

The service locks, asks the status machine of every interview, chains history by hashes and has a
message for everybody. The SQL beside it puts the same new rows into tables built alike and changes
the same interviews and slots: the least PostgreSQL must do.
"""

import argparse
import sys
from datetime import timedelta
from statistics import median
from time import perf_counter

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts.models import User  # noqa: E402
from accounts.permissions import Role  # noqa: E402
from benchmarks import data  # noqa: E402
from cancellations import company  # noqa: E402
from cancellations.models import Cancellation, Purpose, Reason  # noqa: E402
from candidates.models import Candidate  # noqa: E402
from interviews import history  # noqa: E402
from interviews.models import Application, HistoryEntry, Interview, Position, Slot  # noqa: E402
from interviews.states import InterviewStatus  # noqa: E402
from notifications.models import Notification  # noqa: E402

MANY = 500
MOST_RATIO = 10
MODELS = {
    model._meta.db_table: model
    for model in (Cancellation, HistoryEntry, Notification, Interview, Slot)
}
NEW = [model._meta.db_table for model in (Cancellation, HistoryEntry, Notification)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--among", type=int, default=10_000, help="interviews besides")
    chosen = parser.parse_args()
    call_command("migrate", verbosity=0)
    offered = list(Position.objects.filter(category__code="bench")) or data.positions()
    data.grow(chosen.among)
    hr = User.objects.create(role=Role.ADMINISTRATOR, name="HR", email="c@bench.example")
    pairs = [measure(offered, hr, number) for number in range(chosen.pairs + 1)][1:]
    ratio = median(mine / theirs for mine, theirs in pairs)
    mine, theirs = (median(each) * 1000 for each in zip(*pairs, strict=True))
    ratios = sorted(mine / theirs for mine, theirs in pairs)
    print(
        f"{f'company cancels {MANY}':<44}{theirs:>8.1f}{mine:>9.1f}{'':>18}{ratio:>9.2f}"
        f"  ({ratios[0]:.2f}–{ratios[-1]:.2f}), ms beside set-based SQL"
    )
    sys.exit(f"Above {MOST_RATIO} × set-based SQL" if ratio > MOST_RATIO else 0)


def measure(offered: list, hr: User, number: int) -> tuple[float, float]:
    """Seconds of the service, and of the SQL, for the same interviews."""
    references = booked(offered, number)
    reason = Reason.objects.get(purpose=Purpose.COMPANY, code="hiring_freeze")
    last = {table: last_id(table) for table in NEW}
    began = perf_counter()
    fates = company.cancel_many(references, by=hr, reason=reason, note="We are sorry.")
    mine = perf_counter() - began
    if {each.fate for each in fates} != {company.Fate.CANCELLED}:
        sys.exit("Not all were cancelled.")
    return mine, in_sql(last)


def booked(offered: list, number: int) -> list[str]:
    """Interviews ahead, in slots that several share, of candidates who can be told."""
    now = timezone.now()
    users = User.objects.bulk_create(
        User(name=f"候选{n}", mobile=f"+86166{number:03d}{n:05d}", email=f"{number}.{n}@b.example")
        for n in range(MANY)
    )
    candidates = Candidate.objects.bulk_create(Candidate(user=user) for user in users)
    applications = Application.objects.bulk_create(
        Application(candidate=each, position=offered[n % 20], applied_at=now)
        for n, each in enumerate(candidates)
    )
    starts_at = now + timedelta(days=5, hours=number)
    slots = Slot.objects.bulk_create(
        Slot(
            position=position,
            starts_at=starts_at,
            ends_at=starts_at + timedelta(minutes=30),
            capacity=100,
            booked=MANY // 20,
        )
        for position in offered[:20]
    )
    interviews = Interview.objects.bulk_create(
        Interview(
            application=application,
            status=InterviewStatus.BOOKED,
            slot=slots[n % 20],
            starts_at=starts_at,
            ends_at=starts_at + timedelta(minutes=30),
            booked_at=now,
        )
        for n, application in enumerate(applications)
    )
    history.record_many([(each, [("booked", {})]) for each in interviews], by=None, at=now)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return [interview.reference for interview in interviews]


def last_id(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT coalesce(max(id), 0) FROM {table}")
        return cursor.fetchone()[0]


def copying(table: str, which: str) -> str:
    """The statement that puts rows of a table into the one built alike."""
    fields = MODELS[table]._meta.concrete_fields
    columns = ", ".join(field.column for field in fields if not field.generated)
    return (
        f"INSERT INTO again.{table} ({columns}) SELECT {columns} FROM public.{table} WHERE {which}"
    )


def in_sql(last: dict[str, int]) -> float:
    """The same rows again in one statement a table: the new ones into tables built alike, and the
    interviews and slots of them changed where they stand in copies."""
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS again CASCADE")
        cursor.execute("CREATE SCHEMA again")
        for table in MODELS:
            cursor.execute(f"CREATE TABLE again.{table} (LIKE public.{table} INCLUDING ALL)")
            # What is new of it comes while the clock runs; the rest stands there before.
            cursor.execute(copying(table, f"id <= {last[table]}" if table in last else "true"))
        concerned = (
            "SELECT interview_id, slot_id FROM cancellations_cancellation"
            f" WHERE id > {last['cancellations_cancellation']}"
        )
        cursor.execute(
            "UPDATE again.interviews_interview SET status = 'booked', slot_id = c.slot_id"
            f" FROM ({concerned}) c WHERE id = c.interview_id"
        )
        cursor.execute(f"CREATE TABLE again.concerned AS {concerned}")
        cursor.execute("ANALYZE")
        statements = {table: copying(table, f"id > {last[table]}") for table in NEW}
        began = perf_counter()
        with transaction.atomic():
            for table in NEW:
                cursor.execute(statements[table])
            cursor.execute(
                "UPDATE again.interviews_interview SET status = 'cancelled', slot_id = NULL,"
                " ended_at = now() FROM again.concerned c WHERE id = c.interview_id"
            )
            cursor.execute(
                "UPDATE again.interviews_slot SET booked = greatest(booked - c.places, 0) FROM"
                " (SELECT slot_id, count(*) AS places FROM again.concerned GROUP BY slot_id) c"
                " WHERE id = c.slot_id"
            )
        return perf_counter() - began


if __name__ == "__main__":
    main()
