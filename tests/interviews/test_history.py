from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone, translation

from interviews import history
from interviews.history import Problem
from interviews.models import HistoryEntry, Interview, Position
from tests.database import without_triggers
from tests.factories import DepartmentFactory, InterviewFactory
from tests.meanwhile import before_first_query_of

pytestmark = pytest.mark.django_db


def problems(interview: Interview) -> list[tuple[int, str]]:
    found = history.verify(Interview.objects.filter(pk=interview.pk))
    return [(each.sequence, each.problem) for each in found]


@pytest.fixture
def interview():
    interview = InterviewFactory()
    history.record(interview, "opened", ("reminded", {"channel": "sms"}), by=None)
    history.record(interview, "opened", by=interview.candidate.user)
    return interview


def tamper(sql: str, *params: object) -> None:
    """Change history the way an intruder with the database's keys would."""
    with without_triggers(), connection.cursor() as cursor:
        cursor.execute(sql, params)


def test_entries_are_numbered_linked_and_hold(interview):
    entries = list(interview.history.all())

    assert [entry.sequence for entry in entries] == [1, 2, 3, 4]
    assert [entry.previous_hash for entry in entries[1:]] == [e.hash for e in entries[:-1]]
    assert problems(interview) == []


def test_entry_hash_survives_the_way_through_the_database(interview):
    entry = interview.history.first()

    assert history.digest(entry, interview.reference) == entry.hash


@pytest.mark.parametrize(
    "change",
    [
        "event = 'confirmed'",
        "actor = 'user:1'",
        "at = at + interval '1 second'",
        'data = data || \'{"channel": "email"}\'',
    ],
)
def test_changed_entry_is_found_and_located(interview, change):
    tamper(
        f"UPDATE interviews_historyentry SET {change} WHERE interview_id = %s AND sequence = 3",
        interview.pk,
    )

    found = list(history.verify(Interview.objects.all()))

    assert [(f.interview, f.sequence) for f in found] == [(interview.reference, 3)]


def test_entry_rewritten_with_a_fitting_hash_breaks_the_link_after_it(interview):
    entry = interview.history.get(sequence=2)
    entry.event = "confirmed"
    forged = history.digest(entry, interview.reference)
    tamper(
        "UPDATE interviews_historyentry SET event = 'confirmed', hash = %s WHERE id = %s",
        forged,
        entry.pk,
    )

    assert problems(interview) == [(3, Problem.UNLINKED)]


def test_removed_entry_is_found(interview):
    tamper(
        "DELETE FROM interviews_historyentry WHERE interview_id = %s AND sequence = 2", interview.pk
    )

    assert problems(interview) == [(2, Problem.MISSING)]


def test_status_changed_behind_history_is_found(interview):
    Interview.objects.filter(pk=interview.pk).update(status="no_show")

    assert problems(interview) == [(4, Problem.STATUS)]


def test_change_between_reading_interviews_and_their_history_is_no_break(interview):
    def change() -> None:
        changed = Interview.objects.get(pk=interview.pk)
        changed.request_cancel()
        changed.save()
        history.record(changed, "cancellation_requested", by=None)

    with before_first_query_of("interviews_historyentry", change):
        found = problems(interview)

    assert found == []
    assert Interview.objects.get(pk=interview.pk).status == "cancelling"


def test_interview_without_history_is_found(interview):
    tamper("DELETE FROM interviews_historyentry WHERE interview_id = %s", interview.pk)

    assert problems(interview) == [(0, Problem.STATUS)]


def test_entry_slipped_in_is_found(interview):
    tamper(
        """
        UPDATE interviews_historyentry SET sequence = sequence + 1
        WHERE interview_id = %s AND sequence = 4
        """,
        interview.pk,
    )
    tamper(
        """
        INSERT INTO interviews_historyentry (interview_id, sequence, event, actor, at, data,
            previous_hash, hash, listed_department, listed_position, listed_source, by_candidate)
        SELECT interview_id, 4, 'confirmed', actor, at, data,
            hash, hash, listed_department, listed_position, listed_source, by_candidate
        FROM interviews_historyentry WHERE interview_id = %s AND sequence = 3
        """,
        interview.pk,
    )

    assert problems(interview) == [
        (4, Problem.ALTERED),
        (5, Problem.ALTERED),  # its number is not the one it was written with
    ]


def test_history_cut_short_is_found_by_the_status_it_no_longer_tells_of(interview):
    interview.request_cancel()
    interview.save()
    history.record(interview, "cancellation_requested", by=None)
    tamper(
        "DELETE FROM interviews_historyentry WHERE interview_id = %s AND sequence = 5", interview.pk
    )

    assert problems(interview) == [(4, Problem.STATUS)]


@pytest.mark.parametrize("column", ["listed_department", "listed_position"])
def test_entry_kept_out_of_its_list_is_found(interview, column):
    """The database lets these two change: they follow the interview when its position moves."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE interviews_historyentry SET {column} = 0 WHERE sequence = 2",
        )

    assert problems(interview) == [(2, Problem.HIDDEN)]


def test_history_moves_with_the_position_to_another_department(interview):
    elsewhere = DepartmentFactory()
    Position.objects.filter(pk=interview.position.pk).update(department=elsewhere)

    assert set(interview.history.values_list("listed_department", flat=True)) == {elsewhere.pk}
    assert problems(interview) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE interviews_historyentry SET event = 'x'",
        "UPDATE interviews_historyentry SET listed_department = 0, actor = 'system'",
        "DELETE FROM interviews_historyentry",
        "TRUNCATE interviews_historyentry",
    ],
)
def test_database_refuses_to_change_history(interview, statement):
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)

    assert interview.history.count() == 4


def test_two_chains_cannot_share_a_number(interview):
    entry = interview.history.first()
    entry.pk = None

    with pytest.raises(DatabaseError), transaction.atomic():
        HistoryEntry.objects.bulk_create([entry])


def test_time_is_kept_to_the_microsecond_whatever_its_zone(interview):
    at = timezone.now() - timedelta(days=1)
    entry = history.record(interview, "opened", by=None, at=timezone.localtime(at))[0]

    assert HistoryEntry.objects.get(pk=entry.pk).at == at
    assert problems(interview) == []


def test_command_says_that_history_holds(interview):
    out = StringIO()

    with translation.override("en"):
        call_command("verify_history", stdout=out)

    assert "History holds: 1 interviews with 4 entries checked." in out.getvalue()


def test_command_names_the_break_and_fails(interview):
    tamper(
        "UPDATE interviews_historyentry SET event = 'x' WHERE interview_id = %s AND sequence = 1",
        interview.pk,
    )
    out = StringIO()

    with translation.override("en"), pytest.raises(CommandError, match="1 break found"):
        call_command("verify_history", stdout=out)

    assert out.getvalue() == f"{interview.reference} entry 1: the content does not match its hash\n"


def test_command_refuses_an_unknown_reference():
    with pytest.raises(CommandError, match="NOSUCHTHNG"):
        call_command("verify_history", "NOSUCHTHNG")
