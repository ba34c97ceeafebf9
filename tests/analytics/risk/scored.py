"""Models and appointments for the tests here."""

from datetime import timedelta

from django.utils import timezone

from analytics.risk.evaluation import Bin, Evaluation, Verdict
from analytics.risk.models import RiskModel
from analytics.risk.scoring import Weights

WEIGHTS = Weights(
    intercept=-1.5,
    weights={"answer:expected=no": 3.0, "answer:expected=yes": -0.5},
    shares={"answer:expected=no": 0.1, "answer:expected=yes": 0.7},
    base_rate=0.3,
)
EVALUATION = Evaluation(
    count=180, events=60, auc=0.712, brier=0.191, base_brier=0.222, accuracy=0.7,
    base_accuracy=0.667, bins=[Bin(0.1, 5, 90), Bin(0.6, 55, 90)],
)  # fmt: skip


def model(target="no_show", *, verdict=Verdict.USED, weights=WEIGHTS, ago=timedelta(hours=3)):
    learnt = verdict != Verdict.TOO_FEW
    return RiskModel.objects.create(
        target=target,
        trained_at=timezone.now() - ago,
        verdict=verdict,
        count=900,
        events=270,
        weights=weights.as_json() if learnt else None,
        evaluation=EVALUATION.as_json() if learnt else None,
    )
