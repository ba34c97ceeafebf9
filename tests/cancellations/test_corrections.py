"""A status set right by hand, and what candidates, receipts and history then say."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_fsm import TransitionNotAllowed

from cancellations import company, queries, services
from cancellations.models import Cancellation, CancellationStatus, Purpose, Reason
from interviews import history
from interviews.models import Correction, Interview, Move, Slot
from interviews.services import SlotFull
from interviews.states import InterviewStatus
from notifications.models import Notification, State
from notifications.rendering import render
from tests.factories import (
    CandidateFactory,
    InterviewFactory,
    PositionFactory,
    SlotFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def position():
    return PositionFactory()


@pytest.fixture
def recruiter(position):
    return UserFactory(recruiter=True, departments=[position.department])


@pytest.fixture
def cancelled(position):
    """An interview its candidate called off, three days ahead."""
    interview = InterviewFactory(
        position=position, candidate=CandidateFactory(user__email="c@example.com")
    )
    why = Reason.objects.get(purpose=Purpose.CANCEL, code="time_conflict")
    services.request_cancellation(interview.reference, by=interview.candidate.user, reason=why)
    return Interview.objects.get()


def correct(interview, by, move=Move.REINSTATE, **more):
    given = {"reason": "The candidate called.", "expected": interview.status} | more
    return company.correct_interview(interview.reference, by=by, move=move, **given)


def test_reinstated_interview_takes_place_at_its_slot_again(cancelled, recruiter):
    slot = Slot.objects.get()
    assert slot.booked == 0

    correct(cancelled, recruiter, starts_at=slot.starts_at)

    interview = Interview.objects.get()
    assert (interview.status, interview.slot, interview.ended_at) == ("booked", slot, None)
    assert Slot.objects.get().booked == 1
    assert list(history.verify(Interview.objects.all())) == []


def test_both_slots_are_locked_in_the_order_of_their_keys(position, recruiter):
    slot = SlotFactory(position=position)  # before the one they missed
    missed = InterviewFactory(position=position, no_show=True)
    assert missed.slot_id > slot.pk

    with CaptureQueriesContext(connection) as captured:
        correct(missed, recruiter, starts_at=slot.starts_at)

    told = [each["sql"] for each in captured if "interviews_slot" in each["sql"]]
    first = next(sql for sql in told if "FOR UPDATE" in sql or sql.startswith("UPDATE"))
    assert "FOR UPDATE" in first
    assert "ORDER BY" in first


def test_receipt_says_that_it_was_reinstated_and_still_verifies(cancelled, recruiter, client):
    receipt = Cancellation.objects.get().reference

    correct(cancelled, recruiter, starts_at=cancelled.starts_at)

    found = queries.receipt(receipt)
    assert found.verified
    assert found.cancellation.status == CancellationStatus.REVERSED
    page = client.get(
        reverse("cancellations:receipt", args=[receipt]), headers={"Accept-Language": "en"}
    )
    text = page.content.decode()
    assert "has since been reinstated" in text
    assert "Genuine" in text


def test_reinstated_interview_can_be_cancelled_again(cancelled, recruiter):
    correct(cancelled, recruiter, starts_at=cancelled.starts_at)
    why = Reason.objects.get(purpose=Purpose.CANCEL, code="unwell")

    second, is_new = services.request_cancellation(
        cancelled.reference, by=cancelled.candidate.user, reason=why
    )

    assert is_new
    assert queries.current_cancellation(Interview.objects.get()) == second
    assert sorted(Cancellation.objects.values_list("status", flat=True)) == ["approved", "reversed"]
    assert all(queries.receipt(each.reference).verified for each in Cancellation.objects.all())


def test_candidate_sees_that_it_takes_place_after_all(cancelled, recruiter, client):
    correct(cancelled, recruiter, starts_at=cancelled.starts_at)
    client.force_login(cancelled.candidate.user)

    page = client.get(reverse("cancellations:interview", args=[cancelled.reference]))

    assert "HR has reinstated it: it takes place after all." in page.content.decode()


def test_everybody_hears_and_what_was_unsent_stays_unsent(cancelled, recruiter, position):
    correct(cancelled, recruiter, starts_at=cancelled.starts_at, note="We found a place.")

    told = Notification.objects.filter(event__startswith="interview_reinstated")
    assert set(told.values_list("event", "channel", "recipient")) == {
        ("interview_reinstated", "sms", f"user:{cancelled.candidate.user_id}"),
        ("interview_reinstated", "email", f"user:{cancelled.candidate.user_id}"),
        ("interview_reinstated_staff", "email", f"user:{position.recruiter_id}"),
        ("interview_reinstated_staff", "desk", f"user:{position.recruiter_id}"),
        ("interview_reinstated_staff", "desk", position.department.audience),
    }
    assert "We found a place." in render(told.get(channel="sms")).body
    before = Notification.objects.exclude(pk__in=told)
    assert set(before.values_list("state", flat=True)) == {State.SUPERSEDED}


def test_history_names_the_correction_and_keeps_no_words(cancelled, recruiter):
    correction = correct(cancelled, recruiter, reason="张三 called.", starts_at=cancelled.starts_at)

    entry = cancelled.history.last()
    assert (entry.event, entry.actor) == ("corrected", f"user:{recruiter.pk}")
    assert entry.data["correction"] == correction.reference
    assert (entry.data["move"], entry.data["before"]) == ("reinstate", "cancelled")
    assert not any("张三" in str(each.data) for each in cancelled.history.all())
    kept = Correction.objects.get()
    assert (kept.reason, kept.by, kept.before) == ("张三 called.", recruiter, "cancelled")


def test_full_slot_is_refused_and_nothing_changes(cancelled, recruiter):
    slot = Slot.objects.get()
    Slot.objects.update(booked=slot.capacity)

    with pytest.raises(SlotFull):
        correct(cancelled, recruiter, starts_at=slot.starts_at)

    assert Interview.objects.get().status == "cancelled"
    assert Cancellation.objects.get().status == CancellationStatus.APPROVED
    assert not Correction.objects.exists()


def test_time_outside_the_slots_keeps_the_length(cancelled, recruiter):
    starts_at = timezone.now() + timedelta(days=8)

    correct(cancelled, recruiter, starts_at=starts_at)

    interview = Interview.objects.get()
    assert (interview.slot, interview.starts_at) == (None, starts_at)
    assert interview.ends_at - starts_at == timedelta(minutes=30)


def test_time_that_has_passed_is_refused(cancelled, recruiter):
    for starts_at in (None, timezone.now() - timedelta(seconds=1)):
        with pytest.raises(ValidationError):
            correct(cancelled, recruiter, starts_at=starts_at)


def test_missed_interview_gives_back_its_old_place(position, recruiter):
    missed = InterviewFactory(position=position, no_show=True)
    later = SlotFactory(position=position)

    correct(missed, recruiter, starts_at=later.starts_at)

    assert Interview.objects.get().slot == later
    assert dict(Slot.objects.values_list("pk", "booked")) == {missed.slot_id: 0, later.pk: 1}


def test_nobody_has_missed_what_is_not_over(client, position, recruiter):
    interview = InterviewFactory(position=position, starts_in=timedelta(seconds=-30))
    client.force_login(recruiter)

    with pytest.raises(TransitionNotAllowed):
        correct(interview, recruiter, move=Move.MISS)
    page = client.get(reverse("cancellations:correct", args=[interview.reference])).text

    assert "They can still come" in page
    assert company.moves(interview, now=interview.ends_at) == [
        Move.COMPLETE,
        Move.MISS,
        Move.WITHDRAW,
    ]


@pytest.mark.parametrize(
    ("given", "move", "becomes"),
    [
        ({"starts_in": timedelta(hours=-1)}, Move.MISS, "no_show"),
        ({"starts_in": timedelta(hours=-1)}, Move.COMPLETE, "completed"),
        ({"starts_in": timedelta(hours=1)}, Move.WITHDRAW, "withdrawn"),
        ({"in_progress": True}, Move.COMPLETE, "completed"),
        ({"in_progress": True}, Move.LAPSE, "incomplete"),
        ({"invited": True}, Move.WITHDRAW, "withdrawn"),
        (
            {"invited": True, "deadline": timezone.now() - timedelta(days=1)},
            Move.MISS,
            "no_show",
        ),
    ],
)
def test_status_is_set_right(position, recruiter, given, move, becomes):
    interview = InterviewFactory(position=position, **given)

    correct(interview, recruiter, move)

    assert Interview.objects.get().status == becomes
    assert list(history.verify(Interview.objects.all())) == []
    told = Notification.objects.get(event="status_corrected")
    assert str(InterviewStatus(becomes).label) in render(told).body


def test_withdrawing_frees_the_place(position, recruiter):
    interview = InterviewFactory(position=position)

    correct(interview, recruiter, Move.WITHDRAW)

    assert Slot.objects.get().booked == 0


@pytest.mark.parametrize(
    ("given", "move"),
    [
        ({}, Move.MISS),  # it has not begun
        ({}, Move.COMPLETE),
        ({}, Move.REINSTATE),
        ({"status": "cancelling"}, Move.WITHDRAW),  # HR decides
        ({"completed": True}, Move.REINSTATE),
        ({"invited": True}, Move.MISS),  # it can still be booked
    ],
)
def test_what_makes_no_sense_is_refused(position, recruiter, given, move):
    interview = InterviewFactory(position=position, **given)

    with pytest.raises(TransitionNotAllowed):
        correct(interview, recruiter, move, starts_at=timezone.now() + timedelta(days=1))

    assert Interview.objects.get().status == interview.status


def test_who_looked_at_an_older_status_is_told(cancelled, recruiter):
    correct(cancelled, recruiter, starts_at=cancelled.starts_at)

    with pytest.raises(company.ChangedMeanwhile):
        correct(cancelled, recruiter, starts_at=cancelled.starts_at)

    assert Correction.objects.count() == 1


def test_viewer_may_not_and_other_departments_are_not_there(cancelled, position):
    viewer = UserFactory(viewer=True, departments=[position.department])
    stranger = UserFactory(recruiter=True)

    with pytest.raises(PermissionDenied):
        correct(cancelled, viewer, starts_at=cancelled.starts_at)
    with pytest.raises(Interview.DoesNotExist):
        correct(cancelled, stranger, starts_at=cancelled.starts_at)


# --- the pages ------------------------------------------------------------------------------------


@pytest.fixture
def desk(client, recruiter):
    client.force_login(recruiter)
    return client


def path(interview):
    return reverse("cancellations:correct", args=[interview.reference])


def sent(interview, **more):
    return {
        "expected": interview.status,
        "move": "reinstate",
        "when": interview.starts_at.isoformat(),
        "reason": "The candidate called.",
        "note": "",
    } | more


def test_page_offers_the_slots_that_have_a_place(cancelled, desk, position):
    full = SlotFactory(position=position, starts_at=timezone.now() + timedelta(days=5), capacity=0)
    SlotFactory(position=position, starts_at=timezone.now() - timedelta(days=5))

    form = desk.get(path(cancelled)).context["form"]

    times = [value for value, _ in form.fields["when"].choices]
    assert times == [cancelled.starts_at.isoformat(), "other"]
    assert full.starts_at.isoformat() not in times


def test_second_look_changes_nothing_and_confirming_does(cancelled, desk):
    check = desk.post(path(cancelled), sent(cancelled, step="check"))
    assert check.status_code == 200
    assert "The receipt of the cancellation says" in check.content.decode()
    assert Interview.objects.get().status == "cancelled"

    done = desk.post(path(cancelled), sent(cancelled, step="confirm"))
    assert done.status_code == 303
    assert Interview.objects.get().status == "booked"


def test_sending_it_twice_corrects_once(cancelled, desk):
    for _ in range(2):
        assert desk.post(path(cancelled), sent(cancelled, step="confirm")).status_code == 303

    assert Correction.objects.count() == 1


@pytest.mark.parametrize("step", ["check", "confirm", "back"])
def test_status_changed_meanwhile_loses_nothing_that_was_typed(
    cancelled, desk, position, step, recruiter
):
    form = sent(cancelled, step=step, note="We found a place.")
    colleague = UserFactory(recruiter=True, departments=[position.department])
    correct(cancelled, colleague, starts_at=cancelled.starts_at)

    response = desk.post(path(cancelled), form)

    assert response.status_code == 409
    text = response.content.decode()
    assert "Its status has changed meanwhile." in text
    form = response.context["form"]
    assert form["reason"].value() == "The candidate called."
    assert form["note"].value() == "We found a place."
    assert form["expected"].value() == "booked"
    assert not form.errors
    again = sent(Interview.objects.get(), move="withdraw", step="confirm")
    assert desk.post(path(cancelled), again).status_code == 303
    assert Interview.objects.get().status == "withdrawn"


def test_what_was_typed_is_shown_where_nothing_is_left_to_set_right(desk, position):
    interview = InterviewFactory(position=position, in_progress=True)
    form = sent(interview, move="lapse", step="confirm", reason="They hung up.", note="So sorry.")
    Interview.objects.filter(pk=interview.pk).update(status="completed")

    response = desk.post(path(interview), form)

    assert response.status_code == 409
    for words in ("They hung up.", "So sorry.", "nothing to set right"):
        assert words in response.content.decode()


def test_changed_while_it_was_being_set_right(cancelled, desk, position, monkeypatch):
    """Between the look at it and the lock on it."""
    colleague = UserFactory(recruiter=True, departments=[position.department])
    correct_interview = company.correct_interview

    def first(reference, **given):
        monkeypatch.undo()
        correct(cancelled, colleague, starts_at=cancelled.starts_at)
        return correct_interview(reference, **given)

    monkeypatch.setattr(company, "correct_interview", first)

    response = desk.post(path(cancelled), sent(cancelled, step="confirm"))

    assert response.status_code == 409
    assert response.context["form"]["reason"].value() == "The candidate called."


def test_typed_time_is_in_the_readers_zone(cancelled, desk, recruiter):
    recruiter.time_zone = "Asia/Tokyo"
    recruiter.save()
    day = (timezone.now() + timedelta(days=9)).date().isoformat()

    desk.post(path(cancelled), sent(cancelled, when="other", time=f"{day}T09:00", step="confirm"))

    assert Interview.objects.get().starts_at.isoformat() == f"{day}T00:00:00+00:00"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"reason": ""}, "Say in a sentence why."),
        ({"reason": "abc"}, "Say in a sentence why."),
        ({"reason": "x" * 501}, "at most 500 characters"),
        ({"when": "other"}, "Enter a day and a time."),
        ({"when": "other", "time": "2001-01-01T10:00"}, "Choose a time that lies ahead."),
        ({"when": "other", "time": "0240-01-01T10:00"}, "between 2000 and 2099"),
        ({"when": "other", "time": "soon"}, "Enter a day and a time."),
        ({"when": "2099"}, "Choose a time."),
        ({"move": "complete"}, "Choose one."),
        ({"note": "a\x00b"}, "Null characters are not allowed."),
    ],
)
def test_bad_input_is_refused_in_words(cancelled, desk, more, words):
    response = desk.post(path(cancelled), sent(cancelled, step="confirm", **more))

    assert response.status_code == 422
    assert words in response.content.decode()
    assert Interview.objects.get().status == "cancelled"


def test_slot_filled_meanwhile_asks_for_another(cancelled, desk, monkeypatch):
    Slot.objects.update(capacity=1)

    def fill(*args, **kwargs):
        Slot.objects.update(booked=1)
        return correct_interview(*args, **kwargs)

    correct_interview = company.correct_interview
    monkeypatch.setattr(company, "correct_interview", fill)

    response = desk.post(path(cancelled), sent(cancelled, step="confirm"))

    assert response.status_code == 409
    assert "This time has no place left." in response.content.decode()
    assert "The candidate called." in response.content.decode()


def test_what_cannot_be_set_right_says_why(desk, position):
    waiting = InterviewFactory(position=position, status="cancelling")
    done = InterviewFactory(position=position, completed=True)

    assert "Decide the request" in desk.get(path(waiting)).content.decode()
    assert "nothing to set right" in desk.get(path(done)).content.decode()
