"""Alerts at the desk: what is wrong now, what was, and the rules, which administrators write."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.decorators import DeskRequest, desk_permission_required, desk_required
from accounts.permissions import EDIT_POLICIES
from analytics.alerts import queries, services, words
from analytics.alerts.forms import RuleForm
from analytics.alerts.models import Alert, AlertRule, Measure, Whose
from analytics.dashboards.asking import in_words
from analytics.dashboards.pages import ALERTS, tabs
from interviews.listing import LEFT_MIDWAY, OURS, RAN_OUT
from interviews.queries import company_day
from interviews.states import InterviewStatus

POSTED = ["GET", "HEAD", "POST"]  # by GET comes who switched the language or signed in anew
PAGE_SIZE = 30
MOST_OPEN = 100  # on one page, the worst first

# The page of figures that a rate belongs to, and the interviews behind it.
PAGES = {
    Measure.NO_SHOW: "attendance",
    Measure.NO_REPLY: "attendance",
    Measure.CANCEL: "reasons",
    Measure.EXIT: "exits",
    Measure.INCOMPLETE: "exits",
    Measure.UNDELIVERED: "delivery",
    Measure.MISMATCH: "quality",
}
STATUSES: dict[str, str] = {
    Measure.NO_SHOW: InterviewStatus.NO_SHOW,
    Measure.NO_REPLY: RAN_OUT,
    Measure.CANCEL: InterviewStatus.CANCELLED,
    Measure.EXIT: LEFT_MIDWAY,
    Measure.INCOMPLETE: InterviewStatus.INCOMPLETE,
}


# --- alerts ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shown:
    """One alert as a page shows it."""

    alert: Alert
    what: str
    where: str
    now: str
    first: str
    worst: str
    period: str
    causes: list[str]
    ending: str
    figures_url: str
    rows_url: str


@never_cache
@desk_required
@require_safe
def index(request: DeskRequest) -> HttpResponse:
    """What is open, the worst first; what was, page after page; and what is watched."""
    mine = queries.visible_alerts(request.user)
    open_now = sorted(mine.open(), key=lambda each: (-(each.now.share or 0), -each.pk))
    past = mine.filter(closed_at__isnull=False).order_by("-closed_at", "-pk")
    page = Paginator(past, PAGE_SIZE).get_page(request.GET.get("page"))
    found = shown([*open_now[:MOST_OPEN], *page])
    here = len(open_now[:MOST_OPEN])
    context = {
        "open": found[:here],
        "open_count": len(open_now),
        "more": len(open_now) - here,
        "page": page,
        "past": found[here:],
        "watched": [words.of_rule(rule) for rule in queries.watching()],
    }
    return render(request, "analytics/alerts/index.html", _around(request) | context)


@never_cache
@desk_required
@require_safe
def alert(request: DeskRequest, alert_id: int) -> HttpResponse:
    """One of them; outside one's departments it is not there."""
    found = get_object_or_404(queries.visible_alerts(request.user), pk=alert_id)
    context = {"each": shown([found])[0]}
    return render(request, "analytics/alerts/alert.html", _around(request) | context)


def shown(alerts: list[Alert]) -> list[Shown]:
    """As many queries for one as for many."""
    places = words.names_of_alerts(alerts)
    causes = {alert.pk: words.causes_of(alert) for alert in alerts}
    names = words.named([each for found in causes.values() for each in found], people=True)
    return [
        Shown(
            alert=alert,
            what=words.what(alert),
            where=places[alert.pk],
            now=words.measured(alert, alert.now),
            first=words.measured(alert, alert.first),
            worst=words.measured(alert, alert.worst),
            period=in_words(alert.period),
            causes=[words.sentence(cause, names) for cause in causes[alert.pk]],
            ending=words.over(alert) if alert.closed_at else "",
            figures_url=_figures_of(alert),
            rows_url=_rows_of(alert),
        )
        for alert in alerts
    ]


