"""Which pages of figures there are, and the order of their tabs."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

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
# What to do about it stands right beside the overview.
TABS: tuple[Tab, ...] = (BOARDS[0], FINDINGS, ACTIONS, *BOARDS[1:])
REPORT = Page("report", _("Report"), _("Report"), report.build)
PAGES = {page.name: page for page in (*BOARDS, REPORT)}
