"""Policies are written at the desk, checked, switched on and off; the next request follows them."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import ConfigurationChange
from cancellations import changes, policies, queries, rules, services
from cancellations.models import Cancellation, Policy, Purpose, Reason
from cancellations.rules import Outcome, Tier
from interviews.templatetags.when import short_moment
from tests.factories import (
    CancellationFactory,
    DepartmentFactory,
    InterviewFactory,
    PositionCategoryFactory,
    PositionFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
LATE = (Tier(48 * HOUR, Outcome.AUTOMATIC), Tier(0 * HOUR, Outcome.NEEDS_HR))
REFUSING = (Tier(0 * HOUR, Outcome.REFUSED),)
INDEX = reverse("cancellations:policies")


@pytest.fixture
def department():
    return DepartmentFactory(name="制造一部")


@pytest.fixture
def lead(department):
    return UserFactory(lead=True, departments=[department])


@pytest.fixture
def administrator():
    return UserFactory(administrator=True)


@pytest.fixture
def desk(client, lead):
    client.force_login(lead)
    return client


def columns(**fields):
    return {
        "name": "Night shift",
        "department": None,
        "category": None,
        "position": None,
        "kind": "",
        "since": None,
        "until": None,
        "promised_minutes": 15,
        "default_decision": "approve",
        "default_minutes_before": 30,
        "exit_introduction": "automatic",
        "exit_professional": "automatic",
        "exit_closing": "automatic",
        "exit_second_factor": False,
        "cooldown_days": 0,
        "misstart_minutes": 3,
        "resume_hours": 24,
        "self_rebooking": True,
        "move_minutes_before": 120,
        "moves_most": 2,
        **fields,
    }


def write(by, tiers=LATE, **fields) -> Policy:
    return policies.create_policy(policies.Draft(columns(**fields), tiers), by=by)


def on(policy, by, **options) -> Policy:
    return policies.switch_on(policy.pk, by=by, version=fresh(policy).version, **options)


def fresh(policy) -> Policy:
    return Policy.objects.get(pk=policy.pk)


def in_force(at=None) -> set[str]:
    return {policy.name for policy in queries.policies_in_force(at or timezone.now())}


def typed(*tiers, **fields) -> dict[str, object]:
    """The form as somebody filled it in: tiers as (amount, unit, outcome)."""
    sent: dict[str, object] = {
        "name": "Night shift",
        "department": "",
        "category": "",
        "position": "",
        "kind": "",
        "since": "",
        "until": "",
        "promised_minutes": "15",
        "default_decision": "approve",
        "default_minutes_before": "30",
        "exit_introduction": "automatic",
        "exit_professional": "automatic",
        "exit_closing": "automatic",
        "cooldown_days": "0",
        "mark_days": "180",
        "misstart_minutes": "3",
        "resume_hours": "24",
        "self_rebooking": "on",
        "move_minutes_before": "120",
        "moves_most": "2",
        "version": "0",
        "tiers-TOTAL_FORMS": str(len(tiers)),
        "tiers-INITIAL_FORMS": "0",
    }
    for number, (amount, unit, outcome) in enumerate(tiers):
        sent |= {
            f"tiers-{number}-amount": amount,
            f"tiers-{number}-unit": unit,
            f"tiers-{number}-outcome": outcome,
        }
    return sent | fields


ORDINARY = [("24", "hours", "automatic"), ("0", "hours", "needs_hr")]


def page(name, policy) -> str:
    return reverse(f"cancellations:{name}", args=[policy.pk])


# --- writing -------------------------------------------------------------------------------------
def test_policy_is_written_in_hours_and_minutes_and_not_switched_on(desk, lead, department):
    tiers = [("3", "days", "automatic"), ("90", "minutes", "needs_hr"), ("", "hours", "")]
    sent = typed(*tiers, department=department.pk)
    sent["tiers-1-short_notice"] = "on"

    response = desk.post(reverse("cancellations:new_policy"), sent)

    policy = Policy.objects.get(name="Night shift")
    assert response.url == page("policy", policy)
    assert not policy.is_active
    assert queries.tiers_of(policy) == (
        Tier(timedelta(days=3), Outcome.AUTOMATIC),
        Tier(timedelta(minutes=90), Outcome.NEEDS_HR, short_notice=True),
    )


def test_new_policy_begins_with_the_tiers_of_the_general_one(desk):
    response = desk.get(reverse("cancellations:new_policy"))

    rows = [form.initial for form in response.context["formset"].initial_forms]
    assert [(row["amount"], row["unit"], row["outcome"]) for row in rows] == [
        (24, "hours", "automatic"),
        (12, "hours", "automatic"),
        (0, "hours", "needs_hr"),
    ]


def test_copy_begins_with_what_the_other_policy_says(desk, lead, department):
    policy = write(lead, name="Nights", department=department, promised_minutes=25)

    response = desk.get(reverse("cancellations:new_policy"), {"from": policy.pk})

    form = response.context["form"]
    assert form["name"].value() == "Nights (copy)"
    assert form["department"].value() == department.pk
    assert form["promised_minutes"].value() == 25
    assert [each.initial["amount"] for each in response.context["formset"].initial_forms] == [48, 0]


@pytest.mark.parametrize(
    ("tiers", "fields", "words"),
    [
        ([], {}, "A policy needs at least one tier"),
        ([("", "hours", "")], {}, "A policy needs at least one tier"),
        (
            [("1", "hours", "automatic"), ("60", "minutes", "needs_hr")],
            {},
            "Two tiers have the same notice, 1 hour.",
        ),
        ([("5", "hours", "")], {}, "Choose what happens."),
        ([("", "hours", "refused")], {}, "How long before the start"),
        ([("x", "hours", "refused")], {}, "Enter a whole number"),
        ([("91", "days", "refused")], {}, "A notice is at most 90 days."),
        (ORDINARY, {"default_minutes_before": str(24 * 60)}, "asked less than 24 hours before"),
        (ORDINARY, {"default_minutes_before": "99999999"}, "less than or equal to"),
        (ORDINARY, {"promised_minutes": "0"}, "greater than or equal to 1"),
        (ORDINARY, {"since": "0001-01-01T00:00"}, "between 2000 and 2099"),
        (ORDINARY, {"until": "2020-01-01T00:00"}, "still to come and later"),
        (ORDINARY, {"until": "tomorrow"}, "between 2000 and 2099"),
        (ORDINARY, {"name": "x\x00y"}, "Null characters"),
        (ORDINARY, {"name": "x" * 101}, "at most 100 characters"),
        (ORDINARY, {"department": "999999999999999999999"}, "valid choice"),
        (ORDINARY, {"tiers-TOTAL_FORMS": "1000000"}, "at most 12 tiers"),
        (ORDINARY, {"tiers-TOTAL_FORMS": "x"}, "at least one tier"),
    ],
)
def test_what_cannot_be_taken_is_said_and_stays_on_the_page(client, tiers, fields, words):
    client.force_login(UserFactory(administrator=True))

    response = client.post(reverse("cancellations:new_policy"), typed(*tiers, **fields))

    assert response.status_code == 422
    assert words in response.text
    assert not Policy.objects.filter(promised_minutes=15, name="Night shift").exists()
    if "name" not in fields:
        assert 'value="Night shift"' in response.text


def test_tiers_that_contradict_the_scope_are_said(client, administrator, department):
    client.force_login(administrator)
    position = PositionFactory()
    other = PositionCategoryFactory(code="x", name="技术")
    sent = typed(*ORDINARY, position=position.pk, department=department.pk, category=other.pk)

    response = client.post(reverse("cancellations:new_policy"), sent)

    assert f"{position.title} belongs to {position.department.name}" in response.text
    assert "is in the category" in response.text


def test_removed_row_is_no_tier(desk, lead, department):
    policy = write(lead, department=department)
    sent = typed(("48", "hours", "automatic"), ("0", "hours", "needs_hr"), department=department.pk)
    sent |= {"tiers-0-DELETE": "on", "version": policy.version}

    desk.post(page("edit_policy", policy), sent)

    assert [tier.notice for tier in queries.tiers_of(fresh(policy))] == [timedelta(0)]


# --- who may -------------------------------------------------------------------------------------
def test_lead_writes_only_for_their_departments(desk, lead, department):
    position = PositionFactory()

    for fields in ({}, {"position": position.pk}, {"department": position.department.pk}):
        response = desk.post(reverse("cancellations:new_policy"), typed(*ORDINARY, **fields))
        assert response.status_code == 422

    with pytest.raises(PermissionDenied):
        write(lead)
    with pytest.raises(PermissionDenied):
        write(lead, department=position.department)
    write(lead, position=PositionFactory(department=department))


def department_field(response):
    field = response.context["form"]["department"]
    return (
        field.field.required,
        [str(value) for value, _label in field.field.choices],
        field.value(),
    )


def test_lead_of_one_department_finds_it_chosen_and_nothing_else(desk, department):
    DepartmentFactory()

    response = desk.get(reverse("cancellations:new_policy"))

    assert department_field(response) == (True, [str(department.pk)], department.pk)
    assert "Yours is the department" in response.text
    assert "Department <span" not in response.text  # "(optional)"


def test_lead_of_two_departments_says_which(desk, lead, department):
    other = DepartmentFactory()
    lead.departments.add(other)

    response = desk.get(reverse("cancellations:new_policy"))
    required, choices, chosen = department_field(response)
    refused = desk.post(reverse("cancellations:new_policy"), typed(*ORDINARY))

    assert (required, set(choices), chosen) == (True, {"", str(department.pk), str(other.pk)}, None)
    assert refused.text.count("Choose your department: only administrators") == 2  # and above


def test_administrator_writes_for_everybody(client, administrator, department):
    client.force_login(administrator)

    response = client.get(reverse("cancellations:new_policy"))

    required, choices, chosen = department_field(response)
    assert (required, chosen) == (False, None)
    assert "" in choices
    assert "Empty means any." in response.text


def test_lead_edits_a_policy_for_a_position_alone(desk, lead, department):
    position = PositionFactory(department=department)
    policy = write(lead, position=position)
    sent = typed(*ORDINARY, position=position.pk, version=policy.version, name="Renamed")

    assert desk.post(page("edit_policy", policy), sent).status_code == 302
    assert (fresh(policy).name, fresh(policy).department) == ("Renamed", None)


def test_lead_reads_general_policies_and_changes_none(desk, lead):
    general = Policy.objects.get(name="默认规则")

    assert desk.get(page("policy", general)).status_code == 200
    assert desk.get(page("edit_policy", general)).status_code == 403
    assert desk.get(page("switch_policy", general)).status_code == 403
    with pytest.raises(PermissionDenied):
        policies.switch_off(general.pk, by=lead, version=general.version, is_meant=True)


def test_policy_of_another_department_is_not_there(desk, lead, administrator):
    position = PositionFactory()
    hidden = [
        write(administrator, name="Hidden one", department=position.department),
        write(administrator, name="Hidden two", position=position),
    ]

    assert "Hidden" not in desk.get(INDEX).text
    for policy in hidden:
        for name in ("policy", "edit_policy", "switch_policy", "try_policy"):
            assert desk.get(page(name, policy)).status_code == 404
        copy = desk.get(reverse("cancellations:new_policy"), {"from": policy.pk})
        assert copy.status_code == 404
        with pytest.raises(Policy.DoesNotExist):
            on(policy, lead)


def test_lead_may_not_move_a_policy_out_of_their_departments(lead, department):
    policy = write(lead, department=department)
    draft = policies.Draft(columns(department=None), LATE)

    with pytest.raises(PermissionDenied):
        policies.save_policy(policy.pk, draft, by=lead, version=policy.version)


# --- switching -----------------------------------------------------------------------------------
def test_drafts_decide_nothing_and_switched_on_policies_do(lead, department):
    interview = InterviewFactory(department=department, starts_in=30 * HOUR)
    policy = write(lead, department=department)
    assert ask(interview) is Outcome.AUTOMATIC

    on(policy, lead)
    assert ask(interview) is Outcome.NEEDS_HR

    policies.switch_off(policy.pk, by=lead, version=fresh(policy).version)
    assert ask(interview) is Outcome.AUTOMATIC


def ask(interview) -> Outcome:
    """What asking now comes to; nothing of it stays."""
    with transaction.atomic():
        cancellation, _ = services.request_cancellation(
            interview.reference,
            by=interview.candidate.user,
            reason=Reason.objects.get(purpose=Purpose.CANCEL, code="time_conflict"),
        )
        transaction.set_rollback(True)
    return Outcome(cancellation.outcome)


def test_policy_begins_and_ends_by_itself(lead, department):
    now = timezone.now()
    policy = write(lead, department=department, since=now + HOUR, until=now + 2 * HOUR)
    on(policy, lead)

    def holds(at):
        return policy.name in in_force(at)

    second = timedelta(seconds=1)
    assert not holds(now)
    assert not holds(now + HOUR - second)
    assert holds(now + HOUR)
    assert holds(now + 2 * HOUR - second)
    assert not holds(now + 2 * HOUR)


def test_second_policy_for_the_same_scope_is_refused_with_its_name(desk, lead, department):
    first = on(write(lead, name="First", department=department), lead)
    second = write(lead, name="Second", department=department)

    response = desk.post(page("switch_policy", second), {"version": second.version})

    assert response.status_code == 422
    assert page("policy", first) in response.text
    assert in_force() == {"默认规则", "First"}


def test_next_version_is_prepared_and_the_old_one_ends_by_itself(desk, lead, department):
    now = timezone.now()
    old = on(write(lead, name="Old", department=department), lead)
    new = write(lead, name="New", department=department, since=now + 24 * HOUR)

    desk.post(page("switch_policy", new), {"version": new.version, "replacing": "on"})

    assert "Old" in in_force(now + HOUR)
    assert "New" not in in_force(now + HOUR)
    assert "New" in in_force(now + 25 * HOUR)
    assert "Old" not in in_force(now + 25 * HOUR)
    assert fresh(old).until == fresh(new).since


def test_what_begins_later_for_the_same_scope_stands_in_the_way(desk, lead, department):
    later = write(lead, name="Later", department=department, since=timezone.now() + 24 * HOUR)
    on(later, lead)
    endless = write(lead, name="Endless", department=department)

    response = desk.get(page("switch_policy", endless))
    assert "begins while this one would hold" in response.text
    with pytest.raises(policies.Overlaps) as caught:
        on(endless, lead, replacing=True)

    assert caught.value.others == [later]
    bounded = write(lead, department=department, until=later.since)
    assert on(bounded, lead).is_active


def test_database_refuses_two_at_once_whoever_writes(department):
    now = timezone.now()
    Policy.objects.create(name="a", department=department, since=now, until=now + HOUR)
    Policy.objects.create(name="b", department=department, since=now + HOUR)
    Policy.objects.create(name="c", department=department, since=now, kind="ai")
    Policy.objects.create(name="d", department=department, since=now, is_active=False)

    with pytest.raises(IntegrityError), transaction.atomic():
        Policy.objects.create(name="e", department=department, since=now + 2 * HOUR)
    with pytest.raises(IntegrityError), transaction.atomic():
        Policy.objects.create(name="f", department=department, until=now + HOUR / 2)
    with pytest.raises(IntegrityError), transaction.atomic():
        Policy.objects.create(name="g")  # beside the general one
    with pytest.raises(IntegrityError), transaction.atomic():
        Policy.objects.create(name="h", is_active=False, since=now, until=now)


def test_policy_that_refuses_everybody_is_switched_on_only_if_meant(desk, lead, department):
    policy = write(lead, REFUSING, department=department)
    shown = desk.get(page("switch_policy", policy))
    assert "This policy refuses every request" in shown.text

    refused = desk.post(page("switch_policy", policy), {"version": policy.version})
    assert refused.status_code == 422
    assert not fresh(policy).is_active

    desk.post(page("switch_policy", policy), {"version": policy.version, "is_meant": "on"})
    assert fresh(policy).is_active


def test_policy_with_a_gap_is_switched_on_only_if_meant(lead, department):
    policy = write(lead, (Tier(HOUR, Outcome.AUTOMATIC),), department=department)

    with pytest.raises(policies.Unconfirmed):
        on(policy, lead)
    assert on(policy, lead, is_meant=True).is_active


SHORT = Tier(4 * 24 * HOUR, Outcome.AUTOMATIC, short_notice=True)
SHORT_LATE = Tier(0 * HOUR, Outcome.AUTOMATIC, short_notice=True)
AT_ONCE, ASKED = Tier(0 * HOUR, Outcome.AUTOMATIC), Tier(0 * HOUR, Outcome.NEEDS_HR)
REFUSED_EARLY = Tier(4 * 24 * HOUR, Outcome.REFUSED)


@pytest.mark.parametrize(
    ("tiers", "is_unusual"),
    [
        ((SHORT, AT_ONCE), True),
        ((Tier(4 * 24 * HOUR, Outcome.NEEDS_HR), AT_ONCE), True),
        ((REFUSED_EARLY, ASKED), True),
        ((Tier(4 * 24 * HOUR, Outcome.NEEDS_HR, short_notice=True), ASKED), True),
        ((SHORT, ASKED), False),
        ((Tier(4 * 24 * HOUR, Outcome.AUTOMATIC), SHORT_LATE), False),
    ],
)
def test_who_asks_earlier_is_treated_worse_only_if_that_is_meant(
    desk, lead, department, tiers, is_unusual
):
    policy = write(lead, tiers, department=department)
    switch = page("switch_policy", policy)
    said = "treated more kindly"

    assert (said in desk.get(page("policy", policy)).text) == is_unusual
    refused = desk.post(switch, {"version": policy.version})
    assert (refused.status_code == 422) == is_unusual
    assert fresh(policy).is_active != is_unusual
    if is_unusual:
        desk.post(switch, {"version": policy.version, "is_meant": "1"})
        assert fresh(policy).is_active


def test_switching_off_the_general_policy_has_to_be_meant(client, administrator):
    client.force_login(administrator)
    general = Policy.objects.get(name="默认规则")
    switch = page("switch_policy", general)

    assert "HR decides every request that no other" in client.get(switch).text
    assert client.post(switch, {"version": general.version}).status_code == 422
    assert client.post(switch, {"version": general.version, "is_meant": "1"}).status_code == 302
    assert in_force() == set()


def test_policy_whose_time_is_over_is_not_switched_on(desk, lead, department):
    policy = write(lead, department=department)
    Policy.objects.filter(pk=policy.pk).update(until=timezone.now() - HOUR)

    assert "Its time is over already" in desk.get(page("switch_policy", policy)).text
    with pytest.raises(policies.AlreadyEnded):
        on(policy, lead)


def test_switching_on_twice_changes_nothing_more(lead, department):
    policy = on(write(lead, department=department), lead)

    again = on(policy, lead)

    assert (again.version, again.since) == (policy.version, policy.since)


# --- two people at once --------------------------------------------------------------------------
def test_second_writer_sees_both_values_and_loses_nothing(desk, lead, department):
    policy = write(lead, department=department)
    colleague = UserFactory(lead=True, name="李四", departments=[department])
    theirs = policies.Draft(columns(department=department, promised_minutes=20), LATE)
    policies.save_policy(policy.pk, theirs, by=colleague, version=policy.version)
    mine = typed(
        ("36", "hours", "automatic"),
        ("0", "hours", "needs_hr"),
        department=department.pk,
        promised_minutes="45",
        version=policy.version,
    )

    response = desk.post(page("edit_policy", policy), mine)

    assert response.status_code == 409
    assert "李四 has changed this policy meanwhile" in response.text
    conflict = {label: (their, my) for label, their, my in response.context["conflict"]}
    assert conflict["Promised minutes"] == ("20 minutes", "45 minutes")
    assert "48 hours" in conflict["What happens"][0]
    assert "36 hours" in conflict["What happens"][1]
    assert 'value="45"' in response.text
    assert 'value="36"' in response.text
    assert fresh(policy).promised_minutes == 20

    desk.post(page("edit_policy", policy), mine | {"version": response.context["version"]})
    assert fresh(policy).promised_minutes == 45


def test_switching_what_was_changed_meanwhile_shows_it_first(desk, lead, department):
    policy = write(lead, department=department)
    draft = policies.Draft(columns(department=department), REFUSING)
    policies.save_policy(policy.pk, draft, by=lead, version=policy.version)

    response = desk.post(page("switch_policy", policy), {"version": policy.version})

    assert response.status_code == 422
    assert "Somebody has changed this policy meanwhile" in response.text
    assert not fresh(policy).is_active


# --- editing what is switched on -----------------------------------------------------------------
def test_edit_of_a_policy_in_force_holds_for_the_next_request(desk, lead, department):
    interview = InterviewFactory(department=department, starts_in=30 * HOUR)
    policy = on(write(lead, department=department), lead)
    assert ask(interview) is Outcome.NEEDS_HR

    sent = typed(*ORDINARY, version=policy.version, department=DepartmentFactory().pk)
    response = desk.post(page("edit_policy", policy), sent)

    assert response.status_code == 302
    assert ask(interview) is Outcome.AUTOMATIC
    changed = fresh(policy)
    assert (changed.department, changed.since) == (department, policy.since)


def test_unusual_edit_of_a_policy_in_force_has_to_be_meant(desk, lead, department):
    policy = on(write(lead, department=department), lead)
    sent = typed(("0", "hours", "refused"), version=policy.version)

    response = desk.post(page("edit_policy", policy), sent)
    assert response.status_code == 422
    assert "Is this meant?" in response.text
    assert queries.tiers_of(fresh(policy)) == LATE

    desk.post(page("edit_policy", policy), sent | {"is_meant": "on"})
    assert queries.tiers_of(fresh(policy)) == REFUSING


def test_edit_of_a_policy_in_force_can_become_a_draft(desk, lead, department):
    policy = on(write(lead, department=department), lead)
    sent = typed(*ORDINARY, version=policy.version, as_draft="1", name="Try me")

    desk.post(page("edit_policy", policy), sent)

    assert queries.tiers_of(fresh(policy)) == LATE
    beside = Policy.objects.get(name="Try me")
    assert (beside.is_active, beside.department) == (False, department)


def test_draft_of_a_policy_in_force_keeps_the_time_that_was_typed(desk, lead, department):
    policy = on(write(lead, department=department), lead)
    until = timezone.localtime() + timedelta(days=9)
    sent = typed(*ORDINARY, version=policy.version, as_draft="1", name="Try me")

    desk.post(page("edit_policy", policy), sent | {"until": f"{until:%Y-%m-%dT%H:%M}"})

    draft = Policy.objects.get(name="Try me")
    assert draft.until == until.replace(second=0, microsecond=0)
    assert draft.since is None  # when the policy in force began was not typed for it


def test_draft_of_a_policy_for_later_keeps_its_beginning(desk, lead, department):
    later = timezone.now() + timedelta(days=3)
    policy = on(write(lead, department=department, since=later), lead)
    since = timezone.localtime() + timedelta(days=5)
    sent = typed(*ORDINARY, version=policy.version, as_draft="1", name="Try me")

    desk.post(page("edit_policy", policy), sent | {"since": f"{since:%Y-%m-%dT%H:%M}"})

    draft = Policy.objects.get(name="Try me")
    assert draft.since == since.replace(second=0, microsecond=0)


# --- discarding ----------------------------------------------------------------------------------
def discard(client, policy, **sent):
    return client.post(page("discard_policy", policy), {"version": fresh(policy).version} | sent)


def test_draft_is_discarded_after_a_second_look_and_stays_on_record(desk, lead, department):
    policy = write(lead, department=department)
    assert page("discard_policy", policy) in desk.get(page("policy", policy)).text
    assert "Discard the draft “Night shift”?" in desk.get(page("discard_policy", policy)).text
    assert Policy.objects.filter(pk=policy.pk).exists()

    response = discard(desk, policy)

    assert response.url == INDEX
    assert not Policy.objects.filter(pk=policy.pk).exists()
    removed = ConfigurationChange.objects.filter(action="removed", subject_id=policy.pk)
    assert {(row.kind, row.actor) for row in removed} == {
        (kind, f"user:{lead.pk}") for kind in ("cancellations.policy", "cancellations.tier")
    }


def test_policy_that_was_switched_on_once_is_not_discarded(desk, lead, department):
    policy = on(write(lead, department=department), lead)
    for _ in range(2):
        assert page("discard_policy", policy) not in desk.get(page("policy", policy)).text
        response = desk.get(page("discard_policy", policy), follow=True)
        assert "has been switched on before" in response.text
        assert discard(desk, policy).url == page("policy", policy)
        with pytest.raises(policies.OnceInForce):
            policies.discard_policy(policy.pk, by=lead, version=fresh(policy).version)
        if fresh(policy).is_active:
            policies.switch_off(policy.pk, by=lead, version=fresh(policy).version)

    assert Policy.objects.filter(pk=policy.pk).exists()


def test_policy_that_decided_a_request_is_not_discarded(lead, department):
    """Even where the configuration's history does not reach back so far."""
    policy = write(lead, department=department)
    CancellationFactory(policy=rules.snapshot(queries.as_rule(policy)))

    with pytest.raises(policies.OnceInForce):
        policies.discard_policy(policy.pk, by=lead, version=policy.version)


