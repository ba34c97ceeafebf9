"""Somebody in the interview room, in words."""

from datetime import timedelta

from django.urls import reverse
from playwright.sync_api import expect

from interviews.models import Interview, Position
from interviews.room.models import Answer, Question, QuestionSet, Sitting
from tests.factories import CandidateFactory, InterviewFactory, PositionFactory, SittingFactory
from tests.journeys.visitor import Visitor


def given_an_interview_about_to_begin(
    *, language: str = "en", may_speak: bool = False, position: Position | None = None
) -> Interview:
    position = position or PositionFactory()
    questions = QuestionSet.objects.create(name="Three", position=position)
    for number, stage in enumerate(("introduction", "professional", "closing"), start=1):
        Question.objects.create(
            question_set=questions,
            stage=stage,
            order=number,
            text_zh=f"第{number}个问题？",
            text_en=f"Question number {number}?",
            may_speak=may_speak and number == 2,
        )
    return InterviewFactory(
        candidate=CandidateFactory(user__language=language),
        position=position,
        link="",
        starts_in=timedelta(minutes=5),
    )


def given_somebody_in_the_room(*, language: str = "en", **details) -> Sitting:
    candidate = CandidateFactory(user__language=language)
    return SittingFactory(interview__candidate=candidate, **details)


def room_of(interview: Interview) -> str:
    return reverse("room:page", args=[interview.reference])


def when_they_come_in(visit, sitting: Sitting, **how) -> Visitor:
    visitor = visit(sitting.interview.candidate.user, **how)
    comes_back(visitor, sitting)
    return visitor


def comes_back(visitor: Visitor, sitting: Sitting) -> None:
    visitor.opens(room_of(sitting.interview))
    visitor.page.locator("form .button-primary").click()
    expect(visitor.page.locator("#text")).to_be_editable()


def text_of(sitting: Sitting, number: int = 1) -> str:
    return Answer.objects.get(sitting=sitting, number=number).text


def events_of(sitting: Sitting) -> list[str]:
    return list(sitting.events.order_by("at", "pk").values_list("kind", flat=True))


def reads(visitor: Visitor, text: str) -> None:
    """Also what is hidden stands in the page: this is to be seen."""
    expect(visitor.page.get_by_text(text).filter(visible=True).first).to_be_visible()


def box(visitor: Visitor):
    return visitor.page.locator("#text")


def is_saved(visitor: Visitor) -> None:
    expect(visitor.page.locator("#saved")).to_have_attribute("data-state", "saved")


def says(visitor: Visitor, state: str) -> None:
    expect(visitor.page.locator("#saved")).to_have_attribute("data-state", state)
