"""Staff sign in with an account elsewhere: all the way there and back, at a local provider."""

from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from allauth.socialaccount.models import SocialAccount, SocialToken
from allauth.socialaccount.providers.dingtalk.views import DingTalkOAuth2Adapter
from allauth.socialaccount.providers.feishu.client import FeishuOAuth2Client
from allauth.socialaccount.providers.feishu.views import FeishuOAuth2Adapter
from django.test import Client

from accounts import two_step
from accounts.models import AccessChange, User
from notifications.models import Notification
from tests.contracts.identity import CLIENT_ID, CLIENT_SECRET, Provider
from tests.factories import PASSWORD, CandidateFactory, UserFactory

pytestmark = pytest.mark.django_db

DOOR = "/desk/sign-in/"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture
def provider():
    with Provider() as running:
        yield running


@pytest.fixture
def company(provider, settings):
    """The company's provider, switched on."""
    app = {
        "provider_id": "oidc",
        "name": "Acme",
        "client_id": CLIENT_ID,
        "secret": CLIENT_SECRET,
        "settings": {"server_url": provider.url, "verified_email": False},
    }
    configured(settings, "openid_connect", app)
    return provider


@pytest.fixture
def dingtalk(provider, settings, monkeypatch):
    monkeypatch.setattr(DingTalkOAuth2Adapter, "access_token_url", f"{provider.url}/dingtalk/token")
    monkeypatch.setattr(DingTalkOAuth2Adapter, "profile_url", f"{provider.url}/dingtalk/me")
    configured(settings, "dingtalk", {"client_id": CLIENT_ID, "secret": CLIENT_SECRET})
    return provider


@pytest.fixture
def feishu(provider, settings, monkeypatch):
    monkeypatch.setattr(FeishuOAuth2Adapter, "access_token_url", f"{provider.url}/feishu/token")
    monkeypatch.setattr(FeishuOAuth2Adapter, "user_info_url", f"{provider.url}/feishu/me")
    monkeypatch.setattr(FeishuOAuth2Client, "app_access_token_url", f"{provider.url}/feishu/app")
    configured(settings, "feishu", {"client_id": CLIENT_ID, "secret": CLIENT_SECRET})
    return provider


@pytest.fixture(autouse=True)
def _in_english(settings):
    settings.LANGUAGE_CODE = "en"


def configured(settings, name, app):
    providers = settings.SOCIALACCOUNT_PROVIDERS
    settings.SOCIALACCOUNT_PROVIDERS = providers | {name: providers[name] | {"APPS": [app]}}


@pytest.fixture
def lead(provider):
    user = UserFactory(lead=True, email="li.na@company.example")
    provider.person |= {"email": "li.na@company.example"}
    return user


def going_on(response) -> str:
    """The address that a page leads on to."""
    assert response.status_code == 200, response.content
    return response.context["url"]


def through(client, *, provider="oidc", **sent):
    """Press the button, sign in there, come back."""
    there = going_on(client.post(f"{DOOR}with/{provider}/", sent))
    answer = requests.get(there, allow_redirects=False, timeout=5)
    return client.get(answer.headers["Location"].replace("http://testserver", ""), follow=True)


def answered(client, provider, code="code", name="code"):
    """As `through`, for those whose page of signing in is not here."""
    query = state_of(going_on(client.post(f"{DOOR}with/{provider}/")))
    return client.get(f"{DOOR}with/{provider}/back/", {name: code, "state": query}, follow=True)


def state_of(address: str) -> str:
    return parse_qs(urlsplit(address).query)["state"][0]


def signed_in(client):
    return client.session.get("_auth_user_id")


def says(response) -> str:
    return " ".join(str(message) for message in response.context["messages"])


def link(client, user, provider):
    """Link an account elsewhere from one's own settings."""
    client.post(DOOR, {"identifier": user.email, "password": PASSWORD})
    address = going_on(client.post(f"/me/accounts/{provider}/link/"))
    if provider == "oidc":
        back = requests.get(address, allow_redirects=False, timeout=5).headers["Location"]
        return client.get(back.replace("http://testserver", ""), follow=True)
    back = {"state": state_of(address), "authCode" if provider == "dingtalk" else "code": "x"}
    return client.get(f"{DOOR}with/{provider}/back/", back, follow=True)


# --- The company's own provider -------------------------------------------------------------------


def test_known_staff_come_in_by_their_verified_address(client, company, lead):
    response = through(client, next="/me/")

    assert signed_in(client) == str(lead.pk)
    assert response.redirect_chain[-1][0] == "/me/"
    (asked,) = company.asked
    assert asked["redirect_uri"] == "http://testserver/desk/sign-in/with/oidc/back/"
    assert {"code_challenge", "nonce", "state"} <= set(asked)
    assert set(asked["scope"].split()) == {"openid", "email", "profile"}


def test_address_is_matched_however_it_is_written(client, company, lead):
    company.person["email"] = "Li.Na@Company.EXAMPLE"

    through(client)

    assert signed_in(client) == str(lead.pk)


