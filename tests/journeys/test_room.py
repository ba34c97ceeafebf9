"""The interview room as a candidate meets it: by keyboard, in two tabs, against the clock, without
a microphone, signed out on the way, and about to leave."""

import gzip
import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.urls import reverse
from playwright.sync_api import expect

from accounts.sessions import SessionStore
from interviews.models import Interview
from interviews.room.models import Answer, Recording, RoomEvent, Sitting
from interviews.states import InterviewStatus
from tests.factories import (
    PASSWORD,
    InterviewFactory,
    SittingFactory,
    question,
)
from tests.journeys.room import (
    box,
    comes_back,
    events_of,
    given_an_interview_about_to_begin,
    given_somebody_in_the_room,
    is_saved,
    reads,
    room_of,
    says,
    text_of,
    when_they_come_in,
)
from tests.journeys.visitor import FOCUSED, OVERFLOWS, Visitor, either_language

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LIGHT = 80 * 1024  # bytes of the room's page, over the wire, with an empty cache
WORDS = {
    "en": {
        "enter": "Enter the interview",
        "start": "Start the interview",
        "first": "To the first question",
        "next": "Next",
        "last": "Check and finish",
        "finish": "Finish the interview",
        "done": "Thank you. Your interview is complete",
        "leave": "Leave the interview",
        "progress": "Question 1 of 3",
        "unfinished": "Your last interview is not finished. Do you want to continue?",
        "prompt": "You are about to leave the interview. Please confirm whether you want to go on.",
    },
    "zh-hans": {
        "enter": "进入面试",
        "start": "开始面试",
        "first": "进入第 1 题",
        "next": "下一题",
        "last": "检查并完成",
        "finish": "完成面试",
        "done": "谢谢您，面试已完成",
        "leave": "退出面试",
        "progress": "第 1 题，共 3 题",
        "unfinished": "您上次面试未完成，是否继续？",
        "prompt": "您即将退出面试，请确认是否继续",
    },
}


# --- the whole way --------------------------------------------------------------------------------


@either_language
def test_whole_interview_by_keyboard_alone(visit, language, width):
    interview = given_an_interview_about_to_begin(language=language)
    visitor, words = visit(interview.candidate.user, width=width), WORDS[language]
    page = visitor.page

    visitor.opens(reverse("cancellations:mine"))
    visitor.enters(words["enter"])
    expect(page.locator("[data-check=line] [data-result=good]")).to_be_visible()
    expect(page.locator("[data-check=storage] [data-result=good]")).to_be_visible()
    visitor.enters(words["start"])
    expect(page.locator("#practice h1")).to_be_focused()
    visitor.tabs_to_field("#text")
    page.keyboard.type("Practice.")
    visitor.enters(words["first"])
    for number in (1, 2, 3):
        expect(page.locator("#answer h1")).to_have_text(re.compile(str(number)))
        expect(page.locator("#answer h1")).to_be_focused()
        if number == 1:
            expect(page.locator(".room-title")).to_have_text(words["progress"])
        visitor.tabs_to_field("#text")
        page.keyboard.type(f"Answer {number} 回答。")
        is_saved(visitor)
        visitor.enters(words["next"] if number < 3 else words["last"])
    expect(page.locator("#end h1")).to_be_focused()
    visitor.enters(words["finish"])
    expect(page.locator("h1")).to_have_text(words["done"])

    answers = Answer.objects.filter(sitting__interview=interview).order_by("number")
    assert [each.text for each in answers] == [f"Answer {n} 回答。" for n in (1, 2, 3)]
    assert Interview.objects.get(pk=interview.pk).status == InterviewStatus.COMPLETED
    assert not visitor.complaints


def test_goes_back_and_changes_an_answer(visit):
    sitting = given_somebody_in_the_room()
    visitor = when_they_come_in(visit, sitting)

    box(visitor).fill("First thought.")
    visitor.presses("Next")
    reads(visitor, "Question 2 of 3")
    visitor.presses("Previous")
    expect(box(visitor)).to_have_value("First thought.")
    box(visitor).fill("Second thought.")
    visitor.presses("Next")

    reads(visitor, "Question 2 of 3")
    assert text_of(sitting) == "Second thought."


