"""Absences are decided at the desk, looked up here."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from cancellations.absences.models import Absence
from config.read_only import ReadOnly


@admin.register(Absence)
class AbsenceAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("reference", "interview", "code", "decision", "opened_at", "decided_by")
    list_filter = ("code", "decision", "opened_at")
    list_per_page = 50
    ordering = ("-pk",)
    search_fields = ("=reference", "=interview__reference")
    search_help_text = _("Reference of the absence or of the interview")
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Absence]:
        absences = super().get_queryset(request).select_related("interview", "decided_by")
        return absences.defer("decided_by__national_id")