def test_draft_changed_meanwhile_is_shown_before_it_goes(desk, lead, department):
    policy = write(lead, department=department)
    draft = policies.Draft(columns(department=department), REFUSING)
    policies.save_policy(policy.pk, draft, by=lead, version=policy.version)

    response = discard(desk, policy, version=policy.version)

    assert response.status_code == 422
    assert "Somebody has changed this policy meanwhile" in response.text
    assert discard(desk, policy, version=response.context["policy"].version).status_code == 302
    assert not Policy.objects.filter(pk=policy.pk).exists()


def test_draft_of_others_is_not_discarded(desk, administrator, lead):
    general = write(administrator)
    hidden = write(administrator, department=DepartmentFactory())

    assert discard(desk, general).status_code == 403
    assert discard(desk, hidden).status_code == 404
    with pytest.raises(PermissionDenied):
        policies.discard_policy(general.pk, by=lead, version=general.version)
    assert Policy.objects.filter(pk__in=[general.pk, hidden.pk]).count() == 2


@pytest.mark.parametrize(
    ("name", "service"),
    [
        ("edit_policy", "save_policy"),
        ("switch_policy", "switch_on"),
        ("discard_policy", "discard_policy"),
    ],
)
def test_draft_discarded_by_a_colleague_meanwhile_is_not_there(
    desk, lead, department, name, service, monkeypatch
):
    policy = write(lead, department=department)
    slower, discard_first = getattr(policies, service), policies.discard_policy

    def meanwhile(*args, **given):
        discard_first(policy.pk, by=lead, version=policy.version)
        return slower(*args, **given)

    monkeypatch.setattr(policies, service, meanwhile)
    sent = typed(*ORDINARY, version=policy.version, department=department.pk)

    assert desk.post(page(name, policy), sent).status_code == 404