def test_last_page_says_what_is_not_answered(visit):
    sitting = given_somebody_in_the_room(current=3)
    visitor = when_they_come_in(visit, sitting)

    visitor.presses("Check and finish")
    expect(visitor.page.get_by_text("Not answered")).to_have_count(3)
    visitor.page.get_by_role("button", name="Review Question 1").click()

    reads(visitor, "Question 1 of 3")


def test_page_is_light(visit):
    """Over the wire: static files as production compresses them, the page itself as it is."""
    sitting = given_somebody_in_the_room()
    visitor = visit(sitting.interview.candidate.user)
    sizes = {}
    visitor.page.on("response", lambda response: sizes.__setitem__(response.url, response.body()))

    comes_back(visitor, sitting)
    is_here = visitor.page.url.split("?")[0]
    loaded = {
        url: gzip.compress(body) if "/static/" in url else body for url, body in sizes.items()
    }

    assert sum(map(len, loaded.values())) < LIGHT, {url: len(body) for url, body in loaded.items()}
    assert any(url.startswith(is_here) for url in loaded)


# --- trouble --------------------------------------------------------------------------------------


def test_offline_is_said_and_sent_later_in_order(visit):
    sitting = given_somebody_in_the_room()
    visitor = when_they_come_in(visit, sitting)
    box(visitor).fill("Kept.")
    is_saved(visitor)

    visitor.page.context.set_offline(True)
    box(visitor).press_sequentially(" And more.")
    says(visitor, "offline")
    expect(visitor.page.locator("#spoken")).to_have_text("Offline, kept here")
    visitor.presses("Next")
    reads(visitor, "You can carry on as soon as the connection is back")
    assert text_of(sitting) == "Kept."
    visitor.page.context.set_offline(False)
    is_saved(visitor)

    assert text_of(sitting) == "Kept. And more."
    expect(box(visitor)).to_have_value("Kept. And more.")
    expect(visitor.page.locator("[data-notice=waiting]")).to_be_hidden()
    visitor.page.wait_for_timeout(300)
    assert {"offline", "online"} <= set(events_of(sitting))


def test_killed_while_offline_everything_is_back(visit):
    sitting = given_somebody_in_the_room()
    visitor = when_they_come_in(visit, sitting)
    box(visitor).fill("Kept.")
    is_saved(visitor)
    visitor.page.context.set_offline(True)
    box(visitor).press_sequentially(" Not sent.")

    context = visitor.page.context
    visitor.page.close()
    context.set_offline(False)
    back = Visitor(context.new_page())
    comes_back(back, sitting)

    expect(box(back)).to_have_value("Kept. Not sent.")
    is_saved(back)
    assert text_of(sitting) == "Kept. Not sent."


def test_signed_out_in_the_middle_comes_back_to_every_character(visit):
    sitting = given_somebody_in_the_room()
    visitor = when_they_come_in(visit, sitting)
    (cookie,) = [each for each in visitor.page.context.cookies() if each["name"] == "sessionid"]
    SessionStore(cookie["value"]).delete()

    box(visitor).press_sequentially("Typed too late.")
    box(visitor).blur()
    reads(visitor, "You have been signed out.")
    says(visitor, "waiting")
    visitor.follows("Sign in and continue")
    visitor.writes("Mobile number or ID number", sitting.interview.candidate.user.mobile)
    visitor.writes("Password", PASSWORD)
    visitor.presses("Sign in")
    reads(visitor, WORDS["en"]["unfinished"])
    visitor.presses("Continue the interview")

    expect(box(visitor)).to_have_value("Typed too late.")
    is_saved(visitor)
    assert text_of(sitting) == "Typed too late."


