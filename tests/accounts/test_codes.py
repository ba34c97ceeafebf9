"""One-time codes by SMS: signing in, resetting, and every way of not succeeding."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import codes, throttling
from accounts.codes import Verdict
from notifications.models import Notification
from tests.factories import PASSWORD, CandidateFactory, UserFactory

pytestmark = pytest.mark.django_db

REQUEST = "/sign-in/code/"
CONFIRM = "/sign-in/code/confirm/"
AGAIN = "/sign-in/code/again/"
NATIONAL_ID = "11010519491231002X"


def ask(client, identifier, **extra):
    return client.post(REQUEST, {"identifier": identifier, **extra})


def confirm(client, code):
    return client.post(CONFIRM, {"code": code})


def signed_in(client):
    return client.session.get("_auth_user_id")


def other_than(code):
    return f"{(int(code) + 1) % 10**6:06}"


@pytest.mark.parametrize("typed", ["138 0000 0001", NATIONAL_ID])
def test_candidate_signs_in_by_code(client, sent, typed):
    user = UserFactory(mobile="+8613800000001", national_id=NATIONAL_ID)

    assert ask(client, typed).url == CONFIRM
    notification = Notification.objects.get(event="sign_in_code")
    response = confirm(client, sent("sign_in_code")["code"])

    assert response.url == reverse("home")
    assert signed_in(client) == str(user.pk)
    assert (notification.channel, notification.address) == ("sms", "+8613800000001")
    assert notification.params["minutes"] == 10


def test_code_with_spaces_is_the_code(client, sent):
    ask(client, UserFactory().mobile)
    code = sent("sign_in_code")["code"]

    assert confirm(client, f" {code[:3]} {code[3:]} ").status_code == 302


def test_next_is_carried_through(client, sent):
    ask(client, UserFactory().mobile, next="/me/")

    assert confirm(client, sent("sign_in_code")["code"]).url == "/me/"


def test_imported_candidate_chooses_a_password_after_the_first_code(client, sent):
    user = CandidateFactory().user
    user.set_unusable_password()
    user.save()
    ask(client, user.mobile, next="/me/")

    response = confirm(client, sent("sign_in_code")["code"])
    assert response.url == "/password/set/?next=%2Fme%2F"
    assert 'href="/me/">Not now' in client.get(response.url).content.decode()
    chosen = client.post(
        "/password/set/",
        {"new_password1": "eine lange Nacht", "new_password2": "eine lange Nacht", "next": "/me/"},
    )

    assert chosen.url == "/me/"
    assert signed_in(client) == str(user.pk)
    user.refresh_from_db()
    assert user.check_password("eine lange Nacht")
    assert not Notification.objects.filter(event="password_changed").exists()


def test_code_is_nowhere_but_in_the_message(client, sent):
    user = UserFactory()
    ask(client, user.mobile)
    code = sent("sign_in_code")["code"]

    session = str(dict(client.session))
    assert code not in session
    assert user.mobile not in session
    assert user.mobile not in client.get(CONFIRM).content.decode()


@pytest.mark.parametrize("url", [REQUEST, "/password/forgotten/"])
def test_unknown_number_gets_the_same_answers_and_no_message(url):
    known, unknown = Client(), Client()
    user = UserFactory(mobile="+8613800000001")
    pages = []
    for client, number in [(known, "13800000001"), (unknown, "13800000002")]:
        asked = client.post(url, {"identifier": number})
        shown = client.get(CONFIRM)
        wrong = confirm(client, "000000")
        again = client.post(AGAIN)
        pages.append(
            [
                (asked.status_code, asked.url),
                (shown.status_code, _without_tokens(shown, number)),
                (wrong.status_code, _without_tokens(wrong, number)),
                (again.status_code, _without_tokens(again, number)),
            ]
        )

    assert pages[0] == pages[1]
    assert [n.recipient for n in Notification.objects.all()] == [f"user:{user.pk}"]


def _without_tokens(response, number):
    page = re.sub(r'csrfmiddlewaretoken" value="\w+"', "", response.content.decode())
    page = re.sub(r"in \d+ seconds?", "in a while", page)
    return page.replace(number[-4:], "0000")


@pytest.mark.parametrize("person", ["unknown", "inactive", "without mobile"])
def test_nobody_is_told_where_nobody_may_sign_in(client, person):
    UserFactory(
        mobile=None if person == "without mobile" else "+8613800000001",
        national_id=NATIONAL_ID,
        is_active=person != "inactive",
    )

    response = ask(client, "13800000009" if person == "unknown" else NATIONAL_ID)

    assert response.url == CONFIRM
    assert not Notification.objects.exists()


@pytest.mark.parametrize("number", ["13800000001", "13800000002"])
def test_known_and_unknown_take_the_same_time(client, monkeypatch, number):
    UserFactory(mobile="+8613800000001")
    monkeypatch.setattr(throttling, "ANSWER_SECONDS", 0.3)
    started = time.perf_counter()

    ask(client, number)

    assert time.perf_counter() - started >= 0.3


def test_wrong_code_is_refused_with_a_message(client, sent):
    ask(client, UserFactory().mobile)

    response = confirm(client, other_than(sent("sign_in_code")["code"]))

    assert response.status_code == 200
    assert response.context["form"].errors["code"] == [
        "That is not the code we sent. Look at the newest message."
    ]
    assert not signed_in(client)


@pytest.mark.parametrize(
    "code", ["", "12345", "1234567", "abcdef", "12\x003456", "１２３４５６", "1" * 10_000]
)
def test_what_is_no_code_costs_no_try(client, sent, code):
    ask(client, UserFactory().mobile)
    for _ in range(6):
        assert confirm(client, code).status_code == 200

    assert confirm(client, sent("sign_in_code")["code"]).status_code == 302


def test_fifth_wrong_try_is_the_last(client, sent):
    ask(client, UserFactory().mobile)
    code = sent("sign_in_code")["code"]
    for _ in range(5):
        assert confirm(client, other_than(code)).status_code == 200

    response = confirm(client, code)

    assert response.status_code == 429
    assert response.context["form"].errors["code"] == [
        "This code is no longer valid. Ask for a new one below."
    ]
    assert not signed_in(client)


def test_four_wrong_tries_leave_a_fifth(client, sent):
    ask(client, UserFactory().mobile)
    code = sent("sign_in_code")["code"]
    for _ in range(4):
        confirm(client, other_than(code))

    assert confirm(client, code).status_code == 302


@pytest.mark.parametrize(("age", "status"), [(599, 302), (601, 429)])
def test_code_expires_after_ten_minutes(client, sent, age, status):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        ask(client, UserFactory().mobile)
        clock.shift(timedelta(seconds=age))

        assert confirm(client, sent("sign_in_code")["code"]).status_code == status


def test_code_works_once(client, sent):
    ask(client, UserFactory().mobile)
    code = sent("sign_in_code")["code"]
    before = dict(client.session)
    confirm(client, code)
    client.post("/sign-out/")

    assert confirm(client, code).url == REQUEST
    session = client.session
    session.update(before)
    session.save()
    client.cookies["sessionid"] = session.session_key
    assert confirm(client, code).status_code == 429
    assert not signed_in(client)


def test_two_right_answers_at_once_count_once():
    token, code = codes.issue()

    with ThreadPoolExecutor(8) as pool:
        verdicts = list(pool.map(lambda _: codes.check(token, code), range(5)))

    assert verdicts.count(Verdict.RIGHT) == 1


def test_someone_elses_code_does_not_fit(sent):
    mine, theirs = Client(), Client()
    ask(mine, UserFactory().mobile)
    my_code = sent("sign_in_code")["code"]
    ask(theirs, UserFactory().mobile)
    their_code = sent("sign_in_code")["code"]

    assert confirm(theirs, my_code).status_code == 200 or my_code == their_code
    assert confirm(mine, my_code).status_code == 302


def test_asking_for_someone_else_spoils_nothing_of_theirs(sent):
    owner, stranger = Client(), Client()
    user = UserFactory()
    ask(owner, user.mobile)
    code = sent("sign_in_code")["code"]

    refused = ask(stranger, user.mobile)
    for _ in range(6):
        confirm(stranger, other_than(code))

    assert refused.status_code == 429
    assert confirm(owner, code).status_code == 302


def test_two_tabs_share_the_newest_number(client, sent):
    first, second = UserFactory(), UserFactory()
    ask(client, first.mobile)
    first_code = sent("sign_in_code")["code"]
    ask(client, second.mobile)
    second_code = sent("sign_in_code")["code"]

    assert confirm(client, first_code).status_code == 200 or first_code == second_code
    assert confirm(client, second_code).status_code == 302
    assert signed_in(client) == str(second.pk)
    assert confirm(client, second_code).url == reverse("home")


def test_another_code_may_be_had_after_a_minute(client, sent):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        ask(client, UserFactory().mobile)
        first = sent("sign_in_code")["code"]
        clock.shift(timedelta(seconds=15))
        page = client.get(CONFIRM).content.decode()
        early = client.post(AGAIN)
        clock.shift(timedelta(seconds=46))
        again = client.post(AGAIN)
        second = sent("sign_in_code")["code"]

        assert "You can ask for another one in 45 seconds." in page
        assert early.status_code == 429
        assert early.context["form"].non_field_errors() == [
            "Too many tries. Try again in 45 seconds."
        ]
        assert again.url == CONFIRM
        assert confirm(client, first).status_code == 200 or first == second
        assert confirm(client, second).status_code == 302


def test_five_codes_an_hour(client):
    user = UserFactory()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(5):
            assert ask(client, user.mobile).status_code == 302
            clock.shift(timedelta(seconds=61))
        refused = ask(client, user.mobile)
        clock.shift(timedelta(hours=1))
        allowed = ask(client, user.mobile)

    assert refused.status_code == 429
    assert refused.context["form"].non_field_errors() == [
        "Too many tries. Try again in 55 minutes."
    ]
    assert user.mobile in refused.content.decode()
    assert allowed.status_code == 302


@pytest.mark.parametrize("url", [CONFIRM, AGAIN])
def test_without_asking_first_there_is_nothing_to_confirm(client, url):
    assert client.get(url).url == REQUEST
    assert client.post(url, {"code": "123456"}).url == REQUEST


def test_get_sends_nothing(client):
    ask(client, UserFactory().mobile)
    for url in [REQUEST, CONFIRM, AGAIN, "/password/forgotten/"]:
        client.get(url)

    assert Notification.objects.count() == 1


def test_person_switched_off_meanwhile_stays_out(client, sent):
    user = UserFactory()
    ask(client, user.mobile)
    user.is_active = False
    user.save()

    assert confirm(client, sent("sign_in_code")["code"]).status_code == 200
    assert not signed_in(client)


def test_session_key_changes_at_sign_in(client, sent):
    ask(client, UserFactory().mobile)
    before = client.session.session_key

    confirm(client, sent("sign_in_code")["code"])

    assert client.session.session_key != before


def test_password_still_works_beside_codes(client):
    user = UserFactory()
    ask(client, user.mobile)

    response = client.post("/sign-in/", {"identifier": user.mobile, "password": PASSWORD})

    assert response.status_code == 302
