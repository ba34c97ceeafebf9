"""Import and export in the admin: upload, preview of rows and problems, confirm."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from import_export.admin import ImportExportMixin
from import_export.formats.base_formats import CSV, XLSX
from import_export.forms import ExportForm

from accounts.models import User
from accounts.permissions import IMPORT_INTERVIEWS
from interviews.imports import template
from interviews.imports.forms import ConfirmForm, UploadForm
from interviews.imports.resource import (
    InterviewExport,
    InterviewUpload,
    Preview,
    PreviewedUpload,
    Upload,
    UploadGone,
)
from interviews.models import Access, AccessLog

TEMPLATES = {
    "csv": (template.as_csv, "text/csv; charset=utf-8"),
    "xlsx": (
        template.as_xlsx,
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
}


class ImportMixin(ImportExportMixin):
    """Mixed into the admin of interviews."""

    import_template_name = "interviews/imports/import.html"
    import_formats = [Upload]
    export_formats = [CSV, XLSX]
    import_form_class = UploadForm
    confirm_form_class = ConfirmForm
    export_form_class = ExportForm
    tmp_storage_class = PreviewedUpload
    skip_admin_log = True  # each interview's history says who imported it

    def get_urls(self) -> list[URLPattern]:
        download = path(
            "import/template.<str:kind>",
            self.admin_site.admin_view(self.import_template),
            name="interviews_interview_import_template",
        )
        return [download, *super().get_urls()]

    def has_import_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(IMPORT_INTERVIEWS)

    def has_export_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_import_resource_classes(self, request: HttpRequest) -> list[type]:
        return [InterviewUpload]

    def get_export_resource_classes(self, request: HttpRequest) -> list[type]:
        return [InterviewExport]

    def get_export_data(
        self, file_format: Any, request: HttpRequest, queryset: Any, **kwargs: Any
    ) -> Any:
        """Who takes the list along is written down first; it names candidates."""
        assert isinstance(request.user, User)  # noqa: S101 - the admin lets in nobody else
        AccessLog.objects.create(
            action=Access.EXPORTED,
            by=request.user,
            detail={
                "list": "administration",
                "format": file_format.get_extension(),
                "count": queryset.count(),
                # What was searched for may be a name: only by what it was narrowed is told.
                "filters": sorted(request.GET),
                "columns": list(InterviewExport.Meta.export_order),
            },
        )
        return super().get_export_data(file_format, request, queryset, **kwargs)

    def get_import_resource_kwargs(self, request: HttpRequest, **kwargs: Any) -> dict[str, Any]:
        form = kwargs.get("form")
        chosen = form.cleaned_data.get("mapping") if form and form.is_bound else None
        return {"mapping": chosen or template.MAPPING}

    def get_confirm_form_initial(self, request: HttpRequest, import_form: Any) -> dict[str, Any]:
        initial = super().get_confirm_form_initial(request, import_form)
        if import_form:
            initial["mapping"] = import_form.cleaned_data["mapping"]
        return initial

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Import exactly the file that was previewed; who signed in anew meanwhile begins again."""
        if request.method != "POST":
            return redirect("admin:interviews_interview_import")
        try:
            return super().process_import(request, **kwargs)
        except UploadGone:
            messages.warning(request, _("The preview has expired. Choose the file again."))
            return redirect("admin:interviews_interview_import")

    def process_result(self, result: Preview, request: HttpRequest) -> HttpResponse:
        if result.base_errors:
            messages.error(request, str(result.base_errors[0].error))
            return redirect("admin:interviews_interview_import")
        return super().process_result(result, request)

    def add_success_message(self, result: Preview, request: HttpRequest) -> None:
        counts = vars(result.summary)
        messages.success(
            request,
            _("%(imported)d imported, %(known)d already there, %(rejected)d rejected.") % counts,
        )

    def get_import_context_data(self, **kwargs: Any) -> dict[str, Any]:
        name = "admin:interviews_interview_import_template"
        return {
            **super().get_import_context_data(**kwargs),
            "template_links": [(kind.upper(), reverse(name, args=[kind])) for kind in TEMPLATES],
        }

    @method_decorator(require_safe)
    def import_template(self, request: HttpRequest, kind: str) -> HttpResponse:
        """The empty template to fill in."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        if kind not in TEMPLATES:
            raise Http404
        write, content_type = TEMPLATES[kind]
        name = f'attachment; filename="mianyue-interviews.{kind}"'
        return HttpResponse(
            write(), content_type=content_type, headers={"Content-Disposition": name}
        )
