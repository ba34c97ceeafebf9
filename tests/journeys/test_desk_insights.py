"""Figures at the desk in a real browser: read, narrowed, followed to the rows behind them."""

from datetime import datetime, time, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from analytics import cells
from analytics.alerts import services
from analytics.alerts.models import Alert
from analytics.dashboards.pages import PAGES
from analytics.risk import services as risk
from cancellations.models import Reason
from tests.analytics.alerts.watched import alert_of
from tests.analytics.risk.scored import model
from tests.factories import (
    CancellationFactory,
    DepartmentFactory,
    InterviewFactory,
    PositionFactory,
    UserFactory,
    tell,
)
from tests.journeys.visitor import either_language

# As wide as A4 between the margins browsers print with.
PAPER = {"width": 718, "height": 1000}
# What reaches beyond the paper: nobody can scroll there.
BEYOND_PAPER = """() => [...document.querySelectorAll("main *")]
    .filter((each) => each.checkVisibility() && !each.closest(".visually-hidden"))
    .filter((each) => each.getBoundingClientRect().right > innerWidth + 1)
    .map((each) => each.outerHTML.slice(0, 120))"""

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def department():
    return DepartmentFactory(name="制造部")


@pytest.fixture
def lead(department):
    return UserFactory(lead=True, name="周莉", departments=[department])


@pytest.fixture
def figures(department):
    """Enough of two positions for percentages."""
    for title, missed in (("装配技术员", 6), ("质检员", 2)):
        position = PositionFactory(department=department, title=title)
        application = InterviewFactory(position=position, completed=True).application
        for number in range(22):
            day = timezone.localdate() - timedelta(days=1 + number % 9)
            at = timezone.make_aware(datetime.combine(day, time(9 + number % 10)))
            fate = {"no_show": True} if number < missed else {"completed": True}
            tell(InterviewFactory(application=application, starts_at=at, **fate))
        for code in ("time_conflict", "time_conflict", "accepted_offer"):
            off = InterviewFactory(
                application=application, status="cancelled", slot=None, starts_at=at
            )
            reason = Reason.objects.get(purpose="cancel", code=code)
            CancellationFactory(approved=True, interview=off, reason=reason, detail="时间不合适")
    while cells.recount_batch():
        pass


@pytest.fixture
def foreseen(department):
    """An appointment for which a call may help, by a model that is used."""
    model()
    InterviewFactory(
        extra={"expected": "no"}, source="attendance", source_key="1", department=department
    )
    risk.look_ahead(now=timezone.now())


def test_a_lead_narrows_the_figures_and_follows_one_to_its_rows(visit, lead, figures):
    desk = visit(lead, width=1280, height=800)
    desk.opens(reverse("cancellations:queue"))
    desk.follows("Insights")
    expect(desk.page.locator(".tiles")).to_contain_text("Did not come")

    desk.page.locator(".tool > summary").first.click()
    desk.page.get_by_label("Position", exact=True).select_option(label="质检员")
    desk.presses("Show")
    expect(desk.page.locator(".chips")).to_contain_text("质检员")
    missed = desk.page.locator(".tile", has_text="Did not come").locator("a")
    expect(missed).to_have_text("8.7 %")
    missed.click()
    expect(desk.page.locator(".table-count")).to_have_text("2")
    assert desk.complaints == []


def test_without_javascript_everything_is_there(visit, lead, figures):
    desk = visit(lead, javascript=False, width=1280, height=800)
    desk.opens(reverse("analytics:reasons"))
    expect(desk.page.locator("svg.chart-drawing").first).to_be_visible()
    desk.page.get_by_role("navigation", name="Period").get_by_role(
        "link", name="Last 7 days"
    ).click()
    expect(desk.page.locator(".presets [aria-current]")).to_have_text("Last 7 days")