def test_two_tabs_newer_text_wins_and_the_other_is_told(visit):
    sitting = given_somebody_in_the_room()
    first = when_they_come_in(visit, sitting)
    second = first.opens_another_tab()
    comes_back(second, sitting)

    box(first).fill("From the first tab.")
    is_saved(first)
    box(second).fill("From the second tab.")
    reads(second, "changed in another tab or on another device")
    expect(box(second)).to_have_value("From the first tab.")
    assert text_of(sitting) == "From the first tab."
    reads(second, "From the second tab.")
    second.presses("Use my text")
    is_saved(second)
    assert text_of(sitting) == "From the second tab."

    box(first).fill("From the first tab, again.")
    reads(first, "changed in another tab")
    first.presses("Discard my text")
    expect(box(first)).to_have_value("From the second tab.")
    expect(first.page.locator("[data-notice=conflict]")).to_be_hidden()
    first.page.reload()
    expect(box(first)).to_have_value("From the second tab.")
    expect(first.page.locator("[data-notice=conflict]")).to_be_hidden()
    assert text_of(sitting) == "From the second tab."
    assert events_of(sitting).count("other_tab") == 2


def test_text_left_here_is_offered_where_another_device_went_on(visit):
    sitting = given_somebody_in_the_room()
    visitor = when_they_come_in(visit, sitting)
    visitor.page.context.set_offline(True)
    box(visitor).press_sequentially("Never sent.")
    context = visitor.page.context
    visitor.page.close()
    context.set_offline(False)
    other = when_they_come_in(visit, sitting)
    box(other).fill("From the other device.")
    is_saved(other)

    back = Visitor(context.new_page())
    comes_back(back, sitting)

    reads(back, "Text from this device that was not sent.")
    expect(box(back)).to_have_value("From the other device.")
    reads(back, "Never sent.")
    assert text_of(sitting) == "From the other device."


def test_going_on_elsewhere_is_told(visit):
    sitting = given_somebody_in_the_room()
    first = when_they_come_in(visit, sitting)
    second = first.opens_another_tab()
    comes_back(second, sitting)

    second.presses("Next")
    reads(second, "Question 2 of 3")
    first.page.evaluate("beat()")
    reads(first, "You have moved on to another question")
    first.presses("Go there")

    reads(first, "Question 2 of 3")


def test_ended_meanwhile_keeps_the_text_in_sight(visit):
    sitting = given_somebody_in_the_room()
    first = when_they_come_in(visit, sitting)
    second = first.opens_another_tab()
    comes_back(second, sitting)
    for name in ("Next", "Next", "Check and finish", "Finish the interview"):
        second.presses(name)
    reads(second, "Thank you.")

    box(first).fill("Too late.")
    reads(first, "This interview has ended")
    says(first, "refused")
    expect(box(first)).to_have_value("Too late.")
    first.follows("See how it stands")

    reads(first, "Thank you.")
    assert text_of(sitting) == ""


def test_too_long_is_said_before_it_is_sent(visit, monkeypatch):
    monkeypatch.setattr("interviews.room.views.LONGEST_ANSWER", 100)
    sitting = given_somebody_in_the_room()
    visitor = when_they_come_in(visit, sitting)

    box(visitor).fill("x" * 95)
    reads(visitor, "5 characters left")
    is_saved(visitor)
    box(visitor).fill("x" * 101)
    reads(visitor, "1 characters too many")
    says(visitor, "refused")
    assert text_of(sitting) == "x" * 95
    box(visitor).fill("😀" * 100)
    is_saved(visitor)

    assert text_of(sitting) == "😀" * 100


def test_a_portal_between_answers_for_the_server_and_nothing_counts_as_saved(visit):
    """A hotel's sign-in page says 200 to everything."""
    sitting = given_somebody_in_the_room()
    visitor = when_they_come_in(visit, sitting)
    visitor.page.context.route(
        "**/answers/**", lambda route: route.fulfill(status=200, body="<h1>Welcome</h1>")
    )

    box(visitor).fill("Into the void.")
    says(visitor, "offline")
    visitor.page.context.unroute_all()
    is_saved(visitor)

    assert text_of(sitting) == "Into the void."


