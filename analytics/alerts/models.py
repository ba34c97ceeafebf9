"""Which rates are watched, and where one has crossed its threshold. Lock order: a rule's turn
(`services.wait_for_turn`), then its alerts, then work items."""

from dataclasses import dataclass
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from analytics.alerts import rules
from analytics.figures import SMALL, Period, Rate
from config.tracking import tracked
from interviews.models import InterviewKind

MOST_DAYS = 92


class Measure(models.TextChoices):
    """The rate that is watched."""

    NO_SHOW = "no_show", pgettext_lazy("figures", "Did not come")
    NO_REPLY = "no_reply", _("Let the invitation run out")
    CANCEL = "cancel", pgettext_lazy("figures", "Cancelled")
    EXIT = "exit", pgettext_lazy("figures", "Left midway")
    INCOMPLETE = "incomplete", pgettext_lazy("figures", "Not finished")
    UNDELIVERED = "undelivered", _("Text messages and mails did not arrive")
    MISMATCH = "mismatch", _("Data did not match")


class Whose(models.TextChoices):
    """What it is watched in: each of them for itself."""

    COMPANY = "company", _("the whole company")
    DEPARTMENT = "department", _("each department")
    POSITION = "position", _("each position")
    SOURCE = "source", _("each source")


@dataclass(frozen=True)
class Key:
    """One of those a rule watches: a department or position by its id, a source by its code."""

    owner: int = 0
    source: str = ""


class AlertRule(models.Model):
    """A rate that is watched over the last days, today among them, and where it looks ahead over
    the next ones as well (analytics/alerts/rules.py).

    An alert opens above `threshold` and closes at `threshold` - `margin` or below; of fewer than
    `minimum` nothing is said. `is_due`: figures have changed since `checked_at`.
    """

    name = models.CharField(
        _("what it is called"),
        max_length=100,
        blank=True,
        default="",
        help_text=_("Empty: as what it watches."),
    )
    rate = models.CharField(_("rate"), max_length=12, choices=Measure.choices)
    scope = models.CharField(
        _("in"),
        max_length=10,
        choices=Whose.choices,
        help_text=_("Each is watched for itself. Imported batches are told apart by their source."),
    )
    kind = models.CharField(
        _("kind of interview"),
        max_length=10,
        choices=InterviewKind.choices,
        blank=True,
        default="",
    )
    days = models.PositiveSmallIntegerField(
        _("number of days"),
        default=7,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_DAYS)],
        help_text=_(
            "The last days, today among them. Everything counts on the day of the interview: where"
            " much is cancelled or messages do not arrive, the next 14 days are looked at as well."
            " Invitations count on the day they were made: take more days than there are to answer."
        ),
    )
    threshold = models.PositiveSmallIntegerField(
        _("more than, in per cent"),
        validators=[MinValueValidator(1), MaxValueValidator(99)],
        help_text=_("At 8, an alert opens at 9 % and not at 8 %."),
    )
    margin = models.PositiveSmallIntegerField(
        _("closes so many points below"),
        default=2,
        validators=[MinValueValidator(1), MaxValueValidator(98)],
        help_text=_("So that an alert does not open and close with every case."),
    )
    minimum = models.PositiveIntegerField(
        _("of at least"),
        default=SMALL,
        validators=[MinValueValidator(SMALL), MaxValueValidator(1_000_000)],
        help_text=_("Of fewer nothing is said. At least 20."),
    )
    is_active = models.BooleanField(_("switched on"), default=True)
    is_due = models.BooleanField(default=True, editable=False)
    checked_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("rule for alerts")
        verbose_name_plural = _("rules for alerts")
        ordering = ["pk"]
        triggers = [
            tracked(
                "name",
                "rate",
                "scope",
                "kind",
                "days",
                "threshold",
                "margin",
                "minimum",
                "is_active",
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["rate", "scope", "kind", "days", "threshold"],
                name="alert_rule_once",
                violation_error_message=_("There is such a rule already."),
            ),
            models.CheckConstraint(
                name="alert_rule_threshold", condition=Q(threshold__gte=1, threshold__lte=99)
            ),
            models.CheckConstraint(
                name="alert_rule_days", condition=Q(days__gte=1, days__lte=MOST_DAYS)
            ),
            models.CheckConstraint(name="alert_rule_enough_cases", condition=Q(minimum__gte=SMALL)),
            models.CheckConstraint(
                name="alert_rule_closes_below",
                condition=Q(margin__gte=1) & Q(margin__lte=F("threshold")),
                violation_error_message=_("It cannot close below zero."),
            ),
        ]

    def __str__(self) -> str:
        if self.name:
            return self.name
        what, where = self.get_rate_display(), self.get_scope_display()
        return f"{what} > {self.threshold} %, {where}"

    @property
    def closes_at(self) -> int:
        """Per cent."""
        return self.threshold - self.margin


