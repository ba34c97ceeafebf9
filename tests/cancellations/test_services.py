from datetime import timedelta

import pytest
from django.utils import timezone

from cancellations import services
from cancellations.models import CancellationStatus, Purpose, Reason
from interviews.models import Interview
from interviews.states import InterviewStatus
from notifications.models import Notification
from tests.factories import InterviewFactory

pytestmark = pytest.mark.django_db


def reason(code: str) -> Reason:
    return Reason.objects.get(purpose=Purpose.CANCEL, code=code)


def test_cancelling_a_day_ahead_is_automatic_and_frees_the_slot():
    interview = InterviewFactory(starts_in=timedelta(hours=25))

    cancellation, created = services.request_cancellation(
        interview.reference, by=interview.candidate.user, reason=reason("time_conflict")
    )

    assert created
    assert cancellation.status == CancellationStatus.APPROVED
    fresh = Interview.objects.get(pk=interview.pk)
    assert fresh.status == InterviewStatus.CANCELLED
    assert fresh.slot is None
    interview.slot.refresh_from_db()
    assert interview.slot.booked == 0
    assert [e.event for e in fresh.history.all()] == [
        "booked",
        "cancellation_requested",
        "cancelled",
    ]
    assert Notification.objects.filter(event="cancellation_done", channel="sms").count() == 1
