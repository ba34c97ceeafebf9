"""What stands out, what was done about it, and whether it got better since."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.decorators import DeskRequest, desk_permission_required, desk_required
from accounts.permissions import HANDLE_WORK
from analytics import figures
from analytics.dashboards.asking import ask, in_words
from analytics.dashboards.pages import ACTIONS, FINDINGS, tabs
from analytics.dashboards.telling import Table, rate, rates, sample, texts
from analytics.dashboards.views import around
from analytics.figures import SMALL, Counts
from analytics.findings import proof, queries, services, watched, words
from analytics.findings.forms import ActionForm, LogForm
from analytics.findings.looking import look
from analytics.findings.models import Action
from interviews import exports

POSTED = ["GET", "HEAD", "POST"]
PAGE_SIZE = 50


@dataclass(frozen=True)
class Counted:
    """What the page of findings rests on."""

    counts: Counts

    @property
    def is_empty(self) -> bool:
        return not self.counts.invited


@never_cache
@desk_required
@require_safe
def index(request: DeskRequest) -> HttpResponse:
    """What stands out in the period, with what may help; what touches most first."""
    asked = ask(request.GET, request.user)
    counts, found = look(asked)
    context = around(request, FINDINGS, asked) | {
        "board": Counted(counts),
        "findings": found,
        "least": SMALL,
        "may_log": (may_log := queries.may_log(request.user)),
        "cannot_log": may_log and not all(finding.log_url for finding in found),
    }
    return render(request, "analytics/findings/index.html", context)


@never_cache
@desk_required
@require_safe
def actions(request: DeskRequest) -> HttpResponse:
    """What was done in one's departments, the latest first."""
    found = queries.visible_actions(request.user)
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [(each, words.concerns(each), rate(each.then), sample(each.then)) for each in page],
    }
    return _page(request, "actions", context)


@never_cache
@desk_required
@require_safe
def actions_file(request: DeskRequest) -> HttpResponseBase:
    """The same as a file: codes in words and figures, neither notes nor names of people."""
    columns = [
        *texts(
            _("Done on"),
            pgettext("findings", "What was done"),
            _("What it concerns"),
            pgettext("findings", "Finding"),
            _("What is watched"),
            pgettext("figures", "Days"),
        ),
        *rates(pgettext("figures", "Then")),
    ]
    found = queries.visible_actions(request.user)
    rows = [
        [
            str(each.done_on),
            each.get_done_display(),
            words.concerns(each),
            each.get_found_display(),
            each.get_measure_display(),
            in_words(each.period),
            each.then,
        ]
        for each in found
    ]
    table = Table(columns, rows)
    return exports.csv_file("actions.csv", exports.as_csv(table.titles, table.values()))


@never_cache
@desk_permission_required(HANDLE_WORK)
@require_http_methods(POSTED)
def log(request: DeskRequest) -> HttpResponse:
    """Write down what was done about something that stood out."""
    sent = request.POST if request.method == "POST" else None
    form = LogForm(sent, user=request.user, today=_today(), asked=request.GET)
    if (understood := form.understood) is None:
        messages.info(
            request, _("Choose what stood out first: what was done is logged from there.")
        )
        return redirect("findings:index")
    if form.is_bound and form.is_valid():
        logged = form.action()
        then = watched.rate(logged.measure, form.chosen, form.period)
        logged.numerator, logged.denominator = then.numerator, then.denominator
        logged = services.log_action(logged, by=request.user)
        messages.success(request, _("Logged. Here is how it goes on."))
        return redirect("findings:action", logged.pk)
    found, period = understood
    context = {
        "form": form,
        "title": _("Log what was done"),
        "found": found.label,
        "period": in_words(period),
    }
    return _page(request, "edit", context, bound=form.is_bound)


@never_cache
@desk_required
@require_safe
def action(request: DeskRequest, action_id: int) -> HttpResponse:
    """One action, with the days before and since beside one another."""
    found = _action(request, action_id)
    context = {
        "action": found,
        "concerns": words.concerns(found),
        "narrowed": words.narrowed(found),
        "period": in_words(found.period),
        "then": rate(found.then),
        "then_sample": sample(found.then),
        "may_change": queries.may_change(request.user, found),
        "windows": proof.WINDOWS,
        **_proved(request, found),
    }
    return _page(request, "action", context)


def _proved(request: DeskRequest, found: Action) -> dict[str, Any]:
    """Before and since; nothing where what it concerns is there no more."""
    chosen = queries.chosen_by(found, request.user)
    if chosen is None or chosen.is_empty:
        return {"is_gone": True}
    asked = request.GET.get("days", "")
    days = int(asked) if asked in map(str, proof.WINDOWS) else proof.USUAL
    everything = proof.everything_like(chosen, figures.filter_for(request.user))
    when = {"done_on": found.done_on, "today": _today(), "days": days}
    proved = proof.prove(found.measure, chosen, everything, **when)
    course = proof.course(found.measure, chosen, everything, **when)
    return {
        "days": days,
        "proof": proved,
        "verdict": words.verdict(proved),
        "growing": words.growing(proved),
        "rest": words.rest(proved),
        "sides": words.sides(proved),
        "difference": words.difference(proved.change),
        "rest_difference": words.difference(proved.rest),
        "chart": words.chart(course, found) if course else None,
    }


@never_cache
@desk_permission_required(HANDLE_WORK)
@require_http_methods(POSTED)
def edit(request: DeskRequest, action_id: int) -> HttpResponse:
    """What was done, when, and the note."""
    found = _changeable(request, action_id)
    sent = request.POST if request.method == "POST" else None
    initial = {"done": found.done, "done_on": found.done_on, "note": found.note}
    form = ActionForm(sent, initial=initial, today=_today())
    if form.is_bound and form.is_valid():
        services.change_action(found.pk, by=request.user, **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("findings:action", found.pk)
    context = {"form": form, "action": found, "title": _("Change what was done")}
    return _page(request, "edit", context, bound=form.is_bound)


@never_cache
@desk_permission_required(HANDLE_WORK)
@require_http_methods(POSTED)
def remove(request: DeskRequest, action_id: int) -> HttpResponse:
    """GET: what is taken away. POST: do it."""
    found = _changeable(request, action_id)
    if request.method == "POST":
        services.remove_action(found.pk, by=request.user)
        messages.success(request, _("Taken away. History keeps that it was there."))
        return redirect("findings:actions")
    return _page(request, "remove", {"action": found, "concerns": words.concerns(found)})


def _action(request: DeskRequest, action_id: int) -> Action:
    return get_object_or_404(queries.visible_actions(request.user), pk=action_id)


def _changeable(request: DeskRequest, action_id: int) -> Action:
    found = _action(request, action_id)
    if not queries.may_change(request.user, found):
        raise PermissionDenied
    return found


def _today() -> Any:
    return timezone.localdate(timezone=timezone.get_default_timezone())


def _page(
    request: DeskRequest, name: str, context: dict[str, Any], *, bound: bool = False
) -> HttpResponse:
    shared = {"place": "insights", "page_tab": ACTIONS, "tabs": tabs(request.user)}
    status = 422 if bound else 200
    return render(request, f"analytics/findings/{name}.html", shared | context, status=status)
