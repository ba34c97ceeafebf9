"""Forgotten, reset and changed passwords."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from rest_framework.authtoken.models import Token

from notifications.models import Notification
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

FORGOTTEN = "/password/forgotten/"
NEW = "ganz neu und lang"


def choose(client, url, password=NEW, again=None):
    return client.post(url, {"new_password1": password, "new_password2": again or password})


def ask_by_mail(client, sent, user):
    client.post(FORGOTTEN, {"identifier": user.email})
    return urlsplit(sent("password_reset")["url"]).path


def test_reset_by_code(client, sent):
    user = UserFactory()
    client.post(FORGOTTEN, {"identifier": user.mobile})

    response = client.post(
        "/sign-in/code/confirm/", {"code": sent("password_reset_code")["code"]}, follow=True
    )
    choose(client, response.redirect_chain[-1][0])

    user.refresh_from_db()
    assert user.check_password(NEW)
    assert client.session["_auth_user_id"] == str(user.pk)


def test_reset_by_mail(client, sent):
    user = UserFactory(lead=True)
    path = ask_by_mail(client, sent, user)
    notification = Notification.objects.get(event="password_reset")

    form_url = client.get(path).url
    choose(client, form_url)

    user.refresh_from_db()
    assert user.check_password(NEW)
    assert (notification.channel, notification.address) == ("email", user.email)
    assert notification.params["minutes"] == 60
    assert client.session["_auth_user_id"] == str(user.pk)


def test_candidate_with_nothing_but_an_address_gets_the_link_for_the_id_number(client, sent):
    user = UserFactory(mobile=None, email="li@mail.example", national_id="11010519491231002X")

    response = client.post(FORGOTTEN, {"identifier": "11010519491231002X"})

    assert response.url == "/sign-in/code/confirm/"
    assert sent("password_reset")["url"].startswith("http")
    assert user.email not in client.get(response.url).content.decode()


@pytest.mark.parametrize("person", ["known", "unknown", "inactive"])
def test_answer_by_mail_is_the_same_for_everybody(client, person):
    UserFactory(email="li@mail.example", is_active=person != "inactive")
    address = "nobody@mail.example" if person == "unknown" else "li@mail.example"

    response = client.post(FORGOTTEN, {"identifier": address})

    assert response.url == "/password/reset/sent/"
    assert Notification.objects.exists() == (person == "known")
    assert client.get(response.url).status_code == 200


def test_link_opened_by_a_scanner_still_works_for_its_owner(client, sent):
    path = ask_by_mail(client, sent, UserFactory(lead=True))
    Client().get(path, follow=True)

    assert "set-password" in client.get(path).url


def test_link_works_once(client, sent):
    user = UserFactory(lead=True)
    path = ask_by_mail(client, sent, user)
    choose(client, client.get(path).url)

    stranger = Client()
    response = stranger.get(path)

    assert response.status_code == 200
    assert "This link is no longer valid" in response.content.decode()
    assert choose(stranger, path, "another one entirely").status_code == 200
    user.refresh_from_db()
    assert user.check_password(NEW)


@pytest.mark.parametrize(("age", "valid"), [(59, True), (61, False)])
def test_link_is_valid_for_an_hour(client, sent, age, valid):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        path = ask_by_mail(client, sent, UserFactory(lead=True))
        clock.shift(timedelta(minutes=age))

        assert (client.get(path).status_code == 302) == valid


@pytest.mark.parametrize(
    "path", ["/password/reset/MQ/set-password/", "/password/reset/%00/x/", "/password/reset/x/y/"]
)
def test_made_up_links_are_told_politely(client, path):
    response = client.get(path)

    assert response.status_code == 200
    assert "no longer valid" in response.content.decode()


def test_reset_ends_other_sessions_and_tokens_and_tells_the_owner(client, sent):
    user = UserFactory(lead=True)
    Token.objects.create(user=user)
    elsewhere = Client()
    elsewhere.force_login(user)
    path = ask_by_mail(client, sent, user)

    choose(client, client.get(path).url)

    assert elsewhere.get("/me/").status_code == 302
    assert not Token.objects.exists()
    assert Notification.objects.filter(event="password_changed", address=user.email).exists()


@pytest.mark.parametrize("password", ["short", "1234567890", "password1"])
def test_poor_passwords_are_refused(client, sent, password):
    user = UserFactory(lead=True)
    form_url = client.get(ask_by_mail(client, sent, user)).url

    response = choose(client, form_url, password)

    assert response.status_code == 200
    assert response.context["form"].errors
    assert f'value="{password}"' not in response.content.decode()


def test_change_needs_the_current_password(client):
    user = UserFactory()
    client.force_login(user)
    data = {"new_password1": NEW, "new_password2": NEW}

    wrong = client.post("/me/password/", {"current_password": "wrong", **data})
    right = client.post("/me/password/", {"current_password": PASSWORD, **data})

    assert wrong.context["form"].errors["current_password"]
    assert right.url == "/me/"
    user.refresh_from_db()
    assert user.check_password(NEW)
    assert client.get("/me/").status_code == 200


def test_guessing_the_current_password_is_limited(client):
    client.force_login(UserFactory())
    data = {"new_password1": NEW, "new_password2": NEW, "current_password": "wrong"}

    statuses = [client.post("/me/password/", data).status_code for _ in range(6)]

    assert statuses == [200] * 5 + [429]


def test_who_has_a_password_cannot_set_it_without_the_old_one(client):
    user = UserFactory()
    client.force_login(user)

    response = choose(client, "/password/set/")

    assert response.url == "/me/password/"
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_reset_forgives_earlier_failures(client, sent):
    user = UserFactory(lead=True)
    for _ in range(6):
        client.post("/desk/sign-in/", {"identifier": user.email, "password": "wrong"})
    choose(client, client.get(ask_by_mail(client, sent, user)).url)
    client.post("/sign-out/")

    response = client.post("/desk/sign-in/", {"identifier": user.email, "password": NEW})

    assert response.status_code == 302
