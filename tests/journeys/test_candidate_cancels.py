"""A candidate calls an interview off, as people really do it: hastily, twice, in two tabs."""

from datetime import timedelta

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from cancellations import services
from cancellations.models import Cancellation
from interviews.models import Interview
from interviews.states import InterviewStatus
from notifications.models import Notification
from tests.factories import PASSWORD, CandidateFactory, InterviewFactory, UserFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Counts what would be sent, after every listener of ours, and sends nothing.
NETWORK_THAT_NEVER_ANSWERS = """() => {
  window.sent = 0;
  addEventListener("submit", (event) => {
    if (!event.defaultPrevented) window.sent += 1;
    event.preventDefault();
  });
}"""

either_way = pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "no_scripts"])


def given_an_interview(**details) -> Interview:
    return InterviewFactory(**details)


def status_of(interview: Interview) -> str:
    return Interview.objects.get(pk=interview.pk).status


def when_they_come_to_the_check(visitor, interview):
    visitor.opens(reverse("cancellations:cancel", args=[interview.reference]))
    visitor.chooses("The time does not suit me")
    visitor.presses("Continue")
    visitor.sees("Once cancelled, the interview cannot be restored. Do you want to go on?")


def then_there_is_one_cancellation_and_one_set_of_messages(interview):
    cancellation = Cancellation.objects.get()
    assert cancellation.interview_id == interview.pk
    assert Notification.objects.filter(event="cancellation_done", channel="sms").count() == 1
    assert [entry.event for entry in interview.history.all()] == [
        "booked",
        "cancellation_requested",
        "cancelled",
    ]


@either_way
def test_from_sign_in_to_receipt(visit, javascript):
    interview = given_an_interview(candidate=CandidateFactory(user__mobile="+8613911112222"))
    visitor = visit(javascript=javascript)

    visitor.opens("/")
    visitor.writes("Mobile number or ID number", "139 1111 2222")
    visitor.writes("Password", PASSWORD)
    visitor.presses("Sign in")
    visitor.sees("Cancel without approval until")
    visitor.follows("View details")
    visitor.sees(interview.position.title)
    visitor.follows("Cancel this interview")
    visitor.chooses("Something else")
    visitor.writes("In a sentence", "I am moving to another town.")
    visitor.presses("Continue")
    visitor.sees("I am moving to another town.")
    visitor.presses("Confirm cancellation")
    visitor.sees("Your AI interview has been cancelled. To arrange another, please contact HR")
    visitor.follows("View the receipt")
    visitor.sees("Genuine")

    visitor.is_at(reverse("cancellations:receipt", args=[Cancellation.objects.get().reference]))
    then_there_is_one_cancellation_and_one_set_of_messages(interview)
    assert not visitor.complaints


@either_way
def test_changing_ones_mind_keeps_what_was_written(visit, javascript):
    interview = given_an_interview()
    visitor = visit(interview.candidate.user, javascript=javascript)

    visitor.opens(reverse("cancellations:cancel", args=[interview.reference]))
    visitor.chooses("Personal reasons")
    visitor.presses("Continue")
    visitor.sees("Please describe it in a sentence")
    visitor.writes("In a sentence", "A wedding in the family.")
    visitor.presses("Continue")
    visitor.presses("Back")
    expect(visitor.page.get_by_label("In a sentence")).to_have_value("A wedding in the family.")
    visitor.page.get_by_role("link", name="Keep my interview").click()

    visitor.sees("Booked")
    assert status_of(interview) == InterviewStatus.BOOKED
    assert not Cancellation.objects.exists()


@either_way
def test_late_request_waits_for_hr_and_is_taken_back(visit, javascript):
    interview = given_an_interview(starts_in=timedelta(hours=2))
    visitor = visit(interview.candidate.user, javascript=javascript)

    when_they_come_to_the_check(visitor, interview)
    visitor.sees("HR decides, within 15 minutes as promised.")
    visitor.presses("Confirm cancellation")
    visitor.sees("Cancelling")
    visitor.sees("it is cancelled automatically")
    visitor.presses("Keep my interview")

    visitor.sees("Your interview stays as it was. HR knows.")
    assert status_of(interview) == InterviewStatus.BOOKED


