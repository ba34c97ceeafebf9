"""Every page of the portal: nothing for axe to find, nothing wider than the screen, not heavy."""

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse

from cancellations import services
from cancellations.models import Purpose, Reason
from tests.factories import CandidateFactory, InterviewFactory, UserFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WIDE = "document.documentElement.scrollWidth > innerWidth"


@pytest.fixture
def candidate():
    return CandidateFactory(user__language="")


@pytest.fixture
def pages(candidate, _defaults) -> dict[str, str]:
    """One of each kind of page, by name."""
    reason = Reason.objects.get(purpose=Purpose.CANCEL, code="time_conflict")

    def made(**details):
        return InterviewFactory(candidate=candidate, **details)

    def asked(hours):
        return services.request_cancellation(
            made(starts_in=timedelta(hours=hours)).reference, by=candidate.user, reason=reason
        )[0]

    booked, ended, soon = made(), made(completed=True), made(starts_in=timedelta(hours=3))
    cancelled, pending, declined = asked(48), asked(2), asked(2)
    services.decline_cancellation(declined.pk, by=UserFactory(lead=True), note="We wait for you.")

    def one(interview):
        return reverse("cancellations:interview", args=[interview.reference])

    def receipt(cancellation):
        return reverse("cancellations:receipt", args=[cancellation.reference])

    return {
        "mine": reverse("cancellations:mine"),
        "none matching": reverse("cancellations:mine") + "?status=no_show",
        "filter errors": reverse("cancellations:mine") + "?since=0001-01-01",
        "booked": one(booked),
        "soon": one(soon),
        "ended": one(ended),
        "cancelled": one(cancelled.interview),
        "pending": one(pending.interview),
        "declined": one(declined.interview),
        "cancel": reverse("cancellations:cancel", args=[booked.reference]),
        "receipt": receipt(cancelled),
        "receipt pending": receipt(pending),
        "check a receipt": reverse("cancellations:check_receipt") + "?number=1",
        "help": reverse("cancellations:help"),
        "not found": "/nowhere/",
        "not for candidates": reverse("cancellations:queue"),
        "api": reverse("api:docs"),
    }


def faults(visitor) -> list[str]:
    """Everything in the light; in the dark the same once more as far as colours go."""
    problems = []
    for scheme, options in (("dark", {"runOnly": ["color-contrast"]}), ("light", {})):
        visitor.page.emulate_media(color_scheme=scheme)
        found = Axe().run(visitor.page, options=options).response["violations"]
        problems += [f"{scheme}: {each['id']}: {each['nodes'][0]['html']}" for each in found]
    if visitor.page.evaluate(WIDE):
        problems.append("wider than the screen")
    return problems + visitor.complaints


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800)])
@pytest.mark.parametrize("locale", ["zh-CN", "en-US"])
def test_axe_finds_nothing_on_any_page(visit, candidate, pages, locale, width, height):
    visitor = visit(candidate.user, locale=locale, width=width, height=height)
    found = {}

    for name, path in pages.items():
        visitor.opens(path)
        for fold in visitor.page.locator("details:not(.menu) > summary").all():
            fold.click()
        found[name] = faults(visitor)
    visitor.page.locator(".brand").click()
    visitor.page.locator(".menu > summary").click()
    found["menu"] = faults(visitor)
    visitor.opens(pages["cancel"])
    visitor.page.locator('input[value="other"]').check()
    visitor.page.locator("button.button-primary").click()
    found["cancel errors"] = faults(visitor)
    visitor.page.locator("textarea").fill("A wedding in the family.")
    visitor.page.locator("button.button-primary").click()
    found["check"] = faults(visitor)

    assert {name: problems for name, problems in found.items() if problems} == {}


@pytest.mark.parametrize("name", ["mine", "booked", "receipt"])
def test_page_weighs_at_most_60_kilobytes_with_an_empty_cache(visit, candidate, pages, name):
    visitor = visit(candidate.user)
    sizes: dict[str, int] = {}
    visitor.page.on("response", lambda response: sizes.update({response.url: len(response.body())}))

    visitor.page.goto(pages[name], wait_until="networkidle")

    assert len(sizes) > 4
    assert sum(sizes.values()) <= 60 * 1024, sizes


@pytest.mark.parametrize("name", ["mine", "booked", "cancel"])
def test_targets_are_large_enough_for_a_thumb(visit, candidate, pages, name):
    visitor = visit(candidate.user)
    visitor.opens(pages[name])

    small = visitor.page.evaluate(
        """() => [...document.querySelectorAll('main a, button, header summary')]
            .filter((each) => each.offsetParent && each.getBoundingClientRect().height < 44)
            .map((each) => each.outerHTML)"""
    )

    assert [each for each in small if "link-long" not in each] == []