def test_second_step_is_still_asked_for(client, company, lead):
    two_step.switch_on(lead, SECRET)

    response = through(client)

    assert response.redirect_chain[-1][0] == "/sign-in/second-step/"
    assert not signed_in(client)


@pytest.mark.parametrize(
    "person",
    [
        {"email": "unknown@company.example"},
        {"email": ""},
        {"email": "li.na@company.example", "email_verified": False},
        {"email": "li.na@company.example", "email_verified": "false"},
        {"email": "candidate@company.example"},
        {"email": "gone@company.example"},
        {"email": "\x00"},
        {"email": "x" * 5000},
    ],
)
def test_nobody_else_comes_in_and_nobody_is_signed_up(client, company, lead, person):
    CandidateFactory(user__email="candidate@company.example")
    UserFactory(lead=True, email="gone@company.example", is_active=False)
    people = User.objects.count()
    company.person |= person

    response = through(client)

    assert response.redirect_chain[-1][0] == DOOR
    assert "Your account at Acme is not known here." in says(response)
    assert not signed_in(client)
    assert User.objects.count() == people
    assert not SocialAccount.objects.exists()


def test_provider_may_vouch_for_all_its_addresses(client, company, lead, settings):
    settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]["settings"] |= {
        "verified_email": True
    }
    del company.person["email_verified"]

    through(client)

    assert signed_in(client) == str(lead.pk)


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://somebody-else.example"},
        {"aud": "somebody-else"},
        {"exp": 1},
        {"nonce": "another"},
        {"nonce": None},
        {"sub": "somebody-else"},
    ],
)
def test_id_token_for_another_occasion_is_refused(client, company, lead, claims):
    company.claims = claims

    response = through(client)

    assert "Acme could not tell us who you are." in says(response)
    assert not signed_in(client)


@pytest.mark.parametrize(
    "signing", ["sign_with_another_key", "sign_not_at_all", "sign_with_what_everybody_knows"]
)
def test_forged_id_token_is_refused(client, company, lead, signing):
    company.sign = getattr(company, signing)

    assert "could not tell us who you are" in says(through(client))
    assert not signed_in(client)


def test_answer_without_an_id_token_is_refused(client, company, lead):
    company.token = lambda form: {"access_token": "here"}

    assert "could not tell us who you are" in says(through(client))


@pytest.mark.parametrize("broken", ["token", "userinfo", "jwks"])
def test_provider_that_fails_says_so(client, company, lead, broken):
    company.broken = {broken}

    response = through(client)

    assert response.redirect_chain[-1][0] == DOOR
    assert "Try again, or use your password." in says(response)


@pytest.mark.parametrize("configuration", [{}, [], "x", None])
def test_provider_that_makes_no_sense_says_so(client, company, configuration):
    company.configuration = lambda: configuration

    response = client.post(f"{DOOR}with/oidc/", follow=True)

    assert "Acme could not tell us who you are." in says(response)


def test_provider_that_is_away_says_so(client, company, settings):
    settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]["settings"] |= {
        "server_url": "http://127.0.0.1:9"
    }

    response = client.post(f"{DOOR}with/oidc/", follow=True)

    assert response.redirect_chain[-1][0] == DOOR
    assert "Acme could not tell us who you are." in says(response)


def test_wrong_secret_says_so(client, company, lead, settings):
    settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]["secret"] = "wrong"

    assert "could not tell us who you are" in says(through(client))
    assert not signed_in(client)


def test_answer_counts_once_and_in_its_own_session(client, company, lead):
    there = going_on(client.post(f"{DOOR}with/oidc/"))
    back = requests.get(there, allow_redirects=False, timeout=5).headers["Location"]
    back = back.replace("http://testserver", "")
    stranger = Client()

    assert "could not tell us" in says(stranger.get(back, follow=True))
    client.get(back)
    assert signed_in(client) == str(lead.pk)
    client.post("/sign-out/")
    client.get(back)

    assert not signed_in(client)
    assert not signed_in(stranger)


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"state": "x", "code": "y"},
        {"state": "\x00", "code": "\x00"},
        {"error": "access_denied"},
        {"code": "x" * 5000, "state": "x" * 5000},
    ],
)
def test_what_nobody_asked_for_leads_back(client, company, query):
    response = client.get(f"{DOOR}with/oidc/back/", query, follow=True)

    assert response.redirect_chain[-1][0] == DOOR
    assert not signed_in(client)


def test_stopping_there_is_no_failure(client, company):
    state = state_of(going_on(client.post(f"{DOOR}with/oidc/")))

    response = client.get(
        f"{DOOR}with/oidc/back/", {"state": state, "error": "access_denied"}, follow=True
    )

    assert "You stopped. Nothing has been done with Acme." in says(response)


def test_opening_the_address_begins_nothing(client, company):
    assert client.get(f"{DOOR}with/oidc/").url == DOOR
    assert not client.session.keys()
    assert not company.asked


