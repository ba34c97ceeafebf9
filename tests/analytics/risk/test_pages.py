"""The two pages: for whom help may be of use, and how well that is foreseen."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from analytics.risk import services, training
from analytics.risk.evaluation import Verdict
from analytics.risk.models import RiskScore
from interviews.models import Interview
from tests.analytics.risk.scored import model
from tests.factories import CancellationFactory, DepartmentFactory, InterviewFactory, UserFactory

pytestmark = pytest.mark.django_db
INDEX, MODELS = "/desk/insights/risk/", "/desk/insights/risk/models/"


@pytest.fixture
def department():
    return DepartmentFactory()


@pytest.fixture
def desk(client, department):
    client.force_login(UserFactory(recruiter=True, departments=[department]))
    return client


def unsure(department, **more):
    return InterviewFactory(
        extra={"expected": "no"}, source="attendance", source_key=str(more), department=department,
        **more,
    )  # fmt: skip


def page(client, address=INDEX):
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def look():
    services.look_ahead(now=timezone.now())


def test_appointments_that_may_need_help_are_listed_with_why_and_what_is_usual(desk, department):
    model()
    interview = unsure(department)
    look()
    text = page(desk)
    assert interview.candidate.user.name in text
    assert "May not be able to come: 82 %, usually 30 %" in text
    assert "“Expected Attendance”: no" in text
    assert "says nothing against anybody" in text


def test_chinese_page_is_chinese(client, department):
    client.force_login(UserFactory(recruiter=True, departments=[department], language="zh-hans"))
    model()
    unsure(department)
    look()
    text = page(client)
    assert "可能无法到场：82%（平时 30%）" in text


def test_other_departments_are_not_shown(desk):
    model()
    unsure(DepartmentFactory())
    look()
    assert "Nobody seems to need a call" in page(desk)


def test_who_has_confirmed_is_left_in_peace(desk, department):
    model()
    interview = unsure(department)
    look()
    Interview.objects.filter(pk=interview.pk).update(confirmed_at=timezone.now())
    assert interview.candidate.user.name not in page(desk)


def test_who_confirmed_another_time_is_not_confirmed(desk, department):
    model()
    interview = unsure(department)
    look()
    Interview.objects.filter(pk=interview.pk).update(
        confirmed_at=interview.booked_at - timedelta(minutes=1)
    )
    assert interview.candidate.user.name in page(desk)


def test_who_is_imported_and_confirmed_is_left_in_peace(desk, department):
    model()
    interview = unsure(department, booked_at=None)
    look()
    assert interview.candidate.user.name in page(desk)
    Interview.objects.filter(pk=interview.pk).update(confirmed_at=timezone.now())
    assert interview.candidate.user.name not in page(desk)


@pytest.mark.parametrize("change", [{"status": "cancelling"}, {"starts_at": None}])
def test_what_changed_since_is_not_shown(desk, department, change):
    model()
    interview = unsure(department)
    look()
    if "starts_at" in change:
        change = {"starts_at": interview.starts_at + timedelta(hours=1)}
    Interview.objects.filter(pk=interview.pk).update(**change)
    assert interview.candidate.user.name not in page(desk)


def test_empty_page_says_why(desk):
    assert "Nothing is foreseen yet" in page(desk)
    model()
    assert "Nobody seems to need a call" in page(desk)


@pytest.mark.parametrize("rows", [1, 3])
def test_query_count_does_not_grow(desk, department, rows, django_assert_num_queries):
    model()
    for number in range(rows):
        unsure(department, link=f"https://interview.example/{number}")
    look()
    with django_assert_num_queries(9):
        page(desk)


def test_how_well_it_is_foreseen_is_shown_with_plot_and_table(desk):
    model()
    model("cancel", verdict=Verdict.TOO_FEW)
    text = page(desk, MODELS)
    for shown in ("In use", "0.712", "0.191", "0.222", "<circle", "too few appointments", "60 %"):
        assert shown in text


def test_model_that_is_no_better_says_that_it_is_not_used(desk):
    model(verdict=Verdict.NOT_BETTER)
    assert "Not used: no better than the usual rate" in page(desk, MODELS)


def test_page_without_the_extra_says_what_to_install(desk, monkeypatch):
    monkeypatch.setattr(training, "find_spec", lambda name: None)
    text = page(desk, MODELS)
    assert "requirements/risk.txt" in text
    assert "Not trained yet" in text


def test_viewers_read_how_well_but_not_who(client, department):
    client.force_login(UserFactory(viewer=True, departments=[department]))
    assert client.get(INDEX).status_code == 403
    assert INDEX + '"' not in page(client, MODELS)


def test_pages_that_decide_show_nothing_of_it(client, department):
    model()
    waiting = CancellationFactory(
        interview=InterviewFactory(
            department=department, extra={"expected": "no"}, status="cancelling",
            starts_in=timedelta(hours=2),
        )
    )  # fmt: skip
    RiskScore.objects.create(
        interview=waiting.interview.pk, target="no_show", department=department.pk,
        starts_at=waiting.interview.starts_at, probability=0.9, needs_help=True,
        factors=["answer:expected=no"], scored_at=timezone.now(),
    )  # fmt: skip
    client.force_login(UserFactory(lead=True, departments=[department]))
    for address in (
        reverse("cancellations:case", args=[waiting.reference]),
        reverse("cancellations:desk_interview", args=[waiting.interview.reference]),
        reverse("cancellations:queue"),
    ):
        text = page(client, address).lower()
        assert "may not be able to come" not in text
        assert "insights/risk" not in text
