"""A recruiter finds an interview, looks at it, keeps a list for tomorrow, in a real browser."""

from datetime import timedelta

import pytest
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
from tests.journeys.visitor import either_language

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


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_phone_shows_name_status_and_time_of_every_row(visit, department, recruiter, language):
    recruiter.language = language
    recruiter.save()
    given_somebody(department, status="booked")
    desk = visit(recruiter)
    desk.opens(
        f"{LIST}?view=all&columns=position&columns=starts_at&columns=status&columns=booked_at"
    )

    (row,) = desk.page.locator("tbody tr").all()
    name, status, time, position = (
        row.locator(each).bounding_box()
        for each in ("th", ".card-status", ".card-starts_at", "td:not([class], [data-label])")
    )
    for box in (name, status, time, position):
        assert 0 <= box["x"] < box["x"] + box["width"] <= 390
    assert name["x"] + name["width"] <= status["x"]
    assert name["y"] < time["y"] < position["y"]
    assert desk.page.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_head_of_the_desk_on_a_phone_is_that_of_the_candidates(visit, recruiter, language):
    """The brand left, the menu right, below them every place on one row."""
    recruiter.language = language
    recruiter.save()
    desk = visit(recruiter)
    desk.opens(LIST)

    brand, words, menu = (
        desk.page.locator(each).bounding_box()
        for each in (".brand", ".desk-bar > .language", ".desk-bar > .menu")
    )
    places = [each.bounding_box() for each in desk.page.locator(".desk-place").all()]
    assert brand["x"] < words["x"] < menu["x"]
    assert brand["y"] + brand["height"] <= places[0]["y"]
    assert len({place["y"] for place in places}) == 1
    assert places[-1]["x"] + places[-1]["width"] <= 390


@either_language
def test_interviews_have_nothing_for_axe_to_find(visit, department, recruiter, language, width):
    recruiter.language = language
    recruiter.save()
    cancellation = CancellationFactory(
        interview__department=department,
        interview__source="attendance",
        interview__source_key="17/3",
        interview__extra={"permission": "yes", "expected": "uncertain"},
        detail="A wedding.",
    )
    InterviewFactory(department=department)
    SavedView.objects.create(user=recruiter, name="Mine", query="status=cancelling")
    page = reverse("cancellations:desk_interview", args=[cancellation.interview.reference])
    found = {}

    for user, paths in [
        (
            recruiter,
            [
                LIST,
                f"{LIST}?view=all&status=cancelling",
                f"{LIST}?view=all&kind=ai",
                f"{LIST}?since=0001-01-01",
                page,
                "/desk/search/",
            ],
        ),
        (UserFactory(recruiter=True, language=language), [LIST]),
    ]:
        desk = visit(user, width=width)
        for path in paths:
            desk.opens(path)
            desk.opens_folds(".tool")
            found[user.name, path] = desk.faults()

    desk = visit(recruiter, width=width)
    desk.opens(f"{LIST}?view={SavedView.objects.get().reference}")
    desk.opens_folds(".tool")
    desk.page.locator('button[name="action"][value="delete"]').click()
    desk.page.locator(".button-danger").wait_for()
    found["deleting a view"] = desk.faults()

    assert {place: faults for place, faults in found.items() if faults} == {}
