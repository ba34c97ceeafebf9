"""The room over several connections at once."""

from datetime import timedelta
from time import sleep

import pytest
from django.utils import timezone

from candidates.models import FileEntry
from interviews import history
from interviews.models import Interview
from interviews.room import services
from interviews.room.models import Answer, Recording, RoomEvent, Sitting
from tests.cancellations.test_races import at_once
from tests.factories import InterviewFactory, SittingFactory
from tests.interviews.rooms import Tab

pytestmark = pytest.mark.django_db(transaction=True)


def test_entering_twenty_times_at_once_is_one_sitting():
    interview = InterviewFactory(link="", starts_in=timedelta(minutes=5))
    user = interview.candidate.user

    results = at_once(*[lambda: services.enter(interview.reference, by=user) for _ in range(20)])

    assert {sitting.pk for sitting in results} == {Sitting.objects.get().pk}
    assert Answer.objects.count() == 5
    assert interview.history.filter(event="started").count() == 1
    assert not list(history.verify(Interview.objects.all()))


@pytest.mark.parametrize("attempt", range(5))
def test_of_two_tabs_saving_at_once_one_is_told(attempt):
    sitting = SittingFactory()
    tabs = [Tab(sitting) for _ in range(6)]

    responses = at_once(*[lambda tab=tab: tab.save(tab.name) for tab in tabs])

    assert sorted(response.status_code for response in responses) == [200] + [409] * 5
    kept = Answer.objects.get(number=1)
    assert kept.revision == 1
    winner = next(
        tab for tab, response in zip(tabs, responses, strict=True) if response.status_code == 200
    )
    assert kept.text == winner.name
    told = {response.json()["text"] for response in responses if response.status_code == 409}
    assert told == {winner.name}


def test_one_tab_saving_many_times_at_once_ends_with_the_last():
    tab = Tab(SittingFactory())
    drafts = [tab.draft(f"{'x' * n}") for n in range(1, 11)]

    responses = at_once(*[lambda d=draft: tab.send("answers/1/", d) for draft in drafts])

    kept = Answer.objects.get(number=1)
    assert kept.text == "x" * 10
    assert kept.revision == sum(response.status_code == 200 for response in responses)


@pytest.mark.parametrize("attempt", range(10))
def test_nothing_is_saved_after_the_end_and_what_was_saved_counts(attempt):
    sitting = SittingFactory()
    user, reference = sitting.interview.candidate.user, sitting.interview.reference
    tabs = [Tab(sitting) for _ in range(3)]

    *responses, _ = at_once(
        *[lambda t=tab, n=n: t.save("Yes", number=n) for n, tab in enumerate(tabs, start=1)],
        lambda: services.finish(reference, by=user),
    )

    codes = [response.status_code for response in responses]
    assert set(codes) <= {200, 410}
    assert Answer.objects.filter(text="Yes").count() == codes.count(200)
    assert Sitting.objects.get().evidence["answered"] == codes.count(200)
    assert FileEntry.objects.get().answered == codes.count(200)


@pytest.mark.parametrize("attempt", range(5))
def test_no_recording_is_kept_after_the_end_and_what_was_kept_counts(attempt, monkeypatch):
    """Looking at a recording takes a moment; the interview may end in it."""
    sitting = SittingFactory(current=2)
    user, reference = sitting.interview.candidate.user, sitting.interview.reference
    looks = services.sound_of

    def slowly(content):
        sleep(0.05)
        return looks(content)

    monkeypatch.setattr(services, "sound_of", slowly)
    tab = Tab(sitting)

    def end():
        sleep(0.02 * attempt)
        services.finish(reference, by=user)

    response, _ = at_once(lambda: tab.record(b"\x1a\x45\xdf\xa3" + b"x" * 50), end)

    kept = Recording.objects.count()
    assert (response.status_code, kept) in {(200, 1), (410, 0)}
    assert Sitting.objects.get().evidence["answered"] == kept
    assert FileEntry.objects.get().answered == kept


@pytest.mark.parametrize("attempt", range(5))
def test_finishing_while_the_sweep_comes_by_ends_one_way(attempt):
    sitting = SittingFactory(resume_until=timezone.now() + timedelta(seconds=0.3))
    user, reference = sitting.interview.candidate.user, sitting.interview.reference

    def sweep():
        while Sitting.objects.filter(ended_at=None).exists():
            services.lapse(sitting.pk)

    at_once(sweep, lambda: services.finish(reference, by=user))

    pair = (Interview.objects.get().status, Sitting.objects.get().ending)
    assert pair in {("completed", "completed"), ("incomplete", "dropped")}
    assert FileEntry.objects.count() == 1
    assert not list(history.verify(Interview.objects.all()))


def test_two_sweeps_at_once_end_a_sitting_once():
    sitting = SittingFactory(resume_until=timezone.now())

    results = at_once(*[lambda: services.lapse(sitting.pk) for _ in range(5)])

    assert sorted(map(str, results)) == ["False"] * 4 + ["True"]
    assert sitting.interview.history.filter(event="lapsed").count() == 1


def test_signs_of_life_at_once_count_time_once():
    seen = timezone.now() - timedelta(seconds=10)
    sitting = SittingFactory(last_seen_at=seen)
    tabs = [Tab(sitting) for _ in range(6)]

    at_once(*[lambda tab=tab: tab.send("heartbeat/") for tab in tabs])

    fresh = Sitting.objects.get()
    elapsed = (fresh.last_seen_at - seen).total_seconds()
    assert fresh.current_seconds == pytest.approx(elapsed, abs=0.001)


def test_a_fault_within_a_transaction_is_remembered_after_it(monkeypatch):
    tab = Tab(SittingFactory())
    tab.client.raise_request_exception = False

    def fail(*args):
        raise RuntimeError

    monkeypatch.setattr("interviews.room.services._put_time_away", fail)

    assert tab.send("go/", {"to": 2}).status_code == 500
    assert RoomEvent.objects.get(kind="server_error").detail == {"where": "go"}
    assert Sitting.objects.get().current == 1
