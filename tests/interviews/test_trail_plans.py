"""Each filter of history is read off an index, at a size where it matters."""

import json
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from interviews import keyset, trail
from interviews.models import Position
from interviews.trail import Wanted
from tests.database import without_triggers
from tests.factories import DepartmentFactory, InterviewFactory, PositionFactory, UserFactory

pytestmark = pytest.mark.django_db

ROWS = 60_000
DAYS = 900  # over which they are spread

# Everything in one department but every 50th entry; what is filtered for is rare in it.
BULK = """
INSERT INTO interviews_historyentry (interview_id, sequence, event, actor, at, data, previous_hash,
    hash, listed_department, listed_position, listed_source, by_candidate)
SELECT interview.id, 1 + n, CASE WHEN n %% 89 = 0 THEN 'corrected' ELSE 'booked' END,
    CASE WHEN n %% 97 = 0 THEN 'user:1' WHEN n %% 83 = 0 THEN 'user:2' ELSE 'system' END,
    now() - (n %% %(days)s::int) * interval '1 day', '{}', '', '', interview.listed_department,
    interview.listed_position, CASE WHEN n %% 79 = 0 THEN 'fair' ELSE '' END, n %% 83 = 0
FROM generate_series(1, %(rows)s::int) n
JOIN interviews_interview interview
    ON interview.id = (%(interviews)s::bigint[])[1 + n %% cardinality(%(interviews)s::bigint[])]
"""

FILTERS = {
    "nothing": ({}, "history_listed"),
    "event": ({"event": "corrected"}, "history_listed_event"),
    "colleague": ({"actor": "user:1"}, "history_listed_actor"),
    "candidate": ({"actor": trail.CANDIDATE}, "history_listed_candidate"),
    "source": ({"source": "fair"}, "history_listed_source"),
    "since": ({"since": -3}, "history_listed"),
    "until": ({"until": -890}, "history_listed"),
    "department": ({"department": True}, "history_listed"),
    "position": ({"position": True}, "history_listed_position"),
}


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
    interviews = [InterviewFactory(position=position).pk for position in positions]
    with without_triggers(), connection.cursor() as cursor:
        cursor.execute(BULK, {"interviews": interviews, "days": DAYS, "rows": ROWS})
        cursor.execute("ANALYZE interviews_historyentry")
        cursor.execute("ANALYZE interviews_position")
    return UserFactory(lead=True, departments=[large, small])


def wanted(name: str) -> Wanted:
    said = dict(FILTERS[name][0])
    position = Position.objects.order_by("pk").first()
    own = {"department": position.department_id, "position": position.pk}
    said |= {key: value for key, value in own.items() if key in said}
    for key in {"since", "until"} & said.keys():
        said[key] = timezone.localdate() + timedelta(days=said[key])
    return Wanted(**said)


def plans(ask) -> list[dict]:
    """How PostgreSQL carries out what `ask` asks of history."""
    asked: list[tuple[str, object]] = []

    def keep(execute, sql, params, many, context):
        asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(keep):
        ask()
    found = []
    for sql, params in asked:
        if '"interviews_historyentry"' in sql:
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
                (plan,) = cursor.fetchone()
            found.append((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"])
    return found


def scans(plan: dict) -> list[tuple[str, str]]:
    """How each node reads history: its kind, and the index where there is one."""
    index = plan.get("Index Name", "")
    own = plan.get("Relation Name") == "interviews_historyentry" or index.startswith("history_")
    return [(plan["Node Type"], index)] * own + [
        scan for each in plan.get("Plans", []) for scan in scans(each)
    ]


def test_every_filter_is_read_off_its_index(user):
    place = keyset.Place(timezone.now() - timedelta(days=400), 1)
    for name, (_said, index) in FILTERS.items():
        for going_on in ({}, {"after": place}, {"before": place}):
            ask = wanted(name)
            beginning, *pages = plans(
                lambda ask=ask, on=going_on: trail.some(user, ask, ["event"], size=50, **on)
            )

            found = scans(beginning)
            assert {used for _, used in found if used} == {index}, (name, going_on, found)
            for plan in (found, *map(scans, pages)):
                assert "Seq Scan" not in dict(plan), (name, going_on, plan)


def test_history_of_one_interview_is_read_off_its_chain(user):
    interview = InterviewFactory()  # with as few entries as most have
    beginning, *pages = plans(
        lambda: trail.some(user, Wanted(interview=interview.pk), ["event"], size=50)
    )

    for plan in (beginning, *pages):
        assert "Seq Scan" not in dict(scans(plan))
    assert {used for _, used in scans(beginning) if used} == {"history_one_chain"}


def test_what_is_rare_in_a_large_department_is_found_at_once(user):
    for name in FILTERS:
        part = trail.some(user, wanted(name), ["event"], size=50)

        assert len(part.rows) == 50, name
        found = trail.everything(user, wanted(name)).count()
        assert part.count == min(found, keyset.COUNTED + 1), name


def test_entries_stand_in_one_order_across_departments(user):
    rows = trail.some(user, Wanted(), [], size=200).rows

    places = [(row["at"], row["pk"]) for row in rows]
    assert places == sorted(places, reverse=True)
