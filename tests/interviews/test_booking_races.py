"""Many at once, over connections of their own: no slot ever takes more than it has places."""

from datetime import timedelta

import pytest
from django.utils import timezone

from cancellations import company, consistency
from cancellations.models import Reason
from interviews.booking import services, slots
from interviews.models import Application, Interview, Slot, Stage
from interviews.services import SlotFull
from notifications.models import Notification
from tests.cancellations.test_races import at_once
from tests.factories import (
    ApplicationFactory,
    InterviewFactory,
    PositionFactory,
    SlotFactory,
    SlotSeriesFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db(transaction=True)


def held(slot) -> tuple[int, int]:
    """What the slot counts, and how many interviews hold it."""
    return Slot.objects.get(pk=slot.pk).booked, Interview.objects.filter(slot=slot).count()


def in_days(days):
    return timezone.now() + timedelta(days=days)


def test_hundred_people_and_seven_places():
    position = PositionFactory()
    slot = SlotFactory(position=position, capacity=7, starts_at=in_days(4))
    invited = InterviewFactory.create_batch(100, invited=True, position=position)

    results = at_once(
        *[
            lambda i=interview: services.book(i.reference, slot.pk, by=i.candidate.user)
            for interview in invited
        ]
    )

    assert sum(isinstance(each, Interview) for each in results) == 7
    assert sum(isinstance(each, SlotFull) for each in results) == 93
    assert held(slot) == (7, 7)
    assert Interview.objects.filter(status="booked").count() == 7


def test_one_person_pressing_twenty_times_books_once():
    interview = InterviewFactory(invited=True)
    slot = SlotFactory(position=interview.position, starts_at=in_days(4))
    user = interview.candidate.user

    results = at_once(
        *[lambda: services.book(interview.reference, slot.pk, by=user) for _ in range(20)]
    )

    assert all(isinstance(each, Interview) for each in results)
    assert held(slot) == (1, 1)
    assert Notification.objects.filter(event="interview_booked", channel="sms").count() == 1


def test_people_changing_places_crosswise_stop_nobody():
    position = PositionFactory()
    one = SlotFactory(position=position, capacity=20, booked=10, starts_at=in_days(4))
    other = SlotFactory(position=position, capacity=20, booked=10, starts_at=in_days(5))
    there = [
        InterviewFactory(position=position, slot=slot, starts_at=slot.starts_at)
        for slot in (one, other)
        for _ in range(10)
    ]

    results = at_once(
        *[
            lambda i=i: services.move(
                i.reference, (other if i.slot_id == one.pk else one).pk, by=i.candidate.user
            )
            for i in there
        ]
    )

    assert all(isinstance(each, Interview) for each in results), results
    assert (held(one), held(other)) == ((10, 10), (10, 10))
    assert list(consistency.check()) == []


def test_last_place_goes_to_one_who_moves_or_one_who_books():
    position = PositionFactory()
    slot = SlotFactory(position=position, capacity=1, starts_at=in_days(5))
    moving = InterviewFactory.create_batch(10, position=position)
    booking = InterviewFactory.create_batch(10, position=position, invited=True)

    at_once(
        *[lambda i=i: services.move(i.reference, slot.pk, by=i.candidate.user) for i in moving],
        *[lambda i=i: services.book(i.reference, slot.pk, by=i.candidate.user) for i in booking],
    )

    assert held(slot) == (1, 1)
    for interview in moving:
        row = Interview.objects.get(pk=interview.pk)
        assert row.slot_id is not None
        assert held(row.slot) == (1, 1)


def test_slot_is_closed_while_people_book_it_and_nobody_is_left_in_it():
    position = PositionFactory()
    lead = UserFactory(lead=True, departments=[position.department])
    slot = SlotFactory(position=position, capacity=50, starts_at=in_days(4))
    invited = InterviewFactory.create_batch(20, invited=True, position=position)
    reason = Reason.objects.get(code="hiring_freeze")

    results = at_once(
        *[
            lambda i=i: services.book(i.reference, slot.pk, by=i.candidate.user)
            for i in invited[:10]
        ],
        lambda: company.close_slot(slot.pk, by=lead, reason=reason),
        *[
            lambda i=i: services.book(i.reference, slot.pk, by=i.candidate.user)
            for i in invited[10:]
        ],
    )

    closed = Slot.objects.get(pk=slot.pk)
    if any(isinstance(each, company.CameMeanwhile) for each in results):
        company.close_slot(slot.pk, by=lead, reason=reason)  # HR tries again, as told
        closed = Slot.objects.get(pk=slot.pk)
    assert closed.closed_at is not None
    assert held(slot) == (0, 0)
    assert set(Interview.objects.values_list("status", flat=True)) <= {"invited", "cancelled"}
    assert list(consistency.check()) == []


def test_series_takes_back_no_slot_that_is_being_booked():
    position = PositionFactory()
    lead = UserFactory(lead=True, departments=[position.department])
    series = SlotSeriesFactory(position=position, capacity=1)
    slots.make_slots(series.pk)
    ahead = list(series.slots.filter(starts_at__gt=in_days(1))[:10])
    invited = InterviewFactory.create_batch(10, invited=True, position=position)

    at_once(
        *[
            lambda i=i, slot=slot: services.book(i.reference, slot.pk, by=i.candidate.user)
            for i, slot in zip(invited, ahead, strict=True)
        ],
        lambda: slots.end_series(series.pk, by=lead),
    )

    for interview in Interview.objects.filter(status="booked"):
        assert held(interview.slot) == (1, 1)
    assert not Slot.objects.filter(series=series, booked=0, starts_at__gt=in_days(1)).exists()


def test_application_reaching_the_stage_from_ten_sides_is_invited_once():
    application = ApplicationFactory(stage=Stage.SCREENED)

    at_once(
        *[lambda: services.reach_stage(application, Stage.AI_INTERVIEW, by=None) for _ in range(10)]
    )

    assert Application.objects.get().stage == Stage.AI_INTERVIEW
    assert Interview.objects.count() == 1
    assert Notification.objects.filter(event="interview_invited", channel="sms").count() == 1
