"""History at the desk: what happened to the interviews of one's departments, what was changed of
the configuration, and the proof that nobody changed it afterwards."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.decorators import desk_permission_required
from accounts.models import User
from accounts.permissions import (
    EDIT_POLICIES,
    EXPORT_INTERVIEWS,
    MANAGE_STAFF,
    READ_DETAIL,
    READ_HISTORY,
)
from cancellations import configuration, telling
from cancellations.history_filters import ChangeFilter, HistoryFilter
from interviews import history, trail, verification
from interviews.exports import PIECE, csv_file
from interviews.listing import COUNTED
from interviews.models import Access, AccessLog, HistoryEntry, HistorySeal, Interview
from interviews.queries import departments_of, visible_to
from interviews.search import as_reference
from interviews.states import InterviewStatus

PAGE_SIZE = 50
AT_ONCE = 1000  # interviews verified while somebody waits
PAGE = "cancellations:history"


class DeskRequest(HttpRequest):
    """desk_permission_required saw to it that somebody is signed in."""

    user: User


@never_cache
@desk_permission_required(READ_HISTORY)
@require_safe
def index(request: DeskRequest) -> HttpResponse:
    """What happened to the interviews, what came last on top."""
    return _page(request, _Asked(request.GET, request.user))


@never_cache
@desk_permission_required(READ_HISTORY)
@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: DeskRequest) -> HttpResponse:
    """Check the chains of every interview the list tells of; of very many, in the background."""
    if request.method != "POST":
        return redirect(PAGE)
    asked = _Asked(_sent_query(request), request.user)
    until = timezone.now()
    chosen = trail.concerned(request.user, asked.wanted)
    if chosen.order_by()[: AT_ONCE + 1].count() > AT_ONCE:
        job = verification.start(asked.wanted, by=request.user)
        return redirect("interviews:job", job.reference)
    tally = history.Tally()
    breaks = list(history.verify(chosen, tally))
    return _page(request, asked, verified={"tally": tally, "breaks": breaks, "until": until})


@never_cache
@desk_permission_required(EXPORT_INTERVIEWS)
@require_http_methods(["GET", "HEAD", "POST"])
def export(request: DeskRequest) -> HttpResponseBase:
    """The whole of a list as CSV, sent while it is read. Who took it along is written down first;
    it names candidates."""
    if request.method != "POST":
        return redirect(PAGE)
    asked = _Asked(_sent_query(request), request.user)
    entries = trail.everything(request.user, asked.wanted)
    filters = {name: str(value) for name, value in asked.form.narrowing.items()}
    AccessLog.objects.create(
        action=Access.EXPORTED,
        by=request.user,
        subject=f"interview:{asked.interview.reference}" if asked.interview else "",
        detail={"list": "history", "format": "csv", "count": entries.count(), "filters": filters},
    )
    name = f"history-{timezone.localtime():%Y%m%d-%H%M}.csv"
    rows = entries.values("pk", "at", *telling.COLUMNS).iterator(PIECE)
    return csv_file(name, _table(rows, in_full=request.user.has_perm(READ_DETAIL)))


@never_cache
@desk_permission_required(EDIT_POLICIES)
@require_safe
def changes(request: DeskRequest) -> HttpResponse:
    """What was changed of the configuration, as far as it concerns one's departments."""
    form = ChangeFilter(request.GET, user=request.user)
    found = configuration.narrowed(
        configuration.visible_changes(request.user), form.cleaned_data
    ).order_by("-at", "-id")
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "place": "settings",
        "tab": "configuration",
        "page_url": reverse("cancellations:configuration_history"),
        "form": form,
        "chips": [(chip, chip.without) for chip in form.chips()],
        "page": page,
        "rows": configuration.told(page),
        "query": form.query(),
    }
    return render(request, "cancellations/history/configuration.html", context)


@never_cache
@desk_permission_required(MANAGE_STAFF)
@require_safe
def seals(request: DeskRequest) -> HttpResponse:
    """The daily seals, to be printed and put away."""
    page = Paginator(HistorySeal.objects.all(), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"place": "settings", "tab": "seals", "page": page}
    return render(request, "cancellations/history/seals.html", context)


class _Asked:
    """Which part of history an address asks for. Raises Http404 for an interview that this person
    may not see."""

    def __init__(self, asked: QueryDict, user: User) -> None:
        self.form = HistoryFilter(asked, user=user)
        self.interview = self._interview(asked.get("interview", ""), user)
        self.wanted = self.form.wanted(self.interview.pk if self.interview else None)
        self.after = _place(asked.get("after", ""), user)
        self.before = _place(asked.get("before", ""), user)

    @staticmethod
    def _interview(text: str, user: User) -> Interview | None:
        if not text:
            return None
        found = visible_to(user).filter(reference=as_reference(text[:40])).with_facts().first()
        if found is None:
            raise Http404
        return found

    def address(self, query: str) -> str:
        """`query`, and with it the interview."""
        said = QueryDict(query, mutable=True)
        if self.interview:
            said["interview"] = self.interview.reference
        return said.urlencode()


def _page(
    request: DeskRequest, asked: _Asked, *, verified: dict[str, Any] | None = None
) -> HttpResponse:
    part = trail.some(
        request.user,
        asked.wanted,
        telling.COLUMNS,
        size=PAGE_SIZE,
        after=asked.after,
        before=asked.before,
    )
    form = asked.form
    context = {
        "place": "settings",
        "tab": "interviews",
        "page_url": reverse(PAGE),
        "form": form,
        "interview": asked.interview,
        "chips": [(chip, asked.address(chip.without)) for chip in form.chips()],
        "without_interview": form.query(),
        "query": asked.address(form.query()),
        "part": part,
        "counted": COUNTED,
        "rows": telling.told(part.rows, in_full=request.user.has_perm(READ_DETAIL)),
        "verified": verified,
        "exports": request.user.has_perm(EXPORT_INTERVIEWS),
    }
    return render(request, "cancellations/history/index.html", context)


def _sent_query(request: DeskRequest) -> QueryDict:
    """The list that a form was sent from."""
    return QueryDict(request.POST.get("query", "")[:2000])


def _place(text: str, user: User) -> trail.Place | None:
    """Where the entry stands that an address names as REFERENCE-3; None where there is none that
    this person may see."""
    reference, _dash, number = text[:40].partition("-")
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        return None
    own = HistoryEntry.objects.filter(
        interview__reference=as_reference(reference),
        sequence=int(number),
        listed_department__in=departments_of(user).values("pk"),
    )
    return next((trail.Place(*place) for place in own.values_list("at", "id")), None)


def _table(rows: Iterator[dict[str, Any]], *, in_full: bool) -> Iterator[list[str]]:
    """The rows of the file, told a piece at a time."""
    yield _titles()
    while piece := list(islice(rows, PIECE)):
        yield from map(_row, telling.told(piece, in_full=in_full))


def _titles() -> list[str]:
    return [
        _("Time"),
        _("Interview"),
        _("Number"),
        _("Candidate"),
        _("Position"),
        _("Department"),
        pgettext("column", "What happened"),
        _("Details"),
        _("Status afterwards"),
        _("Reason"),
        pgettext("who did it", "By"),
        _("Decided by"),
    ]


def _row(entry: telling.Told) -> list[str]:
    return [
        f"{timezone.localtime(entry.at):%Y-%m-%d %H:%M:%S}",
        entry.interview,
        str(entry.sequence),
        entry.candidate,
        entry.position,
        entry.department,
        entry.what,
        entry.details,
        str(InterviewStatus(entry.status).label) if entry.status else "",
        entry.why,
        entry.who,
        entry.approver,
    ]
