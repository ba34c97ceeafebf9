"""What candidates ask, what they are answered, and whether it helped."""

from typing import Any

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import connection, models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cancellations.help.terms import cut
from config.languages import worded
from config.references import new_reference
from config.tracking import tracked

# What is asked weighs more than what is answered.
INDEX = """
UPDATE cancellations_faqentry SET search =
    setweight(array_to_tsvector(%(asked)s::text[]), 'A')
    || setweight(to_tsvector('english', %(asked_words)s), 'A')
    || setweight(array_to_tsvector(%(told)s::text[]), 'C')
    || setweight(to_tsvector('english', %(told_words)s), 'C')
WHERE id = %(id)s
"""


class FaqEntry(models.Model):
    """A question and its answer, as HR words them in both languages."""

    question_zh = models.CharField(_("question in Chinese"), max_length=200)
    answer_zh = models.TextField(_("answer in Chinese"), max_length=2000)
    question_en = models.CharField(_("question in English"), max_length=200)
    answer_en = models.TextField(_("answer in English"), max_length=2000)
    keywords = models.CharField(
        _("other words for it"),
        max_length=300,
        blank=True,
        help_text=_("In both languages, with spaces between; found, not shown."),
    )
    order = models.PositiveSmallIntegerField(_("order"), default=0)
    is_active = models.BooleanField(_("shown"), default=True)
    search = SearchVectorField(null=True, editable=False)  # by terms.cut; saving keeps it

    class Meta:
        verbose_name = _("question and answer")
        verbose_name_plural = _("questions and answers")
        ordering = ["order", "pk"]
        indexes = [GinIndex(fields=["search"], name="faq_search")]
        triggers = [
            tracked(
                "question_zh",
                "answer_zh",
                "question_en",
                "answer_en",
                "keywords",
                "order",
                "is_active",
            )
        ]

    def __str__(self) -> str:
        return self.question

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            super().save(*args, **kwargs)
            cursor.execute(INDEX, {"id": self.pk, **self._terms})

    @property
    def _terms(self) -> dict[str, Any]:
        asked, asked_words = cut(f"{self.question_zh} {self.question_en} {self.keywords}")
        told, told_words = cut(f"{self.answer_zh} {self.answer_en}")
        return {
            "asked": asked,
            "asked_words": " ".join(asked_words),
            "told": told,
            "told_words": " ".join(told_words),
        }

    @property
    def question(self) -> str:
        return worded(self.question_zh, self.question_en)

    @property
    def answer(self) -> str:
        return worded(self.answer_zh, self.answer_en)


class Offer(models.TextChoices):
    """What may help somebody who is about to leave or to cancel."""

    ANSWER = "answer", _("An answer")
    OTHER_TIME = "other_time", _("Another time")
    BREAK = "break", _("A break")
    DEVICE = "device", _("Help with the device")
    POSITIONS = "positions", _("Other positions")
    GUIDE = "guide", _("The guide")
    PRIVACY = "privacy", _("Privacy choices")
    PERSON = "person", _("A person")


class HelpConversation(models.Model):
    """One talk with the assistant, from asking to knowing whether it helped."""

    reference = models.CharField(
        _("reference"), max_length=10, unique=True, default=new_reference, editable=False
    )
    interview = models.ForeignKey(
        "interviews.Interview",
        on_delete=models.PROTECT,
        null=True,
        related_name="help_conversations",
        verbose_name=_("interview"),
    )
    reason = models.CharField(_("reason"), max_length=50, blank=True, default="")
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    handed_over_at = models.DateTimeField(_("handed to a person"), null=True, blank=True)
    stayed = models.BooleanField(_("stayed"), null=True)

    class Meta:
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")
        ordering = ["-pk"]
        indexes = [models.Index(fields=["-started_at"], name="help_started")]

    def __str__(self) -> str:
        return self.reference


class HelpTurn(models.Model):
    """One question, what was offered, and whether it helped. `asked` may be personal."""

    conversation = models.ForeignKey(
        HelpConversation,
        on_delete=models.CASCADE,
        related_name="turns",
        verbose_name=_("conversation"),
    )
    at = models.DateTimeField(_("at"), default=timezone.now)
    asked = models.CharField(_("asked"), max_length=500, blank=True, default="")
    offer = models.CharField(_("offered"), max_length=12, choices=Offer.choices)
    faq = models.ForeignKey(
        FaqEntry,
        on_delete=models.SET_NULL,
        null=True,
        related_name="turns",
        verbose_name=_("question and answer"),
    )
    helped = models.BooleanField(_("helped"), null=True)

    class Meta:
        verbose_name = _("turn of a conversation")
        verbose_name_plural = _("turns of conversations")
        ordering = ["conversation", "pk"]
        indexes = [models.Index(fields=["at"], name="help_turn_at")]

    def __str__(self) -> str:
        return f"{self.conversation_id} · {self.offer}"


class Fact(models.TextChoices):
    """What is known of a sitting and can be held against the reason given for leaving it."""

    ANSWERED_SHARE = "answered_share", _("share of questions answered, in percent")
    MINUTES = "minutes", _("minutes in the room")
    LINE_LOST = "line_lost", _("times the line was lost")
    ERRORS = "errors", _("errors on our side or the platform's")
    DEVICE_ERRORS = "device_errors", _("troubles with the device")
    TURNED_AWAY = "turned_away", _("times they turned to another page")
    TROUBLES = "troubles", _("troubles observed: with the line, the device or on our side")
    SECONDS_PER_ANSWER = "seconds_per_answer", _("seconds per answer")


class PlausibilityRule(models.Model):
    """When a reason given for leaving and what was observed sit oddly together. A hint for HR to
    look, never a verdict, and never shown to the candidate."""

    reason = models.ForeignKey(
        "cancellations.Reason",
        on_delete=models.CASCADE,
        related_name="plausibility_rules",
        verbose_name=_("reason"),
    )
    fact = models.CharField(_("what is looked at"), max_length=20, choices=Fact.choices)
    at_least = models.PositiveIntegerField(_("at least"), null=True, blank=True)
    at_most = models.PositiveIntegerField(_("at most"), null=True, blank=True)
    hint_zh = models.CharField(_("hint in Chinese"), max_length=200)
    hint_en = models.CharField(_("hint in English"), max_length=200)
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        verbose_name = _("plausibility rule")
        verbose_name_plural = _("plausibility rules")
        ordering = ["reason", "pk"]
        constraints = [
            models.CheckConstraint(
                name="plausibility_has_a_bound",
                condition=Q(at_least__isnull=False) | Q(at_most__isnull=False),
            ),
        ]
        triggers = [
            tracked("reason_id", "fact", "at_least", "at_most", "hint_zh", "hint_en", "is_active")
        ]

    def __str__(self) -> str:
        return f"{self.reason} · {self.get_fact_display()}"

    @property
    def hint(self) -> str:
        return worded(self.hint_zh, self.hint_en)
