"""What was trained, to look at. Scores of appointments stand at the desk alone."""

from django.contrib import admin

from analytics.risk.models import RiskModel, RiskScore
from config.read_only import ReadOnly


@admin.register(RiskModel)
class RiskModelAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("target", "trained_at", "verdict", "count", "events")
    list_filter = ("target", "verdict")


@admin.register(RiskScore)
class RiskScoreAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("interview", "target", "starts_at", "needs_help", "scored_at")
    list_filter = ("target", "needs_help")
    show_full_result_count = False
