"""The desk's pages of AI platforms: set one up, see how it does, act on it, and where an interview
differs."""

import json
import re

import pytest
from django.urls import reverse
from django.utils import timezone

from interviews.jobs import run_job
from interviews.models import Job, Platform, PlatformCall, PlatformEvent, PlatformLink
from interviews.platforms import http, written
from interviews.platforms.models import Difference
from tests.factories import InterviewFactory, UserFactory
from tests.interviews.platforms import (
    booked_on,
    platform_for,
    position_on,
    tell,
    vendor_listening,
)

pytestmark = pytest.mark.django_db

HOME = reverse("interviews:platforms")
NEW = reverse("interviews:new_platform")
ACTIONS = ["test", "reconcile", "on", "off", "secret"]


@pytest.fixture(autouse=True)
def _platforms_are_here(settings):
    settings.WEBHOOK_ALLOW_HTTP = settings.WEBHOOK_ALLOW_PRIVATE = True
    settings.PROVIDER_TIMEOUT = 1
    http.TOKENS._kept.clear()


@pytest.fixture
def administrator():
    return UserFactory(administrator=True)


@pytest.fixture
def desk(client, administrator):
    client.force_login(administrator)
    return client


@pytest.fixture
def platform():
    return platform_for("alder", secret="s3cret-of-ours", webhook_secret="whsec_of-theirs")


def at(name, platform, *args):
    return reverse(f"interviews:{name}", args=[platform.slug, *args])


def given(**changes):
    """What somebody types who sets Alder up."""
    return {
        "name": "Alder",
        "slug": "alder",
        "base_url": "http://127.0.0.1:9",
        "sign": "oauth",
        "client_id": "us",
        "secret": "s3cret-of-ours",
        "webhook_secret": "",
        "mapping": json.dumps(written.examples()["alder"]),
        **changes,
    }


def text_of(response) -> str:
    return response.content.decode()


# --- Who may --------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["lead", "recruiter", "viewer"])
def test_pages_are_for_administrators(client, platform, role):
    client.force_login(UserFactory(**{role: True}))
    for address in [HOME, NEW, at("platform", platform), at("edit_platform", platform)]:
        assert client.get(address).status_code == 403, address
    for action in ACTIONS:
        assert client.post(at("act_on_platform", platform, action)).status_code == 403, action

    assert Platform.objects.get().is_active
    assert not Job.objects.exists()


def test_get_changes_nothing(desk, platform):
    for action in ACTIONS:
        desk.get(at("act_on_platform", platform, action))

    assert Platform.objects.get().webhook_secret == "whsec_of-theirs"
    assert Platform.objects.get().is_active
    assert not Job.objects.exists()
    assert not PlatformCall.objects.exists()


# --- Setting one up -------------------------------------------------------------------------------


def test_platform_is_added_and_its_webhook_secret_shown_once(desk):
    response = desk.post(NEW, given())

    platform = Platform.objects.get()
    (shown,) = re.findall(r"whsec_[\w-]{43}", text_of(response))
    assert shown == platform.webhook_secret
    assert "no-store" in response["Cache-Control"]
    for address in [HOME, at("platform", platform), at("edit_platform", platform)]:
        page = text_of(desk.get(address))
        assert shown not in page, address
        assert "s3cret-of-ours" not in page, address


@pytest.mark.parametrize("vendor", ["alder", "birch"])
def test_form_begins_with_an_example_that_can_be_saved(desk, vendor):
    form = desk.get(f"{NEW}?example={vendor}").context["form"]
    mapping = form.fields["mapping"].prepare_value(form.initial["mapping"])

    desk.post(NEW, given(slug=vendor, sign=form.initial["sign"], mapping=mapping))

    assert Platform.objects.get().mapping == written.examples()[vendor]


def test_change_leaves_secrets_and_the_name_in_addresses(desk, platform):
    changed = given(name="Alder Asia", slug="other", secret="", webhook_secret="")

    response = desk.post(at("edit_platform", platform), changed)

    assert response.url == at("platform", platform)
    platform.refresh_from_db()
    assert (platform.name, platform.slug) == ("Alder Asia", "alder")
    assert (platform.secret, platform.webhook_secret) == ("s3cret-of-ours", "whsec_of-theirs")


def test_what_was_typed_is_kept_but_the_secrets(desk):
    page = text_of(desk.post(NEW, given(name="", webhook_secret="whsec_given", client_id="kept")))

    assert 'value="kept"' in page
    assert "s3cret-of-ours" not in page
    assert "whsec_given" not in page


