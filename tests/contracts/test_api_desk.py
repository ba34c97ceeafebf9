"""What the API has for staff, and for systems that work for them."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from accounts.scopes import Scope
from cancellations import services
from cancellations.models import Cancellation, CancellationStatus, Reason
from interviews import jobs
from interviews.models import Interview, Job
from interviews.states import InterviewStatus
from notifications import work
from notifications.models import Notification, WorkItem
from tests.contracts.api import assert_problem, caller
from tests.contracts.test_api_tokens import token_for
from tests.factories import (
    CandidateFactory,
    DepartmentFactory,
    InterviewFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

API = "/api/v1/"
COMPANY = {"reason": "hiring_freeze"}


@pytest.fixture
def department():
    return DepartmentFactory()


@pytest.fixture
def lead(department):
    return UserFactory(lead=True, departments=[department])


@pytest.fixture
def recruiter(department):
    return UserFactory(recruiter=True, departments=[department])


def late_request(department, **given) -> Cancellation:
    interview = InterviewFactory(department=department, starts_in=timedelta(hours=2), **given)
    reason = Reason.objects.get(purpose="cancel", code="time_conflict")
    candidate = interview.candidate.user
    return services.request_cancellation(interview.reference, by=candidate, reason=reason)[0]


def follow_up(department, minutes=60) -> WorkItem:
    interview = InterviewFactory(department=department)
    work.open_item(
        "follow_up",
        audience=department.audience,
        subject=interview.subject,
        due_at=timezone.now() + timedelta(minutes=minutes),
    )
    return WorkItem.objects.get(subject=interview.subject)


# --- A day's work -------------------------------------------------------------------------------


def test_thirty_late_requests_are_decided_by_api(department, lead):
    """As another system would: read the queue page by page, decide each request once."""
    requests = {each.reference: each for each in [late_request(department) for _ in range(30)]}
    elsewhere = late_request(DepartmentFactory())
    _, client = token_for(lead, Scope.READ_WORK, Scope.DECIDE_CANCELLATIONS)

    seen, page = [], f"{API}work-items/?kind=cancellation&page_size=7"
    while page:
        answer = client.get(page).json()
        seen += answer["results"]
        page = answer["next"]
    assert {row["receipt"] for row in seen} == set(requests)
    assert [row["due_at"] for row in seen] == sorted(row["due_at"] for row in seen)

    for number, row in enumerate(seen):
        action = "refusal" if number % 3 == 0 else "approval"
        path, key = f"{API}cancellations/{row['receipt']}/{action}/", f"decide-{number}"
        for _ in range(2):  # a caller whose line is bad
            response = client.post(path, {"note": f"no. {number}"}, HTTP_IDEMPOTENCY_KEY=key)
            assert response.status_code == 200, response.content

    assert client.get(f"{API}work-items/").json()["results"] == []
    for number, row in enumerate(seen):
        decided = Cancellation.objects.get(reference=row["receipt"])
        refused = number % 3 == 0
        assert decided.decided_by == lead
        assert decided.status == ("declined" if refused else "approved")
        assert decided.interview.status == ("booked" if refused else "cancelled")
        event = "cancellation_declined" if refused else "cancelled"
        assert decided.interview.history.filter(event=event).count() == 1
        told = "cancellation_declined" if refused else "cancellation_done"
        candidate = f"user:{decided.interview.candidate.user_id}"
        subject = decided.interview.subject
        assert Notification.objects.filter(
            event=told, recipient=candidate, subject=subject, channel="sms"
        ).exists()
        shown = caller(decided.interview.candidate.user).get(
            f"{API}interviews/{decided.interview.reference}/"
        )
        assert shown.json()["status"] == decided.interview.status
    assert Cancellation.objects.get(pk=elsewhere.pk).status == CancellationStatus.REQUESTED
    assert mail.outbox == []


# --- The queue ----------------------------------------------------------------------------------


def test_work_is_taken_on_given_back_and_settled(department, recruiter):
    item, client = follow_up(department), caller(recruiter)
    path = f"{API}work-items/{item.reference}/"

    taken = client.post(f"{path}assignment/", {"assignee": "me"}).json()
    assert taken["assignee"] == {"id": str(recruiter.pk), "name": recruiter.name}
    back = client.post(f"{path}assignment/", {"assignee": "nobody"}).json()
    assert back["assignee"] is None
    done = client.post(f"{path}resolution/", {"note": "Called them."}).json()
    assert (done["note"], done["closed_by"]["name"]) == ("Called them.", recruiter.name)

    assert client.get(f"{API}work-items/").json()["results"] == []
    (closed,) = client.get(f"{API}work-items/?state=closed").json()["results"]
    assert closed["reference"] == item.reference


def test_what_a_colleague_has_taken_on_stays_theirs(department, recruiter, lead):
    item = follow_up(department)
    path = f"{API}work-items/{item.reference}/assignment/"
    assert caller(lead).post(path, {"assignee": "me"}).status_code == 200

    assert_problem(caller(recruiter).post(path, {"assignee": "me"}), 409, "taken-meanwhile")
    assert WorkItem.objects.get().assignee == f"user:{lead.pk}"


def test_work_of_another_department_is_not_there(recruiter):
    item = follow_up(DepartmentFactory())
    client, path = caller(recruiter), f"{API}work-items/{item.reference}/"

    assert client.get(f"{API}work-items/").json()["results"] == []
    assert_problem(client.post(f"{path}assignment/", {"assignee": "me"}), 404, "not-found")
    assert_problem(client.post(f"{path}resolution/", {"note": "x"}), 404, "not-found")


def test_queue_is_narrowed(department, recruiter):
    mine, free = follow_up(department), follow_up(department)
    WorkItem.objects.filter(pk=mine.pk).update(assignee=f"user:{recruiter.pk}")
    client = caller(recruiter)

    def seen(**query):
        rows = client.get(f"{API}work-items/", query).json()["results"]
        return {row["reference"] for row in rows}

    assert seen() == {mine.reference, free.reference}
    assert seen(assignee="me") == {mine.reference}
    assert seen(assignee="nobody") == {free.reference}
    assert seen(kind="anomaly") == set()


@pytest.mark.parametrize("rows", [1, 5])
def test_queue_query_count_does_not_grow(department, lead, rows, django_assert_max_num_queries):
    for _ in range(rows):
        late_request(department)
        follow_up(department)
    client = caller(lead)

    with django_assert_max_num_queries(5):
        assert len(client.get(f"{API}work-items/").json()["results"]) == 2 * rows


# --- Searching ----------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["reference", "name", "beginning", "mobile", "spaced"])
def test_search_finds_by_what_somebody_has_at_hand(department, recruiter, by):
    candidate = CandidateFactory(user__name="欧阳娜娜", user__mobile="+8613912345678")
    interview = InterviewFactory(department=department, candidate=candidate)
    InterviewFactory(department=department)
    text = {
        "reference": interview.reference.lower(),
        "name": "欧阳娜娜",
        "beginning": "欧阳",
        "mobile": "13912345678",
        "spaced": "+86 139 1234 5678",
    }[by]

    answer = caller(recruiter).post(f"{API}interviews/search/", {"text": text}).json()

    assert [row["reference"] for row in answer["results"]] == [interview.reference]
    assert answer["results"][0]["candidate"] == "欧阳娜娜"
    assert answer["more"] is False


def test_search_stays_in_ones_departments(recruiter):
    interview = InterviewFactory(candidate__user__mobile="+8613912345678")
    client = caller(recruiter)

    for text in (interview.reference, interview.candidate.user.name, "13912345678"):
        answer = client.post(f"{API}interviews/search/", {"text": text}).json()
        assert answer["results"] == []
    assert client.post(f"{API}interviews/search/", {}).json()["results"] == []


def test_viewers_find_nobody_by_number(department):
    InterviewFactory(department=department, candidate__user__mobile="+8613912345678")
    viewer = UserFactory(viewer=True, departments=[department])

    answer = caller(viewer).post(f"{API}interviews/search/", {"text": "13912345678"}).json()

    assert answer["results"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"text": "\x00"}, "text"),
        ({"text": "x" * 201}, "text"),
        ({"text": {}}, "text"),
        ({"status": "gone"}, "status"),
        ([], "non_field_errors"),
    ],
)
def test_bad_search_names_the_field(recruiter, body, field):
    response = caller(recruiter).post(f"{API}interviews/search/", body)

    assert list(assert_problem(response, 400, "invalid")["errors"]) == [field]


# --- Cancelling for the company -----------------------------------------------------------------


def test_company_calls_one_off(department, recruiter):
    interview = InterviewFactory(department=department)
    client = caller(recruiter)
    path = f"{API}interviews/{interview.reference}/company-cancellation/"

    first, again = (client.post(path, COMPANY) for _ in range(2))

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["receipt"] == again.json()["receipt"]
    assert first.json()["party"] == "company"
    assert Interview.objects.get(pk=interview.pk).status == InterviewStatus.CANCELLED


def test_company_cannot_call_off_what_is_over(department, recruiter):
    interview = InterviewFactory(department=department, completed=True)
    path = f"{API}interviews/{interview.reference}/company-cancellation/"

    assert_problem(caller(recruiter).post(path, COMPANY), 409, "already-over")


def test_company_cancelling_needs_permission_and_department(department):
    interview = InterviewFactory(department=department)
    path = f"{API}interviews/{interview.reference}/company-cancellation/"

    for user, status in [
        (UserFactory(viewer=True, departments=[department]), 403),
        (UserFactory(recruiter=True), 404),
        (interview.candidate.user, 403),
    ]:
        assert caller(user).post(path, COMPANY).status_code == status
    assert Interview.objects.get(pk=interview.pk).status == InterviewStatus.BOOKED


def test_company_calls_many_off_in_the_background(department, recruiter):
    here = [InterviewFactory(department=department) for _ in range(3)]
    over = InterviewFactory(department=department, completed=True)
    elsewhere = InterviewFactory()
    references = [each.reference for each in [*here, over, elsewhere]]
    client, key = caller(recruiter), {"HTTP_IDEMPOTENCY_KEY": "freeze-1"}
    body = {**COMPANY, "references": references}

    begun = client.post(f"{API}company-cancellations/", body, **key)
    again = client.post(f"{API}company-cancellations/", body, **key)
    assert begun.status_code == again.status_code == 202
    assert begun["Location"] == again["Location"]
    jobs.run_job(Job.objects.get().pk)
    report = client.get(begun["Location"]).json()

    assert (report["state"], report["total"], report["done"]) == ("done", 5, 5)
    assert [row["outcome"] for row in report["rows"]] == ["cancelled"] * 3 + ["over", "unknown"]
    assert all(row["receipt"] for row in report["rows"][:3])
    assert Interview.objects.get(pk=elsewhere.pk).status == InterviewStatus.BOOKED
    assert_problem(caller(UserFactory(recruiter=True)).get(begun["Location"]), 404, "not-found")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"references": []}, "references"),
        ({"references": ["short"]}, "references.0"),
        ({"references": "0123456789"}, "references"),
        ({"references": ["\x00" * 10]}, "references.0"),
        ({"references": ["0123456789"] * 5001}, "references"),
        ({"reason": "time_conflict"}, "reason"),
        ({"note": "x" * 501}, "note"),
    ],
)
def test_bad_list_starts_no_job(recruiter, change, field):
    body = {**COMPANY, "references": ["0123456789"], **change}

    response = caller(recruiter).post(f"{API}company-cancellations/", body)

    assert list(assert_problem(response, 400, "invalid")["errors"]) == [field]
    assert not Job.objects.exists()


# --- Policies and history -----------------------------------------------------------------------


def test_policies_are_for_those_who_write_them(department, lead, recruiter):
    rows = caller(lead).get(f"{API}policies/").json()["results"]

    (general,) = [row for row in rows if row["is_active"]]
    assert [tier["notice_minutes"] for tier in general["tiers"]] == [24 * 60, 12 * 60, 0]
    assert_problem(caller(recruiter).get(f"{API}policies/"), 403, "permission-denied")


def test_history_is_that_of_ones_departments(department, lead):
    mine, elsewhere = late_request(department), late_request(DepartmentFactory())
    client = caller(lead)

    def seen(**query):
        return client.get(f"{API}history/", query).json()["results"]

    assert {row["interview"] for row in seen()} == {mine.interview.reference}
    assert seen(interview=elsewhere.interview.reference) == []
    assert seen(department=elsewhere.interview.position.department.code) == []
    (asked,) = seen(event="cancellation_requested")
    assert asked["actor"] == f"user:{mine.requested_by_id}"
    assert asked["hash"] == mine.interview.history.get(event="cancellation_requested").hash
    assert seen(to="2020-01-01") == []


def test_history_is_read_page_by_page(department, lead):
    for _ in range(3):
        late_request(department)
    client, page, seen = caller(lead), f"{API}history/?page_size=2", []
    while page:
        answer = client.get(page).json()
        seen += [(row["interview"], row["sequence"]) for row in answer["results"]]
        page = answer["next"]

    assert len(seen) == len(set(seen)) == 6


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "yesterday"}, "from"),
        ({"from": "0001-01-01"}, "from"),
        ({"interview": "x"}, "interview"),
        ({"event": "\x00"}, "event"),
        ({"department": "a b"}, "department"),
        ({"cursor": "cD1hYmM="}, "cursor"),
    ],
)
def test_bad_history_filter_names_the_field(lead, query, field):
    response = caller(lead).get(f"{API}history/", query)

    assert list(assert_problem(response, 400, "invalid")["errors"]) == [field]
