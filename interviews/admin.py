"""Departments, positions, slots, applications and interviews, as administrators see them.

Workflow state is read-only here: it changes through services, which lock, check and record.
"""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import ForeignKey, ManyToManyField, Model, QuerySet, URLField
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.permissions import STAFF_ROLES
from candidates.admin import SearchByPerson
from config.read_only import ReadOnly
from interviews import jobs
from interviews.booking import admin as booking_admin  # noqa: F401 - registered by this
from interviews.booking.services import reach_stage
from interviews.gates import admin as gates_admin  # noqa: F401 - registered by this
from interviews.gates.services import GateShut, require_open
from interviews.imports.admin import ImportMixin
from interviews.models import (
    AccessLog,
    Application,
    Correction,
    Department,
    HistoryEntry,
    HistorySeal,
    Interview,
    Job,
    JobRow,
    Position,
    PositionCategory,
    RemovedInterview,
    SavedView,
    Slot,
    Stage,
)
from interviews.platforms import admin as platforms_admin  # noqa: F401 - registered by this
from interviews.refill import admin as refill_admin  # noqa: F401 - and this
from interviews.reminders import admin as reminders_admin  # noqa: F401 - and these
from interviews.reminders import planning
from interviews.reminders.rules import Anchor
from interviews.room import admin as room_admin  # noqa: F401 - registered by being imported
from interviews.states import InterviewStatus


class OffersStaff:
    """Where people are chosen, only staff are offered."""

    def formfield_for_foreignkey(
        self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any
    ) -> Any:
        return super().formfield_for_foreignkey(  # type: ignore[misc]
            db_field, request, **_only_staff(db_field.related_model), **kwargs
        )

    def formfield_for_manytomany(
        self, db_field: ManyToManyField, request: HttpRequest, **kwargs: Any
    ) -> Any:
        return super().formfield_for_manytomany(  # type: ignore[misc]
            db_field, request, **_only_staff(db_field.related_model), **kwargs
        )


def _only_staff(model: Any) -> dict[str, Any]:
    if model is not User:
        return {}
    return {"queryset": User.objects.filter(role__in=STAFF_ROLES).order_by("name", "pk")}


class SavesWhatChanged:
    """A form that has been open for a while writes only the fields that were changed in it, and
    nothing back over what happened meanwhile."""

    def save_model(
        self, request: HttpRequest, obj: Model, form: forms.ModelForm, change: bool
    ) -> None:
        if change:
            own = {field.name for field in obj._meta.concrete_fields}
            obj.save(update_fields=[name for name in form.changed_data if name in own])
        else:
            obj.save()


class KeepsItsCode:
    """Imports and policies know it by its code, so that never changes."""

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        fields = super().get_readonly_fields(request, obj)  # type: ignore[misc]
        return fields if obj is None else ("code", *fields)


@admin.register(Department)
class DepartmentAdmin(KeepsItsCode, OffersStaff, admin.ModelAdmin):
    list_display = ("name", "code", "email")
    search_fields = ("name", "=code")
    filter_horizontal = ("staff",)


@admin.register(PositionCategory)
class PositionCategoryAdmin(KeepsItsCode, admin.ModelAdmin):
    list_display = ("name", "code")
    search_fields = ("name", "=code")


@admin.register(Position)
class PositionAdmin(KeepsItsCode, OffersStaff, admin.ModelAdmin):
    list_display = ("title", "code", "department", "category", "recruiter", "city", "is_open")
    list_filter = ("is_open", "category", "department")
    list_select_related = ("department", "category", "recruiter")
    list_per_page = 50
    search_fields = ("title", "=code")
    autocomplete_fields = ("department", "category")


class SlotForm(forms.ModelForm):
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        starts_at, ends_at = cleaned.get("starts_at"), cleaned.get("ends_at")
        if starts_at and ends_at and ends_at <= starts_at:
            self.add_error("ends_at", ValidationError(_("It has to end after it starts.")))
        capacity = cleaned.get("capacity")
        if capacity is not None and capacity < self.instance.booked:
            message = _("%(count)d places are booked already; cancel some of them first.")
            params = {"count": self.instance.booked}
            self.add_error("capacity", ValidationError(message, params=params))
        return cleaned


@admin.register(Slot)
class SlotAdmin(SavesWhatChanged, admin.ModelAdmin):
    form = SlotForm
    list_display = ("starts_at", "position", "kind", "ends_at", "booked", "capacity", "closed_at")
    list_filter = ("kind", "starts_at", "position__department")
    list_select_related = ("position",)
    list_per_page = 50
    search_fields = ("position__title", "=position__code")
    show_full_result_count = False
    autocomplete_fields = ("position",)
    fields = (
        "position",
        "kind",
        "starts_at",
        "ends_at",
        "capacity",
        "booked",
        "series",
        "closed_at",
        "closed_by",
    )
    readonly_fields = ("booked", "series", "closed_at", "closed_by")

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Slot | None:
        """Locked while it is being saved: nobody books the place that is being taken away."""
        slot = super().get_object(request, object_id, from_field)
        if slot is not None and request.method == "POST":
            return Slot.objects.select_for_update().get(pk=slot.pk)
        return slot

    def get_readonly_fields(self, request: HttpRequest, obj: Slot | None = None) -> Any:
        """People have been told when to come: a slot somebody booked stays where it is."""
        fields = super().get_readonly_fields(request, obj)
        if obj is None or not obj.booked:
            return fields
        return ("position", "kind", "starts_at", "ends_at", *fields)


