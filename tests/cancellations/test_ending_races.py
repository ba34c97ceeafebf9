"""Ending an application while its candidate acts, over connections of their own."""

import pytest
from django.db import OperationalError

from cancellations import again, consistency
from interviews.booking import services
from interviews.booking.services import reach_stage
from interviews.models import Application, Interview, Stage
from interviews.refill import services as refill
from interviews.states import HOLDS_A_SLOT, InterviewStatus
from tests.cancellations.test_races import at_once
from tests.factories import (
    ApplicationFactory,
    FreedPlaceFactory,
    InterviewFactory,
    OfferFactory,
    SlotFactory,
    UserFactory,
    WaitingEntryFactory,
)

pytestmark = pytest.mark.django_db(transaction=True)
LIVES = [InterviewStatus.INVITED, *HOLDS_A_SLOT]


def nothing_lives_under_an_ended_application() -> bool:
    ended = Interview.objects.filter(application__stage=Stage.ENDED, status__in=LIVES)
    return not ended.exists() and not list(consistency.check())


@pytest.mark.parametrize("_round", range(4))
def test_booking_inviting_and_taking_an_offer_leave_nothing_standing(_round):
    lead = UserFactory(administrator=True)
    invited = InterviewFactory(invited=True)
    slot = SlotFactory(position=invited.position)
    screened = ApplicationFactory(stage=Stage.SCREENED)
    entry = WaitingEntryFactory()
    offer = OfferFactory(
        entry=entry, place=FreedPlaceFactory(slot__position=entry.position, slot__booked=1)
    )

    results = at_once(
        lambda: services.book(invited.reference, slot.pk, by=invited.candidate.user),
        lambda: reach_stage(invited.application, Stage.ENDED, by=lead),
        lambda: reach_stage(screened, Stage.AI_INTERVIEW, by=lead),
        lambda: reach_stage(screened, Stage.ENDED, by=lead),
        lambda: refill.accept(offer.reference),
        lambda: reach_stage(entry.application, Stage.ENDED, by=lead),
    )

    assert not any(isinstance(each, OperationalError) for each in results)  # no deadlock
    applications = Application.objects.filter(pk__in=[invited.application_id, entry.application_id])
    assert {each.stage for each in applications} == {Stage.ENDED}
    assert nothing_lives_under_an_ended_application()


@pytest.mark.parametrize("_round", range(4))
def test_who_takes_an_offer_and_applies_again_at_once_has_one_appointment(_round):
    entry = WaitingEntryFactory()
    user = entry.candidate.user
    offer = OfferFactory(
        entry=entry, place=FreedPlaceFactory(slot__position=entry.position, slot__booked=1)
    )

    results = at_once(
        lambda: refill.accept(offer.reference),
        lambda: again.apply_again(entry.interview.reference, by=user),
    )

    assert not any(isinstance(each, OperationalError) for each in results)
    mine = Interview.objects.filter(application__candidate=entry.candidate, status__in=LIVES)
    assert mine.count() == 1
    assert nothing_lives_under_an_ended_application()
