"""What the API has for staff, and for systems that work for them."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone

from accounts import api_tokens
from accounts.scopes import Scope
from cancellations import company, desk_api, services
from cancellations.models import Cancellation, CancellationStatus, Reason
from config.references import as_reference
from interviews import history, jobs
from interviews.models import HistoryEntry, Interview, Job
from interviews.states import InterviewStatus
from notifications import work
from notifications.models import Notification, WorkItem
from tests.contracts.api import assert_problem, caller
from tests.contracts.test_api_tokens import token_for
from tests.factories import (
    CandidateFactory,
    DepartmentFactory,
    InterviewFactory,
    PositionFactory,
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


def test_queue_is_narrowed_by_department_and_colleague(department, lead, recruiter):
    elsewhere = DepartmentFactory()
    lead.departments.add(elsewhere)
    here, theirs, there = follow_up(department), follow_up(department), follow_up(elsewhere)
    WorkItem.objects.filter(pk=theirs.pk).update(assignee=f"user:{recruiter.pk}")
    outside = DepartmentFactory()
    follow_up(outside)

    def seen(user=lead, **query):
        rows = caller(user).get(f"{API}work-items/", query).json()["results"]
        return {row["reference"] for row in rows}

    assert seen(department=department.code) == {here.reference, theirs.reference}
    assert seen(department=elsewhere.code) == {there.reference}
    assert seen(department=outside.code) == seen(department="nowhere") == set()
    assert seen(assignee=recruiter.pk) == {theirs.reference}
    assert seen(assignee=recruiter.pk, department=elsewhere.code) == set()
    administrator = UserFactory(administrator=True)
    assert seen(administrator, department=elsewhere.code) == {there.reference}


def test_what_is_settled_has_the_latest_on_top(department, recruiter):
    now = timezone.now()
    items = [follow_up(department, minutes=number) for number in range(5)]
    for item, minutes in zip(items, [3, 1, 5, 2, 4], strict=True):
        closed_at = now - timedelta(minutes=minutes)
        WorkItem.objects.filter(pk=item.pk).update(closed_at=closed_at)
    client, page, seen = caller(recruiter), f"{API}work-items/?state=closed&page_size=2", []
    while page:
        answer = client.get(page).json()
        seen += [row["reference"] for row in answer["results"]]
        page = answer["next"]

    assert seen == [items[number].reference for number in (1, 3, 0, 4, 2)]


def test_settled_work_is_read_off_an_index():
    """Of one department and of all, at the beginning and further on: nothing is sorted."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO notifications_workitem (reference, kind, audience, subject, params, task,
                opened_at, due_at, assignee, closed_at, closed_by, note)
            SELECT lpad(n::text, 10, '0'), 'follow_up', 'department:' || n % 50, n::text, '{}', '',
                now(), now(), '', now() - n * interval '1 minute', 'system', ''
            FROM generate_series(1, 20000) n
            """
        )
        cursor.execute("ANALYZE notifications_workitem")
    settled = WorkItem.objects.filter(closed_at__isnull=False).order_by("-closed_at", "-pk")
    place = timezone.now() - timedelta(days=7)

    for items, index in [
        (settled, "work_done "),
        (settled.filter(audience="department:7"), "work_done_of_audience "),
    ]:
        for part in (items, items.filter(closed_at__lte=place)):
            plan = part[:51].explain()
            assert f"using {index}" in plan, plan
            assert "Sort" not in plan, plan


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"assignee": "somebody"}, "assignee"),
        ({"assignee": "0"}, "assignee"),
        ({"assignee": "1" * 19}, "assignee"),
        ({"assignee": "\u0663"}, "assignee"),
        ({"department": "a b"}, "department"),
        ({"state": "gone"}, "state"),
        ({"cursor": "cD0yMDI2"}, "cursor"),
        ({"cursor": ""}, "cursor"),
        ({"cursor": "\x00"}, "cursor"),
    ],
)
def test_bad_filter_of_the_queue_names_the_field(recruiter, query, field):
    response = caller(recruiter).get(f"{API}work-items/", query)

    assert list(assert_problem(response, 400, "invalid")["errors"]) == [field]


def test_cursor_of_another_list_is_refused(department, recruiter):
    for _ in range(2):
        follow_up(department)
    client = caller(recruiter)
    cursor = client.get(f"{API}work-items/?page_size=1").json()["next"].partition("cursor=")[2]

    response = client.get(f"{API}work-items/?state=closed&cursor={cursor}")

    assert list(assert_problem(response, 400, "invalid")["errors"]) == ["cursor"]


def walked(client, page, way="next", most=20):
    """What stands on one page after the other, the last one first where the way is back."""
    pages = []
    while page:
        assert len(pages) < most, "it goes round in circles"
        answer = client.get(page).json()
        pages.append(answer["results"])
        last, page = page, answer[way]
    return pages, last


def test_more_work_due_in_one_moment_than_fits_a_page_is_read_whole(department, recruiter):
    due_at = timezone.now() + timedelta(hours=1)
    WorkItem.objects.bulk_create(
        WorkItem(
            kind="follow_up",
            audience=department.audience,
            subject=f"interview:{number}",
            opened_at=due_at,
            due_at=due_at,
        )
        for number in range(1250)
    )
    client = caller(recruiter)

    pages, last = walked(client, f"{API}work-items/?page_size=200")
    back, _first = walked(client, last, way="previous")

    there = [row["reference"] for page in pages for row in page]
    assert len(there) == len(set(there)) == 1250
    assert [page[0]["reference"] for page in reversed(back)] == [
        page[0]["reference"] for page in pages
    ]


def test_page_before_one_where_all_was_settled_leads_to_the_beginning(department, recruiter):
    early, late = follow_up(department, minutes=5), follow_up(department, minutes=9)
    client = caller(recruiter)
    second = client.get(client.get(f"{API}work-items/?page_size=1").json()["next"]).json()
    WorkItem.objects.filter(pk=early.pk).update(closed_at=timezone.now())

    gone = client.get(second["previous"]).json()

    assert (gone["results"], gone["previous"]) == ([], None)
    assert client.get(gone["next"]).json()["results"][0]["reference"] == late.reference


# --- Opening work by hand ------------------------------------------------------------------------


def put(client, about, /, **changes):
    due_at = (timezone.now() + timedelta(hours=3)).isoformat()
    body = {"interview": about.reference, "task": "Call them back.", "due_at": due_at}
    return client.post(f"{API}work-items/", {**body, **changes})


def test_follow_up_is_put_on_the_queue(department, recruiter, lead):
    interview = InterviewFactory(department=department)
    client = caller(recruiter)

    made = put(client, interview, assignee=str(lead.pk))

    assert made.status_code == 201
    assert made.json()["about"] == "Call them back."
    assert made.json()["assignee"] == {"id": str(lead.pk), "name": lead.name}
    assert made.json()["interview"]["reference"] == interview.reference
    (listed,) = client.get(f"{API}work-items/?kind=follow_up").json()["results"]
    assert listed == made.json()
    assert_problem(put(client, interview), 409, "already-open")


def test_follow_up_needs_permission_and_department(department, recruiter):
    interview, elsewhere = InterviewFactory(department=department), InterviewFactory()
    viewer = UserFactory(viewer=True, departments=[department])

    assert_problem(put(caller(viewer), interview), 403, "permission-denied")
    unseen = assert_problem(put(caller(recruiter), elsewhere), 400, "invalid")
    assert list(unseen["errors"]) == ["interview"]
    assert not WorkItem.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"interview": "x"}, "interview"),
        ({"task": " "}, "task"),
        ({"task": "x" * 501}, "task"),
        ({"due_at": "soon"}, "due_at"),
        ({"due_at": "2020-01-01T00:00:00Z"}, "due_at"),
        ({"due_at": "2099-01-01T00:00:00Z"}, "due_at"),
        ({"assignee": "somebody"}, "assignee"),
        ({"assignee": "999999"}, "assignee"),
    ],
)
def test_bad_follow_up_names_the_field(department, recruiter, change, field):
    interview = InterviewFactory(department=department)

    response = put(caller(recruiter), interview, **change)

    assert list(assert_problem(response, 400, "invalid")["errors"]) == [field]
    assert not WorkItem.objects.exists()


# --- Passing work on ----------------------------------------------------------------------------


def assignment(item):
    return f"{API}work-items/{item.reference}/assignment/"


def whose(item) -> str:
    return WorkItem.objects.get(pk=item.pk).assignee


def test_lead_passes_work_on_to_who_is_offered(department, lead, recruiter):
    item, client = follow_up(department), caller(lead)
    UserFactory(viewer=True, departments=[department])
    UserFactory(recruiter=True, departments=[DepartmentFactory()])

    offer = client.get(assignment(item)).json()
    passed = client.post(assignment(item), {"assignee": str(recruiter.pk)})

    assert offer["assignee"] is None
    assert [each["id"] for each in offer["offered"]] == [str(lead.pk), str(recruiter.pk)]
    assert passed.json()["assignee"] == {"id": str(recruiter.pk), "name": recruiter.name}
    entry = HistoryEntry.objects.get(event="work_assigned")
    assert (entry.actor, entry.data["to"]) == (f"user:{lead.pk}", [f"user:{recruiter.pk}"])


def test_lead_takes_from_a_colleague_only_what_they_saw_they_have(department, lead, recruiter):
    item, client = follow_up(department), caller(lead)
    WorkItem.objects.filter(pk=item.pk).update(assignee=f"user:{recruiter.pk}")

    for unseen in ({}, {"expected": "nobody"}, {"expected": "me"}):
        response = client.post(assignment(item), {"assignee": "me", **unseen})
        assert_problem(response, 409, "taken-meanwhile")
    assert_problem(client.post(assignment(item), {"assignee": "nobody"}), 409, "taken-meanwhile")
    given_back = client.post(
        assignment(item), {"assignee": "nobody", "expected": str(recruiter.pk)}
    )

    assert given_back.json()["assignee"] is None
    assert whose(item) == ""


def test_lead_passes_on_what_they_have_themselves(department, lead, recruiter):
    item, client = follow_up(department), caller(lead)
    client.post(assignment(item), {"assignee": "me"})

    body = {"assignee": str(recruiter.pk), "expected": "me"}

    assert client.post(assignment(item), body).status_code == 200
    assert whose(item) == f"user:{recruiter.pk}"


def test_others_neither_pass_work_on_nor_give_a_colleagues_back(department, lead, recruiter):
    item, client = follow_up(department), caller(recruiter)

    offer = client.get(assignment(item)).json()
    assert [each["id"] for each in offer["offered"]] == [str(recruiter.pk)]
    refused = client.post(assignment(item), {"assignee": str(lead.pk)})
    assert_problem(refused, 403, "permission-denied")
    WorkItem.objects.filter(pk=item.pk).update(assignee=f"user:{lead.pk}")
    body = {"assignee": "nobody", "expected": str(lead.pk)}
    assert_problem(client.post(assignment(item), body), 403, "permission-denied")
    assert whose(item) == f"user:{lead.pk}"


def test_work_is_taken_over_by_who_saw_whose_it_is(department, lead, recruiter):
    item, client = follow_up(department), caller(recruiter)
    WorkItem.objects.filter(pk=item.pk).update(assignee=f"user:{lead.pk}")

    taken = client.post(assignment(item), {"assignee": "me", "expected": str(lead.pk)})

    assert taken.status_code == 200
    assert whose(item) == f"user:{recruiter.pk}"


def test_work_is_passed_on_to_nobody_who_cannot_do_it(department, lead):
    item, request = follow_up(department), late_request(department)
    viewer = UserFactory(viewer=True, departments=[department])
    recruiter = UserFactory(recruiter=True, departments=[department])
    elsewhere = UserFactory(recruiter=True, departments=[DepartmentFactory()])
    late = WorkItem.objects.get(kind="cancellation")
    client = caller(lead)

    for given, person in [(item, viewer), (item, elsewhere), (late, recruiter), (item, None)]:
        body = {"assignee": str(person.pk) if person else "999999"}
        wrong = assert_problem(client.post(assignment(given), body), 400, "invalid")
        assert list(wrong["errors"]) == ["assignee"]
    assert client.get(assignment(late)).json()["offered"] == [
        {"id": str(lead.pk), "name": lead.name}
    ]
    services.approve_cancellation(request.pk, by=lead)
    assert client.get(assignment(late)).json()["offered"] == []


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


@pytest.fixture
def four(department):
    """Interviews that differ in all the desk's list is narrowed by."""
    position = PositionFactory(department=department)
    return {
        "plain": InterviewFactory(department=department),
        "other position": InterviewFactory(position=position),
        "imported": InterviewFactory(department=department, source="fair", source_key="1"),
        "late": late_request(department).interview,
    }