# --- time -----------------------------------------------------------------------------------------


def test_time_limit_saves_and_goes_on_by_itself(visit):
    asked = [question(1, seconds=4), question(2)]
    sitting = given_somebody_in_the_room(questions=asked)
    visitor = when_they_come_in(visit, sitting)

    expect(visitor.page.get_by_role("timer")).to_have_text(re.compile("00:0[1-4]"))
    box(visitor).press_sequentially("In time", delay=20)

    reads(visitor, "Question 2 of 2")
    assert text_of(sitting) == "In time"
    expect(visitor.page.get_by_role("button", name="Previous")).to_have_count(0)
    assert "time_up" in events_of(sitting)


def test_clock_stands_still_with_the_line(visit):
    sitting = given_somebody_in_the_room(questions=[question(1, seconds=90)])
    visitor = when_they_come_in(visit, sitting)
    timer = visitor.page.get_by_role("timer")

    visitor.page.context.set_offline(True)
    visitor.page.wait_for_timeout(300)
    stands = timer.text_content()
    visitor.page.wait_for_timeout(2200)
    assert timer.text_content() == stands
    visitor.page.context.set_offline(False)

    expect(timer).not_to_have_text(stands)


# --- speaking -------------------------------------------------------------------------------------


def test_without_consent_nothing_offers_to_record(visit):
    interview = given_an_interview_about_to_begin(may_speak=True)
    visitor = visit(interview.candidate.user)
    visitor.opens(room_of(interview))
    reads(visitor, "Refusing does not count against you.")
    visitor.presses("Start the interview")
    visitor.presses("To the first question")
    visitor.presses("Next")
    reads(visitor, "Question 2 of 3")

    expect(visitor.page.locator("#recorder")).to_have_count(0)


def test_refusing_the_microphone_leaves_typing(visit):
    interview = given_an_interview_about_to_begin(may_speak=True)
    visitor = visit(interview.candidate.user)
    visitor.opens(room_of(interview))
    visitor.chooses("My voice may be recorded when I press “Record”")
    expect(visitor.page.locator("[data-check=microphone] [data-result=bad]")).to_be_visible()
    visitor.presses("Start the interview")
    visitor.presses("To the first question")
    visitor.presses("Next")
    visitor.presses("Record")
    reads(visitor, "The microphone cannot be used here. Typing is enough.")
    box(visitor).fill("Typed instead.")
    is_saved(visitor)

    sitting = Sitting.objects.get(interview=interview)
    assert text_of(sitting, 2) == "Typed instead."
    trouble = RoomEvent.objects.get(sitting=sitting, kind="device_error")
    assert trouble.detail == {"device": "microphone", "error": "NotAllowedError"}


def test_recording_is_kept_while_offline_and_sent_then(visit):
    sitting = given_somebody_in_the_room(current=2)
    visitor = visit(sitting.interview.candidate.user)
    visitor.page.context.grant_permissions(["microphone"])
    comes_back(visitor, sitting)

    visitor.presses("Record")
    expect(visitor.page.locator("[data-clock]")).to_have_text("0:01")
    visitor.page.context.set_offline(True)
    visitor.presses("Stop")
    reads(visitor, "Recording kept on this device, not sent yet")
    expect(visitor.page.locator("audio")).to_be_visible()
    visitor.page.close()
    visitor.page.context.set_offline(False)
    back = Visitor(visitor.page.context.new_page())
    comes_back(back, sitting)
    reads(back, "Recording saved")

    recording = Recording.objects.get(answer__sitting=sitting)
    assert (recording.answer.number, recording.content_type) == (2, "audio/webm")
    assert recording.size > 1000


# --- leaving --------------------------------------------------------------------------------------


