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


def test_staff_at_the_candidates_page_land_on_their_desk(client):
    lead = UserFactory(lead=True)

    response = sign_in(client, lead.email.upper())

    assert response.url == reverse("home")
    assert client.get(response.url).url == reverse("cancellations:queue")


def test_staff_sign_in_at_the_desk(client):
    recruiter = UserFactory(recruiter=True)

    response = sign_in(client, recruiter.email, url=DESK_URL)

    assert response.status_code == 302
    assert signed_in(client)


@pytest.mark.parametrize("password", [PASSWORD, "wrong"])
def test_candidate_at_the_desk_is_refused_like_a_wrong_password(client, password):
    UserFactory(email="candidate@mail.example")

    response = sign_in(client, "candidate@mail.example", password, url=DESK_URL)

    assert response.status_code == 200
    assert not signed_in(client)
    assert response.context["form"].non_field_errors() == [
        "The email address or the password is not right."
    ]


@pytest.mark.parametrize(
    ("url", "door"),
    [
        ("/interviews/", "/sign-in/"),
        ("/me/", "/sign-in/"),
        ("/desk/", "/desk/sign-in/"),
        ("/admin/", "/desk/sign-in/"),
    ],
)
def test_who_is_not_signed_in_is_sent_to_the_right_door(client, url, door):
    response = client.get(url)

    assert response.status_code == 302
    assert response.url == f"{door}?next={url}"


def test_the_administration_has_no_door_of_its_own(client):
    response = client.get("/admin/login/?next=/admin/accounts/user/")

    assert response.url == f"{DESK_URL}?next=/admin/accounts/user/"


def test_candidate_in_the_administration_gets_403(client):
    client.force_login(UserFactory())

    assert client.get("/admin/", follow=True).status_code == 403


@pytest.mark.parametrize(
    "identifier",
    ["", " ", "138\x0000000001", "1" * 10_000, "abc", "@", "110105194912310021", "𝟙" * 11],
)
@pytest.mark.parametrize("url", [URL, DESK_URL, "/sign-in/code/", "/password/forgotten/"])
def test_what_is_no_identifier_gets_a_message_beside_the_field(client, url, identifier):
    response = sign_in(client, identifier, url=url)

    assert response.status_code == 200
    assert response.context["form"].errors["identifier"]
    assert (
        f'href="#{response.context["form"]["identifier"].id_for_label}"'
        in response.content.decode()
    )


@pytest.mark.parametrize("password", ["", "\x00", "x" * 10_000])
def test_what_is_no_password_gets_a_message_and_is_not_shown_again(client, password):
    response = sign_in(client, "13800000001", password)

    assert response.status_code == 200
    assert response.context["form"].errors["password"]
    assert "13800000001" in response.content.decode()
    assert "xxxxxxxx" not in response.content.decode()


@pytest.mark.parametrize(
    "next",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "https:evil.example",
        "/\x00",
        "/" + "x" * 10_000,
        "me",
        "?next=/me/",
        "http://testserver@evil.example/",
    ],
)
def test_next_never_leads_away(client, next):
    user = UserFactory()

    response = sign_in(client, user.mobile, next=next)

    assert response.url == reverse("home")
    assert client.get(URL, {"next": next}).url == reverse("home")


def test_next_on_our_own_pages_is_followed(client):
    user = UserFactory()

    page = client.get(URL, {"next": "/me/"})
    response = sign_in(client, user.mobile, next="/me/")

    assert 'name="next" value="/me/"' in page.content.decode()
    assert response.url == "/me/"


def test_post_without_a_token_is_refused():
    strict = Client(enforce_csrf_checks=True)
    user = UserFactory()

    assert sign_in(strict, user.mobile).status_code == 403
    assert strict.post("/sign-out/").status_code == 403
    assert strict.post("/language/", {"language": "en"}).status_code == 403


def test_session_key_changes_at_sign_in(client):
    user = UserFactory()
    session = client.session
    session["planted"] = True
    session.save()
    planted = session.session_key

    sign_in(client, user.mobile)

    assert client.session.session_key != planted
    assert signed_in(client)


def test_another_persons_session_is_emptied(client):
    client.force_login(UserFactory())
    session = client.session
    session["kept by the first"] = True
    session.save()
    client.post("/sign-out/")

    sign_in(client, UserFactory().mobile)

    assert "kept by the first" not in client.session


def test_sign_out_is_by_post_only(client):
    client.force_login(UserFactory())

    assert client.get("/sign-out/").status_code == 405
    assert signed_in(client)
    assert client.post("/sign-out/").url == URL
    assert not signed_in(client)


