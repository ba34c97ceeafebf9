"""Reasons, policies and cancellations, as administrators see them."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from cancellations.absences import admin as absences_admin  # noqa: F401 - so are these
from cancellations.help import admin as help_admin  # noqa: F401 - registered by being imported
from cancellations.models import Cancellation, Policy, Reason, Saving, Tier
from cancellations.words import in_words, notice_in_words
from candidates.admin import SearchByPerson
from config.read_only import ReadOnly


@admin.register(Reason)
class ReasonAdmin(admin.ModelAdmin):
    list_display = ("code", "purpose", "label_zh", "label_en", "needs_detail", "order", "is_active")
    list_display_links = ("code",)
    list_editable = ("order", "is_active")
    list_filter = ("purpose", "is_active")
    search_fields = ("=code", "label_zh", "label_en")

    actions = None

    def has_delete_permission(self, request: HttpRequest, obj: Reason | None = None) -> bool:
        """A reason somebody has given is no longer offered, but stays."""
        unused = obj is None or not obj.cancellations.exists()
        return unused and super().has_delete_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Reason | None = None) -> Any:
        """Records and reports know a reason by its code; its wording may change."""
        return () if obj is None else ("purpose", "code")


class TierInline(ReadOnly, admin.TabularInline):
    model = Tier
    fields = ("notice", "outcome", "short_notice")
    readonly_fields = ("notice",)
    extra = 0

    @admin.display(description=_("notice, at least"))
    def notice(self, tier: Tier) -> str:
        return notice_in_words(tier.notice_minutes)


@admin.register(Policy)
class PolicyAdmin(ReadOnly, admin.ModelAdmin):
    """Looked up here, written at the desk: there two writers meet, unusual rules are confirmed, and
    the scope of what is switched on stays."""

    list_display = (
        "name",
        "is_active",
        "since",
        "until",
        "department",
        "category",
        "position",
        "kind",
        "tiers_in_words",
        "promise",
        "at_the_desk",
    )
    list_filter = ("is_active", "kind", "category", "department")
    list_select_related = ("department", "category", "position")
    search_fields = ("name",)
    inlines = (TierInline,)
    fieldsets = (
        (None, {"fields": ("name", "is_active", "at_the_desk")}),
        (
            _("For which interviews"),
            {
                "fields": ("department", "category", "position", "kind"),
                "description": _("Empty means any. The most specific policy applies."),
            },
        ),
        (_("When it holds"), {"fields": ("since", "until")}),
        (
            _("While HR decides"),
            {"fields": ("promise", "default_decision", "default_minutes_before")},
        ),
    )
    readonly_fields = ("at_the_desk", "promise")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Policy]:
        return super().get_queryset(request).prefetch_related("tiers")

    @admin.display(description=_("tiers"))
    def tiers_in_words(self, policy: Policy) -> str:
        return " · ".join(
            _("%(notice)s: %(outcome)s")
            % {
                "notice": notice_in_words(tier.notice_minutes),
                "outcome": tier.get_outcome_display(),
            }
            for tier in policy.tiers.all()
        )

    @admin.display(description=_("HR promises to decide within"), ordering="promised_minutes")
    def promise(self, policy: Policy) -> str:
        return in_words(policy.promised_minutes)

    @admin.display(description=_("at the desk"))
    def at_the_desk(self, policy: Policy) -> str:
        address = reverse("cancellations:policy", args=[policy.pk])
        return format_html('<a href="{}">{}</a>', address, _("Read, change, switch"))


@admin.register(Cancellation)
class CancellationAdmin(ReadOnly, SearchByPerson, admin.ModelAdmin):
    """Decided at the desk, looked up here."""

    person = "interview__application__candidate__user"
    list_display = (
        "reference",
        "candidate_name",
        "position_title",
        "reason",
        "status",
        "short_notice",
        "requested_at",
        "decided_by",
    )
    list_filter = ("status", "outcome", "short_notice", "party", "reason")
    list_per_page = 50
    search_fields = (
        "=reference",
        "=interview__reference",
        "interview__application__position__title",
        "interview__application__candidate__user__name",
    )
    search_help_text = _("Receipt, reference, position, name, or a whole mobile or ID number")
    show_full_result_count = False
    ordering = ("-pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Cancellation]:
        return Cancellation.objects.with_facts().order_by(*self.ordering)

    @admin.display(description=_("candidate"))
    def candidate_name(self, cancellation: Cancellation) -> str:
        return cancellation.interview.candidate.user.name

    @admin.display(description=_("position"))
    def position_title(self, cancellation: Cancellation) -> str:
        return cancellation.interview.position.title


@admin.register(Saving)
class SavingAdmin(ReadOnly, admin.ModelAdmin):
    """What was offered instead of cancelling, and what came of it."""

    list_display = ("interview", "reason", "offered", "at", "outcome")
    list_filter = ("offered", "outcome", "at")
    list_select_related = ("interview",)
    list_per_page = 50
    ordering = ("-pk",)
    search_fields = ("=interview__reference",)
    show_full_result_count = False
