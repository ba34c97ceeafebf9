"""Thirty late requests, decided from the keyboard alone; and what the keys do and do not do."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect

from cancellations import services
from cancellations.models import Cancellation
from interviews.models import Interview
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
    client = Client()
    client.force_login(interview.candidate.user)
    address = reverse("cancellations:cancel", args=[interview.reference])
    assert client.post(address, {"reason": "time_conflict"}).status_code == 303


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


def test_thirty_late_requests_are_decided_from_the_keyboard(desk, department, lead):
    interviews = given_interviews(department, THIRTY)
    for interview in interviews:
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
            assert "Your interview stands" in page_of(interview)
            assert "We need you." in page_of(interview)
        else:
            outcome = "cancellation_done"
            assert (status, decided.note) == (InterviewStatus.CANCELLED, "")
            assert "Your AI interview has been cancelled" in page_of(interview)
        told = messages_to(interview)
        assert told - received == {(outcome, "sms"), (outcome, "email")}
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
        desk.page.keyboard.press("x")
        desk.page.keyboard.press("j")
        desk.page.keyboard.press("x")
        expect(bar).to_contain_text("Chosen: 2")
    else:
        for name in ("孙一", "孙二"):
            desk.page.get_by_label(f"Choose the request of {name}").check()
    desk.presses("Approve…")
    desk.sees("Approve 2 requests")
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
