"""Somebody whom nothing reaches: what HR reads of it, and how they write down what does."""

import pytest
from django.urls import reverse

from accounts.models import User
from cancellations import work
from notifications.models import OutOfReach, WorkItem
from tests.factories import InterviewFactory, UserFactory, tell

pytestmark = pytest.mark.django_db


@pytest.fixture
def interview():
    return InterviewFactory(candidate__user__email="lost@example.com")


@pytest.fixture
def recruiter(client, interview):
    recruiter = UserFactory(recruiter=True, departments=[interview.position.department])
    client.force_login(recruiter)
    return recruiter


@pytest.fixture
def item(interview):
    recipient = f"user:{interview.candidate.user_id}"
    OutOfReach.objects.create(
        recipient=recipient, subject=interview.subject, since=interview.created_at, code="30005"
    )
    item = work.open_wrong_contact(recipient, interview.subject)
    assert item is not None
    return item


def fresh(row):
    return type(row)._base_manager.get(pk=row.pk)


def correct(client, item, **sent):
    given = {"mobile": "", "email": "", **sent}
    return client.post(reverse("cancellations:contact", args=[item.reference]), given, follow=True)


def test_item_says_what_failed_where_and_why(client, interview, recruiter, item):
    tell(interview, state="failed", error_code="30005")
    other = InterviewFactory(candidate=interview.candidate)
    tell(other, "interview_moved", "bounced", channel="email", error_code="550")
    tell(interview, "sign_in_code", "failed", error_code="30003")

    page = client.get(reverse("cancellations:work_item", args=[item.reference])).text

    assert "Text message" in page
    assert "The number does not exist" in page
    assert "The mailbox does not exist." in page
    assert "Interview moved" not in page  # another department's
    assert "30003" not in page


def test_new_number_is_written_down_and_settles_the_item(client, interview, recruiter, item):
    page = correct(client, item, mobile="139 1234 5678").text

    person = fresh(interview.candidate.user)
    assert (person.mobile, person.email) == ("+8613912345678", "lost@example.com")
    assert "Messages go there from now on." in page
    assert fresh(item).closed_by == f"user:{recruiter.pk}"
    assert not OutOfReach.objects.filter(solved_at=None).exists()
    entry = interview.history.get(event="work_resolved")
    assert entry.data["corrected"] == ["mobile"]
    assert "139" not in str(entry.data)


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({}, "Enter a number or an address."),
        ({"mobile": "12"}, "This is not a mobile number."),
        ({"email": "nobody"}, "valid email"),
    ],
)
def test_what_reaches_nobody_is_not_taken(client, recruiter, item, sent, words):
    response = correct(client, item, **sent)

    assert response.status_code == 422
    assert words in response.text
    assert fresh(item).closed_at is None


def test_number_of_somebody_else_is_not_taken(client, interview, recruiter, item):
    other = UserFactory()

    response = correct(client, item, mobile=other.mobile)

    assert response.status_code == 422
    assert "Somebody else has this number or address." in response.text
    assert fresh(item).closed_at is None
    assert fresh(interview.candidate.user).mobile != other.mobile


def test_a_colleague_who_was_faster_is_told_of(client, interview, recruiter, item):
    correct(client, item, mobile="13912345678")

    page = correct(client, item, mobile="13912345679").text

    assert "A colleague has already settled this." in page
    assert fresh(interview.candidate.user).mobile == "+8613912345678"


@pytest.mark.parametrize(("who", "answer"), [("viewer", 403), ("stranger", 404)])
def test_only_hr_of_the_department_writes_it_down(client, interview, item, who, answer):
    department = interview.position.department
    user = (
        UserFactory(viewer=True, departments=[department])
        if who == "viewer"
        else UserFactory(recruiter=True)
    )
    client.force_login(user)

    assert correct(client, item, mobile="13912345678").status_code == answer
    assert WorkItem.objects.open().exists()
    assert User.objects.get(pk=interview.candidate.user_id).mobile != "+8613912345678"
