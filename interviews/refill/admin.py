"""Waiting lists, places and offers, which administrators look at: the desk acts on them."""

from django.contrib import admin

from config.read_only import ReadOnly
from interviews.refill.models import FreedPlace, Offer, WaitingEntry


class OfferInline(ReadOnly, admin.TabularInline):
    model = Offer
    fk_name = "entry"
    fields = ("reference", "slot", "made_at", "held_until", "state")
    readonly_fields = fields
    extra = 0


@admin.register(WaitingEntry)
class WaitingEntryAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("reference", "position", "kind", "candidate", "why", "since", "state")
    list_filter = ("state", "why", "kind")
    list_select_related = ("position", "candidate__user")
    list_per_page = 50
    ordering = ("-pk",)
    search_fields = ("=reference", "position__title", "=position__code")
    show_full_result_count = False
    inlines = (OfferInline,)


@admin.register(FreedPlace)
class FreedPlaceAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("at", "slot", "origin", "refilled_at", "closed_at")
    list_filter = ("origin", "at")
    list_select_related = ("slot__position",)
    list_per_page = 50
    ordering = ("-pk",)
    search_fields = ("slot__position__title", "=slot__position__code")
    show_full_result_count = False


@admin.register(Offer)
class OfferAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("reference", "slot", "entry", "made_at", "held_until", "state", "interview")
    list_filter = ("state", "made_at")
    list_select_related = ("slot__position", "entry", "interview")
    list_per_page = 50
    ordering = ("-pk",)
    search_fields = ("=reference", "=interview__reference")
    show_full_result_count = False