def test_policy_in_force_cannot_be_ended_in_the_past(lead, department):
    policy = on(write(lead, department=department), lead)
    draft = policies.Draft(
        columns(department=department, until=timezone.now() - timedelta(minutes=1)), LATE
    )

    with pytest.raises(policies.AlreadyEnded):
        policies.save_policy(policy.pk, draft, by=lead, version=policy.version)


# --- what is kept --------------------------------------------------------------------------------
def test_every_change_is_kept_with_who_and_what(lead, department):
    policy = write(lead, department=department)
    draft = policies.Draft(
        columns(department=department, promised_minutes=20),
        (Tier(36 * HOUR, Outcome.AUTOMATIC), Tier(0 * HOUR, Outcome.REFUSED)),
    )
    policies.save_policy(policy.pk, draft, by=lead, version=policy.version)

    rows = ConfigurationChange.objects.filter(subject="cancellations.policy", subject_id=policy.pk)
    assert {row.actor for row in rows} == {f"user:{lead.pk}"}
    lines = [line for change in changes.of_policy(policy) for line in change.lines]
    assert "Promised minutes: 15 minutes → 20 minutes" in lines
    assert "Tier added: 36 hours, cancelled at once" in lines
    assert "Tier removed: 48 hours, cancelled at once" in lines
    assert "Tier until the start: HR decides → refused" in lines