BAD = [
    ({"name": ""}, "name", "“Name” is missing", "缺少“名称”"),
    ({"name": "x" * 101}, "name", "at most 100 characters", "100"),
    ({"name": "\x00"}, "name", "Null characters", "空字符"),
    ({"slug": "no spaces"}, "slug", "valid “slug”", "有效"),
    ({"slug": "new"}, "slug", "Choose another name", "请换一个名称"),
    ({"slug": "taken"}, "slug", "already exists", "已存在"),
    ({"base_url": "ftp://x.example"}, "base_url", "must begin with https://", "https://"),
    ({"base_url": "http://"}, "base_url", "complete web address", "完整的网址"),
    ({"base_url": "http://a:b@x.example/"}, "base_url", "Leave out name and password", "密码"),
    ({"base_url": "http://no-such-host.invalid/"}, "base_url", "No such host", "主机"),
    ({"sign": "telepathy"}, "sign", "valid choice", "有效"),
    ({"secret": ""}, "secret", "“Secret” is missing", "缺少“"),
    ({"mapping": ""}, "mapping", "“Mapping” is missing", "缺少“"),
    ({"mapping": "{"}, "mapping", "no JSON: line 1", "第 1 行"),
    ({"mapping": "[]"}, "mapping", "braces", "{ }"),
    ({"mapping": "{}"}, "mapping", "“calls” is missing", "calls"),
    ({"mapping": "[" * 60_000}, "mapping", "nested too deeply", "嵌套"),
    ({"mapping": "x" * 70_000}, "mapping", "characters", "个字"),
    ({"mapping": '{"\\ud800": 1}'}, "mapping", "no text can have", "文本"),
    ({"mapping": '{"calls": {"create": {"body": "\\u0000"}}}'}, "mapping", "no text", "文本"),
    ({"mapping": '{"days": NaN}'}, "mapping", "“NaN” is no number", "NaN"),
    ({"sign": "hmac"}, "mapping", "signature", "signature"),
]


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize(("change", "field", "english", "chinese"), BAD)
def test_bad_form_says_why_and_saves_nothing(
    desk, administrator, language, change, field, english, chinese
):
    administrator.language = language
    administrator.save()
    platform_for("birch", slug="taken")

    response = desk.post(NEW, given(**change))

    assert response.status_code == 422
    errors = " ".join(response.context["form"].errors[field])
    assert (english if language == "en" else chinese) in errors
    assert Platform.objects.count() == 1


@pytest.mark.parametrize("change", [{"base_url": "javascript:alert(1)"}, {"mapping": "null"}])
def test_bad_change_leaves_the_platform_as_it_is(desk, platform, change):
    before = Platform.objects.values().get()

    assert desk.post(at("edit_platform", platform), given(**change)).status_code == 422

    assert Platform.objects.values().get() == before


def test_address_inside_is_refused_where_it_is_not_allowed(desk, settings):
    settings.WEBHOOK_ALLOW_PRIVATE = False

    response = desk.post(NEW, given(base_url="http://127.0.0.1:9"))

    assert response.status_code == 422
    assert "private network" in response.context["form"].errors["base_url"][0]


@pytest.mark.parametrize("name", ["oak", "x" * 200])
def test_platform_that_is_not_there(desk, name):
    for route in ("platform", "edit_platform"):
        assert desk.get(reverse(f"interviews:{route}", args=[name])).status_code == 404
    address = reverse("interviews:act_on_platform", args=[name, "test"])
    assert desk.post(address).status_code == 404


def test_action_that_is_not_there(desk, platform):
    assert desk.post(at("act_on_platform", platform, "explode")).status_code == 404


# --- Acting on one --------------------------------------------------------------------------------


def said(response) -> str:
    return " ".join(str(each) for each in response.context["messages"])


def press(desk, platform, action, **fields):
    return desk.post(at("act_on_platform", platform, action), fields, follow=True)


def test_connection_is_tested(desk):
    with vendor_listening("alder") as (_fake, platform):
        assert "It answers" in said(press(desk, platform, "test"))


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize(
    ("fault", "english", "chinese"),
    [
        ("error", "it answered 500", "500"),
        ("html", "the answer is not JSON", "JSON"),
        ("hang", "no answer in time", "响应超时"),
    ],
)
def test_connection_that_fails_says_why(
    desk, administrator, settings, language, fault, english, chinese
):
    administrator.language = language
    administrator.save()
    settings.PROVIDER_TIMEOUT = 0.2
    with vendor_listening("birch") as (fake, platform):
        fake.faults = {fault: 1}
        words = said(press(desk, platform, "test"))

    assert (english if language == "en" else chinese) in words
    assert PlatformCall.objects.exists()


