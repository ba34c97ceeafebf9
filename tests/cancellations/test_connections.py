"""The desk's pages of tokens and webhooks."""

import re

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone

from accounts import tokens
from accounts.models import ApiToken
from accounts.scopes import Scope
from config.references import new_reference
from notifications import webhooks
from notifications.models import State, Webhook, WebhookDelivery
from tests.contracts.api import Caller
from tests.factories import DepartmentFactory, UserFactory

pytestmark = pytest.mark.django_db

HOME = reverse("cancellations:connections")
TOKEN = {"name": "ATS", "scopes": [Scope.READ_INTERVIEWS], "days": "90"}


def numbered(form) -> dict:
    """As the page shows it: with a number of its own."""
    return {**form, "number": new_reference()}


@pytest.fixture(autouse=True)
def _local_addresses(settings):
    settings.WEBHOOK_ALLOW_HTTP = settings.WEBHOOK_ALLOW_PRIVATE = True


@pytest.fixture
def desk(client):
    client.force_login(UserFactory(administrator=True))
    return client


@pytest.fixture
def lead():
    return UserFactory(lead=True, departments=[DepartmentFactory()])


@pytest.fixture
def hook():
    return Webhook.objects.create(name="ERP", url="http://127.0.0.1:9/", secret="whsec_old")


def at(name, *args):
    return reverse(f"cancellations:{name}", args=args)


def text_of(response) -> str:
    return response.content.decode()


def test_token_is_issued_shown_once_and_works(desk, lead):
    issued = desk.post(at("new_token"), numbered({**TOKEN, "acts_as": lead.pk}))

    (secret,) = re.findall(rf"{tokens.PREFIX}[\w-]{{43}}", text_of(issued))
    assert "no-store" in issued["Cache-Control"]
    caller = Caller(HTTP_AUTHORIZATION=f"Token {secret}")
    assert caller.get("/api/v1/interviews/").status_code == 200
    listed = text_of(desk.get(HOME))
    assert secret not in listed
    assert ApiToken.objects.get().hint in listed


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "\x00"}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["everything"]}, "scopes"),
        ({"scopes": [Scope.DECIDE_CANCELLATIONS]}, "scopes"),  # a recruiter decides nothing
        ({"days": "0"}, "days"),
        ({"days": "x"}, "days"),
        ({"acts_as": "0"}, "acts_as"),
        ({"acts_as": "x"}, "acts_as"),
    ],
)
def test_bad_token_form_says_why_and_issues_nothing(desk, change, field):
    recruiter = UserFactory(recruiter=True)

    response = desk.post(at("new_token"), numbered({**TOKEN, "acts_as": recruiter.pk, **change}))

    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert not ApiToken.objects.exists()


def test_candidate_is_nobody_to_act_as(desk):
    response = desk.post(at("new_token"), {**TOKEN, "acts_as": UserFactory().pk})

    assert list(response.context["form"].errors) == ["acts_as"]


def test_token_is_revoked_after_a_question(desk, lead):
    desk.post(at("new_token"), numbered({**TOKEN, "acts_as": lead.pk}))
    token = ApiToken.objects.get()

    assert desk.get(at("revoke_token", token.pk)).status_code == 200
    assert ApiToken.objects.get().revoked_at is None
    desk.post(at("revoke_token", token.pk))

    assert ApiToken.objects.get().revoked_at is not None
    assert desk.get(at("revoke_token", 10**18)).status_code == 404


def test_webhook_is_added_changed_and_removed(desk):
    department = DepartmentFactory()
    form = {
        "name": "ERP",
        "url": "http://127.0.0.1:9/hooks",
        "departments": [department.pk],
        "events": ["cancelled"],
    }
    added = desk.post(at("new_webhook"), numbered(form))
    hook = Webhook.objects.get()
    assert hook.secret in text_of(added)
    assert (hook.audiences, hook.events) == ([department.audience], ["cancelled"])

    page = text_of(desk.get(at("webhook", hook.pk)))
    assert department.name in page
    assert hook.secret not in page
    shown = desk.get(at("edit_webhook", hook.pk)).context["form"]
    assert shown["events"].value() == ["cancelled"]
    desk.post(at("edit_webhook", hook.pk), {"name": "ERP 2", "url": form["url"]})
    changed = Webhook.objects.get()
    assert (changed.name, changed.audiences, changed.secret) == ("ERP 2", [], hook.secret)

    desk.post(at("act_on_webhook", hook.pk, "remove"))
    assert not Webhook.objects.exists()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "Enter the address."),
        ("ftp://x.example/", "https://"),
        ("https://user:pw@x.example/", "name and password"),
        ("https://10.0.0.1/", "private network"),
        ("https://127.0.0.1/", "private network"),
        ("https://[::1]/", "private network"),
        ("https://nowhere.invalid/", "No such host"),
        ("https://x\x00.example/", "Null characters"),
        ("x" * 2000, "at most"),
    ],
)
def test_bad_address_is_explained_and_saves_nothing(desk, settings, url, words):
    settings.WEBHOOK_ALLOW_PRIVATE = False

    response = desk.post(at("new_webhook"), numbered({"name": "ERP", "url": url}))

    assert response.status_code == 422
    assert words in str(response.context["form"].errors["url"])
    assert not Webhook.objects.exists()


