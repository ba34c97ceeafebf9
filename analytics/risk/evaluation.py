"""How well a model foresaw what it had not seen. Pure."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from statistics import stdev
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

BINS = 5
LEAST_EXAMPLES = 200
LEAST_EVENTS = 30  # of what is foreseen, among what it was trained on
LEAST_HELD_OUT = 10  # and among what was held out


class Verdict(TextChoices):
    """Whether a model is used."""

    USED = "used", _("In use")
    NOT_BETTER = "not_better", _("Not used: no better than the usual rate")
    TOO_FEW = "too_few", _("Not used: too few appointments to learn from")


@dataclass(frozen=True)
class Bin:
    """Held-out appointments that were told about the same chance."""

    foreseen: float
    happened: int
    count: int


@dataclass(frozen=True)
class Evaluation:
    """On held-out appointments. `base_brier` is what saying the usual rate of everybody gets."""

    count: int
    events: int
    auc: float
    brier: float
    base_brier: float
    accuracy: float
    base_accuracy: float
    bins: list[Bin] = field(default_factory=list)
    standard_error: float = 0.0  # of base_brier - brier, appointment by appointment

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> "Evaluation":
        return cls(**{**told, "bins": [Bin(**each) for each in told["bins"]]})

    @property
    def is_better(self) -> bool:
        """Than the usual rate: what a model has to be to be used.

        Its error has to be smaller by more than the standard error of the paired difference: a
        model that knows nothing is better by a hair every other night.
        """
        return self.base_brier - self.brier > self.standard_error and self.auc > 0.5


def evaluate(
    probabilities: Sequence[float], outcomes: Sequence[int], *, base_rate: float
) -> Evaluation:
    """`base_rate` is that of what the model was trained on, which is all one could have said."""
    count, events = len(outcomes), sum(outcomes)
    pairs = list(zip(probabilities, outcomes, strict=True))
    gained = [(base_rate - y) ** 2 - (p - y) ** 2 for p, y in pairs]
    return Evaluation(
        count=count,
        events=events,
        auc=auc(probabilities, outcomes),
        brier=sum((p - y) ** 2 for p, y in pairs) / count,
        base_brier=sum((base_rate - y) ** 2 for y in outcomes) / count,
        accuracy=sum((p > 0.5) == bool(y) for p, y in pairs) / count,
        base_accuracy=sum((base_rate > 0.5) == bool(y) for y in outcomes) / count,
        bins=_bins(pairs),
        standard_error=stdev(gained) / count**0.5 if count > 1 else 0.0,
    )


def auc(probabilities: Sequence[float], outcomes: Sequence[int]) -> float:
    """How often one that happened was told a higher chance than one that did not; ties count half
    (Mann and Whitney). 0.5 where there is nothing to compare."""
    events = sum(outcomes)
    others = len(outcomes) - events
    if not events or not others:
        return 0.5
    ordered = sorted(zip(probabilities, outcomes, strict=True))
    ranks = 0.0
    start = 0
    while start < len(ordered):
        end = start
        while end < len(ordered) and ordered[end][0] == ordered[start][0]:
            end += 1
        ranks += (start + end + 1) / 2 * sum(outcome for _, outcome in ordered[start:end])
        start = end
    return (ranks - events * (events + 1) / 2) / (events * others)


def _bins(pairs: Sequence[tuple[float, int]]) -> list[Bin]:
    """Equally many in each, the least likely first."""
    ordered = sorted(pairs)
    cuts = [round(number * len(ordered) / BINS) for number in range(BINS + 1)]
    parts = [ordered[start:end] for start, end in pairwise(cuts)]
    return [
        Bin(sum(p for p, _ in part) / len(part), sum(y for _, y in part), len(part))
        for part in parts
        if part
    ]
