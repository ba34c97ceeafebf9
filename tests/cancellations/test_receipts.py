from datetime import timedelta

import pytest
from django.db.models import F

from cancellations import queries, services
from cancellations.models import Cancellation, Purpose, Reason
from interviews.models import HistoryEntry
from tests.database import without_triggers
from tests.factories import InterviewFactory, UserFactory
from tests.meanwhile import before_first_query_of

pytestmark = pytest.mark.django_db


def cancel(**given) -> Cancellation:
    interview = InterviewFactory(**given)
    cancellation, _ = services.request_cancellation(
        interview.reference,
        by=interview.candidate.user,
        reason=Reason.objects.get(purpose=Purpose.CANCEL, code="time_conflict"),
    )
    return cancellation


@pytest.mark.parametrize("hours", [25, 2])
def test_receipt_stands_on_the_last_history_entry_that_names_it(hours, django_assert_num_queries):
    cancellation = cancel(starts_in=timedelta(hours=hours))

    with django_assert_num_queries(2):
        receipt = queries.receipt(cancellation.reference)

    assert receipt.verified
    assert receipt.fingerprint == cancellation.interview.history.last().hash
    assert receipt.masked_name == cancellation.interview.candidate.user.masked_name


def test_receipt_of_a_decided_request_is_verified():
    lead = UserFactory(lead=True)
    approved, declined = (cancel(starts_in=timedelta(hours=2)) for _ in range(2))
    services.approve_cancellation(approved.pk, by=lead)
    services.decline_cancellation(declined.pk, by=lead)

    assert queries.receipt(approved.reference).verified
    assert queries.receipt(declined.reference).verified


def test_receipt_of_a_tampered_history_is_not_verified():
    cancellation = cancel()
    with without_triggers():
        HistoryEntry.objects.filter(event="cancelled").update(actor="user:1")

    assert not queries.receipt(cancellation.reference).verified


def test_receipt_whose_status_was_changed_behind_our_back_is_not_verified():
    cancellation = cancel(starts_in=timedelta(hours=2))
    Cancellation.objects.filter(pk=cancellation.pk).update(status="declined")

    assert not queries.receipt(cancellation.reference).verified


@pytest.mark.parametrize("field", ["requested_at", "starts_at", "decided_at"])
@pytest.mark.parametrize("hours", [25, 2])
def test_receipt_whose_times_were_changed_behind_our_back_is_not_verified(hours, field):
    cancellation = cancel(starts_in=timedelta(hours=hours))
    if cancellation.status == "requested":
        services.approve_cancellation(cancellation.pk, by=UserFactory(lead=True))
    assert queries.receipt(cancellation.reference).verified
    changed = Cancellation.objects.filter(pk=cancellation.pk)

    changed.update(**{field: F(field) + timedelta(minutes=1)})

    assert not queries.receipt(cancellation.reference).verified


def test_receipt_of_an_invitation_without_a_time_is_verified():
    assert queries.receipt(cancel(invited=True).reference).verified


def test_receipt_read_while_it_is_decided_is_verified():
    cancellation = cancel(starts_in=timedelta(hours=2))
    lead = UserFactory(lead=True)

    with before_first_query_of(
        "interviews_historyentry",
        lambda: services.decline_cancellation(cancellation.pk, by=lead),
    ):
        receipt = queries.receipt(cancellation.reference)

    assert receipt.verified
    assert receipt.cancellation.status == "declined"


def test_unknown_receipt_raises():
    with pytest.raises(Cancellation.DoesNotExist):
        queries.receipt("0000000000")
