"""Who is reminded of what and when, and what became of it. Lock order: interview, then step."""

from datetime import timedelta

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from config.tracking import tracked
from interviews.reminders import rules

MOST_MINUTES = 60 * 24 * 60  # sixty days
LONGEST_TROUBLE = 500  # characters


class ReminderRule(models.Model):
    """One thing that happens by itself, so many minutes after an anchor (before it: negative), to
    every interview in a status.

    `plan_from` is the key of the first interview whose steps are still to be planned anew since the
    rule was changed; empty: none.
    """

    stage = models.CharField(_("while an interview is"), max_length=12, choices=rules.When.choices)
    kind = models.CharField(
        _("kind of interview"),
        max_length=10,
        choices=[("ai", _("AI interview")), ("on_site", _("On-site interview"))],
        blank=True,
        default="",
    )
    anchor = models.CharField(_("counted from"), max_length=10, choices=rules.Anchor.choices)
    minutes = models.IntegerField(
        _("minutes after it"),
        validators=[MinValueValidator(-MOST_MINUTES), MaxValueValidator(MOST_MINUTES)],
        help_text=_("Negative: before it."),
    )
    what = models.CharField(_("what happens"), max_length=10, choices=rules.What.choices)
    message = models.CharField(
        _("message"), max_length=40, choices=rules.Words.choices, blank=True, default=""
    )
    channels = models.CharField(
        _("by"), max_length=10, choices=rules.Channels.choices, default=rules.Channels.BOTH
    )
    unless = models.CharField(
        _("unless"), max_length=10, choices=rules.Unless.choices, blank=True, default=""
    )
    whom = models.CharField(
        pgettext_lazy("a rule", "for"),
        max_length=10,
        choices=rules.Whom.choices,
        blank=True,
        default="",
        db_default="",
        help_text=_("Who may need help is looked at every hour, where anything can be foreseen."),
    )
    useful_minutes = models.PositiveIntegerField(
        _("minutes it is still of use"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(MOST_MINUTES)],
        help_text=_("What could not happen in time is dropped after that. Empty: never."),
    )
    is_active = models.BooleanField(_("switched on"), default=True)
    plan_from = models.BigIntegerField(null=True, blank=True, default=0, editable=False)

    class Meta:
        verbose_name = _("rule for reminders")
        verbose_name_plural = _("rules for reminders")
        ordering = ["stage", "anchor", "minutes", "pk"]
        triggers = [
            tracked(
                "stage",
                "kind",
                "anchor",
                "minutes",
                "what",
                "message",
                "channels",
                "unless",
                "whom",
                "useful_minutes",
                "is_active",
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["stage", "kind", "anchor", "minutes", "what", "message", "whom"],
                name="reminder_rule_once",
                violation_error_message=_("There is such a rule already."),
            ),
            models.CheckConstraint(
                name="reminder_rule_message_or_none",
                condition=Q(what=rules.What.MESSAGE) & ~Q(message="")
                | ~Q(what=rules.What.MESSAGE) & Q(message=""),
                violation_error_message=_("Choose a message, or something else to happen."),
            ),
        ]

    def __str__(self) -> str:
        what = self.get_message_display() if self.message else self.get_what_display()
        return f"{what} ({self.get_anchor_display()} {self.minutes:+d})"

    @property
    def plan(self) -> rules.Plan:
        """As the clock takes it."""
        useful = self.useful_minutes
        return rules.Plan(
            is_active=self.is_active,
            when=self.stage,
            what=self.what,
            offset=timedelta(minutes=self.minutes),
            unless=self.unless,
            useful=None if useful is None else timedelta(minutes=useful),
        )


class Step(models.Model):
    """What a rule means for one interview: due at a time counted from `anchor_at`, taken once.

    Steps still to be taken are planned and dropped with what happens to the interview
    (interviews/reminders/planning.py); those taken stay, as evidence.
    """

    interview = models.ForeignKey(
        "interviews.Interview",
        on_delete=models.CASCADE,
        related_name="steps",
        db_index=False,  # the constraint below brings one that begins with it
        verbose_name=_("interview"),
    )
    rule = models.ForeignKey(
        ReminderRule,
        on_delete=models.PROTECT,
        related_name="steps",
        db_index=False,  # millions of steps for a handful of rules
        verbose_name=_("rule"),
    )
    anchor_at = models.DateTimeField(_("counted from"))
    due_at = models.DateTimeField(_("due"))
    done_at = models.DateTimeField(_("done"), null=True, blank=True)
    outcome = models.CharField(
        _("outcome"), max_length=12, choices=rules.Outcome.choices, blank=True, default=""
    )

    class Meta:
        verbose_name = _("step of the reminders")
        verbose_name_plural = _("steps of the reminders")
        ordering = ["interview", "due_at"]
        indexes = [
            models.Index(fields=["due_at"], name="step_due", condition=Q(done_at=None)),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["interview", "rule", "anchor_at"], name="step_once_per_anchor"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.interview_id} · {timezone.localtime(self.due_at):%Y-%m-%d %H:%M}"


class TroubleKind(models.TextChoices):
    """What kept somebody from coming in."""

    ENTRANCE = "entrance", _("I could not get in")
    DEVICE = "device", _("My device or microphone does not work")
    LINE = "line", _("My connection fails")
    UNWELL = "unwell", _("I am unwell")
    LATE = "late", _("I am late, or something came up")
    OTHER = "other", _("Something else")


class TroubleReport(models.Model):
    """What a candidate told of the start of an appointment, once. `detail` is theirs and may be
    personal; the rest are codes."""

    interview = models.ForeignKey(
        "interviews.Interview",
        on_delete=models.PROTECT,
        related_name="troubles",
        db_index=False,  # the constraint below brings one that begins with it
        verbose_name=_("interview"),
    )
    starts_at = models.DateTimeField(_("appointment"))
    at = models.DateTimeField(_("at"))
    kind = models.CharField(_("trouble"), max_length=10, choices=TroubleKind.choices)
    detail = models.TextField(_("detail"), blank=True, default="", max_length=LONGEST_TROUBLE)

    class Meta:
        verbose_name = _("report of trouble")
        verbose_name_plural = _("reports of trouble")
        constraints = [
            models.UniqueConstraint(
                fields=["interview", "starts_at"], name="trouble_once_per_appointment"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.interview_id} · {self.kind}"
