"""Thirty late requests, decided from the keyboard alone; and what the keys do and do not do."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect

from cancellations import services, work
from cancellations.models import Cancellation, Purpose, Reason
from interviews.models import AccessLog, Interview
from interviews.states import InterviewStatus
from notifications.models import Notification, WorkItem
from tests.factories import (
    CancellationFactory,
    DepartmentFactory,
    InterviewFactory,
    PositionFactory,
    UserFactory,
    WorkItemFactory,
)
from tests.journeys.visitor import either_language

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

QUEUE = "/desk/"
THIRTY = 30


@pytest.fixture
def department():
    return DepartmentFactory()


@pytest.fixture
def lead(department):
    return UserFactory(lead=True, departments=[department])


@pytest.fixture
def desk(visit, lead):
    return visit(lead, width=1280, height=800)


def given_interviews(department, count) -> list[Interview]:
    position = PositionFactory(department=department)
    return [
        InterviewFactory(
            position=position,
            candidate__user__name=f"候选人{number:02d}",
            candidate__user__email=f"candidate{number}@mail.example",
            starts_in=timedelta(hours=3, minutes=number),
        )
        for number in range(count)
    ]


def when_the_candidate_asks(interview) -> None:
    reason = Reason.objects.get(purpose=Purpose.CANCEL, code="time_conflict")
    services.request_cancellation(interview.reference, by=interview.candidate.user, reason=reason)


def when_the_candidate_asks_on_their_phone(candidate, interview) -> None:
    candidate.opens(reverse("cancellations:cancel", args=[interview.reference]))
    candidate.chooses("The time does not suit me")
    candidate.presses("Continue")
    candidate.presses("Confirm cancellation")
    candidate.sees("HR has your request to cancel")


def page_of(interview) -> str:
    client = Client()
    client.force_login(interview.candidate.user)
    return client.get(reverse("cancellations:interview", args=[interview.reference])).text


def messages_to(interview) -> set[tuple[str, str]]:
    told = Notification.objects.filter(
        recipient=f"user:{interview.candidate.user_id}", subject=interview.subject
    ).exclude(state="superseded")
    return set(told.values_list("event", "channel"))


def late_request(department, name, **fields) -> Cancellation:
    interview = InterviewFactory(
        department=department,
        status=InterviewStatus.CANCELLING,
        starts_in=timedelta(hours=fields.pop("hours", 2)),
        candidate__user__name=name,
    )
    return CancellationFactory(interview=interview, **fields)


def title(desk):
    return desk.page.locator("#case-title")


def test_thirty_late_requests_are_decided_from_the_keyboard(visit, desk, department, lead):
    interviews = given_interviews(department, THIRTY)
    phones = {each: visit(each.candidate.user) for each in (*interviews[:2], interviews[4])}
    for interview in interviews:
        if interview in phones:
            when_the_candidate_asks_on_their_phone(phones[interview], interview)
        else:
            when_the_candidate_asks(interview)
    kept = {interview for number, interview in enumerate(interviews) if number % 5 == 4}
    keyboard = desk.page.keyboard

    desk.opens(QUEUE)
    for interview in interviews:
        expect(title(desk)).to_have_text(interview.candidate.user.name)
        if interview in kept:
            keyboard.press("d")
            keyboard.type("We need you.")
        else:
            keyboard.press("a")
        keyboard.press("Enter")
    desk.sees("Nothing is waiting")

    assert not WorkItem.objects.open().exists()
    received = {("cancellation_received", "sms"), ("cancellation_received", "email")}
    for interview in interviews:
        status = Interview.objects.get(pk=interview.pk).status
        decided = interview.cancellations.get()
        assert decided.decided_by == lead
        if interview in kept:
            outcome = "cancellation_declined"
            assert (status, decided.note) == (InterviewStatus.BOOKED, "We need you.")
            page = page_of(interview)
            assert "Your interview stands" in page
            assert "We need you." in page
        else:
            outcome = "cancellation_done"
            assert (status, decided.note) == (InterviewStatus.CANCELLED, "")
            assert "Your AI interview has been cancelled" in page_of(interview)
        told = messages_to(interview)
        assert told - received == {(outcome, "sms"), (outcome, "email")}
    for interview, phone in phones.items():
        phone.page.reload()
        if interview in kept:
            phone.sees("Your interview stands")
            phone.sees("We need you.")
        else:
            phone.sees("Your AI interview has been cancelled")
    assert not desk.complaints


def test_slip_of_the_finger_decides_nothing(desk, department):
    late_request(department, "孙一")
    desk.opens(QUEUE)
    note = desk.page.get_by_label("Note to the candidate")

    for key in ("a", "d"):
        desk.page.keyboard.press(key)
        expect(note).to_be_focused()
        desk.sees("Esc goes back.")
        desk.page.keyboard.press("Escape")
        expect(note).not_to_be_focused()
        desk.does_not_see("Esc goes back.")
    note.click()
    desk.page.keyboard.press("Enter")
    expect(note).to_have_value("\n")

    assert Cancellation.objects.get().status == "requested"


def test_key_means_the_row_that_has_the_focus(desk, department):
    late_request(department, "孙一", hours=2)
    late_request(department, "孙二", hours=3)
    desk.opens(QUEUE)

    desk.page.keyboard.press("j")
    desk.page.keyboard.press("a")
    expect(title(desk)).to_have_text("孙二")
    desk.sees("Enter approves")
    assert not Cancellation.objects.exclude(status="requested").exists()
    desk.page.keyboard.press("Enter")

    desk.sees("The interview of 孙二 is cancelled.")
    expect(title(desk)).to_have_text("孙一")


def test_keys_are_listed_and_take_a_case_on(desk, department, lead):
    cancellation = late_request(department, "孙一")
    desk.opens(QUEUE)
    keys = desk.page.locator("[data-keys] .menu-panel")

    desk.page.keyboard.press("?")
    expect(keys).to_be_visible()
    expect(keys).to_contain_text("tick; a and d then mean all that are ticked")
    desk.page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    desk.page.get_by_label("Keyboard shortcuts").click()
    expect(keys).to_be_visible()
    desk.page.keyboard.press("Escape")

    desk.page.keyboard.press("c")
    desk.sees("You have taken this on.")
    item = WorkItem.objects.get(params__receipt=cancellation.reference)
    assert item.assignee == f"user:{lead.pk}"


def test_ones_own_request_is_not_decided_by_any_key(desk, department, lead):
    own = late_request(department, "孙一", requested_by=lead)
    desk.opens(QUEUE)
    desk.sees("a colleague decides it")

    for key in ("a", "Enter", "d", "Enter"):
        desk.page.keyboard.press(key)

    assert Cancellation.objects.get(pk=own.pk).status == "requested"
    assert not desk.complaints


@pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "no_scripts"])
def test_several_are_ticked_read_and_decided(visit, department, lead, javascript):
    for name in ("孙一", "孙二", "孙三"):
        late_request(department, name)
    desk = visit(lead, width=1280, height=800, javascript=javascript)
    desk.opens(QUEUE)
    bar = desk.page.locator("#bulk")
    expect(bar).to_be_hidden()

    if javascript:
        for key in ("x", "j", "x"):
            desk.page.keyboard.press(key)
        expect(bar).to_contain_text("Chosen: 2")
        desk.page.keyboard.press("d")
        desk.sees("Decline 2 requests")
    else:
        for name in ("孙一", "孙二"):
            desk.page.get_by_label(f"Choose the request of {name}").check()
        desk.presses("Decline…")
    desk.follows("Back")
    for name in ("孙一", "孙二"):
        expect(desk.page.get_by_label(f"Choose the request of {name}")).to_be_checked()
    expect(desk.page.get_by_label("Choose the request of 孙三")).not_to_be_checked()
    if javascript:
        expect(bar).to_contain_text("Chosen: 2")
        desk.page.keyboard.press("a")
        desk.sees("Approve 2 requests")
        note = desk.page.get_by_label("Note to the candidates")
        note.fill("Until Monday")
        desk.page.keyboard.press("Escape")  # out of the box, the words stay
        expect(note).not_to_be_focused()
        expect(note).to_have_value("Until Monday")
        desk.page.keyboard.press("Escape")
        expect(bar).to_contain_text("Chosen: 2")
        desk.page.keyboard.press("a")
        desk.sees("Approve 2 requests")
        desk.page.keyboard.press("Enter")
    else:
        desk.presses("Approve…")
        desk.presses("Approve")

    desk.sees("Approved: 2 of 2")
    desk.page.reload()
    desk.sees("Approved: 2 of 2")
    desk.follows("On to the queue")
    expect(title(desk)).to_have_text("孙三")


def test_what_is_ticked_and_focused_stays_when_the_list_renews_itself(desk, department):
    late_request(department, "孙一", hours=2)
    late_request(department, "孙二", hours=3)
    desk.page.clock.install()
    desk.opens(QUEUE)
    for key in ("j", "x"):
        desk.page.keyboard.press(key)
    late_request(department, "孙三", hours=1)

    desk.page.clock.fast_forward("00:21")

    desk.sees("孙三")
    expect(desk.page.get_by_label("Choose the request of 孙二")).to_be_checked()
    expect(desk.page.locator("#bulk")).to_contain_text("Chosen: 1")
    expect(title(desk)).to_have_text("孙一")
    expect(desk.page.locator(".request[aria-current]")).to_contain_text("孙一")


def test_case_says_by_itself_that_a_colleague_has_decided(desk, department):
    waiting = late_request(department, "孙一")
    late_request(department, "孙二", hours=3)
    colleague = UserFactory(lead=True, departments=[department])
    desk.page.clock.install()
    desk.opens(QUEUE)
    services.decline_cancellation(waiting.pk, by=colleague, note="We need you.")

    desk.page.clock.fast_forward("00:21")

    expect(desk.page.locator("#decision")).to_contain_text(f"by {colleague.name}")
    expect(title(desk)).to_have_text("孙一")
    assert not desk.complaints


def test_note_half_written_survives_that_a_colleague_takes_it_on(desk, department, lead):
    waiting = late_request(department, "孙一")
    colleague = UserFactory(lead=True, departments=[department])
    desk.page.clock.install()
    desk.opens(QUEUE)
    desk.page.keyboard.press("d")
    desk.page.keyboard.type("We need")
    item = WorkItem.objects.get(params__receipt=waiting.reference)
    work.assign_work(item, to=colleague, by=colleague, expected="")

    for _twice in range(2):
        desk.page.clock.fast_forward("00:21")
        expect(desk.page.locator("#holder")).to_contain_text(f"{colleague.name} has taken this on.")
        note = desk.page.get_by_label("Note to the candidate")
        expect(note).to_have_value("We need")
        expect(note).to_be_focused()
    desk.page.keyboard.type(" you.")
    desk.page.keyboard.press("Enter")

    desk.sees("The appointment of 孙一 stands.")
    decided = Cancellation.objects.get(pk=waiting.pk)
    assert (decided.status, decided.note, decided.decided_by) == ("declined", "We need you.", lead)
    assert not desk.complaints


@either_language
def test_list_that_cannot_renew_itself_says_since_when(visit, department, lead, language, width):
    late_request(department, "孙一")
    lead.language = language
    lead.save()
    desk = visit(lead, width=width)
    desk.page.clock.install()
    desk.opens(QUEUE)
    line = desk.page.locator("[data-stale-here]")
    expect(line).to_be_empty()

    desk.page.route("**/desk/**", lambda route: route.abort())
    desk.page.clock.fast_forward("00:21")
    expect(line).to_have_text(
        re.compile(
            r"^Not renewed since \d\d:\d\d$" if language == "en" else r"^自 \d\d:\d\d 起未更新$"
        )
    )
    assert [each for each in desk.faults() if "ERR_FAILED" not in each and "htmx" not in each] == []

    desk.page.unroute("**/desk/**")
    desk.page.clock.fast_forward("00:21")
    expect(line).to_be_empty()


@pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "no_scripts"])
def test_contact_is_masked_until_somebody_says_why(visit, department, lead, javascript):
    interview = late_request(department, "孙一").interview
    mobile = interview.candidate.user.mobile
    desk = visit(lead, width=1280, height=800, javascript=javascript)
    desk.opens(QUEUE)
    contact = desk.page.locator("#case-contact")
    expect(contact).to_contain_text(f"{mobile[:6]}****{mobile[-4:]}")
    desk.does_not_see(mobile)

    desk.page.locator(".case-reveal summary").click()
    desk.page.get_by_label("What do you need them for?").select_option("identity")
    desk.page.locator(".case-reveal button").click()

    if javascript:
        expect(contact).to_contain_text(mobile)
        desk.is_at(QUEUE)
        expect(title(desk)).to_have_text("孙一")
    else:
        desk.sees(mobile)
        desk.is_at(reverse("cancellations:interview_reveal", args=[interview.reference]))
    written = AccessLog.objects.get()
    assert (written.by, written.subject) == (lead, interview.subject)
    assert written.detail["why"] == "identity"
    assert not desk.complaints


@either_language
def test_follow_up_is_opened_from_the_interview(visit, department, language, width):
    recruiter = UserFactory(recruiter=True, departments=[department], language=language)
    interview = InterviewFactory(department=department, candidate__user__name="孙一")
    desk = visit(recruiter, width=width)
    desk.opens(reverse("cancellations:desk_interview", args=[interview.reference]))
    words = {
        "en": ("Open a follow-up", "What is to be done?", "Put it on the queue"),
        "zh-hans": ("新建跟进", "需要做什么？", "加入待办"),
    }
    link, label, button = words[language]
    desk.follows(link)
    assert desk.faults() == []

    desk.writes(label, "Call her mother.")
    desk.presses(button)
    desk.is_at(reverse("cancellations:desk_interview", args=[interview.reference]))
    item = WorkItem.objects.get()
    desk.opens(reverse("cancellations:work_item", args=[item.reference]))
    desk.sees("Call her mother.")
    assert desk.faults() == []
    assert item.assignee == f"user:{recruiter.pk}"


def test_anomaly_is_settled_with_a_note(visit, department):
    recruiter = UserFactory(recruiter=True, departments=[department])
    item = WorkItemFactory(
        interview=InterviewFactory(department=department, candidate__user__name="孙一"),
        kind="anomaly",
        params={"code": "time_differs"},
    )
    desk = visit(recruiter, width=1280, height=800, javascript=False)
    desk.opens(QUEUE)
    desk.sees("The time differs from what the other system says.")
    desk.presses("Take on")
    desk.sees("You have taken this on.")
    desk.writes("What was done", "The other system was wrong.")
    desk.presses("Mark as settled")

    desk.sees("Nothing is waiting")
    assert WorkItem.objects.get(pk=item.pk).note == "The other system was wrong."
