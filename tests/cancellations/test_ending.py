"""An application ends: what was still to come of it is called off."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from cancellations import company, consistency, queries
from cancellations.models import Cancellation, CancellationStatus, Party
from interviews import history
from interviews.booking.services import reach_stage
from interviews.gates import services as gates
from interviews.models import Application, Interview, Move, Slot, Stage, Step
from interviews.refill.models import Offer, WaitingEntry
from notifications.models import Notification, WorkItem
from notifications.rendering import render
from tests.contracts.api import caller
from tests.factories import (
    ApplicationFactory,
    CancellationFactory,
    DepartmentFactory,
    FreedPlaceFactory,
    InterviewFactory,
    OfferFactory,
    StageGateFactory,
    UserFactory,
    WaitingEntryFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def department():
    return DepartmentFactory()


@pytest.fixture
def recruiter(department):
    return UserFactory(recruiter=True, departments=[department], email="rec@example.com")


@pytest.fixture
def application(department, recruiter):
    return ApplicationFactory(
        position__department=department,
        position__recruiter=recruiter,
        candidate__user__email="zhang@example.com",
    )


def told(event="application_ended", channel=None):
    found = Notification.objects.filter(event=event)
    return list(found.filter(channel=channel) if channel else found)


def end(application, by):
    reach_stage(application, Stage.ENDED, by=by)


def books_agree() -> bool:
    return not list(consistency.check()) and not list(history.verify(Interview.objects.all()))


def test_what_is_booked_is_called_off_with_one_message_on_each_channel(application, recruiter):
    interview = InterviewFactory(application=application, location="Gate 3")

    end(application, recruiter)

    interview = Interview.objects.get(pk=interview.pk)
    assert (interview.status, interview.slot) == ("cancelled", None)
    assert Slot.objects.get().booked == 0
    assert Application.objects.get().stage == Stage.ENDED
    cancellation = Cancellation.objects.get()
    assert (cancellation.party, cancellation.status) == (Party.COMPANY, CancellationStatus.APPROVED)
    assert (cancellation.requested_by, cancellation.decided_by) == (recruiter, recruiter)
    assert cancellation.reason.code == "application_ended"
    assert queries.receipt(cancellation.reference).verified
    entry = interview.history.last()
    assert (entry.event, entry.data["reason"]) == ("cancelled", "application_ended")
    theirs = Notification.objects.filter(recipient=f"user:{interview.candidate.user.pk}")
    assert sorted((each.event, each.channel) for each in theirs) == [
        ("application_ended", "email"),
        ("application_ended", "sms"),
    ]
    mail = theirs.get(channel="email")
    assert mail.params["calendar"]["method"] == "CANCEL"
    assert "does not take place any more" in render(mail).body
    assert "Thank you for your interest." in render(mail).body
    assert len(told("company_cancelled_one", "email")) == 1
    assert not Step.objects.filter(interview=interview, done_at=None).exists()
    assert books_agree()


def test_an_invitation_is_withdrawn(application, recruiter):
    interview = InterviewFactory(application=application, invited=True)

    end(application, recruiter)

    assert Interview.objects.get(pk=interview.pk).status == "cancelled"
    (text,) = told(channel="sms")
    assert "Your invitation no longer holds." in render(text).body
    (mail,) = told(channel="email")
    assert "calendar" not in mail.params
    assert books_agree()


def test_a_request_that_waits_is_settled_with_it(application, recruiter):
    request = CancellationFactory(interview__application=application)

    end(application, recruiter)

    request = Cancellation.objects.get(pk=request.pk)
    assert (request.status, request.was_overtaken) == (CancellationStatus.LAPSED, True)
    assert not WorkItem.objects.open().exists()
    assert books_agree()


@pytest.mark.parametrize("status", ["in_progress", "exiting", "completed", "cancelled"])
def test_what_has_begun_or_is_over_stays_as_it_is(application, recruiter, status):
    made = {"slot": None} if status == "cancelled" else {}
    interview = InterviewFactory(application=application, status=status, **made)

    end(application, recruiter)

    assert Interview.objects.get(pk=interview.pk).status == status
    assert not told()


def test_somebody_elses_and_other_applications_stay(application, recruiter):
    other = InterviewFactory(candidate=application.candidate)
    colleague = InterviewFactory(position=application.position)

    end(application, recruiter)

    stay = Interview.objects.filter(pk__in=[other.pk, colleague.pk])
    assert {each.status for each in stay} == {"booked"}


def test_nobody_waits_under_it_and_what_is_kept_for_them_goes_to_the_next(recruiter, department):
    entry = WaitingEntryFactory(position__department=department)
    second = WaitingEntryFactory(position=entry.position)
    offer = OfferFactory(
        entry=entry,
        place=FreedPlaceFactory(slot__position=entry.position, slot__booked=1),
        slot__starts_at=timezone.now() + timedelta(days=3),
    )

    end(entry.application, recruiter)

    assert WaitingEntry.objects.get(pk=entry.pk).state == "left"
    assert Offer.objects.get(pk=offer.pk).state == "withdrawn"
    assert Offer.objects.get(state="open").entry == second


def test_ending_it_again_changes_nothing(application, recruiter):
    InterviewFactory(application=application)

    end(application, recruiter)
    end(application, recruiter)

    assert Cancellation.objects.count() == 1
    assert len(told()) == 2


def test_what_was_brought_back_and_ends_again_is_told_again(application, recruiter):
    interview = InterviewFactory(application=application)
    end(application, recruiter)
    company.correct_interview(
        interview.reference,
        by=recruiter,
        move=Move.REINSTATE,
        expected="cancelled",
        reason="By mistake.",
        starts_at=interview.starts_at,
    )

    end(application, recruiter)

    assert Interview.objects.get(pk=interview.pk).status == "cancelled"
    assert len(told(channel="sms")) == 2


def test_a_score_that_is_not_reached_calls_off_what_was_to_follow(application):
    first = InterviewFactory(application=application, status="completed")
    second = InterviewFactory(application=application, kind="on_site")
    StageGateFactory(score=True, position=application.position)

    assert gates.weigh(first, {"nights": 40}, at=timezone.now())

    assert Interview.objects.get(pk=second.pk).status == "cancelled"
    assert Cancellation.objects.get().decided_by is None
    assert len(told()) == 2  # on two channels, about the one that was to come
    assert {each.subject for each in told()} == {second.subject}


def test_the_desk_the_api_and_the_admin_end_it_the_same_way(client, application, recruiter):
    interview = InterviewFactory(application=application)
    address = f"/api/v1/applications/{application.reference}/stage/"

    assert caller(recruiter).post(address, {"stage": "ended"}).status_code == 200

    assert Interview.objects.get(pk=interview.pk).status == "cancelled"

    other = InterviewFactory(position=application.position)
    client.force_login(recruiter)
    client.post(
        reverse("interviews:desk_documents", args=[other.reference]),
        {"action": "stage", "stage": "ended"},
    )
    assert Interview.objects.get(pk=other.pk).status == "cancelled"

    third = InterviewFactory(position=application.position)
    client.force_login(UserFactory(administrator=True))
    applied = timezone.localtime(third.application.applied_at)
    client.post(
        reverse("admin:interviews_application_change", args=[third.application_id]),
        {
            "stage": "ended",
            "applied_at_0": f"{applied:%Y-%m-%d}",
            "applied_at_1": f"{applied:%H:%M:%S}",
            "interviews-TOTAL_FORMS": "0",
            "interviews-INITIAL_FORMS": "0",
        },
    )
    assert Interview.objects.get(pk=third.pk).status == "cancelled"


def test_the_candidate_reads_why(client, application, recruiter):
    interview = InterviewFactory(application=application)
    end(application, recruiter)
    client.force_login(application.candidate.user)

    page = client.get(reverse("cancellations:interview", args=[interview.reference])).text

    assert "your application has ended" in page
    assert "For another time, please contact HR" not in page