def names(four, answer) -> set[str]:
    by_reference = {each.reference: name for name, each in four.items()}
    return {by_reference[row["reference"]] for row in answer["results"]}


def test_search_is_narrowed_as_the_desks_list_is(department, recruiter, four):
    elsewhere = InterviewFactory()
    other = four["other position"].position

    def seen(**body):
        return names(four, caller(recruiter).post(f"{API}interviews/search/", body).json())

    assert seen() == set(four)
    assert seen(department=department.code) == set(four)
    assert seen(department=elsewhere.position.department.code) == set()
    assert seen(position=other.code) == {"other position"}
    assert seen(position=elsewhere.position.code) == seen(position="x") == set()
    assert seen(recruiter=other.recruiter.email.upper()) == {"other position"}
    assert seen(recruiter="nobody@company.example") == set()
    assert seen(source="fair") == {"imported"}
    assert seen(late=True) == seen(status="cancelling") == {"late"}
    assert seen(kind="on_site") == set()
    assert seen(late=False) == set(four)
    assert seen(source="fair", late=True) == set()
    assert seen(text=four["plain"].candidate.user.name) == {"plain"}
    assert seen(text=four["plain"].reference, late=True) == set()


def test_search_between_two_moments(department, recruiter, four):
    start = four["plain"].starts_at

    def seen(since, until):
        body = {"from": since.isoformat(), "to": until.isoformat()}
        return names(four, caller(recruiter).post(f"{API}interviews/search/", body).json())

    second = timedelta(seconds=1)
    assert seen(start, start + timedelta(microseconds=1)) == {"plain"}
    assert seen(start - second, start) == set()
    InterviewFactory(department=department, invited=True)
    assert seen(start - timedelta(days=30), start + timedelta(days=30)) == set(four)