@either_language
def test_dialog_before_leaving_by_keyboard(visit, language, width):
    sitting = given_somebody_in_the_room(language=language)
    visitor, words = when_they_come_in(visit, sitting, width=width), WORDS[language]
    page, dialog = visitor.page, visitor.page.locator("#leave")
    visitor.tabs_to_field("#text")
    page.keyboard.type("Half a sen")

    page.keyboard.press("Shift+Tab")
    assert page.evaluate(FOCUSED, words["leave"])
    expect(page.locator("header [data-exit]")).to_have_attribute(
        "title", re.compile("未完成|incompl")
    )
    page.keyboard.press("Enter")
    expect(dialog.locator("#exit h1")).to_be_focused()
    assert text_of(sitting) == "Half a sen"
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.locator("header [data-exit]")).to_be_focused()

    visitor.enters(words["leave"])  # the link under the question
    expect(dialog.locator("#exit h1")).to_be_focused()
    dialog.locator("[data-stay]").click()
    expect(dialog).to_be_hidden()
    expect(page.locator("main [data-exit]")).to_be_focused()
    expect(box(visitor)).to_have_value("Half a sen")
    assert Interview.objects.get(pk=sitting.interview_id).status == InterviewStatus.IN_PROGRESS
    page.wait_for_timeout(200)
    assert events_of(sitting).count("exit_opened") == 2


def test_who_goes_on_at_once_after_the_dialog_is_not_taken_back(visit):
    """Its close event comes a moment after it has closed."""
    sitting = given_somebody_in_the_room()
    page = when_they_come_in(visit, sitting).page
    page.locator("main [data-exit]").click()
    expect(page.locator("#leave #exit h1")).to_be_focused()

    focused = page.evaluate(
        """() => new Promise((done) => {
          leave.addEventListener("close", () => done(document.activeElement.id));
          leave.close();
          document.getElementById("text").focus();
        })"""
    )

    assert focused == "text"


def test_focus_finds_the_way_out_again_where_the_page_was_turned_under_the_dialog(visit):
    sitting = given_somebody_in_the_room()
    page = when_they_come_in(visit, sitting).page
    page.locator("main [data-exit]").click()
    expect(page.locator("#leave #exit h1")).to_be_focused()

    page.evaluate("go(2)")
    expect(page.locator(".room-title")).to_have_text("Question 2 of 3")
    page.keyboard.press("Escape")

    expect(page.locator("header [data-exit]")).to_be_focused()


@either_language
def test_voice_asks_only_once_it_is_switched_on_and_remembers(visit, language, width):
    sitting = given_somebody_in_the_room(language=language)
    visitor, words = visit(sitting.interview.candidate.user, width=width), WORDS[language]
    visitor.page.context.add_init_script(
        "window.said = []; speechSynthesis.speak = (words) => said.push(words.text, words.lang)"
    )
    comes_back(visitor, sitting)
    link, voice = visitor.page.locator("main [data-exit]"), visitor.page.locator("[data-voice]")

    link.click()
    expect(visitor.page.locator("#exit h1")).to_be_focused()
    expect(voice).not_to_be_checked()
    assert visitor.page.evaluate("said") == []
    voice.check()
    visitor.page.keyboard.press("Escape")
    visitor.page.reload()
    link.click()

    expect(voice).to_be_checked()
    expect(visitor.page.locator("#exit h1")).to_be_focused()
    assert visitor.page.evaluate("said")[0] == words["prompt"]
    assert visitor.page.evaluate("said")[1][:2] == language[:2]


def test_leaving_while_offline_changes_nothing_and_can_be_tried_again(visit):
    sitting = given_somebody_in_the_room()
    visitor = when_they_come_in(visit, sitting)
    visitor.page.context.set_offline(True)

    visitor.page.locator("header [data-exit]").click()
    reads(visitor, "You are offline, so nothing has happened.")
    visitor.page.context.set_offline(False)
    visitor.presses("Try again")

    expect(visitor.page.locator("#leave #exit h1")).to_be_focused()


# --- how it looks and reads -----------------------------------------------------------------------