class Ending(models.TextChoices):
    """Why an alert is over."""

    RECOVERED = "recovered", _("The rate has gone down.")
    TOO_FEW = "too_few", _("There are too few cases left in its days to say anything.")
    SWITCHED_OFF = "off", _("Its rule was switched off or removed.")
    CHANGED = "changed", _("Its rule was changed to watch something else.")


class AlertQuerySet(models.QuerySet["Alert"]):
    def open(self) -> "AlertQuerySet":
        return self.filter(closed_at=None)


class Alert(models.Model):
    """A rate was above its threshold, from `opened_at` to `closed_at`.

    What the rule said stands here too: rules change and go. Rates are kept as their two counts: at
    the opening, now (or at the end), and at the worst, of which `evidence` says what stood out
    (analytics/alerts/causes.py): codes and counts only. `until` is the day until which the last
    days are counted; `calm_since` when the rate was low enough to close, if it still is.
    """

    rule = models.ForeignKey(
        AlertRule,
        on_delete=models.SET_NULL,
        null=True,
        related_name="alerts",
        verbose_name=_("rule"),
    )
    rate = models.CharField(_("rate"), max_length=12, choices=Measure.choices)
    scope = models.CharField(_("in"), max_length=10, choices=Whose.choices)
    owner = models.BigIntegerField(_("department or position"), default=0)
    source = models.CharField(_("source"), max_length=40, blank=True, default="")
    kind = models.CharField(
        _("kind of interview"), max_length=10, choices=InterviewKind.choices, blank=True, default=""
    )
    days = models.PositiveSmallIntegerField(_("number of days"))
    threshold = models.PositiveSmallIntegerField(_("more than, in per cent"))
    opened_at = models.DateTimeField(_("opened"))
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    ending = models.CharField(
        _("why it is over"), max_length=10, choices=Ending.choices, blank=True, default=""
    )
    calm_since = models.DateTimeField(null=True, blank=True, editable=False)
    until = models.DateField(_("counted to"))
    first_count = models.PositiveIntegerField(_("number at the opening"))
    first_whole = models.PositiveIntegerField(_("of, at the opening"))
    count = models.PositiveIntegerField(_("number now"))
    whole = models.PositiveIntegerField(_("of, now"))
    worst_count = models.PositiveIntegerField(_("number at the worst"))
    worst_whole = models.PositiveIntegerField(_("of, at the worst"))
    evidence = models.JSONField(_("evidence"), default=list, blank=True)

    objects = AlertQuerySet.as_manager()

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        indexes = [
            models.Index(
                fields=["-closed_at", "-id"],
                name="alert_past",
                condition=Q(closed_at__isnull=False),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "scope", "owner", "source"],
                name="alert_once",
                condition=Q(closed_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_rate_display()} · {self.scope}:{self.owner or self.source}"

    @property
    def subject(self) -> str:
        """What its work item and its messages are about."""
        return f"alert:{self.pk}"

    @property
    def key(self) -> Key:
        return Key(self.owner, self.source)

    @property
    def now(self) -> Rate:
        return Rate(self.count, self.whole)

    @property
    def first(self) -> Rate:
        return Rate(self.first_count, self.first_whole)

    @property
    def worst(self) -> Rate:
        return Rate(self.worst_count, self.worst_whole)

    @property
    def period(self) -> Period:
        """The days that are counted."""
        return rules.window(self.rate, self.days, self.until)

    def take_note(self, rate: Rate, until: Any) -> bool:
        """How it stands now; whether it was never as bad before."""
        self.count, self.whole, self.until = rate.numerator, rate.denominator, until
        if rate.is_small or not rules.is_worse(rate, self.worst):
            return False
        self.worst_count, self.worst_whole = rate.numerator, rate.denominator
        return True
