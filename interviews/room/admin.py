"""Questions, which administrators write, and what happened in the room, which nobody changes. What
candidates said stands at the desk, where who looks at it is known."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from config.read_only import ReadOnly
from interviews.room.models import Answer, Question, QuestionSet, Recording, RoomEvent, Sitting


class QuestionInline(admin.StackedInline):
    model = Question
    extra = 1
    fields = (("stage", "order"), "text_zh", "text_en", ("seconds", "may_speak"))


@admin.register(QuestionSet)
class QuestionSetAdmin(admin.ModelAdmin):
    """A sitting keeps the questions it began with: what is changed here is asked from then on."""

    list_display = ("name", "category", "position", "is_active")
    list_filter = ("is_active", "category")
    list_select_related = ("category", "position")
    search_fields = ("name", "position__title")
    autocomplete_fields = ("category", "position")
    inlines = (QuestionInline,)


class AnswerInline(ReadOnly, admin.TabularInline):
    model = Answer
    fields = ("number", "revision", "saved_at", "seconds")
    readonly_fields = fields
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[Answer]:
        return super().get_queryset(request).defer("text")


@admin.register(Sitting)
class SittingAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("interview", "entered_at", "last_seen_at", "ended_at", "ending")
    list_filter = ("ending", "entered_at")
    list_select_related = ("interview",)
    list_per_page = 50
    ordering = ("-pk",)
    search_fields = ("=interview__reference",)
    search_help_text = _("Reference of the interview")
    show_full_result_count = False
    inlines = (AnswerInline,)
    fields = (
        "interview",
        "entered_at",
        "last_seen_at",
        "resume_until",
        "may_record",
        "current",
        "current_seconds",
        "ended_at",
        "ending",
        "evidence",
        "questions",
    )


@admin.register(Recording)
class RecordingAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("answer", "content_type", "size", "recorded_at")
    list_filter = ("content_type", "recorded_at")
    list_select_related = ("answer",)
    list_per_page = 50
    ordering = ("-pk",)
    search_fields = ("=answer__sitting__interview__reference",)
    search_help_text = _("Reference of the interview")
    show_full_result_count = False
    fields = ("answer", "content_type", "size", "recorded_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Recording]:
        return super().get_queryset(request).select_related("answer").defer("data", "answer__text")


@admin.register(RoomEvent)
class RoomEventAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("at", "sitting", "kind", "detail")
    list_filter = ("kind", "at")
    list_select_related = ("sitting__interview",)
    list_per_page = 50
    ordering = ("-pk",)
    search_fields = ("=sitting__interview__reference",)
    search_help_text = _("Reference of the interview")
    show_full_result_count = False
