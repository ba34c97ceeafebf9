"""Training, and looking ahead. What comes of a score is help: an earlier reminder, and a line on a
page that asks HR to call. No status, decision, mark or order of anybody depends on it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings
from django.db import transaction

from analytics.risk import queries, training
from analytics.risk.facts import Target, features
from analytics.risk.models import RiskModel, RiskScore
from analytics.risk.queries import Coming
from analytics.risk.scoring import Weights
from interviews.models import Interview
from interviews.reminders import planning
from interviews.states import InterviewStatus

logger = structlog.get_logger(__name__)

ZONE = ZoneInfo(settings.TIME_ZONE)
KEPT = timedelta(days=365)


def train(target: str, *, now: datetime) -> RiskModel:
    """Learn anew from what is there; the newest counts, and says itself whether it is used.

    Raises training.NotInstalled, and then changes nothing.
    """
    trained = training.train(queries.examples(target, now=now), ZONE)
    with transaction.atomic():
        model = RiskModel.objects.create(
            target=target,
            trained_at=now,
            verdict=trained.verdict,
            count=trained.count,
            events=trained.events,
            weights=trained.weights.as_json() if trained.weights else None,
            evaluation=trained.evaluation.as_json() if trained.evaluation else None,
        )
        RiskModel.objects.filter(trained_at__lt=now - KEPT).exclude(pk=model.pk).delete()
    logger.info("risk_trained", target=target, verdict=trained.verdict, count=trained.count)
    return model


def train_all(*, now: datetime) -> list[RiskModel]:
    """One model for each thing that is foreseen. Raises training.NotInstalled."""
    training.require_installed()
    return [train(target, now=now) for target in Target]


def look_ahead(*, now: datetime) -> int:
    """What the models in use say of everything booked for the next days, and an earlier reminder
    where it may help; how many appointments may need it. Twice changes nothing."""
    models = {
        target: model.learned for target, model in queries.newest_models().items() if model.is_used
    }
    found = 0
    if models:
        for batch in queries.ahead(now):
            found += _look_at(batch, models, now)
    # What was not looked at just now is over, moved far ahead, or foreseen by nothing any more.
    RiskScore.objects.filter(scored_at__lt=now).delete()
    logger.info("risk_looked_ahead", models=len(models), found=found)
    return found


def _look_at(batch: Sequence[Coming], models: dict[str, Weights], now: datetime) -> int:
    scores = [
        _score(target, weights, coming, now)
        for coming in batch
        for target, weights in models.items()
    ]
    needing = {score.interview for score in scores if score.needs_help}
    with transaction.atomic():
        RiskScore.objects.bulk_create(
            scores,
            update_conflicts=True,
            unique_fields=["interview", "target"],
            update_fields=[
                *("department", "starts_at", "probability", "needs_help", "factors", "scored_at")
            ],
        )
    if needing:
        _remind_earlier(needing, now)
    return len(needing)


def _score(target: str, weights: Weights, coming: Coming, now: datetime) -> RiskScore:
    seen = features(coming.facts, ZONE)
    probability = weights.probability(seen)
    return RiskScore(
        interview=coming.interview,
        target=target,
        department=coming.department,
        starts_at=coming.starts_at,
        probability=probability,
        needs_help=probability >= weights.threshold,
        factors=weights.factors(seen),
        scored_at=now,
    )


@transaction.atomic
def _remind_earlier(interviews: set[int], now: datetime) -> None:
    """Whoever is in somebody's hands right now is planned for an hour later."""
    booked = Interview.objects.filter(pk__in=interviews, status=InterviewStatus.BOOKED)
    locked = booked.order_by("pk").select_for_update(of=("self",), no_key=True, skip_locked=True)
    planning.plan_help(list(locked.values_list("pk", flat=True)), now=now)
