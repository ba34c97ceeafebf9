"""Questions, and what a candidate does with them. Lock order: interview, then sitting."""

import secrets
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from config.encryption import EncryptedBinaryField
from config.tracking import tracked

LONGEST_ANSWER = 20_000  # characters
LARGEST_RECORDING = 20 * 1024 * 1024  # bytes


class QuestionStage(models.TextChoices):
    """The parts of an interview; exit rules may differ between them."""

    INTRODUCTION = "introduction", _("Introduction")
    PROFESSIONAL = "professional", _("Professional questions")
    CLOSING = "closing", _("Closing")


class QuestionSet(models.Model):
    """What is asked in the room: at one position, at those of a category, or everywhere else. The
    most specific set that is in use counts; a sitting keeps the questions it began with."""

    name = models.CharField(pgettext_lazy("of a thing", "name"), max_length=100)
    category = models.ForeignKey(
        "interviews.PositionCategory",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="question_sets",
        verbose_name=_("position category"),
    )
    position = models.ForeignKey(
        "interviews.Position",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="question_sets",
        verbose_name=_("position"),
    )
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        verbose_name = _("set of questions")
        verbose_name_plural = _("sets of questions")
        ordering = ["name", "pk"]
        triggers = [tracked("name", "category_id", "position_id", "is_active")]
        constraints = [
            models.CheckConstraint(
                name="question_set_one_scope", condition=Q(category=None) | Q(position=None)
            ),
            models.UniqueConstraint(
                fields=["category", "position"],
                name="question_set_once_per_scope",
                condition=Q(is_active=True),
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Question(models.Model):
    """One question of a set, in both languages."""

    question_set = models.ForeignKey(
        QuestionSet,
        on_delete=models.CASCADE,
        related_name="questions",
        verbose_name=_("set of questions"),
    )
    stage = models.CharField(_("part"), max_length=12, choices=QuestionStage.choices)
    order = models.PositiveSmallIntegerField(_("order"), default=0)
    text_zh = models.TextField(_("wording in Chinese"), max_length=1000)
    text_en = models.TextField(_("wording in English"), max_length=1000)
    seconds = models.PositiveSmallIntegerField(
        _("time limit in seconds"), null=True, blank=True, help_text=_("Empty: no limit.")
    )
    may_speak = models.BooleanField(
        _("may be spoken"), default=False, help_text=_("Offers a recording beside typing.")
    )

    class Meta:
        verbose_name = _("question")
        verbose_name_plural = _("questions")
        ordering = ["question_set", "order", "pk"]
        triggers = [
            tracked(
                "question_set_id",
                "stage",
                "order",
                "text_zh",
                "text_en",
                "seconds",
                "may_speak",
                part_of=("interviews.questionset", "question_set_id"),
            )
        ]

    def __str__(self) -> str:
        return self.text_zh or self.text_en


class Ending(models.TextChoices):
    """How a sitting came to its end. A no-show never sat: that is the interview's status."""

    COMPLETED = "completed", _("Completed")
    MISSTART = "misstart", _("Started by mistake")
    EXITED = "exited", _("Left on purpose")
    DROPPED = "dropped", _("Connection lost")
    CLOSED = "closed", _("Page closed")
    PLATFORM_FAULT = "platform_fault", _("Fault on our side")


def new_key() -> str:
    return secrets.token_urlsafe(24)


class Sitting(models.Model):
    """One time that a candidate is in the room, from entering it until it ends; while they are away
    it goes on. `questions` is what they are asked, as it stood on entering:
    [{"number", "stage", "zh", "en", "seconds", "may_speak"}, …], numbered from 1.

    `current` is the question in front of them: 0 before the first, one more than there are after
    the last. `current_seconds` counts only while the server sees them, and so does what answers
    keep of it.
    """

    interview = models.ForeignKey(
        "interviews.Interview",
        on_delete=models.PROTECT,
        related_name="sittings",
        verbose_name=_("interview"),
    )
    questions = models.JSONField(_("questions"), default=list)
    current = models.PositiveSmallIntegerField(_("question in view"), default=0)
    current_seconds = models.FloatField(_("seconds with it"), default=0)
    key = models.CharField(max_length=40, default=new_key, editable=False)
    entered_at = models.DateTimeField(_("entered"), default=timezone.now)
    last_seen_at = models.DateTimeField(_("last seen"), default=timezone.now)
    resume_until = models.DateTimeField(_("can be gone on with until"))
    may_record = models.BooleanField(_("agreed to be recorded"), default=False)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    ending = models.CharField(_("how it ended"), max_length=15, choices=Ending.choices, blank=True)
    evidence = models.JSONField(_("evidence"), default=dict, blank=True)

    class Meta:
        verbose_name = _("sitting")
        verbose_name_plural = _("sittings")
        ordering = ["interview", "entered_at"]
        # Room for what heartbeats rewrite: the row stays on its page, and no index is touched.
        indexes = [
            models.Index(
                fields=["resume_until"], name="sitting_open", condition=Q(ended_at__isnull=True)
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["interview"], name="sitting_one_open", condition=Q(ended_at=None)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.interview} · {timezone.localtime(self.entered_at):%Y-%m-%d %H:%M}"

    def question(self, number: int) -> dict[str, Any] | None:
        """The question with this number, if there is one."""
        return self.questions[number - 1] if 0 < number <= len(self.questions) else None


class Answer(models.Model):
    """What a candidate has typed to one question; the row is there from the moment they enter.

    `revision` counts the saves. Who saves names the revision their text was based on: of two tabs
    the one that knows the other's text wins, and the other is told.
    """

    sitting = models.ForeignKey(
        Sitting,
        on_delete=models.CASCADE,
        related_name="answers",
        db_index=False,
        verbose_name=_("sitting"),
    )
    number = models.PositiveSmallIntegerField(_("number"))
    text = models.TextField(_("answer"), blank=True, default="")
    revision = models.PositiveIntegerField(_("revision"), default=0)
    tab = models.CharField(max_length=32, blank=True, default="", editable=False)
    tab_sequence = models.PositiveIntegerField(default=0, editable=False)
    saved_at = models.DateTimeField(_("saved"), null=True, blank=True)
    seconds = models.FloatField(_("seconds spent"), default=0)

    class Meta:
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        ordering = ["sitting", "number"]
        constraints = [
            models.UniqueConstraint(fields=["sitting", "number"], name="answer_once_per_question"),
        ]

    def __str__(self) -> str:
        return f"{self.sitting_id} · {self.number}"


class Recording(models.Model):
    """What a candidate has said to one question, encrypted; the last take counts."""

    answer = models.OneToOneField(
        Answer, on_delete=models.CASCADE, related_name="recording", verbose_name=_("answer")
    )
    content_type = models.CharField(_("format"), max_length=40)
    data = EncryptedBinaryField(_("recording"))
    size = models.PositiveIntegerField(_("bytes"))
    recorded_at = models.DateTimeField(_("recorded"), default=timezone.now)

    class Meta:
        verbose_name = _("recording")
        verbose_name_plural = _("recordings")

    def __str__(self) -> str:
        return f"{self.answer} · {self.content_type}"


class RoomEventKind(models.TextChoices):
    """What tells the six endings apart."""

    ENTERED = "entered", _("Entered the room")
    CHECKED = "checked", _("Checked the device")
    RESUMED = "resumed", _("Came back")
    HIDDEN = "hidden", _("Turned to another page")
    SHOWN = "shown", _("Back on this page")
    OFFLINE = "offline", _("Line lost")
    ONLINE = "online", _("Line back")
    CLOSED = "closed", _("Page closed")
    AWAY = "away", _("Not seen any more")
    SCRIPT_ERROR = "script_error", _("Error in the page")
    SERVER_ERROR = "server_error", _("Error on our side")
    PLATFORM_ERROR = "platform_error", _("Error of the interview platform")
    DEVICE_ERROR = "device_error", _("Trouble with the device")
    OTHER_TAB = "other_tab", _("Changed in another tab")
    EXIT_OPENED = "exit_opened", _("Opened “Leave the interview”")
    HELP_OPENED = "help_opened", _("Asked for help")
    TIME_UP = "time_up", _("Time was up")


class RoomEvent(models.Model):
    """One observation in the room. `detail` holds codes and numbers only."""

    sitting = models.ForeignKey(
        Sitting,
        on_delete=models.CASCADE,
        related_name="events",
        db_index=False,
        verbose_name=_("sitting"),
    )
    at = models.DateTimeField(_("at"), default=timezone.now)
    kind = models.CharField(_("what happened"), max_length=15, choices=RoomEventKind.choices)
    detail = models.JSONField(_("detail"), default=dict, blank=True)

    class Meta:
        verbose_name = _("observation in the room")
        verbose_name_plural = _("observations in the room")
        ordering = ["sitting", "at", "pk"]
        indexes = [models.Index(fields=["sitting", "at", "id"], name="room_event_of_sitting")]

    def __str__(self) -> str:
        return f"{self.sitting_id} · {self.kind}"
