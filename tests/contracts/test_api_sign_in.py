"""A password for a token."""

import pytest
from allauth.mfa.totp.internal.auth import (
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from rest_framework.authtoken.models import Token

from accounts import services, throttling, two_step
from tests.contracts.api import assert_problem, caller
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

SIGN_IN = "/api/v1/sign-in/"
NATIONAL_ID = "11010519491231002X"


def sign_in(identifier, password=PASSWORD, **more):
    return caller().post(SIGN_IN, {"identifier": identifier, "password": password, **more})


@pytest.mark.parametrize(
    ("fields", "typed"),
    [
        ({"mobile": "+8613800000001"}, "138 0000 0001"),
        ({"mobile": "+8613800000001"}, "+86 13800000001"),
        ({"national_id": NATIONAL_ID}, NATIONAL_ID.lower()),
        ({"email": "hr@company.example"}, "HR@company.example"),
    ],
)
def test_password_brings_a_token_that_opens_the_api(fields, typed):
    user = UserFactory(**fields)

    response = sign_in(typed)

    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    token = response.json()["token"]
    assert Token.objects.get(key=token).user == user
    opened = caller().get("/api/v1/interviews/", HTTP_AUTHORIZATION=f"Token {token}")
    assert opened.status_code == 200


def test_signing_in_twice_brings_the_same_token():
    user = UserFactory()

    assert sign_in(user.mobile).json() == sign_in(user.mobile).json()


def test_unknown_wrong_and_switched_off_answer_alike():
    user, gone = UserFactory(), UserFactory(is_active=False)

    answers = [
        sign_in(user.mobile, "wrong"),
        sign_in("+8613999999999", "wrong"),
        sign_in("nobody@company.example"),
        sign_in("not an identifier"),
        sign_in(gone.mobile),
    ]

    for answer in answers:
        assert_problem(answer, 401, "wrong-credentials")
        assert answer["WWW-Authenticate"] == "Token"
    assert len({answer.content for answer in answers}) == 1


def test_wrong_passwords_are_counted_like_those_on_the_page():
    user = UserFactory()
    for _ in range(throttling.PASSWORD_PER_ACCOUNT.tries):
        assert_problem(sign_in(user.mobile, "wrong"), 401, "wrong-credentials")

    response = sign_in(user.mobile)

    assert_problem(response, 429, "throttled")
    assert 1 <= int(response["Retry-After"]) <= 15 * 60
    cache.clear()
    assert not Token.objects.exists()


def test_two_step_sign_in_needs_the_code_as_well():
    user, secret = UserFactory(lead=True), two_step.new_secret()
    two_step.switch_on(user, secret)
    shown = format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))

    assert_problem(sign_in(user.email), 401, "code-needed")
    assert_problem(sign_in(user.email, code="abc"), 401, "wrong-code")
    assert_problem(sign_in(user.email, "wrong", code=shown), 401, "wrong-credentials")
    assert not Token.objects.exists()
    assert "token" in sign_in(user.email, code=shown).json()


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"identifier", "password"}),
        ({"identifier": "a\x00", "password": "b\x00"}, {"identifier", "password"}),
        ({"identifier": [1], "password": {"a": 1}}, {"identifier", "password"}),
        ({"identifier": "x" * 255, "password": "x" * 1001}, {"identifier", "password"}),
        ({"identifier": "x", "password": True, "code": "1" * 21}, {"password", "code"}),
        ([], {"non_field_errors"}),
    ],
)
def test_bad_input_names_the_fields(body, fields):
    assert set(assert_problem(caller().post(SIGN_IN, body), 400, "invalid")["errors"]) == fields


def test_changing_the_password_ends_the_token(rf):
    user = UserFactory()
    token = sign_in(user.mobile).json()["token"]
    request = rf.post("/")
    request.user = AnonymousUser()

    services.set_password(request, user, "another fine password")

    opened = caller().get("/api/v1/interviews/", HTTP_AUTHORIZATION=f"Token {token}")
    assert_problem(opened, 401, "authentication-failed")
