"""Signing in by password: who gets in, who does not, and what is given away."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.factories import PASSWORD, CandidateFactory, UserFactory

pytestmark = pytest.mark.django_db

URL = "/sign-in/"
DESK_URL = "/desk/sign-in/"
NATIONAL_ID = "11010519491231002X"


def sign_in(client, identifier, password=PASSWORD, url=URL, **extra):
    return client.post(url, {"identifier": identifier, "password": password, **extra})


def signed_in(client):
    return "_auth_user_id" in client.session


@pytest.mark.parametrize(
    "typed",
    [
        "13800000001",
        "+86 138 0000 0001",
        "138-0000-0001",
        "8613800000001",
        NATIONAL_ID,
        NATIONAL_ID.lower(),
    ],
)
def test_candidate_signs_in_however_the_number_is_written(client, typed):
    CandidateFactory(user__mobile="+8613800000001", user__national_id=NATIONAL_ID)

    response = sign_in(client, typed)

    assert response.status_code == 302
    assert response.url == reverse("home")
    assert signed_in(client)


@pytest.mark.parametrize("person", ["wrong password", "unknown", "inactive", "no password yet"])
def test_refusals_look_all_alike(client, person):
    known = UserFactory(mobile="+8613800000001", is_active=person != "inactive")
    if person == "no password yet":
        known.set_unusable_password()
        known.save()
    identifier = "13800000009" if person == "unknown" else "13800000001"
    password = "wrong" if person == "wrong password" else PASSWORD

    response = sign_in(client, identifier, password)

    assert response.status_code == 200
    assert not signed_in(client)
    errors = response.context["form"].non_field_errors()
    assert errors == [
        "The number or the password is not right. No password yet? Sign in with a code."
    ]
    page = response.content.decode()
    assert f'value="{identifier}"' in page
    assert password not in page
