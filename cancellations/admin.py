"""Reasons, policies and cancellations, as administrators see them."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from cancellations import rules
from cancellations.models import Cancellation, Policy, Reason, Tier
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


class TierFormSet(BaseInlineFormSet):
    def get_unique_error_message(self, unique_check: Any) -> str:
        return str(_("Two tiers have the same notice. Give each its own, or delete one."))

    def kept(self) -> list[dict[str, Any]]:
        """What the tiers will be once this is saved."""
        cleaned = (form.cleaned_data for form in self.forms if hasattr(form, "cleaned_data"))
        return [tier for tier in cleaned if tier and not tier.get("DELETE")]

    def clean(self) -> None:
        super().clean()
        if not any(self.errors) and not self.kept():
            raise ValidationError(
                _(
                    "A policy needs at least one tier, for example: notice 0 minutes, HR decides. "
                    "Without one it says nothing."
                )
            )


class TierInline(admin.TabularInline):
    model = Tier
    formset = TierFormSet
    fields = ("notice_minutes", "notice", "outcome", "short_notice")
    readonly_fields = ("notice",)
    extra = 1

    def get_formset(
        self, request: HttpRequest, obj: Policy | None = None, **kwargs: Any
    ) -> type[BaseInlineFormSet]:
        hint = _("24 hours are 1440 minutes, 3 days are 4320.")
        return super().get_formset(request, obj, help_texts={"notice_minutes": hint}, **kwargs)

    @admin.display(description=_("that is"))
    def notice(self, tier: Tier) -> str:
        """What the minutes come to; a new row has none yet."""
        return notice_in_words(tier.notice_minutes) if tier.pk else ""


@admin.register(Policy)
class PolicyAdmin(admin.ModelAdmin):
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
    )
    list_filter = ("is_active", "kind", "category", "department")
    list_select_related = ("department", "category", "position")
    search_fields = ("name",)
    autocomplete_fields = ("department", "category", "position")
    inlines = (TierInline,)
    fieldsets = (
        (None, {"fields": ("name", "is_active")}),
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
            {"fields": ("promised_minutes", "default_decision", "default_minutes_before")},
        ),
    )

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

    def save_model(
        self, request: HttpRequest, obj: Policy, form: forms.ModelForm, change: bool
    ) -> None:
        """Whoever edits it at the desk at the same time is told."""
        obj.version += 1
        super().save_model(request, obj, form, change)

    def has_delete_permission(self, request: HttpRequest, obj: Policy | None = None) -> bool:
        """Policies are switched off: requests they decided refer to them."""
        return False

    def save_related(
        self, request: HttpRequest, form: forms.ModelForm, formsets: Any, change: bool
    ) -> None:
        """Saving is allowed, but nobody should do either of these without noticing."""
        super().save_related(request, form, formsets, change)
        policy = form.instance
        outcomes = set(policy.tiers.values_list("outcome", flat=True))
        if policy.is_active and outcomes == {rules.Outcome.REFUSED.value}:
            messages.warning(
                request,
                _("This policy refuses every request: nobody it applies to can cancel any more."),
            )
        elif policy.is_active and not policy.tiers.filter(notice_minutes=0).exists():
            messages.warning(
                request,
                _(
                    "This policy has no tier for 0 minutes: a request made later than its shortest "
                    "notice is refused."
                ),
            )
        general = Policy.objects.filter(is_active=True, department=None, category=None)
        if not general.filter(position=None, kind="").exists():
            messages.warning(
                request,
                _(
                    "No policy is switched on for interviews in general: where no other applies, "
                    "HR decides every request."
                ),
            )


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
