"""Slots, booking and moving over the API."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts.scopes import Scope
from interviews.models import Interview, Slot, Stage
from tests.contracts.api import assert_problem, caller
from tests.contracts.test_api_tokens import token_for
from tests.factories import (
    ApplicationFactory,
    DepartmentFactory,
    FreedPlaceFactory,
    InterviewFactory,
    OfferFactory,
    PositionFactory,
    SlotFactory,
    UserFactory,
    WaitingEntryFactory,
)

pytestmark = pytest.mark.django_db

API = "/api/v1/"
NOW = timezone.now()
LISTED = 3  # queries: who asks, the interviews, the policies


@pytest.fixture
def department():
    return DepartmentFactory()


@pytest.fixture
def recruiter(department):
    return UserFactory(recruiter=True, departments=[department])


def invited(department, **fields) -> Interview:
    deadline = NOW + timedelta(days=7)
    return InterviewFactory(
        **{"invited": True, "deadline": deadline, **fields}, department=department
    )


def slot_for(interview, days=4, **fields) -> Slot:
    return SlotFactory(position=interview.position, starts_at=NOW + timedelta(days=days), **fields)


def test_candidate_reads_the_times_of_their_interview_and_books_one(department):
    interview = invited(department)
    full = slot_for(interview, days=3, capacity=1, booked=1)
    free = slot_for(interview)
    client = caller(interview.candidate.user)

    listed = client.get(f"{API}slots/", {"interview": interview.reference}).json()["results"]
    booked = client.post(f"{API}interviews/{interview.reference}/booking/", {"slot": free.pk})
    again = client.post(f"{API}interviews/{interview.reference}/booking/", {"slot": free.pk})

    assert [(each["id"], each["free"]) for each in listed] == [(full.pk, 0), (free.pk, 10)]
    assert (booked.status_code, booked.json()["status"]) == (200, "booked")
    assert again.status_code == 200
    assert Slot.objects.get(pk=free.pk).booked == 1


def test_candidate_moves_as_far_as_the_rule_allows(department):
    interview = InterviewFactory(department=department)
    client = caller(interview.candidate.user)
    address = f"{API}interviews/{interview.reference}/move/"
    slots = [slot_for(interview, days=day) for day in (4, 5, 6)]

    answers = [client.post(address, {"slot": slot.pk}) for slot in slots]

    assert [each.status_code for each in answers[:2]] == [200, 200]
    assert_problem(answers[2], 409, "move-refused")


@pytest.mark.parametrize(
    ("made", "slot", "kind"),
    [
        ({}, {"capacity": 1, "booked": 1}, "slot-full"),
        ({"deadline": NOW - timedelta(minutes=1)}, {}, "invitation-expired"),
        ({"invited": False}, {}, "stands-differently"),
    ],
)
def test_what_cannot_be_booked_has_a_name(department, made, slot, kind):
    interview = invited(department, **made)
    chosen = slot_for(interview, **slot)

    response = caller(interview.candidate.user).post(
        f"{API}interviews/{interview.reference}/booking/", {"slot": chosen.pk}
    )

    assert_problem(response, 409, kind)


@pytest.mark.parametrize("sent", [{}, {"slot": 0}, {"slot": "x"}, {"slot": 2**63}, {"slot": None}])
def test_slot_has_to_be_named(department, sent):
    interview = invited(department)

    response = caller(interview.candidate.user).post(
        f"{API}interviews/{interview.reference}/booking/", sent
    )

    assert_problem(response, 400, "invalid")


def test_declining_needs_a_reason_of_ours_and_happens_once(department):
    interview = invited(department)
    client = caller(interview.candidate.user)
    address = f"{API}interviews/{interview.reference}/decline/"

    assert_problem(client.post(address, {"reason": "x"}), 400, "invalid")
    assert_problem(client.post(address, {"reason": "other"}), 400, "invalid")
    first = client.post(address, {"reason": "no_time"})
    second = client.post(address, {"reason": "no_time"})

    assert first.json() == second.json()
    assert first.json()["status"] == "withdrawn"


def test_system_with_the_scope_invites_and_books(department, recruiter):
    application = ApplicationFactory(position__department=department, stage=Stage.SCREENED)
    _, client = token_for(recruiter, Scope.BOOK_INTERVIEWS)
    address = f"{API}applications/{application.reference}/stage/"

    first = client.post(address, {"stage": "ai_interview"}).json()
    second = client.post(address, {"stage": "ai_interview"}).json()
    interview = Interview.objects.get(reference=first["invitation"])
    booked = client.post(
        f"{API}interviews/{interview.reference}/booking/", {"slot": slot_for(interview).pk}
    )

    assert second == {**first, "invitation": None}
    assert booked.json()["status"] == "booked"


def test_slot_is_added_once_and_only_ahead(department, recruiter):
    position = PositionFactory(department=department)
    client = caller(recruiter)
    at = NOW + timedelta(days=5)
    sent = {
        "position": position.code,
        "starts_at": at.isoformat(),
        "ends_at": (at + timedelta(minutes=30)).isoformat(),
        "capacity": 4,
    }

    added = client.post(f"{API}slots/", sent)
    twice = client.post(f"{API}slots/", sent)

    assert (added.status_code, added.json()["free"]) == (201, 4)
    assert_problem(twice, 409, "slot-taken")
    for wrong in (
        {"starts_at": (NOW - timedelta(days=1)).isoformat()},
        {"ends_at": at.isoformat()},
        {"capacity": 0},
        {"position": PositionFactory().code},
    ):
        assert_problem(client.post(f"{API}slots/", {**sent, **wrong}), 400, "invalid")


def test_staff_list_the_slots_of_their_departments(department, recruiter):
    mine = SlotFactory(position__department=department)
    SlotFactory()

    listed = caller(recruiter).get(f"{API}slots/").json()["results"]
    none = caller(recruiter).get(f"{API}slots/", {"to": NOW.isoformat()}).json()["results"]

    assert [each["id"] for each in listed] == [mine.pk]
    assert none == []


# --- offers ---------------------------------------------------------------------------------------


@pytest.fixture
def offer():
    entry = WaitingEntryFactory()
    return OfferFactory(
        entry=entry, place=FreedPlaceFactory(slot__position=entry.position, slot__booked=1)
    )


def answer(offer, what, user=None, **headers):
    user = user or offer.entry.candidate.user
    return caller(user).post(f"{API}offers/{offer.reference}/{what}/", {}, **headers)


def test_candidate_reads_what_is_kept_for_them_and_takes_it(offer):
    OfferFactory()  # somebody else's
    client = caller(offer.entry.candidate.user)

    (listed,) = client.get(f"{API}offers/").json()
    taken = answer(offer, "acceptance")
    again = answer(offer, "acceptance")

    assert (listed["reference"], listed["state"]) == (offer.reference, "open")
    assert listed["position"]["code"] == offer.slot.position.code
    assert {"starts_at", "ends_at", "held_until", "kind"} <= listed.keys()
    assert (taken.status_code, taken.json()["status"]) == (200, "booked")
    assert again.json()["reference"] == taken.json()["reference"]
    assert client.get(f"{API}offers/").json() == []


def test_candidate_lets_it_go(offer):
    first, again = answer(offer, "refusal"), answer(offer, "refusal")

    assert (first.status_code, first.json()["state"]) == (200, "declined")
    assert again.json() == first.json()
    assert_problem(answer(offer, "acceptance"), 409, "offer-closed")


def test_with_a_key_it_is_answered_once(offer):
    same = {"HTTP_IDEMPOTENCY_KEY": str(uuid4())}

    first, again = answer(offer, "acceptance", **same), answer(offer, "acceptance", **same)

    assert again["Idempotency-Replayed"] == "true"
    assert again.content == first.content


def test_whose_offer_it_is_and_what_stands_against_it(offer, recruiter):
    stranger = InterviewFactory().candidate.user
    InterviewFactory(candidate=offer.entry.candidate, starts_at=offer.slot.starts_at)

    for user in (stranger, recruiter):
        assert_problem(answer(offer, "acceptance", user), 404, "not-found")
        assert_problem(answer(offer, "refusal", user), 404, "not-found")
    assert_problem(answer(offer, "acceptance"), 409, "busy")


def test_offers_are_not_for_the_tokens_of_systems(offer, recruiter):
    _token, client = token_for(recruiter, Scope.READ_INTERVIEWS, Scope.BOOK_INTERVIEWS)

    assert_problem(client.get(f"{API}offers/"), 403, "scope-missing")


# --- what moving would meet -----------------------------------------------------------------------


def test_interview_says_what_moving_would_meet(department):
    interview = InterviewFactory(department=department)
    client = caller(interview.candidate.user)
    address = f"{API}interviews/{interview.reference}/"
    until = interview.starts_at - timedelta(hours=2)

    def said():
        one = client.get(address).json()
        (listed,) = client.get(f"{API}interviews/").json()["results"]
        assert one["move"] == listed["move"]
        return one["move"]

    before = said()
    for day in (4, 5):
        client.post(f"{address}move/", {"slot": slot_for(interview, days=day).pk})

    assert parse_datetime(before.pop("until")) == until
    assert before == {"allowed": True, "refused": None, "left": 2}
    after = said()
    assert (after["allowed"], after["refused"], after["left"]) == (False, "used_up", 0)


def test_what_hr_moved_is_not_held_against_the_candidate(department, recruiter):
    interview = InterviewFactory(department=department)
    address = f"{API}interviews/{interview.reference}/"
    caller(recruiter).post(f"{address}move/", {"slot": slot_for(interview).pk})

    assert caller(interview.candidate.user).get(address).json()["move"]["left"] == 2


def test_where_there_is_nothing_to_move_it_is_null(department):
    interview = invited(department)

    address = f"{API}interviews/{interview.reference}/"
    assert caller(interview.candidate.user).get(address).json()["move"] is None


@pytest.mark.parametrize("rows", [1, 3])
def test_list_asks_no_more_for_more_rows(department, recruiter, rows, django_assert_num_queries):
    for interview in InterviewFactory.create_batch(rows, department=department):
        caller(recruiter).post(
            f"{API}interviews/{interview.reference}/move/", {"slot": slot_for(interview).pk}
        )
    client = caller(recruiter)
    client.get(f"{API}interviews/")

    with django_assert_num_queries(LISTED):
        listed = client.get(f"{API}interviews/").json()["results"]

    assert [each["move"]["left"] for each in listed] == [2] * rows
