"""History at the desk in a real browser."""

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connection
from django.urls import reverse
from playwright.sync_api import expect

from cancellations import services
from cancellations.models import Policy
from interviews.seals import seal_history
from tests.database import without_triggers
from tests.factories import CancellationFactory, DepartmentFactory, UserFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGE = reverse("cancellations:history")


@pytest.fixture
def department():
    return DepartmentFactory(name="制造部")


@pytest.fixture
def lead(department):
    return UserFactory(lead=True, name="周莉", departments=[department])


@pytest.fixture
def decided(department, lead):
    cancellation = CancellationFactory(
        interview__department=department, interview__starts_in=timedelta(hours=2)
    )
    return services.decline_cancellation(cancellation.pk, by=lead)


def test_lead_reads_who_decided_and_finds_what_was_tampered_with(visit, lead, decided):
    desk = visit(lead, width=1280, height=800)
    desk.opens(f"{PAGE}?interview={decided.interview.reference}")
    expect(desk.page.locator("tbody tr").first).to_contain_text("Cancellation declined")
    expect(desk.page.locator("tbody tr").first).to_contain_text("周莉")
    desk.page.get_by_role("button", name="Verify").click()
    expect(desk.page.locator(".verified")).to_contain_text("Nothing was changed")

    with without_triggers(), connection.cursor() as cursor:
        cursor.execute("UPDATE interviews_historyentry SET actor = 'user:0' WHERE sequence = 2")
    desk.page.get_by_role("button", name="Verify").click()

    expect(desk.page.locator(".verified")).to_contain_text("Somebody changed this history.")
    expect(desk.page.locator(".verified")).to_contain_text("entry 2:")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_history_has_nothing_for_axe_to_find(visit, department, lead, decided, language, scheme):
    administrator = UserFactory(administrator=True, language=language)
    lead.language = language
    lead.save()
    policy = Policy.objects.create(name="Plant", department=department)
    policy.promised_minutes = 30
    policy.save()
    seal_history()
    problems = {}
    for user, width, path in [
        (lead, 1280, PAGE),
        (lead, 768, f"{PAGE}?actor=candidate"),
        (lead, 390, PAGE),
        (lead, 1280, f"{PAGE}?since=0001-01-01"),
        (lead, 1280, reverse("cancellations:configuration_history")),
        (lead, 390, reverse("cancellations:configuration_history")),
        (administrator, 1280, reverse("cancellations:history_seals")),
        (administrator, 390, reverse("cancellations:history_seals")),
    ]:
        desk = visit(user, width=width, height=800)
        desk.page.emulate_media(color_scheme=scheme)
        desk.opens(path)
        for tool in desk.page.locator(".tool").all():
            tool.evaluate("each => { each.open = true }")
        found = Axe().run(desk.page).response["violations"]
        found = [f"{each['id']}: {each['nodes'][0]['html']}" for each in found] + desk.complaints
        if desk.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append("wider than the screen")
        if found:
            problems[f"{path} at {width}"] = found
    assert problems == {}
