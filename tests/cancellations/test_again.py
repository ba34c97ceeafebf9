"""After an interview was called off: waiting, applying again, or not."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from cancellations import again
from cancellations.models import Cancellation
from candidates.models import Candidate
from interviews.models import Application, Interview, Stage
from interviews.refill.models import WaitingEntry
from interviews.signals import candidates_considered
from interviews.states import InterviewStatus
from notifications.models import Notification
from tests.factories import (
    ApplicationFactory,
    CancellationFactory,
    InterviewFactory,
    StageGateFactory,
    UserFactory,
    WaitingEntryFactory,
)

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def cancelled():
    return CancellationFactory(approved=True).interview


def cool(candidate, until):
    """A rule of an exit holds them off until then."""
    left = InterviewFactory(candidate=candidate, status="withdrawn", slot=None)
    return CancellationFactory(
        interview=left, approved=True, is_exit=True, outcome="automatic", cooldown_until=until
    )


def test_applying_again_ends_the_old_application_and_is_invited_by_itself(cancelled):
    user = cancelled.candidate.user

    invitation = again.apply_again(cancelled.reference, by=user)

    before = Application.objects.get(pk=cancelled.application_id)
    assert before.stage == Stage.ENDED
    assert invitation.status == InterviewStatus.INVITED
    assert invitation.application.position == before.position
    # The steps of the new application come one after the other.
    assert invitation.application.screened_at == invitation.application.applied_at
    assert invitation.application.stage == Stage.AI_INTERVIEW
    assert Notification.objects.filter(event="interview_invited").exists()


def test_applying_twice_is_one_application(cancelled):
    user = cancelled.candidate.user
    first = again.apply_again(cancelled.reference, by=user)

    assert again.apply_again(cancelled.reference, by=user) == first
    assert Application.objects.filter(candidate=cancelled.candidate).count() == 2


def test_who_applies_again_waits_no_more(cancelled):
    entry = WaitingEntryFactory(position=cancelled.position, interview=cancelled)

    again.apply_again(cancelled.reference, by=cancelled.candidate.user)

    assert WaitingEntry.objects.get(pk=entry.pk).state == "left"


def test_a_cooldown_is_respected_to_the_second(cancelled):
    now = timezone.now()
    user = cancelled.candidate.user
    cool(cancelled.candidate, now + DAY)

    with pytest.raises(again.Cooling) as refusal:
        again.apply_again(cancelled.reference, by=user)

    assert refusal.value.until == now + DAY
    assert again.cooldown_of(cancelled.candidate, now + DAY) is None
    assert again.cooldown_of(cancelled.candidate, now + DAY - timedelta(seconds=1)) == now + DAY


def test_a_cooldown_that_was_reversed_holds_nobody_off(cancelled):
    exit = cool(cancelled.candidate, timezone.now() + DAY)
    Cancellation.objects.filter(pk=exit.pk).update(status="reversed")

    assert again.apply_again(cancelled.reference, by=cancelled.candidate.user)


@pytest.mark.parametrize("status", ["booked", "completed", "no_show", "in_progress"])
def test_only_what_was_called_off_or_left_is_followed_by_another(status):
    interview = InterviewFactory(status=status)

    with pytest.raises(again.NotAgain):
        again.apply_again(interview.reference, by=interview.candidate.user)


@pytest.mark.parametrize("status", ["invited", "booked", "cancelling", "in_progress", "exiting"])
@pytest.mark.parametrize("same_application", [True, False])
def test_nobody_applies_again_beside_an_appointment(client, cancelled, status, same_application):
    application = (
        cancelled.application
        if same_application
        else ApplicationFactory(candidate=cancelled.candidate, position=cancelled.position)
    )
    made = {"invited": True} if status == "invited" else {"status": status}
    another = InterviewFactory(application=application, **made)
    user = cancelled.candidate.user
    client.force_login(user)

    with pytest.raises(again.NotAgain):
        again.apply_again(cancelled.reference, by=user)

    page = client.get(reverse("cancellations:interview", args=[cancelled.reference]))
    assert reverse("cancellations:apply_again", args=[cancelled.reference]) not in page.text
    assert Interview.objects.get(pk=another.pk).status == status
    assert Application.objects.get(pk=cancelled.application_id).stage == Stage.AI_INTERVIEW


def test_an_appointment_for_another_position_is_no_reason_against_it(cancelled):
    InterviewFactory(candidate=cancelled.candidate)

    assert again.apply_again(cancelled.reference, by=cancelled.candidate.user)


def test_who_meets_a_gate_has_applied_and_is_invited_by_hr(cancelled):
    StageGateFactory(position=cancelled.position, stage=Stage.AI_INTERVIEW)

    assert again.apply_again(cancelled.reference, by=cancelled.candidate.user) is None

    new = Application.objects.filter(candidate=cancelled.candidate).latest("pk")
    assert (new.stage, new.source) == (Stage.SCREENED, "again")
    assert Application.objects.get(pk=cancelled.application_id).stage == Stage.ENDED


def test_a_closed_position_takes_nobody(cancelled):
    cancelled.position.is_open = False
    cancelled.position.save()

    with pytest.raises(again.NotAgain):
        again.apply_again(cancelled.reference, by=cancelled.candidate.user)


def test_somebody_elses_interview_is_not_there(cancelled):
    other = InterviewFactory().candidate.user

    with pytest.raises(Interview.DoesNotExist):
        again.apply_again(cancelled.reference, by=other)


def test_who_may_not_apply_is_not_asked_out_of_the_pool_either(cancelled):
    cool(cancelled.candidate, timezone.now() + DAY)
    free = InterviewFactory().candidate
    considered = {cancelled.candidate.pk, free.pk}

    candidates_considered.send(sender=Candidate, candidates=considered, position=cancelled.position)

    assert considered == {free.pk}


# --- the page -------------------------------------------------------------------------------------


def see(client, interview):
    client.force_login(interview.candidate.user)
    address = reverse("cancellations:interview", args=[interview.reference])
    return client.get(address).content.decode()


def test_the_page_offers_to_wait_to_apply_again_and_the_pool(client, cancelled):
    text = see(client, cancelled)

    assert "Offer me another time" in text
    assert "Apply for this position again" in text
    assert "talent pool" in text


def test_the_page_says_that_one_waits_and_how_to_stop(client, cancelled):
    WaitingEntryFactory(position=cancelled.position, interview=cancelled)

    text = see(client, cancelled)

    assert "You are on the waiting list" in text
    assert "Offer me no more times" in text
    assert "Offer me another time" not in text


def test_the_page_says_from_when_on_one_may_apply(client, cancelled):
    cool(cancelled.candidate, timezone.now() + 30 * DAY)

    text = see(client, cancelled)

    assert "You can apply again from" in text
    assert "Apply for this position again" not in text


def test_what_is_not_over_offers_none_of_it(client):
    assert "How it can go on" not in see(client, InterviewFactory())


def test_applying_again_leads_to_the_invitation(client, cancelled):
    client.force_login(cancelled.candidate.user)

    response = client.post(reverse("cancellations:apply_again", args=[cancelled.reference]))

    invitation = Interview.objects.get(status="invited")
    assert response.url == reverse("cancellations:interview", args=[invitation.reference])


def test_staff_cannot_apply_for_anybody(client, cancelled):
    client.force_login(UserFactory(lead=True, departments=[cancelled.position.department]))

    client.post(reverse("cancellations:apply_again", args=[cancelled.reference]))

    assert not Interview.objects.filter(status="invited").exists()
