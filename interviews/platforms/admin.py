"""Interview platforms, as administrators look at them; they are set up at the desk."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from config.read_only import ReadOnly
from interviews.platforms.models import Platform, PlatformCall, PlatformEvent, PlatformLink

_HELP = _("Reference of the interview, or an id or a code, whole")


@admin.register(Platform)
class PlatformAdmin(ReadOnly, admin.ModelAdmin):
    """Secrets are shown nowhere."""

    list_display = ("name", "slug", "base_url", "is_active", "failures", "reconciled_at")
    list_filter = ("is_active", "sign")
    search_fields = ("name", "=slug", "base_url")
    fields = (
        "name",
        "slug",
        "base_url",
        "sign",
        "client_id",
        "mapping",
        "is_active",
        "failures",
        "rests_until",
        "reconciled_at",
        "refused_at",
        "refused_code",
    )


@admin.register(PlatformLink)
class PlatformLinkAdmin(ReadOnly, admin.ModelAdmin):
    list_display = (
        "interview",
        "platform",
        "external_id",
        "external_status",
        "wanted",
        "told_at",
        "heard_at",
        "difference",
    )
    list_filter = ("platform", "external_status", "wanted", "difference")
    list_select_related = ("interview", "platform")
    list_per_page = 50
    ordering = ("-pk",)
    search_fields = ("=interview__reference", "=external_id")
    search_help_text = _HELP
    show_full_result_count = False
    exclude = ("scores",)


@admin.register(PlatformEvent)
class PlatformEventAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("received_at", "platform", "event_id", "external_id", "at", "outcome")
    list_filter = ("platform", "outcome", "received_at")
    list_select_related = ("platform",)
    list_per_page = 50
    ordering = ("-pk",)
    search_fields = ("=event_id", "=external_id")
    search_help_text = _HELP
    show_full_result_count = False
    exclude = ("body",)


@admin.register(PlatformCall)
class PlatformCallAdmin(ReadOnly, admin.ModelAdmin):
    list_display = (
        "at",
        "platform",
        "operation",
        "reference",
        "status_code",
        "error_code",
        "milliseconds",
    )
    list_filter = ("platform", "operation", "at")
    list_select_related = ("platform",)
    list_per_page = 50
    ordering = ("-pk",)
    search_fields = ("=reference", "=error_code")
    search_help_text = _HELP
    show_full_result_count = False
