"""Series, closures and single slots: what is made, what is taken back, and what nobody touches."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import ConfigurationChange
from interviews.booking import slots
from interviews.booking.forms import TimesField, spread
from interviews.models import Closure, Slot, SlotSeries
from interviews.services import SlotFull, slot_at, take_place
from interviews.tasks import make_slots
from tests.factories import (
    CancellationFactory,
    DepartmentFactory,
    InterviewFactory,
    PositionFactory,
    SlotFactory,
    SlotSeriesFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

NOW = datetime(
    2026, 12, 7, 8, 0, tzinfo=ZoneInfo("Asia/Shanghai")
)  # a Monday, before the first time
DAYS = slots.AHEAD.days + 1


@pytest.fixture
def department():
    return DepartmentFactory()


@pytest.fixture
def recruiter(department):
    return UserFactory(recruiter=True, departments=[department])


def series_of(department, **fields) -> SlotSeries:
    position = PositionFactory(department=department)
    return SlotSeriesFactory(**{"position": position, "since": NOW.date(), **fields})


def made(series) -> list[Slot]:
    return list(series.slots.order_by("starts_at"))


def fresh(row):
    return type(row)._base_manager.get(pk=row.pk)


def test_slots_are_made_some_weeks_ahead_at_once_and_once(department, recruiter):
    series = series_of(department, times=[time(10), time(15, 30)])

    slots.save_series(series, by=recruiter, now=NOW)
    again = slots.make_slots(series.pk, now=NOW)

    found = made(series)
    assert (len(found), again) == (2 * DAYS, 0)
    assert timezone.localtime(found[0].starts_at) == NOW.replace(hour=10)
    assert (found[0].capacity, found[0].kind) == (2, "ai")
    assert found[0].ends_at - found[0].starts_at == timedelta(minutes=30)


def test_each_night_brings_another_day(department):
    series = series_of(department)
    slots.make_slots(series.pk, now=NOW)

    added = slots.make_slots(series.pk, now=NOW + timedelta(days=1))

    assert added == 1
    assert timezone.localdate(made(series)[-1].starts_at) == NOW.date() + timedelta(days=43)


def test_what_is_booked_stays_as_it_is_when_the_series_changes(department, recruiter):
    series = series_of(department)
    slots.make_slots(series.pk, now=NOW)
    booked, closed, *_ = made(series)
    take_place(booked)
    slots.close_slot(closed.pk, by=recruiter)
    before = Slot.objects.filter(pk=booked.pk).values().get()

    series.times, series.capacity, series.minutes = [time(11)], 5, 45
    slots.save_series(series, by=recruiter, now=NOW)

    assert Slot.objects.filter(pk=booked.pk).values().get() == before
    assert fresh(closed).closed_at is not None
    others = [slot for slot in made(series) if slot.pk not in (booked.pk, closed.pk)]
    assert {timezone.localtime(slot.starts_at).hour for slot in others} == {11}
    assert {slot.capacity for slot in others} == {5}
    assert len(others) == DAYS


def test_slot_that_a_cancellation_tells_of_is_closed_instead_and_opened_again(
    department, recruiter
):
    series = series_of(department)
    slots.make_slots(series.pk, now=NOW)
    slot = made(series)[0]
    interview = InterviewFactory(position=series.position, status="cancelled", slot=None)
    CancellationFactory(approved=True, interview=interview, slot=slot)

    series.times = [time(11)]
    slots.save_series(series, by=recruiter, now=NOW)
    assert fresh(slot).closed_at is not None
    with pytest.raises(SlotFull):
        take_place(slot)
    series.times = [time(10)]
    slots.save_series(series, by=recruiter, now=NOW)

    assert fresh(slot).closed_at is None


def test_slot_somebody_added_by_hand_is_not_taken_over(department, recruiter):
    series = series_of(department)
    by_hand = SlotFactory(
        position=series.position, starts_at=NOW.replace(hour=10), capacity=7, series=None
    )

    slots.make_slots(series.pk, now=NOW)

    assert (fresh(by_hand).capacity, fresh(by_hand).series) == (7, None)
    assert len(made(series)) == DAYS - 1


def test_ending_a_series_takes_back_what_nobody_has_booked(department, recruiter):
    series = series_of(department)
    slots.make_slots(series.pk, now=NOW)
    booked = made(series)[3]
    take_place(booked)

    slots.end_series(series.pk, by=recruiter, now=NOW)

    assert made(series) == [booked]
    assert slots.make_slots(series.pk, now=NOW) == 0


def test_no_slot_is_made_in_a_closure_and_they_come_once_it_is_gone(department, recruiter):
    away = Closure.objects.create(
        name="Away",
        first_day=NOW.date() + timedelta(days=1),
        last_day=NOW.date() + timedelta(days=3),
        department=department,
    )
    Closure.objects.create(  # another department's
        name="Theirs",
        first_day=NOW.date(),
        last_day=NOW.date() + timedelta(days=60),
        department=DepartmentFactory(),
    )
    series = series_of(department)

    slots.make_slots(series.pk, now=NOW)
    days = {timezone.localdate(slot.starts_at) for slot in made(series)}
    assert len(days) == DAYS - 3
    slots.remove_closure(away.pk, by=recruiter, now=NOW)

    assert len(made(series)) == DAYS


def test_one_series_that_fails_keeps_no_other_without_slots(department, monkeypatch):
    today = timezone.localdate()
    bad, good = series_of(department, since=today), series_of(department, since=today)
    make = slots.make_slots

    def fail_for_the_first(series_id):
        if series_id == bad.pk:
            raise ValueError
        return make(series_id)

    monkeypatch.setattr(slots, "make_slots", fail_for_the_first)
    make_slots()

    assert good.slots.exists()
    assert not bad.slots.exists()


def test_series_and_closures_are_part_of_the_configurations_history(department, recruiter):
    series = series_of(department)
    closure = Closure.objects.create(name="x", first_day=NOW.date(), last_day=NOW.date())

    said = {
        (each.kind, each.departments and tuple(each.departments))
        for each in ConfigurationChange.objects.filter(
            kind__in=["interviews.slotseries", "interviews.closure"]
        )
    }

    assert (series._meta.label_lower, (department.pk,)) in said
    assert (closure._meta.label_lower, None) in said


# --- one by one -----------------------------------------------------------------------------------


def test_slot_is_added_once_and_a_closed_one_opens_again(department, recruiter):
    position = PositionFactory(department=department)
    at = NOW + timedelta(days=400)

    def add(capacity):
        end = at + timedelta(minutes=30)
        slot = Slot(position=position, starts_at=at, ends_at=end, capacity=capacity)
        return slots.add_slot(slot, by=recruiter)

    first = add(1)
    with pytest.raises(slots.SlotTaken):
        add(2)
    slots.close_slot(first.pk, by=recruiter)
    again = add(3)

    assert (again.pk, again.capacity, again.closed_at) == (first.pk, 3, None)


def test_booked_slot_is_not_closed_here_nor_made_smaller_than_what_is_booked(department, recruiter):
    slot = SlotFactory(position__department=department, booked=2)

    with pytest.raises(slots.StillBooked):
        slots.close_slot(slot.pk, by=recruiter)
    with pytest.raises(slots.StillBooked):
        slots.resize_slot(slot.pk, capacity=1, by=recruiter)
    slots.resize_slot(slot.pk, capacity=2, by=recruiter)

    assert fresh(slot).capacity == 2


def test_closed_slot_takes_nobody(department, recruiter):
    slot = SlotFactory(position__department=department)
    slots.close_slot(slot.pk, by=recruiter)

    with pytest.raises(SlotFull):
        take_place(slot)
    slots.open_slot(slot.pk, by=recruiter)
    take_place(slot)


@pytest.mark.parametrize("role", ["viewer", "recruiter"])
def test_only_hr_of_the_department(department, role):
    elsewhere = [department] if role == "viewer" else [DepartmentFactory()]
    by = UserFactory(departments=elsewhere, **{role: True})
    series, slot = series_of(department), SlotFactory(position__department=department)
    day = NOW.date()
    ours = Closure(name="x", first_day=day, last_day=day, department=department)
    everybodys = Closure(name="x", first_day=day, last_day=day)

    for attempt in (
        lambda: slots.save_series(series, by=by),
        lambda: slots.end_series(series.pk, by=by),
        lambda: slots.close_slot(slot.pk, by=by),
        lambda: slots.open_slot(slot.pk, by=by),
        lambda: slots.resize_slot(slot.pk, capacity=5, by=by),
        lambda: slots.save_closure(ours, by=by),
        lambda: slots.save_closure(everybodys, by=by),
    ):
        with pytest.raises(PermissionDenied):
            attempt()


def test_closure_of_the_whole_company_is_the_administrators(department, recruiter):
    day = NOW.date()

    with pytest.raises(PermissionDenied):
        slots.save_closure(Closure(name="x", first_day=day, last_day=day), by=recruiter)
    slots.save_closure(
        Closure(name="x", first_day=day, last_day=day), by=UserFactory(administrator=True)
    )


def test_database_refuses_days_in_the_wrong_order():
    day = NOW.date()

    with pytest.raises(DatabaseError), transaction.atomic():
        Closure.objects.create(name="x", first_day=day, last_day=day - timedelta(days=1))
    with pytest.raises(DatabaseError), transaction.atomic():
        SlotSeriesFactory(since=day, until=day - timedelta(days=1))


# --- what is typed --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "minutes", "times"),
    [
        ("09:00", 30, ["09:00"]),
        ("9:00, 10：30；14:00", 30, ["09:00", "10:30", "14:00"]),
        ("09:00–10:30", 30, ["09:00", "09:30", "10:00"]),
        ("09:00 - 10:45", 30, ["09:00", "09:30", "10:00"]),
        ("10:00 09:00, 09:00", 30, ["09:00", "10:00"]),
        ("23:30–23:59", 15, ["23:30"]),
        ("23:45", 60, ["23:45"]),  # one that ends tomorrow
    ],
)
def test_times_of_day_as_people_type_them(typed, minutes, times):
    assert [f"{at:%H:%M}" for at in spread(TimesField().clean(typed), minutes)] == times


@pytest.mark.parametrize("typed", ["", "nine", "24:00", "09:60", "9", "09:00–", "09:00–09:15"])
def test_what_is_no_time_is_refused(settings, typed):
    settings.LANGUAGE_CODE = "en"
    with pytest.raises(Exception, match=r"time|too short|required"):
        spread(TimesField(error_messages={"required": "required"}).clean(typed), 30)


# --- told in words --------------------------------------------------------------------------------


def test_series_reads_in_words_in_the_configurations_history(client, department):
    client.force_login(UserFactory(administrator=True))
    series = series_of(department, weekdays=[0, 2])

    page = client.get(reverse("cancellations:configuration_history")).content.decode()

    assert "Mon, Wed" in page
    assert str(series) in page


def test_reinstating_goes_by_what_is_open(department, recruiter):
    slot = SlotFactory(position__department=department)
    interview = InterviewFactory(position=slot.position, status="no_show", slot=None)
    slots.close_slot(slot.pk, by=recruiter)

    assert slot_at(interview, slot.starts_at) is None
    slots.open_slot(slot.pk, by=recruiter)
    assert slot_at(interview, slot.starts_at) == slot
