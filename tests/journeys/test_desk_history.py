"""History at the desk in a real browser."""

from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from cancellations import services
from cancellations.models import Policy
from interviews.models import AccessLog, RemovedInterview
from interviews.seals import seal_history
from tests.database import without_triggers
from tests.factories import CancellationFactory, DepartmentFactory, UserFactory
from tests.journeys.visitor import either_language

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


@either_language
def test_history_has_nothing_for_axe_to_find(visit, department, lead, decided, language, width):
    administrator = UserFactory(administrator=True, language=language)
    lead.language = language
    lead.save()
    policy = Policy.objects.create(name="Plant", department=department)
    policy.promised_minutes = 30
    policy.save()
    seal_history()
    interview = decided.interview
    AccessLog.objects.create(
        action="revealed", by=lead, subject=interview.subject, detail={"what": ["mobile"]}
    )
    RemovedInterview.objects.create(
        reference="8Q2M7KX4TB", entry=0, event="imported", actor="import", at=timezone.now(),
        data={"source": "old_ats"}, hash="0" * 64, removed_by=lead, removed_at=timezone.now(),
        job="7K2M9QX4TB",
    )  # fmt: skip
    found = {}

    desk = visit(lead, width=width)
    for path in (
        PAGE,
        f"{PAGE}?actor=candidate",
        f"{PAGE}?since=0001-01-01",
        reverse("cancellations:configuration_history"),
        reverse("cancellations:looked_at"),
        f"{reverse('cancellations:looked_at')}?action=exported",
    ):
        desk.opens(path)
        desk.opens_folds(".tool")
        found[path] = desk.faults()
    found |= visit(administrator, width=width).faults_of(
        [
            reverse("cancellations:removed_interviews"),
            reverse("cancellations:history_seals"),
        ]
    )

    assert {path: faults for path, faults in found.items() if faults} == {}
