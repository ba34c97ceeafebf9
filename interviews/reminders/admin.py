"""Rules for reminders, which are written at the desk, and what has become of them."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from config.read_only import ReadOnly
from interviews.reminders.models import ReminderRule, Step, TroubleReport


@admin.register(ReminderRule)
class ReminderRuleAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("stage", "kind", "anchor", "minutes", "what", "message", "whom", "is_active")
    list_display_links = ("stage", "what")
    list_filter = ("stage", "what", "whom", "is_active")


@admin.register(Step)
class StepAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("interview", "rule", "due_at", "done_at", "outcome")
    list_filter = ("outcome", "due_at")
    list_select_related = ("interview", "rule")
    list_per_page = 50
    ordering = ("-pk",)
    search_fields = ("=interview__reference",)
    search_help_text = _("Reference of the interview")
    show_full_result_count = False


@admin.register(TroubleReport)
class TroubleReportAdmin(ReadOnly, admin.ModelAdmin):
    """What candidates wrote stands at the desk, for those who may read it."""

    list_display = ("interview", "kind", "starts_at", "at")
    list_filter = ("kind", "at")
    list_select_related = ("interview",)
    list_per_page = 50
    ordering = ("-pk",)
    search_fields = ("=interview__reference",)
    search_help_text = _("Reference of the interview")
    show_full_result_count = False
    fields = ("interview", "starts_at", "at", "kind")

    def get_queryset(self, request: HttpRequest) -> QuerySet[TroubleReport]:
        return super().get_queryset(request).defer("detail")
