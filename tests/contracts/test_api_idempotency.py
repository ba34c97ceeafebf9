"""A POST with an Idempotency-Key has its effect once."""

import threading
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.db import connection, transaction
from django.utils import timezone

from accounts import idempotency, tasks
from accounts.models import KeptAnswer
from cancellations import services
from cancellations.models import Cancellation, CancellationStatus
from interviews.models import HistoryEntry
from tests.contracts.api import Caller, assert_problem, caller
from tests.factories import CancellationFactory, InterviewFactory, UserFactory


@pytest.fixture
def waiting():
    return CancellationFactory()


@pytest.fixture
def lead(waiting):
    return UserFactory(lead=True, departments=[waiting.interview.position.department])


def approval(cancellation):
    return f"/api/v1/cancellations/{cancellation.reference}/approval/"


def key():
    return {"HTTP_IDEMPOTENCY_KEY": str(uuid4())}


@pytest.mark.django_db
def test_same_request_gets_the_first_answer_and_has_no_second_effect(waiting, lead):
    client, same = caller(lead), key()
    first = client.post(approval(waiting), {"note": "fine"}, **same)
    entries = HistoryEntry.objects.count()

    again = client.post(approval(waiting), {"note": "fine"}, **same)

    assert first.status_code == again.status_code == 200
    assert again.content == first.content
    assert again["Content-Type"] == first["Content-Type"]
    assert (again["Idempotency-Replayed"], first.get("Idempotency-Replayed")) == ("true", None)
    assert HistoryEntry.objects.count() == entries
    assert_problem(client.post(approval(waiting), {"note": "fine"}), 409, "already-decided")


@pytest.mark.django_db
def test_browser_that_is_signed_in_sends_a_key_as_well(waiting, lead):
    """Its CSRF token is checked first, which reads the body."""
    client, same = Caller(enforce_csrf_checks=True, HTTP_ACCEPT_LANGUAGE="en"), key()
    client.force_login(lead)
    client.cookies["csrftoken"] = "a" * 32
    assert_problem(
        client.post(approval(waiting), {"note": "fine"}, **same), 403, "permission-denied"
    )

    answers = [
        client.post(approval(waiting), {"note": "fine"}, HTTP_X_CSRFTOKEN="a" * 32, **same)
        for _ in range(2)
    ]
    other = client.post(approval(waiting), {"note": "no"}, HTTP_X_CSRFTOKEN="a" * 32, **same)

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[1]["Idempotency-Replayed"] == "true"
    assert Cancellation.objects.get(pk=waiting.pk).note == "fine"
    assert_problem(other, 422, "idempotency-key-reused")


@pytest.mark.django_db
def test_body_that_is_too_large_is_a_problem_with_a_key_too(waiting, lead):
    response = caller(lead).post(approval(waiting), {"note": "x" * 1024 * 1024}, **key())

    assert_problem(response, 413, "too-large")


@pytest.mark.django_db
def test_created_stays_created_and_keeps_its_address():
    interview = InterviewFactory()
    client, same = caller(interview.candidate.user), key()
    path = f"/api/v1/interviews/{interview.reference}/cancellation/"

    answers = [client.post(path, {"reason": "time_conflict"}, **same) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0]["Location"] == answers[1]["Location"]
    assert Cancellation.objects.count() == 1


@pytest.mark.django_db
def test_refusal_is_repeated_too(waiting, lead):
    client, same = caller(lead), key()
    services.decline_cancellation(waiting.pk, by=lead)

    for _ in range(2):
        response = client.post(approval(waiting), **same)
        assert_problem(response, 409, "already-decided")
    assert response["Idempotency-Replayed"] == "true"


@pytest.mark.django_db
@pytest.mark.parametrize("other", ["body", "address"])
def test_key_that_came_with_something_else_is_refused(waiting, lead, other):
    client, same = caller(lead), key()
    client.post(approval(waiting), {"note": "one"}, **same)

    path = approval(waiting).replace("approval", "refusal") if other == "address" else None
    response = client.post(path or approval(waiting), {"note": "two"}, **same)

    assert_problem(response, 422, "idempotency-key-reused")


@pytest.mark.django_db
def test_keys_are_each_callers_own(waiting, lead):
    same = key()
    second = CancellationFactory(interview__position=waiting.interview.position)
    colleague = UserFactory(lead=True, departments=[waiting.interview.position.department])

    assert caller(lead).post(approval(waiting), **same).status_code == 200
    assert caller(colleague).post(approval(second), **same).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("bad", ["", " ", "x" * 256, "密", "a b", "\x00", "é"])