def test_tier_that_stays_as_it_was_leaves_no_trace(lead, department):
    policy = write(lead, department=department)
    tiers = set(policy.tiers.values_list("pk", flat=True))
    draft = policies.Draft(columns(department=department, promised_minutes=20), LATE)

    policies.save_policy(policy.pk, draft, by=lead, version=policy.version)

    assert set(policy.tiers.values_list("pk", flat=True)) == tiers
    rows = ConfigurationChange.objects.filter(kind="cancellations.tier", action="changed")
    assert not rows.exists()


# --- pages ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("rows", [1, 3])
def test_list_query_count_does_not_grow(client, administrator, rows, django_assert_num_queries):
    for number in range(rows):
        on(write(administrator, name=f"p{number}", department=DepartmentFactory()), administrator)
    client.force_login(administrator)

    client.get(INDEX)
    with django_assert_num_queries(5):
        response = client.get(INDEX)

    assert len(response.context["rows"]) == rows + 2


def test_list_says_scope_tiers_and_standing_in_words(client, administrator, department):
    now = timezone.now()
    on(write(administrator, name="Soon", department=department, since=now + HOUR), administrator)
    client.force_login(administrator)

    text = client.get(INDEX).text

    assert "All interviews" in text
    assert "24 hours or more before the start" in text
    assert "Less than 24 hours, at least 12 hours before" in text
    assert "Less than 12 hours before" in text
    assert "Switched on for later" in text
    assert "制造一部" in text


