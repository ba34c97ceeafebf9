"""Offers as candidates read and answer them, and refilling at the desk."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from interviews.models import Interview, Position, Slot
from interviews.refill.links import token_of
from interviews.refill.models import Offer, WaitingEntry
from notifications.models import OutOfReach
from tests.factories import (
    InterviewFactory,
    OfferFactory,
    SlotFactory,
    UserFactory,
    WaitingEntryFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(datetime(2026, 3, 2, 2, tzinfo=UTC), tick=False) as moved:
        yield moved


@pytest.fixture
def client():
    """In English, also where nobody is signed in."""
    return Client(headers={"Accept-Language": "en"})


@pytest.fixture
def offer():
    return OfferFactory()


def by_link(offer):
    return reverse("refill:by_link", args=[token_of(offer.reference)])


def signed_in(offer):
    return reverse("refill:offer", args=[offer.reference])


def state_of(offer):
    return Offer.objects.get(pk=offer.pk).state


def test_the_link_shows_the_time_to_whoever_holds_it_and_names_nobody(client, offer):
    response = client.get(by_link(offer))

    text = response.content.decode()
    assert offer.slot.position.title in text
    assert "Take this time" in text
    assert offer.entry.candidate.user.name not in text
    assert state_of(offer) == "open"  # mail scanners follow links
    assert "_auth_user_id" not in client.session


def test_the_link_shows_times_where_the_candidate_is_and_says_so(client, offer):
    User.objects.filter(pk=offer.entry.candidate.user.pk).update(time_zone="Europe/Berlin")
    start = datetime(2026, 3, 5, 7, 15, tzinfo=UTC)
    Slot.objects.filter(pk=offer.slot_id).update(
        starts_at=start, ends_at=start + timedelta(minutes=30)
    )

    text = client.get(by_link(offer)).text

    assert "08:15" in text
    assert "15:15" not in text
    assert "Berlin (UTC+1)" in text


def test_who_has_an_interview_at_that_time_is_told_so_and_nothing_changes(client, offer):
    InterviewFactory(candidate=offer.entry.candidate, starts_at=offer.slot.starts_at)

    text = client.post(by_link(offer), {"answer": "take"}, follow=True).text

    assert "You have another interview at that time" in text
    assert state_of(offer) == "open"


@pytest.mark.parametrize(("answer", "state"), [("take", "accepted"), ("refuse", "declined")])
def test_one_post_answers_without_signing_in(client, offer, answer, state):
    response = client.post(by_link(offer), {"answer": answer})

    assert (response.status_code, response.url) == (303, by_link(offer))
    assert state_of(offer) == state
    assert "_auth_user_id" not in client.session
    assert client.get(by_link(offer)).status_code == 200


@pytest.mark.parametrize("way", [by_link, signed_in])
def test_history_says_whether_a_link_was_all_that_was_known(client, offer, way):
    client.force_login(offer.entry.candidate.user)

    client.post(way(offer), {"answer": "take"})

    taken = Offer.objects.get().interview.history.get(event="place_taken")
    assert taken.data["by_link"] is (way is by_link)


@pytest.mark.parametrize(
    "token", ["x", "7K2M9QX4TB", "7K2M9QX4TB.", "7K2M9QX4TB.x", "…", "a" * 500]
)
def test_what_we_have_not_signed_opens_nothing(client, token):
    assert client.get(reverse("refill:by_link", args=[token])).status_code == 404


def test_a_link_for_something_else_opens_nothing(client, offer):
    signature = token_of("0000000000").partition(".")[2]

    address = reverse("refill:by_link", args=[f"{offer.reference}.{signature}"])

    assert client.get(address).status_code == 404


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("lapsed", "no longer kept for you"),
        ("withdrawn", "no longer kept for you"),
        ("declined", "You have already said that this time does not suit you"),
    ],
)
def test_a_closed_offer_says_so_politely(client, offer, state, words):
    Offer.objects.filter(pk=offer.pk).update(state=state, ended_at=timezone.now())

    text = client.get(by_link(offer)).content.decode()
    assert "Take this time" not in text
    assert "As soon as another time comes free" in text

    response = client.post(by_link(offer), {"answer": "take"}, follow=True)
    assert words in response.content.decode()
    assert not Interview.objects.filter(status="booked").exists()


def test_refusing_in_an_old_window_what_was_taken_in_another_says_that_it_is_theirs(client, offer):
    client.post(by_link(offer), {"answer": "take"})

    text = client.post(by_link(offer), {"answer": "refuse"}, follow=True).text

    assert "You have already taken this time" in text
    assert "no longer kept for you" not in text
    assert state_of(offer) == "accepted"


def test_it_stands_on_top_of_my_interviews_and_is_taken_there(client, offer):
    client.force_login(offer.entry.candidate.user)

    text = client.get(reverse("cancellations:mine")).content.decode()
    assert f'action="{signed_in(offer)}"' in text

    client.post(signed_in(offer), {"answer": "take"})
    assert state_of(offer) == "accepted"
    assert (
        f'action="{signed_in(offer)}"'
        not in client.get(reverse("cancellations:mine")).content.decode()
    )


def test_somebody_elses_offer_is_not_there(client, offer):
    client.force_login(WaitingEntryFactory().candidate.user)

    assert client.get(signed_in(offer)).status_code == 404
    assert client.post(signed_in(offer), {"answer": "take"}).status_code == 404
    assert state_of(offer) == "open"


def test_an_answer_that_is_none_changes_nothing(client, offer):
    assert client.post(by_link(offer), {"answer": "perhaps"}).status_code == 422
    assert state_of(offer) == "open"


# --- at the desk ----------------------------------------------------------------------------------


@pytest.fixture
def lead(client, offer):
    lead = UserFactory(lead=True, departments=[offer.slot.position.department])
    client.force_login(lead)
    return lead


def desk(offer, name="position"):
    return reverse(f"refill:{name}", args=[offer.slot.position.pk])


@pytest.mark.parametrize("rows", [1, 3])
def test_overview_query_count_does_not_grow(client, offer, lead, rows, django_assert_num_queries):
    for _ in range(rows):
        position = offer.slot.position
        WaitingEntryFactory(position__department=position.department)
    client.get(reverse("refill:index"))

    with django_assert_num_queries(7):
        response = client.get(reverse("refill:index"))

    assert len(response.context["page"]) == rows + 1


@pytest.mark.parametrize("rows", [1, 3])
def test_position_query_count_does_not_grow(client, offer, lead, rows, django_assert_num_queries):
    for number in range(rows):
        WaitingEntryFactory(position=offer.slot.position)
        start = timezone.now() + timedelta(days=10 + number)
        SlotFactory(position=offer.slot.position, starts_at=start)
    client.get(desk(offer))

    with django_assert_num_queries(12):
        response = client.get(desk(offer))

    assert len(response.context["page"]) == rows + 1


def test_offer_made_in_quiet_hours_says_when_it_goes_out(client, offer, lead, settings):
    now = timezone.localtime()
    settings.QUIET_HOURS = (
        (now - timedelta(hours=1)).time(),
        (now + timedelta(hours=1)).time().replace(microsecond=0),
    )
    quiet = client.get(desk(offer)).content.decode()
    settings.QUIET_HOURS = (now.time(), now.time())
    loud = client.get(desk(offer)).content.decode()

    assert "after the quiet hours" in quiet
    assert "Waiting for an answer" not in quiet
    assert "after the quiet hours" not in loud
    assert "Waiting for an answer" in loud


def test_settings_hold_for_the_next_place(client, offer, lead):
    client.post(desk(offer, "settings"), {"refill_hold_minutes": "30", "refill_near_minutes": "60"})

    position = Position.objects.get(pk=offer.slot.position.pk)
    assert (position.refill_hold_minutes, position.refill_near_minutes) == (30, 60)
    assert not position.refill_from_pool


@pytest.mark.parametrize("minutes", ["", "9", "1441", "x", "-1"])
def test_settings_out_of_bounds_are_refused(client, offer, lead, minutes):
    sent = {"refill_hold_minutes": minutes, "refill_near_minutes": "60"}

    assert client.post(desk(offer, "settings"), sent).status_code == 422
    assert Position.objects.get(pk=offer.slot.position.pk).refill_hold_minutes == 60


def test_hr_offers_a_free_time_to_who_waits_first(client, offer, lead):
    entry = WaitingEntryFactory(position=offer.slot.position)
    free = SlotFactory(position=offer.slot.position, starts_at=timezone.now() + timedelta(days=2))

    client.post(desk(offer, "offer_now"), {"slot": free.pk})

    assert entry.offers.get().slot == free


def test_hr_sees_who_is_passed_over_because_no_message_reaches_them(client, offer, lead):
    assert "no message reaches them" not in client.get(desk(offer)).text
    recipient = f"user:{offer.entry.candidate.user.pk}"
    OutOfReach.objects.create(recipient=recipient, since=timezone.now())

    assert client.get(desk(offer)).text.count("no message reaches them") == 1


def test_hr_takes_somebody_off_the_list_and_their_place_goes_on(client, offer, lead):
    second = WaitingEntryFactory(position=offer.slot.position)

    client.post(desk(offer, "take_off"), {"entry": offer.entry.reference})

    assert WaitingEntry.objects.get(pk=offer.entry_id).state == "left"
    assert second.offers.get().state == "open"
    again = client.post(desk(offer, "take_off"), {"entry": offer.entry.reference}, follow=True)
    assert "no longer waiting" in again.content.decode()


@pytest.mark.parametrize("entry", ["", "x", "\x00", "0000000000"])
def test_nobody_else_is_taken_off(client, offer, lead, entry):
    assert client.post(desk(offer, "take_off"), {"entry": entry}).status_code == 404


def test_an_entry_of_another_position_is_not_taken_off_here(client, offer, lead):
    other = WaitingEntryFactory()

    assert client.post(desk(offer, "take_off"), {"entry": other.reference}).status_code == 404


def test_waiting_and_stopping_from_the_page_of_the_interview(client):
    interview = InterviewFactory(status="cancelled", slot=None)
    client.force_login(interview.candidate.user)

    client.post(reverse("refill:wait", args=[interview.reference]))
    assert WaitingEntry.objects.get().state == "waiting"

    client.post(reverse("refill:stop", args=[interview.reference]))
    assert WaitingEntry.objects.get().state == "left"
