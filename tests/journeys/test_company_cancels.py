"""HR calls interviews off for the company: thirty at once, with progress and a report; and sets a
status right."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from cancellations import company, jobs
from cancellations.models import Purpose, Reason
from config.references import new_reference
from interviews.jobs import KINDS, run_job
from interviews.models import Interview, Job, JobState
from interviews.states import InterviewStatus
from notifications.models import Notification
from tests.factories import InterviewFactory, PositionFactory, UserFactory
from tests.journeys.visitor import either_language

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

either_way = pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "no_scripts"])
MANY = reverse("cancellations:company_cancel_many")


@pytest.fixture
def position():
    return PositionFactory()


@pytest.fixture
def recruiter(position):
    return UserFactory(recruiter=True, departments=[position.department])


@either_way
def test_thirty_interviews_are_called_off_at_once(visit, position, recruiter, javascript):
    several = [InterviewFactory(position=position) for _ in range(30)]
    ended = InterviewFactory(position=position, completed=True)
    desk = visit(recruiter, javascript=javascript, width=1280, height=800)

    desk.opens(MANY)
    desk.writes("References", "\n".join(each.reference for each in [*several, ended]))
    desk.presses("Continue")
    desk.sees("30 interviews will be cancelled")
    desk.sees("Not cancelled: it is over")
    desk.chooses("Hiring for this position has been paused")
    desk.writes("Words to the candidates (optional)", "We will be back in spring.")
    desk.presses("Continue")
    desk.sees("Until you confirm, every message is held back.")
    assert not Notification.objects.exists()
    desk.presses("Cancel 30 interviews")

    expect(desk.page.locator("#progress")).to_contain_text("0 of 31")
    run_job(Job.objects.get().pk)  # what the worker does
    if not javascript:
        desk.follows("Refresh")
    expect(desk.page.locator("#progress")).to_contain_text("31 of 31")
    desk.sees("Not cancelled: it is over 1")
    desk.sees("Cancelled 30")

    cancelled = Interview.objects.filter(status=InterviewStatus.CANCELLED)
    assert cancelled.count() == 30
    assert Notification.objects.filter(event="company_cancelled", channel="sms").count() == 30
    candidate = visit(several[0].candidate.user, javascript=javascript)
    candidate.opens(reverse("cancellations:interview", args=[several[0].reference]))
    candidate.sees("We are sorry: we have had to cancel this interview")
    candidate.sees("We will be back in spring.")
    assert not desk.complaints


@either_way
def test_whole_list_of_a_position_is_called_off(visit, position, recruiter, javascript):
    several = [InterviewFactory(position=position) for _ in range(60)]  # more than a page shows
    kept = InterviewFactory(department=position.department)
    desk = visit(recruiter, javascript=javascript, width=1280, height=800)
    desk.opens(f"{reverse('cancellations:interviews')}?position={position.pk}")

    desk.presses("Cancel all 60 of this list for the company…")
    desk.sees("60 interviews will be cancelled")
    expect(desk.page.locator(".chips").first).to_contain_text(position.title)
    desk.chooses("Hiring for this position has been paused")
    desk.presses("Continue")
    desk.presses("Cancel 60 interviews")
    expect(desk.page.locator("#progress")).to_contain_text("0 of 60")
    run_job(Job.objects.get().pk)

    cancelled = Interview.objects.filter(status=InterviewStatus.CANCELLED)
    assert cancelled.count() == len(several)
    assert Interview.objects.get(pk=kept.pk).status == InterviewStatus.BOOKED
    assert not desk.complaints


def test_work_that_is_stopped_says_how_far_it_came(visit, position, recruiter, monkeypatch):
    several = [InterviewFactory(position=position) for _ in range(4)]
    kind, _ = KINDS[jobs.COMPANY_CANCEL]
    monkeypatch.setitem(KINDS, jobs.COMPANY_CANCEL, (kind, 2))
    desk = visit(recruiter, width=1280, height=800)
    job = given_a_job(recruiter, several)
    desk.opens(reverse("interviews:job", args=[job.reference]))

    desk.presses("Stop")
    desk.sees("It was stopped.")

    run_job(job.pk)
    assert Job.objects.get().state == JobState.STOPPED
    assert not Interview.objects.filter(status=InterviewStatus.CANCELLED).exists()


@either_way
def test_back_button_and_second_press_cancel_once(visit, position, recruiter, javascript):
    interview = InterviewFactory(position=position)
    desk = visit(recruiter, javascript=javascript, width=1280, height=800)
    desk.opens(reverse("cancellations:company_cancel", args=[interview.reference]))
    desk.chooses("The position has been filled")
    desk.presses("Continue")
    desk.presses("Cancel the interview")
    desk.sees("Everybody concerned is being told.")

    desk.goes_back()
    desk.presses("Cancel the interview")

    desk.sees("Cancelled")
    assert interview.cancellations.count() == 1
    assert Notification.objects.filter(event="company_cancelled", channel="sms").count() == 1


@either_way
def test_cancelled_interview_is_reinstated(visit, position, recruiter, javascript):
    interview = InterviewFactory(position=position)
    freeze = Reason.objects.get(purpose=Purpose.COMPANY, code="hiring_freeze")
    company.cancel_for_company(interview.reference, by=recruiter, reason=freeze)
    desk = visit(recruiter, javascript=javascript, width=1280, height=800)

    desk.opens(reverse("cancellations:correct", args=[interview.reference]))
    desk.writes("Why is it set right?", "The freeze ended.")
    desk.presses("Continue")
    desk.sees("The receipt of the cancellation says")
    desk.presses("Set it right")

    desk.sees("The status is set right")
    candidate = visit(interview.candidate.user, javascript=javascript)
    candidate.opens(reverse("cancellations:interview", args=[interview.reference]))
    candidate.sees("HR has reinstated it")


def given_a_job(user, interviews) -> Job:
    return jobs.start_cancelling(
        [each.reference for each in interviews],
        by=user,
        reason=Reason.objects.get(purpose=Purpose.COMPANY, code="hiring_freeze"),
        detail="",
        note="",
        reference=new_reference(),
    )


@either_language
def test_pages_have_nothing_for_axe_to_find(visit, position, recruiter, language, width):
    recruiter.language = language
    recruiter.save()
    booked, waiting, gone = (InterviewFactory(position=position) for _ in range(3))
    freeze = Reason.objects.get(purpose=Purpose.COMPANY, code="hiring_freeze")
    company.cancel_for_company(gone.reference, by=recruiter, reason=freeze)
    done = given_a_job(recruiter, [booked, gone])
    run_job(done.pk)
    running = given_a_job(recruiter, [waiting])

    desk = visit(recruiter, width=width)
    found = desk.faults_of(
        [
            MANY,
            reverse("cancellations:company_cancel", args=[waiting.reference]),
            reverse("cancellations:company_cancel", args=[gone.reference]),
            reverse("cancellations:correct", args=[gone.reference]),
            reverse("interviews:jobs"),
            reverse("interviews:job", args=[done.reference]),
            reverse("interviews:job", args=[running.reference]),
        ]
    )
    desk.opens(MANY)
    desk.page.locator("textarea").fill(f"{waiting.reference}\n{gone.reference}\n7K2M9QX4TB")
    go_on = desk.page.locator("main button.button-primary")
    go_on.click()
    reason = desk.page.locator('input[value="hiring_freeze"]')
    reason.wait_for()
    found["preview"] = desk.faults()
    go_on.click()
    desk.page.locator(".error-summary").wait_for()
    found["errors"] = desk.faults()
    reason.check()
    go_on.click()
    desk.page.locator(".button-danger").wait_for()
    found["check"] = desk.faults()

    assert {name: faults for name, faults in found.items() if faults} == {}
