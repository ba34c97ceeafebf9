"""A recruiter finds an interview, looks at it, keeps a list for tomorrow, in a real browser."""

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import expect

from interviews.models import AccessLog, SavedView
from tests.factories import (
    CancellationFactory,
    CandidateFactory,
    DepartmentFactory,
    InterviewFactory,
    UserFactory,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

either_way = pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "no_scripts"])

LIST = "/desk/interviews/"


@pytest.fixture
def department():
    return DepartmentFactory()


@pytest.fixture
def recruiter(department):
    return UserFactory(recruiter=True, departments=[department])


def given_somebody(department, name="孙悦", **fields):
    return InterviewFactory(
        department=department,
        candidate=CandidateFactory(user__name=name, user__mobile="+8613912345678"),
        **fields,
    )


def test_slash_leads_to_the_search_and_that_to_the_interview(visit, department, recruiter):
    interview = given_somebody(department)
    desk = visit(recruiter, width=1280, height=800)
    desk.opens(LIST)

    desk.page.keyboard.press("/")
    desk.page.keyboard.type("139 1234 5678")
    desk.page.keyboard.press("Enter")

    desk.is_at(reverse("cancellations:desk_interview", args=[interview.reference]))
    desk.sees("+86139****5678")
    desk.presses("Show in full")
    desk.sees("+8613912345678")
    assert AccessLog.objects.count() == 1
    assert not desk.complaints


@either_way
def test_list_is_narrowed_and_kept_as_a_view(visit, department, recruiter, javascript):
    given_somebody(department, status="completed")
    InterviewFactory(department=department, candidate=CandidateFactory(user__name="李静"))
    desk = visit(recruiter, width=1280, height=800, javascript=javascript)
    desk.opens(LIST)

    desk.page.locator("summary", has_text="Filter").click()
    desk.page.get_by_role("combobox", name="Status").select_option("completed")
    desk.presses("Show")
    expect(desk.page.locator("tbody tr")).to_have_count(1)
    desk.page.locator("summary", has_text="Save view").click()
    desk.writes("Name", "Done")
    desk.presses("Save")

    desk.opens(LIST)
    expect(desk.page.locator("tbody tr")).to_have_count(2)
    desk.follows("Done")
    expect(desk.page.locator("tbody tr")).to_have_count(1)
    assert SavedView.objects.get().query == "status=completed"
    assert not desk.complaints


def test_box_at_the_head_ticks_every_row(visit, department, recruiter):
    for number in range(3):
        InterviewFactory(department=department, starts_in=timedelta(days=number))
    desk = visit(recruiter, width=1280, height=800)
    desk.opens(LIST)
    bar = desk.page.locator(".bulk-bar")
    expect(bar).to_be_hidden()

    desk.page.locator("[data-bulk-all]").check()
    expect(bar).to_contain_text("Chosen: 3")
    desk.page.locator("tbody [type=checkbox]").first.uncheck()

    expect(bar).to_contain_text("Chosen: 2")
    expect(desk.page.locator("[data-bulk-all]")).not_to_be_checked()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_interviews_have_nothing_for_axe_to_find(visit, department, recruiter, language, scheme):
    recruiter.language = language
    recruiter.save()
    cancellation = CancellationFactory(interview__department=department, detail="A wedding.")
    SavedView.objects.create(user=recruiter, name="Mine", query="status=cancelling")
    page = reverse("cancellations:desk_interview", args=[cancellation.interview.reference])
    idle = UserFactory(recruiter=True, language=language)
    problems = {}
    for user, width, path in [
        (recruiter, 1280, f"{LIST}?view=all&status=cancelling"),
        (recruiter, 768, LIST),
        (recruiter, 390, LIST),
        (recruiter, 1280, f"{LIST}?since=0001-01-01"),
        (idle, 1280, LIST),
        (recruiter, 1280, page),
        (recruiter, 390, page),
        (recruiter, 1280, "/desk/search/"),
    ]:
        desk = visit(user, width=width, height=800)
        desk.page.emulate_media(color_scheme=scheme)
        desk.opens(path)
        for tool in desk.page.locator(".tool").all():
            tool.evaluate("each => { each.open = true }")
        found = Axe().run(desk.page).response["violations"]
        found = [f"{each['id']}: {each['nodes'][0]['html']}" for each in found] + desk.complaints
        if desk.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append("wider than the screen")
        if found:
            problems[f"{path} at {width}"] = found
    assert problems == {}