def test_axe_finds_nothing_at_the_door_nor_after_the_end(visit):
    interview = given_an_interview_about_to_begin(may_speak=True)
    visitor = visit(interview.candidate.user)
    candidate = interview.candidate
    sittings = [
        SittingFactory(interview=InterviewFactory(candidate=candidate, link="", status=status))
        for status in (InterviewStatus.EXITING, InterviewStatus.IN_PROGRESS)
    ] + [
        SittingFactory(
            interview=InterviewFactory(
                candidate=candidate, link="", status=status, starts_in=timedelta(hours=-1)
            ),
            ended=True,
        )
        for status in (
            InterviewStatus.COMPLETED,
            InterviewStatus.WITHDRAWN,
            InterviewStatus.INCOMPLETE,
        )
    ]
    early = InterviewFactory(candidate=candidate, link="", starts_in=timedelta(hours=2))
    late = InterviewFactory(candidate=candidate, link="", starts_in=timedelta(hours=-2))
    doors = [interview, early, late, *(sitting.interview for sitting in sittings)]

    assert visitor.faults_of(map(room_of, doors)) == {}


def test_axe_finds_nothing_in_any_state_of_the_room(visit, monkeypatch):
    monkeypatch.setattr("interviews.room.views.LONGEST_ANSWER", 100)
    sitting = given_somebody_in_the_room(current=0)
    visitor = visit(sitting.interview.candidate.user)
    visitor.opens(room_of(sitting.interview))
    visitor.presses("Continue the interview")
    expect(visitor.page.locator("#practice")).to_be_visible()
    found = {"practice": visitor.faults()}
    visitor.presses("To the first question")
    box(visitor).fill("x" * 95)
    is_saved(visitor)
    found["saved"] = visitor.faults()
    box(visitor).fill("x" * 110)
    found["too long"] = visitor.faults()
    box(visitor).fill("Short.")
    is_saved(visitor)
    visitor.presses("Next")
    reads(visitor, "Question 2 of 3")
    found["limit and recorder"] = visitor.faults()
    visitor.page.locator("header [data-exit]").click()
    expect(visitor.page.locator("#leave #exit h1")).to_be_focused()
    found["dialog"] = visitor.faults()
    visitor.page.keyboard.press("Escape")
    visitor.page.evaluate(
        "for (const each of document.querySelectorAll('[data-notice]')) each.hidden = false;"
        "answer.offers.push({ text: 'Mine.' }); answer.offer()"
    )
    found["every notice"] = visitor.faults()
    visitor.page.reload()
    visitor.presses("Next")
    visitor.presses("Check and finish")
    reads(visitor, "These were all the questions")
    found["end"] = visitor.faults()

    assert found == {state: [] for state in found}


@either_language
def test_letters_twice_as_large_fit_without_scrolling_sideways(visit, language, width):
    sitting = given_somebody_in_the_room(language=language, current=2)
    visitor = visit(sitting.interview.candidate.user, width=width)
    page = visitor.page
    tighter = "document.documentElement.style.fontSize = '200%'"

    visitor.opens(room_of(sitting.interview))
    page.evaluate(tighter)
    assert not page.evaluate(OVERFLOWS)
    comes_back(visitor, sitting)
    page.evaluate(tighter)
    box(visitor).fill("Large.")
    is_saved(visitor)
    assert not page.evaluate(OVERFLOWS)
    way_out = page.locator("header [data-exit]").bounding_box()
    assert way_out["x"] + way_out["width"] > width - 64 or width > 700
    page.locator("main [data-exit]").click()
    expect(page.locator("#leave #exit h1")).to_be_focused()
    assert not page.evaluate("document.getElementById('leave').scrollWidth > innerWidth")


def test_without_scripts_the_room_says_what_it_needs(visit):
    interview = given_an_interview_about_to_begin()
    visitor = visit(interview.candidate.user, javascript=False)

    visitor.opens(room_of(interview))

    page = visitor.page.content()  # with scripts off only for this page, Chromium hides it
    assert "The interview needs JavaScript" in page
    assert settings.HOTLINE in page
