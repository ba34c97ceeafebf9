"""How sittings end that nobody finishes, told apart by what was observed."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from cancellations.company import correct_interview
from candidates.models import FileEntry
from interviews import history
from interviews.models import Interview, Move
from interviews.room import queries, services
from interviews.room.models import RoomEvent, Sitting
from interviews.states import InterviewStatus
from interviews.tasks import lapse_sittings
from tests.factories import SittingFactory, UserFactory

pytestmark = pytest.mark.django_db

NOW = timezone.now().replace(microsecond=0)
SECOND = timedelta(seconds=1)
SEEN = NOW - timedelta(hours=20)  # the last sign of life


def overdue(**named):
    """Nobody has come back to it in time."""
    return SittingFactory(
        entered_at=SEEN - timedelta(minutes=10), last_seen_at=SEEN, resume_until=NOW, **named
    )


def observe(sitting, *events):
    """Each a kind and so many seconds after they were last seen."""
    for kind, seconds in events:
        RoomEvent.objects.create(sitting=sitting, kind=kind, at=SEEN + seconds * SECOND)


@pytest.mark.parametrize(
    ("events", "ending"),
    [
        ([], "dropped"),
        ([("offline", -5)], "dropped"),
        ([("hidden", -5)], "dropped"),
        ([("closed", 1)], "closed"),
        ([("hidden", 0), ("closed", 0)], "closed"),
        ([("closed", 0), ("hidden", 0)], "closed"),
        # A heartbeat on its way while the page closed; one that came later means another tab.
        ([("closed", -5)], "closed"),
        ([("closed", -6)], "dropped"),
        # A reload closes the page too.
        ([("closed", -1), ("shown", 0)], "dropped"),
        ([("closed", 1), ("resumed", 2)], "dropped"),
        ([("closed", 1), ("away", 2)], "closed"),
        ([("server_error", 0)], "platform_fault"),
        ([("server_error", 3600)], "platform_fault"),  # it kept them from being seen
        ([("server_error", -120)], "platform_fault"),
        ([("server_error", -121)], "dropped"),
        ([("server_error", -121), ("closed", 1)], "closed"),
        ([("platform_error", -30), ("closed", 1)], "platform_fault"),
        ([("script_error", -1), ("device_error", -1)], "dropped"),
    ],
    ids=str,
)
def test_evidence_tells_why_somebody_did_not_come_back(events, ending):
    sitting = overdue()
    observe(sitting, *events)

    with time_machine.travel(NOW, tick=False):
        lapse_sittings()

    assert Sitting.objects.get().ending == ending
    interview = Interview.objects.get()
    assert interview.status == InterviewStatus.INCOMPLETE
    assert interview.ended_at == NOW
    last = interview.history.last()
    assert (last.event, last.data["ending"], last.actor) == ("lapsed", ending, "system")
    assert FileEntry.objects.get().ending == ending
    assert not list(history.verify(Interview.objects.all()))


@pytest.mark.parametrize(("early", "ended"), [(1, False), (0, True)])
def test_sweep_waits_until_nobody_can_come_back_any_more(early, ended):
    overdue()

    with time_machine.travel(NOW - early * SECOND, tick=False):
        lapse_sittings()

    assert Sitting.objects.filter(ended_at=None).exists() is not ended


@pytest.mark.parametrize("status", ["exiting", "completed", "withdrawn"])
def test_sweep_ends_only_what_is_going_on(status):
    overdue(interview__status=status)

    with time_machine.travel(NOW, tick=False):
        lapse_sittings()

    assert Interview.objects.get().status == status


def test_one_that_cannot_be_ended_keeps_no_other_open(monkeypatch):
    broken, _fine = overdue(), overdue()
    end = services.end_sitting

    def fail(sitting, **named):
        if sitting.pk == broken.pk:
            raise RuntimeError
        return end(sitting, **named)

    monkeypatch.setattr(services, "end_sitting", fail)
    with time_machine.travel(NOW, tick=False):
        lapse_sittings()

    assert list(Sitting.objects.filter(ended_at=None)) == [broken]
    assert Interview.objects.get(pk=broken.interview.pk).status == InterviewStatus.IN_PROGRESS


def test_evidence_is_how_far_they_came_and_what_was_observed():
    sitting = overdue(current=2, current_seconds=40)
    sitting.answers.filter(number=1).update(text="Yes", seconds=61.6)
    observe(sitting, ("offline", -90), ("online", -80), ("offline", 0))

    with time_machine.travel(NOW, tick=False):
        lapse_sittings()

    assert Sitting.objects.get().evidence == {
        "answered": 1,
        "questions": 3,
        "number": 2,
        "stage": "professional",
        "seconds": 102,
        "seen_at": SEEN.isoformat(),
        "events": {"away": 1, "entered": 1, "offline": 2, "online": 1},
    }
    entry = FileEntry.objects.get()
    assert (entry.answered, entry.questions, entry.seconds) == (1, 3, 102)
    assert RoomEvent.objects.get(kind="away").at == SEEN


@pytest.mark.parametrize(("current", "stage"), [(0, ""), (1, "introduction"), (4, "closing")])
def test_evidence_names_the_part_they_were_in(current, stage):
    sitting = SittingFactory(current=current)

    assert queries.evidence(sitting, NOW)["stage"] == stage


def test_of_a_false_start_nothing_goes_to_the_file():
    sitting = SittingFactory()

    ended = services.end_sitting(sitting, ending="misstart", at=timezone.now())

    assert ended.ending == "misstart"
    assert not FileEntry.objects.exists()


def test_reason_goes_to_the_file_as_a_code():
    services.end_sitting(
        SittingFactory(), ending="exited", at=timezone.now(), reason="not_interested"
    )

    assert FileEntry.objects.get().reason == "not_interested"


@pytest.mark.parametrize(
    ("move", "status", "ending"),
    [(Move.COMPLETE, "completed", "completed"), (Move.LAPSE, "incomplete", "dropped")],
)
def test_setting_the_status_right_closes_the_room(move, status, ending):
    sitting = SittingFactory()
    interview = sitting.interview
    hr = UserFactory(recruiter=True, departments=[interview.position.department])

    correct_interview(
        interview.reference, by=hr, move=move, expected="in_progress", reason="They called us."
    )

    assert Interview.objects.get().status == status
    assert Sitting.objects.get().ending == ending
