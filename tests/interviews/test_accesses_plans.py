"""Each filter of the log of accesses is read off an index, at a size where it matters."""

import json
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from interviews import accesses, keyset
from interviews.accesses import Wanted
from interviews.models import AccessLog
from tests.factories import DepartmentFactory, InterviewFactory, UserFactory

pytestmark = pytest.mark.django_db

ROWS = 60_000
DAYS = 900  # over which they are spread

# Looks at interviews of two departments by many people, and now and then a list taken along.
BULK = """
INSERT INTO interviews_accesslog (at, by_id, action, subject, detail, listed_department)
SELECT now() - (n %% %(days)s::int) * interval '1 day',
    (%(people)s::bigint[])[1 + n %% cardinality(%(people)s::bigint[])],
    CASE WHEN n %% 83 = 0 THEN 'exported' ELSE 'revealed' END, '', '{}',
    CASE WHEN n %% 83 <> 0 THEN
        (%(departments)s::bigint[])[1 + n %% cardinality(%(departments)s::bigint[])] END
FROM generate_series(1, %(rows)s::int) n
"""
FILTERS = {
    "nothing": {},
    "person": {"by": True},
    "exported": {"action": "exported"},
    "since": {"since": -3},
    "until": {"until": -890},
}
PAGES = {
    "administrator": {"access_at"},
    "hr_lead": {"access_listed", "access_taken_along"},
}


@pytest.fixture(scope="module")
def people(django_db_setup, django_db_blocker):
    """A lead and an administrator; made once, for all that only read."""
    with django_db_blocker.unblock(), transaction.atomic():
        own, other = DepartmentFactory(), DepartmentFactory()
        lead = UserFactory(lead=True, departments=[own])
        colleagues = [UserFactory(recruiter=True, departments=[own]) for _ in range(20)]
        strangers = [UserFactory(recruiter=True, departments=[other]) for _ in range(20)]
        looked_at = AccessLog.objects.create(
            action="revealed", by=lead, subject=InterviewFactory(department=own).subject
        )
        assert AccessLog.objects.get(pk=looked_at.pk).listed_department == own.pk
        with connection.cursor() as cursor:
            cursor.execute(
                BULK,
                {
                    "people": [each.pk for each in (*colleagues, *strangers)],
                    "departments": [own.pk, other.pk],
                    "days": DAYS,
                    "rows": ROWS,
                },
            )
            # The people too: what an earlier test left in their statistics must not choose plans.
            cursor.execute("ANALYZE interviews_accesslog, accounts_user")
        yield lead, UserFactory(administrator=True)
        transaction.set_rollback(True)


def wanted(name: str, by: int) -> Wanted:
    said = dict(FILTERS[name])
    if "by" in said:
        said["by"] = by
    for key in {"since", "until"} & said.keys():
        said[key] = timezone.localdate() + timedelta(days=said[key])
    return Wanted(**said)


def scans(plan: dict) -> list[tuple[str, str]]:
    """How each node reads the log: its kind, and the index where there is one."""
    index = plan.get("Index Name", "")
    own = plan.get("Relation Name") == "interviews_accesslog" or index.startswith("access_")
    return [(plan["Node Type"], index)] * own + [
        scan for each in plan.get("Plans", []) for scan in scans(each)
    ]


def read(ask) -> list[tuple[str, str]]:
    """How PostgreSQL carries out what `ask` asks of the log."""
    asked: list[tuple[str, object]] = []

    def keep(execute, sql, params, many, context):
        asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(keep):
        ask()
    found = []
    for sql, params in asked:
        if '"interviews_accesslog"' in sql:
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
                (plan,) = cursor.fetchone()
            found += scans((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"])
    return found


def test_every_filter_is_read_off_an_index(people):
    place = keyset.Place(timezone.now() - timedelta(days=400), 1)
    lead = people[0]
    colleague = AccessLog.objects.filter(by__departments__in=lead.departments.all()).last().by_id
    for user in people:
        for name in FILTERS:
            for going_on in ({}, {"after": place}, {"before": place}):
                ask = wanted(name, colleague)
                found = read(
                    lambda user=user, ask=ask, on=going_on: accesses.some(user, ask, size=50, **on)
                )

                assert found, name
                assert "Seq Scan" not in dict(found), (name, user.role, going_on, found)
                if name == "nothing":
                    used = {index for _, index in found} - {"", "interviews_accesslog_pkey"}
                    assert used == PAGES[user.role], (going_on, found)


def test_page_and_file_hold_the_same(people):
    for user in people:
        for name in FILTERS:
            ask = wanted(name, people[0].pk if name == "person" else 0)
            part = accesses.some(user, ask, size=50)
            whole = accesses.everything(user, ask)

            assert [row["pk"] for row in part.rows] == list(whole.values_list("pk", flat=True)[:50])
            assert part.count == min(whole.count(), keyset.COUNTED + 1), name
