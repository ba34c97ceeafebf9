"""Training, the one place that needs the extra `risk` (scikit-learn)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from typing import Any
from zoneinfo import ZoneInfo

from analytics.risk.evaluation import (
    LEAST_EVENTS,
    LEAST_EXAMPLES,
    LEAST_HELD_OUT,
    Evaluation,
    Verdict,
    evaluate,
)
from analytics.risk.facts import Facts, features
from analytics.risk.scoring import Weights

HELD_OUT = 0.2
# Of the penalty, inverse, the strongest first; chosen by cross-validation.
STRENGTHS = (0.03, 0.1, 0.3, 1.0)
FOLDS = 5
SEEN_AT_LEAST = 10  # appointments a statement is true of, and not true of
SEED = 0


class NotInstalled(Exception):
    """The extra `risk` is not there."""


def is_installed() -> bool:
    """Whether this process could train, without loading what it would train with."""
    return find_spec("sklearn") is not None


def require_installed() -> None:
    """Raises NotInstalled."""
    if not is_installed():
        raise NotInstalled


@dataclass(frozen=True)
class Example:
    """What was known of an appointment, and whether what is foreseen happened (1) or not (0)."""

    facts: Facts
    happened: int

    @property
    def starts_at(self) -> datetime:
        if self.facts.starts_at is None:
            raise ValueError("An appointment without a time teaches nothing")
        return self.facts.starts_at


@dataclass(frozen=True)
class Trained:
    """What came of it. Without weights where there was too little to learn from."""

    verdict: Verdict
    count: int
    events: int
    weights: Weights | None = None
    evaluation: Evaluation | None = None


def train(examples: Sequence[Example], zone: ZoneInfo) -> Trained:
    """Learn from all but the latest fifth, be measured by that fifth, then learn from all.

    Raises NotInstalled.
    """
    count, events = len(examples), sum(example.happened for example in examples)
    earlier, later = in_order(examples)
    if (
        count < LEAST_EXAMPLES
        or not _enough(earlier, LEAST_EVENTS)
        or not _enough(later, LEAST_HELD_OUT)
    ):
        return Trained(Verdict.TOO_FEW, count, events)
    evaluation = measure(earlier, later, zone)
    verdict = Verdict.USED if evaluation.is_better else Verdict.NOT_BETTER
    return Trained(verdict, count, events, fit(examples, zone), evaluation)


def _enough(examples: Sequence[Example], least: int) -> bool:
    events = sum(example.happened for example in examples)
    return min(events, len(examples) - events) >= least


def in_order(examples: Sequence[Example]) -> tuple[list[Example], list[Example]]:
    """The earlier four fifths and the latest one; what begins at the same time stays together."""
    ordered = sorted(examples, key=lambda example: example.starts_at)
    if not ordered:
        return [], []
    cut = ordered[min(int(len(ordered) * (1 - HELD_OUT)), len(ordered) - 1)].starts_at
    return (
        [example for example in ordered if example.starts_at < cut],
        [example for example in ordered if example.starts_at >= cut],
    )


def at_random(examples: Sequence[Example], seed: int) -> tuple[list[Example], list[Example]]:
    """Four fifths and one, drawn by `seed`."""
    require_installed()
    from sklearn.model_selection import train_test_split

    known, held_out = train_test_split(list(examples), test_size=HELD_OUT, random_state=seed)
    return known, held_out


def measure(known: Sequence[Example], held_out: Sequence[Example], zone: ZoneInfo) -> Evaluation:
    """Learn from `known`, and say of `held_out` what would have been said on the desk."""
    weights = fit(known, zone)
    foreseen = [weights.probability(features(example.facts, zone)) for example in held_out]
    outcomes = [example.happened for example in held_out]
    return evaluate(foreseen, outcomes, base_rate=weights.base_rate)


def fit(examples: Sequence[Example], zone: ZoneInfo) -> Weights:
    """A logistic regression with an L2 penalty, its strength chosen and its probabilities
    calibrated by cross-validation; nothing but `examples` is looked at."""
    require_installed()
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_predict
    from threadpoolctl import threadpool_limits

    statements = DictVectorizer()
    seen = statements.fit_transform(features(example.facts, zone) for example in examples)
    outcomes = [example.happened for example in examples]
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    with threadpool_limits(1):  # what is this small only waits for its threads
        search = GridSearchCV(
            _pipeline(len(examples)),
            {"model__C": STRENGTHS},
            scoring="neg_log_loss",
            refit=_strictest,
            cv=folds,
            n_jobs=1,
        ).fit(seen, outcomes)
        best = search.best_estimator_
        # Platt's scaling, on what each fold was not shown: it undoes how much the penalty shrinks.
        said = cross_val_predict(
            best, seen, outcomes, cv=folds, method="decision_function", n_jobs=1
        )
        platt = LogisticRegression(C=1.0).fit(said.reshape(-1, 1), outcomes)
    slope, shift = float(platt.coef_[0][0]), float(platt.intercept_[0])
    names = best[:-1].get_feature_names_out(statements.get_feature_names_out())
    shares = seen.mean(axis=0).A1
    always = dict(zip(statements.get_feature_names_out(), shares, strict=True))
    # Numbers that can be written down: no pickle is ever stored or read.
    return Weights(
        intercept=slope * float(best[-1].intercept_[0]) + shift,
        weights={
            str(name): slope * float(weight)
            for name, weight in zip(names, best[-1].coef_[0], strict=True)
        },
        shares={str(name): float(always[name]) for name in names},
        base_rate=sum(outcomes) / len(outcomes),
    )


def _strictest(found: Any) -> int:
    """The strongest penalty no worse than the best one beyond its standard error (Breiman's rule):
    what differs by less is chance, and a weight that is not needed is one more to explain."""
    scores, spread = found["mean_test_score"], found["std_test_score"]
    best = int(scores.argmax())
    enough = scores[best] - spread[best] / FOLDS**0.5
    return next(index for index, score in enumerate(scores) if score >= enough)


def _pipeline(count: int) -> Any:
    from sklearn.feature_selection import VarianceThreshold
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline

    rare = SEEN_AT_LEAST / count
    return Pipeline(
        [
            ("often_enough", VarianceThreshold(rare * (1 - rare))),
            ("model", LogisticRegression(max_iter=1000)),
        ]
    )
