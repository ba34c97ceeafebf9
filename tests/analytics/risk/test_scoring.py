"""What a model says, and how that is kept: numbers, read without scikit-learn."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from analytics.risk import words
from analytics.risk.evaluation import Evaluation, auc, evaluate
from analytics.risk.plot import calibration
from analytics.risk.scoring import Weights

WEIGHTS = Weights(
    intercept=-1.0,
    weights={"answer:expected=no": 2.0, "answer:expected=yes": -0.8, "moved": 0.05, "weekend": 0.5},
    shares={"answer:expected=no": 0.1, "answer:expected=yes": 0.9, "moved": 0.1, "weekend": 0.5},
    base_rate=0.2,
)


def test_chance_is_logistic_in_the_weights():
    assert WEIGHTS.probability({}) == pytest.approx(0.2689, abs=1e-4)
    assert WEIGHTS.probability({"answer:expected=no": 1.0}) == pytest.approx(0.7311, abs=1e-4)


def test_what_the_model_never_saw_says_nothing():
    assert WEIGHTS.probability({"place=mars": 1.0}) == WEIGHTS.probability({})


def test_no_weight_makes_a_chance_overflow():
    wild = replace(WEIGHTS, weights={"moved": 1e9})
    assert wild.probability({"moved": 1.0}) == pytest.approx(1)
    assert replace(wild, weights={"moved": -1e9}).probability({"moved": 1.0}) == pytest.approx(0)


def test_model_is_kept_as_json():
    again = Weights.from_json(json.loads(json.dumps(WEIGHTS.as_json())))
    assert again == WEIGHTS


def test_factors_are_what_makes_it_likelier_than_usual_the_weightiest_first():
    seen = dict.fromkeys(["answer:expected=no", "weekend", "moved", "place=mars"], 1.0)
    assert WEIGHTS.factors(seen) == ["answer:expected=no", "weekend"]
    assert WEIGHTS.factors({"answer:expected=yes": 1.0}) == []


def test_an_answer_raises_the_chance_by_not_being_the_one_that_lowers_it():
    asked = replace(
        WEIGHTS,
        weights={"answer:call_letter=yes": -1.0, "answer:call_letter=unknown": -0.2},
        shares={"answer:call_letter=yes": 0.8, "answer:call_letter=unknown": 0.2},
    )
    assert asked.factors({"answer:call_letter=unknown": 1.0}) == ["answer:call_letter=unknown"]
    assert asked.factors({"answer:call_letter=yes": 1.0}) == []
    assert asked.factors({"answer:call_letter=no": 1.0}) == []  # never seen while learning


@pytest.mark.parametrize(("usual", "from_"), [(0.1, 0.15), (0.36, 0.54), (0.5, 0.75), (0.9, 0.95)])
def test_help_is_offered_from_half_as_likely_again(usual, from_):
    assert replace(WEIGHTS, base_rate=usual).threshold == pytest.approx(from_)


def test_auc_counts_pairs_and_halves_ties():
    assert auc([0.1, 0.2, 0.8], [0, 0, 1]) == 1.0
    assert auc([0.5, 0.5], [0, 1]) == 0.5
    assert auc([0.9, 0.1, 0.5], [0, 1, 1]) == 0.0
    assert auc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]) == 0.75
    assert auc([0.3, 0.4], [1, 1]) == 0.5


def test_evaluation_by_hand():
    found = evaluate([0.1, 0.6, 0.7, 0.2], [0, 1, 0, 0], base_rate=0.25)
    assert (found.count, found.events) == (4, 1)
    assert found.brier == pytest.approx((0.01 + 0.16 + 0.49 + 0.04) / 4)
    assert found.base_brier == pytest.approx((3 * 0.0625 + 0.5625) / 4)
    assert (found.accuracy, found.base_accuracy) == (0.75, 0.75)
    assert sum(each.count for each in found.bins) == 4
    assert Evaluation.from_json(json.loads(json.dumps(found.as_json()))) == found


def test_metrics_agree_with_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    said = [0.1, 0.4, 0.4, 0.35, 0.8, 0.05, 0.4]
    came = [0, 1, 0, 1, 1, 0, 0]
    found = evaluate(said, came, base_rate=0.3)
    assert found.auc == pytest.approx(metrics.roc_auc_score(came, said))
    assert found.brier == pytest.approx(metrics.brier_score_loss(came, said))


def test_better_means_better_than_the_usual_rate():
    good = evaluate([0.1, 0.9], [0, 1], base_rate=0.5)
    assert good.is_better
    assert not replace(good, brier=good.base_brier).is_better
    assert not evaluate([0.9, 0.1], [0, 1], base_rate=0.5).is_better


def test_better_by_a_hair_is_not_better():
    """By hand: better by 0.0525, 0.4025, -0.4275 and 0.0225, which is 0.0125 on average."""
    found = evaluate([0.1, 0.6, 0.7, 0.2], [0, 1, 0, 0], base_rate=0.25)
    assert found.base_brier - found.brier == pytest.approx(0.0125)
    assert found.standard_error == pytest.approx(0.1702, abs=1e-4)
    assert not found.is_better
    assert replace(found, standard_error=0.0124).is_better
    told = found.as_json()
    del told["standard_error"]  # of a model that was trained before it was asked for
    assert Evaluation.from_json(told).standard_error == 0


def test_points_of_the_plot_stand_where_they_belong():
    found = evaluate([0.0, 0.0, 1.0, 1.0, 0.5, 0.5], [0, 0, 1, 1, 0, 1], base_rate=0.5)
    plot = calibration(found.bins)
    assert (plot.points[0].x, plot.points[0].y) == (plot.edge, plot.end)
    assert (plot.points[-1].x, plot.points[-1].y) == (plot.end, plot.edge)
    assert sum(point.bin.count for point in plot.points) == 6
    assert calibration([]).points == []


@pytest.mark.parametrize(
    ("code", "text", "help"),
    [
        ("answer:venue_clear=no", "Are you clear with the venue details", "landmark"),
        ("weekend", "It is at a weekend", "another time"),
        ("department=d1", "this department", ""),
        ("kind=on_site", "On-site interview", ""),
        ("appointment=walk_in", "without a fixed time", ""),
        ("something_newer=1", "something_newer=1", ""),
    ],
)
def test_factors_are_said_in_plain_words(code, text, help, settings):
    settings.LANGUAGE_CODE = "en"
    [factor] = words.factors([code], "attendance")
    assert text in factor.text
    assert help in factor.help


def test_pages_and_scores_load_nothing_of_scikit_learn():
    code = (
        "import sys, django; django.setup();"
        "import analytics.risk.views, analytics.risk.services, analytics.risk.tasks;"
        "sys.exit(any(name in sys.modules for name in ('sklearn', 'scipy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