def test_candidates_and_recruiters_are_kept_out(client, department):
    for user in (
        UserFactory(),
        UserFactory(recruiter=True, departments=[department]),
        UserFactory(viewer=True, departments=[department]),
    ):
        client.force_login(user)
        assert client.get(INDEX).status_code == 403


def test_nothing_is_asked_of_cancellations_by_writing(lead, department):
    on(write(lead, department=department), lead)

    assert not Cancellation.objects.exists()


def test_general_rule_of_hr_alone_is_an_ordinary_policy():
    assert rules.concerns(rules.HR_DECIDES.tiers) == []


# --- one source: what the page says is what asking does ------------------------------------------
SAID = {
    "Cancelled at once": Outcome.AUTOMATIC,
    "HR decides": Outcome.NEEDS_HR,
    "Cannot be cancelled here": Outcome.REFUSED,
}
any_tiers = st.lists(
    st.tuples(st.integers(0, 6000), st.sampled_from(list(Outcome)), st.booleans()),
    min_size=1,
    max_size=4,
    unique_by=lambda tier: tier[0],
).map(
    lambda rows: tuple(
        Tier(timedelta(minutes=m), what, short) for m, what, short in sorted(rows)[::-1]
    )
)


def outcome_of_asking(interview) -> Outcome:
    try:
        return ask(interview)
    except services.CancellationRefused:
        return Outcome.REFUSED


