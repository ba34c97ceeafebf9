"""Models that were trained, and what the current ones say of appointments ahead."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from analytics.risk.evaluation import Evaluation, Verdict
from analytics.risk.facts import Target
from analytics.risk.scoring import Weights


class RiskModel(models.Model):
    """One training: its weights, how it did on what it had not seen, and so whether it is used. The
    newest of a target counts, also where it is not used."""

    target = models.CharField(_("foresees"), max_length=10, choices=Target.choices)
    trained_at = models.DateTimeField(_("trained"))
    verdict = models.CharField(_("use"), max_length=10, choices=Verdict.choices)
    count = models.PositiveIntegerField(_("appointments it was trained on"))
    events = models.PositiveIntegerField(_("of these, what is foreseen happened"))
    weights = models.JSONField(_("weights"), null=True, blank=True)
    evaluation = models.JSONField(_("evaluation"), null=True, blank=True)

    class Meta:
        verbose_name = _("model of who may need help")
        verbose_name_plural = _("models of who may need help")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="risk_model_used_is_whole",
                condition=~Q(verdict=Verdict.USED.value)
                | Q(weights__isnull=False, evaluation__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.target} · {timezone.localtime(self.trained_at):%Y-%m-%d %H:%M}"

    @property
    def is_used(self) -> bool:
        return self.verdict == Verdict.USED

    @property
    def learned(self) -> Weights:
        """Of a model that is used."""
        return Weights.from_json(self.weights or {})

    @property
    def usual_rate(self) -> float:
        return self.events / self.count if self.count else 0.0

    @property
    def measured(self) -> Evaluation | None:
        told: dict[str, Any] | None = self.evaluation
        return Evaluation.from_json(told) if told else None


class RiskScore(models.Model):
    """What the current model says of one appointment ahead. It goes when that time has come:
    nothing of it is kept about anybody.

    `interview` is a key without a constraint: a score holds nobody back from removing an interview,
    and is read only through interviews that are there.
    """

    interview = models.BigIntegerField(_("interview"))
    target = models.CharField(_("foresees"), max_length=10, choices=Target.choices)
    department = models.BigIntegerField(_("department"))
    starts_at = models.DateTimeField(_("starts"))
    probability = models.FloatField(_("chance"))
    needs_help = models.BooleanField(_("may need help"))
    factors = models.JSONField(_("factors"), default=list, blank=True)
    scored_at = models.DateTimeField(_("looked at"))

    class Meta:
        verbose_name = _("appointment that may need help")
        verbose_name_plural = _("appointments that may need help")
        ordering = ["starts_at", "interview", "target"]
        indexes = [
            models.Index(
                fields=["starts_at", "interview"],
                name="risk_score_needs_help",
                condition=Q(needs_help=True),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["interview", "target"], name="risk_score_once_per_target"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.interview} · {self.target}"
