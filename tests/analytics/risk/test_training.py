"""Learning: honestly measured, not used where it is no better, and above the floor on the shared
records."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean
from zoneinfo import ZoneInfo

import pytest

from analytics.risk import records, training
from analytics.risk.evaluation import LEAST_EXAMPLES, Verdict
from analytics.risk.facts import Facts, features
from analytics.risk.training import Example, NotInstalled

pytest.importorskip("sklearn", reason="the extra “risk” is not installed")

ZONE = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 1, 5, 4, tzinfo=UTC)
SHARED = Path(__file__).resolve().parents[4] / "shared/data/interview_attendance.csv"
needs_shared_file = pytest.mark.skipif(
    not SHARED.exists(), reason=f"the shared records are not at {SHARED}"
)


def some(count, *, chance):
    """`chance(answer)` of missing it; every third expects not to come."""
    draw = random.Random(7)
    found = []
    for number in range(count):
        answer = "no" if number % 3 == 0 else "yes"
        facts = Facts(answers={"expected": answer}, starts_at=START + timedelta(hours=number))
        found.append(Example(facts, int(draw.random() < chance(answer))))
    return found


def test_what_can_be_foreseen_is_and_is_used():
    trained = training.train(some(400, chance=lambda a: 0.8 if a == "no" else 0.1), ZONE)
    assert trained.verdict == Verdict.USED
    no, yes = (
        trained.weights.probability(features(Facts(answers={"expected": answer}), ZONE))
        for answer in ("no", "yes")
    )
    assert no == pytest.approx(0.8, abs=0.1)  # calibrated, though the penalty shrinks
    assert yes == pytest.approx(0.1, abs=0.1)


def test_what_is_no_better_than_the_usual_rate_is_not_used():
    """What it learnt from the past turns into its opposite."""
    before = some(400, chance=lambda a: 0.8 if a == "no" else 0.1)
    turned = [
        Example(each.facts, int(each.facts.answers["expected"] == "yes")) for each in before[320:]
    ]
    trained = training.train(before[:320] + turned, ZONE)
    assert trained.verdict == Verdict.NOT_BETTER
    assert trained.evaluation.brier > trained.evaluation.base_brier


@pytest.mark.parametrize(
    "examples",
    [
        [],
        some(1, chance=lambda a: 1),
        some(LEAST_EXAMPLES - 1, chance=lambda a: 0.5),
        some(1000, chance=lambda a: 0),
        some(1000, chance=lambda a: 1),
    ],
)
def test_too_little_to_learn_from_is_said(examples):
    trained = training.train(examples, ZONE)
    assert (trained.verdict, trained.weights, trained.evaluation) == (Verdict.TOO_FEW, None, None)


def test_held_out_are_the_latest_and_a_day_is_not_cut_apart():
    examples = some(10, chance=lambda a: 0.5)
    together = [Example(Facts(starts_at=START + timedelta(hours=7)), 0)] * 5
    earlier, later = training.in_order([*examples[:7], *together, *examples[8:]])
    assert max(each.starts_at for each in earlier) < min(each.starts_at for each in later)
    assert len(earlier) + len(later) == 14
    assert sum(each.starts_at == START + timedelta(hours=7) for each in later) in {0, 5}


def test_training_sees_nothing_of_what_is_held_out(monkeypatch):
    seen = []
    fit = training.fit
    monkeypatch.setattr(training, "fit", lambda known, zone: seen.append(known) or fit(known, zone))
    known, held_out = training.at_random(some(300, chance=lambda a: 0.5), 3)
    training.measure(known, held_out, ZONE)
    assert seen == [known]
    assert not {each.starts_at for each in known} & {each.starts_at for each in held_out}


def test_same_examples_give_the_same_model():
    examples = some(300, chance=lambda a: 0.6 if a == "no" else 0.3)
    assert training.fit(examples, ZONE) == training.fit(examples, ZONE)


def test_without_the_extra_it_says_so(monkeypatch):
    monkeypatch.setattr(training, "find_spec", lambda name: None)
    assert not training.is_installed()
    with pytest.raises(NotInstalled):
        training.fit(some(300, chance=lambda a: 0.5), ZONE)


@pytest.fixture(scope="module")
def shared():
    return records.read(SHARED, "attendance")


@needs_shared_file
def test_shared_records_are_read_as_the_importer_reads_them(shared):
    assert len(shared) == 896
    assert sum(each.happened for each in shared) == 327
    assert {len(each.facts.answers) for each in shared} == {8}


@needs_shared_file
def test_floor_on_the_shared_records(shared):
    """A random fifth held out, five seeds. Plain logistic regression: 0.699, 0.200, 0.680;
    “everybody comes”: 0.635."""
    found = [training.measure(*training.at_random(shared, seed), ZONE) for seed in range(5)]
    assert fmean(each.auc for each in found) >= 0.70
    assert fmean(each.brier for each in found) <= 0.200
    assert fmean(each.accuracy for each in found) >= 0.68


@needs_shared_file
def test_latest_fifth_of_the_shared_records_is_foreseen_better_than_by_the_usual_rate(shared):
    trained = training.train(shared, ZONE)
    assert trained.verdict == Verdict.USED
    assert trained.evaluation.auc > 0.6
