"""A person's own settings, and the language of the pages."""

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

NATIONAL_ID = "11010519491231002X"


@pytest.mark.parametrize(
    ("role", "frame"), [("candidate", "portal/base.html"), ("lead", "desk/base.html")]
)
def test_settings_stand_in_the_frame_of_who_looks(client, role, frame):
    client.force_login(UserFactory(lead=role == "lead"))

    response = client.get("/me/")

    assert frame in [template.name for template in response.templates]


def test_ways_in_are_masked(client):
    user = UserFactory(
        mobile="+8613812345678", national_id=NATIONAL_ID, email="zhangsan@mail.example"
    )
    client.force_login(user)

    page = client.get("/me/").content.decode()

    assert "+86138****5678" in page
    assert "110***********002X" in page
    assert "z***@mail.example" in page
    for secret in ["13812345678", NATIONAL_ID, "zhangsan"]:
        assert secret not in page


def test_language_and_time_zone_are_saved_and_used(client):
    user = UserFactory(language="en")
    client.force_login(user)

    response = client.post("/me/", {"language": "zh-hans", "time_zone": "America/New_York"})

    assert response.url == "/me/"
    user.refresh_from_db()
    assert (user.language, user.time_zone) == ("zh-hans", "America/New_York")
    assert '<html lang="zh-CN">' in client.get("/me/").content.decode()


@pytest.mark.parametrize(
    "bad",
    [
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "../../etc/passwd"},
        {"time_zone": "\x00"},
        {"language": "tlh"},
    ],
)
def test_settings_that_do_not_exist_are_refused(client, bad):
    user = UserFactory(language="en")
    client.force_login(user)

    response = client.post("/me/", {"language": "en", "time_zone": "default"} | bad)

    assert response.status_code == 200
    assert response.context["form"].errors
    user.refresh_from_db()
    assert (user.language, user.time_zone) == ("en", "")


@pytest.mark.parametrize("bad", [{"time_zone": "Mars/Olympus"}, {"language": "tlh"}])
def test_model_refuses_what_does_not_exist(bad):
    user = UserFactory.build(**bad)

    with pytest.raises(ValidationError) as refused:
        user.clean_fields(exclude=["password"])

    assert set(refused.value.message_dict) == set(bad)


def test_choice_can_be_taken_back(client):
    user = UserFactory(language="zh-hans", time_zone="America/New_York")
    client.force_login(user)

    client.post("/me/", {"language": "default", "time_zone": "default"})

    user.refresh_from_db()
    assert (user.language, user.time_zone) == ("", "")


def test_saving_settings_touches_nothing_else(client):
    user = UserFactory()
    client.force_login(user)
    User.objects.filter(pk=user.pk).update(name="改名")

    client.post(
        "/me/", {"language": "en", "time_zone": "default", "name": "x", "role": "administrator"}
    )

    user.refresh_from_db()
    assert (user.name, user.role) == ("改名", "candidate")


def test_language_of_a_visitor_is_remembered_in_a_cookie(client):
    response = client.post("/language/", {"language": "zh-hans", "next": "/sign-in/"})

    assert response.url == "/sign-in/"
    assert '<html lang="zh-CN">' in client.get("/sign-in/").content.decode()


def test_language_of_a_person_is_remembered_everywhere(client):
    user = UserFactory(language="en")
    client.force_login(user)

    client.post("/language/", {"language": "zh-hans", "next": "/me/"})

    user.refresh_from_db()
    assert user.language == "zh-hans"
    elsewhere = Client()
    elsewhere.force_login(user)
    assert '<html lang="zh-CN">' in elsewhere.get("/me/").content.decode()


@pytest.mark.parametrize("language", ["", "tlh", "\x00", "zh-hans\r\nX: y", "x" * 10_000])
def test_language_we_do_not_have_changes_nothing(client, language):
    response = client.post("/language/", {"language": language, "next": "/sign-in/"})

    assert response.url == "/sign-in/"
    assert not response.cookies


def test_language_switch_is_by_post_and_leads_nowhere_else(client):
    assert client.get("/language/").status_code == 405
    away = client.post("/language/", {"language": "en", "next": "https://evil.example/"})
    assert away.url == reverse("home")
