"""One pass over both lists: what differs is repaired where one side is plainly right, and put
before HR where not."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cancellations.models import Cancellation, Policy
from interviews import history
from interviews.jobs import run_job
from interviews.models import Interview, JobState, Platform, PlatformEvent, PlatformLink
from interviews.platforms import adapters, agreement, http, jobs, outbox, reconcile
from interviews.platforms.base import Held, Standing
from interviews.platforms.models import Difference, Outcome
from interviews.platforms.reconcile import Found
from interviews.states import ENDED, InterviewStatus
from interviews.tasks import reconcile_platform, reconcile_platforms
from notifications.models import WorkItem
from tests.factories import InterviewFactory, UserFactory, WorkItemFactory
from tests.interviews.platforms import (
    booked_on,
    platform_for,
    reconciled,
    tell,
    vendor_listening,
)
from tests.interviews.test_platforms_outbox import cancel, move, reinstate

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _platforms_are_here(settings, monkeypatch):
    settings.WEBHOOK_ALLOW_HTTP = settings.WEBHOOK_ALLOW_PRIVATE = True
    settings.PROVIDER_TIMEOUT = 1
    monkeypatch.setattr(http, "PAUSES", (0.01, 0.01))
    http.TOKENS._kept.clear()


@pytest.fixture(params=["alder", "birch"])
def there(request):
    with vendor_listening(request.param) as (fake, platform):
        yield fake, platform


@pytest.fixture
def alder():
    with vendor_listening("alder") as (fake, platform):
        yield fake, platform


def told(fake, platform, **given):
    """An interview that both sides know."""
    interview = booked_on(platform, **given)
    tell(platform)
    return interview, fake.by_reference(interview.reference)


def status_of(interview) -> str:
    return Interview.objects.get(pk=interview.pk).status


def link_of(interview) -> PlatformLink:
    return PlatformLink.objects.get(interview=interview)


# --- The verdicts ---------------------------------------------------------------------------------


def test_every_pair_of_states_has_one_verdict():
    told_apart = {}
    for status in InterviewStatus:
        for standing in Standing:
            verdict = agreement.verdict(status, None, Held("x", standing=standing))
            chosen = [verdict.follow, verdict.tell, verdict.difference]
            assert sum(each is not None for each in chosen) <= 1
            told_apart[status, standing] = verdict
    for status in ENDED:
        assert told_apart[status, Standing.BOOKED].tell == "cancel"
        assert told_apart[status, Standing.CANCELLED].agrees
        assert told_apart[status, Standing.STARTED].difference == Difference.GOES_ON
    assert not told_apart["no_show", Standing.ERROR].agrees, "a fault of theirs is no no-show"
    assert not told_apart["no_show", Standing.INCOMPLETE].agrees, "who began has come"


@pytest.mark.parametrize(("seconds", "moves"), [(0, False), (59, False), (60, True), (-60, True)])
def test_time_differs_from_a_minute_on(seconds, moves):
    now = timezone.now()
    held = Held("x", standing=Standing.BOOKED, starts_at=now + timedelta(seconds=seconds))

    assert (agreement.verdict("booked", now, held).tell == "book") is moves


# --- Repairs --------------------------------------------------------------------------------------


def test_what_agrees_is_left_alone(there):
    fake, platform = there
    told(fake, platform)
    before = PlatformLink.objects.values().get()
    fake.requests.clear()

    assert not reconciled(platform)

    assert PlatformLink.objects.values().get() == before
    assert {method for method, _path in fake.requests} <= {"GET"}
    assert Platform.objects.get().reconciled_at


def test_lost_end_is_followed(there):
    fake, platform = there
    interview, booked = told(fake, platform)
    fake.happen(booked, "completed", {"total": 90})

    assert reconciled(platform) == {Found.FOLLOWED: 1}

    assert status_of(interview) == "completed"
    assert link_of(interview).scores == {"total": 90}
    assert interview.history.latest("sequence").data["platform"] == platform.slug
    assert not list(history.verify(Interview.objects.all()))


def test_exit_of_which_only_the_list_tells_brings_no_cooldown(there):
    """Nobody knows when they left: perhaps at once."""
    fake, platform = there
    Policy.objects.update(cooldown_days=30)
    interview, booked = told(fake, platform, starts_in=timedelta(minutes=-25))
    fake.happen(booked, "exited")

    assert reconciled(platform) == {Found.FOLLOWED: 1}

    assert status_of(interview) == "withdrawn"
    assert Cancellation.objects.get().cooldown_until is None


def test_after_a_false_start_there_is_a_second_appointment_there(there):
    fake, platform = there
    interview, booked = told(fake, platform, starts_in=timedelta(minutes=-1))
    fake.happen(booked, "exited")

    assert reconciled(platform) == {Found.FOLLOWED: 1}

    again = fake.by_reference(interview.reference)
    assert (booked.standing, again.standing) == ("exited", "booked")
    assert status_of(interview) == "booked"
    assert link_of(interview).external_id == again.id
    assert not reconciled(platform)
    fake.happen(again, "completed")
    reconciled(platform)
    assert status_of(interview) == "completed"


def test_lost_scores_are_copied(there):
    fake, platform = there
    interview, booked = told(fake, platform)
    fake.happen(booked, "completed")
    reconciled(platform)
    fake.happen(booked, "scores", {"total": 77})

    assert not reconciled(platform)

    assert link_of(interview).scores == {"total": 77}


def test_cancelled_here_is_cancelled_there(there):
    fake, platform = there
    interview, booked = told(fake, platform)
    cancel(interview)
    PlatformLink.objects.update(wanted="")  # the wish was lost

    assert reconciled(platform) == {Found.TOLD: 1}

    assert booked.standing == "cancelled"
    assert link_of(interview).external_status == "cancelled"


def test_other_time_there_is_moved_to_ours(there):
    fake, platform = there
    interview, booked = told(fake, platform)
    booked.starts_at += timedelta(hours=5)

    assert reconciled(platform) == {Found.TOLD: 1}

    assert abs(booked.starts_at - interview.starts_at) < timedelta(seconds=1)


def test_what_is_gone_there_is_made_anew(there):
    fake, platform = there
    interview, booked = told(fake, platform)
    del fake.held[booked.id]

    assert reconciled(platform) == {Found.CREATED: 1}

    assert fake.by_reference(interview.reference).id == link_of(interview).external_id
    assert link_of(interview).external_id != booked.id


def test_what_lay_ahead_before_there_was_a_platform_is_made_there(there):
    fake, platform = there
    waiting, past = InterviewFactory(), InterviewFactory(starts_in=timedelta(hours=-1))
    for interview in (waiting, past):
        interview.position.platform = platform
        interview.position.save()

    assert reconciled(platform) == {Found.CREATED: 1}

    assert fake.by_reference(waiting.reference).standing == "booked"
    assert len(fake.held) == 1


def test_lost_answer_is_found_again_by_the_reference(there):
    fake, platform = there
    interview, booked = told(fake, platform)
    PlatformLink.objects.update(external_id="", external_status="", told_at=None)

    assert reconciled(platform) == {Found.ADOPTED: 1}

    assert link_of(interview).external_id == booked.id
    assert len(fake.held) == 1


def test_what_was_lost_and_cancelled_meanwhile_is_called_off_there(there):
    fake, platform = there
    interview, booked = told(fake, platform)
    PlatformLink.objects.update(external_id="", external_status="", told_at=None)
    cancel(interview)

    reconciled(platform)

    assert booked.standing == "cancelled"


def test_second_appointment_is_called_off(there):
    fake, platform = there
    interview, booked = told(fake, platform)
    extra = fake.create(interview.reference, interview.starts_at, key="", body=b"")

    assert reconciled(platform) == {Found.REMOVED: 1}

    assert (booked.standing, extra.standing) == ("booked", "cancelled")
    assert link_of(interview).external_id == booked.id


def test_second_appointment_takes_the_place_of_one_that_is_gone(there):
    fake, platform = there
    interview, booked = told(fake, platform)
    extra = fake.create(interview.reference, interview.starts_at, key="", body=b"")
    del fake.held[booked.id]

    assert reconciled(platform) == {Found.ADOPTED: 1}

    assert link_of(interview).external_id == extra.id
    assert extra.standing == "booked"


def test_reinstated_whose_new_appointment_was_lost_is_not_doubled(there):
    fake, platform = there
    interview, _booked = told(fake, platform)
    cancel(interview)
    tell(platform)
    reinstate(interview)
    telling = outbox.claim(platform.pk, timezone.now())
    outbox.ask(adapters.http_adapter(platform), telling)  # arrives, and nobody hears the answer

    reconciled(platform)

    standings = [each.standing for each in fake.held.values()]
    assert sorted(standings) == ["booked", "cancelled"]
    assert link_of(interview).external_id == fake.by_reference(interview.reference).id


def made_anew_unheard(fake, platform):
    """Reinstated; the new appointment was made there without our hearing so, and moved here."""
    interview, _booked = told(fake, platform)
    cancel(interview)
    tell(platform)
    reinstate(interview)
    telling = outbox.claim(platform.pk, timezone.now())
    outbox.ask(adapters.http_adapter(platform), telling)
    PlatformLink.objects.update(claimed_until=None)
    move(interview, hours=5)
    return interview, fake.by_reference(interview.reference)


@pytest.mark.parametrize("what", ["cancelled", "missed", ""])
def test_lost_second_appointment_that_was_moved_since_is_made_anew(there, what):
    fake, platform = there
    interview, again = made_anew_unheard(fake, platform)
    if what:
        fake.happen(again, what)

    reconciled(platform)
    reconciled(platform)

    held = [each for each in fake.held.values() if each.reference == interview.reference]
    (live,) = [each for each in held if each.standing == "booked"]
    link = link_of(interview)
    assert (link.external_id, link.wanted, link.difference) == (live.id, "", "")
    assert abs(live.starts_at - link.external_starts_at) < timedelta(minutes=1)
    assert not WorkItem.objects.open().filter(params__code=Difference.REFUSED).exists()
    assert not reconciled(platform)


def test_what_is_still_to_be_told_is_told_in_the_same_pass(there):
    fake, platform = there
    interview, booked = told(fake, platform)
    move(interview, hours=4)
    other = booked_on(platform, position=interview.position)
    PlatformLink.objects.update(not_before=timezone.now() + timedelta(hours=6), attempts=5)
    Platform.objects.update(failures=9, rests_until=timezone.now() + timedelta(hours=1))

    reconciled(platform)

    assert booked.starts_at > interview.starts_at + timedelta(hours=3)
    assert fake.by_reference(other.reference)
    assert not PlatformLink.objects.exclude(wanted="").exists()


def test_events_from_before_we_knew_them_are_applied(alder):
    fake, platform = alder
    interview, booked = told(fake, platform)
    PlatformEvent.objects.create(
        platform=platform,
        event_id="e1",
        external_id=booked.id,
        at=timezone.now(),
        body={"kind": "scores", "scores": {"total": 5}},
        outcome=Outcome.UNKNOWN,
    )

    reconciled(platform)

    assert link_of(interview).scores == {"total": 5}
    assert PlatformEvent.objects.get().outcome == Outcome.NOTED


def test_interviews_of_others_are_only_counted(there):
    fake, platform = there
    soon = timezone.now() + timedelta(days=1)
    fake.create("", soon, key="", body=b"")
    fake.create("7K2M9QX4TB", soon, key="", body=b"")

    assert reconciled(platform) == {Found.STRANGER: 2}

    assert [each.standing for each in fake.held.values()] == ["booked", "booked"]


# --- Where neither is plainly right ---------------------------------------------------------------


def test_conflict_is_put_before_hr_and_closes_itself(there):
    fake, platform = there
    interview, booked = told(fake, platform)
    fake.cancel(booked.id)

    assert reconciled(platform) == {Found.DIFFERS: 1}
    item = WorkItem.objects.get()
    assert item.params["code"] == Difference.CANCELLED
    assert link_of(interview).difference == Difference.CANCELLED
    cancel(interview)
    assert reconciled(platform) == {Found.AGAIN: 1}

    item.refresh_from_db()
    assert item.closed_by == "system"
    assert link_of(interview).difference == ""


def test_what_hr_has_settled_is_not_put_before_them_every_hour(there):
    fake, platform = there
    _interview, booked = told(fake, platform)
    fake.cancel(booked.id)
    reconciled(platform)
    WorkItem.objects.update(closed_at=timezone.now(), closed_by="user:1")

    reconciled(platform)

    assert WorkItem.objects.open().count() == 0


def test_item_that_another_anomaly_kept_out_is_opened_later(there):
    fake, platform = there
    interview, booked = told(fake, platform)
    other = WorkItemFactory(interview=interview, kind="anomaly", params={"code": "time_differs"})
    fake.cancel(booked.id)
    reconciled(platform)
    assert WorkItem.objects.count() == 1
    WorkItem.objects.filter(pk=other.pk).update(closed_at=timezone.now())

    reconciled(platform)

    assert WorkItem.objects.open().get().params["code"] == Difference.CANCELLED


def test_going_on_there_is_never_called_off(there):
    fake, platform = there
    interview, booked = told(fake, platform)
    fake.happen(booked, "started")
    cancel(interview)
    PlatformLink.objects.update(wanted="")

    assert reconciled(platform) == {Found.DIFFERS: 1}

    assert booked.standing == "started"
    assert link_of(interview).difference == Difference.GOES_ON


def test_missing_there_after_its_time_is_put_before_hr(there):
    fake, platform = there
    interview, booked = told(fake, platform)
    Interview.objects.update(starts_at=timezone.now() - timedelta(hours=1))
    del fake.held[booked.id]

    assert reconciled(platform) == {Found.DIFFERS: 1}
    assert link_of(interview).difference == Difference.MISSING


def test_state_that_the_mapping_does_not_know_is_put_before_hr(alder):
    fake, platform = alder
    interview, _booked = told(fake, platform)
    platform.mapping["statuses"].pop("scheduled")
    platform.save()

    reconciled(platform)

    assert link_of(interview).difference == Difference.UNCLEAR


# --- A platform that fails ------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["error", "html", "hang"])
def test_platform_that_fails_half_way_changes_nothing_as_missing(there, fault):
    fake, platform = there
    interview, booked = told(fake, platform)
    for _ in range(3):
        told(fake, platform, position=interview.position)
    platform.mapping["calls"]["list"]["limit"] = 2
    platform.save()
    answer, pages = fake.vendor.answer, []

    def fail_later(method, path, query, headers, body):
        is_list = method == "GET" and ("cursor" in query or query.get("pageNo", "1") != "1")
        if is_list:
            fake.faults = {fault: 1}
        pages.append(path)
        return answer(method, path, query, headers, body)

    fake.vendor.answer = fail_later
    del fake.held[booked.id]

    found = reconciled(platform)

    assert found[Found.UNREACHABLE] == 1
    assert Found.CREATED not in found
    platform.refresh_from_db()
    assert platform.reconciled_at is None
    assert link_of(interview).external_status == "booked"


def test_what_was_heard_while_the_page_was_on_its_way_is_left_to_the_next_pass(alder):
    fake, platform = alder
    interview, booked = told(fake, platform)
    booked.starts_at += timedelta(hours=1)
    asked_at = timezone.now()
    adapter = adapters.http_adapter(platform)
    (page,) = adapter.pages(asked_at - timedelta(days=1))
    PlatformLink.objects.update(heard_at=timezone.now())
    one = reconcile._Pass(platform, adapter)
    one.seen = reconcile._Seen(0, 1000)

    assert list(one._compare(page, asked_at)) == []
    assert one._put_right(interview.pk, page[0], asked_at) == []


def test_one_pass_at_a_time(there):
    _fake, platform = there
    steps = reconcile.run(platform.pk)
    next(steps)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [reconcile.ALONE, platform.pk])
        assert cursor.fetchone() == (True,), "the lock is held while the pass lasts"
    steps.close()


def test_queries_do_not_grow_with_what_agrees(alder):
    fake, platform = alder
    interview, _booked = told(fake, platform)
    counts = []
    for more in (0, 8):
        for _ in range(more):
            told(fake, platform, position=interview.position)
        with CaptureQueriesContext(connection) as captured:
            assert not reconciled(platform)
        counts.append(len(captured))

    assert counts[0] == counts[1]


def test_seen_is_one_bit_each():
    seen = reconcile._Seen(1000, 1_001_000)
    for number in (1000, 1007, 1008, 500_000, 1_001_000, 7, 2_000_000):
        seen.add(number)

    assert [n for n in (1000, 1001, 1007, 1008, 500_000, 1_001_000, 7, 2_000_000) if n in seen] == [
        1000,
        1007,
        1008,
        500_000,
        1_001_000,
    ]
    assert len(seen._bits) < 130_000


# --- On demand ------------------------------------------------------------------------------------


def test_job_tells_how_far_it_is_and_what_it_found(there):
    fake, platform = there
    interview, booked = told(fake, platform)
    fake.cancel(booked.id)
    administrator = UserFactory(administrator=True)
    job = jobs.start(platform, by=administrator)

    run_job(job.pk)

    job = type(job).objects.get(pk=job.pk)
    assert (job.state, job.done, job.total) == (JobState.DONE, 1, 1)
    row = job.rows.get()
    assert (row.outcome, row.subject) == (Found.DIFFERS, interview.subject)
    assert jobs.Reconcile().words(row) == str(Difference.CANCELLED.label)


def test_job_that_is_repeated_reports_once(there):
    fake, platform = there
    told(fake, platform)
    job = jobs.start(platform, by=UserFactory(administrator=True))
    job.rows.create(number=1, outcome="told")  # of a worker that died

    run_job(job.pk)

    assert not job.rows.exists()


def test_command_says_what_it_found(alder, capsys, settings):
    settings.LANGUAGE_CODE = "en"
    fake, platform = alder
    _interview, booked = told(fake, platform)
    fake.happen(booked, "completed")

    call_command("reconcile_platform", "alder")

    assert "Interviews compared: 1" in capsys.readouterr().out
    with pytest.raises(CommandError):
        call_command("reconcile_platform", "oak")
    fake.faults = {"error": 1}
    with pytest.raises(CommandError):
        call_command("reconcile_platform", "alder")


def test_every_hour_each_platform_that_is_on(monkeypatch):
    on, _off = platform_for("alder"), platform_for("birch", is_active=False)
    asked = []
    monkeypatch.setattr(reconcile_platform, "delay", asked.append)

    reconcile_platforms()

    assert asked == [on.pk]


def test_task_takes_a_platform_that_cannot_be_reached(there):
    fake, platform = there
    fake.faults = {"error": 1}

    reconcile_platform(platform.pk)

    platform.refresh_from_db()
    assert platform.reconciled_at is None
    assert platform.failures