def test_search_finds_by_the_number_of_a_receipt(department, recruiter, four):
    receipt = Cancellation.objects.get().reference

    answer = caller(recruiter).post(f"{API}interviews/search/", {"text": receipt}).json()

    assert names(four, answer) == {"late"}


def test_name_that_could_be_a_reference_is_looked_for_as_a_name(department, recruiter):
    candidate = CandidateFactory(user__name="James Grant")
    interview = InterviewFactory(department=department, candidate=candidate)
    text = candidate.user.name
    assert as_reference(text), "ten letters, none of which references leave out"

    answer = caller(recruiter).post(f"{API}interviews/search/", {"text": text}).json()

    assert [row["reference"] for row in answer["results"]] == [interview.reference]


def test_search_goes_on_page_after_page(department, recruiter, monkeypatch):
    monkeypatch.setattr(desk_api.InterviewSearch, "MOST", 2)
    start = timezone.now() + timedelta(days=1)
    made = [InterviewFactory(department=department, starts_at=start) for _ in range(5)]
    client, body, seen = caller(recruiter), {}, []
    while body is not None:
        answer = client.post(f"{API}interviews/search/", body).json()
        seen.append([row["reference"] for row in answer["results"]])
        assert answer["more"] == (answer["next"] is not None)
        body = {"cursor": answer["next"]} if answer["next"] else None

    expected = [each.reference for each in reversed(made)]
    assert seen == [expected[:2], expected[2:4], expected[4:]]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"text": "\x00"}, "text"),
        ({"department": "a b"}, "department"),
        ({"recruiter": "somebody"}, "recruiter"),
        ({"late": "perhaps"}, "late"),
        ({"position": "\x00"}, "position"),
        ({"cursor": "x"}, "cursor"),
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