def _narrowed(alert: Alert) -> dict[str, str]:
    said = {"since": str(alert.period.since), "until": str(alert.period.until)}
    if alert.scope in (Whose.DEPARTMENT, Whose.POSITION):
        said[alert.scope] = str(alert.owner)
    if alert.scope == Whose.SOURCE:
        said["source"] = alert.source or OURS
    return said | ({"kind": alert.kind} if alert.kind else {})


def _figures_of(alert: Alert) -> str:
    page = reverse(f"analytics:{PAGES[Measure(alert.rate)]}")
    return f"{page}?{urlencode(_narrowed(alert))}"


def _rows_of(alert: Alert) -> str:
    """Where the desk lists the interviews that were counted; nowhere, where a list cannot tell
    them."""
    status = STATUSES.get(Measure(alert.rate))
    if status is None:
        return ""
    query = urlencode(_narrowed(alert) | {"status": status})
    return f"{reverse('cancellations:interviews')}?{query}"


# --- rules ----------------------------------------------------------------------------------------


@never_cache
@desk_permission_required(EDIT_POLICIES)
@require_safe
def rules_list(request: DeskRequest) -> HttpResponse:
    """What is watched; only who sees every department changes it."""
    context = {
        "rules": AlertRule.objects.all(),
        "may_edit": queries.may_edit_rules(request.user),
    }
    return render(request, "analytics/alerts/rules.html", _around(request) | context)


@never_cache
@desk_permission_required(EDIT_POLICIES)
@require_http_methods(POSTED)
def new_rule(request: DeskRequest) -> HttpResponseBase:
    return _rule(request, AlertRule())


@never_cache
@desk_permission_required(EDIT_POLICIES)
@require_http_methods(POSTED)
def edit_rule(request: DeskRequest, rule_id: int) -> HttpResponseBase:
    """Change one, or switch it off; what it said stays with the alerts."""
    return _rule(request, get_object_or_404(AlertRule, pk=rule_id))


@never_cache
@desk_permission_required(EDIT_POLICIES)
@require_http_methods(POSTED)
def delete_rule(request: DeskRequest, rule_id: int) -> HttpResponseBase:
    """Ask once more, then take it away."""
    rule = get_object_or_404(AlertRule, pk=rule_id)
    if not queries.may_edit_rules(request.user):
        raise PermissionDenied
    if request.method == "POST":
        services.delete_rule(rule, by=request.user, now=timezone.now())
        messages.success(request, _("Removed. What it had found stays to be read."))
        return redirect("alerts:rules")
    context = {"rule": rule, "open": rule.alerts.open().count()}
    return render(request, "analytics/alerts/delete.html", _around(request) | context)


def _rule(request: DeskRequest, rule: AlertRule) -> HttpResponseBase:
    """Written, tried on the figures as they are, saved."""
    if not queries.may_edit_rules(request.user):
        raise PermissionDenied
    form = RuleForm(request.POST if request.method == "POST" else None, instance=rule)
    tried = request.POST.get("try") == "1"
    if form.is_valid() and not tried:
        saved = services.save_rule(form.save(commit=False), by=request.user, now=timezone.now())
        messages.success(request, _said(saved))
        return redirect("alerts:rules")
    speaks = (form.is_bound and form.is_valid()) or (not form.is_bound and rule.pk is not None)
    found = _preview(form.instance) if speaks else None
    context = {"form": form, "rule": rule, "preview": found}
    status = 422 if form.is_bound and not form.is_valid() else 200
    return render(request, "analytics/alerts/rule.html", _around(request) | context, status=status)


def _preview(rule: AlertRule) -> services.Preview:
    return services.preview(rule, company_day(timezone.now()))


def _said(rule: AlertRule) -> str:
    if not rule.is_active:
        return _("Saved. It is switched off, and what it had open is over.")
    number = len(_preview(rule).breached)
    return ngettext(
        "Saved. As figures stand it finds %(count)d.",
        "Saved. As figures stand it finds %(count)d.",
        number,
    ) % {"count": number}


def _around(request: DeskRequest) -> dict[str, Any]:
    return {
        "place": "insights",
        "tabs": tabs(request.user),
        "tab": ALERTS,
        "reads_rules": queries.may_read_rules(request.user),
    }
