"""What a person chose to be sent, signed in and by the link in a mail."""

from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from notifications import preferences, unsubscribing
from notifications.models import Preference, PushSubscription
from tests.factories import PASSWORD, CandidateFactory, UserFactory
from tests.notifications.messages import optional_event, told

pytestmark = pytest.mark.django_db

PAGE = reverse("accounts:messages")
ADD = reverse("accounts:add_browser")
BROWSER = {"endpoint": "https://93.184.215.14/x", "key": "B" * 87, "secret": "a" * 22}
# A key of nobody's, for pages that show whether push is set up.
NEW = "another-good-Password-71"
VAPID = "VFSxGzKn9XmHnDxq4Z-Kx6PdEGTLNvfO4LL4hRBTa5w"


@pytest.fixture
def me(client):
    user = CandidateFactory().user
    client.force_login(user)
    return user


def test_all_is_sent_until_somebody_says_otherwise(client, me):
    page = client.get(PAGE).content.decode()

    assert page.count("checked") == 6
    assert not Preference.objects.exists()  # looking changes nothing


def test_what_is_left_unticked_is_not_sent(client, me):
    response = client.post(PAGE, {"reminders": ["sms"], "offers": ["sms", "email"]})

    assert response.status_code == 302
    wanted = preferences.of(f"user:{me.pk}")
    assert {key for key, on in wanted.items() if not on} == {
        ("reminders", "email"),
        ("news", "sms"),
        ("news", "email"),
    }
    assert client.get(PAGE).content.decode().count("checked") == 3


def test_what_cannot_be_chosen_is_refused(client, me):
    response = client.post(PAGE, {"reminders": ["pigeon"]})

    assert response.status_code == 422
    assert not Preference.objects.exists()


def test_staff_have_nothing_to_choose(client):
    client.force_login(UserFactory(lead=True))

    assert client.get(PAGE).url == reverse("cancellations:queue")
    assert PAGE not in client.get(reverse("accounts:me")).content.decode()


# --- the link in a mail ---------------------------------------------------------------------------


@pytest.fixture
def link(monkeypatch):
    message = told(event=optional_event(monkeypatch), channel="email", address="z@example.com")
    return urlsplit(unsubscribing.url_for(message)).path


def stranger(**kwargs) -> Client:
    """Not signed in, as mail programs are, and with no token of ours."""
    return Client(enforce_csrf_checks=True, **kwargs)


def test_a_scanner_that_opens_the_link_changes_nothing(link):
    for call in ("get", "head"):
        assert getattr(stranger(), call)(link).status_code == 200

    assert not Preference.objects.exists()


def test_one_click_in_the_mail_program_ends_it(link):
    response = stranger().post(link, {"List-Unsubscribe": "One-Click"})

    assert response.status_code == 200
    assert preferences.of("user:1")["reminders", "email"] is False
    assert preferences.of("user:1")["reminders", "sms"] is True
    assert "sessionid" not in response.cookies


def test_whoever_ended_it_by_mistake_begins_anew(link):
    stranger().post(link)
    stranger().post(link, {"again": "1"})

    assert preferences.of("user:1")["reminders", "email"] is True


@pytest.mark.parametrize("broken", [lambda link: link[:-2] + "/", lambda link: link + "x/"])
def test_a_link_nobody_signed_is_not_one(link, broken):
    response = stranger().post(broken(link))

    assert response.status_code == 404
    assert not Preference.objects.exists()


def test_the_page_names_nobody(link):
    page = stranger().get(link).content.decode()

    assert "z@example.com" not in page
    assert "user:1" not in page


# --- browsers -------------------------------------------------------------------------------------


@pytest.fixture
def push(settings):
    settings.VAPID_PRIVATE_KEY = VAPID
    settings.WEBHOOK_ALLOW_PRIVATE = True


def test_without_keys_nothing_is_offered(client, me):
    assert "data-push" not in client.get(PAGE).content.decode()
    client.post(ADD, BROWSER)
    assert not PushSubscription.objects.exists()


