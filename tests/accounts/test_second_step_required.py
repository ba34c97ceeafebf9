"""Where the company asks for a second step, who has none reaches only what sets one up."""

import re

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.authtoken.models import Token

from accounts import two_step
from tests.accounts.test_two_step import SECRET, app_code
from tests.factories import PASSWORD, CandidateFactory, UserFactory

pytestmark = pytest.mark.django_db

SETTING_UP = "/me/two-step/"
PAGES = ["/desk/", "/desk/settings/", "/desk/settings/people/", "/admin/", "/me/", "/me/password/"]


@pytest.fixture(autouse=True)
def _required(settings):
    settings.STAFF_SECOND_STEP = "required"


@pytest.fixture
def administrator(client):
    user = UserFactory(administrator=True)
    client.post("/desk/sign-in/", {"identifier": user.email, "password": PASSWORD})
    return user


@pytest.mark.parametrize("page", PAGES)
def test_every_page_leads_to_setting_one_up(client, administrator, page):
    response = client.get(page)

    assert (response.status_code, response.url.partition("?")[0]) == (302, SETTING_UP)
    shown = client.get(response.url).content.decode()
    assert "Your company asks everybody at the desk for a second step." in shown


def test_what_is_sent_is_not_taken(client, administrator):
    client.post("/desk/settings/people/invite/", {"name": "x", "email": "a@b.example"})

    assert client.post("/me/", {"language": "zh-hans", "time_zone": "default"}).url.startswith(
        SETTING_UP
    )
    administrator.refresh_from_db()
    assert administrator.language == "en"


def test_api_by_session_and_by_personal_token_is_closed(client, administrator):
    by_session = client.get("/api/v1/cancellations/")
    token = Token.objects.create(user=administrator)
    by_token = Client().get("/api/v1/cancellations/", headers={"Authorization": f"Token {token}"})

    for response in (by_session, by_token):
        assert response.status_code == 403
        assert response.json()["type"] == "urn:mianyue:problem:second-step-missing"


def test_api_gives_no_token_for_a_password_alone(administrator):
    given = {"identifier": administrator.email, "password": PASSWORD}

    response = Client().post("/api/v1/sign-in/", given, content_type="application/json")

    assert response.status_code == 403
    assert not Token.objects.exists()


def test_app_set_up_opens_the_desk(client, administrator):
    there = client.get("/desk/settings/")
    page = client.get("/me/two-step/on/")
    signed = re.search(r'name="secret" value="([^"]+)"', page.content.decode())[1]
    secret = page.context["form"].secret

    client.post(
        "/me/two-step/on/", {"secret": signed, "password": PASSWORD, "code": app_code(secret)}
    )

    assert there.url == "/me/two-step/?next=%2Fdesk%2Fsettings%2F"
    assert 'href="/desk/settings/"' in client.get(there.url).content.decode()
    assert client.get("/desk/settings/").status_code == 200
    assert client.get("/api/v1/cancellations/").status_code == 200


def test_who_has_one_notices_nothing(client):
    lead = UserFactory(lead=True)
    two_step.switch_on(lead, SECRET)
    client.post("/desk/sign-in/", {"identifier": lead.email, "password": PASSWORD})
    client.post("/sign-in/second-step/", {"code": app_code()})

    assert client.get("/desk/").status_code == 200


def test_last_second_step_stays(client):
    lead = UserFactory(lead=True)
    two_step.switch_on(lead, SECRET)
    client.force_login(lead)

    response = client.post("/me/two-step/off/", {"password": PASSWORD})

    assert response.context["form"].non_field_errors() == [
        "Your company asks for a second step. Add another one before you take this one off."
    ]
    assert two_step.is_on(lead)


def test_public_pages_signing_out_and_language_stay_open(client, administrator):
    assert client.get("/help/").status_code == 200
    assert client.post("/language/", {"language": "en"}).url == reverse("home")
    assert client.post("/sign-out/").url == "/desk/sign-in/"


def test_who_has_no_password_yet_chooses_one_first(client):
    invited = UserFactory(lead=True)
    invited.set_unusable_password()
    invited.save()
    client.force_login(invited)

    assert client.get("/me/passkeys/add/").url.startswith("/me/confirm/")
    assert client.get("/me/confirm/").url == "/password/set/"
    assert client.get("/password/set/").status_code == 200


def test_candidates_are_not_asked(client):
    client.force_login(CandidateFactory().user)

    assert client.get("/interviews/").status_code == 200
    assert client.get("/me/").status_code == 200


def test_nobody_is_asked_where_it_is_optional(client, administrator, settings):
    settings.STAFF_SECOND_STEP = "optional"

    assert client.get("/desk/").status_code == 200


def test_session_that_was_let_through_is_not_asked_again(client, django_assert_max_num_queries):
    lead = UserFactory(lead=True)
    two_step.switch_on(lead, SECRET)
    client.force_login(lead)
    client.get("/desk/settings/")

    with django_assert_max_num_queries(2):
        client.get("/desk/settings/")