def said_on_the_page(client, interview) -> Outcome:
    page = client.get(reverse("cancellations:interview", args=[interview.reference])).text
    current = re.search(r"rule-current.*?</li>", page, re.DOTALL).group()
    (outcome,) = {outcome for words, outcome in SAID.items() if words in current}
    return outcome


@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(tiers=any_tiers)
def test_page_says_what_asking_does_a_second_before_and_after_each_boundary(client, tiers):
    second = timedelta(seconds=1)
    with transaction.atomic():
        department = DepartmentFactory()
        lead = UserFactory(lead=True, departments=[department])
        policy = on(write(lead, tiers, department=department), lead, is_meant=True)
        interview = InterviewFactory(department=department, starts_in=timedelta(hours=120))
        start = interview.starts_at
        until = rules.automatic_until(queries.as_rule(policy), starts_at=start)
        for boundary in {start - tier.notice for tier in tiers} | {start}:
            for at in (boundary - second, boundary, boundary + second):
                if at >= start:
                    continue
                with time_machine.travel(at, tick=False):
                    client.force_login(interview.candidate.user)
                    said = said_on_the_page(client, interview)
                    line = client.get(reverse("cancellations:mine")).text
                    done = outcome_of_asking(interview)
                assert said is done, at
                shown = f"Cancel without approval until {short_moment(until)}" in line
                assert shown == (done is Outcome.AUTOMATIC and until is not None)
        if until is not None and until < start:
            for at, automatic in ((until, True), (until + second, False)):
                with time_machine.travel(at, tick=False):
                    assert (outcome_of_asking(interview) is Outcome.AUTOMATIC) == automatic
        transaction.set_rollback(True)


def test_what_leaving_takes_is_written_read_and_followed(desk, department):
    form = typed(*ORDINARY)
    form |= {
        "department": str(department.pk),
        "exit_professional": "needs_hr",
        "exit_second_factor": "on",
        "cooldown_days": "30",
    }
    desk.post(reverse("cancellations:new_policy"), form)

    policy = Policy.objects.get(name="Night shift")
    assert (policy.exit_professional, policy.exit_second_factor) == ("needs_hr", True)
    exits = queries.as_rule(policy).exits
    assert exits.professional is rules.Outcome.NEEDS_HR
    assert exits.cooldown == timedelta(days=30)
    page = desk.get(reverse("cancellations:policy", args=[policy.pk])).content.decode()
    assert "Leaving midway" in page
    assert "HR decides" in page
