"""People, as administrators see them."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.forms import (
    AdminPasswordChangeForm,
    AdminUserCreationForm,
    UserChangeForm,
)
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import crypto, identifiers, services, staff
from accounts.changes import record
from accounts.identifiers import Identifier, IdentifierKind, masked
from accounts.models import (
    AccessChange,
    AccessChangeKind,
    ApiToken,
    ConfigurationChange,
    KeptAnswer,
    User,
)
from accounts.permissions import STAFF_ROLES
from config.read_only import ReadOnly


class _Normalised(forms.ModelForm):
    """Numbers and addresses in one spelling; an ID number is written, never read back."""

    new_national_id = forms.CharField(
        label=_("Set the ID number"),
        required=False,
        max_length=30,
        help_text=_("Leave empty to keep what is there."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def clean_mobile(self) -> str | None:
        mobile = self.cleaned_data.get("mobile")
        return identifiers.normalise_mobile(mobile) if mobile else None

    def clean_email(self) -> str | None:
        email = self.cleaned_data.get("email")
        return identifiers.normalise_email(email) if email else None

    def clean_new_national_id(self) -> str:
        typed = self.cleaned_data["new_national_id"]
        if not typed:
            return ""
        number = identifiers.normalise_national_id(typed)
        taken = User.objects.filter(national_id_index=crypto.blind_index(number))
        if taken.exclude(pk=self.instance.pk).exists():
            raise ValidationError(_("Somebody with this ID number exists already."))
        return number

    def save(self, commit: bool = True) -> Any:
        if self.cleaned_data["new_national_id"]:
            self.instance.national_id = self.cleaned_data["new_national_id"]
        return super().save(commit)


class AddUserForm(_Normalised, AdminUserCreationForm):
    """A person with or without a password; without one they first sign in by code."""

    class Meta:
        model = User
        fields = ("name", "role", "mobile", "email")
        field_classes: dict[str, type[forms.Field]] = {}


class SetPasswordForm(AdminPasswordChangeForm):
    """A password set by an administrator counts as changed: tokens end, the owner is told."""

    def save(self, commit: bool = True) -> Any:
        had_one = self.user.has_usable_password()
        with transaction.atomic():
            user = super().save(commit)
            services.password_changed(user, tell=had_one)
        return user


class ChangeUserForm(_Normalised, UserChangeForm):
    class Meta:
        model = User
        fields = "__all__"  # noqa: DJ007 - UserAdmin.fieldsets says which
        field_classes: dict[str, type[forms.Field]] = {}


@admin.register(User)
class UserAdmin(BaseUserAdmin):
    form = ChangeUserForm
    add_form = AddUserForm
    change_password_form = SetPasswordForm
    list_display = ("name", "role", "shown_mobile", "email", "is_active", "last_login")
    list_filter = ("role", "is_active")
    search_fields = ("name",)
    search_help_text = _("Name, or a whole mobile number, ID number or email address")
    ordering = ("name", "pk")
    filter_horizontal = ()
    readonly_fields = ("shown_national_id", "shown_departments", "last_login", "date_joined")
    actions = ("switch_off_two_step",)
    fieldsets = (
        (None, {"fields": ("name", "role", "is_active", "is_superuser")}),
        (
            _("Signs in by"),
            {"fields": ("mobile", "email", "shown_national_id", "new_national_id", "password")},
        ),
        (_("Works for"), {"fields": ("shown_departments",)}),
        (_("Own settings"), {"fields": ("language", "time_zone")}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"fields": ("name", "role", "mobile", "email", "new_national_id")}),
        (_("Password"), {"fields": ("usable_password", "password1", "password2")}),
    )

    @admin.display(description=_("mobile number"))
    def shown_mobile(self, user: User) -> str:
        return masked(Identifier(IdentifierKind.MOBILE, user.mobile)) if user.mobile else ""

    @admin.display(description=_("national ID number"))
    def shown_national_id(self, user: User) -> str:
        if not user.national_id:
            return ""
        return masked(Identifier(IdentifierKind.NATIONAL_ID, user.national_id))

    @admin.display(description=_("departments"))
    def shown_departments(self, user: User) -> str:
        return ", ".join(str(department) for department in user.departments.all())

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        """A whole identifier finds its owner, an ID number by its blind index; else names."""
        try:
            found = User.objects.find(identifiers.parse(search_term)) if search_term else None
        except ValidationError:
            found = None
        if found is not None:
            return queryset.filter(pk=found.pk), False
        return super().get_search_results(request, queryset, search_term)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Only a superuser makes superusers. Roles are given, and staff switched off, at
        /desk/settings/people/, where it ends sessions and is written down."""
        fields = super().get_readonly_fields(request, obj)
        if obj is not None:
            fields = (*fields, "role")
            if obj.role in STAFF_ROLES or obj.is_superuser:
                fields = (*fields, "is_active")
        return fields if request.user.is_superuser else (*fields, "is_superuser")

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not change and obj.role in STAFF_ROLES:
            kind = AccessChangeKind.INVITED
            record(obj, kind, by=request.user, tell=False, role=obj.role)  # type: ignore[arg-type]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Nor does anybody less set a superuser's password."""
        out_of_reach = obj is not None and obj.is_superuser and not request.user.is_superuser
        return not out_of_reach and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """People are switched off, not deleted: what they did stays on record."""
        return False

    @admin.action(description=_("Switch off two-step sign-in (lost phone)"))
    def switch_off_two_step(self, request: HttpRequest, users: QuerySet[User]) -> None:
        """As on the person's page at the desk; who has none, or is out of reach, is left out."""
        done = 0
        for user in users:
            try:
                staff.remove_second_step(user.pk, by=request.user)  # type: ignore[arg-type]
            except staff.Refused:
                continue
            self.log_change(request, user, [{"changed": {"fields": ["Two-step sign-in"]}}])
            done += 1
        self.message_user(
            request,
            ngettext(
                "Two-step sign-in is off for %(count)d person.",
                "Two-step sign-in is off for %(count)d people.",
                done,
            )
            % {"count": done},
            messages.SUCCESS,
        )


@admin.register(ConfigurationChange)
class ConfigurationChangeAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("at", "actor", "action", "kind", "object_id")
    list_filter = ("action", "kind", "at")
    ordering = ("-pk",)
    search_fields = ("=actor", "=kind", "=object_id")
    search_help_text = _("Who (user:12), the kind, or the number of the row")
    show_full_result_count = False


@admin.register(AccessChange)
class AccessChangeAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("at", "person", "kind", "by")
    list_filter = ("kind", "at")
    list_select_related = ("person", "by")
    ordering = ("-pk",)
    search_fields = ("person__name", "by__name")
    show_full_result_count = False


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnly, admin.ModelAdmin):
    """Issued and revoked at the desk; here is who holds which."""

    list_display = (
        "name",
        "hint",
        "user",
        "created_by",
        "expires_at",
        "last_used_at",
        "revoked_at",
    )
    list_filter = ("revoked_at", "expires_at")
    list_select_related = ("user", "created_by")
    ordering = ("-pk",)
    search_fields = ("name", "=hint", "user__name")


@admin.register(KeptAnswer)
class KeptAnswerAdmin(ReadOnly, admin.ModelAdmin):
    """Which POSTs of the API were answered for good, for a day; not what was answered."""

    list_display = ("digest", "claimed_at", "status")
    list_filter = ("status", "claimed_at")
    ordering = ("-pk",)
    fields = ("digest", "claimed_at", "status")
    show_full_result_count = False
