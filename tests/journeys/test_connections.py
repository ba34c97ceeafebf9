"""An administrator connects another system: a token for it, and a webhook to it."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts import api_tokens
from accounts.models import ApiToken
from accounts.scopes import Scope
from interviews.models import Platform
from notifications import webhooks
from notifications.models import Webhook
from tests.contracts.api import Caller
from tests.factories import DepartmentFactory, InterviewFactory, UserFactory
from tests.interviews.platforms import booked_on, platform_for, vendor_listening, with_a_past
from tests.journeys.visitor import either_language

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HOME = reverse("cancellations:connections")


@pytest.fixture
def administrator():
    return UserFactory(administrator=True)


@pytest.fixture
def lead():
    return UserFactory(lead=True, name="李四", departments=[DepartmentFactory()])


def test_administrator_issues_a_token_and_revokes_it(visit, administrator, lead):
    desk = visit(administrator, width=1280, height=800)
    desk.opens(reverse("cancellations:settings"))
    desk.follows("Connections")
    desk.follows("Issue a token")
    desk.writes("What is it for?", "Applicant tracker")
    desk.page.get_by_label("Acts as").select_option(label="李四 · HR lead")
    desk.chooses("Read and search interviews")
    desk.presses("Issue the token")

    desk.sees("It is shown this once")
    secret = desk.page.locator(".connections-secret").inner_text().strip()
    assert re.fullmatch(r"mianyue_[\w-]{43}", secret)
    caller = Caller(HTTP_AUTHORIZATION=f"Token {secret}")
    assert caller.get("/api/v1/interviews/").status_code == 200

    desk.follows("Done")
    desk.follows("Revoke")
    desk.presses("Revoke")
    desk.sees("opens nothing any more")
    assert caller.get("/api/v1/interviews/").status_code == 401
    assert not desk.complaints


@either_language
def test_connections_have_nothing_for_axe_to_find(visit, administrator, lead, language, width):
    administrator.language = language
    administrator.save()
    for name in ("Applicant tracker", "ERP"):
        api_tokens.issue_token(
            name,
            acts_as=lead,
            scopes=list(Scope),
            expires_at=timezone.now() + timedelta(days=90),
            by=administrator,
        )
    token = ApiToken.objects.first()
    hook = Webhook.objects.create(
        name="Applicant tracker",
        url="https://tracker.example/hooks/mianyue/events?tenant=electronics-shenzhen",
        secret="x",
        audiences=[each.audience for each in lead.departments.all()],
        events=["cancelled", "booked"],
    )
    off = Webhook.objects.create(name="ERP", url="https://erp.example/", secret="x")
    for _ in range(3):
        webhooks.ping(hook.pk)
    for outcome in (
        webhooks.Outcome(200, "", 38),
        webhooks.Outcome(500, "http_500", 12),
        webhooks.Outcome(None, "timeout", 10004),
    ):
        Webhook.objects.update(rests_until=None)
        webhooks.finish(webhooks.claim(timezone.now()), outcome)
    webhooks.switch(off.pk, on=False)

    found = visit(administrator, width=width).faults_of(
        [
            HOME,
            reverse("cancellations:new_token"),
            reverse("cancellations:revoke_token", args=[token.pk]),
            reverse("cancellations:new_webhook"),
            reverse("cancellations:webhook", args=[hook.pk]),
            reverse("cancellations:webhook", args=[off.pk]),
            reverse("cancellations:edit_webhook", args=[hook.pk]),
            reverse("cancellations:act_on_webhook", args=[hook.pk, "secret"]),
        ]
    )

    assert found == {}


PLATFORMS = reverse("interviews:platforms")


def of_platform(name, *args):
    return reverse(f"interviews:{name}", args=args)


def test_administrator_connects_a_platform(visit, administrator, settings):
    settings.WEBHOOK_ALLOW_HTTP = settings.WEBHOOK_ALLOW_PRIVATE = True
    with vendor_listening("alder") as (fake, platform):
        vendor, address = fake.vendor, platform.base_url
        platform.delete()
        desk = visit(administrator, width=1280, height=800)
        desk.opens(reverse("cancellations:settings"))
        desk.follows("Interview platforms")
        desk.follows("Add a platform")
        desk.follows("Alder")
        desk.writes("Name", "Alder")
        desk.writes("Name in addresses", "alder")
        desk.writes("Address of its API", address)
        desk.page.get_by_label("Client id or app key").fill(vendor.client_id)
        desk.page.get_by_label("Secret", exact=True).fill(vendor.secret)
        desk.presses("Save")

        desk.sees("It is shown this once")
        secret = desk.page.locator(".connections-secret").inner_text().strip()
        assert Platform.objects.get().webhook_secret == secret
        desk.follows("Done")
        desk.presses("Test the connection")
        desk.sees("It answers.")
        assert secret not in desk.page.content()
        assert not desk.complaints


@either_language
def test_platforms_have_nothing_for_axe_to_find(visit, administrator, language, width):
    administrator.language = language
    administrator.save()
    desk = visit(administrator, width=width)
    assert desk.faults_of([PLATFORMS]) == {}
    platform = platform_for("alder", url="https://api.alder.example/eu/interviews")
    off = platform_for("birch", is_active=False)
    first = booked_on(platform)
    position = first.position
    with_a_past(platform, [first, *(InterviewFactory(position=position) for _ in range(2))])

    found = desk.faults_of(
        [
            PLATFORMS,
            of_platform("new_platform"),
            of_platform("new_platform") + "?example=birch",
            of_platform("platform", "alder"),
            of_platform("platform", "alder") + "?log=calls",
            of_platform("platform", off.slug),
            of_platform("edit_platform", "alder"),
            of_platform("act_on_platform", "alder", "secret"),
            reverse("cancellations:desk_interview", args=[first.reference]),
        ]
    )

    assert found == {}
