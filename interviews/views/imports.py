"""Bringing data in at the desk: choose a file, look at what would happen, import, undo; and compare
a file of the old system with what we hold."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.decorators import desk_permission_required
from accounts.identifiers import Identifier, IdentifierKind, masked
from accounts.models import User
from accounts.permissions import IMPORT_INTERVIEWS, READ_DETAIL
from interviews.exports import csv_file
from interviews.imports import jobs as imports
from interviews.imports import mapping, template
from interviews.imports.answers import source_named
from interviews.imports.compare import PERSONAL, Finding, in_words, title_of
from interviews.imports.forms import ComparisonForm, FileForm
from interviews.imports.mapping import MOMENTS, What
from interviews.imports.problems import ImportRefused, Rejection
from interviews.imports.rows import Row
from interviews.imports.sheet import Batch, first_rows
from interviews.imports.store import Outcome
from interviews.imports.text import shortened, tidy
from interviews.jobs import KEPT, outcomes_of, visible_jobs
from interviews.models import Job, JobRow, JobState

PAGE_SIZE = 50
FIRST_ROWS = 10
CHUNK = 1000
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WRITERS = {
    "csv": (template.as_csv, "text/csv; charset=utf-8"),
    "xlsx": (template.as_xlsx, XLSX),
}


class ImportRequest(HttpRequest):
    """desk_permission_required saw to it that somebody is signed in who may import."""

    user: User


# --- importing -----------------------------------------------------------------------------------


@never_cache
@desk_permission_required(IMPORT_INTERVIEWS)
@require_http_methods(["GET", "HEAD", "POST"])
def imports_list(request: ImportRequest) -> HttpResponse:
    """Choose a file; and what was imported before."""
    form = _form(request, FileForm)
    if form.is_valid():
        try:
            job = imports.start_preview(*_uploaded(form), by=request.user)
        except ImportRefused as refused:
            _refuse(form, refused)
        else:
            return redirect("interviews:import_preview", job.reference)
    page = _page(request, _jobs(request, imports.IMPORT).select_related("requested_by"))
    context = {
        "form": form,
        "page": page,
        "rows": _with_undo(page.object_list),
        "kinds": [(what.value, what.label) for what in What],
        "kept_days": KEPT.days,
        "place": "settings",
    }
    status = 422 if form.errors else 200
    return render(request, "interviews/imports/desk/list.html", context, status=status)


@desk_permission_required(IMPORT_INTERVIEWS)
@require_safe
def import_template(request: ImportRequest, what: str, ext: str) -> HttpResponse:
    """The empty file to fill in."""
    if what not in What or ext not in WRITERS:
        raise Http404
    write, content_type = WRITERS[ext]
    return HttpResponse(
        write(template.MAPPINGS[What(what)]),
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="mianyue-{what}.{ext}"'},
    )


@never_cache
@desk_permission_required(IMPORT_INTERVIEWS)
@require_safe
def preview(request: ImportRequest, reference: str) -> HttpResponse:
    """What would happen, row by row; nothing has."""
    job = _job(request, imports.PREVIEW, reference)
    page = _page(request, job.rows.order_by("pk"))
    context: dict[str, Any] = {
        "job": job,
        "title": _("Preview of an import"),
        "found": job.params if job.state == JobState.DONE else {},
        "page": page,
        "mapping_title": _mapping_title(job),
        "imported": Job.objects.filter(reference=job.params.get("import", "")).first(),
        "place": "settings",
    }
    if "rows" in context["found"] and page.number == 1 and job.file is not None:
        context["sample"] = _sample(job)
    return render(request, "interviews/imports/desk/preview.html", context)


@desk_permission_required(IMPORT_INTERVIEWS)
@require_safe
def rejections(request: ImportRequest, reference: str) -> HttpResponseBase:
    """The rejected rows as a file to work through."""
    job = _job(request, imports.PREVIEW, reference)
    titles = [_("Line"), _("Column"), _("Value"), _("What to do")]

    def cells(row: JobRow) -> Iterator[Sequence[Any]]:
        yield row.number, *(row.detail.get(key, "") for key in ("column", "value", "message"))

    return _report(f"rejected-{reference}.csv", titles, job, cells)


@never_cache
@desk_permission_required(IMPORT_INTERVIEWS)
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: ImportRequest, reference: str) -> HttpResponse:
    """Import exactly what was previewed; pressed twice, once."""
    job = _job(request, imports.PREVIEW, reference)
    if request.method != "POST":  # who signed in anew meanwhile looks at the preview again
        return redirect("interviews:import_preview", reference)
    if job.state != JobState.DONE or not job.params.get("imported") or job.file is None:
        messages.warning(request, _("There is nothing to import. Choose the file again."))
        return redirect("interviews:imports")
    return redirect("interviews:job", imports.start_import(job, by=request.user).reference)


@never_cache
@desk_permission_required(IMPORT_INTERVIEWS)
@require_http_methods(["GET", "HEAD", "POST"])
def undo(request: ImportRequest, reference: str) -> HttpResponse:
    """Say exactly what undoing does; then do it in the background."""
    job = _job(request, imports.IMPORT, reference)
    if not job.is_over:
        messages.warning(request, _("This import is still running. Stop it first."))
        return redirect("interviews:job", reference)
    if not job.params.get("undo"):
        messages.warning(request, _("The report of this import is no longer kept."))
        return redirect("interviews:imports")
    if request.method == "POST":
        return redirect("interviews:job", imports.start_undo(job, by=request.user).reference)
    chosen = mapping.load(job.params["mapping"])
    context = {
        "job": job,
        "brought": job.rows.filter(outcome="imported").count(),
        "what": chosen.what,
        "undone": imports.undone_by(job),
        "place": "settings",
    }
    return render(request, "interviews/imports/desk/undo.html", context)


# --- comparing -----------------------------------------------------------------------------------


@never_cache
@desk_permission_required(IMPORT_INTERVIEWS)
@require_http_methods(["GET", "HEAD", "POST"])
def compare(request: ImportRequest) -> HttpResponse:
    """Choose a file of the old system; and what was compared before."""
    form = _form(request, ComparisonForm)
    if form.is_valid():
        try:
            job = imports.start_comparison(
                *_uploaded(form), by=request.user, source=form.cleaned_data["source"]
            )
        except ImportRefused as refused:
            _refuse(form, refused)
        else:
            return redirect("interviews:comparison", job.reference)
    page = _page(request, _jobs(request, imports.COMPARE).select_related("requested_by"))
    context = {"form": form, "page": page, "place": "settings"}
    status = 422 if form.errors else 200
    return render(request, "interviews/imports/desk/compare.html", context, status=status)


@never_cache
@desk_permission_required(IMPORT_INTERVIEWS)
@require_safe
def comparison(request: ImportRequest, reference: str) -> HttpResponse:
    """Where the file and what we hold differ."""
    job = _job(request, imports.COMPARE, reference)
    words = outcomes_of(job)
    counts = dict(job.rows.order_by().values_list("outcome").annotate(Count("pk")))
    outcome = request.GET.get("outcome", "")
    outcome = outcome if outcome in counts else ""
    rows = job.rows.filter(outcome=outcome) if outcome else job.rows.all()
    page = _page(request, rows.order_by("pk"))
    context = {
        "job": job,
        "title": _("Comparing with the old system"),
        "mapping_title": _mapping_title(job),
        "source_title": source_named(job.params.get("source", "")),
        "counts": [(code, label, counts[code]) for code, label in words.items() if code in counts],
        "all_count": sum(counts.values()),
        "outcome": outcome,
        "query": f"outcome={outcome}" if outcome else "",
        "page": page,
        "lines": [_line(request, job, row) for row in page],
        "place": "settings",
    }
    return render(request, "interviews/imports/desk/comparison.html", context)


@desk_permission_required(IMPORT_INTERVIEWS)
@require_safe
def comparison_csv(request: ImportRequest, reference: str) -> HttpResponseBase:
    """One line for each value that differs."""
    job = _job(request, imports.COMPARE, reference)
    titles = [
        _("Line"),
        _("Key"),
        _("Reference"),
        _("Finding"),
        _("Column"),
        _("In the file"),
        _("Here"),
    ]

    def cells(row: JobRow) -> Iterator[Sequence[Any]]:
        line = _line(request, job, row)
        for name, theirs, ours in line.fields or [(line.words, "", "")]:
            yield line.number or "", line.key, line.reference, line.finding, name, theirs, ours

    return _report(f"comparison-{reference}.csv", titles, job, cells)


# --- shared ---------------------------------------------------------------------------------------


def _jobs(request: ImportRequest, kind: str) -> Any:
    return visible_jobs(request.user).filter(kind=kind).defer("file").order_by("-pk")


def _job(request: ImportRequest, kind: str, reference: str) -> Job:
    return get_object_or_404(visible_jobs(request.user), kind=kind, reference=reference)


def _form(request: ImportRequest, form: type[FileForm]) -> FileForm:
    return form(request.POST, request.FILES) if request.method == "POST" else form()


def _uploaded(form: FileForm) -> tuple[bytes, str, mapping.Mapping]:
    file = form.cleaned_data["file"]
    return file.read(), tidy(file.name), mapping.load(form.cleaned_data["mapping"])


def _refuse(form: FileForm, refused: ImportRefused) -> None:
    """Said where it is put right."""
    form.add_error("mapping" if isinstance(refused, imports.OtherMapping) else "file", str(refused))


def _page(request: HttpRequest, rows: Any) -> Any:
    return Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))


def _mapping_title(job: Job) -> str:
    name = job.params.get("mapping", "")
    return mapping.load(name).title if name in mapping.shipped() else ""


def _with_undo(jobs: Sequence[Job]) -> list[dict[str, Any]]:
    """Each import, what it held, how many rows were new, and the job that undid it."""
    undone = {
        each.reference: each
        for each in Job.objects.filter(
            kind=imports.UNDO, reference__in=[job.params.get("undo", "") for job in jobs]
        ).defer("file", "params")
    }
    new = dict(
        JobRow.objects.filter(job__in=jobs, outcome=Outcome.IMPORTED)
        .order_by("job")
        .values_list("job")
        .annotate(Count("pk"))
    )
    return [
        {
            "job": job,
            "mapping": _mapping_title(job),
            "new": new.get(job.pk, 0) if job.params else None,  # the report is no longer kept
            "undone": undone.get(job.params.get("undo", "")),
            "may_undo": imports.may_be_undone(job),
        }
        for job in jobs
    ]


def _sample(job: Job) -> dict[str, Any]:
    """The first rows as they are understood."""
    rows = first_rows(imports.file_of(job), mapping.load(job.params["mapping"]), FIRST_ROWS)
    reader = rows.reader
    names = [name for name in reader.mapping.fields if reader.holds(name)]
    return {
        "titles": [title_of(name) for name in names],
        "rows": [(row.line, _cells(row, names, rows)) for row in rows],
        "width": len(names),
    }


def _cells(row: Row, names: Sequence[str], batch: Batch) -> list[str]:
    """Empty for a row that is rejected."""
    if isinstance(row, Rejection):
        return []
    zone = batch.reader.mapping.zone
    cells = []
    for name in names:
        if name in MOMENTS:
            at = getattr(row, name)
            cells.append(at.astimezone(zone).strftime("%Y-%m-%d %H:%M") if at else "")
        elif name == "national_id" and row[name]:
            cells.append(masked(Identifier(IdentifierKind.NATIONAL_ID, row[name])))
        else:
            cells.append(shortened(in_words(name, row[name])))
    return cells


@dataclass
class Line:
    """One line of a comparison, as this reader may see it."""

    number: int | None  # what is only here stands in no line
    key: str
    reference: str
    finding: str
    words: str
    fields: list[tuple[str, str, str]]


def _line(request: ImportRequest, job: Job, row: JobRow) -> Line:
    hidden = frozenset() if request.user.has_perm(READ_DETAIL) else PERSONAL
    fields = [
        (title_of(name), _hidden(theirs), _hidden(ours))
        if name in hidden
        else (title_of(name), in_words(name, theirs), in_words(name, ours))
        for name, theirs, ours in row.detail.get("fields", [])
    ]
    return Line(
        number=None if row.outcome == Finding.ONLY_HERE else row.number,
        key=row.detail.get("key", ""),
        reference=row.subject.removeprefix("interview:"),
        finding=str(outcomes_of(job).get(row.outcome, row.outcome)),
        words=imports.of_rejection(row),
        fields=fields,
    )


def _hidden(value: str) -> str:
    return "***" if value else ""


def _report(name: str, titles: Sequence[str], job: Job, cells: Any) -> HttpResponseBase:
    """The whole report, sent while it is read."""

    def table() -> Iterator[Sequence[Any]]:
        yield titles
        last = 0
        while rows := list(job.rows.filter(pk__gt=last).order_by("pk")[:CHUNK]):
            for row in rows:
                yield from cells(row)
            last = rows[-1].pk

    return csv_file(name, table())
