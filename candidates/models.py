"""People applying."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Candidate(models.Model):
    """What we keep of a person applying, beside how they sign in (accounts.User)."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="candidate",
        verbose_name=_("user"),
    )
    city = models.CharField(_("city"), max_length=100, blank=True)
    attributes = models.JSONField(
        _("résumé attributes"),
        default=dict,
        blank=True,
        help_text=_("Codes and short values, no free text."),
    )
    talent_pool_at = models.DateTimeField(
        _("in the talent pool since"),
        null=True,
        blank=True,
        help_text=_("When the candidate agreed to it."),
    )
    source = models.CharField(_("source"), max_length=40, blank=True)
    source_key = models.CharField(_("key at the source"), max_length=100, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("candidate")
        verbose_name_plural = _("candidates")
        indexes = [
            models.Index(
                fields=["-talent_pool_at"],
                name="candidate_in_pool",
                condition=models.Q(talent_pool_at__isnull=False),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "source_key"],
                name="candidate_once_per_source_key",
                condition=~models.Q(source_key=""),
            ),
        ]

    def __str__(self) -> str:
        return self.user.name


class FileEntry(models.Model):
    """What stays in a candidate's file of an interview that had begun: how it ended, how far they
    came, what they scored. Codes, counts and numbers; the answers stay with the interview."""

    candidate = models.ForeignKey(
        Candidate, on_delete=models.PROTECT, related_name="file", verbose_name=_("candidate")
    )
    interview = models.CharField(_("interview"), max_length=10, help_text=_("Its reference."))
    entered_at = models.DateTimeField(_("entered"))
    ended_at = models.DateTimeField(_("ended"))
    ending = models.CharField(_("how it ended"), max_length=15)
    reason = models.CharField(_("reason"), max_length=50, blank=True, default="")
    answered = models.PositiveSmallIntegerField(_("questions answered"), default=0)
    questions = models.PositiveSmallIntegerField(_("questions"), default=0)
    seconds = models.PositiveIntegerField(_("seconds spent"), default=0)
    scores = models.JSONField(_("scores"), default=dict, blank=True)

    class Meta:
        verbose_name = _("entry in the file")
        verbose_name_plural = _("entries in the file")
        ordering = ["candidate", "-ended_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["interview", "entered_at"], name="file_entry_once_per_sitting"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.interview} · {self.ending}"
