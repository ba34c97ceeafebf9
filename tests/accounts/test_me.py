"""A person's own settings, and the language of the pages."""

from datetime import datetime

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from accounts import time_zones as labels
from accounts.forms import SettingsForm
from accounts.models import User
from accounts.validators import time_zones
from cancellations.models import Reason
from cancellations.services import request_cancellation
from notifications.models import Notification
from notifications.rendering import render
from tests.factories import PASSWORD, CandidateFactory, InterviewFactory, UserFactory

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


# --- the language before signing in ---------------------------------------------------------------


def sign_in(client, user, **extra):
    return client.post("/sign-in/", {"identifier": user.mobile, "password": PASSWORD}, **extra)


def test_language_switched_to_before_signing_in_is_that_of_later_messages(client, settings):
    settings.LANGUAGE_CODE = "zh-hans"
    interview = InterviewFactory(candidate=CandidateFactory(user__language=""))
    client.post("/language/", {"language": "en"})

    sign_in(client, interview.candidate.user)
    interview.candidate.user.refresh_from_db()
    request_cancellation(
        interview.reference,
        by=interview.candidate.user,
        reason=Reason.objects.get(code="career_change"),
        detail="",
    )

    told = Notification.objects.filter(recipient=f"user:{interview.candidate.user.pk}").first()
    assert told.language == "en"
    assert "interview" in render(told).body


def test_language_switched_to_while_signed_in_is_that_of_later_messages(client):
    user = UserFactory(language="")
    client.force_login(user)

    client.post("/language/", {"language": "en"})
    client.post(
        "/me/password/",
        {
            "current_password": PASSWORD,
            "new_password1": "a wholly new one",
            "new_password2": "a wholly new one",
        },
        HTTP_ACCEPT_LANGUAGE="zh-hans",
    )

    told = Notification.objects.get(event="password_changed")
    assert told.language == "en"
    assert "password" in render(told).body


def test_language_somebody_chose_stays_whatever_the_browser_held(client):
    user = UserFactory(language="zh-hans")
    client.post("/language/", {"language": "en"})

    sign_in(client, user)

    user.refresh_from_db()
    assert user.language == "zh-hans"


@pytest.mark.parametrize("cookie", [None, "tlh", "../x"])
def test_language_nobody_switched_to_is_not_stored(client, cookie):
    user = UserFactory(language="")
    if cookie:
        client.cookies["django_language"] = cookie

    sign_in(client, user, HTTP_ACCEPT_LANGUAGE="en")

    user.refresh_from_db()
    assert user.language == ""


# --- time zones -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "group", "beijing", "company"),
    [
        ("en", "Often chosen", "Beijing time (UTC+8)", "As the company&#x27;s clocks: Beijing"),
        ("zh-hans", "常用", "北京时间 (UTC+8)", "与公司一致：北京时间"),
    ],
)
def test_common_time_zones_come_first_by_names_people_use(
    client, language, group, beijing, company
):
    client.force_login(UserFactory(language=language))

    page = client.get("/me/").content.decode()

    assert company in page
    first = page.partition("<optgroup")[2].partition("</optgroup>")[0]
    assert f'label="{group}"' in first
    assert f'value="Asia/Shanghai">{beijing}<' in first


def offered_zones(**initial):
    choices = SettingsForm(initial=initial).fields["time_zone"].choices
    return [zone for _group, zones in choices[1:] for zone, _label in zones]


def test_every_time_zone_is_offered_once_and_by_one_name():
    offered = offered_zones()

    assert len(offered) == len(set(offered)) > 400
    assert set(offered) <= set(time_zones())
    assert {"Asia/Kolkata", "America/New_York", "Etc/UTC"} <= set(offered)
    assert not {"Asia/Calcutta", "Asia/Chongqing", "US/Eastern"} & set(offered)


def test_time_zone_chosen_by_an_older_name_can_stay():
    assert "Asia/Calcutta" in offered_zones(time_zone="Asia/Calcutta")
    assert offered_zones(time_zone="default") == offered_zones()


@pytest.mark.parametrize(
    ("zone", "on", "label"),
    [
        ("America/New_York", "2026-01-15", "New York, Toronto (UTC−5)"),
        ("America/New_York", "2026-07-15", "New York, Toronto (UTC−4)"),
        ("America/Argentina/Buenos_Aires", "2026-01-15", "Argentina, Buenos Aires (UTC−3)"),
        ("Asia/Kathmandu", "2026-01-15", "Kathmandu (UTC+5:45)"),
        ("America/St_Johns", "2026-01-15", "St Johns (UTC−3:30)"),
        ("Africa/Abidjan", "2026-01-15", "Abidjan (UTC)"),
        ("US/Eastern", "2026-01-15", "US, Eastern (UTC−5)"),
    ],
)
def test_time_zone_is_labelled_by_its_city_and_its_clock_that_day(zone, on, label):
    assert labels.label(zone, datetime.fromisoformat(f"{on}T12:00:00+00:00")) == label


def test_chosen_time_zone_stands_chosen(client):
    client.force_login(UserFactory(time_zone="Asia/Kathmandu"))

    assert 'value="Asia/Kathmandu" selected' in client.get("/me/").content.decode()
