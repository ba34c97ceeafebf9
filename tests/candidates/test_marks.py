"""Marks: what PostgreSQL itself refuses, whoever asks."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone
from django_fsm import TransitionNotAllowed

from candidates import services
from candidates.models import Appeal, Mark, MarkState
from tests.factories import InterviewFactory, MarkFactory, UserFactory

pytestmark = pytest.mark.django_db
NOW = timezone.now()
MOVES = {
    "appeal": {("active", "appealed")},
    "uphold": {("appealed", "active")},
    "lift": {("active", "lifted"), ("appealed", "lifted")},
    "expire": {("active", "expired"), ("appealed", "expired")},
}
ARGUMENTS = {"lift": {"at": NOW}, "expire": {"at": NOW}}


@pytest.mark.parametrize("state", MarkState.values)
@pytest.mark.parametrize("name", MOVES)
def test_transition_moves_as_the_map_says_or_not_at_all(name, state):
    mark = Mark(state=state)
    target = dict(MOVES[name]).get(state)

    if target is None:
        with pytest.raises(TransitionNotAllowed):
            getattr(mark, name)(**ARGUMENTS.get(name, {}))
    else:
        getattr(mark, name)(**ARGUMENTS.get(name, {}))
        assert mark.state == target


@pytest.mark.parametrize(
    ("source", "target"), [("lifted", "active"), ("expired", "active"), ("expired", "lifted")]
)
def test_database_refuses_an_illegal_move(source, target):
    mark = MarkFactory(state=source)

    with pytest.raises(DatabaseError), transaction.atomic():
        Mark.objects.filter(pk=mark.pk).update(state=target)


def test_mark_with_an_obstacle_can_be_set_by_nobody():
    with pytest.raises(IntegrityError), transaction.atomic():
        MarkFactory(evidence={"obstacles": ["not_delivered"]})

    interview = InterviewFactory(no_show=True)
    with pytest.raises(services.Unfair) as refused:
        services.set_mark(
            interview.candidate,
            interview=interview.reference,
            starts_at=interview.starts_at,
            evidence={"obstacles": ["platform_fault"]},
            by=UserFactory(lead=True),
            at=NOW,
            expires_at=NOW + timedelta(days=1),
        )
    assert refused.value.obstacles == ["platform_fault"]
    assert not Mark.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"evidence": {"obstacles": [], "confirmed_at": None}},
        {"interview": "7K2M9QX4TB"},
        {"set_at": NOW},
    ],
)
def test_what_a_mark_rests_on_never_changes(change):
    mark = MarkFactory()

    with pytest.raises(DatabaseError), transaction.atomic():
        Mark.objects.filter(pk=mark.pk).update(**change)


def test_one_absence_is_held_against_nobody_twice():
    mark = MarkFactory()

    with pytest.raises(IntegrityError), transaction.atomic():
        MarkFactory(candidate=mark.candidate, interview=mark.interview, starts_at=mark.starts_at)


def test_who_set_a_mark_does_not_decide_about_it():
    mark = MarkFactory(state="appealed")
    appeal = Appeal.objects.create(mark=mark, made_at=NOW)

    with pytest.raises(PermissionDenied):
        services.decide_appeal(mark, granted=False, by=mark.set_by, note="", at=NOW)
    with pytest.raises(DatabaseError), transaction.atomic():
        Appeal.objects.filter(pk=appeal.pk).update(
            decided_by=mark.set_by, decided_at=NOW, granted=False
        )

    decided = Appeal.objects.filter(pk=appeal.pk)
    decided.update(decided_by=UserFactory(lead=True), decided_at=NOW, granted=False)
    assert decided.get().granted is False


def test_file_of_an_appeal_is_not_readable_in_the_database():
    mark = MarkFactory(state="appealed")
    Appeal.objects.create(mark=mark, made_at=NOW, file=b"%PDF-1.7", content_type="application/pdf")

    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT file FROM candidates_appeal")
        assert b"PDF" not in bytes(cursor.fetchone()[0])
    assert bytes(Appeal.objects.get().file) == b"%PDF-1.7"
