"""Which pages of figures there are, and the order of their tabs."""

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
    guide,
    overview,
    quality,
    reasons,
    report,
    timing,
)
from analytics.dashboards.telling import Board


@dataclass(frozen=True)
class Tab:
    """One page beside the others. `tab` is its short title."""

    name: str
    tab: str | Promise
    title: str | Promise

    @property
    def url_name(self) -> str:
        return f"analytics:{self.name}"


@dataclass(frozen=True)
class Page(Tab):
    """One that shows a board; its address is named for it."""

    build: Callable[[Asked], Board]


@dataclass(frozen=True)
class Elsewhere(Tab):
    """One that is built in another package; its name is that of its address."""

    @property
    def url_name(self) -> str:
        return self.name


BOARDS = (
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
    Page("guide", _("Feedback"), _("Feedback and guide"), guide.build),
)
FINDINGS = Elsewhere("findings:index", _("Findings"), _("What stands out, and what helps"))
ACTIONS = Elsewhere(
    "findings:actions", pgettext_lazy("figures", "Actions"), _("What was done, and what came of it")
)
ALERTS = Elsewhere("alerts:index", _("Alerts"), _("Alerts"))
MAY_NEED_HELP = Elsewhere("risk:index", _("Who may need help"), _("Who may need help"))
MODELS = Elsewhere("risk:models", _("How well this is foreseen"), _("How well this is foreseen"))
REPORT = Page("report", _("Report"), _("Report"), report.build)
PAGES = {page.name: page for page in (*BOARDS, REPORT)}


def foreseen(user: User) -> Tab:
    """Who calls people sees whom; others, how well that is foreseen."""
    return MAY_NEED_HELP if user.has_perm(HANDLE_WORK) else MODELS


def tabs(user: User, query: str = "") -> list[tuple[Tab, str]]:
    """What stands beside one another, with addresses: what to do about it right beside the
    overview. Pages of figures take their period and filter along."""
    beside = (BOARDS[0], FINDINGS, ACTIONS, *BOARDS[1:], ALERTS, foreseen(user))
    return [
        (
            each,
            with_query(
                reverse(each.url_name), query if isinstance(each, Page) or each is FINDINGS else ""
            ),
        )
        for each in beside
    ]


def with_query(address: str, query: str) -> str:
    return f"{address}?{query}" if query else address
