"""Looking ahead: who may need help is found, helped earlier, and forgotten."""

import io
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from analytics.risk import queries, services, tasks, training
from analytics.risk.evaluation import Verdict
from analytics.risk.models import RiskModel, RiskScore
from interviews.booking.services import move
from interviews.imports import mapping
from interviews.imports.engine import import_file
from interviews.models import Interview, ReminderRule
from interviews.reminders import sweep
from interviews.reminders.rules import Whom
from notifications.models import Notification
from tests.analytics.risk.scored import model
from tests.factories import (
    CancellationFactory,
    InterviewFactory,
    MarkFactory,
    SlotFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
SHARED = Path(__file__).resolve().parents[4] / "shared/data/interview_attendance.csv"


def look():
    return services.look_ahead(now=timezone.now())


def unsure(**more):
    return InterviewFactory(extra={"expected": "no"}, **more)


def helped(interview):
    return interview.steps.filter(rule__whom=Whom.HELP)


# --- looking ahead ----------------------------------------------------------------------------


def test_who_may_need_help_is_found_with_what_speaks_for_it():
    model()
    interview, calm = unsure(), InterviewFactory(extra={"expected": "yes"})

    assert look() == 1

    found = RiskScore.objects.get(interview=interview.pk)
    assert (found.needs_help, found.factors) == (True, ["answer:expected=no"])
    assert found.probability == pytest.approx(0.818, abs=1e-3)
    assert found.department == interview.position.department_id
    assert not RiskScore.objects.get(interview=calm.pk).needs_help


def test_looking_twice_changes_nothing():
    model()
    interview = unsure()
    look()
    look()
    assert RiskScore.objects.count() == 1
    assert helped(interview).count() == 1


@pytest.mark.parametrize("verdict", [Verdict.NOT_BETTER, Verdict.TOO_FEW])
def test_a_newer_model_that_is_not_used_ends_the_older_one(verdict):
    model()
    unsure()
    look()
    model(verdict=verdict, ago=timedelta(0))

    assert look() == 0
    assert not RiskScore.objects.exists()


@pytest.mark.parametrize(
    "over", [{"status": "cancelled"}, {"status": "cancelling"}, {"starts_in": timedelta(days=8)}]
)
def test_only_what_is_booked_for_the_next_days_is_looked_at(over):
    model()
    unsure(**over)
    look()
    assert not RiskScore.objects.exists()


def test_nothing_is_kept_of_what_is_over():
    model()
    interview = unsure()
    look()
    Interview.objects.filter(pk=interview.pk).update(starts_at=timezone.now())
    look()
    assert not RiskScore.objects.exists()


def test_a_mark_changes_no_score():
    model()
    interview = unsure()
    look()
    before = RiskScore.objects.get().probability
    MarkFactory(candidate=interview.candidate)
    look()
    assert RiskScore.objects.get().probability == before


def test_nothing_is_read_of_people_their_records_or_their_words():
    model()
    unsure()
    with CaptureQueriesContext(
        connection,
    ) as asked:
        list(queries.ahead(timezone.now()))
        queries.examples("no_show", now=timezone.now())
    read = " ".join(each["sql"].lower() for each in asked)
    assert "interviews_interview" in read
    never = {"accounts_user", "mark", "absence", "appeal", "detail", "national", "historyentry"}
    assert not [name for name in never if name in read]


# --- an earlier reminder ----------------------------------------------------------------------


def test_who_may_need_help_is_reminded_a_day_before_everybody_else():
    model()
    interview, calm = unsure(), InterviewFactory(extra={"expected": "yes"})
    look()
    [step] = helped(interview)
    assert step.due_at == interview.starts_at - timedelta(hours=48)
    assert not helped(calm).exists()


def test_the_reminder_is_the_usual_one(time_machine):
    model()
    interview = unsure()
    look()
    time_machine.move_to(interview.starts_at - timedelta(hours=47), tick=False)
    sweep.take_batch(timezone.now())
    told = Notification.objects.filter(event="interview_reminder", subject=interview.subject)
    assert {each.channel for each in told} <= {"sms", "email"}
    assert told.exists()
    assert not [each for each in told if "risk" in str(each.params).lower()]


def test_what_begins_too_soon_is_reminded_with_everybody_else():
    model()
    interview = unsure(starts_in=timedelta(hours=40))
    look()
    assert not helped(interview).exists()


def test_a_moved_appointment_takes_its_help_along():
    model()
    interview = unsure()
    look()
    slot = SlotFactory(position=interview.position, starts_at=timezone.now() + timedelta(days=5))
    move(interview.reference, slot_id=slot.pk, by=interview.candidate.user)
    assert not helped(interview).exists()  # counted from the time it no longer has
    look()
    [step] = helped(interview)
    assert step.due_at == slot.starts_at - timedelta(hours=48)


def test_rules_for_everybody_stay_for_everybody():
    interview = InterviewFactory()
    everybody = ReminderRule.objects.filter(stage="booked", is_active=True, whom="")
    assert set(interview.steps.values_list("rule", flat=True)) == set(
        everybody.values_list("pk", flat=True)
    )


# --- learning ---------------------------------------------------------------------------------


def outcomes(target):
    found = queries.examples(target, now=timezone.now())
    return sorted(example.happened for example in found)


def test_what_is_learnt_from_is_what_candidates_did():
    past = {"starts_in": timedelta(days=-1)}
    InterviewFactory(completed=True)
    InterviewFactory(no_show=True)
    InterviewFactory(status="incomplete", **past)
    assert outcomes("no_show") == [0, 0, 1]
    assert outcomes("cancel") == [0, 0, 0]

    CancellationFactory(
        approved=True, interview=InterviewFactory(status="cancelled", slot=None, **past)
    )
    InterviewFactory(status="withdrawn", slot=None, **past)  # the whole application
    assert outcomes("no_show") == [0, 0, 1]
    assert outcomes("cancel") == [0, 0, 0, 1, 1]


def test_what_says_nothing_of_a_candidate_is_not_learnt_from():
    past = {"starts_in": timedelta(days=-1)}
    by_company = InterviewFactory(status="cancelled", slot=None, **past)
    CancellationFactory(approved=True, interview=by_company, party="company")
    InterviewFactory(status="cancelled", slot=None, source="old_ats", source_key="1", **past)
    InterviewFactory(status="withdrawn", slot=None, source="old_ats", source_key="2", **past)
    InterviewFactory(status="booked", **past)  # nobody has said yet
    InterviewFactory(no_show=True, slot=None, starts_at=None, ends_at=None, booked_at=None)
    assert outcomes("no_show") == outcomes("cancel") == []


def test_leaving_midway_is_having_come():
    past = {"starts_in": timedelta(days=-1)}
    left = InterviewFactory(status="withdrawn", slot=None, **past)
    CancellationFactory(approved=True, interview=left, is_exit=True)
    assert outcomes("no_show") == outcomes("cancel") == [0]


def test_when_an_imported_interview_was_invited_is_not_known():
    InterviewFactory(completed=True, source="old_ats", source_key="1")
    InterviewFactory(completed=True)
    known = [each.facts.invited_at for each in queries.examples("no_show", now=timezone.now())]
    assert sum(at is None for at in known) == 1


def test_too_few_are_said_and_nothing_is_foreseen():
    InterviewFactory(completed=True)
    pytest.importorskip("sklearn")
    trained = services.train_all(now=timezone.now())
    assert {each.verdict for each in trained} == {Verdict.TOO_FEW}
    assert look() == 0


def test_old_trainings_are_forgotten_the_newest_never():
    pytest.importorskip("sklearn")
    model(ago=timedelta(days=400))
    newest = services.train("cancel", now=timezone.now())
    assert list(RiskModel.objects.all()) == [newest]


@pytest.mark.skipif(not SHARED.exists(), reason=f"the shared records are not at {SHARED}")
def test_the_shared_records_imported_train_the_model_that_is_used():
    pytest.importorskip("sklearn")
    with SHARED.open("rb") as stream:
        import_file(stream, mapping.load("attendance"))

    missed, cancelled = services.train_all(now=timezone.now())

    assert (missed.verdict, missed.count, missed.events) == (Verdict.USED, 896, 327)
    assert cancelled.verdict == Verdict.TOO_FEW
    assert missed.measured.brier < missed.measured.base_brier
    unsure(source="attendance", source_key="new")
    assert look() == 1


# --- the command and the tasks ----------------------------------------------------------------


def test_command_trains_and_says_what_came_of_it():
    pytest.importorskip("sklearn")
    output = io.StringIO()
    call_command("train_risk", stdout=output)
    assert "too few appointments" in output.getvalue() or "太少" in output.getvalue()
    assert RiskModel.objects.count() == 2


@pytest.mark.parametrize("text", ["", "name,date\n", "x\n1\n"])
def test_command_refuses_a_file_it_cannot_learn_from(tmp_path, text):
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(CommandError):
        call_command("train_risk", evaluate=str(path))
    with pytest.raises(CommandError):
        call_command("train_risk", evaluate=str(tmp_path / "missing.csv"))
    assert not RiskModel.objects.exists()


def test_without_the_extra_the_command_says_what_to_install(monkeypatch):
    monkeypatch.setattr(training, "find_spec", lambda name: None)
    for number in range(2):
        InterviewFactory(completed=True, source="x", source_key=str(number))
    with pytest.raises(CommandError, match=r"requirements/risk\.txt"):
        call_command("train_risk")
    assert not RiskModel.objects.exists()


def test_without_the_extra_what_was_trained_elsewhere_goes_on(monkeypatch):
    monkeypatch.setattr(training, "find_spec", lambda name: None)
    model()
    unsure()
    tasks.train()
    assert RiskModel.objects.count() == 1
    tasks.look_ahead()
    assert RiskScore.objects.filter(needs_help=True).count() == 1


def test_removing_an_interview_is_not_held_back_by_its_score():
    model()
    interview = unsure(source="x", source_key="1")
    look()
    assert not [
        relation
        for relation in Interview._meta.related_objects
        if relation.related_model is RiskScore
    ]
    assert queries.needing_help(UserFactory(administrator=True), now=timezone.now()).get() == (
        interview
    )
