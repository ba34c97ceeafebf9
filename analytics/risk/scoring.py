"""A trained model, as numbers that can be written down, and what it says of an appointment. Pure,
and without scikit-learn: whoever shows or sweeps scores needs nothing installed."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MOST_FACTORS = 4
WORTH_SAYING = 0.1  # of log odds: less than that no reader would call a reason to think so


@dataclass(frozen=True)
class Weights:
    """A logistic model: log odds are `intercept` plus the weight of every statement that is true.
    `shares` is how often each was true of the appointments it was trained on."""

    intercept: float
    weights: Mapping[str, float]
    shares: Mapping[str, float]
    base_rate: float

    def as_json(self) -> dict[str, Any]:
        return {
            "intercept": self.intercept,
            "weights": dict(self.weights),
            "shares": dict(self.shares),
            "base_rate": self.base_rate,
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> "Weights":
        return cls(told["intercept"], told["weights"], told["shares"], told["base_rate"])

    def probability(self, features: Mapping[str, float]) -> float:
        odds = self.intercept + sum(
            self.weights.get(name, 0.0) * value for name, value in features.items()
        )
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, odds))))

    def factors(self, features: Mapping[str, float]) -> list[str]:
        """What of it makes this one likelier than usual, the weightiest first. A question counts as
        a whole: an answer also raises the chance by not being the one that lowers it."""
        raising: dict[str, float] = {}
        for name, weight in self.weights.items():
            question = name.partition("=")[0]
            differs = features.get(name, 0.0) - self.shares.get(name, 0.0)
            raising[question] = raising.get(question, 0.0) + weight * differs
        known = {name: raising[name.partition("=")[0]] for name in features if name in self.weights}
        chosen = [name for name, weight in known.items() if weight >= WORTH_SAYING]
        return sorted(chosen, key=lambda name: (-known[name], name))[:MOST_FACTORS]

    @property
    def threshold(self) -> float:
        """From where help is offered: half as likely again as usual, or half of what is left to
        certainty where usual is often."""
        return min(1.5 * self.base_rate, (1 + self.base_rate) / 2)
