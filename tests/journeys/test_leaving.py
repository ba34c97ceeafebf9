"""Leaving an interview midway and coming back, by keyboard alone; the six ways in which interviews
come to nothing, told apart at the desk; and how the pages about it look and read."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from cancellations import exits
from cancellations.help.models import HelpTurn
from cancellations.models import Cancellation, CancellationStatus, Policy, Purpose, Reason
from candidates.models import Candidate
from interviews.models import Interview
from interviews.room.models import Sitting
from interviews.states import InterviewStatus
from interviews.tasks import lapse_sittings
from notifications.models import Notification
from tests.factories import (
    CandidateFactory,
    InterviewFactory,
    PositionFactory,
    SittingFactory,
    SlotFactory,
    UserFactory,
    question,
)
from tests.journeys.room import (
    box,
    comes_back,
    given_an_interview_about_to_begin,
    is_saved,
    reads,
    room_of,
    text_of,
    when_they_come_in,
)
from tests.journeys.visitor import Visitor, either_language

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LANGUAGES = ("zh-hans", "en")
DAY = timedelta(days=1)
WORDS = {
    "en": {
        "continue": "Continue the interview",
        "unfinished": "Your last interview is not finished. Do you want to continue?",
        "leave": "Leave the interview",
        "hover": "Click here to end the interview; your data is saved as “incomplete”",
        "sure": "Are you sure that you want to leave? The interview then ends, and your data is "
        "kept as “not completed”.",
        "progress": "You have completed 50% of the interview: 2 of 4 questions.",
        "at once": "It ends at once; nobody has to approve.",
        "review": "HR decides, by",
        "reason": "Something urgent has come up",
        "other": "Something else",
        "device": "My device or my connection fails",
        "confirm": "Confirm leaving",
        "stay": "Stay in the interview",
        "left": "You have left the interview. We keep your data; for another time, contact HR.",
        "was left": "You have left this interview",
        "details": "Interview details",
        "another": "Would you like to arrange another time?",
        "again": "Choose another time",
        "book": "Book this time",
        "booked": "Booked. We look forward to seeing you.",
        "sentence": "Please describe it in a sentence",
        "waiting": "HR has your request to leave",
        "goes on": "HR asks you to go on with the interview",
        "help": "Ask for help first",
        "why": "Why do you want to leave? Perhaps we can solve it.",
        "break": "Take a break",
        "yes": "Yes",
        "helped": "You said that this helped.",
        "go on": "Go on with the interview",
    },
    "zh-hans": {
        "continue": "继续面试",
        "unfinished": "您上次面试未完成，是否继续？",
        "leave": "退出面试",
        "hover": "点击此处终止面试，数据将保存为“未完成”",
        "sure": "您确定要退出本次面试吗？退出后，本次面试将终止，"
        "数据将保存为“未完成”状态，是否继续？",
        "progress": "您已完成50%的面试",
        "at once": "立即结束，无需审批。",
        "review": "由HR处理，最晚于",
        "reason": "突发情况",
        "other": "其他",
        "device": "设备或网络故障",
        "confirm": "确认退出",
        "stay": "取消，留在面试中",
        "left": "您已成功退出面试，我们将保存您的面试数据，如需重新安排，请联系HR",
        "was left": "您已退出本次面试",
        "details": "查看面试详情",
        "another": "您已退出本次面试，是否需要重新安排？",
        "again": "另选时间",
        "book": "预约此时间",
        "booked": "预约成功，期待与您相见。",
        "sentence": "请用一句话说明",
        "waiting": "您的退出申请",
        "goes on": "HR请您继续面试",
        "help": "先寻求帮助",
        "why": "您为什么要退出面试？我们可以帮您解决问题吗？",
        "break": "休息一下",
        "yes": "有帮助",
        "helped": "您反馈有帮助。",
        "go on": "继续面试",
    },
}


# --- given ----------------------------------------------------------------------------------------


def given_a_policy(**rules) -> None:
    Policy.objects.filter(is_active=True).update(**rules)


def given_somebody_half_through(candidate: Candidate | None = None, **details) -> Sitting:
    """Ten minutes in, at the second of four questions, the first of them answered."""
    sitting = SittingFactory(
        interview__candidate=candidate or CandidateFactory(),
        entered_at=timezone.now() - timedelta(minutes=10),
        questions=[question(1), *(question(n, "professional") for n in (2, 3, 4))],
        current=2,
        **details,
    )
    sitting.answers.filter(number=1).update(
        text="我做过两年装配。", saved_at=timezone.now(), revision=1
    )
    return sitting


def given_somebody_speaking(language: str) -> Sitting:
    return given_somebody_half_through(CandidateFactory(user__language=language))


def status_of(interview: Interview) -> str:
    return Interview.objects.get(pk=interview.pk).status


def code_sent_to(sitting: Sitting) -> str:
    recipient = f"user:{sitting.interview.candidate.user_id}"
    return Notification.objects.get(event="exit_code", recipient=recipient).params["code"]


def page_of(interview: Interview) -> str:
    return reverse("cancellations:interview", args=[interview.reference])


# --- by keyboard alone ----------------------------------------------------------------------------


def when_they_come_in_by_keyboard(visitor: Visitor, words: dict[str, str]) -> None:
    """From the list of interviews to the question they were at."""
    visitor.opens(reverse("cancellations:mine"))
    reads(visitor, words["unfinished"])
    visitor.enters(words["continue"])
    expect(visitor.page.locator("#room h1")).to_have_text(words["unfinished"])
    visitor.enters(words["continue"])
    expect(box(visitor)).to_be_editable()
    visitor.entered.clear()


def dialog(visitor: Visitor):
    return visitor.page.locator("#leave")


@either_language
def test_leaves_with_a_code_and_takes_another_time(visit, language, width):
    given_a_policy(exit_second_factor=True)
    sitting, words = given_somebody_speaking(language), WORDS[language]
    interview = sitting.interview
    times = [
        SlotFactory(position=interview.position, starts_at=timezone.now() + days * DAY)
        for days in (2, 3)
    ]
    visitor = visit(interview.candidate.user, width=width)
    page, keyboard = visitor.page, visitor.page.keyboard

    when_they_come_in_by_keyboard(visitor, words)
    visitor.tabs_to_field("#text")
    visitor.types("Half a sen")
    keyboard.press("Shift+Tab")
    expect(page.locator("header [data-exit]")).to_be_focused()
    expect(page.locator("header [data-exit]")).to_have_attribute("title", words["hover"])
    keyboard.press("Enter")

    expect(dialog(visitor).locator("#exit h1")).to_be_focused()
    for shown in ("sure", "progress", "at once"):
        expect(dialog(visitor)).to_contain_text(words[shown])
    keyboard.press("Escape")
    expect(dialog(visitor)).to_be_hidden()
    keyboard.press("Enter")
    expect(dialog(visitor).locator("#exit h1")).to_be_focused()
    visitor.chooses_with_arrows(words["reason"])
    visitor.enters(words["confirm"])
    expect(dialog(visitor)).to_contain_text(interview.candidate.user.mobile[-4:])
    visitor.tabs_to_field("#id_code")
    visitor.types(code_sent_to(sitting))
    keyboard.press("Enter")
    reads(visitor, words["left"])
    assert visitor.entered == [words["confirm"]]  # with × before it and the code after it: three
    sitting.refresh_from_db()
    assert (sitting.ending, text_of(sitting, 2)) == ("exited", "Half a sen")

    visitor.opens(room_of(interview))
    expect(page.locator("h1")).to_have_text(words["was left"])
    visitor.enters(words["details"])
    reads(visitor, words["another"])
    visitor.enters(words["again"])
    expect(page.locator("h1")).to_have_text(words["again"])
    visitor.tabs_to_field("input[type=radio]")
    keyboard.press("ArrowDown")
    visitor.enters(words["book"])
    reads(visitor, words["booked"])

    booked = Interview.objects.get(pk=interview.pk)
    assert (booked.status, booked.slot) == (InterviewStatus.BOOKED, times[1])
    assert Cancellation.objects.get().status == CancellationStatus.REVERSED
    assert not visitor.complaints


@either_language
def test_hr_declines_and_they_go_on_where_they_were(visit, language, width):
    given_a_policy(exit_professional="needs_hr")
    sitting, words = given_somebody_speaking(language), WORDS[language]
    interview = sitting.interview
    visitor = visit(interview.candidate.user, width=width)
    page, keyboard = visitor.page, visitor.page.keyboard

    when_they_come_in_by_keyboard(visitor, words)
    visitor.tabs_to_field("#text")
    visitor.types("So far")
    visitor.enters(words["leave"])  # the link under the question
    expect(dialog(visitor).locator("#exit h1")).to_be_focused()
    expect(dialog(visitor)).to_contain_text(words["review"])
    visitor.chooses_with_arrows(words["other"])
    visitor.enters(words["confirm"])
    expect(dialog(visitor).locator(".error-summary")).to_be_focused()
    expect(dialog(visitor)).to_contain_text(words["sentence"])
    keyboard.press("Tab")
    keyboard.press("Enter")  # from what is wrong to where
    expect(page.locator("#id_detail")).to_be_focused()
    visitor.types("孩子突然发烧了。")
    visitor.enters(words["confirm"])
    reads(visitor, words["waiting"])
    assert status_of(interview) == InterviewStatus.EXITING
    visitor.opens(room_of(interview))
    expect(page.locator("#room")).to_have_attribute("data-state", "waiting")

    lead = UserFactory(lead=True, departments=[interview.position.department])
    desk = visit(lead, width=1280)
    desk.opens(reverse("cancellations:queue"))
    expect(desk.page.locator("#case-title")).to_have_text(interview.candidate.user.name)
    desk.sees("孩子突然发烧了。")
    desk.page.keyboard.press("d")
    desk.types("Only two more questions.")
    desk.page.keyboard.press("Enter")
    desk.sees("Nothing is waiting")
    visitor.opens(page_of(interview))
    reads(visitor, words["goes on"])
    reads(visitor, "Only two more questions.")
    visitor.enters(words["continue"])
    expect(page.locator("#room h1")).to_have_text(words["unfinished"])
    visitor.enters(words["continue"])
    expect(box(visitor)).to_have_value("So far")
    visitor.tabs_to_field("#text")
    keyboard.press("Control+End")
    visitor.types(", and on.")
    is_saved(visitor)

    assert text_of(sitting, 2) == "So far, and on."
    assert status_of(interview) == InterviewStatus.IN_PROGRESS
    assert not visitor.complaints


@either_language
def test_is_helped_and_stays(visit, language, width):
    sitting, words = given_somebody_speaking(language), WORDS[language]
    visitor = visit(sitting.interview.candidate.user, width=width)

    when_they_come_in_by_keyboard(visitor, words)
    visitor.tabs_to_field("#text")
    visitor.types("Not lost")
    visitor.enters(words["leave"])
    expect(dialog(visitor).locator("#exit h1")).to_be_focused()
    visitor.enters(words["help"])
    reads(visitor, words["why"])
    visitor.enters(words["device"])
    reads(visitor, words["break"])
    visitor.enters(words["yes"])
    reads(visitor, words["helped"])
    visitor.enters(words["go on"])
    expect(visitor.page.locator("#room h1")).to_have_text(words["unfinished"])
    visitor.enters(words["continue"])

    expect(box(visitor)).to_have_value("Not lost")
    assert HelpTurn.objects.filter(helped=True).count() == 1
    assert status_of(sitting.interview) == InterviewStatus.IN_PROGRESS
    assert not Cancellation.objects.exists()
    assert not visitor.complaints


# --- six different things -------------------------------------------------------------------------


def when_they_enter_by_mistake(visit, interview: Interview) -> None:
    visitor = visit(interview.candidate.user)
    visitor.opens(room_of(interview))
    visitor.presses("Start the interview")
    visitor.presses("To the first question")
    reads(visitor, "Question 1 of 3")
    visitor.page.locator("header [data-exit]").click()
    visitor.presses("Go back to my appointment")
    reads(visitor, "Nothing has begun: your appointment stands as it was.")


def when_they_leave(visit, sitting: Sitting) -> None:
    visitor = when_they_come_in(visit, sitting)
    visitor.page.locator("header [data-exit]").click()
    reads(visitor, "You can apply again from")
    visitor.chooses("My device or my connection fails")
    visitor.presses("Confirm leaving")
    reads(visitor, "You have left the interview.")


def when_the_line_drops(visit, sitting: Sitting) -> None:
    visitor = when_they_come_in(visit, sitting)
    visitor.page.context.set_offline(True)
    visitor.page.close()


def when_they_close_the_page(visit, sitting: Sitting) -> None:
    visitor = when_they_come_in(visit, sitting)
    visitor.page.goto("about:blank")
    for _ in range(100):
        if sitting.events.filter(kind="closed").exists():
            return
        visitor.page.wait_for_timeout(20)
    raise AssertionError("nobody heard of it")


def when_our_side_fails(visit, sitting: Sitting, monkeypatch) -> None:
    visitor = when_they_come_in(visit, sitting)

    def fail(*_args):
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr("interviews.room.views.save", fail)
        box(visitor).fill("Never arrives.")
        expect(visitor.page.locator("#saved")).to_have_attribute("data-state", "waiting")
        visitor.page.close()


def when_hr_finds_that_nobody_came(desk: Visitor, interview: Interview) -> None:
    desk.opens(reverse("cancellations:desk_interview", args=[interview.reference]))
    desk.follows("Set the status right")
    desk.chooses("Missed: the candidate did not come")
    desk.page.locator("textarea[name=reason]").fill("Nobody was there.")
    desk.presses("Continue")
    desk.presses("Set it right")


def when_a_day_passes() -> None:
    with time_machine.travel(timezone.now() + DAY + timedelta(hours=1)):
        lapse_sittings()


def test_six_different_things_are_told_apart_and_only_leaving_has_a_cooldown(visit, monkeypatch):
    given_a_policy(cooldown_days=30)
    position = PositionFactory()
    lead = UserFactory(lead=True, departments=[position.department])
    misstart = given_an_interview_about_to_begin(position=position)
    exited, dropped, closed, fault = (
        given_somebody_half_through(interview__position=position) for _ in range(4)
    )
    no_show = InterviewFactory(position=position, link="", starts_in=timedelta(hours=-2))
    desk = visit(lead, width=1280)

    when_they_enter_by_mistake(visit, misstart)
    when_they_leave(visit, exited)
    when_the_line_drops(visit, dropped)
    when_they_close_the_page(visit, closed)
    when_our_side_fails(visit, fault, monkeypatch)
    when_a_day_passes()
    when_hr_finds_that_nobody_came(desk, no_show)

    told = {
        misstart: ("Booked", "Started by mistake", "0 of 3 questions"),
        exited.interview: ("Left", "Left on purpose", "Opened “Leave the interview”"),
        dropped.interview: ("Incomplete", "Connection lost", "Not seen any more"),
        closed.interview: ("Incomplete", "Page closed", "1 of 4 questions"),
        fault.interview: ("Incomplete", "Fault on our side", "Error on our side"),
        no_show: ("Missed", "Never came in", "the room was open from"),
    }
    for interview, (status, ending, evidence) in told.items():
        desk.opens(reverse("cancellations:desk_interview", args=[interview.reference]))
        room = desk.page.locator("section[aria-labelledby=room]")
        expect(desk.page.locator(".record-head .status")).to_have_text(status)
        expect(room.locator("strong").first).to_have_text(ending)
        expect(room).to_contain_text(evidence)
        leaving = desk.page.locator("section[aria-labelledby=cancellations]")
        if interview != exited.interview:
            expect(leaving).to_have_count(0)
            continue
        for shown in (
            "Leaving midway",
            "My device or my connection fails",
            "1 of 4 questions answered",
            "no new application until",
            "Says the device or the connection failed, yet no trouble of any kind was observed",
        ):
            expect(leaving).to_contain_text(shown)
        assert not leaving.get_by_text(re.compile("before the start|Cancelled")).count()

    asked = Cancellation.objects.get()
    assert asked.interview == exited.interview
    assert timedelta(days=29) < asked.cooldown_until - timezone.now() < timedelta(days=31)
    assert not desk.complaints


# --- how it looks and reads -----------------------------------------------------------------------


def given_one_of_each_page(candidate: Candidate) -> dict[str, str]:
    """Addresses by name: after leaving, and those that need nothing to have happened."""
    reason = Reason.objects.get(purpose=Purpose.EXIT, code="emergency")

    def left(**rules) -> Sitting:
        given_a_policy(exit_professional="automatic", cooldown_days=0)
        given_a_policy(**rules)
        sitting = given_somebody_half_through(candidate)
        exits.leave(sitting.interview.reference, by=candidate.user, reason=reason)
        return sitting

    def address(name: str, sitting: Sitting) -> str:
        return reverse(f"cancellations:{name}", args=[sitting.interview.reference])

    def receipt(sitting: Sitting) -> str:
        asked = sitting.interview.cancellations.get()
        return reverse("cancellations:receipt", args=[asked.reference])

    gone, waiting = left(), left(exit_professional="needs_hr")
    SlotFactory.create_batch(2, position=gone.interview.position)
    return {
        "left": address("interview", gone),
        "another time": address("again", gone),
        "no time": address("again", left()),
        "receipt": receipt(gone),
        "waiting": address("interview", waiting),
        "receipt while waiting": receipt(waiting),
        "cooldown": address("interview", left(cooldown_days=30)),
        "false start": address("exit", SittingFactory(interview__candidate=candidate)),
        "assistant": address("assistant", gone),
        "guide": reverse("cancellations:guide"),
        "help": reverse("cancellations:help"),
    }


def when_they_are_asked(visitor: Visitor, candidate: Candidate) -> Iterator[str]:
    """Every state of the pages before leaving that takes more than an address, by name."""
    given_a_policy(exit_second_factor=True, exit_professional="needs_hr", cooldown_days=30)
    sitting = given_somebody_half_through(candidate)
    reference = sitting.interview.reference
    page = visitor.page
    confirm = page.locator("#exit .button-danger")

    visitor.opens(reverse("cancellations:exit", args=[reference]))
    yield "exit"
    confirm.click()
    expect(page.locator(".error-summary")).to_be_visible()
    yield "exit errors"
    page.locator("input[value=emergency]").check()
    confirm.click()
    expect(page.locator("#id_code")).to_be_visible()
    yield "code"
    page.locator("#id_code").fill("1")
    confirm.click()
    expect(page.locator(".error-summary")).to_be_visible()
    yield "code errors"

    comes_back(visitor, sitting)
    page.locator("header [data-exit]").click()
    expect(page.locator("#leave #exit h1")).to_be_focused()
    yield "dialog"
    page.locator("input[value=emergency]").check()
    confirm.click()
    expect(page.locator("#leave #id_code")).to_be_visible()
    yield "dialog with code"

    for reason in ("device", "privacy", "not_interested"):
        visitor.opens(reverse("cancellations:assistant", args=[reference]))
        page.locator(f"button[value={reason}]").click()
        expect(page.locator("article").first).to_be_visible()
        yield f"assistant: {reason}"
    page.locator("textarea").fill("断网了")
    page.locator("form.stack .button-primary").click()
    expect(page.locator("#found")).to_contain_text("断网了")
    yield "assistant: asked"


@pytest.mark.parametrize("language", LANGUAGES)
def test_axe_finds_nothing_and_large_letters_fit(visit, language):
    candidate = CandidateFactory(user__language=language)
    visitor = visit(candidate.user)
    found = {}

    for name, address in given_one_of_each_page(candidate).items():
        visitor.opens(address)
        visitor.opens_folds("details:not(.menu)")
        found[name] = visitor.cramped() + visitor.faults()
    for name in when_they_are_asked(visitor, candidate):
        found[name] = visitor.cramped() + visitor.faults()

    assert {name: faults for name, faults in found.items() if faults} == {}
