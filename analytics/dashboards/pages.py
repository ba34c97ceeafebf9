"""Which pages of figures there are, in the order of their tabs."""

from collections.abc import Callable
from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import User
from accounts.permissions import HANDLE_WORK
from analytics.dashboards.asking import Asked
from analytics.dashboards.boards import (
    attendance,
    decisions,
    delivery,
    exits,
    overview,
    quality,
    reasons,
    report,
    timing,
)
from analytics.dashboards.telling import Board


@dataclass(frozen=True)
class Page:
    """One page: its address is named for it. `tab` is its short title."""

    name: str
    tab: str | Promise
    title: str | Promise
    build: Callable[[Asked], Board]

    @property
    def url_name(self) -> str:
        return f"analytics:{self.name}"


TABS = (
    Page("overview", _("Overview"), _("Insights"), overview.build),
    Page("reasons", _("Reasons"), _("Why interviews end early"), reasons.build),
    Page(
        "timing", _("Timing"), _("When interviews are booked, cancelled and missed"), timing.build
    ),
    Page(
        "exits",
        pgettext_lazy("figures", "Leaving"),
        _("Where people leave the interview"),
        exits.build,
    ),
    Page("attendance", _("Attendance"), _("Who does not come, and what helps"), attendance.build),
    Page("decisions", _("Decisions"), _("How long candidates wait for HR"), decisions.build),
    Page("delivery", _("Delivery"), _("Whether messages arrive"), delivery.build),
    Page("quality", _("Data quality"), _("Whether the data is in order"), quality.build),
)
REPORT = Page("report", _("Report"), _("Report"), report.build)
PAGES = {page.name: page for page in (*TABS, REPORT)}


@dataclass(frozen=True)
class Tab:
    """The way to a page beside the others; `name` is what that page calls itself."""

    name: str
    label: str | Promise
    url: str


def tabs(user: User, query: str = "") -> list[Tab]:
    """What stands beside one another: the pages of figures, which take their period and filter
    along, and those that stand for themselves."""
    found = [Tab(each.name, each.tab, with_query(reverse(each.url_name), query)) for each in TABS]
    found.append(Tab("alerts", _("Alerts"), reverse("alerts:index")))
    if user.has_perm(HANDLE_WORK):
        return [*found, Tab("risk", _("Who may need help"), reverse("risk:index"))]
    return [*found, Tab("risk", _("How well this is foreseen"), reverse("risk:models"))]


def with_query(address: str, query: str) -> str:
    return f"{address}?{query}" if query else address
