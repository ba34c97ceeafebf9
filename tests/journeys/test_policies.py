"""A policy is written, tried and switched on in the browser; the next request follows it."""

from datetime import timedelta

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from cancellations.models import Cancellation, FaqEntry, Policy, Purpose, Reason
from cancellations.services import request_cancellation
from tests.factories import DepartmentFactory, InterviewFactory, UserFactory
from tests.journeys.visitor import either_language

pytestmark = pytest.mark.django_db(transaction=True)
either_way = pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "no_scripts"])
POLICIES = "/desk/settings/policies/"


@pytest.fixture
def department():
    return DepartmentFactory(name="制造一部")


@pytest.fixture
def lead(department):
    return UserFactory(lead=True, departments=[department])


def given_a_request(department, hours: int) -> Cancellation:
    interview = InterviewFactory(department=department, starts_in=timedelta(hours=hours))
    reason = Reason.objects.get(purpose=Purpose.CANCEL, code="time_conflict")
    return request_cancellation(interview.reference, by=interview.candidate.user, reason=reason)[0]


def when_the_lead_writes_a_stricter_policy(desk, department):
    desk.opens("/desk/settings/")
    desk.follows("Rules for cancelling")
    desk.follows("New policy")
    desk.writes("Name", "Two days for everybody")
    desk.page.get_by_label("Department").select_option(label=department.name)
    row = desk.page.locator(".tier-row").first
    row.get_by_label("At least").fill("48")
    row = desk.page.locator(".tier-row").nth(1)
    row.get_by_label("At least").fill("24")
    row.get_by_label("What happens").select_option("needs_hr")
    row.get_by_label("Recorded as short notice").uncheck()  # asking later is no better
    desk.presses("Save as a draft")
    desk.sees("Saved as a draft")


@either_way
def test_policy_is_drafted_tried_switched_on_and_the_next_request_follows(
    visit, department, lead, javascript
):
    # given a request of yesterday that the rules of the day carried out at once
    given_a_request(department, hours=30)
    interview = InterviewFactory(department=department, starts_in=timedelta(hours=30))
    candidate = visit(interview.candidate.user, javascript=javascript)
    page = reverse("cancellations:interview", args=[interview.reference])
    candidate.opens(page)
    candidate.sees("Cancelled at once, without approval.")

    # when a stricter policy is written
    desk = visit(lead, javascript=javascript, width=1280, height=800)
    when_the_lead_writes_a_stricter_policy(desk, department)

    # then nothing has changed for the candidate yet
    candidate.opens(page)
    expect(candidate.page.locator(".rule-current")).to_contain_text("Cancelled at once")

    # when it is tried
    desk.follows("Try on past requests")
    desk.sees("1 of 1 requests would be decided otherwise")
    desk.sees("cancelled at once → HR decides")

    # and switched on
    desk.follows("Two days for everybody")
    desk.follows("Switch on")
    desk.presses("Switch on")
    desk.sees("Switched on. Requests follow this policy from now on.")

    # then the candidate reads it first, and the request follows it
    candidate.opens(page)
    expect(candidate.page.locator(".rule-current")).to_contain_text("HR decides")
    candidate.opens(reverse("cancellations:cancel", args=[interview.reference]))
    candidate.chooses("The time does not suit me")
    candidate.presses("Continue")
    candidate.presses("Confirm cancellation")
    candidate.sees("HR has your request to cancel")
    last = Cancellation.objects.latest("pk")
    assert (last.interview_id, last.outcome) == (interview.pk, "needs_hr")
    assert last.policy["name"] == "Two days for everybody"
    assert not desk.complaints


def test_tiers_come_and_go_by_a_button(visit, department, lead):
    desk = visit(lead, width=1280, height=800)
    desk.opens(f"{POLICIES}new/")
    rows = desk.page.locator(".tier-row:visible")
    expect(rows).to_have_count(3)

    for _ in range(4):  # more than the blank rows that came with the page
        desk.presses("Add a tier")
    expect(rows).to_have_count(7)
    for number, hours in enumerate(["10", "8", "6", "4"], start=3):
        rows.nth(number).get_by_label("At least").fill(hours)
        rows.nth(number).get_by_label("What happens").select_option("needs_hr")
    rows.nth(0).get_by_role("button", name="Remove").click()
    expect(rows).to_have_count(6)
    desk.writes("Name", "By button")
    desk.page.get_by_label("Department").select_option(label=department.name)
    desk.presses("Save as a draft")
    desk.sees("Saved as a draft")

    minutes = Policy.objects.get(name="By button").tiers.values_list("notice_minutes", flat=True)
    assert list(minutes) == [720, 600, 480, 360, 240, 0]
    assert not desk.complaints


def test_two_writers_at_once_lose_nothing(visit, department, lead):
    first = visit(lead, width=1280, height=800)
    second = visit(
        UserFactory(lead=True, name="李四", departments=[department]), width=1280, height=800
    )
    when_the_lead_writes_a_stricter_policy(first, department)
    first.follows("Edit")
    second.opens(first.page.url)

    second.page.get_by_label("HR promises to decide within (minutes)").fill("20")
    second.presses("Save")
    second.sees("Saved.")
    first.page.get_by_label("HR promises to decide within (minutes)").fill("45")
    first.presses("Save")

    first.sees("李四 has changed this policy meanwhile")
    row = first.page.locator("tr", has_text="Promised minutes")
    expect(row).to_contain_text("20 minutes")
    expect(row).to_contain_text("45 minutes")
    first.presses("Save")
    first.sees("Saved.")
    assert Policy.objects.get(name="Two days for everybody").promised_minutes == 45


@either_language
def test_policies_have_nothing_for_axe_to_find(visit, department, language, width):
    given_a_request(department, hours=30)
    general = Policy.objects.get(is_active=True)
    draft = Policy.objects.create(name="Refusing", is_active=False)
    draft.tiers.create(notice_minutes=60, outcome="refused")

    def page(name, policy):
        return reverse(f"cancellations:{name}", args=[policy.pk])

    desk = visit(UserFactory(administrator=True, language=language), width=width)
    found = desk.faults_of(
        [
            POLICIES,
            f"{POLICIES}new/",
            page("policy", general),
            page("policy", draft),
            page("edit_policy", general),
            page("switch_policy", draft),
            page("switch_policy", general),
            page("discard_policy", draft),
            page("try_policy", draft),
            reverse("cancellations:faq"),
            reverse("cancellations:faq_new"),
            reverse("cancellations:faq_edit", args=[FaqEntry.objects.earliest("pk").pk]),
        ]
    )

    assert found == {}