class InterviewInline(ReadOnly, admin.TabularInline):
    model = Interview
    fields = ("reference", "kind", "status", "starts_at")
    readonly_fields = fields
    show_change_link = True
    extra = 0


class ApplicationForm(forms.ModelForm):
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        stage = cleaned.get("stage")
        if stage and self.instance.pk:
            try:
                require_open(self.instance, stage, at=timezone.now())
            except GateShut as shut:
                names = " · ".join(each.gate.name for each in shut.gates)
                message = _("A gate before this stage is shut: %(names)s")
                self.add_error("stage", ValidationError(message, params={"names": names}))
        return cleaned


@admin.register(Application)
class ApplicationAdmin(SearchByPerson, SavesWhatChanged, admin.ModelAdmin):
    form = ApplicationForm
    person = "candidate__user"
    list_display = ("reference", "candidate", "position", "stage", "applied_at")
    list_filter = ("stage", "position__department")
    list_per_page = 50
    search_fields = ("=reference", "position__title", "candidate__user__name")
    search_help_text = _("Reference, position, name, or a whole mobile number or ID number")
    show_full_result_count = False
    autocomplete_fields = ("candidate", "position")
    fields = (
        "reference",
        "candidate",
        "position",
        "stage",
        "applied_at",
        "screened_at",
        "source",
    )
    readonly_fields = ("reference", "source")
    inlines = (InterviewInline,)

    def save_model(
        self, request: HttpRequest, obj: Model, form: forms.ModelForm, change: bool
    ) -> None:
        """Reaching a stage has its consequences, wherever it is said."""
        is_told = "stage" in form.changed_data or not change
        if not (is_told and isinstance(obj, Application) and isinstance(request.user, User)):
            super().save_model(request, obj, form, change)
            return
        wanted = obj.stage
        if change and wanted == Stage.ENDED:  # which locks its interviews, and those come first
            reach_stage(obj, wanted, by=request.user)
            super().save_model(request, obj, form, change)
            return
        if not change:  # what is asked for before a stage can only be there once this is
            obj.stage = Stage.APPLIED
        super().save_model(request, obj, form, change)
        try:
            reach_stage(obj, wanted, by=request.user)
        except GateShut as shut:
            names = " · ".join(each.gate.name for each in shut.gates)
            text = _("A gate before this stage is shut: %(names)s") % {"names": names}
            self.message_user(request, text, messages.ERROR)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Application]:
        applications = super().get_queryset(request).select_related("candidate__user", "position")
        return applications.defer("candidate__user__national_id")

    def get_readonly_fields(self, request: HttpRequest, obj: Application | None = None) -> Any:
        """Who applied for what never changes."""
        fields = super().get_readonly_fields(request, obj)
        return fields if obj is None else ("candidate", "position", *fields)

    def has_delete_permission(self, request: HttpRequest, obj: Application | None = None) -> bool:
        return False


class HistoryInline(ReadOnly, admin.TabularInline):
    model = HistoryEntry
    fields = ("sequence", "at", "event", "actor", "data")
    readonly_fields = fields
    ordering = ("sequence",)
    extra = 0


@admin.register(Interview)
class InterviewAdmin(SearchByPerson, ImportMixin, OffersStaff, SavesWhatChanged, admin.ModelAdmin):
    """Made by imports and by services; what may be set right by hand is where and with whom."""

    person = "application__candidate__user"
    list_display = ("reference", "candidate_name", "position_title", "kind", "status", "starts_at")
    list_filter = ("status", "kind", "application__position__department")
    list_per_page = 50
    date_hierarchy = "starts_at"
    ordering = ("-starts_at", "-pk")
    search_fields = (
        "=reference",
        "application__position__title",
        "application__candidate__user__name",
    )
    search_help_text = _("Reference, position, name, or a whole mobile number or ID number")
    show_full_result_count = False
    inlines = (HistoryInline,)
    fieldsets = (
        (None, {"fields": ("reference", "application", "candidate_name", "position_title")}),
        (_("Appointment"), {"fields": ("kind", "status", "slot", "starts_at", "ends_at")}),
        (_("Where and with whom"), {"fields": ("link", "location", "interviewer", "deadline")}),
        (
            _("Came from"),
            {
                "fields": (
                    "booked_at",
                    "confirmed_at",
                    "ended_at",
                    "created_at",
                    "source",
                    "source_key",
                    "extra",
                )
            },
        ),
    )
    formfield_overrides = {URLField: {"assume_scheme": "https"}}
    editable = ("link", "location", "interviewer", "deadline")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Interview]:
        return Interview.objects.with_facts().order_by(*self.ordering)

    def get_readonly_fields(self, request: HttpRequest, obj: Interview | None = None) -> Any:
        shown = [name for _title, options in self.fieldsets for name in options["fields"]]
        return [name for name in shown if name not in self.editable]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Interview | None = None) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: Model, form: forms.ModelForm, change: bool
    ) -> None:
        """What is planned for an invitation goes along with its deadline."""
        locked = Interview.objects.select_for_update(of=("self",)).get(pk=obj.pk)
        super().save_model(request, obj, form, change)
        if "deadline" in form.changed_data and locked.status == InterviewStatus.INVITED:
            planning.plan([locked.pk], now=timezone.now(), anchors=[Anchor.DEADLINE])

    @admin.display(description=_("candidate"), ordering="application__candidate__user__name")
    def candidate_name(self, interview: Interview) -> str:
        return interview.candidate.user.name

    @admin.display(description=_("position"), ordering="application__position__title")
    def position_title(self, interview: Interview) -> str:
        return interview.position.title


