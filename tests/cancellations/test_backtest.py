"""Trying a policy says what would have become of past requests, and of which."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from cancellations import backtest, policies, queries, rules
from cancellations.backtest import Group
from cancellations.models import Cancellation, CancellationStatus, Party, Policy
from cancellations.rules import Outcome, Scope, Tier
from tests.factories import (
    CancellationFactory,
    DepartmentFactory,
    PositionFactory,
    UserFactory,
)

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
ZERO = timedelta(0)
GENERAL = (Tier(24 * HOUR, Outcome.AUTOMATIC), Tier(ZERO, Outcome.NEEDS_HR))
STRICT = (
    Tier(48 * HOUR, Outcome.AUTOMATIC),
    Tier(12 * HOUR, Outcome.NEEDS_HR),
    Tier(ZERO, Outcome.REFUSED),
)


def policy(tiers, number=1, **scope) -> rules.Policy:
    return rules.Policy(
        id=number,
        name="",
        scope=Scope(**scope),
        tiers=tiers,
        promised_minutes=15,
        default=rules.Default.APPROVE,
        default_before=timedelta(minutes=30),
    )


def band(limits, notice) -> int:
    return sum(notice >= limit for limit in limits)


# --- the pure part -------------------------------------------------------------------------------
outcomes = st.sampled_from(list(Outcome))
tiers = st.lists(
    st.tuples(st.integers(0, 100), outcomes), min_size=1, max_size=4, unique_by=lambda pair: pair[0]
).map(lambda pairs: tuple(Tier(h * HOUR, what) for h, what in sorted(pairs, reverse=True)))


@given(now=tiers, then=tiers, seconds=st.lists(st.integers(1, 110 * 3600), max_size=20))
def test_groups_are_decided_as_each_request_alone_would_be(now, then, seconds):
    in_force, tried = policy(now), policy(then, 2, department=1)
    limits = backtest.thresholds([in_force, tried])
    notices = [timedelta(seconds=each) for each in seconds]
    groups = [Group(7, "ai", band(limits, notice), "automatic", 1) for notice in notices]

    trial = backtest.run(groups, {7: Scope(1, 2)}, in_force=[in_force], tried=tried)

    start = timezone.now()

    def alone(which):
        found = [rules.decide(which, starts_at=start, asked_at=start - each) for each in notices]
        return {outcome: [each.outcome for each in found].count(outcome) for outcome in Outcome}

    assert {outcome: trial.in_force[outcome] for outcome in Outcome} == alone(in_force)
    assert {outcome: trial.tried[outcome] for outcome in Outcome} == alone(tried)
    assert trial.total == len(notices)


def test_invitations_stay_automatic_whatever_is_tried():
    tried = policy((Tier(ZERO, Outcome.REFUSED),))
    limits = backtest.thresholds([tried])

    trial = backtest.run(
        [Group(7, "ai", band(limits, ZERO), "automatic", 3)],
        {7: Scope()},
        in_force=[],
        tried=tried,
    )

    assert trial.tried == {Outcome.AUTOMATIC: 3}


def test_tried_policy_takes_the_place_of_the_one_with_its_scope_and_of_no_other():
    general, position = policy(GENERAL), policy(STRICT, 2, position=7)
    tried = policy((Tier(ZERO, Outcome.REFUSED),), 0)
    limits = backtest.thresholds([general, position, tried])
    groups = [Group(pk, "ai", band(limits, 30 * HOUR), "automatic", 1) for pk in (7, 8)]

    trial = backtest.run(
        groups, {7: Scope(), 8: Scope()}, in_force=[general, position], tried=tried
    )

    assert trial.tried == {Outcome.NEEDS_HR: 1, Outcome.REFUSED: 1}
    assert trial.changed == {(Outcome.AUTOMATIC, Outcome.REFUSED): 1}
    assert [shift.position for shift in trial.shifts] == [8]


# --- reading -------------------------------------------------------------------------------------
def asked(position, notice, *, days_ago=1, **fields) -> Cancellation:
    requested_at = timezone.now() - timedelta(days=days_ago)
    return CancellationFactory(
        interview__position=position,
        requested_at=requested_at,
        starts_at=requested_at + notice,
        notice=notice,
        outcome=rules.decide(
            policy(GENERAL), starts_at=requested_at + notice, asked_at=requested_at
        ).outcome.value,
        **fields,
    )


def draft(by, tiers=STRICT, **scope) -> Policy:
    columns = {
        "name": "Strict",
        "department": None,
        "category": None,
        "position": None,
        "kind": "",
        "since": None,
        "until": None,
        "promised_minutes": 20,
        "default_decision": "approve",
        "default_minutes_before": 30,
        **scope,
    }
    return policies.create_policy(policies.Draft(columns, tiers), by=by)


def look(client, tried, **query):
    return client.get(reverse("cancellations:try_policy", args=[tried.pk]), query)


@pytest.fixture
def administrator(db, client):
    Policy.objects.all().delete()
    general = Policy.objects.create(name="general")
    for tier in GENERAL:
        minutes = int(tier.notice.total_seconds() // 60)
        general.tiers.create(notice_minutes=minutes, outcome=tier.outcome.value)
    user = UserFactory(administrator=True)
    client.force_login(user)
    return user


def lines(response) -> dict[str, tuple[int, int, int]]:
    return {
        line.label: (line.recorded, line.in_force, line.tried) for line in response.context["lines"]
    }


def test_page_counts_to_the_second_and_lists_what_changes(client, administrator):
    position = PositionFactory()
    notices = [
        (72 * HOUR, None),
        (48 * HOUR, None),
        (48 * HOUR - SECOND, ("cancelled at once", "HR decides")),
        (24 * HOUR, ("cancelled at once", "HR decides")),
        (24 * HOUR - SECOND, None),
        (12 * HOUR, None),
        (12 * HOUR - SECOND, ("HR decides", "refused")),
        (SECOND, ("HR decides", "refused")),
    ]
    requests = {asked(position, notice).reference: shift for notice, shift in notices}

    response = look(client, draft(administrator), days=30)

    assert lines(response) == {
        "cancelled at once": (4, 4, 2),
        "HR decides": (4, 4, 4),
        "refused": (0, 0, 2),
    }
    shown = {row.request.reference: (row.now, row.then) for row in response.context["rows"]}
    assert shown == {reference: shift for reference, shift in requests.items() if shift}
    for reference in shown:
        assert reverse("cancellations:case", args=[reference]) in response.text
    assert "4 of 8 requests would be decided otherwise" in response.text


def test_only_candidates_requests_of_the_period_and_the_scope_are_put_to_it(client, administrator):
    department = DepartmentFactory()
    position = PositionFactory(department=department)
    asked(position, 30 * HOUR, days_ago=20)
    asked(position, 30 * HOUR, days_ago=60)
    asked(position, 30 * HOUR, party=Party.COMPANY)
    asked(PositionFactory(), 30 * HOUR)
    asked(position, 30 * HOUR, interview__kind="on_site")
    tried = draft(administrator, department=department, kind="ai")

    assert look(client, tried, days=30).context["trial"].total == 1
    assert look(client, tried, days=90).context["trial"].total == 2
    assert look(client, tried).context["days"] == 90
    assert look(client, tried, days="x\x00").status_code == 200


def test_lead_sees_the_requests_of_their_departments_only(client, administrator):
    mine, other = DepartmentFactory(), DepartmentFactory()
    asked(PositionFactory(department=mine), 30 * HOUR)
    hidden = asked(PositionFactory(department=other), 30 * HOUR)
    tried = draft(administrator)
    client.force_login(UserFactory(lead=True, departments=[mine]))

    response = look(client, tried)

    assert response.context["trial"].total == 1
    assert hidden.reference not in response.text


def test_hours_come_from_how_long_hr_took(client, administrator):
    position = PositionFactory()
    for minutes in (10, 20, 90):
        one = asked(position, 2 * HOUR)
        Cancellation.objects.filter(pk=one.pk).update(
            status=CancellationStatus.DECLINED,
            decided_by=administrator,
            decided_at=one.requested_at + timedelta(minutes=minutes),
        )
    for _ in range(3):
        asked(position, 30 * HOUR)

    response = look(client, draft(administrator, (Tier(ZERO, Outcome.NEEDS_HR),)))

    assert response.context["hours"] == [1.0, 1.0, 2.0]
    assert "for each request HR decides, 20 minutes" in response.text
    assert "measured on the 3 requests" in response.text


def test_without_a_decision_to_measure_the_promise_is_taken(client, administrator):
    asked(PositionFactory(), 2 * HOUR)

    response = look(client, draft(administrator))

    assert "for each request HR decides, 20 minutes, as promised" in response.text


def test_nothing_to_try_is_said(client, administrator):
    assert "No request in this period" in look(client, draft(administrator)).text


def test_what_takes_too_long_is_stopped_and_said(client, administrator, monkeypatch):
    asked(PositionFactory(), 2 * HOUR)
    monkeypatch.setattr("cancellations.views.policies.PATIENCE", "1ms")
    monkeypatch.setattr(backtest, "handling_time", lambda asked: slow())

    response = look(client, draft(administrator))

    assert response.status_code == 200
    assert "Choose a shorter period." in response.text


def slow():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(1)")


@pytest.mark.parametrize("rows", [1, 60])
def test_trial_asks_as_many_queries_for_many_requests_as_for_one(client, administrator, rows):
    position = PositionFactory()
    for _ in range(rows):
        asked(position, 30 * HOUR)
    tried = draft(administrator)
    look(client, tried)

    with CaptureQueriesContext(
        connection,
    ) as caught:
        response = look(client, tried)

    assert len(response.context["rows"]) == min(rows, 50)
    selects = [query for query in caught if "SELECT" in query["sql"]]
    assert len(selects) <= 10


def test_what_is_tried_is_what_the_next_request_gets(client, administrator):
    """The same rows, asked again once the policy is switched on."""
    position = PositionFactory()
    for hours in (72, 47, 30, 11):
        asked(position, hours * HOUR)
    tried = draft(administrator, position=position)
    found = backtest.requests(administrator, Scope(), since=timezone.now() - 9 * 24 * HOUR)
    now = queries.policies_in_force(timezone.now())
    trial = backtest.try_policy(found, in_force=now, tried=queries.as_rule(tried))

    policies.switch_on(tried.pk, by=administrator, version=tried.version, is_meant=True)

    now = queries.policies_in_force(timezone.now())
    facts = Scope(position.department_id, position.category_id, position.pk, "ai")
    chosen = rules.most_specific(now, facts)
    start = timezone.now()
    decided = [
        rules.decide(chosen, starts_at=start, asked_at=start - hours * HOUR).outcome
        for hours in (72, 47, 30, 11)
    ]
    assert trial.tried == {outcome: decided.count(outcome) for outcome in set(decided)}
