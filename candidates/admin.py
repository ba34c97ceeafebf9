"""People applying, as administrators see them."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import identifiers
from accounts.models import User
from candidates.models import Appeal, Candidate, FileEntry, Mark
from config.read_only import ReadOnly


class SearchByPerson:
    """A whole mobile number, ID number or email address finds the rows of its owner; anything else
    searches as usual."""

    person = "user"  # how a row reaches its User

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        try:
            found = User.objects.find(identifiers.parse(search_term)) if search_term else None
        except ValidationError:
            found = None
        if found is not None:
            return queryset.filter(**{self.person: found}), False
        return super().get_search_results(request, queryset, search_term)  # type: ignore[misc]


@admin.register(Candidate)
class CandidateAdmin(SearchByPerson, admin.ModelAdmin):
    list_display = ("user", "city", "talent_pool_at", "source", "created_at")
    list_filter = (("talent_pool_at", admin.EmptyFieldListFilter),)
    search_fields = ("user__name", "=source_key")
    search_help_text = _("Name, or a whole mobile number, ID number or email address")
    autocomplete_fields = ("user",)
    readonly_fields = ("source", "source_key", "created_at")
    show_full_result_count = False
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Candidate]:
        """The numbers are decrypted nowhere: they are not shown."""
        return super().get_queryset(request).select_related("user").defer("user__national_id")

    def get_readonly_fields(self, request: HttpRequest, obj: Candidate | None = None) -> Any:
        """Whose record it is never changes."""
        fields = super().get_readonly_fields(request, obj)
        return fields if obj is None else ("user", *fields)

    def has_delete_permission(self, request: HttpRequest, obj: Candidate | None = None) -> bool:
        return False


@admin.register(FileEntry)
class FileEntryAdmin(ReadOnly, admin.ModelAdmin):
    """What stays of interviews that had begun."""

    list_display = ("interview", "candidate", "ending", "answered", "questions", "ended_at")
    list_filter = ("ending", "ended_at")
    list_per_page = 50
    ordering = ("-pk",)
    search_fields = ("=interview", "candidate__user__name")
    search_help_text = _("Reference of the interview, or name")
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[FileEntry]:
        entries = super().get_queryset(request).select_related("candidate__user")
        return entries.defer("candidate__user__national_id")


@admin.register(Mark)
class MarkAdmin(ReadOnly, SearchByPerson, admin.ModelAdmin):
    """Set and decided at the desk, looked up here."""

    person = "candidate__user"
    list_display = ("reference", "candidate", "interview", "state", "set_at", "expires_at")
    list_filter = ("state", "set_at")
    list_per_page = 50
    ordering = ("-pk",)
    search_fields = ("=reference", "=interview", "candidate__user__name")
    search_help_text = _("Reference, name, or a whole mobile number, ID number or email address")
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Mark]:
        marks = super().get_queryset(request).select_related("candidate__user", "set_by")
        return marks.defer("candidate__user__national_id", "set_by__national_id")


@admin.register(Appeal)
class AppealAdmin(ReadOnly, admin.ModelAdmin):
    """What candidates wrote, and their files, stand at the desk, for those who decide."""

    list_display = ("mark", "made_at", "granted", "decided_at")
    list_filter = ("granted", "made_at")
    list_select_related = ("mark",)
    list_per_page = 50
    ordering = ("-pk",)
    search_fields = ("=mark__reference", "=mark__interview")
    show_full_result_count = False
    fields = ("mark", "made_at", "decided_by", "decided_at", "granted")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Appeal]:
        appeals = super().get_queryset(request).select_related("mark", "decided_by")
        return appeals.defer("text", "file", "note", "decided_by__national_id")