@pytest.mark.usefixtures("push")
def test_a_browser_is_added_once_and_all_are_removed(client, me):
    assert "data-push" in client.get(PAGE).content.decode()
    for _time in range(2):
        client.post(ADD, BROWSER)

    (subscription,) = PushSubscription.objects.all()
    assert subscription.recipient == f"user:{me.pk}"
    assert subscription.key == BROWSER["key"]

    client.post(reverse("accounts:remove_browsers"))
    assert not PushSubscription.objects.exists()


@pytest.mark.usefixtures("push")
def test_who_signs_in_at_the_same_browser_takes_it_over(client, me):
    client.post(ADD, BROWSER)
    other = CandidateFactory().user
    client.force_login(other)

    client.post(ADD, BROWSER)

    assert PushSubscription.objects.get().recipient == f"user:{other.pk}"


def sign_in(client, user):
    client.post(reverse("accounts:sign_in"), {"identifier": user.mobile, "password": PASSWORD})


@pytest.fixture
def at_their_phone(client, push):
    """Somebody has signed in, and is told there."""
    user = CandidateFactory().user
    sign_in(client, user)
    client.post(ADD, BROWSER)
    assert PushSubscription.objects.get().recipient == f"user:{user.pk}"
    return user


def test_a_browser_shows_nothing_once_its_owner_signs_out(client, at_their_phone):
    elsewhere = preferences.add_browser(
        f"user:{at_their_phone.pk}", endpoint="https://93.184.215.14/y", key="x", secret="x"
    )

    client.post(reverse("accounts:sign_out"))

    assert PushSubscription.objects.get() == elsewhere


def test_whoever_signs_in_next_is_not_shown_what_another_is_sent(client, at_their_phone):
    """Whose session merely ran out did not sign out."""
    del client.cookies["sessionid"]
    sign_in(client, at_their_phone)
    assert PushSubscription.objects.exists()  # the same person again

    del client.cookies["sessionid"]
    sign_in(client, CandidateFactory().user)

    assert not PushSubscription.objects.exists()


def test_a_cookie_somebody_wrote_ends_nothing(client, at_their_phone):
    stranger = Client()
    stranger.cookies["browser"] = str(PushSubscription.objects.get().pk)

    sign_in(stranger, CandidateFactory().user)

    assert PushSubscription.objects.exists()


def test_a_new_password_leaves_only_the_browser_it_was_given_in(client, at_their_phone):
    here = PushSubscription.objects.get()
    preferences.add_browser(here.recipient, endpoint="https://93.184.215.14/y", key="x", secret="x")

    client.post(
        reverse("accounts:change_password"),
        {"current_password": PASSWORD, "new_password1": NEW, "new_password2": NEW},
    )

    assert PushSubscription.objects.get() == here


@pytest.mark.usefixtures("push")
def test_the_oldest_browser_makes_room(client, me):
    for number in range(preferences.BROWSERS + 2):
        client.post(ADD, BROWSER | {"endpoint": f"https://93.184.215.14/{number}"})

    kept = PushSubscription.objects.values_list("endpoint", flat=True)
    assert len(kept) == preferences.BROWSERS
    assert "https://93.184.215.14/0" not in kept


@pytest.mark.usefixtures("push")
@pytest.mark.parametrize(
    "wrong",
    [
        {"endpoint": "http://93.184.215.14/x"},
        {"endpoint": "https://127.0.0.1/x"},
        {"endpoint": "file:///etc/passwd"},
        {"endpoint": ""},
        {"key": "short"},
        {"secret": "not base64!"},
    ],
)
def test_what_no_browser_gives_is_not_kept(client, me, settings, wrong):
    settings.WEBHOOK_ALLOW_PRIVATE = False

    response = client.post(ADD, BROWSER | wrong)

    assert response.status_code == 302
    assert not PushSubscription.objects.exists()
