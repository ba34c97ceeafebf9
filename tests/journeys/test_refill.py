"""A place comes free: who waits is asked, takes it, or passes; and what else than cancelling."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from interviews.models import Interview, Slot
from interviews.refill.links import token_of
from interviews.refill.models import Offer, WaitingEntry
from interviews.states import InterviewStatus
from tests.factories import (
    InterviewFactory,
    OfferFactory,
    SlotFactory,
    UserFactory,
    WaitingEntryFactory,
)
from tests.journeys.visitor import either_language

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

either_way = pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "no_scripts"])
LOCALES = {"zh-hans": "zh-CN", "en": "en-US"}


def given_an_offer() -> Offer:
    return OfferFactory()


def given_an_interview_and_another_time() -> tuple[Interview, Slot]:
    interview = InterviewFactory(starts_in=timedelta(days=3))
    start = timezone.now() + timedelta(days=5)
    return interview, SlotFactory(position=interview.position, starts_at=start)


def status_of(interview: Interview) -> str:
    return Interview.objects.get(pk=interview.pk).status


@either_way
def test_whoever_holds_the_link_takes_the_place_without_signing_in(visit, javascript):
    offer = given_an_offer()
    visitor = visit(javascript=javascript)

    visitor.opens(reverse("refill:by_link", args=[token_of(offer.reference)]))
    visitor.sees("A time has come free. Would you like it?")
    visitor.presses("Take this time")

    visitor.sees("This time is yours")
    assert Offer.objects.get().state == "accepted"
    visitor.follows("Sign in to see it")
    visitor.sees("Sign in")


@either_way
def test_from_the_card_on_top_of_my_interviews(visit, javascript):
    offer = given_an_offer()
    visitor = visit(offer.entry.candidate.user, javascript=javascript)

    visitor.opens(reverse("cancellations:mine"))
    visitor.presses("Not this time")

    visitor.sees("Thank you for telling us")
    assert Offer.objects.get().state == "declined"
    visitor.follows("My interviews")
    assert "Take this time" not in visitor.page.content()


@either_way
def test_who_has_no_time_then_moves_in_one_press_instead_of_cancelling(visit, javascript):
    interview, other = given_an_interview_and_another_time()
    visitor = visit(interview.candidate.user, javascript=javascript)

    visitor.opens(reverse("cancellations:cancel", args=[interview.reference]))
    visitor.chooses("The time does not suit me")
    visitor.page.locator(f'button[value="{other.pk}"]').first.click()

    visitor.sees("Moved, not cancelled")
    assert status_of(interview) == InterviewStatus.BOOKED
    assert Interview.objects.get(pk=interview.pk).slot_id == other.pk


@either_way
def test_who_insists_takes_no_step_more(visit, javascript):
    interview, _other = given_an_interview_and_another_time()
    visitor = visit(interview.candidate.user, javascript=javascript)

    visitor.opens(reverse("cancellations:cancel", args=[interview.reference]))
    visitor.chooses("The time does not suit me")
    visitor.presses("Continue")
    visitor.sees("Would another time suit you?")
    visitor.presses("Confirm cancellation")

    visitor.sees("You are on the waiting list")
    assert status_of(interview) == InterviewStatus.CANCELLED
    assert WaitingEntry.objects.get().state == "waiting"

    visitor.presses("Offer me no more times")
    visitor.sees("You are off the waiting list")
    assert WaitingEntry.objects.get().state == "left"


@either_way
def test_after_a_cancellation_one_applies_again_and_joins_the_talent_pool(visit, javascript):
    interview = InterviewFactory(status="cancelled", slot=None)
    visitor = visit(interview.candidate.user, javascript=javascript)

    visitor.opens(reverse("cancellations:interview", args=[interview.reference]))
    visitor.follows("Keep my résumé in the talent pool for later positions")
    visitor.presses("I agree: keep my résumé")
    visitor.sees("Leave the talent pool")

    visitor.opens(reverse("cancellations:interview", args=[interview.reference]))
    visitor.presses("Apply for this position again")
    visitor.sees("You have applied again, and are invited. Choose a time.")
    assert Interview.objects.filter(status="invited").count() == 1


def test_hr_sees_who_waits_and_offers_a_free_time(visit):
    entry = WaitingEntryFactory()
    SlotFactory(position=entry.position, starts_at=timezone.now() + timedelta(days=2))
    lead = UserFactory(lead=True, departments=[entry.position.department])
    visitor = visit(lead, width=1280)

    visitor.opens(reverse("refill:index"))
    visitor.follows(entry.position.title)
    visitor.presses("Offer it")

    visitor.sees(f"Offered to {entry.candidate.user.name}.")
    assert entry.offers.count() == 1


@either_language
def test_pages_are_whole_in_both_languages_and_sizes(visit, language, width):
    offer = given_an_offer()
    candidate, position = offer.entry.candidate.user, offer.slot.position
    interview, _other = given_an_interview_and_another_time()
    lead = UserFactory(lead=True, departments=[position.department], language=language)
    for user in (candidate, interview.candidate.user):
        user.language = language
        user.save()
    cancelled = offer.entry.interview
    pages = [
        (candidate, reverse("refill:offer", args=[offer.reference])),
        (candidate, reverse("cancellations:mine")),
        (candidate, reverse("cancellations:interview", args=[cancelled.reference])),
        (candidate, reverse("talent_pool:mine")),
        (interview.candidate.user, reverse("cancellations:cancel", args=[interview.reference])),
        (lead, reverse("refill:index")),
        (lead, reverse("refill:position", args=[position.pk])),
    ]
    for user, path in pages:
        visitor = visit(user, width=width, locale=LOCALES[language])
        assert visitor.faults_of([path]) == {}


def test_enter_among_the_reasons_goes_on_and_presses_no_time(visit):
    interview, _other = given_an_interview_and_another_time()
    visitor = visit(interview.candidate.user)

    visitor.opens(reverse("cancellations:cancel", args=[interview.reference]))
    visitor.chooses("The time does not suit me")
    visitor.page.keyboard.press("Enter")

    visitor.sees("Would another time suit you?")
    assert Interview.objects.get(pk=interview.pk).slot_id == interview.slot_id