def test_staff_sign_out_to_their_own_door(client):
    client.force_login(UserFactory(recruiter=True))

    assert client.post("/sign-out/").url == DESK_URL


def test_signed_in_visitor_of_the_sign_in_page_goes_home(client):
    client.force_login(UserFactory())

    assert client.get(URL).url == reverse("home")
    assert client.get("/sign-in/code/").url == reverse("home")


def test_sixth_try_waits_and_the_wait_ends(client):
    user = UserFactory()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(5):
            assert sign_in(client, user.mobile, "wrong").status_code == 200
        clock.shift(timedelta(minutes=11))

        refused = sign_in(client, user.mobile)

        assert refused.status_code == 429
        assert refused["Retry-After"] == "240"
        assert refused.context["form"].non_field_errors() == [
            "Too many tries. Try again in 4 minutes."
        ]
        assert user.mobile in refused.content.decode()
        assert not signed_in(client)

        clock.shift(timedelta(minutes=3, seconds=59))
        assert sign_in(client, user.mobile).status_code == 429
        clock.shift(timedelta(seconds=2))
        assert sign_in(client, user.mobile).status_code == 302


def test_unknown_number_is_limited_like_a_known_one(client):
    for _ in range(5):
        sign_in(client, "13800000009", "wrong")

    assert sign_in(client, "+86 138 0000 0009", "wrong").status_code == 429


def test_limit_of_one_account_leaves_others_alone(client):
    other = UserFactory()
    for _ in range(6):
        sign_in(client, "13800000009", "wrong")

    assert sign_in(client, other.mobile).status_code == 302


def test_right_password_starts_the_count_afresh(client):
    user = UserFactory()
    for _ in range(3):
        for _ in range(4):
            sign_in(client, user.mobile, "wrong")
        assert sign_in(client, user.mobile).status_code == 302
        client.post("/sign-out/")


def test_address_is_limited_over_many_accounts(client):
    user = UserFactory()
    statuses = [sign_in(client, f"138000{n:05}", "wrong").status_code for n in range(61)]

    assert statuses == [200] * 60 + [429]
    assert sign_in(client, user.mobile).status_code == 429
    assert sign_in(client, user.mobile, REMOTE_ADDR="10.9.9.9").status_code == 429
    assert (
        client.post(
            URL, {"identifier": user.mobile, "password": PASSWORD}, REMOTE_ADDR="10.9.9.9"
        ).status_code
        == 302
    )


def test_signing_in_often_from_one_address_is_no_failure(client):
    user = UserFactory()
    for _ in range(70):
        assert sign_in(client, user.mobile).status_code == 302
        client.post("/sign-out/")


def test_only_what_our_own_proxies_say_counts_as_address(rf, settings):
    from accounts.throttling import client_address

    forged = rf.get("/", headers={"x-forwarded-for": "1.1.1.1, 2.2.2.2"}, REMOTE_ADDR="10.0.0.1")

    settings.PROXY_COUNT = 0
    assert client_address(forged) == "10.0.0.1"
    settings.PROXY_COUNT = 1
    assert client_address(forged) == "2.2.2.2"
    assert client_address(rf.get("/", REMOTE_ADDR="2001:db8:1:2:3::4")) == "2001:db8:1:2::"
    assert client_address(rf.get("/", REMOTE_ADDR="::ffff:1.2.3.4")) == "1.2.3.4"


def test_patient_guessing_is_stopped_by_axes(client):
    user = UserFactory()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(6):
            for _ in range(5):
                refused = sign_in(client, user.mobile, "wrong")
            clock.shift(timedelta(minutes=16))

        assert refused.status_code == 429
        assert refused.context["form"].non_field_errors() == [
            "Too many tries. Try again in 12 hours."
        ]
        assert sign_in(client, user.mobile).status_code == 429


def test_nothing_personal_reaches_the_log(client, caplog, capfd):
    user = UserFactory(national_id=NATIONAL_ID, email="li.si@mail.example")
    for identifier in [user.mobile, NATIONAL_ID, user.email, "13800000009"]:
        for _ in range(7):
            sign_in(client, identifier, "geheim-wrong")
    sign_in(client, user.email)

    written = caplog.text + "".join(capfd.readouterr())
    for secret in [
        user.mobile,
        user.mobile[3:],
        NATIONAL_ID,
        user.email,
        "13800000009",
        "geheim",
        user.name,
    ]:
        assert secret not in written
