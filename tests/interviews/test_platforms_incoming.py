"""What platforms tell us: let in only when it is theirs and of today, counted once, followed in the
order in which it happened."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from cancellations import consistency, queries
from cancellations.models import Cancellation, Policy
from candidates.models import FileEntry
from config.fake_platform import Booked, FakePlatform
from interviews import history
from interviews.models import Interview, Platform, PlatformEvent, PlatformLink
from interviews.platforms import incoming, outbox, services
from interviews.platforms.models import Difference
from interviews.room.models import Ending, RoomEvent, Sitting
from notifications import rendering
from notifications.models import Notification, WorkItem
from tests.factories import CancellationFactory, WorkItemFactory
from tests.interviews.platforms import WEBHOOK_SECRET, booked_on, platform_for

pytestmark = pytest.mark.django_db
both = pytest.mark.parametrize("vendor", ["alder", "birch"])
NOW = timezone.now().replace(microsecond=0)


class Vendor:
    """What a platform would send, signed as it would sign it."""

    def __init__(self, client, vendor="alder"):
        self.client = client
        self.platform = platform_for(vendor)
        self.fake = FakePlatform(vendor)
        self.fake._server.server_close()
        self.fake.webhook_secret = WEBHOOK_SECRET
        self.address = reverse("interviews:platform_events", args=[vendor])
        self.number = 0

    def interview(self, external_id="ext-1", **given) -> Interview:
        """Booked, and known over there."""
        interview = booked_on(self.platform, **given)
        PlatformLink.objects.update_or_create(
            interview=interview,
            defaults={
                "platform": self.platform,
                "external_id": external_id,
                "external_status": "booked",
                "wanted": "",
            },
        )
        return interview

    def event(
        self, what, *, at=None, id="", external_id="ext-1", scores=None, reference="", cause=""
    ) -> bytes:
        self.number += 1
        standing = "booked" if what in {"scores", "error"} else what
        booked = Booked(external_id, reference, NOW, standing, scores or {})
        event_id = id or f"e{self.number}"
        return json.dumps(
            self.fake.vendor.event(event_id, what, booked, at or timezone.now(), cause)
        ).encode()

    def post(self, body, *, signed_at=None, headers=None):
        headers = self.fake.signed(body, at=signed_at) if headers is None else headers
        kind = headers.pop("Content-Type", "application/json")
        return self.client.post(self.address, body, content_type=kind, headers=headers)

    def tells(self, what, **given) -> str:
        """What became of it."""
        response = self.post(self.event(what, **given))
        assert response.status_code == 200, response.content
        return response.json()["outcome"]


@pytest.fixture
def vendor(client):
    return Vendor(client)


def now_of(interview) -> Interview:
    return Interview.objects.get(pk=interview.pk)


def events_of(interview) -> list[str]:
    return list(interview.history.order_by("sequence").values_list("event", flat=True))


def link_of(interview) -> PlatformLink:
    return PlatformLink.objects.get(interview=interview)


# --- An interview that goes well, and others ------------------------------------------------------


@both
def test_interview_follows_what_happens_there(client, vendor):
    vendor = Vendor(client, vendor)
    interview = vendor.interview()

    assert vendor.tells("started", at=NOW - timedelta(minutes=30)) == "followed"
    assert now_of(interview).status == "in_progress"
    assert vendor.tells("completed", at=NOW) == "followed"
    assert now_of(interview).status == "completed"
    assert vendor.tells("scores", at=NOW, scores={"total": 88.5}) == "noted"

    assert now_of(interview).ended_at == NOW
    assert link_of(interview).scores == {"total": 88.5}
    assert link_of(interview).heard_at
    assert events_of(interview) == ["booked", "started", "completed"]
    last = interview.history.get(event="completed")
    assert (last.actor, last.data["platform"]) == ("system", vendor.platform.slug)
    assert not list(history.verify(Interview.objects.all()))
    sitting = Sitting.objects.get()
    assert (sitting.ending, sitting.entered_at) == (Ending.COMPLETED, NOW - timedelta(minutes=30))
    assert FileEntry.objects.get().scores == {"total": 88.5}


def test_end_without_a_beginning_takes_every_step(vendor):
    interview = vendor.interview(starts_in=timedelta(minutes=-20))

    assert vendor.tells("completed") == "followed"

    assert events_of(interview) == ["booked", "started", "completed"]
    assert now_of(interview).status == "completed"


def test_ended_early_is_incomplete(vendor):
    interview = vendor.interview()
    vendor.tells("started")

    vendor.tells("incomplete")

    assert now_of(interview).status == "incomplete"
    assert interview.history.get(event="lapsed").data["ending"] == Ending.DROPPED


def leaves(vendor, *, minutes=20, **given):
    """They come, and leave so many minutes later."""
    vendor.tells("started", at=NOW - timedelta(minutes=minutes))
    return vendor.tells("exited", at=NOW, **given)


def test_left_in_the_middle_is_an_exit_like_any_other(vendor):
    interview = vendor.interview()
    slot = interview.slot

    assert leaves(vendor) == "followed"

    assert now_of(interview).status == "withdrawn"
    assert now_of(interview).slot is None
    slot.refresh_from_db()
    assert slot.booked == 0
    left = Cancellation.objects.get()
    assert (left.status, left.is_exit, left.reason.code) == ("approved", True, "on_platform")
    assert left.requested_by == interview.candidate.user
    assert left.requested_at == left.decided_at == NOW
    assert left.evidence["platform"] == vendor.platform.slug
    assert queries.receipt(left.reference).verified
    entries = list(interview.history.order_by("-sequence")[:2])
    assert [each.event for each in entries] == ["withdrawn", "exit_requested"]
    assert {each.data["platform"] for each in entries} == {vendor.platform.slug}
    assert Sitting.objects.get().ending == Ending.EXITED
    assert FileEntry.objects.get().reason == "on_platform"
    for event in ("exit_done", "candidate_left", "position_exit"):
        assert Notification.objects.filter(event=event).exists(), event
    assert link_of(interview).wanted == ""
    assert not list(consistency.check())


def test_exit_is_told_without_a_count_that_nobody_knows(vendor):
    vendor.interview()
    leaves(vendor)

    for told in Notification.objects.filter(event__in=["exit_done", "candidate_left"]):
        for language in ("en", "zh-hans"):
            told.language = language
            text = rendering.render(told).body
            assert "0 of 0" not in text
            assert "0 / 0" not in text
            assert "0/0" not in text


def test_cooldown_of_the_policy_follows_an_exit(vendor):
    Policy.objects.update(cooldown_days=30)
    vendor.interview()

    leaves(vendor)

    assert Cancellation.objects.get().cooldown_until == NOW + timedelta(days=30)


def test_no_cooldown_after_a_fault_of_the_platform(vendor):
    Policy.objects.update(cooldown_days=30)
    vendor.interview()
    vendor.tells("started", at=NOW - timedelta(minutes=20))
    vendor.tells("error", at=NOW - timedelta(minutes=1))

    vendor.tells("exited", at=NOW)

    assert Cancellation.objects.get().cooldown_until is None


def test_nobody_is_asked_about_what_is_over_there(vendor):
    hr = "needs_hr"
    Policy.objects.update(exit_introduction=hr, exit_professional=hr, exit_closing=hr)
    interview = vendor.interview()

    leaves(vendor)

    assert now_of(interview).status == "withdrawn"
    assert not WorkItem.objects.exists()


def test_false_start_is_booked_again_and_made_anew_there(vendor):
    interview = vendor.interview(starts_in=timedelta(minutes=-2))

    assert leaves(vendor, minutes=2) == "followed"

    assert now_of(interview).status == "booked"
    assert now_of(interview).slot == interview.slot
    assert events_of(interview)[-1] == "misstarted"
    assert Sitting.objects.get().ending == Ending.MISSTART
    assert not FileEntry.objects.exists()
    assert not Cancellation.objects.exists()
    assert link_of(interview).wanted == "book"
    assert outbox.claim(vendor.platform.pk, timezone.now()).request == "create"


def test_who_scored_has_not_begun_by_mistake(vendor):
    interview = vendor.interview()

    leaves(vendor, minutes=2, scores={"total": 12})

    assert now_of(interview).status == "withdrawn"


def test_false_start_that_is_heard_of_too_late_is_held_against_nobody(vendor):
    interview = vendor.interview(starts_in=timedelta(hours=-3))
    begun = interview.starts_at

    vendor.tells("started", at=begun)
    vendor.tells("exited", at=begun + timedelta(minutes=1))

    assert now_of(interview).status == "incomplete"
    assert Sitting.objects.get().ending == Ending.MISSTART
    assert not Cancellation.objects.exists()
    assert link_of(interview).wanted == ""


@both
@pytest.mark.parametrize(
    ("told", "status", "ending"),
    [
        ([("exited", 2)], "booked", Ending.MISSTART),
        ([("exited", 20)], "withdrawn", Ending.EXITED),
        ([("incomplete", 20)], "incomplete", Ending.DROPPED),
        ([("incomplete", 20, "dropped")], "incomplete", Ending.DROPPED),
        ([("incomplete", 20, "closed")], "incomplete", Ending.CLOSED),
        ([("incomplete", 20, "platform_fault")], "incomplete", Ending.PLATFORM_FAULT),
        ([("error", 19), ("incomplete", 20, "closed")], "incomplete", Ending.PLATFORM_FAULT),
    ],
)
def test_endings_are_told_apart(client, vendor, told, status, ending):
    vendor = Vendor(client, vendor)
    interview = vendor.interview(starts_in=timedelta(minutes=-20))
    begun = NOW - timedelta(minutes=20)
    vendor.tells("started", at=begun)

    for what, minutes, *cause in told:
        vendor.tells(what, at=begun + timedelta(minutes=minutes), cause=(cause or [""])[0])

    assert now_of(interview).status == status
    assert Sitting.objects.get().ending == ending
    assert Cancellation.objects.exists() is (status == "withdrawn")


@both
def test_who_never_came_is_a_no_show(client, vendor):
    vendor = Vendor(client, vendor)
    interview = vendor.interview(starts_in=timedelta(hours=-1))

    assert vendor.tells("missed") == "followed"

    assert now_of(interview).status == "no_show"
    assert interview.history.get(event="missed").data["platform"] == vendor.platform.slug
    assert not Sitting.objects.exists()


def test_who_waits_for_an_answer_is_no_no_show(vendor):
    cancellation = CancellationFactory(interview__position__platform=vendor.platform)
    PlatformLink.objects.create(
        interview=cancellation.interview,
        platform=vendor.platform,
        external_id="ext-1",
        external_status="booked",
    )

    assert vendor.tells("missed") == "agreed"

    assert now_of(cancellation.interview).status == "cancelling"


def test_what_was_moved_meanwhile_is_no_no_show(vendor):
    interview = vendor.interview(starts_in=timedelta(hours=3))

    vendor.tells("missed")

    assert now_of(interview).status == "booked"
    assert link_of(interview).wanted == "book"
    assert outbox.claim(vendor.platform.pk, timezone.now()).request == "create"


def test_what_failed_there_is_no_no_show(vendor):
    interview = vendor.interview(starts_in=timedelta(hours=-1))
    vendor.tells("error", at=NOW - timedelta(minutes=30))

    assert vendor.tells("missed", at=NOW) == "differs"

    assert now_of(interview).status == "booked"
    assert link_of(interview).difference == Difference.FAILED
    assert WorkItem.objects.get().params["code"] == Difference.FAILED


def test_fault_of_the_platform_is_evidence_and_never_the_candidates(vendor):
    interview = vendor.interview()
    vendor.tells("started")

    assert vendor.tells("error") == "noted"
    assert now_of(interview).status == "in_progress"
    vendor.tells("incomplete")

    assert RoomEvent.objects.get(kind="platform_error").detail == {"code": "media_server_down"}
    assert Sitting.objects.get().ending == Ending.PLATFORM_FAULT
    assert FileEntry.objects.get().ending == Ending.PLATFORM_FAULT


def test_fault_before_anybody_came_in_stays_with_the_event(vendor):
    interview = vendor.interview()

    assert vendor.tells("error") == "noted"

    assert now_of(interview).status == "booked"
    assert PlatformEvent.objects.get().body == {"kind": "error", "error": "media_server_down"}
    assert not Sitting.objects.exists()


def test_coming_takes_back_a_request_that_waits(vendor):
    cancellation = CancellationFactory(interview__position__platform=vendor.platform)
    interview = cancellation.interview
    PlatformLink.objects.create(
        interview=interview, platform=vendor.platform, external_id="ext-1", external_status="booked"
    )

    assert vendor.tells("started") == "followed"

    assert Cancellation.objects.get().status == "lapsed"
    assert now_of(interview).status == "in_progress"


# --- Not theirs, not of today, not an event -------------------------------------------------------


@pytest.fixture
def nothing_happens(vendor):
    interview = vendor.interview()
    yield interview
    assert now_of(interview).status == "booked"
    assert not PlatformEvent.objects.exists()


def refused(response, status, code):
    assert (response.status_code, response.json()) == (status, {"error": code})


def test_forged_is_refused(vendor, nothing_happens):
    body = vendor.event("started")
    headers = vendor.fake.signed(body, secret="guessed")

    refused(vendor.post(body, headers=headers), 401, "forged")


def test_changed_on_the_way_is_refused(vendor, nothing_happens):
    body = vendor.event("started")
    headers = vendor.fake.signed(body)

    refused(vendor.post(body + b" ", headers=headers), 401, "forged")


@pytest.mark.parametrize("headers", [{}, {"Alder-Signature": "v1=00"}, {"Alder-Signature": "é"}])
def test_unsigned_is_refused(vendor, nothing_happens, headers):
    refused(vendor.post(vendor.event("started"), headers=dict(headers)), 401, "unsigned")


@pytest.mark.parametrize("seconds", [-301, 301, -86400])
def test_signed_too_long_ago_or_too_early_is_refused(vendor, nothing_happens, seconds):
    body = vendor.event("started")

    refused(vendor.post(body, signed_at=time.time() + seconds), 401, "stale")


def test_secret_of_nobody_opens_nothing(vendor, nothing_happens):
    Platform.objects.update(webhook_secret="")
    body = vendor.event("started")
    headers = vendor.fake.vendor.signature(body, "", int(time.time()))

    refused(vendor.post(body, headers=headers), 401, "forged")


def test_tomorrow_is_refused(vendor, nothing_happens):
    body = vendor.event("started", at=timezone.now() + timedelta(days=1))

    refused(vendor.post(body), 400, "in_the_future")


def test_their_clock_may_be_a_little_ahead(vendor):
    vendor.interview()

    assert vendor.tells("started", at=timezone.now() + timedelta(minutes=4)) == "followed"


@pytest.mark.parametrize(
    "body",
    [b"<!doctype html><title>Gateway</title>", b"", b"\xff\xfe", b"[" * 40000, b'{"a": NaN'],
    ids=["html", "empty", "no text", "nested", "cut off"],
)
def test_what_is_not_json_is_refused(vendor, nothing_happens, body):
    refused(vendor.post(body), 400, "not_json")


@pytest.mark.parametrize(
    ("body", "missing"),
    [
        (b"[]", "id"),
        (b"null", "id"),
        (b'{"id": {"x": 1}}', "id"),
        (b'{"id": "e\\u0000"}', "id"),
        (b'{"id": "e1"}', "occurred_at"),
        (b'{"id": "e1", "occurred_at": "yesterday"}', "occurred_at"),
        (b'{"id": "e1", "occurred_at": "0001-01-01T00:00:00Z"}', "occurred_at"),
    ],
)
def test_json_that_is_no_event_is_refused(vendor, nothing_happens, body, missing):
    refused(vendor.post(body), 400, f"missing:{missing}")


def test_one_megabyte_is_refused(vendor, nothing_happens):
    body = b'{"id": "' + b"x" * 1024 * 1024 + b'"}'

    refused(vendor.post(body), 413, "too_large")


def test_unknown_platform_is_not_there(client, vendor, nothing_happens):
    assert client.post(reverse("interviews:platform_events", args=["oak"])).status_code == 404


def test_switched_off_platform_is_not_there(vendor, nothing_happens):
    services.switch(vendor.platform.pk, on=False)

    assert vendor.post(vendor.event("started")).status_code == 404


def test_mapping_without_events_lets_nothing_in(vendor, nothing_happens):
    Platform.objects.update(mapping={**vendor.platform.mapping, "events": None})
    assert vendor.post(vendor.event("started")).status_code == 503
    mapping = {k: v for k, v in vendor.platform.mapping.items() if k != "events"}
    Platform.objects.update(mapping=mapping)

    refused(vendor.post(vendor.event("started")), 404, "no_events")


def test_only_posting_is_possible(client, vendor):
    assert client.get(vendor.address).status_code == 405


def test_type_that_the_mapping_does_not_name_is_let_pass(vendor):
    interview = vendor.interview()
    event = json.loads(vendor.event("started")) | {"type": "interview.rescheduled"}

    response = vendor.post(json.dumps(event).encode())

    assert (response.status_code, response.json()) == (200, {"outcome": "ignored"})
    assert now_of(interview).status == "booked"


def test_last_refusal_is_written_down_now_and_then(vendor):
    for _ in range(3):
        vendor.post(b"{}", headers={})
    vendor.platform.refresh_from_db()
    first = vendor.platform.refused_at

    assert vendor.platform.refused_code == "unsigned"
    vendor.post(b"{}", headers={})
    vendor.platform.refresh_from_db()
    assert vendor.platform.refused_at == first
    vendor.post(b"[]")
    vendor.platform.refresh_from_db()
    assert vendor.platform.refused_code == "missing:id"


def test_both_secrets_count_while_one_replaces_the_other(vendor):
    vendor.interview()
    platform = services.rotate_webhook_secret(vendor.platform.pk)
    assert platform.webhook_secret != WEBHOOK_SECRET

    assert vendor.tells("started") == "followed"
    vendor.fake.webhook_secret = platform.webhook_secret
    assert vendor.tells("completed") == "followed"
    Platform.objects.update(previous_until=timezone.now())
    vendor.fake.webhook_secret = WEBHOOK_SECRET
    refused(vendor.post(vendor.event("scores")), 401, "forged")


# --- Once, and in order ---------------------------------------------------------------------------


def test_repeated_event_counts_once(vendor):
    interview = vendor.interview()
    body = vendor.event("started", id="same")

    outcomes = [vendor.post(body).json()["outcome"] for _ in range(3)]

    assert outcomes == ["followed"] * 3
    assert PlatformEvent.objects.count() == 1
    assert events_of(interview) == ["booked", "started"]


def test_same_id_with_other_content_changes_nothing(vendor):
    interview = vendor.interview()
    vendor.tells("started", id="same")

    vendor.tells("completed", id="same")

    assert now_of(interview).status == "in_progress"


@pytest.mark.parametrize("order", [(1, 0, 2), (2, 1, 0), (1, 2, 0), (0, 2, 1), (2, 0, 1)])
def test_order_of_arrival_does_not_matter(vendor, order):
    interview = vendor.interview(starts_in=timedelta(minutes=-30))
    told = [
        {"what": "started", "at": NOW - timedelta(minutes=20)},
        {"what": "completed", "at": NOW - timedelta(minutes=2), "scores": {"total": 80}},
        {"what": "scores", "at": NOW - timedelta(minutes=1), "scores": {"total": 81}},
    ]

    for number in order:
        vendor.tells(**told[number])

    assert now_of(interview).status == "completed"
    assert now_of(interview).ended_at == NOW - timedelta(minutes=2)
    assert link_of(interview).scores == {"total": 81}
    assert link_of(interview).difference == ""
    assert not list(history.verify(Interview.objects.all()))


@both
def test_at_the_same_second_an_end_outweighs_a_beginning(client, vendor):
    vendor = Vendor(client, vendor)
    interview = vendor.interview()

    vendor.tells("completed", at=NOW)
    assert vendor.tells("started", at=NOW) == "late"

    assert now_of(interview).status == "completed"
    assert link_of(interview).difference == ""


def test_late_beginning_after_their_list_told_of_the_end_moves_nothing(vendor):
    interview = vendor.interview(status="completed")
    PlatformLink.objects.update(external_status="completed", heard_at=timezone.now())

    assert vendor.tells("started", at=NOW - timedelta(minutes=30)) == "late"

    assert link_of(interview).difference == ""


def test_unknown_interview_is_kept_until_we_know_whose_it_is(vendor):
    assert vendor.tells("started", external_id="nobody's") == "unknown"
    interview = vendor.interview(external_id="nobody's")

    assert incoming.replay_unknown(vendor.platform, ["nobody's"]) == 1

    assert now_of(interview).status == "in_progress"
    assert PlatformEvent.objects.get().outcome == "followed"


def test_interview_is_known_by_our_reference_where_the_answer_was_lost(vendor):
    interview = vendor.interview(external_id="")

    outcome = vendor.tells("started", external_id="ext-9", reference=interview.reference)

    assert outcome == "followed"
    assert link_of(interview).external_id == "ext-9"


def test_appointment_that_was_replaced_moves_nothing(vendor):
    interview = vendor.interview(external_id="ext-2")

    outcome = vendor.tells("cancelled", external_id="ext-1", reference=interview.reference)

    assert outcome == "unknown"
    assert link_of(interview).external_id == "ext-2"


def test_platforms_know_nothing_of_each_others_interviews(client):
    alder, birch = Vendor(client, "alder"), Vendor(client, "birch")
    interview = alder.interview()

    assert birch.tells("started") == "unknown"

    assert now_of(interview).status == "booked"


# --- What does not fit ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "what", "difference"),
    [
        ("cancelled", "started", Difference.GOES_ON),
        ("cancelled", "completed", Difference.TOOK_PLACE),
        ("no_show", "completed", Difference.TOOK_PLACE),
        ("no_show", "incomplete", Difference.ENDED),
        ("completed", "exited", Difference.LEFT),
        ("booked", "cancelled", Difference.CANCELLED),
    ],
)
def test_what_does_not_fit_is_put_before_hr_once(vendor, status, what, difference):
    interview = vendor.interview(status=status)

    assert vendor.tells(what) == "differs"

    assert now_of(interview).status == status
    assert link_of(interview).difference == difference
    item = WorkItem.objects.get()
    assert (item.subject, item.params) == (
        interview.subject,
        {"code": difference, "platform": "alder"},
    )
    assert item.audience == interview.position.department.audience
    assert events_of(interview)[-1] == "work_opened"


def test_difference_closes_itself_when_it_is_gone(vendor):
    interview = vendor.interview()
    vendor.tells("cancelled")
    assert WorkItem.objects.open().count() == 1

    vendor.tells("started")

    assert now_of(interview).status == "in_progress"
    assert link_of(interview).difference == ""
    assert WorkItem.objects.get().closed_by == "system"


def test_anomaly_of_another_sort_is_left_alone(vendor):
    interview = vendor.interview()
    other = WorkItemFactory(interview=interview, kind="anomaly", params={"code": "time_differs"})
    vendor.tells("cancelled")
    vendor.tells("started")

    other.refresh_from_db()
    assert other.closed_at is None
    assert WorkItem.objects.count() == 1


# --- Scores ---------------------------------------------------------------------------------------


def test_scores_that_are_no_numbers_are_left_out(vendor):
    interview = vendor.interview()
    scores = {"total": "88.5", "note": "brilliant", "x": float("inf"), "deep": {"a": 1}, "y": True}

    vendor.tells("scores", scores=scores)

    assert link_of(interview).scores == {"total": 88.5}


def test_nothing_but_what_the_mapping_names_is_kept(vendor):
    vendor.interview()
    event = json.loads(vendor.event("completed", scores={"total": 1}))
    event["interview"]["candidate"] = {"name": "欧阳娜娜"}

    vendor.post(json.dumps(event).encode())

    assert PlatformEvent.objects.get().body == {"kind": "completed", "scores": {"total": 1.0}}


# --- Two at once ----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_same_event_twice_at_once_counts_once(client):
    vendor = Vendor(client)
    interview = vendor.interview()
    body = vendor.event("started", id="same")
    headers = vendor.fake.signed(body)
    both_are_here = Barrier(2)

    def post(_number):
        both_are_here.wait(10)
        try:
            return incoming.receive("alder", body, headers)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(post, range(2)))

    assert outcomes == ["followed", "followed"]
    assert events_of(interview) == ["booked", "started"]


@pytest.mark.django_db(transaction=True)
def test_beginning_and_end_at_once_end_as_completed(client):
    vendor = Vendor(client)
    interview = vendor.interview(starts_in=timedelta(minutes=-30))
    bodies = [
        vendor.event("started", at=NOW - timedelta(minutes=20)),
        vendor.event("completed", at=NOW - timedelta(minutes=1)),
    ]
    both_are_here = Barrier(2)

    def post(body):
        both_are_here.wait(10)
        try:
            return incoming.receive("alder", body, vendor.fake.signed(body))
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(post, bodies))

    assert now_of(interview).status == "completed"
    assert link_of(interview).difference == ""
