"""What somebody who holds the database cannot hide from whoever kept a seal."""

from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, connections
from django.utils import timezone, translation

from cancellations.models import Reason
from interviews import history, seals
from interviews.models import HistoryEntry, HistorySeal, Interview, RemovedInterview
from interviews.seals import Problem
from interviews.tasks import seal_history
from tests.database import without_triggers
from tests.factories import DepartmentFactory, InterviewFactory, UserFactory

pytestmark = pytest.mark.django_db


def broken() -> list[tuple[int, str]]:
    return [(each.seal.number, each.problem) for each in seals.broken_seals()]


def tamper(sql: str, *params: object) -> None:
    with without_triggers(), connection.cursor() as cursor:
        cursor.execute(sql, params)


@pytest.fixture
def sealed():
    """An interview whose first entries lie under the first seal, and one under the second."""
    interview = InterviewFactory()
    history.record(interview, "opened", ("reminded", {"channel": "sms"}), by=None)
    seals.seal_history()
    history.record(interview, "opened", by=None)
    seals.seal_history()
    return interview


def test_seals_hold_while_history_grows(sealed):
    history.record(sealed, "opened", by=None)
    DepartmentFactory()

    assert list(HistorySeal.objects.order_by("number").values_list("entries", flat=True)) == [3, 1]
    assert broken() == []


def test_chain_written_anew_with_fitting_hashes_is_found_by_its_seal(sealed):
    """The chain itself holds then: whoever holds the database can recompute it."""
    entries = list(sealed.history.order_by("sequence"))
    previous = history.GENESIS
    for entry in entries:
        entry.event = "confirmed" if entry.sequence == 2 else entry.event
        entry.previous_hash = previous
        entry.hash = previous = history.digest(entry, sealed.reference)
        tamper(
            "UPDATE interviews_historyentry SET event = %s, previous_hash = %s, hash = %s "
            "WHERE id = %s",
            entry.event,
            entry.previous_hash,
            entry.hash,
            entry.pk,
        )

    assert list(history.verify(Interview.objects.all())) == []
    assert broken() == [(1, Problem.CONTENT), (2, Problem.CONTENT)]


def test_end_cut_off_without_a_change_of_status_is_found(sealed):
    tamper("DELETE FROM interviews_historyentry WHERE sequence = 4")

    assert list(history.verify(Interview.objects.all())) == []
    assert [(each.seal.number, each.entries) for each in seals.broken_seals()] == [(2, 0)]


def test_change_of_the_configuration_written_anew_is_found(sealed):
    Reason.objects.filter(purpose="cancel", code="other").update(label_en="Else")
    seals.seal_history()
    tamper("UPDATE accounts_configurationchange SET actor = 'user:1' WHERE after ? 'label_en'")

    assert (3, Problem.CONTENT) in broken()


def test_seal_changed_to_fit_no_longer_fits_itself(sealed):
    tamper("UPDATE interviews_historyseal SET entries = 9 WHERE number = 1")

    assert (1, Problem.FORGED) in broken()


def test_seal_made_anew_is_not_linked_by_the_next_one(sealed):
    seal = HistorySeal.objects.get(number=1)
    seal.at += timedelta(seconds=1)
    tamper(
        "UPDATE interviews_historyseal SET at = %s, fingerprint = %s WHERE number = 1",
        seal.at,
        seals.fingerprint(seal),
    )

    assert broken() == [(2, Problem.UNLINKED)]


def test_seal_taken_away_is_missed(sealed):
    tamper("DELETE FROM interviews_historyseal WHERE number = 1")

    assert (2, Problem.MISSING) in broken()


def test_one_seal_a_local_day():
    with time_machine.travel("2026-05-10T15:30:00Z", tick=False):  # 23:30 in Shanghai
        seal_history()
        seal_history()
    with time_machine.travel("2026-05-10T16:30:00Z", tick=False):
        seal_history()

    assert list(HistorySeal.objects.order_by("number").values_list("number", flat=True)) == [1, 2]


@pytest.mark.django_db(transaction=True)
def test_seal_waits_for_those_who_write_and_gives_up_in_time(monkeypatch):
    """An entry whose key was given out before the seal may still commit after it."""
    monkeypatch.setattr(seals, "WAIT", "100ms")
    interview = InterviewFactory()
    other = connections.create_connection("default")
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute(
                "LOCK TABLE interviews_historyentry IN ROW EXCLUSIVE MODE",
            )
        with pytest.raises(OperationalError):
            seals.seal_history()
        other.rollback()
    finally:
        other.close()
    seals.seal_history()

    assert HistorySeal.objects.get().last_entry == HistoryEntry.objects.latest("pk").pk
    assert interview.history.count() == 1


def test_command_prints_the_seals_and_says_that_they_hold(sealed):
    out = StringIO()

    with translation.override("en"):
        call_command("verify_history", "--seals", stdout=out)

    for seal in HistorySeal.objects.all():
        assert seal.fingerprint in out.getvalue()
    assert "All seals hold." in out.getvalue()


def test_command_finds_a_kept_seal_among_ours(sealed):
    kept = HistorySeal.objects.get(number=1).fingerprint

    call_command("verify_history", kept=kept.upper(), stdout=StringIO())


def test_command_misses_a_kept_seal_where_all_were_made_anew(sealed):
    kept = HistorySeal.objects.get(number=1).fingerprint
    tamper("DELETE FROM interviews_historyseal")
    seals.seal_history()

    with translation.override("en"), pytest.raises(CommandError, match="written anew"):
        call_command("verify_history", kept=kept, stdout=StringIO())


def test_command_names_the_broken_seal(sealed):
    tamper("DELETE FROM interviews_historyentry WHERE sequence = 4")
    out = StringIO()

    with translation.override("en"), pytest.raises(CommandError, match="1 break found"):
        call_command("verify_history", "--seals", stdout=out)

    assert "what lies under it is no longer what was sealed (entries: 0" in out.getvalue()


def test_command_puts_a_seal_on_it_now():
    InterviewFactory()
    out = StringIO()

    call_command("verify_history", "--seal", stdout=out)

    assert HistorySeal.objects.get().fingerprint in out.getvalue()
    assert HistorySeal.objects.get().at <= timezone.now()


def test_import_undone_does_not_break_the_seal_over_it():
    imported = InterviewFactory(department=DepartmentFactory())
    entry = imported.history.get()
    seals.seal_history()
    RemovedInterview.objects.create(
        reference=imported.reference,
        entry=entry.pk,
        event=entry.event,
        actor=entry.actor,
        at=entry.at,
        data=entry.data,
        hash=entry.hash,
        removed_by=UserFactory(administrator=True),
        removed_at=timezone.now(),
        job="8Q2M7KX4TB",
    )
    tamper("DELETE FROM interviews_historyentry")

    assert broken() == []
