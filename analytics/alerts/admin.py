"""Alerts, and their rules, which are written at the desk."""

from django.contrib import admin

from analytics.alerts.models import Alert, AlertRule
from config.read_only import ReadOnly


@admin.register(AlertRule)
class AlertRuleAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("__str__", "rate", "scope", "kind", "days", "threshold", "minimum", "is_active")
    list_filter = ("rate", "scope", "is_active")


@admin.register(Alert)
class AlertAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("__str__", "opened_at", "closed_at", "ending", "count", "whole", "threshold")
    list_filter = ("rate", "scope", "ending")
    list_per_page = 50
    ordering = ("-pk",)
    show_full_result_count = False
