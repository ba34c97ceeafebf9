"""History at the desk: what happened to the interviews of one's departments, what was changed of
the configuration, who looked at whom, and the proof that nobody changed it afterwards."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.decorators import DeskRequest, desk_permission_required
from accounts.models import ConfigurationChange, User
from accounts.permissions import (
    EDIT_POLICIES,
    EXPORT_INTERVIEWS,
    MANAGE_STAFF,
    READ_DETAIL,
    READ_HISTORY,
)
from cancellations import configuration, looking, telling
from cancellations.desk_filters import Narrowing, sent_query
from cancellations.history_filters import AccessFilter, ChangeFilter, HistoryFilter
from config.references import as_reference
from interviews import accesses, history, trail, verification
from interviews.exports import PIECE, csv_file
from interviews.keyset import COUNTED, Place
from interviews.models import (
    Access,
    AccessLog,
    HistoryEntry,
    HistorySeal,
    Interview,
    RemovedInterview,
)
from interviews.queries import departments_of, visible_to
from interviews.states import InterviewStatus

PAGE_SIZE = 50
AT_ONCE = 1000  # interviews verified while somebody waits
PAGE = "cancellations:history"


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
    asked = _Asked(sent_query(request.POST), request.user)
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
    asked = _Asked(sent_query(request.POST), request.user)
    entries = trail.everything(request.user, asked.wanted)
    subject = asked.interview.subject if asked.interview else ""
    _note(request, "history", asked.form, count=entries.count(), subject=subject)
    in_full = request.user.has_perm(READ_DETAIL)

    def tell(rows: Sequence[dict[str, Any]]) -> Iterable[list[str]]:
        return map(_row, telling.told(rows, in_full=in_full))

    rows = entries.values("pk", "at", *telling.COLUMNS).iterator(PIECE)
    return csv_file(_file_name("history"), _table(_titles(), rows, tell))


def _note(
    request: DeskRequest, what: str, form: Narrowing, *, count: int, subject: str = ""
) -> None:
    """Who takes a list along is written down before its first row leaves."""
    filters = {name: str(value) for name, value in form.narrowing.items()}
    AccessLog.objects.create(
        action=Access.EXPORTED,
        by=request.user,
        subject=subject,
        detail={"list": what, "format": "csv", "count": count, "filters": filters},
    )


def _file_name(what: str) -> str:
    return f"{what}-{timezone.localtime():%Y%m%d-%H%M}.csv"


@never_cache
@desk_permission_required(EDIT_POLICIES)
@require_safe
def changes(request: DeskRequest) -> HttpResponse:
    """What was changed of the configuration, as far as it concerns one's departments."""
    form = ChangeFilter(request.GET, user=request.user)
    page = Paginator(_changes(request, form), PAGE_SIZE).get_page(request.GET.get("page"))
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


def _changes(request: DeskRequest, form: ChangeFilter) -> QuerySet[ConfigurationChange]:
    visible = configuration.visible_changes(request.user)
    return configuration.narrowed(visible, form.cleaned_data).order_by("-at", "-id")


@never_cache
@desk_permission_required(EDIT_POLICIES)
@require_http_methods(["GET", "HEAD", "POST"])
def export_changes(request: DeskRequest) -> HttpResponseBase:
    """All of them, as the list is narrowed."""
    if request.method != "POST":
        return redirect("cancellations:configuration_history")
    form = ChangeFilter(sent_query(request.POST), user=request.user)
    found = _changes(request, form)
    _note(request, "configuration", form, count=found.count())

    def tell(rows: Sequence[ConfigurationChange]) -> Iterable[list[str]]:
        return map(_change_row, configuration.told(rows))

    rows = _table(_change_titles(), found.iterator(PIECE), tell)
    return csv_file(_file_name("configuration"), rows)


