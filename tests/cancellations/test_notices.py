"""Who hears of it, and who does not any more."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from cancellations import company, notices
from cancellations.models import Cancellation
from interviews.models import Correction, Interview, Move
from notifications.services import Notice
from tests.factories import (
    CancellationFactory,
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
def lead(department):
    return UserFactory(lead=True, departments=[department])


@pytest.fixture
def gone(department):
    """Everybody of this position has left the company."""
    recruiter, interviewer = (
        UserFactory(recruiter=True, departments=[department], is_active=False) for _each in "12"
    )
    position = PositionFactory(department=department, recruiter=recruiter)
    interviews = [
        InterviewFactory(
            position=position, interviewer=interviewer, starts_in=timedelta(hours=2), status=status
        )
        for status in ("cancelling", "cancelling")
    ]
    for interview in interviews:
        CancellationFactory(interview=interview)
    return {recruiter.pk, interviewer.pk}


def requests() -> list[Cancellation]:
    return list(Cancellation.objects.with_facts().order_by("pk"))


def to(told: list[Notice], event: str) -> set[tuple[str, str]]:
    return {(each.recipient, each.channel) for each in told if each.event == event}


def staff(*people: User) -> set[tuple[str, str]]:
    return {(f"user:{each.pk}", channel) for each in people for channel in ("email", "desk")}


def everything(requests: list[Cancellation]) -> list[Notice]:
    """All there is to tell of two requests."""
    first, by = requests[0], UserFactory(lead=True)
    correction = Correction(
        interview=first.interview,
        move=Move.REINSTATE,
        before="cancelled",
        by=by,
        at=first.requested_at,
    )
    return [
        *notices.received(first),
        *notices.cancelled(first),
        *notices.declined(first),
        *notices.taken_back(first),
        *notices.called_off(requests),
        *notices.called_off(requests[:1]),
        *notices.corrected(correction, first.interview),
    ]


def test_staff_who_were_switched_off_are_told_nothing(department, lead, gone):
    told = everything(requests())

    recipients = {each.recipient for each in told}
    assert recipients.isdisjoint(f"user:{pk}" for pk in gone)
    assert {f"user:{each.interview.candidate.user_id}" for each in requests()} <= recipients
    assert department.audience in recipients
    assert {each.params.get("recruiter", "") for each in told} == {""}
    hears = company.told_of(list(Interview.objects.with_facts()))
    assert (hears.recruiters, hears.interviewers) == ([], [])


def test_what_must_be_acted_on_falls_to_the_leads_where_the_recruiter_has_left(
    department, lead, gone
):
    second = UserFactory(lead=True, departments=[department])
    UserFactory(lead=True, departments=[department], is_active=False)
    UserFactory(lead=True, departments=[DepartmentFactory()])
    everybody = {(department.audience, "desk"), *staff(lead, second)}

    told = everything(requests())

    assert to(told, "cancellation_to_decide") == everybody
    assert to(told, "cancellation_taken_back") == everybody
    assert to(told, "interview_cancelled") == set()


def test_position_that_never_had_a_recruiter_falls_to_the_leads(department, lead):
    waiting = CancellationFactory(
        interview__position=PositionFactory(department=department, recruiter=None)
    )

    told = list(notices.received(waiting))

    assert to(told, "cancellation_to_decide") == {(department.audience, "desk"), *staff(lead)}


def test_candidate_who_may_not_sign_in_is_told_of_their_own_interview(department):
    waiting = CancellationFactory(interview__department=department)
    User.objects.filter(pk=waiting.requested_by_id).update(is_active=False)
    (read,) = requests()

    assert to(list(notices.cancelled(read)), "cancellation_done") == {
        (f"user:{read.requested_by_id}", "sms")
    }


def test_telling_asks_nothing_more_while_the_recruiter_is_there(department):
    CancellationFactory(interview__department=department)
    (read,) = requests()

    with CaptureQueriesContext(connection) as captured:
        list(notices.cancelled(read))

    assert len(captured) == 0


def told_to_decide(department, **recruiter) -> tuple[User, set[tuple[str, str]]]:
    """The recruiter of a position of the department, and who is told that a request waits."""
    person = UserFactory(**recruiter)
    CancellationFactory(
        interview__position=PositionFactory(department=department, recruiter=person)
    )
    (read,) = requests()
    return person, to(list(notices.received(read)), "cancellation_to_decide")


def test_who_may_decide_is_told_at_once_beside_the_recruiter(department, lead):
    recruiter, told = told_to_decide(department, recruiter=True, departments=[department])

    assert told == {(department.audience, "desk"), *staff(recruiter), *staff(lead)}


def test_recruiter_who_decides_is_enough(department, lead):
    deciding, told = told_to_decide(department, lead=True, departments=[department])

    assert told == {(department.audience, "desk"), *staff(deciding)}


def test_recruiter_of_another_department_is_not_told_to_decide(department):
    administrator = UserFactory(administrator=True)

    _recruiter, told = told_to_decide(department, recruiter=True, departments=[])

    assert told == {(department.audience, "desk"), *staff(administrator)}
