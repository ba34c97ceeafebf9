"""Cells: counting all of them against one GROUP BY, one of them, and reading them.

    .venv/bin/python -m config.embedded exec -- .venv/bin/python -m benchmarks.analytics

Interviews over three years at 500 positions of twelve departments. A position hires in waves of two
months, one in three, some much more than others; there is a message for each interview that was
booked, a request for each that was called off or left. The yardstick is the GROUP BY that counts as
much, thrown away: of the interviews alone, and with what belongs to them.
"""

import argparse
import os
import random
import sys
from collections.abc import Callable
from datetime import timedelta
from statistics import median, quantiles
from time import perf_counter

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts.models import User  # noqa: E402
from accounts.permissions import Role  # noqa: E402
from analytics import cells, figures  # noqa: E402
from analytics.measures import FACTS, NUMBERS  # noqa: E402
from analytics.models import Cell, DirtyCell  # noqa: E402
from candidates.models import Candidate  # noqa: E402
from interviews.models import (  # noqa: E402
    Department,
    Interview,
    Position,
    PositionCategory,
)
from tests.analytics.counting import mark  # noqa: E402
from tests.database import without_triggers  # noqa: E402

INTERVIEWS, POSITIONS, DEPARTMENTS, DAYS = 1_000_000, 500, 12, 3 * 365
PEOPLE = 1000  # who apply again and again: nothing that is counted depends on who they are
MOST_RATIO = 2  # a rebuild against the GROUP BY
MOST_MILLISECONDS = 50  # a dirty cell
PIECE = 1_000_000  # interviews made at once

