"""The calendar of the desk, as HR works with it."""

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from cancellations.models import Cancellation
from interviews.models import Closure, Interview, Slot, SlotSeries
from notifications.models import Notification
from tests.factories import (
    DepartmentFactory,
    InterviewFactory,
    OfferFactory,
    PositionFactory,
    SlotFactory,
    SlotSeriesFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
CLOSURES = 5  # queries of their page, however many there are

NOW = timezone.now().replace(microsecond=0)
CALENDAR = reverse("interviews:calendar")


@pytest.fixture
def department():
    return DepartmentFactory()


@pytest.fixture
def recruiter(client, department):
    recruiter = UserFactory(recruiter=True, departments=[department])
    client.force_login(recruiter)
    return recruiter


def week_of(at, **more):
    return {"day": timezone.localdate(at).isoformat(), **more}


def fresh(row):
    return type(row)._base_manager.get(pk=row.pk)


def test_week_shows_what_is_taken_and_free_of_ones_own_departments(client, department, recruiter):
    at = NOW + timedelta(days=3)
    SlotFactory(position__department=department, starts_at=at, capacity=3, booked=1)
    SlotFactory(position__department=department, starts_at=at, capacity=2, booked=2)
    SlotFactory(position__department=department, starts_at=at, closed_at=NOW)
    other = SlotFactory(starts_at=at)

    page = client.get(CALENDAR, week_of(at)).content.decode()

    assert "1/3" in page
    assert "2 free" in page
    assert "full" in page
    assert "closed" in page
    assert other.position.title not in page


@pytest.mark.parametrize("rows", [1, 3])
def test_week_query_count_does_not_grow(
    client, department, recruiter, rows, django_assert_num_queries
):
    at = NOW + timedelta(days=3)
    for _ in range(rows):
        SlotFactory(position__department=department, starts_at=at)

    with django_assert_num_queries(6):
        response = client.get(CALENDAR, week_of(at))

    assert len(response.context["slots"]) == rows


def test_week_can_be_narrowed_and_turned(client, department, recruiter):
    at = NOW + timedelta(days=3)
    one = SlotFactory(position__department=department, starts_at=at)
    other = SlotFactory(position__department=department, starts_at=at)
    narrowed = {"position": one.position.pk}

    response = client.get(CALENDAR, week_of(at, **narrowed))
    page = response.content.decode()
    before = client.get(CALENDAR + response.context["previous"]).context

    assert [slot.pk for slot in response.context["slots"]] == [one.pk]
    assert other.position.title in page  # to choose from
    assert before["monday"] == response.context["monday"] - timedelta(days=7)
    assert before["form"].cleaned_data["position"] == one.position


@pytest.mark.parametrize("asked", [{"day": "x"}, {"position": "x"}, {"day": "0001-01-01"}])
def test_what_nobody_can_mean_shows_this_week(client, recruiter, asked):
    response = client.get(CALENDAR, asked)

    assert response.status_code == 200
    assert response.context["is_this_week"]


def test_viewer_looks_and_changes_nothing(client, department):
    client.force_login(UserFactory(viewer=True, departments=[department]))
    slot = SlotFactory(position__department=department)

    page = client.get(CALENDAR, week_of(slot.starts_at)).content.decode()

    assert reverse("interviews:slot", args=[slot.pk]) in page
    assert reverse("interviews:new_slot") not in page


def test_slot_is_added_with_its_end(client, department, recruiter):
    position = PositionFactory(department=department)
    at = timezone.localtime(NOW + timedelta(days=3)).replace(second=0)
    sent = {
        "position": position.pk,
        "kind": "ai",
        "starts_at": f"{at:%Y-%m-%dT%H:%M}",
        "minutes": 45,
        "capacity": 3,
    }

    response = client.post(reverse("interviews:new_slot"), sent)
    twice = client.post(reverse("interviews:new_slot"), sent)

    slot = Slot.objects.get()
    assert response.status_code == 302
    assert (slot.ends_at - slot.starts_at, slot.capacity) == (timedelta(minutes=45), 3)
    assert twice.status_code == 422
    assert "at this time already" in twice.content.decode()


def test_slot_of_another_department_cannot_be_added(client, recruiter):
    position = PositionFactory()
    sent = {"position": position.pk, "kind": "ai", "minutes": 30, "capacity": 1}

    response = client.post(
        reverse("interviews:new_slot"), {**sent, "starts_at": "2050-01-01T10:00"}
    )

    assert response.status_code == 422
    assert not Slot.objects.exists()


def test_slot_without_bookings_is_closed_and_opened(client, department, recruiter):
    slot = SlotFactory(position__department=department)
    address = reverse("interviews:act_on_slot", args=[slot.pk, "close"])

    client.post(address)
    assert fresh(slot).closed_by == recruiter
    client.post(reverse("interviews:act_on_slot", args=[slot.pk, "open"]))

    assert fresh(slot).closed_at is None


def test_booked_slot_is_closed_with_its_interviews_after_a_check(client, department, recruiter):
    interview = InterviewFactory(department=department)
    address = reverse("cancellations:close_slot", args=[interview.slot.pk])
    why = {"reason": "hiring_freeze", "note": "产线停工"}

    slot_page = client.get(reverse("interviews:slot", args=[interview.slot.pk])).content.decode()
    check = client.post(address, {**why, "step": "check"}).content.decode()
    assert fresh(interview).status == "booked"
    done = client.post(address, {**why, "step": "confirm"}, follow=True).content.decode()

    assert address in slot_page
    assert interview.candidate.user.name in check
    assert "1 interview is cancelled" in done
    assert fresh(interview).status == "cancelled"
    slot = fresh(interview.slot)
    assert (slot.booked, slot.closed_by) == (0, recruiter)
    assert Cancellation.objects.get().party == "company"
    assert Notification.objects.filter(event="company_cancelled").exists()


def test_place_kept_for_an_offer_is_no_booking(client, department, recruiter):
    offer = OfferFactory(place__slot__position__department=department)
    Slot.objects.filter(pk=offer.slot_id).update(capacity=2)
    address = reverse("interviews:slot", args=[offer.slot_id])

    page = client.get(address).content.decode()
    week = client.get(CALENDAR, week_of(offer.slot.starts_at)).content.decode()

    assert "0 of 2 booked" in page
    assert f"1 kept for {offer.entry.candidate.user.name} until" in page
    assert reverse("cancellations:close_slot", args=[offer.slot_id]) not in page
    assert "0/2" in week
    assert "1 kept for somebody" in week


def test_slot_of_which_a_place_is_kept_is_closed_at_once(client, department, recruiter):
    offer = OfferFactory(place__slot__position__department=department)
    with_interviews = reverse("cancellations:close_slot", args=[offer.slot_id])

    asked = client.get(with_interviews)
    client.post(reverse("interviews:act_on_slot", args=[offer.slot_id, "close"]))

    assert asked.url == reverse("interviews:slot", args=[offer.slot_id])
    assert (fresh(offer.slot).closed_by, fresh(offer.slot).booked) == (recruiter, 0)
    assert fresh(offer).state == "withdrawn"


@pytest.mark.parametrize("mine", [True, False])
def test_day_of_a_closure_is_not_offered_in_the_calendar(client, department, recruiter, mine):
    slot = SlotFactory(position__department=department)
    day = timezone.localdate(slot.starts_at)
    closed = department if mine else DepartmentFactory()
    Closure.objects.create(name="春节", first_day=day, last_day=day, department=closed)

    page = client.get(CALENDAR, week_of(slot.starts_at)).content.decode()

    assert ("not offered" in page) is mine
    assert (" free" in page) is not mine


def test_time_that_has_passed_offers_nothing(client, department, recruiter):
    past = SlotFactory(
        position__department=department, starts_at=NOW - timedelta(hours=2), capacity=9
    )

    page = client.get(CALENDAR, week_of(past.starts_at)).content.decode()

    assert "calendar-slot-past" in page
    assert "9 free" not in page


def test_slot_that_has_begun_is_not_closed(client, department, recruiter):
    interview = InterviewFactory(department=department, in_progress=True)

    address = reverse("cancellations:close_slot", args=[interview.slot.pk])
    response = client.post(address, {"reason": "hiring_freeze", "step": "confirm"}, follow=True)

    assert "has begun" in response.content.decode()
    assert fresh(interview).status == "in_progress"
    assert fresh(interview.slot).closed_at is None


def test_series_is_written_as_people_write_it(client, department, recruiter):
    position = PositionFactory(department=department)
    sent = {
        "position": position.pk,
        "kind": "ai",
        "weekdays": ["0", "2"],
        "times": "09:00–10:00, 14:00",
        "minutes": 30,
        "capacity": 2,
        "since": timezone.localdate().isoformat(),
        "until": "",
        "zone": "Asia/Shanghai",
    }

    response = client.post(reverse("interviews:new_series"), sent)

    series = SlotSeries.objects.get()
    assert response.status_code == 302
    assert [f"{at:%H:%M}" for at in series.times] == ["09:00", "09:30", "14:00"]
    assert series.weekdays == [0, 2]
    assert series.slots.exists()
    page = client.get(reverse("interviews:series", args=[series.pk])).content.decode()
    assert "09:00, 09:30, 14:00" in page


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"weekdays": []}, "Choose at least one day."),
        ({"times": "nine"}, "is no time of day"),
        ({"times": "09:00–09:10"}, "too short"),
        ({"times": "11:00–09:00"}, "the end has to come after the start"),
        ({"times": "09:00, 09:15"}, "09:00 and 09:15 overlap"),
        ({"times": "00:00–23:59", "minutes": 5}, "At most 48 times"),
        ({"until": "2020-01-01"}, "The last day comes before the first one."),
        ({"capacity": 0}, "between 1 and 1000"),
        ({"zone": "Nowhere/Else"}, "zone"),
    ],
)
def test_series_that_makes_no_sense_is_explained(client, department, recruiter, wrong, words):
    position = PositionFactory(department=department)
    sent = {
        "position": position.pk,
        "kind": "ai",
        "weekdays": ["0"],
        "times": "09:00",
        "minutes": 30,
        "capacity": 2,
        "since": "2026-12-01",
        "zone": "Asia/Shanghai",
        **wrong,
    }

    response = client.post(reverse("interviews:new_series"), sent)

    assert response.status_code == 422
    assert words in response.content.decode()
    assert not SlotSeries.objects.exists()


