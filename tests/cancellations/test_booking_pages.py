"""Choosing a time, another one, or none: the candidate's pages."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cancellations.models import Policy
from interviews.booking import services
from interviews.booking.queries import invitation_token
from interviews.models import HistoryEntry, Interview
from notifications.models import Notification
from tests.factories import CandidateFactory, InterviewFactory, SlotFactory, UserFactory

pytestmark = pytest.mark.django_db

NOW = timezone.now().replace(microsecond=0)


@pytest.fixture
def client():
    """In English, also where nobody is signed in."""
    return Client(headers={"Accept-Language": "en"})


@pytest.fixture
def candidate(client):
    candidate = CandidateFactory()
    client.force_login(candidate.user)
    return candidate


def url(name, interview) -> str:
    return reverse(f"cancellations:{name}", args=[interview.reference])


def status_of(interview) -> str:
    return Interview.objects.get(pk=interview.pk).status


def invited(candidate, **fields) -> Interview:
    given = {"deadline": NOW + timedelta(days=7), **fields}
    return InterviewFactory(invited=True, candidate=candidate, **given)


def slot_for(interview, **fields):
    return SlotFactory(
        **{"position": interview.position, "starts_at": NOW + timedelta(days=4), **fields}
    )


# --- the link of an invitation --------------------------------------------------------------------


def link(interview) -> str:
    return reverse("interviews:invitation", args=[invitation_token(interview)])


def test_link_shows_what_it_is_without_changing_or_telling_anything(client):
    interview = invited(CandidateFactory(user__name="张三丰"))

    response = client.get(link(interview))

    page = response.content.decode()
    assert response.status_code == 200
    assert interview.position.title in page
    assert "张**" in page
    assert "张三丰" not in page
    assert Interview.objects.get().opened_at is None
    assert HistoryEntry.objects.count() == 1
    assert response["X-Robots-Tag"] == "noindex, nofollow"


def test_link_shows_the_deadline_where_the_candidate_is_and_says_so(client):
    candidate = CandidateFactory(user__time_zone="Europe/Berlin")
    deadline = datetime(2099, 3, 5, 7, 15, tzinfo=UTC)
    interview = invited(candidate, deadline=deadline)

    page = client.get(link(interview)).text

    assert "08:15" in page
    assert "15:15" not in page
    assert "(UTC+1)" in page


def test_going_on_is_kept_and_leads_to_booking_by_way_of_signing_in(client):
    interview = invited(CandidateFactory())

    response = client.post(link(interview))
    signing_in = client.get(response.url)

    assert response.url == url("book", interview)
    assert signing_in.url.startswith("/sign-in/")
    assert url("book", interview) in signing_in.url
    assert Interview.objects.get().opened_at is not None


@pytest.mark.parametrize(
    ("made", "words", "onward"),
    [
        ({"deadline": NOW - timedelta(days=1)}, "has run out", "interview"),
        ({"invited": False}, "has been answered", "interview"),
    ],
)
def test_link_that_came_too_late_says_so_and_what_to_do(client, made, words, onward):
    interview = InterviewFactory(**{"invited": True, **made})

    assert words in client.get(link(interview)).content.decode()
    assert client.post(link(interview)).url == url(onward, interview)


def test_forged_link_is_told_apart_politely(client):
    response = client.get(reverse("interviews:invitation", args=["7K2M9QX4TB.x"]))

    assert response.status_code == 404
    assert "not complete" in response.content.decode()


def test_somebody_elses_invitation_says_so_and_is_not_opened(client, candidate):
    interview = invited(CandidateFactory())

    page = client.get(link(interview)).content.decode()
    pressed = client.post(link(interview))

    assert "this invitation is for somebody else" in page
    assert candidate.user.masked_name in page
    assert "Sign out" in page
    assert "Choose a time" not in page
    assert pressed.url == link(interview)
    assert Interview.objects.get().opened_at is None


@pytest.mark.parametrize("theirs", [True, False])
def test_staff_who_follow_an_invitation_are_told_so(client, theirs):
    interview = invited(CandidateFactory())
    departments = [interview.position.department] if theirs else []
    client.force_login(UserFactory(recruiter=True, departments=departments))

    page = client.get(link(interview)).content.decode()

    assert "signed in as staff" in page
    assert (url("desk_interview", interview) in page) == theirs


def test_ones_own_invitation_leads_on(client, candidate):
    interview = invited(candidate)

    assert "Choose a time" in client.get(link(interview)).content.decode()
    assert client.post(link(interview)).url == url("book", interview)


@pytest.mark.parametrize(
    "name",
    ["interviews:invitation", "reminders:appointment", "reminders:trouble", "refill:by_link"],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_link_that_was_cut_says_so(client, name, method):
    response = getattr(client, method)(reverse(name, args=["7K2M9QX4TB.x"]))

    assert response.status_code == 404
    assert "This link is not complete" in response.content.decode()
    assert response["X-Robots-Tag"] == "noindex, nofollow"


# --- booking --------------------------------------------------------------------------------------


def test_invitation_leads_to_a_time_and_names_no_rule_for_cancelling(client, candidate):
    interview = invited(candidate)

    for address in (reverse("cancellations:mine"), url("interview", interview)):
        page = client.get(address).content.decode()
        assert url("book", interview) in page
        assert url("cancel", interview) not in page
    assert url("decline_invitation", interview) in page


def test_time_is_chosen_and_booked(client, candidate):
    interview = invited(candidate)
    slot = slot_for(interview)
    full = slot_for(interview, starts_at=NOW + timedelta(days=5), capacity=1, booked=1)

    page = client.get(url("book", interview)).content.decode()
    response = client.post(url("book", interview), {"slot": slot.pk})

    assert f'id="slot_{slot.pk}"' in page
    assert f'value="{full.pk}" disabled' in " ".join(page.split())
    assert "full" in page
    assert "Beijing time (UTC+8)" in page
    assert (response.status_code, response.url) == (303, url("interview", interview))
    assert status_of(interview) == "booked"


@pytest.mark.parametrize(
    "sent", [{}, {"slot": ""}, {"slot": "x"}, {"slot": "9" * 30}, {"slot": "٣"}]
)
def test_without_a_time_nothing_happens_and_one_is_told(client, candidate, sent):
    interview = invited(candidate)
    slot_for(interview)

    response = client.post(url("book", interview), sent, follow=True)

    assert "Choose one of the times." in response.content.decode()
    assert status_of(interview) == "invited"


def test_time_taken_meanwhile_brings_one_back_to_the_others(client, candidate):
    interview = invited(candidate)
    taken = slot_for(interview, capacity=1, booked=1)

    response = client.post(url("book", interview), {"slot": taken.pk}, follow=True)

    assert "has just been taken" in response.content.decode()
    assert response.redirect_chain[-1][0] == url("book", interview)


def test_no_time_at_all_says_whom_to_ask(client, candidate):
    interview = invited(candidate)

    page = client.get(url("book", interview)).content.decode()

    assert "no free time" in page
    assert interview.position.recruiter.email in page


def test_invitation_that_has_run_out_offers_no_booking(client, candidate):
    interview = invited(candidate)
    slot = slot_for(interview)

    with time_machine.travel(interview.deadline, tick=False):
        page = client.get(url("interview", interview)).content.decode()
        away = client.get(url("book", interview))
        refused = client.post(url("book", interview), {"slot": slot.pk}, follow=True)

    assert "has run out" in page
    assert url("book", interview) not in page
    assert away.url == url("interview", interview)
    assert "Your recruiter can still find you a time" in refused.content.decode()
    assert status_of(interview) == "invited"


# --- moving ---------------------------------------------------------------------------------------


def test_booking_is_moved_and_the_rule_stands_before_it(client, candidate):
    interview = InterviewFactory(candidate=candidate)
    slot = slot_for(interview)

    before = client.get(url("interview", interview)).content.decode()
    choosing = client.get(url("move", interview)).content.decode()
    client.post(url("move", interview), {"slot": slot.pk})
    after = client.get(url("interview", interview)).content.decode()

    assert "up to 2 more times" in before
    assert "up to 2 more times" in choosing
    assert "1 more time" in after
    assert Interview.objects.get().slot_id == slot.pk


@pytest.mark.parametrize(
    ("rule", "starts_in", "words"),
    [
        ({"moves_most": 0}, timedelta(days=3), "For another time, please contact your recruiter"),
        ({}, timedelta(minutes=119), "It could be moved until"),
    ],
)
def test_rule_that_says_no_says_why_and_offers_no_button(client, candidate, rule, starts_in, words):
    if rule:
        Policy.objects.filter(is_active=True).update(**rule)
    interview = InterviewFactory(candidate=candidate, starts_in=starts_in)
    slot = slot_for(interview)

    page = client.get(url("interview", interview)).content.decode()
    away = client.get(url("move", interview))
    refused = client.post(url("move", interview), {"slot": slot.pk}, follow=True)

    assert words in page
    assert url("move", interview) not in page
    assert away.url == url("interview", interview)
    assert "It cannot be moved here" in str(next(iter(get_messages(away.wsgi_request))))
    assert "nothing was changed" in refused.content.decode()
    assert Interview.objects.get(pk=interview.pk).slot_id == interview.slot_id


def test_an_old_page_uses_up_no_move(client, candidate):
    """Two windows show the same time; what was chosen in one stays when the other is pressed."""
    interview = InterviewFactory(candidate=candidate, starts_in=timedelta(days=3, minutes=7))
    first = slot_for(interview)
    second = slot_for(interview, starts_at=NOW + timedelta(days=5))
    page = client.get(url("move", interview)).content.decode()
    old = {"shown": interview.starts_at.isoformat()}

    client.post(url("move", interview), {**old, "slot": first.pk})
    late = client.post(url("move", interview), {**old, "slot": second.pk}, follow=True)

    assert f'value="{interview.starts_at.isoformat()}"' in page
    assert "The time has changed meanwhile" in late.content.decode()
    assert Interview.objects.get().slot_id == first.pk
    assert "1 more time" in late.content.decode()


def test_an_old_page_uses_up_no_move_instead_of_cancelling_either(client, candidate):
    interview = InterviewFactory(candidate=candidate)
    slot = slot_for(interview)
    sent = {"slot": slot.pk, "shown": (interview.starts_at - timedelta(days=1)).isoformat()}

    late = client.post(url("move_instead", interview), sent, follow=True)

    assert "The time has changed meanwhile" in late.content.decode()
    assert Interview.objects.get().slot_id == interview.slot_id


# --- declining ------------------------------------------------------------------------------------


def test_declining_says_what_follows_before_and_does_it_after(client, candidate):
    interview = invited(candidate)

    page = client.get(url("decline_invitation", interview)).content.decode()
    response = client.post(
        url("decline_invitation", interview), {"reason": "not_interested"}, follow=True
    )

    assert "nobody has to approve" in page
    assert "Nothing is held against you" in page
    assert "Declined. Thank you" in response.content.decode()
    assert "You have declined this invitation" in response.content.decode()
    assert "You have left this interview" not in response.content.decode()
    assert "Invitation declined" in client.get(reverse("cancellations:mine")).content.decode()
    assert status_of(interview) == "withdrawn"


@pytest.mark.parametrize("sent", [{}, {"reason": "x"}, {"reason": "other"}])
def test_declining_without_a_reason_asks_for_it(client, candidate, sent):
    interview = invited(candidate)

    response = client.post(url("decline_invitation", interview), sent)

    assert response.status_code == 422
    assert status_of(interview) == "invited"


def test_declining_what_was_booked_meanwhile_says_what_to_do(client, candidate):
    interview = InterviewFactory(candidate=candidate)

    response = client.post(url("decline_invitation", interview), {"reason": "no_time"}, follow=True)

    assert "cancel it instead" in response.content.decode()
    assert status_of(interview) == "booked"
    assert not Notification.objects.exists()


# --- HR for a candidate ---------------------------------------------------------------------------


@pytest.mark.parametrize("made", [{"invited": True}, {}], ids=["invited", "booked"])
def test_hr_gives_a_candidate_a_time_whatever_the_rule_says(client, made):
    Policy.objects.filter(is_active=True).update(moves_most=0)
    interview = InterviewFactory(**made, deadline=NOW - timedelta(days=1))
    slot = slot_for(interview)
    recruiter = UserFactory(recruiter=True, departments=[interview.position.department])
    client.force_login(recruiter)

    page = client.get(url("desk_interview", interview)).content.decode()
    times = client.get(url("give_time", interview)).content.decode()
    response = client.post(url("give_time", interview), {"slot": slot.pk})

    assert url("give_time", interview) in page
    assert f'id="slot_{slot.pk}"' in times
    assert response.url == url("desk_interview", interview)
    booked = Interview.objects.get(pk=interview.pk)
    assert (booked.status, booked.slot_id) == ("booked", slot.pk)
    assert booked.history.last().actor == f"user:{recruiter.pk}"


def test_why_an_invitation_was_declined_stands_at_the_desk(client):
    interview = InterviewFactory(invited=True)
    services.decline(
        interview.reference,
        by=interview.candidate.user,
        reason="other",
        detail="I move abroad.",
    )
    department = interview.position.department

    for role, reads in (("recruiter", True), ("viewer", False)):
        client.force_login(UserFactory(departments=[department], **{role: True}))
        page = client.get(url("desk_interview", interview)).content.decode()
        assert "Invitation declined" in page
        assert ("I move abroad." in page) == reads
