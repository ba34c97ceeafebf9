"""Findings at the desk in a real browser: from what stands out to what was done and came of it."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from analytics.findings.models import Action
from cancellations.models import HelpConversation
from tests.analytics.findings.counted import counted, day, expected, logged
from tests.factories import (
    DepartmentFactory,
    InterviewFactory,
    PositionFactory,
    UserFactory,
)
from tests.journeys.visitor import either_language

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def department():
    return DepartmentFactory(name="制造部")


@pytest.fixture
def lead(department):
    return UserFactory(lead=True, name="周莉", departments=[department])


@pytest.fixture
def position(department):
    return PositionFactory(department=department, title="装配技术员")


@pytest.fixture
def figures(department, position):
    """One position that many miss, beside another; and what else stands out."""
    other = PositionFactory(department=department, title="质检员")
    for ago in range(1, 120):
        expected(position, missed=4 if ago > 14 else 2, of=12, on=day(ago))
        expected(other, missed=1, of=12, on=day(ago))
    counted(position, requests={"cancel|in_time": 50, "cancel|overdue": 50})
    counted(position, reasons={"candidate|time_conflict": 50, "exit|difficulty": 50})
    counted(position, delivery={"sms|twilio|delivered|": 50, "sms|twilio|failed|30005": 50})


def test_a_lead_logs_what_was_done_and_sees_what_came_of_it(visit, lead, position, figures):
    desk = visit(lead, width=1280, height=800)
    desk.opens(reverse("analytics:overview"))
    desk.page.get_by_role("link", name="Findings", exact=True).click()
    finding = desk.page.locator(".finding", has_text="did not come")
    expect(finding.locator("h2")).to_contain_text("装配技术员")
    finding.locator(".button").click()

    expect(desk.page.get_by_label("What it concerns")).to_have_value(f"position:{position.pk}")
    desk.page.get_by_label("What was done").select_option("slots")
    desk.page.get_by_label("Done on").fill(str(day(14)))
    desk.page.get_by_label("Note").fill("周六加开两场")
    desk.presses("Save")
    expect(desk.page.locator("#proof")).to_contain_text("33.3 % before, 16.7 % so far")
    expect(desk.page.locator(".chart-marked")).to_have_count(1)
    assert Action.objects.get().position == position

    desk.page.get_by_role("link", name="Take away").click()
    desk.presses("Take it away")
    expect(desk.page.locator("main")).to_contain_text("Nothing logged yet")
    assert desk.complaints == []


@either_language
def test_findings_have_nothing_for_axe_to_find(visit, lead, position, figures, language, width):
    lead.language = language
    lead.save()
    action, early = logged(lead, position, ago=14), logged(lead, position, ago=0)
    interview = InterviewFactory(position=position, slot=None)
    talk = HelpConversation.objects.create(interview=interview, reason="difficulty")
    talk.turns.create(offer="person", asked="宿舍在哪里")
    idle = UserFactory(lead=True, language=language, departments=[DepartmentFactory()])
    log = f"{reverse('findings:log')}?found=no_show&since=2026-01-01&until=2026-01-31"
    pages = {
        lead: [
            reverse("findings:index"),
            reverse("findings:actions"),
            *(reverse("findings:action", args=[each.pk]) for each in (action, early)),
            log,
            reverse("findings:edit", args=[action.pk]),
            reverse("findings:remove", args=[action.pk]),
            reverse("analytics:guide"),
        ],
        idle: [reverse("findings:index"), reverse("findings:actions")],
    }
    found = {}
    for user, paths in pages.items():
        desk = visit(user, width=width)
        for path in paths:
            desk.opens(path)
            found[path, user.name] = desk.faults()
    assert {path: faults for path, faults in found.items() if faults} == {}