@admin.register(HistoryEntry)
class HistoryEntryAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("at", "interview", "sequence", "event", "actor")
    list_select_related = ("interview",)
    list_per_page = 50
    date_hierarchy = "at"
    ordering = ("-at", "-pk")
    search_fields = ("=interview__reference", "=event", "=actor")
    search_help_text = _("Reference of the interview, event, or who (user:12)")
    show_full_result_count = False


@admin.register(HistorySeal)
class HistorySealAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("number", "at", "entries", "changes", "fingerprint")
    date_hierarchy = "at"
    ordering = ("-number",)
    search_fields = ("=number", "^fingerprint")


@admin.register(RemovedInterview)
class RemovedInterviewAdmin(ReadOnly, admin.ModelAdmin):
    """What is left of interviews whose import was undone."""

    list_display = ("reference", "removed_at", "removed_by", "job", "event", "at")
    list_filter = ("removed_at",)
    list_select_related = ("removed_by",)
    date_hierarchy = "removed_at"
    ordering = ("-pk",)
    search_fields = ("=reference", "=job")
    search_help_text = _("Reference of the interview or of the job")
    show_full_result_count = False


@admin.register(Correction)
class CorrectionAdmin(ReadOnly, admin.ModelAdmin):
    """Who set which status right; the words stand on the interview's page at the desk."""

    list_display = ("reference", "interview", "move", "before", "by", "at")
    list_filter = ("move", "before", "at")
    list_select_related = ("interview", "by")
    ordering = ("-pk",)
    search_fields = ("=reference", "=interview__reference")
    show_full_result_count = False
    fields = ("reference", "interview", "move", "before", "by", "at")


@admin.register(Job)
class JobAdmin(ReadOnly, admin.ModelAdmin):
    """How work in the background went. Files and reports are read at the desk."""

    list_display = ("reference", "what", "requested_by", "state", "done", "total", "created_at")
    list_filter = ("state", "kind", "created_at")
    list_select_related = ("requested_by",)
    ordering = ("-pk",)
    search_fields = ("=reference", "requested_by__name", "file_name")
    show_full_result_count = False
    fields = (
        "reference",
        "what",
        "file_name",
        "requested_by",
        "state",
        "done",
        "total",
        "stop_asked",
        "error_code",
        "created_at",
        "ended_at",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        return super().get_queryset(request).defer("file", "params")

    @admin.display(description=_("kind"), ordering="kind")
    def what(self, job: Job) -> str:
        return str(jobs.title_of(job))


@admin.register(JobRow)
class JobRowAdmin(ReadOnly, admin.ModelAdmin):
    """Lines of reports, without what a cell of a file may have said."""

    list_display = ("job", "number", "outcome", "subject")
    list_select_related = ("job",)
    ordering = ("-pk",)
    search_fields = ("=job__reference", "=subject")
    search_help_text = _("Reference of the job, or a subject such as interview:7K2M9QX4TB")
    show_full_result_count = False
    fields = ("job", "number", "outcome", "subject")

    def get_queryset(self, request: HttpRequest) -> QuerySet[JobRow]:
        rows = super().get_queryset(request).select_related("job")
        return rows.defer("detail", "job__file", "job__params")


@admin.register(SavedView)
class SavedViewAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("name", "user", "is_default", "query")
    list_filter = ("is_default",)
    list_select_related = ("user",)
    search_fields = ("name", "user__name")


@admin.register(AccessLog)
class AccessLogAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("at", "by", "action", "subject")
    list_filter = ("action", "at")
    list_select_related = ("by",)
    ordering = ("-pk",)
    search_fields = ("=subject", "by__name")
    search_help_text = _("Who, or a subject such as interview:7K2M9QX4TB")
    show_full_result_count = False