def test_hr_decides_and_the_candidate_sees_it_at_once(visit):
    interview = given_an_interview(starts_in=timedelta(hours=2))
    visitor = visit(interview.candidate.user)
    when_they_come_to_the_check(visitor, interview)
    visitor.presses("Confirm cancellation")
    visitor.sees("HR has your request to cancel")

    services.decline_cancellation(
        Cancellation.objects.get().pk, by=UserFactory(lead=True), note="We wait only for you."
    )
    visitor.page.reload()

    visitor.sees("Your interview stands: HR could not cancel it")
    visitor.sees("We wait only for you.")


def test_button_that_waits_says_so_and_sends_once(visit):
    interview = given_an_interview()
    visitor = visit(interview.candidate.user)
    when_they_come_to_the_check(visitor, interview)
    visitor.page.evaluate(NETWORK_THAT_NEVER_ANSWERS)
    button = visitor.page.locator("button.button-danger")

    button.click()
    expect(button).to_have_text("Sending…")
    expect(button).to_have_attribute("aria-disabled", "true")
    expect(visitor.page.locator("p[role=status]")).to_have_text("Sending…")
    button.click(force=True)

    assert visitor.page.evaluate("sent") == 1


def test_double_click_without_scripts_is_one_cancellation(visit):
    interview = given_an_interview()
    visitor = visit(interview.candidate.user, javascript=False)
    when_they_come_to_the_check(visitor, interview)

    visitor.page.locator("button.button-danger").dblclick()

    visitor.sees("Your AI interview has been cancelled")
    then_there_is_one_cancellation_and_one_set_of_messages(interview)


@either_way
def test_going_back_and_confirming_again_is_one_cancellation(visit, javascript):
    interview = given_an_interview()
    visitor = visit(interview.candidate.user, javascript=javascript)
    when_they_come_to_the_check(visitor, interview)
    visitor.presses("Confirm cancellation")
    visitor.sees("Your AI interview has been cancelled")

    visitor.goes_back()
    visitor.presses("Confirm cancellation")

    visitor.sees("Your AI interview has been cancelled")
    then_there_is_one_cancellation_and_one_set_of_messages(interview)


def test_two_tabs_are_one_cancellation(visit):
    interview = given_an_interview()
    first = visit(interview.candidate.user)
    second = first.opens_another_tab()
    when_they_come_to_the_check(first, interview)
    when_they_come_to_the_check(second, interview)

    first.presses("Confirm cancellation")
    first.sees("Your AI interview has been cancelled")
    second.presses("Confirm cancellation")

    second.sees("Your AI interview has been cancelled")
    then_there_is_one_cancellation_and_one_set_of_messages(interview)


def test_error_takes_the_keyboard_to_the_summary_and_from_there_to_the_field(visit):
    interview = given_an_interview()
    visitor = visit(interview.candidate.user)
    visitor.opens(reverse("cancellations:cancel", args=[interview.reference]))

    visitor.chooses("Something else")
    visitor.presses("Continue")
    expect(visitor.page.locator(".error-summary")).to_be_focused()
    visitor.page.keyboard.press("Tab")
    visitor.page.keyboard.press("Enter")

    expect(visitor.page.get_by_label("In a sentence")).to_be_focused()


def test_language_is_changed_in_one_tap_and_stays(visit):
    interview = given_an_interview(candidate=CandidateFactory(user__language=""))
    visitor = visit(interview.candidate.user)
    visitor.opens(reverse("cancellations:mine"))

    visitor.presses("简体中文")
    visitor.sees("我的面试预约")
    visitor.follows("查看详情")

    visitor.sees("取消规则")
