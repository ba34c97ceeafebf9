"""Interviews by the million, made by the database itself."""

import json
from datetime import timedelta

from django.contrib.auth.hashers import make_password
from django.contrib.sessions.backends.cached_db import SessionStore
from django.db import connection
from django.utils import timezone

from accounts.models import User
from accounts.permissions import Role
from cancellations import queries, rules
from cancellations.models import Cancellation, CancellationStatus
from candidates.models import Candidate
from interviews import history
from interviews.models import (
    Application,
    Department,
    Interview,
    Position,
    PositionCategory,
    Slot,
    Stage,
)
from interviews.states import InterviewStatus

PER_CANDIDATE = 4

BULK = """
INSERT INTO accounts_user (password, is_superuser, role, name, mobile, national_id, language,
    time_zone, is_active, date_joined, sessions_ended)
SELECT '!', false, 'candidate', '候选' || n, '+8617' || lpad(n::text, 9, '0'), '', '', '', true,
    now(), 0
FROM generate_series(%(first)s::int, %(last)s::int) n WHERE n %% %(per)s::int = 0;

INSERT INTO candidates_candidate (user_id, city, attributes, source, source_key, created_at)
SELECT id, '', '{}', '', '', now() FROM accounts_user u
WHERE role = 'candidate' AND NOT EXISTS (SELECT FROM candidates_candidate c WHERE c.user_id = u.id);

INSERT INTO interviews_application (reference, candidate_id, position_id, stage, applied_at, source)
SELECT 'A' || lpad((c.id * 10 + k)::text, 9, '0'), c.id,
    (SELECT min(id) FROM interviews_position) + (c.id + k) %% %(positions)s::int, 'ai_interview',
    now() - interval '30 days', ''
FROM candidates_candidate c CROSS JOIN generate_series(1, %(per)s::int) k
WHERE NOT EXISTS (SELECT FROM interviews_application a WHERE a.candidate_id = c.id);

INSERT INTO interviews_interview (reference, application_id, kind, status, starts_at, ends_at, link,
    location, booked_at, created_at, source, source_key, extra, asked_late)
SELECT 'B' || lpad(a.id::text, 9, '0'), a.id, 'ai', 'completed',
    now() - (a.id %% 900) * interval '1 day',
    now() - (a.id %% 900) * interval '1 day' + interval '30 minutes', '', '', now(), now(), '', '',
    '{}', false
FROM interviews_application a
WHERE NOT EXISTS (SELECT FROM interviews_interview i WHERE i.application_id = a.id);

INSERT INTO interviews_historyentry (interview_id, sequence, event, actor, at, data, previous_hash,
    hash)
SELECT i.id, 1, 'booked', 'system', now(), '{"status": "completed"}', '',
    md5(i.reference) || md5(i.reference)
FROM interviews_interview i
WHERE NOT EXISTS (SELECT FROM interviews_historyentry h WHERE h.interview_id = i.id);
"""

# Every fourth of these was asked in time for HR to decide at leisure; all wait to be decided.
WAITING = """
WITH chosen AS (
    SELECT i.id, i.reference, i.listed_department, c.user_id,
        now() + (2 + i.id %% 9) * interval '1 hour' AS start
    FROM interviews_interview i
    JOIN interviews_application a ON a.id = i.application_id
    JOIN candidates_candidate c ON c.id = a.candidate_id
    WHERE i.status = 'completed' ORDER BY i.id DESC LIMIT %(count)s::int
), moved AS (
    UPDATE interviews_interview i SET status = 'cancelling', starts_at = chosen.start,
        ends_at = chosen.start + interval '30 minutes', asked_late = true
    FROM chosen WHERE i.id = chosen.id
), asked AS (
    INSERT INTO cancellations_cancellation (reference, interview_id, party, requested_by_id,
        reason_id, detail, requested_at, starts_at, notice, outcome, short_notice, policy,
        decide_by, status, note)
    SELECT 'D' || lpad(id::text, 9, '0'), id, 'candidate', user_id,
        (SELECT min(id) FROM cancellations_reason WHERE purpose = 'cancel'), '', now(), start,
        start - now(), 'needs_hr', false, %(policy)s::jsonb, start - interval '30 minutes',
        'requested', ''
    FROM chosen
)
INSERT INTO notifications_workitem (reference, kind, audience, subject, params, opened_at, due_at,
    assignee, closed_by, note)
SELECT 'W' || lpad(id::text, 9, '0'), 'cancellation', 'department:' || listed_department,
    'interview:' || reference, jsonb_build_object('receipt', 'D' || lpad(id::text, 9, '0')), now(),
    start - interval '30 minutes', '', '', ''
FROM chosen
"""


