"""The desk's pages of figures, their tables as files, and the summary by mail."""

from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.decorators import DeskRequest, desk_required
from analytics.dashboards import weekly
from analytics.dashboards.asking import PRESETS, Asked, ask, in_words
from analytics.dashboards.pages import PAGES, REPORT, Tab, tabs, with_query
from cancellations.desk_filters import sent_query
from interviews import exports
from interviews.queries import sees_everything


@never_cache
@desk_required
@require_safe
def page(request: DeskRequest, name: str) -> HttpResponse:
    """One page of figures."""
    shown = PAGES[name]
    asked = ask(request.GET, request.user)
    context = around(request, shown, asked) | {"board": shown.build(asked)}
    return render(request, "analytics/page.html", context)


@never_cache
@desk_required
@require_safe
def report(request: DeskRequest) -> HttpResponse:
    """To be printed: the leading panels of all pages, with their tables."""
    asked = ask(request.GET, request.user)
    context = around(request, REPORT, asked) | {
        "board": REPORT.build(asked),
        "written_at": timezone.now(),
        "departments": _departments(asked),
    }
    return render(request, "analytics/report.html", context)


def around(request: DeskRequest, shown: Tab, asked: Asked) -> dict[str, Any]:
    """What every page of figures shows beside its own."""
    query = asked.query
    return {
        "place": "insights",
        "page": shown,
        "asked": asked,
        "form": asked.form,
        "period": in_words(asked.period),
        "before": in_words(asked.before),
        "presets": [(label, asked.query_for(key), key) for key, label in PRESETS.items()],
        "tabs": tabs(request.user, query),
        "chips": asked.form.chips(),
        "query": query,
        "here": reverse(shown.url_name),
        "report_url": with_query(reverse(REPORT.url_name), query),
        "no_departments": asked.chosen.departments == () and not sees_everything(request.user),
        "weekly": weekly.is_offered_to(request.user),
        "gets_weekly": weekly.is_wanted_by(request.user) if shown == REPORT else False,
    }


def _departments(asked: Asked) -> str:
    """Whose figures these are, for who reads the paper later."""
    if asked.chosen.departments is None:
        return _("The whole company")
    names = [asked.name_of("department", key) for key in asked.chosen.departments]
    return ", ".join(names)


@never_cache
@desk_required
@require_safe
def table(request: DeskRequest, page: str, table: str, kind: str) -> HttpResponseBase:
    """One table of a page as a file: figures alone, so nothing is written down about taking it."""
    if page not in PAGES or kind not in {"csv", "xlsx"}:
        raise Http404
    asked = ask(request.GET, request.user, is_file=True)
    panels = {panel.key: panel for panel in PAGES[page].build(asked).panels}
    if table not in panels:
        raise Http404
    found = panels[table].table
    period = asked.period
    name = f"{page}-{table}-{period.since:%Y%m%d}-{period.until:%Y%m%d}.{kind}"
    if kind == "xlsx":
        file = exports.as_xlsx(found.titles, found.values())
        return FileResponse(file, as_attachment=True, filename=name)
    return exports.csv_file(name, exports.as_csv(found.titles, found.values()))


@never_cache
@desk_required
@require_http_methods(["GET", "HEAD", "POST"])
def weekly_summary(request: DeskRequest) -> HttpResponse:
    """Have the summary sent every week, or no longer."""
    back = sent_query(request.POST).urlencode()
    if request.method == "POST" and weekly.is_offered_to(request.user):
        wanted = request.POST.get("wanted") == "1"
        weekly.choose(request.user, is_wanted=wanted)
        messages.success(
            request,
            _("The summary comes every Monday by mail.")
            if wanted
            else _("The summary is no longer sent to you."),
        )
    return redirect(with_query(reverse(REPORT.url_name), back))