def test_who_may_need_help_stands_beside_the_figures(visit, lead, figures, foreseen):
    desk = visit(lead, width=1280, height=800)
    desk.opens(reverse("analytics:overview"))
    tabs = desk.page.get_by_role("navigation", name="Insights")
    tabs.get_by_role("link", name="Who may need help").click()
    expect(tabs.locator("[aria-current]")).to_have_text("Who may need help")
    expect(desk.page.locator("tbody tr")).to_have_count(1)
    tabs.get_by_role("link", name="Attendance").click()
    desk.is_at(reverse("analytics:attendance"))
    assert desk.complaints == []


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_nothing_is_cut_on_paper(visit, lead, figures, foreseen, language):
    lead.language = language
    lead.save()
    desk = visit(lead, **PAPER)
    desk.page.emulate_media(media="print")
    cut = {}
    for name in ("analytics:report", "analytics:overview", "risk:index", "risk:models"):
        desk.opens(reverse(name))
        cut[name] = desk.page.evaluate(BEYOND_PAPER)
    assert {name: found for name, found in cut.items() if found} == {}


def test_an_alert_is_followed_from_the_queue_to_its_figures(visit, lead, figures, department):
    services.check_due(timezone.now())
    desk = visit(lead, width=1280, height=800)
    desk.opens(reverse("cancellations:queue"))
    desk.follows("See the figures and what stands out")
    expect(desk.page.locator("h1")).to_have_text("Did not come · 制造部")
    desk.follows("See the figures")
    expect(desk.page.locator(".chips")).to_contain_text("制造部")
    desk.page.get_by_role("navigation", name="Insights").get_by_role("link", name="Alerts").click()
    expect(desk.page.locator(".alerts .card")).to_have_count(1)
    assert desk.complaints == []


def test_an_administrator_tries_a_rule_and_saves_it(visit, figures):
    desk = visit(UserFactory(administrator=True), javascript=False, width=1280, height=800)
    desk.opens(reverse("alerts:rules"))
    desk.follows("Add a rule")
    desk.page.get_by_label("Rate", exact=True).select_option(value="no_show")
    desk.page.get_by_label("In", exact=True).select_option(value="position")
    desk.page.get_by_label("Number of days", exact=True).fill("14")
    desk.page.get_by_label("More than, in per cent").fill("20")
    desk.presses("What would it say now?")
    expect(desk.page.locator(".alert-preview li")).to_have_count(1)
    desk.presses("Save")
    expect(desk.page.locator("main")).to_contain_text("As figures stand it finds 1.")


@either_language
def test_alerts_have_nothing_for_axe_to_find(visit, figures, language, width):
    services.check_due(timezone.now())
    reader = UserFactory(administrator=True, language=language)
    alert = Alert.objects.latest("pk")
    alert_of(alert.scope, alert.owner, closed_at=timezone.now(), ending="recovered")
    rule = alert.rule_id
    desk = visit(reader, width=width)
    found = {}
    for path in (
        reverse("alerts:index"),
        reverse("alerts:alert", args=[alert.pk]),
        reverse("alerts:rules"),
        reverse("alerts:new_rule"),
        reverse("alerts:edit_rule", args=[rule]),
        reverse("alerts:delete_rule", args=[rule]),
    ):
        desk.opens(path)
        found[path] = desk.faults()
    assert {path: faults for path, faults in found.items() if faults} == {}


@either_language
def test_figures_have_nothing_for_axe_to_find(visit, lead, figures, foreseen, language, width):
    lead.language = language
    lead.save()
    desk = visit(lead, width=width)
    paths = [reverse(page.url_name) for page in PAGES.values()]
    paths += [reverse("risk:index"), reverse("risk:models")]
    paths += [
        f"{reverse('analytics:overview')}?since=2099-01-01",
        f"{reverse('analytics:overview')}?position=0",
        f"{reverse('analytics:rows')}?figure=hours:starts|*|*",
        f"{reverse('analytics:rows')}?figure=venues:nowhere|came",
    ]
    found = {}
    for path in paths:
        desk.opens(path)
        desk.opens_folds(".tool, .panel-table")
        found[path] = desk.faults()
    assert {path: faults for path, faults in found.items() if faults} == {}
