"""Places that came free, offered in turn."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from cancellations import company, consistency, services
from cancellations.models import Purpose, Reason
from interviews import history
from interviews.booking import services as booking
from interviews.booking import slots
from interviews.models import Application, Closure, Interview, Slot, Stage
from interviews.refill import queries
from interviews.refill import services as refill
from interviews.refill.models import FreedPlace, Offer, Origin, WaitingEntry, Why
from interviews.services import free_place
from interviews.signals import candidates_considered
from interviews.states import InterviewStatus
from notifications import preferences
from notifications.events import Group
from notifications.models import Notification, OutOfReach
from tests.factories import (
    ApplicationFactory,
    CandidateFactory,
    FreedPlaceFactory,
    InterviewFactory,
    OfferFactory,
    PositionFactory,
    SlotFactory,
    SlotSeriesFactory,
    StageGateFactory,
    UserFactory,
    WaitingEntryFactory,
)

pytestmark = pytest.mark.django_db

DAYTIME = datetime(2026, 3, 2, 2, tzinfo=UTC)  # ten o'clock on a Monday in Shanghai
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(DAYTIME, tick=False) as moved:
        yield moved


@pytest.fixture
def position():
    return PositionFactory()


@pytest.fixture
def booked(position):
    """Somebody whose place others wait for; the slot has no other."""
    interview = InterviewFactory(position=position)
    Slot.objects.filter(pk=interview.slot_id).update(capacity=1)
    return interview


def cancel(interview, reason="accepted_offer"):
    why = Reason.objects.get(purpose=Purpose.CANCEL, code=reason)
    return services.request_cancellation(
        interview.reference, by=interview.candidate.user, reason=why
    )[0]


def taken(slot_id) -> int:
    return Slot.objects.get(pk=slot_id).booked


def books_agree() -> bool:
    return not list(consistency.check()) and not list(history.verify(Interview.objects.all()))


def test_a_place_given_up_is_kept_for_who_waits_first(position, booked):
    later = WaitingEntryFactory(position=position, since=timezone.now() - HOUR)
    asked = WaitingEntryFactory(position=position, asked=True, since=timezone.now() - 9 * HOUR)
    first = WaitingEntryFactory(position=position, since=timezone.now() - 2 * HOUR)

    cancel(booked)

    offer = Offer.objects.get()
    assert offer.entry == first != later != asked
    assert offer.held_until == timezone.now() + HOUR
    assert taken(offer.slot_id) == 1
    assert FreedPlace.objects.get().origin == Origin.GIVEN_UP
    assert books_agree()


def test_who_cancelled_because_of_the_time_waits_first_and_others_do_not(booked):
    cancel(booked, "time_conflict")

    entry = WaitingEntry.objects.get()
    assert (entry.why, entry.candidate) == (Why.TIME_CONFLICT, booked.candidate)
    assert not Offer.objects.exists()  # not the time they had just given up

    other = InterviewFactory(position=booked.position, starts_in=timedelta(days=4))
    cancel(other, "accepted_offer")
    assert WaitingEntry.objects.count() == 1
    assert Offer.objects.get().entry == entry


def test_the_message_says_what_until_when_and_leads_there(position, booked):
    entry = WaitingEntryFactory(
        position=position, interview__candidate__user__email="zhang@example.com"
    )
    cancel(booked)

    told = Notification.objects.filter(event="place_offered")
    assert {each.channel for each in told} == {"sms", "email"}
    assert {each.recipient for each in told} == {f"user:{entry.candidate.user.pk}"}
    params = told[0].params
    assert params["starts_at"] == booked.starts_at.isoformat()
    assert params["held_at"] == (timezone.now() + HOUR).isoformat()
    assert f"/o/{Offer.objects.get().reference}." in params["link"]
    assert entry.candidate.user.name not in params["link"]


def test_at_night_the_place_is_kept_until_after_the_morning(clock, position, booked):
    WaitingEntryFactory(position=position)
    clock.move_to(datetime(2026, 3, 2, 15, tzinfo=UTC))  # eleven at night

    cancel(booked)

    morning = datetime(2026, 3, 3, 0, tzinfo=UTC)
    assert Offer.objects.get().held_until == morning + HOUR
    assert Notification.objects.filter(event="place_offered").first().not_before == morning


@pytest.mark.parametrize("starts_in", [timedelta(hours=2, minutes=59), timedelta(hours=3)])
def test_what_begins_too_soon_is_offered_to_nobody(position, starts_in):
    booked = InterviewFactory(position=position, starts_in=starts_in)
    WaitingEntryFactory(position=position)

    free_place(booked.slot_id)

    assert Offer.objects.exists() == (starts_in >= 3 * HOUR)


def test_nobody_is_asked_about_a_time_they_could_not_make_or_have_another_interview_at(
    position, booked
):
    same_time = InterviewFactory(
        position=position, status="cancelled", slot=None, starts_at=booked.starts_at
    )
    WaitingEntryFactory(position=position, interview=same_time)
    busy = WaitingEntryFactory(position=position)
    InterviewFactory(candidate=busy.candidate, starts_at=booked.starts_at)

    cancel(booked)

    assert not Offer.objects.exists()
    assert taken(booked.slot_id) == 0


def test_nobody_is_asked_who_has_a_time_whose_application_ended_or_whose_position_closed(
    position, booked
):
    has_one = WaitingEntryFactory(position=position)
    InterviewFactory(application=has_one.application, starts_in=timedelta(days=5))
    ended = WaitingEntryFactory(position=position)
    Application.objects.filter(pk=ended.application_id).update(stage=Stage.ENDED)
    elsewhere = WaitingEntryFactory()

    cancel(booked)

    assert not Offer.objects.exists(), elsewhere


def test_what_the_company_gives_up_is_offered_to_nobody(position, booked):
    WaitingEntryFactory(position=position)
    lead = UserFactory(lead=True, departments=[position.department])

    company.cancel_for_company(
        booked.reference,
        by=lead,
        reason=Reason.objects.get(purpose=Purpose.COMPANY, code="hiring_freeze"),
    )

    assert not Offer.objects.exists()
    assert not FreedPlace.objects.exists()


def test_a_closed_position_offers_nothing(position, booked):
    WaitingEntryFactory(position=position)
    position.is_open = False
    position.save()

    cancel(booked)

    assert not Offer.objects.exists()


# --- answers --------------------------------------------------------------------------------------


@pytest.fixture
def offer(position, booked):
    WaitingEntryFactory(position=position)
    cancel(booked)
    return Offer.objects.get()


def test_taking_it_books_a_new_interview_of_the_same_application(offer):
    interview = refill.accept(offer.reference)

    before = offer.entry.interview
    assert interview.status == InterviewStatus.BOOKED
    assert interview.slot_id == offer.slot_id
    assert interview.application == before.application
    assert interview.pk != before.pk
    assert (interview.link, interview.location) == (before.link, before.location)
    assert taken(offer.slot_id) == 1
    assert Offer.objects.get(pk=offer.pk).state == "accepted"
    assert WaitingEntry.objects.get(pk=offer.entry_id).state == "served"
    assert FreedPlace.objects.get().refilled_at == timezone.now()
    assert [each.event for each in interview.history.all()] == ["invited", "booked", "place_taken"]
    assert books_agree()


def test_taking_it_again_is_the_same_interview(offer):
    first = refill.accept(offer.reference)

    assert refill.accept(offer.reference).pk == first.pk
    assert Interview.objects.filter(application=offer.entry.application).count() == 2
    assert taken(offer.slot_id) == 1


def test_taking_it_books_the_invitation_they_have(offer):
    invitation = InterviewFactory(
        invited=True, application=offer.entry.application, deadline=timezone.now() - HOUR
    )

    assert refill.accept(offer.reference).pk == invitation.pk


def test_everybody_concerned_is_told_that_it_is_taken(offer):
    recruiter = offer.slot.position.recruiter
    user = offer.entry.candidate.user

    refill.accept(offer.reference)

    told = Notification.objects.exclude(event__in=["place_offered"])
    assert told.filter(event="interview_booked", recipient=f"user:{user.pk}").exists()
    refilled = told.filter(event="place_refilled")
    assert {(each.recipient, each.channel) for each in refilled} == {
        (f"user:{recruiter.pk}", "email"),
        (f"user:{recruiter.pk}", "desk"),
        (offer.slot.position.department.audience, "desk"),
    }
    assert Notification.objects.get(event="place_offered").state == "superseded"


@pytest.mark.parametrize("state", ["declined", "lapsed", "withdrawn"])
def test_what_is_closed_cannot_be_taken_any_more(offer, state):
    Offer.objects.filter(pk=offer.pk).update(state=state)

    with pytest.raises(refill.NotOpen):
        refill.accept(offer.reference)

    assert not Interview.objects.filter(status="booked").exists()


def test_it_cannot_be_taken_after_its_beginning(clock, offer):
    clock.move_to(offer.slot.starts_at)

    with pytest.raises(refill.NotOpen):
        refill.accept(offer.reference)


def test_it_cannot_be_taken_where_its_slot_was_closed_and_nothing_changes(offer):
    Slot.objects.filter(pk=offer.slot_id).update(closed_at=timezone.now())

    with pytest.raises(refill.NotOpen):
        refill.accept(offer.reference)

    assert Offer.objects.get().state == "open"
    assert taken(offer.slot_id) == 1


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_closure_takes_back_what_is_kept_on_its_days(position, offer, elsewhere):
    department = PositionFactory().department if elsewhere else position.department
    day = offer.slot.starts_at.date()

    slots.save_closure(
        Closure(name="Stocktaking", first_day=day, last_day=day, department=department),
        by=UserFactory(administrator=True),
    )

    assert Offer.objects.get().state == ("open" if elsewhere else "withdrawn")
    assert taken(offer.slot_id) == (1 if elsewhere else 0)


def test_nothing_is_taken_on_a_day_that_was_closed_meanwhile(offer):
    day = offer.slot.starts_at.date()
    Closure.objects.create(name="Holiday", first_day=day, last_day=day)

    with pytest.raises(refill.NotOpen):
        refill.accept(offer.reference)


def test_of_two_offers_at_the_same_time_only_one_can_be_taken(offer):
    slot = SlotFactory(starts_at=offer.slot.starts_at + timedelta(minutes=10), booked=1)
    person = offer.entry.candidate
    entry = WaitingEntryFactory(position=slot.position, interview__candidate=person)
    other = OfferFactory(entry=entry, place=FreedPlaceFactory(slot=slot))
    refill.accept(other.reference)

    with pytest.raises(refill.Busy):
        refill.accept(offer.reference)

    assert taken(offer.slot_id) == 1
    assert Offer.objects.get(pk=offer.pk).state == "open"


def test_an_invitation_that_came_this_moment_is_no_error(monkeypatch, offer):
    InterviewFactory(application=offer.entry.application, invited=True)
    monkeypatch.setattr(refill, "_invitation", lambda entry: None)

    with pytest.raises(refill.NotOpen):
        refill.accept(offer.reference)

    assert Offer.objects.get(pk=offer.pk).state == "open"


def test_who_has_found_a_time_elsewhere_does_not_get_a_second(offer):
    InterviewFactory(application=offer.entry.application, starts_in=timedelta(days=6))

    with pytest.raises(refill.NotOpen):
        refill.accept(offer.reference)


def test_who_declines_waits_on_and_the_next_is_asked(position, offer):
    second = WaitingEntryFactory(position=position)

    refill.decline(offer.reference)

    assert WaitingEntry.objects.get(pk=offer.entry_id).state == "waiting"
    assert Offer.objects.get(state="open").entry == second
    assert taken(offer.slot_id) == 1
    assert refill.decline(offer.reference).state == "declined"  # once is enough
    assert Offer.objects.count() == 2


def test_where_nobody_is_left_anybody_may_book_it(offer):
    refill.decline(offer.reference)
    assert taken(offer.slot_id) == 0

    refill.sweep(timezone.now())

    assert FreedPlace.objects.get().closed_at == timezone.now()
    assert books_agree()


def deliver():
    """Their provider has what is in the outbox."""
    Notification.objects.filter(state="queued").update(state="sent", sent_at=timezone.now())


def test_what_nobody_answers_goes_to_the_next_at_its_time_and_not_before(clock, position, offer):
    second = WaitingEntryFactory(position=position)
    deliver()
    clock.move_to(offer.held_until - timedelta(seconds=1))
    refill.sweep(timezone.now())
    assert Offer.objects.get().state == "open"

    clock.move_to(offer.held_until)
    refill.sweep(timezone.now())

    assert Offer.objects.get(pk=offer.pk).state == "lapsed"
    assert Offer.objects.get(state="open").entry == second
    assert WaitingEntry.objects.get(pk=offer.entry_id).unanswered == 1


def test_who_never_answers_is_asked_no_more(clock, position):
    entry = WaitingEntryFactory(position=position)
    for number in range(4):
        booked = InterviewFactory(position=position, starts_in=timedelta(days=10 + number))
        free_place(booked.slot_id)
        deliver()
        clock.shift(HOUR)
        refill.sweep(timezone.now())

    assert Offer.objects.filter(entry=entry, state="lapsed").count() == 3
    assert WaitingEntry.objects.get(pk=entry.pk).state == "expired"


@pytest.mark.parametrize("state", ["queued", "superseded", "failed", "bounced"])
def test_silence_of_whom_no_message_reached_is_not_held_against_them(clock, position, state):
    entry = WaitingEntryFactory(position=position, unanswered=2)
    free_place(InterviewFactory(position=position).slot_id)
    Notification.objects.filter(event="place_offered").update(state=state)
    clock.shift(HOUR)

    refill.sweep(timezone.now())

    assert Offer.objects.get().state == "lapsed"
    entry = WaitingEntry.objects.get(pk=entry.pk)
    assert (entry.state, entry.unanswered) == ("waiting", 2)


def refuse(user, *channels):
    wanted = {(Group.OFFERS.value, channel): False for channel in channels}
    preferences.choose_all(f"user:{user.pk}", wanted)


@pytest.mark.parametrize(
    ("mobile", "email", "refused", "lost", "asked"),
    [
        ("", "", (), False, False),
        ("13800000009", "", ("sms",), False, False),
        ("13800000009", "a@example.com", ("sms",), False, True),
        ("13800000009", "a@example.com", ("sms", "email"), False, False),
        ("13800000009", "a@example.com", (), True, False),
    ],
    ids=["no address", "no texts", "mail instead", "neither", "out of reach"],
)
def test_no_place_is_kept_for_whom_no_message_can_reach(
    position, booked, mobile, email, refused, lost, asked
):
    entry = WaitingEntryFactory(position=position, since=timezone.now() - HOUR)
    second = WaitingEntryFactory(position=position)
    user = entry.candidate.user
    User.objects.filter(pk=user.pk).update(mobile=mobile or None, email=email or None)
    refuse(user, *refused)
    if lost:
        OutOfReach.objects.create(recipient=f"user:{user.pk}", since=timezone.now())

    cancel(booked)

    assert Offer.objects.get().entry == (entry if asked else second)


def test_who_asks_on_the_page_sees_what_is_free_whether_messages_reach_them_or_not(cancelled):
    refuse(cancelled.candidate.user, "sms", "email")
    slot = SlotFactory(position=cancelled.position, starts_at=timezone.now() + timedelta(days=5))

    offer = refill.wait_for_time(cancelled.reference, by=cancelled.candidate.user)

    assert offer is not None
    assert offer.slot == slot


def test_an_answer_counts_against_never_answering(clock, position):
    entry = WaitingEntryFactory(position=position, unanswered=2)
    booked = InterviewFactory(position=position)
    free_place(booked.slot_id)

    refill.decline(Offer.objects.get().reference)

    assert WaitingEntry.objects.get(pk=entry.pk).unanswered == 0


def test_a_late_answer_counts_while_nobody_else_has_it(clock, offer):
    clock.move_to(offer.held_until + timedelta(seconds=30))

    assert refill.accept(offer.reference).slot_id == offer.slot_id


def test_the_sweep_takes_back_what_is_kept_for_who_has_a_time(position, offer):
    second = WaitingEntryFactory(position=position)
    InterviewFactory(application=offer.entry.application, starts_in=timedelta(days=6))

    refill.sweep(timezone.now())
    refill.sweep(timezone.now())

    assert Offer.objects.get(pk=offer.pk).state == "withdrawn"
    assert Offer.objects.get(state="open").entry == second
    assert WaitingEntry.objects.get(pk=offer.entry_id).state == "served"


def test_closing_slots_takes_back_what_is_kept_in_them(offer):
    assert refill.withdraw_offers([offer.slot_id]) == 1

    assert Offer.objects.get().state == "withdrawn"
    assert taken(offer.slot_id) == 0
    assert FreedPlace.objects.get().closed_at is not None
    assert Notification.objects.get(event="place_offered").state == "superseded"


def test_a_trouble_with_offering_never_keeps_anybody_from_cancelling(monkeypatch, position, booked):
    WaitingEntryFactory(position=position)

    def broken(*args, **kwargs):
        raise IntegrityError

    monkeypatch.setattr(refill, "_make", broken)
    assert cancel(booked).status == "approved"
    assert not Offer.objects.exists()

    monkeypatch.undo()
    refill.sweep(timezone.now())
    assert Offer.objects.get().state == "open"


def test_database_knows_one_holder_a_place_and_one_offer_a_person(offer):
    other = OfferFactory()
    again = {"made_at": offer.made_at, "held_until": offer.held_until, "slot": offer.slot}
    for place, entry in ((offer.place, other.entry), (other.place, offer.entry)):
        with pytest.raises(IntegrityError), transaction.atomic():
            Offer.objects.create(place=place, entry=entry, **again)


# --- asking for a time, and no more ---------------------------------------------------------------


@pytest.fixture
def cancelled(position):
    return InterviewFactory(position=position, status="cancelled", slot=None)


def test_who_asks_is_offered_what_is_free_at_once(position, cancelled):
    SlotFactory(position=position, starts_at=cancelled.starts_at)  # the time they had
    free = SlotFactory(position=position, starts_at=timezone.now() + timedelta(days=4))

    offer = refill.wait_for_time(cancelled.reference, by=cancelled.candidate.user)

    assert offer.slot == free
    assert offer.entry.why == Why.ASKED
    assert offer.place.origin == Origin.FREE  # nobody gave it up: it is not counted as recovered
    assert taken(free.pk) == 1


def test_asking_twice_is_waiting_once(cancelled):
    user = cancelled.candidate.user
    assert refill.wait_for_time(cancelled.reference, by=user) is None
    assert refill.wait_for_time(cancelled.reference, by=user) is None

    assert WaitingEntry.objects.count() == 1


@pytest.mark.parametrize("status", ["booked", "completed", "no_show", "withdrawn"])
def test_only_after_a_cancellation_can_one_wait(status):
    interview = InterviewFactory(status=status)

    with pytest.raises(refill.NothingToWaitFor):
        refill.wait_for_time(interview.reference, by=interview.candidate.user)


def test_somebody_elses_interview_is_not_there(cancelled):
    for act in (refill.wait_for_time, refill.stop_waiting):
        with pytest.raises(Interview.DoesNotExist):
            act(cancelled.reference, by=UserFactory())


def test_who_stops_waiting_gives_back_what_is_kept_for_them(position, offer):
    second = WaitingEntryFactory(position=position)

    refill.stop_waiting(offer.entry.interview.reference, by=offer.entry.candidate.user)

    assert WaitingEntry.objects.get(pk=offer.entry_id).state == "left"
    assert Offer.objects.get(pk=offer.pk).state == "withdrawn"
    assert Offer.objects.get(state="open").entry == second
    assert taken(offer.slot_id) == 1


def test_new_times_are_offered_one_to_each(position):
    entries = [WaitingEntryFactory(position=position) for _ in range(3)]
    made = [
        SlotFactory(position=position, starts_at=timezone.now() + timedelta(days=days), capacity=2)
        for days in (5, 3, 4)
    ]

    assert refill.offer_new(made) == 3

    assert {offer.entry for offer in Offer.objects.all()} == set(entries)
    assert [taken(slot.pk) for slot in made] == [0, 2, 1]  # the next ones first


@pytest.mark.parametrize("how", ["enlarged", "opened", "series enlarged", "series opened"])
def test_places_that_come_with_a_slot_go_to_who_waits_first(position, how):
    lead = UserFactory(lead=True, departments=[position.department])
    series = SlotSeriesFactory(position=position, capacity=1)
    slots.save_series(series, by=lead)
    mine = Slot.objects.filter(series=series).order_by("starts_at")
    slot = mine.first()
    if how.endswith("opened"):
        by = lead if how == "opened" else None
        Slot.objects.update(closed_at=timezone.now(), closed_by=by)
    entries = [WaitingEntryFactory(position=position) for _ in range(2)]
    if how == "enlarged":
        Slot.objects.exclude(pk=slot.pk).delete()

    match how:
        case "enlarged":
            slots.resize_slot(slot.pk, capacity=2, by=lead)
        case "opened":
            slots.open_slot(slot.pk, by=lead)
        case "series enlarged":
            series.capacity = 2
            slots.save_series(series, by=lead)
        case "series opened":
            slots.save_series(series, by=lead)

    asked = {offer.entry for offer in Offer.objects.filter(state="open")}
    assert asked == (set(entries[:1]) if how == "opened" else set(entries))


def test_fewer_places_are_offered_to_nobody(position):
    slot = SlotFactory(position=position, capacity=3)
    WaitingEntryFactory(position=position)
    lead = UserFactory(lead=True, departments=[position.department])

    slots.resize_slot(slot.pk, capacity=2, by=lead)

    assert not Offer.objects.exists()


def test_a_slot_that_hr_adds_goes_to_who_waits_first(position):
    entry = WaitingEntryFactory(position=position)
    lead = UserFactory(lead=True, departments=[position.department])
    start = timezone.now() + timedelta(days=4)

    made = slots.add_slot(
        Slot(position=position, starts_at=start, ends_at=start + HOUR / 2, capacity=3), by=lead
    )

    assert entry.offers.get().slot == made
    assert taken(made.pk) == 1


def test_closing_a_slot_for_the_company_takes_back_what_is_kept_in_it(position, offer):
    second = WaitingEntryFactory(position=position)
    lead = UserFactory(lead=True, departments=[position.department])

    company.close_slot(
        offer.slot_id,
        by=lead,
        reason=Reason.objects.get(purpose=Purpose.COMPANY, code="interviewer_away"),
    )
    refill.sweep(timezone.now())

    assert Offer.objects.get().state == "withdrawn"
    assert not second.offers.exists()
    assert taken(offer.slot_id) == 0
    with pytest.raises(refill.NotOpen):
        refill.accept(offer.reference)


def test_nothing_is_offered_on_a_day_of_a_closure(position, booked):
    WaitingEntryFactory(position=position)
    day = timezone.localtime(booked.starts_at).date()
    Closure.objects.create(name="国庆", first_day=day, last_day=day)

    cancel(booked)

    assert not Offer.objects.exists()


def test_who_moves_gives_their_place_to_who_waits(position, booked):
    WaitingEntryFactory(position=position)
    other = SlotFactory(position=position, starts_at=timezone.now() + timedelta(days=5))

    booking.move(booked.reference, other.pk, by=booked.candidate.user)

    assert Offer.objects.get().slot_id == booked.slot_id
    assert books_agree()


def test_hr_offers_a_free_place_by_hand(position):
    slot = SlotFactory(position=position)
    assert refill.offer_now(slot.pk, among=[position.pk]) is None

    entry = WaitingEntryFactory(position=position)
    assert refill.offer_now(slot.pk, among=[position.pk]).entry == entry
    with pytest.raises(Slot.DoesNotExist):
        refill.offer_now(slot.pk, among=[PositionFactory().pk])


# --- the talent pool ------------------------------------------------------------------------------


def in_pool(**more):
    return CandidateFactory(
        talent_pool_at=timezone.now() - timedelta(days=30), attributes={"skills": ["plc"]}, **more
    )


@pytest.fixture
def wants_plc(position):
    position.requirements = {"skills": ["plc"], "nights": True}
    position.save()
    return position


def free_and_sweep(position) -> Offer | None:
    days = 3 + Slot.objects.filter(position=position).count()
    cancel(InterviewFactory(position=position, starts_in=timedelta(days=days)))
    refill.sweep(timezone.now())
    return Offer.objects.filter(state="open").first()


def test_where_nobody_waits_who_of_the_pool_fits_best_is_asked(wants_plc):
    in_pool(city="")
    best = in_pool(city=wants_plc.city)

    offer = free_and_sweep(wants_plc)

    assert offer.entry.candidate == best
    assert offer.entry.why == Why.TALENT_POOL
    assert taken(offer.slot_id) == 1


def test_who_did_not_agree_does_not_fit_or_has_applied_is_not_asked(wants_plc):
    CandidateFactory(attributes={"skills": ["plc"]})  # never agreed
    in_pool(city="")
    applied = in_pool()
    ApplicationFactory(candidate=applied, position=wants_plc)
    unwilling = in_pool()
    unwilling.attributes = {"skills": ["plc"], "nights": False}
    unwilling.save()
    User.objects.filter(candidate__city="").update(mobile=None, email=None)  # cannot be reached

    assert free_and_sweep(wants_plc) is None


def test_who_something_above_speaks_against_is_not_asked(wants_plc):
    person = in_pool()

    def against(candidates, **kwargs):
        candidates.discard(person.pk)

    candidates_considered.connect(against)
    try:
        assert free_and_sweep(wants_plc) is None
    finally:
        candidates_considered.disconnect(against)


def test_who_would_meet_a_gate_is_not_asked_out_of_the_pool(wants_plc):
    in_pool()
    StageGateFactory(position=wants_plc, stage=Stage.AI_INTERVIEW)

    assert free_and_sweep(wants_plc) is None


def test_a_position_may_leave_the_pool_alone(wants_plc):
    in_pool()
    wants_plc.refill_from_pool = False
    wants_plc.save()

    assert free_and_sweep(wants_plc) is None


def test_who_takes_it_out_of_the_pool_has_applied_with_it(wants_plc):
    person = in_pool()
    offer = free_and_sweep(wants_plc)

    interview = refill.accept(offer.reference)

    application = interview.application
    assert (application.candidate, application.position) == (person, wants_plc)
    assert (application.stage, application.source) == (Stage.AI_INTERVIEW, "talent_pool")
    assert books_agree()


@pytest.mark.parametrize("answer", ["decline", "lapse"])
def test_who_of_the_pool_does_not_take_it_is_left_in_peace(clock, wants_plc, answer):
    in_pool()
    offer = free_and_sweep(wants_plc)
    if answer == "decline":
        refill.decline(offer.reference)
    else:
        deliver()
        clock.move_to(offer.held_until)
    refill.sweep(timezone.now())

    clock.shift(8 * DAY)
    assert free_and_sweep(wants_plc) is None
    assert not WaitingEntry.objects.filter(state="waiting").exists()


def test_who_of_the_pool_was_not_told_may_be_asked_once_more_and_not_at_once(clock, wants_plc):
    in_pool()
    offer = free_and_sweep(wants_plc)
    Notification.objects.update(state="failed")
    clock.move_to(offer.held_until)
    refill.sweep(timezone.now())

    assert free_and_sweep(wants_plc) is None
    clock.shift(8 * DAY)
    assert free_and_sweep(wants_plc) is not None


def test_nobody_of_the_pool_is_asked_whom_no_message_can_reach(wants_plc):
    refuse(in_pool().user, "sms", "email")

    assert free_and_sweep(wants_plc) is None


# --- figures --------------------------------------------------------------------------------------


def test_recovery_counts_places_given_up_and_taken_again(position):
    taken_again, given_up = (
        InterviewFactory(position=position, starts_in=timedelta(days=days)) for days in (3, 4)
    )
    WaitingEntryFactory(position=position)
    cancel(taken_again)
    refill.accept(Offer.objects.get().reference)
    cancel(given_up)

    (found,) = queries.refilling(
        queries.positions_seen_by(UserFactory(administrator=True)), now=timezone.now()
    )

    assert (found.freed, found.offered, found.accepted, found.refilled) == (2, 1, 1, 1)
    assert found.rate == 50


def test_figures_leave_out_other_departments_and_what_is_long_ago(clock, position):
    cancel(InterviewFactory(position=position))
    mine = UserFactory(recruiter=True, departments=[position.department])
    others = UserFactory(recruiter=True)

    def seen(user):
        return queries.refilling(queries.positions_seen_by(user), now=timezone.now())

    assert len(seen(mine)) == 1
    assert seen(others) == []
    clock.shift(queries.COUNTED + HOUR)
    assert seen(mine) == []
