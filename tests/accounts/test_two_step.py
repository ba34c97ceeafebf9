"""The authenticator app: switched on by who wants it, asked for wherever they come in."""

import re
from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.test import Client
from django.utils import timezone

from accounts import two_step
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
STEP = "/sign-in/second-step/"


def app_code(secret=SECRET):
    return format_hotp_value(hotp_value(secret, int(timezone.now().timestamp()) // 30))


def wrong_code():
    return f"{(int(app_code()) + 123456) % 10**6:06}"


@pytest.fixture
def lead():
    user = UserFactory(lead=True, mobile="+8613800000001")
    two_step.switch_on(user, SECRET)
    return user


def first_step(client, user, url="/desk/sign-in/", **extra):
    return client.post(url, {"identifier": user.email, "password": PASSWORD, **extra})


def signed_in(client):
    return "_auth_user_id" in client.session


def test_switching_on_and_signing_in_with_it(client):
    user = UserFactory(lead=True)
    client.force_login(user)
    page = client.get("/me/two-step/on/")
    secret = page.context["form"].secret
    signed = re.search(r'name="secret" value="([^"]+)"', page.content.decode())[1]

    on = client.post(
        "/me/two-step/on/", {"secret": signed, "password": PASSWORD, "code": app_code(secret)}
    )
    client.post("/sign-out/")
    first = first_step(client, user, next="/me/")
    between = signed_in(client)
    second = client.post(STEP, {"code": app_code(secret)})

    assert on.url == "/me/recovery-codes/"
    assert first.url == STEP
    assert not between
    assert second.url == "/me/"
    assert signed_in(client)


def test_secret_is_encrypted_at_rest(lead):
    stored = Authenticator.objects.get(user=lead).data["secret"]

    assert SECRET not in stored


@pytest.mark.parametrize("url", ["/desk/sign-in/", "/sign-in/"])
def test_both_doors_ask_for_it(client, lead, url):
    assert first_step(client, lead, url).url == STEP
    assert client.get("/me/").status_code == 302


def test_sms_code_does_not_get_around_it(client, lead, sent):
    client.post("/sign-in/code/", {"identifier": lead.mobile})

    response = client.post("/sign-in/code/confirm/", {"code": sent("sign_in_code")["code"]})

    assert response.url == STEP
    assert not signed_in(client)


def test_reset_does_not_get_around_it(client, lead, sent):
    client.post("/password/forgotten/", {"identifier": lead.mobile})
    page = client.post(
        "/sign-in/code/confirm/", {"code": sent("password_reset_code")["code"]}, follow=True
    )
    new = {"new_password1": "ganz neu und lang", "new_password2": "ganz neu und lang"}

    response = client.post(page.redirect_chain[-1][0], new)

    assert response.url == STEP
    assert not signed_in(client)


def test_wrong_code_is_refused_and_the_sixth_waits(client, lead):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        first_step(client, lead)
        for _ in range(5):
            assert client.post(STEP, {"code": wrong_code()}).status_code == 200

        refused = client.post(STEP, {"code": app_code()})

        assert refused.status_code == 429
        assert "Try again in 15 minutes" in refused.content.decode()
        assert not signed_in(client)
        clock.shift(timedelta(minutes=15, seconds=1))
        first_step(client, lead)
        assert client.post(STEP, {"code": app_code()}).status_code == 302


def test_one_code_opens_one_door(lead):
    here, there = Client(), Client()
    first_step(here, lead)
    first_step(there, lead)
    code = app_code()

    assert here.post(STEP, {"code": code}).status_code == 302
    assert there.post(STEP, {"code": code}).status_code == 200
    assert not signed_in(there)


def test_first_step_does_not_wait_for_ever(client, lead):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        first_step(client, lead)
        clock.shift(timedelta(minutes=11))

        assert client.post(STEP, {"code": app_code()}).url == "/sign-in/"
        assert not signed_in(client)


def test_without_the_first_step_there_is_no_second(client, lead):
    assert client.get(STEP).url == "/sign-in/"
    assert client.post(STEP, {"code": app_code()}).url == "/sign-in/"


def test_switching_off_needs_the_password(client, lead):
    client.force_login(lead)

    wrong = client.post("/me/two-step/off/", {"password": "wrong"})
    still = two_step.is_on(lead)
    right = client.post("/me/two-step/off/", {"password": PASSWORD})

    assert wrong.context["form"].errors["password"]
    assert still
    assert right.url == "/me/two-step/"
    assert not two_step.is_on(lead)


def test_switching_on_needs_password_and_first_code(client):
    user = UserFactory(lead=True)
    client.force_login(user)
    form = client.get("/me/two-step/on/").context["form"]
    good = {"secret": form.signed_secret, "password": PASSWORD, "code": app_code(form.secret)}

    for bad in [{"password": "wrong"}, {"code": "000000"}, {"code": ""}, {"secret": "forged"}]:
        response = client.post("/me/two-step/on/", good | bad)
        assert response.status_code == 200
        assert response.context["form"].errors

    assert not two_step.is_on(user)


def test_secret_of_somebody_else_cannot_be_planted(client):
    mallory, victim = UserFactory(lead=True), UserFactory(lead=True)
    client.force_login(mallory)
    form = client.get("/me/two-step/on/").context["form"]
    client.force_login(victim)

    client.post(
        "/me/two-step/on/",
        {"secret": form.signed_secret, "password": PASSWORD, "code": app_code(form.secret)},
    )

    assert not two_step.is_on(victim)


def test_looking_at_the_page_changes_nothing(client):
    client.force_login(UserFactory(lead=True))
    before = dict(client.session)

    client.get("/me/two-step/on/")

    assert dict(client.session) == before
    assert not Authenticator.objects.exists()


def test_candidates_are_not_offered_it(client):
    client.force_login(UserFactory())

    assert client.get("/me/two-step/on/").status_code == 403
    assert "two-step" not in client.get("/me/").content.decode()
