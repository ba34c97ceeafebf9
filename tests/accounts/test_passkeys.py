"""Passkeys, as far as no browser is needed: what no device would say is refused in words.
tests/journeys/test_staff_sign_in.py has the device."""

import json

import pytest

from accounts import two_step
from tests.factories import PASSWORD, CandidateFactory, UserFactory

pytestmark = pytest.mark.django_db

ADD, SIGN_IN = "/me/passkeys/add/", "/sign-in/passkey/"
NONSENSE = [
    "",
    "x",
    "null",
    "[]",
    "{}",
    "1",
    '"text"',
    '{"id": 1}',
    '{"response": null}',
    '{"response": {"userHandle": 7}}',
    '{"response": {"userHandle": "//8"}, "rawId": "x", "id": "x", "type": "public-key"}',
    json.dumps({"id": "YQ", "rawId": "YQ", "type": "public-key", "response": {}}),
    json.dumps(
        {
            "id": "YQ",
            "rawId": "YQ",
            "type": "public-key",
            "response": {
                "clientDataJSON": "YQ",
                "attestationObject": "YQ",
                "authenticatorData": "YQ",
                "signature": "YQ",
                "userHandle": "MQ",
            },
        }
    ),
    "[" * 5000,
    "\x00",
    '{"a": "\\u0000"}',
    "1" * 5000,
    "1" * 200_000,
]


@pytest.fixture
def lead(client):
    user = UserFactory(lead=True)
    client.post("/desk/sign-in/", {"identifier": user.email, "password": PASSWORD})
    return user


@pytest.mark.parametrize("answer", NONSENSE)
def test_nonsense_adds_no_passkey(client, lead, answer):
    client.post("/me/passkeys/options/")

    response = client.post(ADD, {"name": "key", "credential": answer})

    assert response.status_code == 200
    assert response.context["form"].errors
    assert not two_step.is_on(lead)


@pytest.mark.parametrize("answer", NONSENSE)
def test_nonsense_opens_nothing(client, answer):
    client.post("/sign-in/passkey/challenge/")

    response = client.post(SIGN_IN, {"credential": answer})

    assert response.url == "/desk/sign-in/"
    assert "_auth_user_id" not in client.session


def test_challenge_asks_for_finger_face_or_pin(client, lead):
    made = client.post("/me/passkeys/options/").json()["publicKey"]
    client.post("/sign-out/")
    asked = client.post("/sign-in/passkey/challenge/").json()["publicKey"]

    assert made["authenticatorSelection"]["userVerification"] == "required"
    assert made["authenticatorSelection"]["residentKey"] == "required"
    assert asked["userVerification"] == "required"
    assert made["challenge"] != asked["challenge"]


def test_candidates_get_none(client):
    client.force_login(CandidateFactory().user)

    assert client.get(ADD).status_code == 403
    assert client.post("/me/passkeys/options/").status_code == 403


def test_somebody_else_s_passkey_is_not_taken_off(client, lead):
    other = UserFactory(lead=True)
    two_step.switch_on(other, "JBSWY3DPEHPK3PXP")
    theirs = other.authenticator_set.get()

    client.post(f"/me/passkeys/{theirs.pk}/remove/")

    assert two_step.is_on(other)