@never_cache
@desk_permission_required(EDIT_POLICIES)
@require_safe
def looked_at(request: DeskRequest) -> HttpResponse:
    """Who looked at candidates' contact details, and who took lists along."""
    form = AccessFilter(request.GET, user=request.user)
    part = accesses.some(
        request.user,
        form.wanted,
        size=PAGE_SIZE,
        after=_access_place(request.GET.get("after", "")),
        before=_access_place(request.GET.get("before", "")),
    )
    context = {
        "place": "settings",
        "tab": "looked_at",
        "page_url": reverse("cancellations:looked_at"),
        "form": form,
        "chips": [(chip, chip.without) for chip in form.chips()],
        "part": part,
        "counted": COUNTED,
        "rows": looking.told(part.rows, request.user),
        "query": form.query(),
    }
    return render(request, "cancellations/history/looked_at.html", context)


@never_cache
@desk_permission_required(EDIT_POLICIES)
@require_http_methods(["GET", "HEAD", "POST"])
def export_looked_at(request: DeskRequest) -> HttpResponseBase:
    """All of it, as the list is narrowed."""
    if request.method != "POST":
        return redirect("cancellations:looked_at")
    form = AccessFilter(sent_query(request.POST), user=request.user)
    found = accesses.everything(request.user, form.wanted)
    _note(request, "accesses", form, count=found.count())

    def tell(rows: Sequence[dict[str, Any]]) -> Iterable[list[str]]:
        return map(_access_row, looking.told(rows, request.user))

    rows = found.values("pk", *accesses.COLUMNS).iterator(PIECE)
    return csv_file(_file_name("looked-at"), _table(_access_titles(), rows, tell))


@never_cache
@desk_permission_required(MANAGE_STAFF)
@require_safe
def removed(request: DeskRequest) -> HttpResponse:
    """Interviews that went with an import that was undone."""
    gone = RemovedInterview.objects.select_related("removed_by").order_by("-pk")
    page = Paginator(gone, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"place": "settings", "tab": "removed", "page": page}
    return render(request, "cancellations/history/removed.html", context)


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


def _place(text: str, user: User) -> Place | None:
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
    return next((Place(*place) for place in own.values_list("at", "id")), None)


def _access_place(text: str) -> Place | None:
    """Where the row of the log stands that an address names by its number."""
    known = text.isascii() and text.isdecimal() and len(text) < 19
    rows = AccessLog.objects.filter(pk=text).values_list("at", "id") if known else []
    return next((Place(*place) for place in rows), None)


def _table(
    titles: list[str], rows: Iterator[Any], tell: Callable[[Sequence[Any]], Iterable[list[str]]]
) -> Iterator[list[str]]:
    """The rows of a file, told a piece at a time."""
    yield titles
    while piece := list(islice(rows, PIECE)):
        yield from tell(piece)


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


def _change_titles() -> list[str]:
    return [
        _("Time"),
        pgettext("column", "What happened"),
        _("Kind"),
        _("What was changed"),
        _("From what to what"),
        pgettext("who did it", "By"),
    ]


def _change_row(change: configuration.Told) -> list[str]:
    return [
        f"{timezone.localtime(change.at):%Y-%m-%d %H:%M:%S}",
        change.label,
        change.kind,
        change.title,
        "; ".join(map(_line, change.lines)),
        change.who,
    ]


def _line(line: configuration.Line) -> str:
    values = " → ".join(each for each in (line.before, line.after) if each)
    return _("%(label)s: %(value)s") % {"label": line.title, "value": values}


def _access_titles() -> list[str]:
    return [
        _("Time"),
        pgettext("who did it", "By"),
        pgettext("column", "What happened"),
        _("Details"),
        _("Interview"),
        _("Candidate"),
        _("Position"),
    ]


def _access_row(access: looking.Told) -> list[str]:
    return [
        f"{timezone.localtime(access.at):%Y-%m-%d %H:%M:%S}",
        access.who,
        access.what,
        access.details,
        access.interview,
        access.candidate,
        access.under,
    ]
