"""What platforms are told: written down with what happened, told after it, once."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from cancellations import company
from cancellations.models import Purpose, Reason
from interviews import history
from interviews.models import Interview, Move, Platform, PlatformCall, PlatformLink
from interviews.platforms import http, outbox
from interviews.platforms.base import Refused, Unavailable
from interviews.platforms.models import Difference, Wish
from interviews.services import book_interview, invite, reinstate_interview, withdraw_interview
from notifications.models import WorkItem
from tests.factories import (
    ApplicationFactory,
    InterviewFactory,
    PositionFactory,
    SlotFactory,
    UserFactory,
)
from tests.interviews.platforms import (
    booked_on,
    platform_for,
    position_on,
    tell,
    vendor_listening,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _platforms_are_here(settings):
    settings.WEBHOOK_ALLOW_HTTP = settings.WEBHOOK_ALLOW_PRIVATE = True
    settings.PROVIDER_TIMEOUT = 1
    http.TOKENS._kept.clear()


@pytest.fixture
def there():
    with vendor_listening("birch") as (fake, platform):
        yield fake, platform


def cancel(interview) -> None:
    """The company calls it off."""
    company.cancel_for_company(
        interview.reference,
        by=UserFactory(administrator=True),
        reason=Reason.objects.get(purpose=Purpose.COMPANY, code="hiring_freeze"),
        detail="",
        note="",
    )


@transaction.atomic
def move(interview, *, hours) -> None:
    """To another time, as a service would."""
    locked = Interview.objects.lock(interview.reference)
    locked.starts_at += timedelta(hours=hours)
    locked.ends_at += timedelta(hours=hours)
    locked.save()
    history.record(locked, "moved", by=None)


@transaction.atomic
def reinstate(interview) -> None:
    locked = Interview.objects.lock(interview.reference)
    now = timezone.now()
    reinstate_interview(locked, starts_at=now + timedelta(days=5), at=now)
    history.record(locked, "reinstated", by=None)


def link_of(interview) -> PlatformLink:
    return PlatformLink.objects.get(interview=interview)


def wish_of(interview) -> str:
    return link_of(interview).wanted


# --- Wishes are written down with what happened ---------------------------------------------------


def test_booking_at_a_position_with_a_platform_is_a_wish():
    position = position_on(platform_for())
    application = ApplicationFactory(position=position)
    invited = invite(application, by=None)
    assert not PlatformLink.objects.exists(), "an invitation has no time yet"

    booked = book_interview(invited.reference, SlotFactory(position=position), by=None)

    assert wish_of(booked) == Wish.BOOK


def test_cancelling_moving_and_reinstating_are_wishes():
    interview = booked_on(platform_for())
    seen = []
    for step in (
        lambda: move(interview, hours=2),
        lambda: cancel(interview),
        lambda: reinstate(interview),
    ):
        PlatformLink.objects.update(wanted="", wanted_at=None)
        step()
        seen.append(wish_of(interview))

    assert seen == [Wish.BOOK, Wish.CANCEL, Wish.BOOK]


def test_withdrawing_is_a_wish():
    interview = booked_on(platform_for())
    with transaction.atomic():
        locked = Interview.objects.lock(interview.reference)
        withdraw_interview(locked, at=timezone.now())
        history.record(locked, "withdrawn", by=None)

    assert wish_of(interview) == Wish.CANCEL


def test_what_is_rolled_back_is_no_wish():
    interview = booked_on(platform_for())
    PlatformLink.objects.update(wanted="")
    with transaction.atomic():
        move(interview, hours=2)
        transaction.set_rollback(True)

    assert wish_of(interview) == ""


def test_without_a_platform_nothing_is_asked(django_assert_num_queries):
    interview = InterviewFactory()
    with transaction.atomic():
        locked = Interview.objects.lock(interview.reference)
        with django_assert_num_queries(0):
            outbox.mark(_entries(locked))

    assert not PlatformLink.objects.exists()


def _entries(interview):
    return [history.HistoryEntry(interview=interview, event="booked", data={"status": "booked"})]


def test_of_interviews_that_know_only_themselves_one_statement_finds_out(
    django_assert_num_queries,
):
    here, elsewhere = booked_on(platform_for()), InterviewFactory()
    PlatformLink.objects.all().delete()
    bare = list(Interview.objects.filter(pk__in=[here.pk, elsewhere.pk]))

    with django_assert_num_queries(1):
        outbox.mark([entry for each in bare for entry in _entries(each)])

    assert [link.interview_id for link in PlatformLink.objects.all()] == [here.pk]


@pytest.mark.parametrize("event", ["work_opened", "work_reminded", "imported"])
def test_what_changes_nothing_about_the_appointment_is_no_wish(event):
    interview = booked_on(platform_for())
    PlatformLink.objects.update(wanted="")

    history.record(interview, event, by=None)

    assert wish_of(interview) == ""


def test_on_site_interviews_are_not_told():
    booked_on(platform_for(), kind="on_site")

    assert not PlatformLink.objects.exists()


def test_worker_is_told_after_the_commit(django_capture_on_commit_callbacks, monkeypatch):
    published = []
    monkeypatch.setattr(outbox, "publish", published.append)
    platform = platform_for()

    with django_capture_on_commit_callbacks(execute=True):
        booked_on(platform)
        assert published == []

    assert published == [platform.pk]


# --- and told ------------------------------------------------------------------------------------


def test_platform_holds_what_happened(there):
    fake, platform = there
    interview = booked_on(platform)

    assert tell(platform) == 1
    booked = fake.by_reference(interview.reference)
    assert abs(booked.starts_at - interview.starts_at) < timedelta(seconds=1)
    move(interview, hours=3)
    tell(platform)
    assert booked.starts_at > interview.starts_at + timedelta(hours=2)
    cancel(interview)
    tell(platform)
    assert booked.standing == "cancelled"
    reinstate(interview)
    tell(platform)

    assert fake.by_reference(interview.reference).id != booked.id
    assert fake.by_reference(interview.reference).standing == "booked"
    link = link_of(interview)
    assert (link.wanted, link.external_status) == ("", "booked")
    assert link.told_at
    assert [call.operation for call in PlatformCall.objects.order_by("pk")] == [
        "create",
        "move",
        "cancel",
        "create",
    ]


def test_link_they_give_is_where_the_candidate_goes(there):
    fake, platform = there
    interview = booked_on(platform, link="")

    tell(platform)

    assert (
        Interview.objects.get(pk=interview.pk).link == fake.by_reference(interview.reference).link
    )


def test_only_the_newest_wish_is_sent(there):
    fake, platform = there
    interview = booked_on(platform)
    move(interview, hours=1)
    cancel(interview)

    tell(platform)

    assert fake.requests == []
    assert wish_of(interview) == ""


def test_wish_that_changed_meanwhile_is_told_as_well(there):
    fake, platform = there
    interview = booked_on(platform)
    telling = outbox.claim(platform.pk, timezone.now())
    move(interview, hours=2)

    outbox.finish(platform.pk, telling, outbox.ask(_adapter(platform), telling))
    assert wish_of(interview) == Wish.BOOK
    tell(platform)

    held = fake.by_reference(interview.reference)
    assert held.starts_at > interview.starts_at + timedelta(hours=1)
    assert len(fake.held) == 1


def _adapter(platform):
    from interviews.platforms import adapters

    return adapters.http_adapter(platform)


def test_create_that_arrived_without_an_answer_is_not_doubled(there):
    fake, platform = there
    interview = booked_on(platform)
    telling = outbox.claim(platform.pk, timezone.now())
    outbox.ask(_adapter(platform), telling)  # arrives; the worker dies before it writes that down
    PlatformLink.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))

    tell(platform)

    assert len(fake.held) == 1
    assert link_of(interview).external_id == fake.by_reference(interview.reference).id


def test_claimed_wish_is_left_alone_until_the_lease_ends(there):
    _fake, platform = there
    booked_on(platform)
    assert outbox.claim(platform.pk, timezone.now())

    assert outbox.claim(platform.pk, timezone.now()) is None
    assert outbox.claim(platform.pk, timezone.now() + timedelta(hours=1))


def test_result_after_the_lease_has_gone_to_somebody_else_is_dropped(there):
    _fake, platform = there
    interview = booked_on(platform)
    first = outbox.claim(platform.pk, timezone.now())
    outbox.claim(platform.pk, timezone.now() + timedelta(hours=1))

    outbox.finish(platform.pk, first, outbox.ask(_adapter(platform), first))

    assert link_of(interview).external_id == ""


def test_several_are_told_side_by_side(there):
    fake, platform = there
    fake.faults, fake.slowness = {"slow": 1}, 0.4
    position = position_on(platform)
    for _ in range(8):
        booked_on(platform, position=position)

    assert tell(platform) == 8

    assert fake.most_at_once == outbox.AT_ONCE
    assert len(fake.held) == 8


def test_switched_off_platform_waits(there):
    _fake, platform = there
    booked_on(platform)
    Platform.objects.update(is_active=False)

    assert tell(platform) == 0
    assert outbox.waiting_platforms() == []
    Platform.objects.update(is_active=True)
    assert outbox.waiting_platforms() == [platform.pk]


# --- A platform that does not take it ------------------------------------------------------------


def test_failed_try_waits_longer_each_time(there):
    fake, platform = there
    interview = booked_on(platform)
    fake.faults = {"error": 1}
    waits = []
    for _ in range(4):
        before = timezone.now()
        Platform.objects.update(rests_until=None)
        PlatformLink.objects.update(not_before=before)
        tell(platform)
        waits.append(round((link_of(interview).not_before - before).total_seconds(), -1))

    assert waits == [10, 60, 300, 1800]
    assert link_of(interview).error_code == "http_500"
    assert link_of(interview).wanted == Wish.BOOK
    fake.faults = {}
    outbox.hurry(platform.pk)
    tell(platform)
    assert wish_of(interview) == ""


def test_breaker_opens_after_some_failures_and_closes_with_one_success(there):
    fake, platform = there
    position = position_on(platform)
    for _ in range(10):
        booked_on(platform, position=position)
    fake.faults = {"error": 1}

    tell(platform)

    asked = len(fake.requests)
    platform.refresh_from_db()
    assert asked < 10
    assert platform.rests
    assert tell(platform) == 0, "nothing is called while it rests"
    assert len(fake.requests) == asked
    fake.faults = {}
    outbox.hurry(platform.pk)
    assert tell(platform) == 10
    platform.refresh_from_db()
    assert (platform.failures, platform.rests_until) == (0, None)


def test_rest_grows_up_to_a_bound():
    platform, now = platform_for(), timezone.now()
    rests = []
    for _ in range(12):
        outbox.count(platform.pk, Unavailable("timeout"), now)
        platform.refresh_from_db()
        rests.append((platform.rests_until - now).total_seconds() if platform.rests_until else 0)

    assert rests[:5] == [0, 0, 30, 60, 120]
    assert rests[-1] == 900
    outbox.count(platform.pk, Refused("http_422"), now)
    platform.refresh_from_db()
    assert (platform.failures, platform.rests_until) == (0, None)


def test_platform_that_says_when_to_come_back_is_left_alone_until_then():
    platform, now = platform_for(), timezone.now()

    outbox.count(platform.pk, Unavailable("http_429", 429, rest=90), now)

    platform.refresh_from_db()
    assert platform.rests_until == now + timedelta(seconds=90)


def test_refused_appointment_is_put_before_hr_and_closes_itself(there):
    fake, platform = there
    interview = booked_on(platform)
    fake.create = _refuse

    tell(platform)

    item = WorkItem.objects.get()
    assert (item.kind, item.params["code"]) == ("anomaly", Difference.REFUSED)
    assert item.audience == interview.position.department.audience
    assert item.closed_at is None
    assert link_of(interview).difference == Difference.REFUSED
    del fake.create
    outbox.hurry(platform.pk)
    tell(platform)
    item.refresh_from_db()
    assert item.closed_by == "system"
    assert link_of(interview).difference == ""


def _refuse(*args, **kwargs):
    from config.fake_platform import Conflict

    raise Conflict


def test_what_is_gone_there_is_not_called_off_again(there):
    fake, platform = there
    interview = booked_on(platform)
    tell(platform)
    fake.held.clear()
    cancel(interview)

    tell(platform)

    link = link_of(interview)
    assert (link.wanted, link.external_status, link.error_code) == ("", "cancelled", "")


def test_what_is_gone_there_is_made_anew_when_it_moves(there):
    fake, platform = there
    interview = booked_on(platform)
    tell(platform)
    fake.held.clear()
    move(interview, hours=2)

    tell(platform)

    assert fake.by_reference(interview.reference).standing == "booked"


def test_mapping_that_a_hand_has_spoilt_hurts_nobody_else(there):
    fake, platform = there
    booked_on(platform)
    Platform.objects.update(mapping={})

    assert tell(platform) == 0
    platform.refresh_from_db()
    assert platform.failures == 1
    assert fake.requests == []


def test_corrected_by_hand_is_told_as_well(there):
    fake, platform = there
    interview = booked_on(platform)
    tell(platform)
    company.correct_interview(
        interview.reference,
        by=UserFactory(administrator=True),
        move=Move.WITHDRAW,
        expected="booked",
        reason="They called us.",
    )

    tell(platform)

    assert fake.by_reference(interview.reference).standing == "cancelled"


def test_position_that_leaves_its_platform_keeps_what_is_booked_there(there):
    _fake, platform = there
    interview = booked_on(platform)
    tell(platform)
    interview.position.platform = None
    interview.position.save()

    assert link_of(interview).platform == platform
    assert PositionFactory().platform is None
