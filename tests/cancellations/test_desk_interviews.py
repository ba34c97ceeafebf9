"""The desk's list of interviews, its search, views and exports, and one interview's page."""

import csv
import io
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from accounts.models import User
from cancellations import services
from cancellations.models import Purpose, Reason
from interviews.models import Access, AccessLog, Interview, SavedView
from tests.factories import (
    CancellationFactory,
    CandidateFactory,
    DepartmentFactory,
    InterviewFactory,
    PositionFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

LIST = "/desk/interviews/"


@pytest.fixture
def department():
    return DepartmentFactory(name="总装制造部")


@pytest.fixture
def recruiter(department):
    return UserFactory(recruiter=True, departments=[department])


@pytest.fixture
def desk(client, recruiter):
    client.force_login(recruiter)
    return client


def listed(response) -> list[str]:
    return [row["reference"] for row in response.context["rows"]]


def page_of(interview: Interview) -> str:
    return reverse("cancellations:desk_interview", args=[interview.reference])


# --- the list -------------------------------------------------------------------------------------


def test_list_begins_with_the_latest_start(desk, department):
    later = InterviewFactory(department=department, starts_in=timedelta(days=5))
    sooner = InterviewFactory(department=department, starts_in=timedelta(days=1))
    invited = InterviewFactory(department=department, invited=True)  # stands where it was made
    past = InterviewFactory(department=department, completed=True)

    response = desk.get(LIST)

    wanted = [later.reference, sooner.reference, invited.reference, past.reference]
    assert listed(response) == wanted
    assert response.context["part"].count == 4
    assert page_of(later) in response.text
