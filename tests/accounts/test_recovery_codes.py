"""Recovery codes: shown once, each taken once, in place of the second step."""

import pytest

from accounts import services, two_step
from accounts.models import AccessChange
from notifications.models import Notification
from tests.accounts.test_two_step import SECRET, STEP, app_code, first_step, signed_in
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

CODES = "/me/recovery-codes/"


@pytest.fixture
def lead():
    user = UserFactory(lead=True)
    two_step.switch_on(user, SECRET)
    return user


def test_codes_are_shown_when_made_and_never_again(client, lead, confirmed):
    client.force_login(lead)
    confirmed()

    before = client.get(CODES).content.decode()
    made = client.post(CODES)
    after = client.get(CODES).content.decode()

    codes = made.context["codes"]
    assert len(set(codes)) == 10
    assert all(code in made.content.decode() for code in codes)
    assert "no-store" in made["Cache-Control"]
    assert not any(code in before + after for code in codes)
    assert "You have 10 codes left." in after
    assert AccessChange.objects.get().kind == "codes_made"


def test_code_opens_the_account_once_and_its_owner_is_told(client, lead):
    code = two_step.make_recovery_codes(lead)[0]

    first_step(client, lead)
    opened = client.post(STEP, {"code": f"{code[:4]} {code[4:]}"})
    inside = signed_in(client)
    client.post("/sign-out/")
    first_step(client, lead)
    again = client.post(STEP, {"code": code})

    assert (opened.status_code, inside) == (302, True)
    assert again.status_code == 200
    assert not signed_in(client)
    assert two_step.recovery_codes_left(lead) == 9
    assert Notification.objects.get().params["kind"] == "code_used"


def test_app_goes_on_working_beside_them(client, lead):
    two_step.make_recovery_codes(lead)

    first_step(client, lead)

    assert client.post(STEP, {"code": app_code()}).status_code == 302
    assert two_step.recovery_codes_left(lead) == 10


def test_new_codes_end_the_old(lead):
    old = two_step.make_recovery_codes(lead)
    new = two_step.make_recovery_codes(lead)

    assert not two_step.check_recovery_code(lead, old[0])
    assert two_step.check_recovery_code(lead, new[0])


def test_tries_are_limited(client, lead):
    first_step(client, lead)
    for _ in range(5):
        client.post(STEP, {"code": "00000000"})

    assert client.post(STEP, {"code": "00000000"}).status_code == 429


def test_without_a_second_step_there_are_none(client, lead, confirmed):
    codes = two_step.make_recovery_codes(lead)
    services.drop_app(lead)
    client.force_login(lead)
    confirmed()

    assert client.get(CODES).url == "/me/two-step/"
    assert client.post(CODES).url == "/me/two-step/"
    assert not two_step.check_recovery_code(lead, codes[0])
    assert two_step.recovery_codes_left(lead) == 0


def test_open_session_alone_makes_none(client, lead):
    client.force_login(lead)

    assert client.post(CODES).url.startswith("/me/confirm/")
    assert two_step.recovery_codes_left(lead) == 0


def test_password_opens_the_way_for_ten_minutes(client, lead):
    client.force_login(lead)
    there = client.get(CODES).url

    wrong = client.post(there, {"password": "wrong", "next": CODES})
    right = client.post(there, {"password": PASSWORD, "next": CODES})

    assert wrong.context["form"].errors["password"]
    assert right.url == CODES
    assert client.get(CODES).status_code == 200


def test_api_takes_one_as_well(client, lead):
    code = two_step.make_recovery_codes(lead)[0]
    given = {"identifier": lead.email, "password": PASSWORD, "code": code}

    answers = [
        client.post("/api/v1/sign-in/", given, content_type="application/json").status_code
        for _ in range(2)
    ]

    assert answers == [200, 401]
