"""The API's behaviour, through its addresses."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from cancellations.models import Cancellation, CancellationStatus, Policy, Reason
from interviews.models import HistoryEntry, Interview
from interviews.states import InterviewStatus
from notifications.models import Notification
from tests.contracts.api import assert_problem, caller
from tests.factories import (
    CancellationFactory,
    CandidateFactory,
    DepartmentFactory,
    InterviewFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

REASON = {"reason": "time_conflict"}


def address(interview, *, tail="") -> str:
    return f"/api/v1/interviews/{interview.reference}/{tail}"


# --- Interviews ---------------------------------------------------------------------------------


def test_interview_shows_its_facts_and_the_rule():
    interview = InterviewFactory(starts_in=timedelta(days=3))

    body = caller(interview.candidate.user).get(address(interview)).json()

    position, recruiter = interview.position, interview.position.recruiter
    cancel, move = body.pop("cancel"), body.pop("move")
    assert parse_datetime(body.pop("starts_at")) == interview.starts_at
    assert body == {
        "reference": interview.reference,
        "kind": "ai",
        "status": "booked",
        "position": {"code": position.code, "title": position.title},
        "department": {"code": position.department.code, "name": position.department.name},
        "recruiter": {"name": recruiter.name, "email": recruiter.email, "phone": None},
    }
    assert cancel["outcome"] == "automatic"
    assert parse_datetime(cancel["automatic_until"]) == interview.starts_at - timedelta(hours=12)
    assert cancel["promised_minutes"] == 15
    assert parse_datetime(move.pop("until")) == interview.starts_at - timedelta(hours=2)
    assert move == {"allowed": True, "refused": None, "left": 2}


@pytest.mark.parametrize(
    ("hours", "outcome"), [(25, "automatic"), (13, "automatic"), (11, "needs_hr"), (-1, "refused")]
)
def test_rule_shown_follows_the_notice(hours, outcome):
    interview = InterviewFactory(starts_in=timedelta(hours=hours))

    body = caller(interview.candidate.user).get(address(interview)).json()

    assert body["cancel"]["outcome"] == outcome


@pytest.mark.parametrize("state", ["in_progress", "completed", "no_show"])
def test_rule_is_null_where_there_is_nothing_to_cancel(state):
    interview = InterviewFactory(**{state: True})

    body = caller(interview.candidate.user).get(address(interview)).json()

    assert body["status"] == state
    assert body["cancel"] is None


def test_interviews_are_a_candidates_own_and_a_members_departments():
    mine, other = InterviewFactory(), InterviewFactory()
    recruiter = UserFactory(recruiter=True, departments=[other.position.department])

    def seen(user):
        answer = caller(user).get("/api/v1/interviews/").json()
        return {row["reference"] for row in answer["results"]}

    assert seen(mine.candidate.user) == {mine.reference}
    assert seen(recruiter) == {other.reference}
    assert seen(UserFactory(administrator=True)) == {mine.reference, other.reference}
    assert seen(UserFactory(viewer=True)) == set()


def test_interviews_are_narrowed_by_status_kind_and_time():
    candidate = CandidateFactory()
    early = InterviewFactory(candidate=candidate, starts_in=timedelta(days=2))
    late = InterviewFactory(candidate=candidate, starts_in=timedelta(days=9), kind="on_site")
    over = InterviewFactory(candidate=candidate, completed=True)
    client = caller(candidate.user)
    border = (timezone.now() + timedelta(days=5)).isoformat()

    def seen(**query):
        answer = client.get("/api/v1/interviews/", query).json()
        return [row["reference"] for row in answer["results"]]

    assert seen() == [over.reference, late.reference, early.reference]
    assert seen(status="completed") == [over.reference]
    assert seen(kind="on_site") == [late.reference]
    assert seen(**{"from": border}) == [late.reference]
    assert seen(to=border, status="booked") == [early.reference]
    assert seen(to=early.starts_at.isoformat()) == [over.reference]
    assert seen(**{"from": late.starts_at.isoformat()}) == [late.reference]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"status": "gone"}, "status"),
        ({"kind": "\x00"}, "kind"),
        ({"from": "yesterday"}, "from"),
        ({"from": "0001-01-01T00:00:00"}, "from"),
        ({"to": "9999-12-31T23:59:59-12:00"}, "to"),
        ({"cursor": "x"}, "cursor"),
        ({"cursor": "cD1hYmM="}, "cursor"),  # a position that is no number
        ({"cursor": "中"}, "cursor"),
    ],
)
def test_bad_filter_names_the_field(query, field):
    response = caller(UserFactory()).get("/api/v1/interviews/", query)

    assert list(assert_problem(response, 400, "invalid")["errors"]) == [field]


def test_pages_stay_put_while_interviews_are_added():
    candidate = CandidateFactory()
    first = InterviewFactory.create_batch(5, candidate=candidate)
    client, seen = caller(candidate.user), []
    url = "/api/v1/interviews/?page_size=2"
    while url:
        page = client.get(url).json()
        seen += [row["reference"] for row in page["results"]]
        InterviewFactory(candidate=candidate)
        url = page["next"]

    assert seen == [interview.reference for interview in reversed(first)]


@pytest.mark.parametrize("rows", [1, 3])
def test_interviews_query_count_does_not_grow(rows, django_assert_num_queries):
    candidate = CandidateFactory()
    InterviewFactory.create_batch(rows, candidate=candidate)
    client = caller(candidate.user)

    with django_assert_num_queries(3):  # the token, the interviews, the policies with their tiers
        response = client.get("/api/v1/interviews/")

    assert len(response.json()["results"]) == rows


# --- Reasons ------------------------------------------------------------------------------------


def test_reasons_come_in_order_with_what_they_need():
    Reason.objects.filter(code="unwell").update(is_active=False)

    reasons = caller(UserFactory()).get("/api/v1/reasons/", {"for": "cancel"}).json()

    assert [reason["code"] for reason in reasons] == [
        "time_conflict",
        "career_change",
        "accepted_offer",
        "not_interested",
        "difficulty",
        "personal",
        "other",
    ]
    assert [r["code"] for r in reasons if r["needs_detail"]] == ["personal", "other"]


def test_reasons_speak_the_language_asked_for_then_the_persons():
    client = caller(UserFactory(language="zh-hans"))

    def label(**headers):
        return client.get("/api/v1/reasons/", **headers).json()[0]["label"]

    assert label(HTTP_ACCEPT_LANGUAGE="zh-CN,zh;q=0.9") == "时间冲突"
    assert label() == "The time does not suit me"
    del client.defaults["HTTP_ACCEPT_LANGUAGE"]
    assert label() == "时间冲突"


def test_reasons_for_something_unknown_are_refused():
    response = caller(UserFactory()).get("/api/v1/reasons/", {"for": "fun"})

    assert "for" in assert_problem(response, 400, "invalid")["errors"]


# --- Cancelling ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "status", "left"),
    [(25, "approved", InterviewStatus.CANCELLED), (2, "requested", InterviewStatus.CANCELLING)],
)
def test_cancelling_answers_with_the_receipt_and_the_interview(hours, status, left):
    interview = InterviewFactory(starts_in=timedelta(hours=hours))

    response = caller(interview.candidate.user).post(
        address(interview, tail="cancellation/"), REASON
    )

    assert response.status_code == 201
    body = response.json()
    assert body["status"] == status
    assert body["interview"]["reference"] == interview.reference
    assert body["interview"]["status"] == left
    assert body["interview"]["cancel"] is None
    assert response["Location"] == f"/api/v1/receipts/{body['receipt']}/"
    assert Cancellation.objects.get(reference=body["receipt"]).status == status
    assert Interview.objects.get(pk=interview.pk).status == left


def test_cancelling_again_returns_the_same_receipt_and_tells_nobody_twice():
    interview = InterviewFactory()
    client, url = caller(interview.candidate.user), address(interview, tail="cancellation/")
    first = client.post(url, REASON)
    messages, entries = Notification.objects.count(), HistoryEntry.objects.count()

    again = client.post(url, {"reason": "accepted_offer"})

    assert again.status_code == 200
    assert again.json() == first.json()
    assert again["Location"] == first["Location"]
    assert Notification.objects.count() == messages
    assert HistoryEntry.objects.count() == entries


def test_cancelling_somebody_elses_interview_is_not_found():
    interview = InterviewFactory()
    lead = UserFactory(lead=True, departments=[interview.position.department])

    for user in (UserFactory(), CandidateFactory().user, lead):
        response = caller(user).post(address(interview, tail="cancellation/"), REASON)
        assert_problem(response, 404, "not-found")

    assert not Cancellation.objects.exists()


@pytest.mark.parametrize(
    "given",
    [
        {"in_progress": True},
        {"completed": True},
        {"no_show": True},
        {"starts_in": timedelta(minutes=-1)},
    ],
)
def test_cancelling_what_is_over_is_a_conflict(given):
    interview = InterviewFactory(**given)

    response = caller(interview.candidate.user).post(
        address(interview, tail="cancellation/"), REASON
    )

    assert_problem(response, 409, "already-over")
    assert not Cancellation.objects.exists()


def test_cancelling_what_the_company_called_off_is_a_conflict():
    cancelled = CancellationFactory(approved=True, requested_by=UserFactory(lead=True))
    interview = cancelled.interview

    response = caller(interview.candidate.user).post(
        address(interview, tail="cancellation/"), REASON
    )

    assert_problem(response, 409, "already-over")


def test_cancelling_against_the_rule_is_a_conflict_of_its_own_kind():
    Policy.objects.get(is_active=True).tiers.filter(notice_minutes=0).update(outcome="refused")
    interview = InterviewFactory(starts_in=timedelta(hours=2))

    response = caller(interview.candidate.user).post(
        address(interview, tail="cancellation/"), REASON
    )

    assert_problem(response, 409, "refused-by-rule")
    assert not Cancellation.objects.exists()


def test_without_a_policy_hr_decides():
    Policy.objects.update(is_active=False)
    interview = InterviewFactory()
    client = caller(interview.candidate.user)

    assert client.get(address(interview)).json()["cancel"]["outcome"] == "needs_hr"
    response = client.post(address(interview, tail="cancellation/"), REASON)
    assert response.json()["status"] == "requested"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "reason"),
        ({"reason": "because"}, "reason"),
        ({"reason": "time\x00conflict"}, "reason"),
        ({"reason": ["time_conflict"]}, "reason"),
        ({"reason": None}, "reason"),
        ({"reason": "x" * 100_000}, "reason"),
        ({"reason": "other"}, "detail"),
        ({"reason": "other", "detail": "  hm  "}, "detail"),
        ({"reason": "time_conflict", "detail": "x" * 501}, "detail"),
        ({"reason": "time_conflict", "detail": "\x00"}, "detail"),
        ({"reason": "time_conflict", "detail": {"a": 1}}, "detail"),
        ([], "non_field_errors"),
        ("cancel", "non_field_errors"),
        (7, "non_field_errors"),
    ],
)
def test_cancelling_with_bad_input_names_the_field(body, field):
    interview = InterviewFactory()

    response = caller(interview.candidate.user).post(address(interview, tail="cancellation/"), body)

    assert list(assert_problem(response, 400, "invalid")["errors"]) == [field]
    assert Interview.objects.get(pk=interview.pk).status == InterviewStatus.BOOKED


def test_reason_for_another_purpose_is_not_offered():
    interview = InterviewFactory()
    Reason.objects.create(purpose="exit", code="noise", label_zh="噪音", label_en="Noise")

    response = caller(interview.candidate.user).post(
        address(interview, tail="cancellation/"), {"reason": "noise"}
    )

    assert_problem(response, 400, "invalid")


# --- Taking back --------------------------------------------------------------------------------


def test_taking_back_keeps_the_appointment():
    interview = InterviewFactory(starts_in=timedelta(hours=2))
    client, url = caller(interview.candidate.user), address(interview, tail="cancellation/")
    receipt = client.post(url, REASON).json()["receipt"]

    response = client.delete(url)

    assert response.status_code == 200
    body = response.json()
    assert (body["receipt"], body["status"]) == (receipt, "lapsed")
    assert body["interview"]["status"] == "booked"
    assert body["interview"]["cancel"]["outcome"] == "needs_hr"
    assert Interview.objects.get(pk=interview.pk).status == InterviewStatus.BOOKED
    assert_problem(client.delete(url), 409, "already-decided")


def test_asking_and_taking_back_over_and_over_is_stopped():
    interview = InterviewFactory(starts_in=timedelta(hours=2))
    client = caller(interview.candidate.user)
    for _ in range(5):
        assert client.post(address(interview, tail="cancellation/"), REASON).status_code == 201
        assert client.delete(address(interview, tail="cancellation/")).status_code == 200

    response = client.post(address(interview, tail="cancellation/"), REASON)

    assert_problem(response, 429, "asked-too-often")
    assert response["Retry-After"] == "3600"


def test_taking_back_what_is_done_is_a_conflict():
    interview = InterviewFactory()
    client, url = caller(interview.candidate.user), address(interview, tail="cancellation/")
    client.post(url, REASON)

    assert_problem(client.delete(url), 409, "already-decided")
    assert Interview.objects.get(pk=interview.pk).status == InterviewStatus.CANCELLED


def test_taking_back_what_was_never_asked_is_not_found():
    interview = InterviewFactory()
    waiting = CancellationFactory()

    client = caller(interview.candidate.user)
    assert_problem(client.delete(address(interview, tail="cancellation/")), 404, "not-found")
    assert_problem(
        client.delete(address(waiting.interview, tail="cancellation/")), 404, "not-found"
    )
    assert Cancellation.objects.get(pk=waiting.pk).status == CancellationStatus.REQUESTED


# --- Receipts -----------------------------------------------------------------------------------


def test_receipt_is_public_and_names_nobody():
    interview = InterviewFactory(candidate__user__name="欧阳娜娜")
    receipt = (
        caller(interview.candidate.user)
        .post(
            address(interview, tail="cancellation/"),
            {"reason": "other", "detail": "family matters"},
        )
        .json()["receipt"]
    )

    response = caller().get(f"/api/v1/receipts/{receipt}/")

    assert response.status_code == 200
    body = response.json()
    assert body["receipt"] == receipt
    assert body["status"] == "approved"
    assert body["candidate"] == "欧***"
    assert body["verified"] is True
    assert body["fingerprint"] == interview.history.get(event="cancelled").hash
    text = response.content.decode()
    for private in ("欧阳", "family", interview.candidate.user.mobile, interview.reference):
        assert private not in text


def test_unknown_receipt_is_not_found():
    assert_problem(caller().get("/api/v1/receipts/0123456789/"), 404, "not-found")


# --- HR -----------------------------------------------------------------------------------------


def test_queue_holds_what_waits_in_ones_departments():
    department = DepartmentFactory()
    waiting = CancellationFactory(interview__department=department)
    done = CancellationFactory(approved=True, interview__department=department)
    CancellationFactory()
    client = caller(UserFactory(lead=True, departments=[department]))

    def seen(**query):
        return [r["receipt"] for r in client.get("/api/v1/cancellations/", query).json()["results"]]

    assert seen(status="requested") == [waiting.reference]
    assert seen() == [done.reference, waiting.reference]
    row = client.get("/api/v1/cancellations/", {"status": "requested"}).json()["results"][0]
    assert row["is_exit"] is False
    assert row["candidate"] == waiting.interview.candidate.user.name
    assert row["reason"] == {
        "code": "time_conflict",
        "label": "The time does not suit me",
        "needs_detail": False,
    }
    assert parse_datetime(row["promised_by"]) == waiting.requested_at + timedelta(minutes=15)


@pytest.mark.parametrize(("trait", "words"), [("recruiter", "private words"), ("viewer", "")])
def test_candidates_words_are_for_hr_alone(trait, words):
    waiting = CancellationFactory(detail="private words")
    department = waiting.interview.position.department
    client = caller(UserFactory(**{trait: True}, departments=[department]))

    (row,) = client.get("/api/v1/cancellations/").json()["results"]

    assert row["detail"] == words


@pytest.mark.parametrize("rows", [1, 3])
def test_queue_query_count_does_not_grow(rows, django_assert_num_queries):
    department = DepartmentFactory()
    CancellationFactory.create_batch(rows, interview__department=department)
    client = caller(UserFactory(lead=True, departments=[department]))

    with django_assert_num_queries(2):  # the token, the requests
        response = client.get("/api/v1/cancellations/")

    assert len(response.json()["results"]) == rows


def test_queue_is_not_for_candidates():
    waiting = CancellationFactory()

    response = caller(waiting.requested_by).get("/api/v1/cancellations/")

    assert_problem(response, 403, "permission-denied")


@pytest.mark.parametrize(
    ("action", "status", "left"),
    [
        ("approval", "approved", InterviewStatus.CANCELLED),
        ("refusal", "declined", InterviewStatus.BOOKED),
    ],
)
def test_lead_decides(action, status, left):
    waiting = CancellationFactory()
    lead = UserFactory(lead=True, departments=[waiting.interview.position.department])
    client, url = caller(lead), f"/api/v1/cancellations/{waiting.reference}/{action}/"

    response = client.post(url, {"note": "你好"})

    assert response.status_code == 200
    body = response.json()
    assert (body["status"], body["note"], body["decided_by"]) == (status, "你好", lead.name)
    assert body["interview"]["status"] == left
    fresh = Cancellation.objects.get(pk=waiting.pk)
    assert (fresh.status, fresh.decided_by) == (status, lead)
    assert_problem(client.post(url), 409, "already-decided")


@pytest.mark.parametrize("action", ["approval", "refusal"])
def test_deciding_needs_the_permission_and_the_department(action):
    waiting = CancellationFactory()
    department = waiting.interview.position.department
    url = f"/api/v1/cancellations/{waiting.reference}/{action}/"
    here = {"departments": [department]}

    for user, status, kind in [
        (waiting.requested_by, 403, "permission-denied"),
        (UserFactory(recruiter=True, **here), 403, "permission-denied"),
        (UserFactory(viewer=True, **here), 403, "permission-denied"),
        (CandidateFactory().user, 404, "not-found"),
        (UserFactory(lead=True), 404, "not-found"),
    ]:
        assert_problem(caller(user).post(url), status, kind)
    assert_problem(caller().post(url), 401, "not-authenticated")
    assert Cancellation.objects.get(pk=waiting.pk).status == CancellationStatus.REQUESTED


@pytest.mark.parametrize("action", ["approval", "refusal"])
def test_nobody_decides_a_request_of_their_own(action):
    lead = UserFactory(lead=True)
    waiting = CancellationFactory(requested_by=lead)
    lead.departments.add(waiting.interview.position.department)

    response = caller(lead).post(f"/api/v1/cancellations/{waiting.reference}/{action}/")

    assert_problem(response, 403, "permission-denied")


@pytest.mark.parametrize("note", ["x" * 501, "\x00", None, []])
def test_bad_note_decides_nothing(note):
    waiting = CancellationFactory()
    lead = UserFactory(lead=True, departments=[waiting.interview.position.department])

    response = caller(lead).post(
        f"/api/v1/cancellations/{waiting.reference}/approval/", {"note": note}
    )

    assert "note" in assert_problem(response, 400, "invalid")["errors"]
    assert Cancellation.objects.get(pk=waiting.pk).status == CancellationStatus.REQUESTED


# --- The rule moves with the clock --------------------------------------------------------------


def test_automatic_until_keeps_its_word_to_the_second():
    interview = InterviewFactory(starts_in=timedelta(days=3))
    client = caller(interview.candidate.user)
    until = parse_datetime(client.get(address(interview)).json()["cancel"]["automatic_until"])

    for second, outcome in [(0, "automatic"), (1, "needs_hr")]:
        with time_machine.travel(until + timedelta(seconds=second), tick=False):
            body = client.get(address(interview)).json()
        assert body["cancel"]["outcome"] == outcome
