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
        constraints = [
            models.UniqueConstraint(
                fields=["source", "source_key"],
                name="candidate_once_per_source_key",
                condition=~models.Q(source_key=""),
            ),
        ]

    def __str__(self) -> str:
        return self.user.name
