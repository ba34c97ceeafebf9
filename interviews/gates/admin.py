"""Gates, as administrators write them, and what was handed in at them."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from config.read_only import ReadOnly
from interviews.gates.models import Document, GatePass, StageGate

_HELP = _("Reference of the application, or of the document, whole")


@admin.register(StageGate)
class StageGateAdmin(admin.ModelAdmin):
    list_display = ("name", "position", "stage", "kind", "dimension", "minimum", "is_active")
    list_filter = ("stage", "kind", "is_active", "position__department")
    list_select_related = ("position",)
    list_per_page = 50
    search_fields = ("name_zh", "name_en", "position__title", "=position__code")
    autocomplete_fields = ("position",)

    def has_delete_permission(self, request: object, obj: StageGate | None = None) -> bool:
        """It is switched off instead: documents were handed in for it."""
        return False


@admin.register(Document)
class DocumentAdmin(ReadOnly, admin.ModelAdmin):
    """What stands in it is read at the desk, where looking is written down."""

    list_display = ("reference", "application", "gate", "state", "uploaded_at", "expires_on")
    list_filter = ("state", "uploaded_at")
    list_select_related = ("application", "gate")
    list_per_page = 50
    ordering = ("-pk",)
    search_fields = ("=reference", "=application__reference")
    search_help_text = _HELP
    show_full_result_count = False
    exclude = ("data", "note")


@admin.register(GatePass)
class GatePassAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("application", "gate", "by", "at")
    list_select_related = ("application", "gate", "by")
    list_per_page = 50
    ordering = ("-pk",)
    search_fields = ("=application__reference",)
    search_help_text = _HELP
    show_full_result_count = False
