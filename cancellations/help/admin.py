"""Answers and rules that administrators may change as HR does, and conversations nobody changes."""

from django.contrib import admin

from cancellations.help.models import FaqEntry, HelpConversation, HelpTurn, PlausibilityRule
from config.read_only import ReadOnly


@admin.register(FaqEntry)
class FaqEntryAdmin(admin.ModelAdmin):
    list_display = ("question_zh", "question_en", "order", "is_active")
    list_filter = ("is_active",)
    search_fields = ("question_zh", "question_en", "keywords")


@admin.register(PlausibilityRule)
class PlausibilityRuleAdmin(admin.ModelAdmin):
    list_display = ("reason", "fact", "at_least", "at_most", "is_active")
    list_filter = ("is_active", "fact")
    list_select_related = ("reason",)
    autocomplete_fields = ("reason",)
    search_fields = ("hint_zh", "hint_en")


class HelpTurnInline(ReadOnly, admin.TabularInline):
    model = HelpTurn
    fields = ("at", "offer", "faq", "helped")
    readonly_fields = fields
    extra = 0


@admin.register(HelpConversation)
class HelpConversationAdmin(ReadOnly, admin.ModelAdmin):
    """What was asked may be personal; it stands at the desk with the interview it is about."""

    list_display = ("reference", "interview", "reason", "started_at", "handed_over_at", "stayed")
    list_filter = ("stayed", "started_at")
    list_select_related = ("interview",)
    search_fields = ("=reference", "=interview__reference")
    show_full_result_count = False
    inlines = (HelpTurnInline,)
    fields = ("reference", "interview", "reason", "started_at", "handed_over_at", "stayed")
