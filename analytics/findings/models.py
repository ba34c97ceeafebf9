"""What HR has done about something that stood out."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from analytics.figures import Period, Rate
from analytics.findings.codes import Done, Found, Measure, Side
from config.tracking import tracked
from interviews.models import InterviewKind

LONGEST_NOTE = 1000
ANY = "*"  # every source, as a cell of all sources says it


class Action(models.Model):
    """Something that was done about a finding, with what the figures said then.

    What it concerns is a position (and the department that was in then), a department or the
    company. A position that is removed leaves the record with its department, a department with
    administrators.
    """

    found = models.CharField(_("finding"), max_length=20, choices=Found.choices)
    measure = models.CharField(_("what is watched"), max_length=20, choices=Measure.choices)
    scope = models.CharField(_("concerns"), max_length=10, choices=Side.choices)
    department = models.ForeignKey(
        "interviews.Department",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("department"),
    )
    position = models.ForeignKey(
        "interviews.Position",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("position"),
    )
    source = models.CharField(_("source"), max_length=40, default=ANY)  # ANY: all of them
    kind = models.CharField(
        _("kind of interview"),
        max_length=10,
        choices=InterviewKind.choices,
        blank=True,
        default="",
    )
    # What was watched stood so, in the period in which it stood out.
    since = models.DateField(_("period from"))
    until = models.DateField(_("period until"))
    numerator = models.PositiveIntegerField(_("number then"))
    denominator = models.PositiveIntegerField(_("of how many then"))

    done = models.CharField(
        pgettext_lazy("findings", "what was done"), max_length=10, choices=Done.choices
    )
    note = models.TextField(_("note"), max_length=LONGEST_NOTE, blank=True, default="")
    done_on = models.DateField(_("done on"))
    logged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("logged by"),
    )
    logged_at = models.DateTimeField(_("logged"), default=timezone.now)

    class Meta:
        verbose_name = _("action")
        verbose_name_plural = _("actions")
        ordering = ["-done_on", "-pk"]
        indexes = [models.Index(fields=["department", "-done_on"], name="action_of_department")]
        constraints = [
            models.CheckConstraint(
                name="action_period_in_order", condition=Q(since__lte=F("until"))
            ),
            models.CheckConstraint(
                name="action_rate_is_one", condition=Q(numerator__lte=F("denominator"))
            ),
        ]
        triggers = [
            tracked(
                "found",
                "measure",
                "scope",
                "department_id",
                "position_id",
                "done",
                "done_on",
                departments=(
                    "CASE WHEN {row}.department_id IS NULL THEN ARRAY[]::bigint[]"
                    " ELSE ARRAY[{row}.department_id] END"
                ),
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_done_display()} · {self.done_on}"

    @property
    def period(self) -> Period:
        return Period(self.since, self.until)

    @property
    def then(self) -> Rate:
        """What was watched, in the period in which it stood out."""
        return Rate(self.numerator, self.denominator)