def cancel_many(client, interviews):
    body = {**COMPANY, "references": [each.reference for each in interviews]}
    return client.post(f"{API}company-cancellations/", body)["Location"]


def test_history_tells_through_which_token_many_were_called_off(department, recruiter):
    here = [InterviewFactory(department=department) for _ in range(2)]
    token, client = token_for(recruiter, Scope.CANCEL_INTERVIEWS)
    cancel_many(client, here)

    jobs.run_job(Job.objects.get().pk)

    entries = HistoryEntry.objects.filter(event="cancelled")
    assert [(each.actor, each.data["token"]) for each in entries] == [
        (f"user:{recruiter.pk}", token.pk)
    ] * 2


def test_history_tells_of_no_token_where_the_person_cancelled_many(department, recruiter):
    cancel_many(caller(recruiter), [InterviewFactory(department=department)])

    jobs.run_job(Job.objects.get().pk)

    assert "token" not in HistoryEntry.objects.get(event="cancelled").data


def test_token_that_is_revoked_ends_the_job_it_began(
    client, department, recruiter, monkeypatch, settings
):
    settings.LANGUAGE_CODE = "en"
    kind, _batch = jobs.KINDS["company_cancel"]
    monkeypatch.setitem(jobs.KINDS, "company_cancel", (kind, 2))
    here = [InterviewFactory(department=department) for _ in range(5)]
    token, through = token_for(recruiter, Scope.CANCEL_INTERVIEWS)
    cancel_many(through, here)
    call_off = company.cancel_many

    def and_revoke(*args, **kwargs):
        fates = call_off(*args, **kwargs)
        api_tokens.revoke_token(token.pk, by=token.created_by)
        return fates

    monkeypatch.setattr(company, "cancel_many", and_revoke)
    job = Job.objects.get()
    jobs.run_job(job.pk)

    report = caller(recruiter).get(f"{API}jobs/{job.reference}/").json()
    assert (report["state"], report["done"], report["error"]) == ("stopped", 2, "token_revoked")
    assert len(report["rows"]) == 2
    assert Interview.objects.filter(status=InterviewStatus.BOOKED).count() == 3
    client.force_login(recruiter)
    page = client.get(f"/desk/jobs/{job.reference}/").content.decode()
    assert "the API token it was started with was revoked" in page


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