@pytest.mark.parametrize(
    ("sent", "is_refused"),
    [
        ({}, True),
        ({"times": "09:45"}, True),
        ({"times": "09:30"}, True),
        ({"times": "10:30"}, False),
        ({"weekdays": ["5"]}, False),
        ({"kind": "on_site"}, False),
        ({"zone": "Asia/Tokyo", "times": "11:00"}, True),
        ({"zone": "Asia/Tokyo"}, False),
    ],
)
def test_two_series_of_a_position_do_not_meet(client, department, recruiter, sent, is_refused):
    first = SlotSeriesFactory(position__department=department, weekdays=[0, 1])
    SlotSeriesFactory(position=PositionFactory(department=department))  # another one's
    sent = {
        "position": first.position_id,
        "kind": "ai",
        "weekdays": ["0"],
        "times": "10:00",
        "minutes": 45 if sent.get("times") == "09:30" else 30,
        "capacity": 1,
        "since": timezone.localdate().isoformat(),
        "zone": "Asia/Shanghai",
        **sent,
    }

    response = client.post(reverse("interviews:new_series"), sent)

    assert response.status_code == (422 if is_refused else 302)
    assert ("Another series of this position, at 10:00" in response.content.decode()) is is_refused


def test_series_does_not_meet_itself_nor_one_that_has_ended(client, department, recruiter):
    series = SlotSeriesFactory(position__department=department)
    today = timezone.localdate()
    SlotSeriesFactory(
        position=series.position,
        since=today - timedelta(days=9),
        until=today - timedelta(days=1),
    )
    sent = {
        "weekdays": ["0"],
        "times": "10:15",
        "minutes": 30,
        "capacity": 1,
        "since": today.isoformat(),
        "zone": "Asia/Shanghai",
    }

    response = client.post(reverse("interviews:series", args=[series.pk]), sent)

    assert response.status_code == 302


