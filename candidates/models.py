"""People applying."""

from datetime import datetime

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from config.encryption import EncryptedBinaryField
from config.references import new_reference

LONGEST_APPEAL = 500  # characters


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


class MarkState(models.TextChoices):
    ACTIVE = "active", _("On the record")
    APPEALED = "appealed", _("Appealed")
    LIFTED = "lifted", _("Lifted")
    EXPIRED = "expired", _("Expired")


class Mark(models.Model):
    """An absence held against a candidate: visible to them with its evidence, to be appealed, and
    gone after its time. Nothing but the candidate's own record and the desk reads it.

    `evidence` is what was known when it was set, in codes, counts and times; `obstacles` in it is
    what would have forbidden it, and empty. Whom it is about, what it rests on and who set it never
    change.
    """

    reference = models.CharField(
        _("reference"), max_length=10, unique=True, default=new_reference, editable=False
    )
    candidate = models.ForeignKey(
        Candidate, on_delete=models.PROTECT, related_name="marks", verbose_name=_("candidate")
    )
    interview = models.CharField(_("interview"), max_length=10, help_text=_("Its reference."))
    starts_at = models.DateTimeField(_("appointment"))
    evidence = models.JSONField(_("evidence"), default=dict)
    set_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("set by"),
    )
    set_at = models.DateTimeField(_("set"))
    expires_at = models.DateTimeField(_("expires"))
    state = FSMField(
        _("state"),
        max_length=10,
        choices=MarkState.choices,
        default=MarkState.ACTIVE,
        protected=True,
    )
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        verbose_name = _("mark")
        verbose_name_plural = _("marks")
        ordering = ["candidate", "-set_at"]
        indexes = [
            models.Index(
                fields=["expires_at"],
                name="mark_to_expire",
                condition=Q(state__in=["active", "appealed"]),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["interview", "starts_at"], name="mark_once_per_appointment"
            ),
            models.CheckConstraint(
                name="mark_without_obstacle", condition=Q(evidence__obstacles=[])
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="stays_as_set",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(
                    "candidate", "interview", "starts_at", "evidence", "set_by", "set_at"
                ),
            ),
            pgtrigger.FSM(
                name="legal_moves",
                field="state",
                transitions=[
                    ("active", "appealed"),
                    ("active", "lifted"),
                    ("active", "expired"),
                    ("appealed", "active"),
                    ("appealed", "lifted"),
                    ("appealed", "expired"),
                ],
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    # --- transitions: they change memory only ---------------------------------------------------

    @transition(state, source=MarkState.ACTIVE, target=MarkState.APPEALED)
    def appeal(self) -> None: ...

    @transition(state, source=MarkState.APPEALED, target=MarkState.ACTIVE)
    def uphold(self) -> None: ...

    @transition(state, source=[MarkState.ACTIVE, MarkState.APPEALED], target=MarkState.LIFTED)
    def lift(self, *, at: datetime) -> None:
        self.ended_at = at

    @transition(state, source=[MarkState.ACTIVE, MarkState.APPEALED], target=MarkState.EXPIRED)
    def expire(self, *, at: datetime) -> None:
        self.ended_at = at


class Appeal(models.Model):
    """What a candidate says against a mark, once: a sentence, and a file where they have one. Both
    are theirs and can be blanked. Who set the mark never decides about it; PostgreSQL sees to that
    as well."""

    mark = models.OneToOneField(
        Mark, on_delete=models.PROTECT, related_name="appealed_by", verbose_name=_("mark")
    )
    text = models.TextField(_("what they say"), blank=True, max_length=LONGEST_APPEAL)
    file = EncryptedBinaryField(_("file"), null=True, editable=False)
    content_type = models.CharField(_("format"), max_length=40, blank=True, default="")
    made_at = models.DateTimeField(_("made"))
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    granted = models.BooleanField(_("granted"), null=True)
    note = models.TextField(_("note to the candidate"), blank=True, max_length=500)

    class Meta:
        verbose_name = _("appeal")
        verbose_name_plural = _("appeals")
        constraints = [
            models.CheckConstraint(
                name="appeal_decided_or_not",
                condition=Q(decided_by=None, decided_at=None, granted=None)
                | Q(
                    decided_by__isnull=False,
                    decided_at__isnull=False,
                    granted__isnull=False,
                ),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="decided_by_somebody_else",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                condition=pgtrigger.Q(new__decided_by__isnull=False),
                func="""
                    IF EXISTS (
                        SELECT FROM candidates_mark
                        WHERE id = NEW.mark_id AND set_by_id = NEW.decided_by_id
                    ) THEN
                        RAISE EXCEPTION 'Nobody decides about a mark they have set.';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return str(self.mark)
