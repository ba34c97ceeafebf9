"""Staff and candidates at the same interviews at the same moment, over connections of their own."""

from datetime import timedelta

import pytest

from cancellations import company, services
from cancellations.models import Cancellation, CancellationStatus, Party, Purpose, Reason
from cancellations.services import AlreadyOver
from interviews import history
from interviews.models import Correction, Interview, Move, Slot
from interviews.services import SlotFull
from notifications.models import Notification
from tests.cancellations.test_races import at_once
from tests.factories import InterviewFactory, PositionFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def position():
    return PositionFactory()


@pytest.fixture
def recruiters(position):
    return [UserFactory(recruiter=True, departments=[position.department]) for _ in range(2)]


def reasons():
    return (
        Reason.objects.get(purpose=Purpose.CANCEL, code="time_conflict"),
        Reason.objects.get(purpose=Purpose.COMPANY, code="hiring_freeze"),
    )


@pytest.mark.parametrize("hours", [48, 2], ids=["automatic", "needs_hr"])
@pytest.mark.parametrize("attempt", range(3))
def test_company_and_candidate_at_once_are_one_cancellation(position, recruiters, hours, attempt):
    interview = InterviewFactory(position=position, starts_in=timedelta(hours=hours))
    theirs, ours = reasons()

    at_once(
        lambda: services.request_cancellation(
            interview.reference, by=interview.candidate.user, reason=theirs
        ),
        lambda: company.cancel_for_company(interview.reference, by=recruiters[0], reason=ours),
    )

    carried_out = Cancellation.objects.get(status=CancellationStatus.APPROVED)
    assert Interview.objects.get().status == "cancelled"
    assert Slot.objects.get().booked == 0
    said = "company_cancelled" if carried_out.party == Party.COMPANY else "cancellation_done"
    over = Notification.objects.filter(
        event__in=["company_cancelled", "cancellation_done"], channel="sms"
    )
    assert [each.event for each in over] == [said]
    assert list(history.verify(Interview.objects.all())) == []


@pytest.mark.parametrize("attempt", range(3))
def test_two_colleagues_at_once_cancel_once(position, recruiters, attempt):
    interview = InterviewFactory(position=position)
    _, ours = reasons()

    first, second = at_once(
        *(
            lambda by=by: company.cancel_for_company(interview.reference, by=by, reason=ours)
            for by in recruiters
        )
    )

    assert first[0] == second[0]
    assert sorted([first[1], second[1]]) == [False, True]
    assert Notification.objects.filter(event="company_cancelled", channel="sms").count() == 1


@pytest.mark.parametrize("attempt", range(3))
def test_two_jobs_over_the_same_interviews_do_not_wait_for_each_other(
    position, recruiters, attempt
):
    several = [
        InterviewFactory(position=position, starts_in=timedelta(days=1 + n)) for n in range(8)
    ]
    references = [each.reference for each in several]
    _, ours = reasons()

    first, second = at_once(
        lambda: company.cancel_many(references, by=recruiters[0], reason=ours),
        lambda: company.cancel_many(references[::-1], by=recruiters[1], reason=ours),
    )

    fates = [each.fate for each in (*first, *second)]
    assert sorted(fates) == ["already"] * 8 + ["cancelled"] * 8
    assert Cancellation.objects.count() == 8
    assert set(Slot.objects.values_list("booked", flat=True)) == {0}


@pytest.mark.parametrize("attempt", range(3))
def test_two_colleagues_at_once_reinstate_once(position, recruiters, attempt):
    interview = InterviewFactory(position=position)
    _, ours = reasons()
    company.cancel_for_company(interview.reference, by=recruiters[0], reason=ours)
    starts_at = interview.starts_at

    results = at_once(
        *(
            lambda by=by: company.correct_interview(
                interview.reference,
                by=by,
                move=Move.REINSTATE,
                expected="cancelled",
                reason="It takes place.",
                starts_at=starts_at,
            )
            for by in recruiters
        )
    )

    assert sum(isinstance(each, company.ChangedMeanwhile) for each in results) == 1
    assert Correction.objects.count() == 1
    assert Slot.objects.get().booked == 1


@pytest.mark.parametrize("attempt", range(3))
def test_last_place_goes_to_one_of_two_reinstated_at_once(position, recruiters, attempt):
    several = [InterviewFactory(position=position, starts_in=timedelta(days=n)) for n in (1, 2)]
    _, ours = reasons()
    company.cancel_many([each.reference for each in several], by=recruiters[0], reason=ours)
    slot = several[0].slot
    Slot.objects.filter(pk=slot.pk).update(capacity=1)

    results = at_once(
        *(
            lambda each=each: company.correct_interview(
                each.reference,
                by=recruiters[0],
                move=Move.REINSTATE,
                expected="cancelled",
                reason="It takes place.",
                starts_at=slot.starts_at,
            )
            for each in several
        )
    )

    assert sum(isinstance(each, SlotFull) for each in results) == 1
    assert Slot.objects.get(pk=slot.pk).booked == 1
    assert Interview.objects.filter(status="booked").count() == 1


def test_cancelling_what_the_candidate_just_cancelled_says_so(position, recruiters):
    interview = InterviewFactory(position=position)
    theirs, ours = reasons()
    services.request_cancellation(interview.reference, by=interview.candidate.user, reason=theirs)

    with pytest.raises(AlreadyOver):
        company.cancel_for_company(interview.reference, by=recruiters[0], reason=ours)
