"""What was done about findings, to look at; it is written down and changed at the desk."""

from django.contrib import admin

from analytics.findings.models import Action
from config.read_only import ReadOnly


@admin.register(Action)
class ActionAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("done_on", "done", "found", "scope", "position", "department", "logged_by")
    list_filter = ("found", "done", "scope")
    list_select_related = ("position", "department", "logged_by")
    show_full_result_count = False
