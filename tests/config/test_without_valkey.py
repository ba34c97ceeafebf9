"""While Valkey is away, who is signed in works on; what counts tries says that it cannot."""

import pytest
from django.urls import reverse

from tests.factories import PASSWORD, CandidateFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def candidate(client):
    client.raise_request_exception = False
    candidate = CandidateFactory()
    client.force_login(candidate.user)
    return candidate


@pytest.fixture
def without_valkey(candidate, settings):
    """From here on nobody listens where the cache should be."""
    dead = {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/1"}
    settings.CACHES = {"default": dead}


def test_signed_in_pages_work_on(client, candidate, without_valkey):
    response = client.get(reverse("cancellations:mine"))

    assert response.status_code == 200
    assert response.context["user"] == candidate.user


def test_what_a_page_keeps_in_the_session_is_there_on_the_next(client, without_valkey):
    session = client.session
    session["kept"] = "here"
    session.save()

    client.get(reverse("cancellations:mine"))

    assert client.session["kept"] == "here"


def test_new_session_can_begin(client, without_valkey):
    client.cookies.clear()

    session = client.session  # creates one

    assert session.session_key


def test_signing_in_says_that_it_will_work_again(client, candidate, without_valkey):
    client.cookies.clear()
    user = UserFactory()

    response = client.post(
        reverse("accounts:sign_in"),
        {"identifier": user.mobile, "password": PASSWORD},
        headers={"Accept-Language": "en"},
    )

    assert response.status_code == 503
    assert response["Retry-After"] == "60"
    assert "Please wait a minute and try again" in response.content.decode()


def test_signing_out_does_not_pretend(client, candidate, without_valkey):
    assert client.post(reverse("accounts:sign_out")).status_code == 503


def test_api_answers_with_a_problem(client, without_valkey):
    response = client.get("/api/v1/interviews/")

    assert response.status_code == 503
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["type"] == "urn:mianyue:problem:unavailable"
    assert response["Retry-After"] == "60"
