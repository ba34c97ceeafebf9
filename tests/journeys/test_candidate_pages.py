"""Every page of the portal: no fault in any, nothing too small for a thumb, not heavy."""

from datetime import timedelta

import pytest
from django.urls import reverse

from cancellations import services
from cancellations.models import Purpose, Reason
from tests.factories import CandidateFactory, InterviewFactory, UserFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


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
    }


@pytest.mark.parametrize(("locale", "width"), [("zh-CN", 390), ("en-US", 1280)])
def test_axe_finds_nothing_on_any_page(visit, candidate, pages, locale, width):
    visitor = visit(candidate.user, locale=locale, width=width)
    found = {}

    for name, path in pages.items():
        visitor.opens(path)
        for fold in visitor.page.locator("details:not(.menu) > summary").all():
            fold.click()
        found[name] = visitor.faults()
    visitor.page.locator(".brand").click()
    visitor.page.locator(".menu > summary").click()
    found["menu"] = visitor.faults()
    visitor.opens(pages["cancel"])
    visitor.page.locator('input[value="other"]').check()
    visitor.page.locator("button.button-primary").click()
    visitor.page.locator(".error-summary").wait_for()
    found["cancel errors"] = visitor.faults()
    visitor.page.locator("textarea").fill("A wedding in the family.")
    visitor.page.locator("button.button-primary").click()
    visitor.page.locator("button.button-danger").wait_for()
    found["check"] = visitor.faults()

    assert {name: faults for name, faults in found.items() if faults} == {}


# Axe takes a minute for all of the reference, and what it says of one address it says of each.
BUT_THREE_OF_EACH = """() => {
  for (const repeated of [".ref-operation", "section:has(> h3.ref-path)"])
    [...document.querySelectorAll(repeated)].slice(3).forEach((each) => each.remove());
}"""


def test_reference_of_the_api_has_no_faults(visit):
    for locale in ("zh-CN", "en-US"):
        visitor = visit(locale=locale)
        visitor.opens(reverse("api:docs"))
        assert visitor.widths_overflown() == []

    visitor.page.evaluate(BUT_THREE_OF_EACH)

    assert visitor.faults() == []


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
