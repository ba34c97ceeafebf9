"""Long work in the background, as those who asked for it see it: how far it is, and its report."""

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, QuerySet
from django.http import HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.decorators import DeskRequest, desk_required
from accounts.models import User
from interviews import jobs
from interviews.exports import csv_file
from interviews.imports import jobs as imports
from interviews.imports.store import Outcome
from interviews.models import Interview, Job, JobRow
from interviews.queries import visible_to
from interviews.templatetags.when import moment

PAGE_SIZE = 50
CHUNK = 1000  # lines of a report that are read at once
ABOUT = "interview:"


@never_cache
@desk_required
@require_safe
def jobs_list(request: DeskRequest) -> HttpResponse:
    """My own, the newest at the top; administrators see everybody's."""
    asked = jobs.visible_jobs(request.user).select_related("requested_by").defer("file", "params")
    page = Paginator(asked.order_by("-pk"), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [(job, jobs.title_of(job)) for job in page],
        "sees_all": any(job.requested_by != request.user for job in page),
        "place": "settings",
    }
    return render(request, "interviews/jobs/list.html", context)


@never_cache
@desk_required
@require_safe
def job(request: DeskRequest, reference: str) -> HttpResponse:
    """How far it is, asked again and again while it runs; and its report."""
    found = _visible(request, reference)
    if "HX-Request" in request.headers:
        response = render(request, "interviews/jobs/progress.html", _progress(found))
        if found.is_over:
            response["HX-Refresh"] = "true"
        return response
    words = jobs.outcomes_of(found)
    counts = dict(found.rows.order_by().values_list("outcome").annotate(Count("pk")))
    outcome = request.GET.get("outcome", "")
    outcome = outcome if outcome in counts else ""
    rows = found.rows.filter(outcome=outcome) if outcome else found.rows.all()
    page = Paginator(rows.order_by("pk"), PAGE_SIZE).get_page(request.GET.get("page"))
    context = _progress(found) | {
        "page": page,
        "lines": list(_lines(request, found, list(page))),
        "outcome": outcome,
        "counts": [(code, words.get(code, code), count) for code, count in sorted(counts.items())],
        "query": f"outcome={outcome}" if outcome else "",
        "kept_days": jobs.KEPT.days,
        "place": "settings",
    }
    context["is_about_any"] = any(line["reference"] for line in context["lines"])
    if found.kind == imports.IMPORT:
        context["imported"] = {
            "new": counts.get(Outcome.IMPORTED, 0),
            "may_undo": imports.may_be_undone(found),
            "undone": imports.undone_by(found),
        }
    return render(request, "interviews/jobs/job.html", context)


@never_cache
@desk_required
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: DeskRequest, reference: str) -> HttpResponse:
    found = _visible(request, reference)
    if request.method == "POST":
        if found.is_over:
            messages.info(request, _("It is over already."))
        else:
            jobs.stop_job(found.pk)
            messages.success(request, _("It is being stopped. What is done stays done."))
    return HttpResponseRedirect(reverse("interviews:job", args=[reference]), status=303)


@never_cache
@desk_required
@require_safe
def report(request: DeskRequest, reference: str) -> HttpResponseBase:
    """The whole report as CSV, sent while it is read."""
    found = _visible(request, reference)
    return csv_file(f"report-{reference}.csv", _table(request, found))


def _visible(request: DeskRequest, reference: str) -> Job:
    """Somebody else's job is not there."""
    return get_object_or_404(jobs.visible_jobs(request.user).defer("file"), reference=reference)


def _progress(found: Job) -> dict[str, Any]:
    return {"job": found, "title": jobs.title_of(found), "halted": jobs.why_halted(found)}


def _lines(request: DeskRequest, found: Job, rows: list[JobRow]) -> Iterator[dict[str, Any]]:
    """The lines of a report with the interviews they are about, as far as one may see those."""
    words = jobs.outcomes_of(found)
    references = [row.subject.removeprefix(ABOUT) for row in rows if row.subject.startswith(ABOUT)]
    about = _interviews(request.user, references)
    for row in rows:
        yield {
            "number": row.number,
            "reference": row.subject.removeprefix(ABOUT),
            "interview": about.get(row.subject.removeprefix(ABOUT)),
            "outcome": str(words.get(row.outcome, row.outcome)),
            "words": jobs.words_of(found, row),
        }


def _interviews(user: User, references: list[str]) -> dict[str, Interview]:
    visible = visible_to(user).with_facts().filter(reference__in=references)
    return {each.reference: each for each in visible} if references else {}


def _table(request: DeskRequest, found: Job) -> Iterator[list[str]]:
    yield [
        _("No."),
        _("Reference"),
        _("Candidate"),
        _("Position"),
        _("Time"),
        _("Result"),
        _("Details"),
    ]
    rows: QuerySet[JobRow] = found.rows.order_by("pk")
    last = 0
    while chunk := list(rows.filter(pk__gt=last)[:CHUNK]):
        for line in _lines(request, found, chunk):
            interview = line["interview"]
            facts = ["", "", ""]
            if interview:
                facts = [
                    interview.candidate.user.name,
                    interview.position.title,
                    moment(interview.starts_at) if interview.starts_at else "",
                ]
            yield [str(line["number"]), line["reference"], *facts, line["outcome"], line["words"]]
        last = chunk[-1].pk