def positions(count: int = 500) -> list[Position]:
    """The company's positions, each with a recruiter and a department that has a mailbox."""
    category = PositionCategory.objects.create(code="bench", name="一线")
    department = Department.objects.create(code="bench", name="制造部", email="dept@bench.example")
    recruiter = User.objects.create(
        role=Role.RECRUITER, name="招聘", email="hr@bench.example", password="!"
    )
    return Position.objects.bulk_create(
        Position(
            code=f"B{n}",
            title=f"技术员{n}",
            department=department,
            category=category,
            recruiter=recruiter,
        )
        for n in range(count)
    )


def grow(upto: int) -> int:
    """Make it `upto` interviews or a few more; how many there are."""
    have = Interview.objects.count()
    if have < upto:
        values = {
            "first": have + 1,
            "last": upto,
            "per": PER_CANDIDATE,
            "positions": Position.objects.count(),
        }
        with connection.cursor() as cursor:
            for statement in BULK.strip().split("\n\n"):
                cursor.execute(statement, values)
            cursor.execute("VACUUM ANALYZE")
    return Interview.objects.count()


def waiting(upto: int) -> list[str]:
    """Have `upto` late requests wait to be decided; their receipts, what is due first in front."""
    policy = queries.policies_in_force(timezone.now())[0]
    open_ones = Cancellation.objects.filter(status=CancellationStatus.REQUESTED)
    values = {
        "count": max(0, upto - open_ones.count()),
        "policy": json.dumps(rules.snapshot(policy)),
    }
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # no status moves like this
        cursor.execute(WAITING, values)
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("VACUUM ANALYZE")
    return list(open_ones.order_by("decide_by", "pk").values_list("reference", flat=True))


def signed_in(count: int, offered: list[Position], *, bookings: int) -> list[tuple[str, list[str]]]:
    """`count` candidates who are signed in: session keys, and references of `bookings` interviews
    each, three days ahead, with all who are to be told."""
    password, now = make_password("x"), timezone.now()
    start = Candidate.objects.count()
    result = []
    for n in range(count):
        user = User.objects.create(
            name=f"候选{n}",
            mobile=f"+86188{start + n:08d}",
            email=f"c{start + n}@bench.example",
            password=password,
        )
        candidate = Candidate.objects.create(user=user)
        references = []
        for k in range(bookings):
            starts_at = now + timedelta(days=3, minutes=k)
            position = offered[(n + k) % len(offered)]
            slot, _ = Slot.objects.get_or_create(
                position=position,
                starts_at=starts_at,
                defaults={
                    "ends_at": starts_at + timedelta(minutes=30),
                    "capacity": 1000,
                    "booked": 500,
                },
            )
            application = Application.objects.create(
                candidate=candidate, position=position, stage=Stage.AI_INTERVIEW, applied_at=now
            )
            interview = Interview.objects.create(
                application=application,
                status=InterviewStatus.BOOKED,
                slot=slot,
                starts_at=starts_at,
                ends_at=slot.ends_at,
                booked_at=now,
                interviewer=position.recruiter,
                link="https://interview.example/room",
            )
            history.record(interview, "booked", by=None)
            references.append(interview.reference)
        result.append((session_of(user), references))
    return result


def lead_signed_in(offered: list[Position]) -> str:
    """The session key of an HR lead who works for the department of these positions."""
    lead, _ = User.objects.get_or_create(
        email="lead@bench.example", role=Role.HR_LEAD, defaults={"name": "主管", "password": "!"}
    )
    lead.departments.add(offered[0].department)
    return session_of(lead)


def middle_of_the_list() -> str:
    """The reference of an interview with about as many before it as after it."""
    count = Interview.objects.count()
    in_order = Interview.objects.order_by("-listed_at", "-id")
    return in_order.values_list("reference", flat=True)[count // 2]


def session_of(user: User) -> str:
    """The key of a session in which `user` is signed in."""
    session = SessionStore()
    session["_auth_user_id"] = str(user.pk)
    session["_auth_user_backend"] = "accounts.backends.IdentifierBackend"
    session["_auth_user_hash"] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)