def test_only_a_new_series_is_filled_in_from_its_address(client, department, recruiter):
    own = SlotSeriesFactory(position__department=department)
    other = PositionFactory(department=department)
    query = f"?position={other.pk}&times=18:00"
    new = client.get(f"{reverse('interviews:new_series')}{query}").context["form"]
    assert (new["position"].value(), new["times"].value()) == (str(other.pk), "18:00")
    there = client.get(f"{reverse('interviews:series', args=[own.pk])}{query}").context["form"]
    assert there["position"].value() == own.position_id
    assert there["times"].value() == "10:00"


def test_series_ends_after_a_question(client, department, recruiter):
    series = SlotSeriesFactory(position__department=department)
    address = reverse("interviews:end_series", args=[series.pk])

    client.get(address)
    assert fresh(series).until is None
    client.post(address)

    assert fresh(series).until < timezone.localdate()


def test_closure_over_what_is_booked_lists_it(client, department, recruiter):
    interview = InterviewFactory(department=department)
    elsewhere = InterviewFactory(starts_in=timedelta(days=3))
    day = timezone.localdate(interview.starts_at).isoformat()
    sent = {"name": "春节", "first_day": day, "last_day": day, "department": department.pk}

    response = client.post(reverse("interviews:new_closure"), sent, follow=True)

    page = response.content.decode()
    assert "some slots on these days are booked" in page.lower()
    assert reverse("interviews:slot", args=[interview.slot.pk]) in page
    assert reverse("interviews:slot", args=[elsewhere.slot.pk]) not in page
    assert Interview.objects.filter(status="booked").count() == 2


@pytest.mark.parametrize("rows", [1, 3])
def test_closures_are_counted_in_one_query(client, recruiter, rows, django_assert_num_queries):
    interview = InterviewFactory(position__department=recruiter.departments.get())
    day = timezone.localdate(interview.starts_at)
    for number in range(rows):
        Closure.objects.create(name=f"No {number}", first_day=day, last_day=day)
    client.get(reverse("interviews:closures"))

    with django_assert_num_queries(CLOSURES):
        page = client.get(reverse("interviews:closures"))

    assert [booked for _closure, booked in page.context["ahead"]] == [1] * rows


def test_closure_of_the_company_is_read_by_all_and_changed_by_administrators(client, recruiter):
    closure = Closure.objects.create(
        name="国庆", first_day=date(2050, 10, 1), last_day=date(2050, 10, 7)
    )
    address = reverse("interviews:closure", args=[closure.pk])

    seen = client.get(address).content.decode()
    refused = client.post(address, {"remove": "1"})

    assert "only administrators" in seen
    assert refused.status_code == 403
    assert Closure.objects.filter(pk=closure.pk).exists()
