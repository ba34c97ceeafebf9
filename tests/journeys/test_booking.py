"""From the invitation to a time and to another one; HR offers times and takes them back."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from interviews.booking.queries import invitation_token
from interviews.models import Closure, Interview, Slot, SlotSeries
from notifications.models import Notification
from tests.factories import (
    PASSWORD,
    PDF,
    CandidateFactory,
    DepartmentFactory,
    DocumentFactory,
    InterviewFactory,
    PositionFactory,
    SlotFactory,
    SlotSeriesFactory,
    StageGateFactory,
    UserFactory,
)
from tests.journeys.visitor import either_language

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

either_way = pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "no_scripts"])


def given_an_invitation(**details) -> Interview:
    deadline = timezone.now() + timedelta(days=7)
    return InterviewFactory(**{"invited": True, "deadline": deadline, **details})


def given_times(interview, *days) -> list[Slot]:
    now = timezone.now()
    return [
        SlotFactory(position=interview.position, starts_at=now + timedelta(days=day))
        for day in days
    ]


def fresh(row):
    return type(row)._base_manager.get(pk=row.pk)


def link_to(interview) -> str:
    return reverse("interviews:invitation", args=[invitation_token(interview)])


def on_interview(name, interview) -> str:
    return reverse(f"cancellations:{name}", args=[interview.reference])


@either_way
def test_from_the_link_to_a_time_and_to_another(visit, javascript):
    interview = given_an_invitation(candidate=CandidateFactory(user__mobile="+8613911112222"))
    first, second = given_times(interview, 3, 4)
    visitor = visit(javascript=javascript)

    visitor.opens(link_to(interview))
    visitor.sees("You are invited to an interview")
    visitor.presses("Choose a time")
    visitor.writes("Mobile number or ID number", "139 1111 2222")
    visitor.writes("Password", PASSWORD)
    visitor.presses("Sign in")
    visitor.sees("Times are in your time zone")
    visitor.page.locator(f"#slot_{first.pk}").check()
    visitor.presses("Book this time")
    visitor.sees("Booked. We look forward to seeing you.")
    visitor.follows("Choose another time")
    visitor.sees("up to 2 more times")
    visitor.page.locator(f"#slot_{second.pk}").check()
    visitor.presses("Move it to this time")
    visitor.sees("Moved. Your interview has its new time.")

    moved = fresh(interview)
    assert (moved.slot_id, moved.moves) == (second.pk, 1)
    assert moved.opened_at is not None
    assert (fresh(first).booked, fresh(second).booked) == (0, 1)
    assert Notification.objects.filter(event="interview_moved", channel="sms").count() == 1
    assert not visitor.complaints


@either_way
def test_declining_reads_what_follows_first(visit, javascript):
    interview = given_an_invitation()
    visitor = visit(interview.candidate.user, javascript=javascript)

    visitor.opens(on_interview("interview", interview))
    visitor.follows("Decline the invitation")
    visitor.sees("Nothing is held against you")
    visitor.presses("Decline the invitation")
    visitor.sees("Choose a reason.")
    visitor.chooses("Something else")
    visitor.writes("In a sentence", "I am moving to another town.")
    visitor.presses("Decline the invitation")
    visitor.sees("Declined. Thank you for telling us.")

    assert fresh(interview).status == "withdrawn"


def test_time_taken_in_the_meantime_leaves_one_with_the_others(visit):
    interview = given_an_invitation()
    taken, free = given_times(interview, 3, 4)
    visitor = visit(interview.candidate.user)

    visitor.opens(on_interview("book", interview))
    visitor.page.locator(f"#slot_{taken.pk}").check()
    Slot.objects.filter(pk=taken.pk).update(booked=10)
    visitor.presses("Book this time")
    visitor.sees("That time has just been taken.")
    visitor.page.locator(f"#slot_{free.pk}").check()
    visitor.presses("Book this time")
    visitor.sees("Booked. We look forward to seeing you.")


def test_by_keyboard_alone(visit):
    interview = given_an_invitation()
    (slot,) = given_times(interview, 3)
    visitor = visit(interview.candidate.user)

    visitor.opens(on_interview("interview", interview))
    visitor.enters("Choose a time")
    visitor.sees("Times are in your time zone")
    visitor.tabs_to_field(f"#slot_{slot.pk}")
    visitor.page.keyboard.press("Space")
    visitor.enters("Book this time")
    visitor.sees("Booked. We look forward to seeing you.")


@either_way
def test_hr_offers_a_series_closes_a_day_and_calls_a_slot_off(visit, javascript):
    department = DepartmentFactory()
    position = PositionFactory(department=department, title="装配技术员")
    recruiter = UserFactory(recruiter=True, departments=[department])
    desk = visit(recruiter, javascript=javascript, width=1280)

    desk.opens(reverse("cancellations:interviews"))
    desk.follows("Calendar")
    desk.sees("Nothing can be booked this week")
    desk.follows("Add a series")
    desk.page.get_by_label("Position").select_option(str(position.pk))
    for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"):
        desk.chooses(day)
    desk.writes("Times of day", "09:00–10:00")
    desk.presses("Save")
    desk.sees("Saved. Its slots are in the calendar.")
    series = SlotSeries.objects.get()
    slot = series.slots.filter(starts_at__gt=timezone.now() + timedelta(days=7)).first()
    InterviewFactory(position=position, slot=slot, starts_at=slot.starts_at)
    Slot.objects.filter(pk=slot.pk).update(booked=1)

    desk.opens(reverse("interviews:slot", args=[slot.pk]))
    desk.follows("Close it and cancel its interviews…")
    desk.chooses("Hiring for this position has been paused")
    desk.presses("Continue")
    desk.sees("Close the slot and cancel 1 interview?")
    desk.presses("Close and cancel")
    desk.sees("1 interview is cancelled")

    assert Interview.objects.get().status == "cancelled"
    assert fresh(slot).closed_by == recruiter
    assert not desk.complaints


@either_way
def test_document_is_handed_in_and_checked(visit, javascript):
    department = DepartmentFactory()
    interview = InterviewFactory(department=department, status="completed", ended_at=timezone.now())
    StageGateFactory(position=interview.position, expires=False)
    visitor = visit(interview.candidate.user, javascript=javascript)
    recruiter = UserFactory(recruiter=True, departments=[department])
    desk = visit(recruiter, javascript=javascript, width=1280)

    visitor.opens(on_interview("interview", interview))
    visitor.follows("See what is needed")
    visitor.page.locator("input[type=file]").set_input_files(
        {"name": "certificate.pdf", "mimeType": "application/pdf", "buffer": PDF}
    )
    visitor.presses("Hand it in")
    visitor.sees("Handed in. If it is not right, HR tells you.")
    desk.opens(on_interview("desk_interview", interview))
    desk.follows("Documents and scores")
    desk.chooses("Yes, accept it")
    desk.presses("Save")
    desk.sees("Accepted")
    desk.presses("Move on")
    desk.sees("Moved on.")

    assert fresh(interview.application).stage == "second_interview"


@either_language
def test_portal_has_nothing_for_axe_to_find(visit, language, width):
    candidate = CandidateFactory(user__language=language)
    invited, booked = (
        given_an_invitation(candidate=candidate),
        InterviewFactory(candidate=candidate),
    )
    expired = given_an_invitation(candidate=candidate, deadline=timezone.now() - timedelta(days=1))
    done = InterviewFactory(candidate=candidate, completed=True)
    gate = StageGateFactory(position=done.position)
    DocumentFactory(application=done.application, gate=gate)
    given_times(invited, 3, 4)
    Slot.objects.filter(pk=given_times(invited, 5)[0].pk).update(booked=10)
    given_times(booked, 5)
    visitor = visit(candidate.user, width=width)

    found = visitor.faults_of(
        [
            reverse("cancellations:mine"),
            link_to(invited),
            link_to(expired),
            link_to(booked),
            reverse("interviews:invitation", args=["7K2M9QX4TB.x"]),
            on_interview("interview", invited),
            on_interview("interview", expired),
            on_interview("interview", booked),
            on_interview("interview", done),
            on_interview("book", invited),
            on_interview("move", booked),
            on_interview("decline_invitation", invited),
            reverse("interviews:documents", args=[done.reference]),
        ]
    )

    assert found == {}


@either_language
def test_desk_has_nothing_for_axe_to_find(visit, language, width):
    department = DepartmentFactory()
    recruiter = UserFactory(recruiter=True, departments=[department], language=language)
    interview = InterviewFactory(department=department)
    done = InterviewFactory(department=department, completed=True)
    gate = StageGateFactory(position=done.position)
    StageGateFactory(position=done.position, score=True)
    DocumentFactory(application=done.application, gate=gate)
    SlotFactory(position=interview.position, closed_at=timezone.now())
    SlotFactory(position=interview.position, capacity=1, booked=1)
    series = SlotSeriesFactory(position=interview.position)
    day = timezone.localdate(interview.starts_at)
    closure = Closure.objects.create(
        name="停产检修", first_day=day, last_day=day, department=department
    )
    desk = visit(recruiter, width=width)

    found = desk.faults_of(
        [
            reverse("interviews:calendar"),
            f"{reverse('interviews:calendar')}?day={day.isoformat()}",
            f"{reverse('interviews:calendar')}?day=2050-01-01",
            reverse("interviews:slot", args=[interview.slot.pk]),
            reverse("interviews:new_slot"),
            reverse("interviews:all_series"),
            reverse("interviews:new_series"),
            reverse("interviews:series", args=[series.pk]),
            reverse("interviews:end_series", args=[series.pk]),
            reverse("interviews:closures"),
            reverse("interviews:new_closure"),
            reverse("interviews:closure", args=[closure.pk]),
            reverse("cancellations:close_slot", args=[interview.slot.pk]),
            on_interview("give_time", interview),
            on_interview("desk_interview", interview),
            reverse("interviews:desk_documents", args=[done.reference]),
            reverse("interviews:desk_documents", args=[interview.reference]),
        ]
    )

    assert found == {}