def number_on(page) -> str:
    (number,) = re.findall(r'name="number" value="(\w{10})"', text_of(page))
    return number


def test_new_secret_is_made_after_a_question_and_the_old_one_signs_on_for_a_day(desk, hook):
    address = at("act_on_webhook", hook.pk, "secret")
    question = desk.get(address)
    assert Webhook.objects.get().secret == "whsec_old"

    shown = desk.post(address, {"number": number_on(question)})

    fresh = Webhook.objects.get()
    assert fresh.secret in text_of(shown)
    assert fresh.previous_secret == "whsec_old"
    assert fresh.previous_until > timezone.now()
    assert "less than a day ago" in text_of(desk.get(address))
    assert "less than a day ago" not in text_of(question)


@pytest.mark.parametrize("number", ["again", "", "x"])
def test_answer_that_shows_a_secret_is_given_once(desk, lead, hook, number):
    """Loading it again sends the form again."""
    webhook = {"name": "ERP 2", "url": hook.url}
    for address, form in (
        (at("new_token"), {**TOKEN, "acts_as": lead.pk}),
        (at("new_webhook"), webhook),
        (at("act_on_webhook", hook.pk, "secret"), {}),
    ):
        sent = {**form, "number": number_on(desk.get(address))}
        assert desk.post(address, sent).status_code == 200
        again = desk.post(address, sent if number == "again" else {**form, "number": number})
        assert said(again) == ["This form has been used. What it showed cannot be shown again."]

    assert ApiToken.objects.count() == 1
    assert Webhook.objects.count() == 2
    assert Webhook.objects.get(pk=hook.pk).previous_secret == "whsec_old"


def said(response) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def test_webhook_is_tested_switched_off_and_on(desk, hook):
    desk.post(at("act_on_webhook", hook.pk, "test"))
    assert WebhookDelivery.objects.get().event == "ping"
    assert "events are kept for 30 days" in text_of(desk.get(at("webhook", hook.pk)))
    off = desk.post(at("act_on_webhook", hook.pk, "off"))
    assert said(off) == ["ERP is switched off. Events are kept for it meanwhile."]
    assert not Webhook.objects.get().is_active
    on = desk.post(at("act_on_webhook", hook.pk, "on"))
    assert said(on)[1:] == ["ERP is switched on. What it missed is being sent."]
    assert Webhook.objects.get().is_active
    assert desk.post(at("act_on_webhook", hook.pk, "explode")).status_code == 404


def test_webhook_that_is_off_says_what_waits_and_sends_nothing_by_hand(desk, hook):
    webhooks.ping(hook.pk)
    WebhookDelivery.objects.update(state=State.FAILED)
    webhooks.ping(hook.pk)
    test, replay = at("act_on_webhook", hook.pk, "test"), at("replay_delivery", 1)[:-2]
    assert test in text_of(desk.get(at("webhook", hook.pk)))
    assert replay in text_of(desk.get(at("webhook", hook.pk)))
    webhooks.switch(hook.pk, on=False)

    page = text_of(desk.get(at("webhook", hook.pk)))
    assert "1 event waits here." in page
    assert test not in page
    assert replay not in page
    assert "Switch it on before you test it" in said(desk.post(test))[-1]
    assert WebhookDelivery.objects.count() == 2


def test_form_of_a_webhook_asks_for_who_is_told(desk):
    page = text_of(desk.get(at("new_webhook")))
    assert "name of the system that is told" in page


def test_log_says_what_became_of_each_event_and_replays_it(desk, hook):
    webhooks.ping(hook.pk)
    delivery = webhooks.claim(timezone.now())
    webhooks.finish(delivery, webhooks.Outcome(500, "http_500", 12))
    WebhookDelivery.objects.update(state=State.FAILED)

    page = text_of(desk.get(at("webhook", hook.pk)))
    assert "answered 500" in page
    assert "12 ms" in page
    assert "Failing since" in page
    assert delivery.event_id in text_of(desk.get(at("webhook", hook.pk), {"state": "failed"}))
    desk.post(at("replay_delivery", delivery.pk))
    again = WebhookDelivery.objects.get()
    assert (again.state, again.attempts) == (State.QUEUED, 0)


@pytest.mark.parametrize("rows", [1, 3])
def test_query_count_does_not_grow(desk, lead, rows, django_assert_max_num_queries):
    for _ in range(rows):
        desk.post(at("new_token"), numbered({**TOKEN, "acts_as": lead.pk}))
        hook = Webhook.objects.create(name="x", url="https://x.example/", secret="x")
        webhooks.ping(hook.pk)
        webhooks.ping(hook.pk)

    with django_assert_max_num_queries(9):
        desk.get(HOME)
    with django_assert_max_num_queries(9):
        desk.get(at("webhook", hook.pk))
