"""Series of slots, days on which there are none, and invitations that were declined."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.validators import validate_time_zone
from config.tracking import tracked
from interviews.booking.rules import Pattern
from interviews.models import Department, Interview, InterviewKind, Position

DETAIL_MAX = 500
DETAIL_MIN = 5
MOST_TIMES = 48  # of one day


class SlotSeries(models.Model):
    """The same slots every week: made some weeks ahead (booking.services.make_slots), never made
    where there is a closure. What somebody has booked stays as it is when a series changes."""

    position = models.ForeignKey(
        Position, on_delete=models.PROTECT, related_name="slot_series", verbose_name=_("position")
    )
    kind = models.CharField(
        _("kind"), max_length=10, choices=InterviewKind.choices, default=InterviewKind.AI
    )
    weekdays = ArrayField(
        models.PositiveSmallIntegerField(validators=[MaxValueValidator(6)]),
        verbose_name=_("days of the week"),
        help_text=_("0 is Monday."),
    )
    times = ArrayField(models.TimeField(), size=MOST_TIMES, verbose_name=_("times of day"))
    minutes = models.PositiveSmallIntegerField(
        _("minutes"),
        default=30,
        validators=[MinValueValidator(5), MaxValueValidator(8 * 60)],
        help_text=_("How long one lasts."),
    )
    capacity = models.PositiveIntegerField(
        _("capacity"), default=1, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    since = models.DateField(_("first day"))
    until = models.DateField(
        _("last day"), null=True, blank=True, help_text=_("Empty: it goes on.")
    )
    zone = models.CharField(
        _("time zone"),
        max_length=50,
        default=settings.TIME_ZONE,
        validators=[validate_time_zone],
        help_text=_("What the times of day mean."),
    )

    class Meta:
        verbose_name = _("series of slots")
        verbose_name_plural = _("series of slots")
        ordering = ["position", "since", "pk"]
        constraints = [
            models.CheckConstraint(
                name="series_begins_before_it_ends",
                condition=Q(until=None) | Q(since__lte=F("until")),
                violation_error_message=_("The last day comes before the first one."),
            ),
        ]
        triggers = [
            tracked(
                "position_id",
                "kind",
                "weekdays",
                "times",
                "minutes",
                "capacity",
                "since",
                "until",
                "zone",
                departments=(
                    "ARRAY(SELECT department_id FROM interviews_position"
                    " WHERE id = {row}.position_id)"
                ),
            )
        ]

    def __str__(self) -> str:
        times = ", ".join(f"{at:%H:%M}" for at in self.times)
        return f"{times} · {self.since}"

    @property
    def pattern(self) -> Pattern:
        return Pattern(
            weekdays=frozenset(self.weekdays),
            times=frozenset(self.times),
            length=timedelta(minutes=self.minutes),
            zone=ZoneInfo(self.zone),
            since=self.since,
            until=self.until,
        )


class Closure(models.Model):
    """Days on which no slot is made or offered: a holiday, or a department that is away."""

    name = models.CharField(pgettext_lazy("of a thing", "name"), max_length=100)
    first_day = models.DateField(_("first day"))
    last_day = models.DateField(_("last day"))
    department = models.ForeignKey(
        Department,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="closures",
        verbose_name=_("department"),
        help_text=_("Empty: the whole company."),
    )

    class Meta:
        verbose_name = _("closure")
        verbose_name_plural = _("closures")
        ordering = ["first_day", "pk"]
        constraints = [
            models.CheckConstraint(
                name="closure_begins_before_it_ends",
                condition=Q(first_day__lte=F("last_day")),
                violation_error_message=_("The last day comes before the first one."),
            ),
        ]
        triggers = [
            tracked(
                "name",
                "first_day",
                "last_day",
                "department_id",
                departments=(
                    "CASE WHEN {row}.department_id IS NOT NULL THEN ARRAY[{row}.department_id] END"
                ),
            )
        ]

    def __str__(self) -> str:
        return self.name


class DeclineReason(models.TextChoices):
    """Why somebody does not come to an interview they were invited to."""

    OTHER_OFFER = "other_offer", _("I have accepted another offer")
    CAREER_PLANS = "career_plans", _("My plans have changed")
    NOT_INTERESTED = "not_interested", _("The position does not suit me")
    NO_TIME = "no_time", _("None of the times suits me")
    PERSONAL = "personal", _("Personal reasons")
    OTHER = "other", _("Something else")


NEEDS_DETAIL = frozenset({DeclineReason.OTHER})


class Decline(models.Model):
    """An invitation that the candidate declined, and why. The words stand here, where they can be
    blanked; the interview's history has the code alone."""

    interview = models.OneToOneField(
        Interview, on_delete=models.PROTECT, related_name="declined", verbose_name=_("interview")
    )
    reason = models.CharField(_("reason"), max_length=20, choices=DeclineReason.choices)
    detail = models.TextField(_("detail"), blank=True, max_length=DETAIL_MAX)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("declined invitation")
        verbose_name_plural = _("declined invitations")

    def __str__(self) -> str:
        return f"{self.interview} · {self.reason}"