def test_more_history_of_one_moment_than_fits_a_page_is_read_whole(department, lead):
    """As an import leaves it."""
    interview, at = InterviewFactory(department=department), timezone.now()
    booked = interview.history.get()
    entries = history.chain(
        interview,
        [("corrected", {})] * 1250,
        actor="import",
        at=at,
        after=(booked.sequence, booked.hash),
    )
    HistoryEntry.objects.bulk_create(entries)
    client = caller(lead)

    pages, last = walked(client, f"{API}history/?page_size=200")
    back, _first = walked(client, last, way="previous")

    there = [row["sequence"] for page in pages for row in page]
    assert there == list(range(1251, 0, -1))
    assert [page[0]["sequence"] for page in reversed(back)] == [
        page[0]["sequence"] for page in pages
    ]


def test_history_is_narrowed_as_the_desks_is(department, lead, four):
    def seen(**query):
        rows = caller(lead).get(f"{API}history/", query).json()["results"]
        by_reference = {each.reference: name for name, each in four.items()}
        return {by_reference[row["interview"]] for row in rows}

    assert seen() == set(four)
    assert seen(position=four["other position"].position.code) == {"other position"}
    assert seen(position=InterviewFactory().position.code) == set()
    assert seen(source="fair") == {"imported"}
    assert seen(source="fair", event="cancelled") == set()
    assert seen(department=department.code) == set(four)


@pytest.mark.parametrize("rows", [1, 5])
def test_history_query_count_does_not_grow(department, lead, rows, django_assert_max_num_queries):
    for _ in range(rows):
        late_request(department)
    client = caller(lead)

    with django_assert_max_num_queries(3):
        assert len(client.get(f"{API}history/").json()["results"]) == 2 * rows


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"position": "\x00"}, "position"),
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
