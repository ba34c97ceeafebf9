from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from candidates.models import Candidate
from tests.factories import CandidateFactory, UserFactory

pytestmark = pytest.mark.django_db

PAGE = reverse("talent_pool:mine")


@pytest.fixture
def candidate(client):
    candidate = CandidateFactory()
    client.force_login(candidate.user)
    return candidate


def since(candidate):
    return Candidate.objects.get(pk=candidate.pk).talent_pool_at


def test_agreeing_is_kept_with_its_moment_and_once(client, candidate):
    client.post(PAGE, {"consent": "yes"})
    assert timezone.now() - since(candidate) < timedelta(minutes=1)

    first = since(candidate)
    assert client.post(PAGE, {"consent": "yes"}).status_code == 303
    assert since(candidate) == first


def test_consent_can_be_taken_back(client, candidate):
    Candidate.objects.update(talent_pool_at=timezone.now())

    client.post(PAGE, {"consent": "no"})

    assert since(candidate) is None


@pytest.mark.parametrize("sent", [{}, {"consent": ""}, {"consent": "perhaps"}])
def test_nothing_but_a_clear_yes_is_consent(client, candidate, sent):
    assert client.post(PAGE, sent).status_code == 303
    assert since(candidate) is None


def test_reading_it_changes_nothing(client, candidate):
    assert "I agree" in client.get(PAGE).content.decode()
    assert since(candidate) is None


def test_who_is_in_it_reads_so_and_how_to_leave(client, candidate):
    Candidate.objects.update(talent_pool_at=timezone.now())

    page = client.get(PAGE).content.decode()

    assert "Leave the talent pool" in page
    assert "I agree" not in page


def test_who_has_no_record_as_a_candidate_finds_nothing(client):
    client.force_login(UserFactory())

    assert client.get(PAGE).status_code == 404
