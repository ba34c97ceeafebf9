"""What is offered instead of cancelling, and whether it kept the interview."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from cancellations import saved
from cancellations.models import Cancellation, Policy, Saving
from interviews.booking import services as booking
from interviews.models import Interview, Slot
from interviews.states import InterviewStatus
from tests.factories import (
    CancellationFactory,
    InterviewFactory,
    PositionFactory,
    SlotFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def interview(client):
    interview = InterviewFactory(starts_in=3 * DAY)
    client.force_login(interview.candidate.user)
    return interview


@pytest.fixture
def free(interview):
    return SlotFactory(position=interview.position, starts_at=timezone.now() + 5 * DAY)


def page(client, interview, name, **sent):
    address = reverse(f"cancellations:{name}", args=[interview.reference])
    return client.post(address, sent) if sent else client.get(address)


def test_the_reasons_show_the_next_free_times_but_not_the_one_they_have(client, interview, free):
    text = page(client, interview, "cancel").content.decode()

    assert f'value="{free.pk}"' in text
    assert f'value="{interview.slot_id}"' not in text


def test_checking_offers_another_time_and_says_so_in_the_books(client, interview, free):
    response = page(client, interview, "check", reason="time_conflict")

    text = response.content.decode()
    assert "Would another time suit you?" in text
    assert "Confirm cancellation" in text  # never a step more for who insists
    (saving,) = Saving.objects.all()
    assert (saving.reason, saving.offered, saving.outcome) == ("time_conflict", "other_time", "")


def test_no_time_is_suggested_that_nobody_could_make(client, interview, free):
    near = interview.position.refill_near_minutes
    soon = SlotFactory(
        position=interview.position,
        starts_at=timezone.now() + timedelta(minutes=near - 1),
    )

    suggested = saved.other_times(interview, now=timezone.now())

    assert (free in suggested, soon in suggested) == (True, False)


def test_looking_twice_is_counted_once(client, interview, free):
    page(client, interview, "check", reason="time_conflict")
    PositionFactory()
    page(client, interview, "check", reason="not_interested")

    assert Saving.objects.get().reason == "not_interested"


def test_moving_instead_keeps_it_booked_at_the_new_time(client, interview, free):
    page(client, interview, "check", reason="time_conflict")

    page(client, interview, "move_instead", slot=free.pk, reason="time_conflict")

    own = Interview.objects.get(pk=interview.pk)
    assert (own.status, own.slot_id) == (InterviewStatus.BOOKED, free.pk)
    assert Saving.objects.get().outcome == "moved"
    assert not Cancellation.objects.exists()


def test_moving_straight_from_the_reasons_counts_as_saved(client, interview, free):
    page(client, interview, "move_instead", slot=free.pk, reason="time_conflict")

    saving = Saving.objects.get()
    assert (saving.outcome, saving.reason) == ("moved", "time_conflict")


@pytest.mark.parametrize("by_hr", [False, True])
def test_who_looks_at_all_times_and_moves_there_was_saved_by_moving(client, interview, free, by_hr):
    page(client, interview, "check", reason="time_conflict")
    lead = UserFactory(administrator=True)

    booking.move(interview.reference, free.pk, by=lead if by_hr else interview.candidate.user)
    saved.settle(timezone.now() + 2 * DAY)

    assert Saving.objects.get().outcome == ("kept" if by_hr else "moved")


def test_who_cancels_all_the_same_was_not_saved(client, interview, free):
    page(client, interview, "check", reason="time_conflict")
    page(client, interview, "cancel", reason="time_conflict")

    assert Saving.objects.get().outcome == "cancelled"


def test_a_time_taken_meanwhile_changes_nothing_and_says_so(client, interview, free):
    Slot.objects.filter(pk=free.pk).update(booked=10)

    response = page(client, interview, "move_instead", slot=free.pk, reason="time_conflict")

    assert response.url.endswith("/cancel/?reason=time_conflict")
    assert Interview.objects.get(pk=interview.pk).slot_id == interview.slot_id
    assert not Saving.objects.exists()


@pytest.mark.parametrize("sent", ["", "0", "x", "1" * 40, "²"])
def test_nonsense_for_a_time_changes_nothing(client, interview, free, sent):
    assert page(client, interview, "move_instead", slot=sent, reason="x").status_code == 303
    assert Interview.objects.get(pk=interview.pk).slot_id == interview.slot_id


def test_no_time_is_shown_that_the_rule_would_refuse(client, interview, free):
    Policy.objects.update(moves_most=0)

    assert f'value="{free.pk}"' not in page(client, interview, "cancel").content.decode()
    page(client, interview, "check", reason="time_conflict")
    assert not Saving.objects.exists()


def test_other_positions_are_shown_to_who_is_not_interested(client, interview):
    other = PositionFactory(title="夜班主管")

    text = page(client, interview, "check", reason="not_interested").content.decode()

    assert other.title in text
    assert Saving.objects.get().offered == "positions"


def test_where_nothing_fits_nothing_is_offered(client, interview):
    page(client, interview, "check", reason="accepted_offer")

    assert not Saving.objects.exists()


def test_somebody_elses_interview_is_not_moved(client, interview, free):
    other = InterviewFactory(position=interview.position)

    assert page(client, other, "move_instead", slot=free.pk).status_code == 404


@pytest.mark.parametrize(
    ("hours", "status", "outcome"),
    [
        (23, "booked", ""),
        (24, "booked", "kept"),
        (48, "completed", "kept"),
        (48, "cancelling", ""),
    ],
)
def test_who_has_not_cancelled_a_day_later_has_kept_it(hours, status, outcome):
    now = timezone.now()
    interview = InterviewFactory(status=status)
    saving = Saving.objects.create(
        interview=interview, reason="x", offered="guide", at=now - timedelta(hours=hours)
    )

    saved.settle(now)

    assert Saving.objects.get(pk=saving.pk).outcome == outcome


def test_a_request_that_hr_granted_later_was_not_saved():
    cancellation = CancellationFactory(approved=True)
    Saving.objects.create(
        interview=cancellation.interview,
        reason="x",
        offered="guide",
        at=cancellation.requested_at - timedelta(minutes=1),
    )

    saved.settle(timezone.now() + DAY)

    assert Saving.objects.get().outcome == "cancelled"


def test_who_does_not_know_how_is_shown_the_guide(client, interview):
    text = page(client, interview, "check", reason="difficulty").content.decode()

    assert f'href="{reverse("cancellations:guide")}#taking-part"' in text
    assert 'id="taking-part"' in client.get(reverse("cancellations:guide")).text
    assert "Confirm cancellation" in text
    assert Saving.objects.get().offered == "guide"
