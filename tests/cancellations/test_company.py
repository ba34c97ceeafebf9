"""Calling interviews off for the company, one or many."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cancellations import company, queries, services
from cancellations.company import Fate
from cancellations.models import Cancellation, CancellationStatus, Party, Purpose, Reason
from interviews import history
from interviews.models import Interview, Slot
from interviews.states import InterviewStatus
from notifications.models import Notification, State, WorkItem
from notifications.rendering import render
from tests.factories import (
    CancellationFactory,
    CandidateFactory,
    DepartmentFactory,
    InterviewFactory,
    PositionFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def department():
    return DepartmentFactory()


@pytest.fixture
def recruiter(department):
    return UserFactory(recruiter=True, departments=[department])


@pytest.fixture
def freeze():
    return Reason.objects.get(purpose=Purpose.COMPANY, code="hiring_freeze")


def test_one_interview_is_called_off_and_its_place_freed(department, recruiter, freeze):
    interview = InterviewFactory(department=department)

    cancellation, is_new = company.cancel_for_company(
        interview.reference, by=recruiter, reason=freeze, note="We are sorry."
    )

    interview = Interview.objects.get()
    assert is_new
    assert (interview.status, interview.slot) == (InterviewStatus.CANCELLED, None)
    assert Slot.objects.get().booked == 0
    kept = Cancellation.objects.get()
    assert kept == cancellation
    assert (kept.party, kept.status, kept.requested_by, kept.decided_by, kept.note) == (
        Party.COMPANY,
        CancellationStatus.APPROVED,
        recruiter,
        recruiter,
        "We are sorry.",
    )
    assert queries.receipt(kept.reference).verified


def test_history_says_by_whom_and_why(department, recruiter, freeze):
    interview = InterviewFactory(department=department)

    cancellation, _ = company.cancel_for_company(interview.reference, by=recruiter, reason=freeze)

    entry = interview.history.last()
    assert (entry.event, entry.actor) == ("cancelled", f"user:{recruiter.pk}")
    assert entry.data["receipt"] == cancellation.reference
    assert (entry.data["decided_by"], entry.data["reason"]) == ("company", "hiring_freeze")
    assert list(history.verify(Interview.objects.all())) == []


def test_everybody_concerned_is_told(department, recruiter, freeze):
    interviewer = UserFactory(staff=True)
    interview = InterviewFactory(
        department=department,
        interviewer=interviewer,
        candidate=CandidateFactory(user__email="c@example.com"),
    )

    company.cancel_for_company(interview.reference, by=recruiter, reason=freeze)

    told = set(Notification.objects.values_list("event", "channel", "recipient"))
    candidate, his = f"user:{interview.candidate.user_id}", interview.position.recruiter_id
    assert told == {
        ("company_cancelled", "sms", candidate),
        ("company_cancelled", "email", candidate),
        ("company_cancelled_one", "email", f"user:{his}"),
        ("company_cancelled_one", "desk", f"user:{his}"),
        ("interviewer_released", "email", f"user:{interviewer.pk}"),
        ("interviewer_released", "desk", f"user:{interviewer.pk}"),
        ("position_cancellation", "desk", department.audience),
        ("position_cancellation", "email", department.audience),
    }


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "does not count against you"), ("zh-hans", "不影响您的求职记录")],
)
def test_candidate_reads_that_it_does_not_count_against_them(
    department, recruiter, freeze, language, words
):
    interview = InterviewFactory(
        department=department,
        candidate=CandidateFactory(
            user__email="c@example.com",
            user__language=language,
            talent_pool_at=timezone.now(),
        ),
    )

    company.cancel_for_company(interview.reference, by=recruiter, reason=freeze, note="XYZ")

    for notification in Notification.objects.filter(event="company_cancelled"):
        body = render(notification).body
        assert words in body
        assert "XYZ" in body
        assert freeze.label_in(language) in body
        assert ("talent pool" if language == "en" else "人才库") in body


def test_invitation_is_called_off_too(department, recruiter, freeze):
    interview = InterviewFactory(department=department, invited=True)

    company.cancel_for_company(interview.reference, by=recruiter, reason=freeze)

    assert Interview.objects.get().status == InterviewStatus.CANCELLED


def test_waiting_request_of_the_candidate_is_overtaken(department, recruiter, freeze):
    interview = InterviewFactory(department=department, starts_in=timedelta(hours=2))
    why = Reason.objects.get(purpose=Purpose.CANCEL, code="time_conflict")
    asked, _ = services.request_cancellation(
        interview.reference, by=interview.candidate.user, reason=why
    )

    cancellation, _ = company.cancel_for_company(interview.reference, by=recruiter, reason=freeze)

    asked = Cancellation.objects.get(pk=asked.pk)
    assert asked.status == CancellationStatus.LAPSED
    assert asked.was_overtaken
    assert queries.receipt(asked.reference).verified
    assert queries.receipt(cancellation.reference).verified
    assert queries.current_cancellation(Interview.objects.get()) == cancellation
    assert not WorkItem.objects.open().exists()
    unsent = Notification.objects.filter(event__startswith="cancellation_", state=State.QUEUED)
    assert not unsent.exists()


def test_second_time_returns_the_first_and_tells_nobody(department, recruiter, freeze):
    interview = InterviewFactory(department=department)
    first, _ = company.cancel_for_company(interview.reference, by=recruiter, reason=freeze)
    told = Notification.objects.count()

    again, is_new = company.cancel_for_company(interview.reference, by=recruiter, reason=freeze)

    assert (again, is_new) == (first, False)
    assert Notification.objects.count() == told
    assert interview.history.count() == 2


@pytest.mark.parametrize("status", ["in_progress", "completed", "no_show", "withdrawn"])
def test_what_is_under_way_or_over_is_not_called_off(department, recruiter, freeze, status):
    interview = InterviewFactory(department=department, status=status)

    with pytest.raises(services.AlreadyOver):
        company.cancel_for_company(interview.reference, by=recruiter, reason=freeze)

    assert Interview.objects.get().status == status
    assert not Cancellation.objects.exists()


def test_what_the_candidate_cancelled_stays_theirs(department, recruiter, freeze):
    cancellation = CancellationFactory(approved=True, interview__department=department)

    with pytest.raises(services.AlreadyOver):
        company.cancel_for_company(cancellation.interview.reference, by=recruiter, reason=freeze)

    assert Cancellation.objects.get() == cancellation


def test_other_departments_are_not_there(recruiter, freeze):
    interview = InterviewFactory()

    with pytest.raises(Interview.DoesNotExist):
        company.cancel_for_company(interview.reference, by=recruiter, reason=freeze)


def test_viewer_may_not(department, freeze):
    interview = InterviewFactory(department=department)
    viewer = UserFactory(viewer=True, departments=[department])

    with pytest.raises(PermissionDenied):
        company.cancel_for_company(interview.reference, by=viewer, reason=freeze)
    with pytest.raises(PermissionDenied):
        company.cancel_many([interview.reference], by=viewer, reason=freeze)


def test_reason_that_needs_words_gets_them(department, recruiter):
    interview = InterviewFactory(department=department)
    other = Reason.objects.get(purpose=Purpose.COMPANY, code="other")

    with pytest.raises(ValidationError):
        company.cancel_for_company(interview.reference, by=recruiter, reason=other, detail=" ")

    assert Interview.objects.get().status == InterviewStatus.BOOKED


def test_many_have_a_fate_each_in_the_order_named(department, recruiter, freeze):
    position = PositionFactory(department=department)
    booked = InterviewFactory(position=position)
    ended = InterviewFactory(position=position, completed=True)
    running = InterviewFactory(position=position, in_progress=True)
    gone = CancellationFactory(approved=True, interview__position=position).interview
    elsewhere = InterviewFactory()
    named = [ended, booked, elsewhere, running, gone]

    fates = company.cancel_many([each.reference for each in named], by=recruiter, reason=freeze)

    assert [each.fate for each in fates] == [
        Fate.OVER,
        Fate.CANCELLED,
        Fate.UNKNOWN,
        Fate.UNDER_WAY,
        Fate.ALREADY,
    ]
    assert fates[1].receipt == booked.cancellations.get().reference
    assert Interview.objects.get(pk=elsewhere.pk).status == InterviewStatus.BOOKED
    assert list(history.verify(Interview.objects.all())) == []


def test_staff_are_told_once_of_many(department, recruiter, freeze):
    position = PositionFactory(department=department)
    interviewer = UserFactory(staff=True, language="zh-hans")
    several = [InterviewFactory(position=position, interviewer=interviewer) for _ in range(3)]

    company.cancel_many([each.reference for each in several], by=recruiter, reason=freeze)

    staff = Notification.objects.exclude(event="company_cancelled")
    assert sorted(staff.values_list("event", "channel", "recipient")) == sorted(
        (event, channel, recipient)
        for event, recipient in (
            ("company_cancelled_many", f"user:{position.recruiter_id}"),
            ("company_cancelled_many", department.audience),
            ("interviewer_released_many", f"user:{interviewer.pk}"),
        )
        for channel in ("desk", "email")
    )
    assert Notification.objects.filter(event="company_cancelled").count() == 3
    message = render(staff.get(recipient=f"user:{interviewer.pk}", channel="email"))
    assert message.title == "由您主持的3场面试已取消"
    for interview in several:
        assert interview.candidate.user.name in message.body


def test_slot_shared_by_many_is_freed_of_each(department, recruiter, freeze):
    first = InterviewFactory(department=department)
    slot = first.slot
    second = InterviewFactory(position=first.position, slot=slot, starts_at=slot.starts_at)
    Slot.objects.filter(pk=slot.pk).update(booked=5)

    company.cancel_many([first.reference, second.reference], by=recruiter, reason=freeze)

    slot.refresh_from_db()
    assert slot.booked == 3


def test_number_of_statements_does_not_grow_with_the_interviews(department, recruiter, freeze):
    position = PositionFactory(department=department)

    def statements(count):
        several = [
            InterviewFactory(position=position, starts_in=timedelta(days=1 + n, minutes=count))
            for n in range(count)
        ]
        with CaptureQueriesContext(
            connection,
        ) as captured:
            company.cancel_many([i.reference for i in several], by=recruiter, reason=freeze)
        return len(captured)

    assert statements(2) == statements(9)
