"""A candidate says that they come, another one does not: HR looks at it, and the candidate answers.
Both languages, phone and desk, with and without JavaScript; axe finds nothing on the way."""

from datetime import timedelta

import pytest
from django.urls import reverse

from cancellations.absences import services
from candidates.models import Mark
from interviews.models import Interview
from interviews.reminders.links import CONFIRM, TROUBLE, token_for
from tests.factories import (
    AbsenceFactory,
    CandidateFactory,
    DepartmentFactory,
    InterviewFactory,
    SlotFactory,
    UserFactory,
    tell,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

either_way = pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "no_scripts"])
ways = pytest.mark.parametrize(("locale", "width"), [("zh-CN", 390), ("en-US", 1280)])


@pytest.fixture
def department(_defaults):
    return DepartmentFactory()


@pytest.fixture
def lead(department):
    return UserFactory(lead=True, departments=[department], language="")


@pytest.fixture
def absence(department):
    """Told of it, not come, and one free time to give them."""
    candidate = CandidateFactory(user__language="")
    absence = AbsenceFactory(interview__department=department, interview__candidate=candidate)
    tell(absence.interview, created_at=absence.starts_at - timedelta(hours=2))
    SlotFactory(position=absence.interview.position)
    return absence


@either_way
def test_candidate_says_from_the_message_that_they_come(visit, javascript):
    interview = InterviewFactory(link="")
    visitor = visit(javascript=javascript)

    visitor.opens(reverse("reminders:appointment", args=[token_for(interview, CONFIRM)]))
    visitor.sees("Will you attend?")
    visitor.presses("I will attend")

    visitor.sees("You have said that you will attend")
    assert Interview.objects.get(pk=interview.pk).is_confirmed


@either_way
def test_who_cannot_come_in_tells_hr(visit, javascript):
    interview = InterviewFactory(link="", starts_in=timedelta(minutes=-5))
    visitor = visit(javascript=javascript)

    visitor.opens(reverse("reminders:trouble", args=[token_for(interview, TROUBLE)]))
    visitor.presses("Tell HR")
    visitor.sees("Choose what fits best.")
    visitor.chooses("My connection fails")
    visitor.presses("Tell HR")

    visitor.sees("HR knows, and looks at it")
    assert interview.troubles.get().kind == "line"


@either_way
def test_hr_puts_it_on_the_record_and_the_candidate_appeals(visit, absence, lead, javascript):
    desk = visit(lead, javascript=javascript, width=1280, height=800)
    desk.opens(reverse("cancellations:absence", args=[absence.reference]))
    desk.sees("They did not come.")
    desk.writes("Note (optional)", "Nobody answered the phone either.")
    desk.presses("Put it on the record…")
    desk.sees("Put it on the record?")
    desk.presses("Put it on the record")
    desk.sees("The candidate is being told, and can appeal.")

    candidate = visit(absence.interview.candidate.user, javascript=javascript)
    candidate.opens(reverse("cancellations:record"))
    candidate.presses("Appeal")
    candidate.sees("Your appeal is with HR.")

    other = UserFactory(lead=True, departments=[absence.interview.position.department])
    decider = visit(other, javascript=javascript, width=1280, height=800)
    mark = Mark.objects.get()
    decider.opens(reverse("cancellations:appeal", args=[mark.reference]))
    decider.presses("Lift the mark")
    decider.sees("Appeal granted")

    candidate.opens(reverse("cancellations:record"))
    candidate.sees("Nothing is held against you")


@ways
def test_axe_finds_nothing_on_a_page_of_the_portal(visit, absence, lead, locale, width):
    booked = InterviewFactory(candidate=absence.interview.candidate, link="")
    services.mark(absence.reference, by=lead)
    begun = InterviewFactory(
        candidate=absence.interview.candidate, link="", starts_in=timedelta(minutes=-5)
    )
    visitor = visit(absence.interview.candidate.user, locale=locale, width=width)
    pages = [
        reverse("reminders:appointment", args=[token_for(booked, CONFIRM)]),
        reverse("reminders:appointment", args=[token_for(absence.interview, CONFIRM)]),
        reverse("reminders:trouble", args=[token_for(begun, TROUBLE)]),
        reverse("reminders:trouble", args=[token_for(absence.interview, TROUBLE)]),
        reverse("cancellations:interview", args=[booked.reference]),
        reverse("cancellations:interview", args=[begun.reference]),
        reverse("cancellations:interview", args=[absence.interview.reference]),
        reverse("cancellations:record"),
    ]

    assert visitor.faults_of(pages) == {}


@pytest.mark.parametrize("locale", ["zh-CN", "en-US"])
@pytest.mark.parametrize("width", [1280, 768])
def test_axe_finds_nothing_on_a_page_of_the_desk(visit, absence, lead, locale, width):
    recruiter = UserFactory(recruiter=True, departments=[absence.interview.position.department])
    waiting = AbsenceFactory(interview__position=absence.interview.position)
    mark = services.mark(absence.reference, by=recruiter)
    services.appeal(mark.reference, by=mark.candidate.user, text="我在医院。")
    visitor = visit(lead, locale=locale, width=width, height=800)
    pages = [
        reverse("cancellations:absence", args=[waiting.reference]),
        reverse("cancellations:absence", args=[absence.reference]),
        reverse("cancellations:appeal", args=[mark.reference]),
        reverse("cancellations:desk_interview", args=[absence.interview.reference]),
        reverse("reminders:rules"),
    ]

    assert visitor.faults_of(pages) == {}


@pytest.mark.parametrize("locale", ["zh-CN", "en-US"])
def test_axe_finds_nothing_where_rules_are_written(visit, locale):
    administrator = UserFactory(administrator=True, language="")
    visitor = visit(administrator, locale=locale, width=1280, height=800)

    assert visitor.faults_of([reverse("reminders:rules"), reverse("reminders:new_rule")]) == {}