def test_next_leads_nowhere_else(client, company, lead):
    response = through(client, next="https://elsewhere.example/")

    assert response.redirect_chain[-1][0] in {"/", "/desk/"}
    assert signed_in(client) == str(lead.pk)


@pytest.mark.parametrize("name", ["oidc", "dingtalk", "feishu", "weixin"])
def test_what_is_not_configured_is_not_there(client, name):
    assert f"with/{name}" not in client.get(DOOR).content.decode()
    assert client.post(f"{DOOR}with/{name}/").status_code == 404
    assert client.get(f"{DOOR}with/{name}/back/").status_code == 404


def test_button_bears_the_company_s_name(client, company):
    page = client.get(DOOR, HTTP_ACCEPT_LANGUAGE="en").content.decode()

    assert "Sign in with Acme" in page
    assert 'action="/desk/sign-in/with/oidc/"' in page


# --- Linking, DingTalk and Feishu -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "host", "key"),
    [
        ("dingtalk", "login.dingtalk.com", "client_id"),
        ("feishu", "open.feishu.cn", "app_id"),
    ],
)
def test_button_leads_to_the_provider(client, request, name, host, key):
    request.getfixturevalue(name)
    page = client.get(DOOR, HTTP_ACCEPT_LANGUAGE="en").content.decode()

    there = urlsplit(going_on(client.post(f"{DOOR}with/{name}/")))

    assert f'action="/desk/sign-in/with/{name}/"' in page
    asked = parse_qs(there.query)
    assert (there.scheme, there.hostname, asked[key]) == ("https", host, [CLIENT_ID])
    assert asked["redirect_uri"] == [f"http://testserver/desk/sign-in/with/{name}/back/"]
    assert asked["state"]


@pytest.mark.parametrize(
    ("name", "title"), [("oidc", "Acme"), ("dingtalk", "DingTalk"), ("feishu", "Feishu")]
)
def test_linked_account_opens_ours(client, request, provider, name, title):
    request.getfixturevalue("company" if name == "oidc" else name)
    lead = UserFactory(lead=True)

    response = link(client, lead, name)

    assert f"From now on you can sign in with {title}." in says(response)
    account = SocialAccount.objects.get()
    assert (account.user, account.provider, account.uid) == (lead, name, "u-1")
    client.post("/sign-out/")
    through(client) if name == "oidc" else answered(client, name)
    assert signed_in(client) == str(lead.pk)
    assert AccessChange.objects.get().details == {"name": title}
    assert Notification.objects.get().params["kind"] == "linked"


@pytest.mark.parametrize("name", ["dingtalk", "feishu"])
def test_address_alone_opens_nothing_there(client, request, lead, name):
    """They do not say whether anybody made sure of it."""
    request.getfixturevalue(name)

    response = answered(client, name)

    assert "is not known here" in says(response)
    assert not signed_in(client)


@pytest.mark.parametrize("name", ["oidc", "dingtalk", "feishu"])
def test_nothing_about_the_person_is_kept(client, request, provider, name):
    request.getfixturevalue("company" if name == "oidc" else name)
    link(client, UserFactory(lead=True), name)
    client.post("/sign-out/")
    through(client) if name == "oidc" else answered(client, name)

    assert SocialAccount.objects.get().extra_data == {}
    assert not SocialToken.objects.exists()


def test_one_account_elsewhere_opens_one_of_ours(client, dingtalk):
    first, second = UserFactory(lead=True), UserFactory(lead=True)
    link(Client(), first, "dingtalk")

    response = link(client, second, "dingtalk")

    assert "belongs to somebody else here" in says(response)
    assert SocialAccount.objects.get().user == first


def test_account_of_somebody_switched_off_opens_nothing(client, dingtalk):
    lead = UserFactory(lead=True)
    link(Client(), lead, "dingtalk")
    User.objects.filter(pk=lead.pk).update(is_active=False)

    assert "is not known here" in says(answered(client, "dingtalk"))
    assert not signed_in(client)


def test_unlinked_account_opens_nothing(client, dingtalk):
    lead = UserFactory(lead=True)
    link(client, lead, "dingtalk")

    response = client.post("/me/accounts/dingtalk/unlink/", follow=True)
    client.post("/sign-out/")

    assert "DingTalk opens your account no more." in says(response)
    assert "is not known here" in says(answered(client, "dingtalk"))
    assert [change.kind for change in AccessChange.objects.order_by("pk")] == ["linked", "unlinked"]


def test_open_session_alone_links_nothing(client, dingtalk):
    client.force_login(UserFactory(lead=True))

    response = client.post("/me/accounts/dingtalk/link/")

    assert response.url.startswith("/me/confirm/")


@pytest.mark.parametrize("name", ["dingtalk", "feishu"])
@pytest.mark.parametrize("broken", ["token", "me"])
def test_trouble_there_is_said(client, request, name, broken):
    provider = request.getfixturevalue(name)
    provider.broken = {broken}

    assert "could not tell us who you are" in says(answered(client, name))