def test_wrong_secret_is_named(desk):
    with vendor_listening("alder") as (_fake, platform):
        Platform.objects.update(secret="wrong")
        assert "no access token" in said(press(desk, platform, "test"))


def test_mapping_that_cannot_be_used_is_said_so(desk, platform):
    Platform.objects.update(mapping={})

    assert "is missing" in said(press(desk, platform, "test"))
    assert desk.get(at("platform", platform)).status_code == 200
    assert desk.get(at("edit_platform", platform)).status_code == 200


def test_reconciling_on_demand_leaves_a_report(desk):
    with vendor_listening("alder") as (fake, platform):
        interview = booked_on(platform)
        tell(platform)
        fake.happen(fake.by_reference(interview.reference), "completed")
        number = "0123456789"

        first = press(desk, platform, "reconcile", number=number)
        again = press(desk, platform, "reconcile", number=number)
        job = Job.objects.get()
        run_job(job.pk)

    assert first.redirect_chain == again.redirect_chain
    assert reverse("interviews:job", args=[job.reference]) == first.redirect_chain[-1][0]
    page = text_of(desk.get(first.redirect_chain[-1][0]))
    assert interview.reference in page
    assert "Followed the platform" in page


def test_what_is_switched_off_is_not_reconciled(desk, platform):
    press(desk, platform, "off")
    assert not Platform.objects.get().is_active

    assert "switched off" in said(press(desk, platform, "reconcile"))
    assert not Job.objects.exists()
    press(desk, platform, "on")

    assert Platform.objects.get().is_active


def number_on(page) -> str:
    return re.search(r'name="number" value="(\w+)"', text_of(page))[1]


def test_new_webhook_secret_is_shown_once(desk, platform):
    address = at("act_on_platform", platform, "secret")
    number = number_on(desk.get(address))

    shown = text_of(desk.post(address, {"number": number}))
    again = desk.post(address, {"number": number}, follow=True)

    platform.refresh_from_db()
    assert platform.webhook_secret in shown
    assert platform.both_verify
    assert platform.webhook_secret not in text_of(again)
    assert "cannot be shown again" in said(again)


# --- What the pages show --------------------------------------------------------------------------


def differing(platform, **link):
    interview = booked_on(platform)
    PlatformLink.objects.update_or_create(
        interview=interview,
        defaults={
            "platform": platform,
            "external_id": f"ext-{interview.pk}",
            "external_status": "cancelled",
            "difference": Difference.CANCELLED,
            **link,
        },
    )
    return interview


def test_page_names_what_differs(desk, platform):
    interview = differing(platform)

    page = text_of(desk.get(at("platform", platform)))

    assert reverse("cancellations:desk_interview", args=[interview.reference]) in page
    assert "It was cancelled on the platform, and not here." in page


@pytest.mark.parametrize("rows", [1, 3])
def test_query_count_does_not_grow(desk, platform, rows, django_assert_max_num_queries):
    for number in range(rows):
        differing(platform)
        PlatformEvent.objects.create(
            platform=platform, event_id=f"e{number}", external_id="x", at=timezone.now()
        )
    with django_assert_max_num_queries(20):
        assert desk.get(at("platform", platform)).status_code == 200
    with django_assert_max_num_queries(12):
        assert desk.get(HOME).status_code == 200


@pytest.mark.parametrize("query", ["log=calls", "page=99", "page=x", "log=%00", "page=-1"])
def test_odd_addresses_show_a_page(desk, platform, query):
    PlatformCall.objects.create(platform=platform, operation="gone", error_code="http_503")

    assert desk.get(f"{at('platform', platform)}?{query}").status_code == 200


def test_interviews_page_shows_where_it_differs(client, platform):
    interview = differing(platform, scores={"total": 88.0}, wanted="book", error_code="timeout")
    PlatformLink.objects.update(not_before=timezone.now())
    lead = UserFactory(lead=True, departments=[interview.position.department])
    client.force_login(lead)

    page = text_of(client.get(reverse("cancellations:desk_interview", args=[interview.reference])))

    assert "It was cancelled on the platform, and not here." in page
    assert f"ext-{interview.pk}" in page
    assert "no answer in time" in page
    assert "88" in page
    assert at("platform", platform) not in page, "it leads where they may not go"


def test_interview_of_no_platform_says_nothing_of_one(desk):
    interview = InterviewFactory()
    page = desk.get(reverse("cancellations:desk_interview", args=[interview.reference]))

    assert "On the interview platform" not in text_of(page)


def test_position_names_its_platform(desk, platform):
    position = position_on(platform)

    assert position.title in text_of(desk.get(at("platform", platform)))
