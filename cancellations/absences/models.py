"""An absence that HR looks at. Lock order: interview, then absence."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.references import new_reference
from interviews.models import Interview
from interviews.reminders.rules import Doubt

MISSED = "missed"


class Decision(models.TextChoices):
    EXCUSED = "excused", _("Excused")
    REBOOKED = "rebooked", _("Given another time")
    MARKED = "marked", _("Put on the record")
    ATTENDED = "attended", _("They were there")
    OVERTAKEN = "overtaken", _("Overtaken by what happened")


class Absence(models.Model):
    """Somebody did not come to an appointment, or may not have: once for each. `code` says why HR
    looks; `evidence` is what was known when it was decided, in codes, counts and times."""

    reference = models.CharField(
        _("reference"), max_length=10, unique=True, default=new_reference, editable=False
    )
    interview = models.ForeignKey(
        Interview,
        on_delete=models.PROTECT,
        related_name="absences",
        db_index=False,  # the constraint below brings one that begins with it
        verbose_name=_("interview"),
    )
    starts_at = models.DateTimeField(_("appointment"))
    code = models.CharField(
        _("why HR looks"),
        max_length=20,
        choices=[(MISSED, _("They did not come.")), *Doubt.choices],
    )
    opened_at = models.DateTimeField(_("opened"))
    evidence = models.JSONField(_("evidence"), default=dict, blank=True)
    decision = models.CharField(
        _("decision"), max_length=10, choices=Decision.choices, blank=True, default=""
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    note = models.TextField(_("note"), blank=True, default="", max_length=500)

    class Meta:
        verbose_name = _("absence")
        verbose_name_plural = _("absences")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["interview", "starts_at"], name="absence_once_per_appointment"
            ),
            models.CheckConstraint(
                name="absence_decided_or_not",
                condition=Q(decision="", decided_at=None)
                | ~Q(decision="") & Q(decided_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.reference
