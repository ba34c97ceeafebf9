"""Series, closures and declined invitations, as administrators look at them; the desk's calendar is
where they are made, since slots follow from them."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from config.read_only import ReadOnly
from interviews.booking.models import Closure, Decline, SlotSeries


@admin.register(SlotSeries)
class SlotSeriesAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("position", "kind", "since", "until", "minutes", "capacity", "zone")
    list_filter = ("kind", "position__department")
    list_select_related = ("position",)
    list_per_page = 50
    search_fields = ("position__title", "=position__code")


@admin.register(Closure)
class ClosureAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("name", "first_day", "last_day", "department")
    list_filter = ("department",)
    list_select_related = ("department",)
    search_fields = ("name",)


@admin.register(Decline)
class DeclineAdmin(ReadOnly, admin.ModelAdmin):
    """What they wrote is for HR alone, who read it at the desk."""

    list_display = ("interview", "reason", "at")
    list_filter = ("reason", "at")
    list_select_related = ("interview",)
    list_per_page = 50
    ordering = ("-pk",)
    search_fields = ("=interview__reference",)
    search_help_text = _("Reference of the interview, whole")
    show_full_result_count = False
    exclude = ("detail",)
