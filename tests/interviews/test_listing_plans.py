"""Each filter of the desk's list is read off an index, at a size where it matters."""

import json
from datetime import date, timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from interviews import keyset, listing
from interviews.listing import Wanted
from interviews.models import Interview, Position
from tests.factories import (
    ApplicationFactory,
    DepartmentFactory,
    PositionFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

ROWS = 50_000
DAYS = 900  # over which they are spread

# Everything in one department but every 50th interview; what is filtered for is rare in it.
BULK = """
INSERT INTO interviews_interview (reference, application_id, kind, status, starts_at, ends_at, link,
    location, booked_at, created_at, source, source_key, extra, asked_late)
SELECT 'B' || lpad(n::text, 9, '0'),
    (%(applications)s::bigint[])[1 + n %% cardinality(%(applications)s::bigint[])],
    CASE WHEN n %% 97 = 0 THEN 'on_site' ELSE 'ai' END,
    CASE WHEN n %% 89 = 0 THEN 'no_show' ELSE 'completed' END,
    now() - (n %% %(days)s::int) * interval '1 day', now(), '', '', now(), now(),
    CASE WHEN n %% 83 = 0 THEN 'fair' ELSE '' END, '', '{}', n %% 79 = 0
FROM generate_series(1, %(rows)s::int) n
"""


@pytest.fixture(scope="module")
def user(django_db_setup, django_db_blocker):
    """Somebody of two departments, of which one is large; made once, for all that only read."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield two_departments()
        transaction.set_rollback(True)


def two_departments() -> User:
    large, small = DepartmentFactory(), DepartmentFactory()
    positions = [PositionFactory(department=large) for _number in range(49)]
    positions.append(PositionFactory(department=small))
    applications = [ApplicationFactory(position=position).pk for position in positions]
    with connection.cursor() as cursor:
        cursor.execute(BULK, {"applications": applications, "days": DAYS, "rows": ROWS})
        cursor.execute("ANALYZE interviews_interview")
        cursor.execute("ANALYZE interviews_position")
    assert Interview.objects.count() == ROWS
    return UserFactory(lead=True, departments=[large, small])


def plans(ask) -> list[dict]:
    """How PostgreSQL carries out what `ask` asks of interviews."""
    asked: list[tuple[str, object]] = []

    def keep(execute, sql, params, many, context):
        asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(keep):
        ask()
    found = []
    for sql, params in asked:
        if '"interviews_interview"' in sql:
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
                (plan,) = cursor.fetchone()
            found.append((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"])
    return found


def scans(plan: dict) -> list[tuple[str, str]]:
    """How each node reads interviews: its kind, and the index where there is one."""
    own = []
    index = plan.get("Index Name", "")
    if plan.get("Relation Name") == "interviews_interview" or index.startswith("interview_"):
        own.append((plan["Node Type"], index))
    return own + [scan for each in plan.get("Plans", []) for scan in scans(each)]


def today(days: int) -> date:
    return timezone.localdate() + timedelta(days=days)


FILTERS = {
    "nothing": ({}, "interview_listed"),
    "status": ({"status": "no_show"}, "interview_listed_status"),
    "kind": ({"kind": "on_site"}, "interview_listed_kind"),
    "source": ({"source": "fair"}, "interview_listed_source"),
    "late": ({"late": True}, "interview_listed_late"),
    "since": ({"since": -3}, "interview_listed"),
    "until": ({"until": -890}, "interview_listed"),
    "department": ({"department": True}, "interview_listed"),
    "position": ({"position": True}, "interview_listed_position"),
    "recruiter": ({"recruiter": True}, "interview_listed_position"),
}

# As good to find all of a position by.
BESIDES = {"interview_listed_position": {"interview_invited"}}


def wanted(name: str, user) -> Wanted:
    said = dict(FILTERS[name][0])
    position = Position.objects.order_by("pk").first()
    own = {
        "department": position.department_id,
        "position": position.pk,
        "recruiter": position.recruiter_id,
    }
    for key, value in own.items():
        if key in said:
            said[key] = value
    for key in {"since", "until"} & set(said):
        said[key] = today(said[key])
    return Wanted(**said)


def test_every_filter_is_read_off_its_index(user):
    place = keyset.Place(timezone.now() - timedelta(days=400), 1)
    for name, (_said, index) in FILTERS.items():
        for going_on in ({}, {"after": place}, {"before": place}):
            ask = wanted(name, user)
            beginning, *pages = plans(
                lambda ask=ask, on=going_on: listing.some(user, ask, ["status"], size=50, **on)
            )

            found = scans(beginning)
            read = {used for _, used in found if used} - BESIDES.get(index, set())
            assert read == {index}, (name, going_on, found)
            for plan in (found, *map(scans, pages)):
                assert "Seq Scan" not in dict(plan), (name, going_on, plan)


def test_what_is_rare_in_a_large_department_is_found_at_once(user):
    for name in FILTERS:
        ask = wanted(name, user)

        part = listing.some(user, ask, ["status"], size=50)

        assert len(part.rows) == 50, name
        assert part.count == min(listing.everything(user, ask).count(), keyset.COUNTED + 1), name


def test_sources_are_leapt_through(user):
    departments = list(user.departments.values_list("pk", flat=True))

    assert listing.sources_offered(departments) == ["fair"]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {listing._SOURCES}", [departments])
        ((plan,),) = cursor.fetchall()
    whole = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
    assert {used for _, used in scans(whole)} == {"interview_listed_source"}


def test_interviews_before_and_after_their_time_have_one_order(user):
    rows = listing.some(user, Wanted(), ["listed_at"], size=50).rows

    places = [(row["listed_at"], row["pk"]) for row in rows]
    assert places == sorted(places, reverse=True)