# Everything about an interview that chance decides.
DRAWN = """
CREATE TEMP TABLE drawn AS
SELECT n, position.id AS position, position.department_id AS department,
    day + make_interval(hours => 9 + floor(b * 10)::int) AS starts,
    CASE WHEN day > current_date THEN CASE WHEN c < 0.85 THEN 'booked' ELSE 'cancelled' END
        WHEN c < 0.55 THEN 'completed' WHEN c < 0.69 THEN 'no_show' WHEN c < 0.88 THEN 'cancelled'
        WHEN c < 0.93 THEN 'withdrawn' WHEN c < 0.97 THEN 'incomplete' ELSE 'invited' END AS status,
    CASE WHEN d < 0.85 THEN 'ai' ELSE 'on_site' END AS kind,
    CASE WHEN e < 0.8 THEN '' WHEN e < 0.95 THEN 'referrals' ELSE 'old_system' END AS source,
    people.candidate, people.person, recruiters.ids[1 + n %% array_length(recruiters.ids, 1)] AS hr,
    b, c, d, e
FROM (
    SELECT n, random() AS a, random() AS b, random() AS c, random() AS d, random() AS e,
        random() AS f
    FROM generate_series(%(first)s::int, %(last)s::int) n OFFSET 0
) chance
CROSS JOIN LATERAL (SELECT floor(power(a, 2) * %(positions)s::int)::int AS number) popular
JOIN bench_positions position ON position.number = popular.number
JOIN bench_people people ON people.number = n %% %(people)s::int
CROSS JOIN (SELECT array_agg(id) AS ids FROM accounts_user WHERE role = 'recruiter') recruiters
CROSS JOIN LATERAL (SELECT current_date - %(days)s::int + 30
    + ((popular.number * 7) %% 180 + floor(f * %(days)s::int / 180)::int * 180
        + floor(b * 60)::int) %% %(days)s::int AS day) wave
"""
MAKE = [
    """
    INSERT INTO interviews_application (id, reference, candidate_id, position_id, stage, applied_at,
        source)
    SELECT n, 'A' || lpad(n::text, 9, '0'), candidate, position, 'ai_interview',
        starts - interval '9 days', '' FROM drawn
    """,
    """
    INSERT INTO interviews_interview (id, reference, application_id, kind, status, starts_at,
        ends_at, link, location, opened_at, booked_at, confirmed_at, ended_at, moves, created_at,
        source, source_key, extra, asked_late, listed_department, listed_position)
    SELECT n, 'B' || lpad(n::text, 9, '0'), n, kind, status, at, at + interval '30 minutes', '', '',
        at - interval '8 days', CASE WHEN at IS NOT NULL THEN at - interval '7 days' END,
        CASE WHEN d < 0.6 THEN at - interval '1 day' END,
        CASE WHEN status NOT IN ('invited', 'booked') THEN starts + interval '30 minutes' END,
        (e < 0.1)::int, starts - interval '9 days', source, '', '{}',
        status = 'cancelled' AND b < 0.3, department, position
    FROM drawn CROSS JOIN LATERAL (SELECT CASE WHEN status <> 'invited' THEN starts END AS at) t
    """,
    """
    INSERT INTO cancellations_cancellation (reference, interview_id, party, requested_by_id,
        reason_id, detail, requested_at, starts_at, notice, outcome, short_notice, policy, status,
        decided_at, decided_by_id, note, is_exit, evidence)
    SELECT 'C' || lpad(n::text, 9, '0'), n,
        CASE WHEN why = 'company' THEN 'company' ELSE 'candidate' END, person,
        reasons.ids[1 + floor(d * 0.999 * array_length(reasons.ids, 1))::int],
        CASE WHEN why <> 'company' AND n % 5 = 0 THEN '那天要去外地办事' ELSE '' END,
        starts - early, starts, early,
        CASE WHEN b < 0.3 THEN 'needs_hr' ELSE 'automatic' END, false, '{"promised_minutes": 15}',
        'approved', starts - early + d * interval '40 minutes',
        CASE WHEN b < 0.25 THEN hr END, '', status = 'withdrawn',
        jsonb_build_object('stage', 'professional', 'number', 1 + n % 9, 'answered', n % 9)
    FROM drawn
    CROSS JOIN LATERAL (SELECT b * interval '90 hours' AS early) t
    CROSS JOIN LATERAL (
        SELECT CASE WHEN status = 'withdrawn' THEN 'exit' WHEN e < 0.2 THEN 'company'
            ELSE 'cancel' END AS why
    ) w
    JOIN (
        SELECT purpose, array_agg(id ORDER BY id) AS ids FROM cancellations_reason GROUP BY 1
    ) reasons ON reasons.purpose = why
    WHERE status IN ('cancelled', 'withdrawn')
    """,
    """
    INSERT INTO cancellations_saving (interview_id, reason, offered, at, outcome, settled_at)
    SELECT n, 'time_conflict', 'other_time', starts,
        (ARRAY['moved', 'kept', 'cancelled'])[1 + n % 3], starts
    FROM drawn WHERE d < 0.05
    """,
    """
    INSERT INTO interviews_step (interview_id, rule_id, anchor_at, due_at, done_at, outcome)
    SELECT n, rule.id, starts, starts, starts, 'sent'
    FROM drawn CROSS JOIN (
        SELECT id FROM interviews_reminderrule WHERE message = 'interview_reminder' LIMIT 1
    ) rule
    WHERE status <> 'invited'
    """,
    """
    INSERT INTO notifications_notification (event, channel, recipient, address, language, time_zone,
        subject, params, dedupe_key, state, not_before, attempts, title, body, provider_id,
        error_code, created_at)
    SELECT 'interview_reminder', CASE WHEN d < 0.7 THEN 'sms' ELSE 'email' END,
        'user:' || person, '', 'zh', '', 'interview:B' || lpad(n::text, 9, '0'), '{}',
        'bench:' || n,
        CASE WHEN e < 0.9 THEN 'delivered' WHEN e < 0.95 THEN 'sent' ELSE 'failed' END,
        starts, 1, '', '', '', CASE WHEN e < 0.95 THEN '' ELSE '30003' END, starts
    FROM drawn WHERE status <> 'invited'
    """,
    """
    INSERT INTO notifications_workitem (reference, kind, subject, audience, params, opened_at,
        due_at, closed_at, assignee, closed_by, note)
    SELECT 'W' || lpad(n::text, 9, '0'), 'anomaly', 'interview:B' || lpad(n::text, 9, '0'),
        'department:' || department, '{"code": "reason_contradicted"}', starts, starts,
        starts, '', '', ''
    FROM drawn WHERE c < 0.1
    """,
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--interviews", type=int, default=INTERVIEWS)
    parser.add_argument("--cells", type=int, default=100, help="dirty cells counted one by one")
    chosen = parser.parse_args()
    call_command("migrate", verbosity=0)
    began = perf_counter()
    grow(chosen.interviews)
    print(f"{Interview.objects.count():,} interviews made in {perf_counter() - began:.0f} s")
    alone = timed(lambda: run(group_by(with_all=False)))
    whole = timed(lambda: run(group_by(with_all=True)))
    rebuilt = timed(lambda: list(cells.rebuild()))
    vacuum("analytics_cell")
    print(
        f"rebuild {rebuilt:.1f} s for {Cell.objects.count():,} rows; GROUP BY of as much"
        f" {whole:.1f} s, ratio {rebuilt / whole:.2f}; of the interviews alone {alone:.1f} s,"
        f" ratio {rebuilt / alone:.2f}"
    )
    times = one_by_one(chosen.cells)
    print(
        f"one dirty cell: median {median(times):.1f} ms, p95 {quantiles(times, n=20)[-1]:.1f} ms,"
        f" slowest {max(times):.1f} ms"
    )
    print(f"{cells.BATCH} at once: {in_a_batch():.0f} ms")
    for line in reading():
        print(line)
    if rebuilt > MOST_RATIO * whole or quantiles(times, n=20)[-1] > MOST_MILLISECONDS:
        sys.exit(f"Above {MOST_RATIO} × the GROUP BY, or {MOST_MILLISECONDS} ms a cell.")


# --- making ---------------------------------------------------------------------------------------


def grow(upto: int) -> None:
    """Make it `upto` interviews, the earlier ones staying as they are."""
    places()
    have = Interview.objects.count()
    with connection.cursor() as cursor, without_triggers():
        for first in range(have + 1, upto + 1, PIECE):
            values = {
                "first": first,
                "last": min(first + PIECE - 1, upto),
                "positions": POSITIONS,
                "days": DAYS,
                "people": PEOPLE,
            }
            cursor.execute(DRAWN, values)
            for statement in MAKE:
                cursor.execute(statement)
            cursor.execute("DROP TABLE drawn")
    vacuum()


def places() -> None:
    """Positions of departments, who recruits for them, and who apply."""
    if not Position.objects.exists():
        make_places()
    with connection.cursor() as cursor:
        for statement in NUMBERED:
            cursor.execute(statement)


def make_places() -> None:
    categories = [PositionCategory.objects.create(code=f"c{n}", name=f"类{n}") for n in range(4)]
    departments = [
        Department.objects.create(code=f"d{n}", name=f"部{n}") for n in range(DEPARTMENTS)
    ]
    recruiters = [
        User.objects.create(name=f"招{n}", email=f"r{n}@bench.example", role=Role.RECRUITER)
        for n in range(8)
    ]
    Position.objects.bulk_create(
        Position(
            code=f"B{n}",
            title=f"技术员{n}",
            department=departments[n % DEPARTMENTS],
            category=categories[n % 4],
            recruiter=recruiters[n % 8],
        )
        for n in range(POSITIONS)
    )
    people = User.objects.bulk_create(
        User(name=f"候选{n}", mobile=f"+8617{n:09d}", password="!") for n in range(PEOPLE)
    )
    Candidate.objects.bulk_create(Candidate(user=each) for each in people)


NUMBERED = [
    """
    CREATE TEMP TABLE IF NOT EXISTS bench_positions AS
    SELECT id, department_id, row_number() OVER (ORDER BY id)::int - 1 AS number
    FROM interviews_position
    """,
    """
    CREATE TEMP TABLE IF NOT EXISTS bench_people AS
    SELECT id AS candidate, user_id AS person, row_number() OVER (ORDER BY id)::int - 1 AS number
    FROM candidates_candidate
    """,
]


def vacuum(table: str = "") -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM ANALYZE {table}")


# --- measuring ------------------------------------------------------------------------------------


def timed(call: Callable[[], object]) -> float:
    began = perf_counter()
    call()
    return perf_counter() - began


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        positions = list(Position.objects.values_list("pk", flat=True))
        cursor.execute(statement, {"zone": "Asia/Shanghai", "owners": positions})


def group_by(*, with_all: bool) -> str:
    """Everything that cells hold, counted and thrown away; or the numbers of interviews alone."""
    if with_all:
        places = cells.INTERVIEWS_OF_POSITIONS, cells.SLOTS_OF_POSITIONS
        counted = cells.counted_from(places[0], *places)
        return f"SELECT count(*) FROM ({counted}) counted"
    numbers = ", ".join(f"count(*) FILTER (WHERE {holds})" for holds in NUMBERS.values() if holds)
    facts = FACTS.format(interviews=cells.INTERVIEWS_OF_POSITIONS)
    return (
        f"WITH {facts} SELECT count(*) FROM"
        f" (SELECT owner, since, source, kind, {numbers} FROM facts GROUP BY 1, 2, 3, 4) counted"
    )


def chosen_cells(count: int) -> list[tuple]:
    """Some by chance, and those with most in them."""
    days = Cell.objects.filter(scope="position", span="day", source="*")
    fullest = list(days.order_by("-invited").values_list("owner", "since")[: count // 5])
    keys = days.order_by("pk").values_list("owner", "since")
    some = [keys[random.randrange(len(keys))] for _ in range(count - len(fullest))]
    departments = dict(Position.objects.values_list("pk", "department_id"))
    return [(owner, since, departments[owner]) for owner, since in [*fullest, *some]]


CHANGE = """
UPDATE interviews_interview
SET status = CASE status WHEN 'completed' THEN 'no_show' ELSE 'completed' END
WHERE id = (
    SELECT id FROM interviews_interview WHERE listed_position = %(position)s
        AND (listed_at AT TIME ZONE 'Asia/Shanghai')::date = %(day)s AND status <> 'invited'
    ORDER BY id LIMIT 1
)
"""


def change(chosen: list[tuple]) -> None:
    """One interview of each went otherwise: numbers and maps change."""
    with connection.cursor() as cursor, without_triggers():
        for position, day, _department in chosen:
            cursor.execute(CHANGE, {"position": position, "day": day})
    mark(chosen)


def one_by_one(count: int) -> list[float]:
    """Milliseconds each, with all the sums it is part of."""
    DirtyCell.objects.all().delete()
    times = []
    for each in chosen_cells(count):
        change([each])
        times.append(timed(cells.recount_batch) * 1000)
    return times


def in_a_batch() -> float:
    change(chosen_cells(cells.BATCH))
    return timed(cells.recount_batch) * 1000


def reading() -> list[str]:
    """Milliseconds of what pages ask: the overview, a series, what stands beside one another."""
    today = timezone.localdate()
    departments = tuple(Department.objects.order_by("pk").values_list("pk", flat=True)[:3])
    position = Position.objects.order_by("pk").values_list("pk", flat=True)[0]
    whose = {
        "company": figures.COMPANY_WIDE,
        "three departments": figures.Filter(departments),
        "a position": figures.Filter(positions=(position,)),
        "one kind": figures.Filter(kind="ai"),
    }
    periods = {
        f"{days} days": figures.Period(today - timedelta(days=days - 1), today)
        for days in (30, 90, 365, DAYS)
    }
    lines = []
    for name, chosen in whose.items():
        for length, period in periods.items():
            asked = {
                "overview": lambda c=chosen, p=period: figures.overview(c, p),
                "series": lambda c=chosen, p=period: figures.series(c, p),
                "hours": lambda c=chosen, p=period: figures.hours(c, p),
                "by position": lambda c=chosen, p=period: figures.by(c, p, "position"),
            }
            took = [
                f"{what} {median(timed(call) * 1000 for _ in range(5)):.1f}"
                for what, call in asked.items()
            ]
            lines.append(f"{name:<20}{length:>10}: {', '.join(took)} ms")
    return lines


if __name__ == "__main__":
    main()
