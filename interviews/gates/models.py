"""Gates before the stages of a position, the documents they ask for, and who was let through."""

from datetime import datetime

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from accounts.models import User
from config.encryption import EncryptedBinaryField
from config.languages import worded
from config.references import new_reference
from config.tracking import tracked
from interviews.models import Application, Position, Stage

LARGEST_DOCUMENT = 5 * 1024 * 1024
NOTE_MAX = 500
OF_POSITION = "ARRAY(SELECT department_id FROM interviews_position WHERE id = {row}.position_id)"


class GateKind(models.TextChoices):
    DOCUMENT = "document", _("A document")
    SCORE = "score", _("A score")


class Below(models.TextChoices):
    """What follows where a score is not reached."""

    ENDS = "ends", _("the application ends")
    WAITS = "waits", _("HR decides")


class StageGate(models.Model):
    """Nobody enters `stage` of the position, or a later one, while this is shut: a document is
    missing, or a dimension of the interview's scores was not reached."""

    position = models.ForeignKey(
        Position, on_delete=models.PROTECT, related_name="gates", verbose_name=_("position")
    )
    stage = models.CharField(_("before the stage"), max_length=20, choices=Stage.choices)
    kind = models.CharField(_("what it asks for"), max_length=10, choices=GateKind.choices)
    name_zh = models.CharField(_("wording in Chinese"), max_length=100)
    name_en = models.CharField(_("wording in English"), max_length=100)
    expires = models.BooleanField(
        _("has a date of expiry"), default=False, help_text=_("Of a document.")
    )
    dimension = models.SlugField(
        _("dimension"),
        blank=True,
        default="",
        help_text=_("As the platform names it."),
    )
    minimum = models.FloatField(_("score to reach"), null=True, blank=True)
    below = models.CharField(
        _("where it is not reached"), max_length=10, choices=Below.choices, default=Below.WAITS
    )
    is_active = models.BooleanField(_("switched on"), default=True)

    class Meta:
        verbose_name = _("gate")
        verbose_name_plural = _("gates")
        ordering = ["position", "stage", "pk"]
        constraints = [
            models.CheckConstraint(
                name="gate_says_what_it_asks_for",
                condition=Q(kind="document", dimension="", minimum=None)
                | (Q(kind="score", minimum__isnull=False) & ~Q(dimension="")),
            ),
        ]
        triggers = [
            tracked(
                "position_id",
                "stage",
                "kind",
                "name_zh",
                "name_en",
                "expires",
                "dimension",
                "minimum",
                "below",
                "is_active",
                departments=OF_POSITION,
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return worded(self.name_zh, self.name_en)


class DocumentState(models.TextChoices):
    UPLOADED = "uploaded", _("To be checked")
    ACCEPTED = "accepted", _("Accepted")
    REJECTED = "rejected", _("Not accepted")
    REPLACED = "replaced", _("Replaced")


class Document(models.Model):
    """What a candidate uploaded for a gate, encrypted, and what HR said of it."""

    reference = models.CharField(
        _("reference"), max_length=10, unique=True, default=new_reference, editable=False
    )
    application = models.ForeignKey(
        Application,
        on_delete=models.PROTECT,
        related_name="documents",
        verbose_name=_("application"),
    )
    gate = models.ForeignKey(
        StageGate, on_delete=models.PROTECT, related_name="documents", verbose_name=_("gate")
    )
    content_type = models.CharField(_("format"), max_length=40)
    data = EncryptedBinaryField(_("document"))
    size = models.PositiveIntegerField(_("bytes"))
    uploaded_at = models.DateTimeField(_("uploaded"))
    expires_on = models.DateField(_("valid until"), null=True, blank=True)
    state = FSMField(
        _("state"),
        max_length=10,
        choices=DocumentState.choices,
        default=DocumentState.UPLOADED,
        protected=True,
    )
    checked_at = models.DateTimeField(_("checked"), null=True, blank=True)
    checked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("checked by"),
    )
    note = models.TextField(_("note to the candidate"), blank=True, max_length=NOTE_MAX)

    class Meta:
        verbose_name = _("document")
        verbose_name_plural = _("documents")
        indexes = [models.Index(fields=["application", "gate", "-id"], name="document_latest")]
        constraints = [
            models.UniqueConstraint(
                fields=["application", "gate"],
                name="document_one_to_check",
                condition=Q(state="uploaded"),
            ),
        ]
        triggers = [
            pgtrigger.FSM(
                name="legal_moves",
                field="state",
                transitions=[
                    ("uploaded", "accepted"),
                    ("uploaded", "rejected"),
                    ("uploaded", "replaced"),
                ],
            )
        ]

    def __str__(self) -> str:
        return self.reference

    # --- transitions: they change memory only ---------------------------------------------------

    @transition(state, source=DocumentState.UPLOADED, target=DocumentState.ACCEPTED)
    def accept(self, *, by: User, at: datetime) -> None:
        self.checked_by, self.checked_at = by, at

    @transition(state, source=DocumentState.UPLOADED, target=DocumentState.REJECTED)
    def reject(self, *, by: User, at: datetime, note: str) -> None:
        self.checked_by, self.checked_at, self.note = by, at, note

    @transition(state, source=DocumentState.UPLOADED, target=DocumentState.REPLACED)
    def replace(self) -> None:
        """The candidate has uploaded another one before anybody looked: nobody needs this one."""
        self.data, self.size = b"", 0


class GatePass(models.Model):
    """HR let an application through a gate that was shut, and why."""

    application = models.ForeignKey(
        Application, on_delete=models.PROTECT, related_name="passes", verbose_name=_("application")
    )
    gate = models.ForeignKey(
        StageGate, on_delete=models.PROTECT, related_name="passes", verbose_name=_("gate")
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("by")
    )
    at = models.DateTimeField(_("at"))
    reason = models.TextField(_("reason"), max_length=NOTE_MAX)

    class Meta:
        verbose_name = _("pass through a gate")
        verbose_name_plural = _("passes through gates")
        constraints = [
            models.UniqueConstraint(fields=["application", "gate"], name="gate_pass_once"),
        ]

    def __str__(self) -> str:
        return f"{self.application} · {self.gate_id}"
