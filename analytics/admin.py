"""What is counted, for administrators to look at."""

from django.contrib import admin

from analytics.models import Cell, DirtyCell
from config.read_only import ReadOnly


@admin.register(Cell)
class CellAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("scope", "span", "owner", "since", "source", "kind", "invited", "booked")
    list_filter = ("scope", "span", "kind")
    list_per_page = 50
    ordering = ("-pk",)
    search_fields = ("=owner", "=source")
    show_full_result_count = False


@admin.register(DirtyCell)
class DirtyCellAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("day", "position", "department")
    list_per_page = 50
    ordering = ("-pk",)
    search_fields = ("=position",)
    show_full_result_count = False
