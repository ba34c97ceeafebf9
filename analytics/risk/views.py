"""Who may need help, for those who can call them; and how well that is foreseen, for everybody at
the desk."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.decorators import DeskRequest, desk_permission_required, desk_required
from accounts.permissions import HANDLE_WORK
from analytics.dashboards.pages import foreseen, tabs
from analytics.risk import queries, training, words
from analytics.risk.evaluation import LEAST_EXAMPLES
from analytics.risk.facts import Target
from analytics.risk.models import RiskModel
from analytics.risk.plot import Plot, calibration

PAGE_SIZE = 50


@never_cache
@desk_permission_required(HANDLE_WORK)
@require_safe
def index(request: DeskRequest) -> HttpResponse:
    """Appointments of the next days for which a call may help, the next first."""
    asked = queries.needing_help(request.user, now=timezone.now()).with_shared_facts()
    models = queries.newest_models()
    page = Paginator(asked, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": queries.shown(list(page), models),
        "foresees": any(model.is_used for model in models.values()),
        "place": "insights",
        "tabs": tabs(request.user),
        "tab": foreseen(request.user),
    }
    return render(request, "analytics/risk/index.html", context)


@never_cache
@desk_required
@require_safe
def models_page(request: DeskRequest) -> HttpResponse:
    """Each model: whether it is used, and how it did on appointments it had not seen."""
    newest = queries.newest_models()
    context = {
        "targets": [
            (target, label, newest.get(target), _plot(newest.get(target)))
            for target, label in Target.choices
        ],
        "least": LEAST_EXAMPLES,
        "not_installed": "" if training.is_installed() else words.NOT_INSTALLED,
        "place": "insights",
        "tabs": tabs(request.user),
        "tab": foreseen(request.user),
    }
    return render(request, "analytics/risk/models.html", context)


def _plot(model: RiskModel | None) -> Plot | None:
    measured = model.measured if model else None
    return calibration(measured.bins) if measured else None