def test_bad_key_is_a_problem_and_does_nothing(waiting, lead, bad):
    response = caller(lead).post(approval(waiting), HTTP_IDEMPOTENCY_KEY=bad)

    problem = assert_problem(response, 400, "invalid")
    assert list(problem["errors"]) == ["Idempotency-Key"]
    assert Cancellation.objects.get(pk=waiting.pk).status == CancellationStatus.REQUESTED


@pytest.mark.django_db
def test_bad_input_is_answered_again_and_a_corrected_one_needs_a_new_key(waiting, lead):
    client, same = caller(lead), key()
    for _ in range(2):
        assert_problem(client.post(approval(waiting), {"note": "x" * 501}, **same), 400, "invalid")

    assert_problem(client.post(approval(waiting), {}, **same), 422, "idempotency-key-reused")
    assert client.post(approval(waiting), {}, **key()).status_code == 200


@pytest.mark.django_db
def test_our_own_fault_leaves_the_key_free(waiting, lead, monkeypatch):
    client, same = caller(lead, raise_request_exception=False), key()
    with monkeypatch.context() as broken:
        broken.setattr(services, "notify", lambda *notices: 1 / 0)
        assert client.post(approval(waiting), **same).status_code == 500
    assert not KeptAnswer.objects.exists()
    assert Cancellation.objects.get(pk=waiting.pk).status == CancellationStatus.REQUESTED

    assert client.post(approval(waiting), **same).status_code == 200


@pytest.mark.django_db
def test_get_needs_no_key_and_keeps_nothing(lead):
    assert caller(lead).get("/api/v1/cancellations/", **key()).status_code == 200
    assert not KeptAnswer.objects.exists()


@pytest.mark.django_db
def test_answers_are_ciphertext_and_forgotten_after_a_day(waiting, lead):
    client, same = caller(lead), key()
    name = waiting.interview.candidate.user.name
    client.post(approval(waiting), {"note": "first"}, **same)
    with connection.cursor() as cursor:
        cursor.execute("SELECT body FROM accounts_keptanswer")
        assert name not in cursor.fetchone()[0]

    with time_machine.travel(timezone.now() + timedelta(hours=23)):
        tasks.forget_answers()
        assert client.post(approval(waiting), {"note": "first"}, **same).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        # Not swept yet, and free all the same.
        assert_problem(client.post(approval(waiting), **same), 409, "already-decided")
        assert KeptAnswer.objects.count() == 1
    with time_machine.travel(timezone.now() + timedelta(hours=50)):
        tasks.forget_answers()
    assert not KeptAnswer.objects.exists()


# --- At the same moment -------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_at_once_have_one_effect_and_get_the_same_answer(waiting, lead):
    client, same = caller(lead), key()
    answers, ready = [], threading.Barrier(4)

    def ask():
        try:
            ready.wait(10)
            other = caller()
            other.credentials(**client._credentials)
            answers.append(other.post(approval(waiting), {"note": "fine"}, **same))
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert [answer.status_code for answer in answers] == [200] * 4
    assert len({answer.content for answer in answers}) == 1
    assert sorted(answer.get("Idempotency-Replayed", "") for answer in answers) == [
        "",
        "true",
        "true",
        "true",
    ]
    assert waiting.interview.history.filter(event="cancelled").count() == 1


@pytest.mark.django_db(transaction=True)
def test_who_waits_too_long_is_asked_to_come_back(waiting, lead, monkeypatch):
    monkeypatch.setattr(idempotency, "WAIT", "200ms")
    client, same = caller(lead), key()
    held, done = threading.Event(), threading.Event()
    digest = idempotency._digest(f"user:{lead.pk}\n{same['HTTP_IDEMPOTENCY_KEY']}")

    def hold():
        try:
            with transaction.atomic():
                idempotency._claim(digest, "x")
                held.set()
                done.wait(20)
                transaction.set_rollback(True)
        finally:
            connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(10)
    response = client.post(approval(waiting), **same)
    done.set()
    thread.join(20)

    assert_problem(response, 409, "idempotency-key-in-use")
    assert response["Retry-After"] == "2"
    assert client.post(approval(waiting), **same).status_code == 200
