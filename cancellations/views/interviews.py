"""The desk's interviews: the list with its filters, saved views and exports, the search, and one
interview's page."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import FileResponse, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.decorators import DeskRequest, desk_permission_required, desk_required
from accounts.models import User
from accounts.permissions import (
    CANCEL_FOR_COMPANY,
    CORRECT_INTERVIEWS,
    EXPORT_INTERVIEWS,
    MANAGE_SLOTS,
    READ_DETAIL,
)
from cancellations import company, queries, story
from cancellations.absences.models import Absence
from cancellations.desk_filters import (
    InterviewFilter,
    RevealForm,
    SavedViewForm,
    SearchForm,
    sent_query,
)
from cancellations.help import plausibility
from cancellations.interview_lists import ALL, AskedList, remember, way_back
from cancellations.models import Cancellation, PlausibilityRule
from config.references import as_reference
from interviews import exports, keyset, listing
from interviews.columns import USUAL, Column
from interviews.imports.answers import further_answers, source_title
from interviews.keyset import Place
from interviews.models import Access, AccessLog, Decline, Interview, SavedView
from interviews.queries import timeline, visible_to
from interviews.room.queries import closes_at, opens_at, takes_place_here
from interviews.room.told import Stay, stays_of
from interviews.search import find_people, interviews_of, tidy
from interviews.states import UPCOMING, InterviewStatus

PAGE_SIZE = 50
VIEWS = 20  # saved views of one person
LISTS = "cancellations:interviews"


# --- the list -------------------------------------------------------------------------------------


@never_cache
@desk_required
@require_safe
def interviews(request: DeskRequest) -> HttpResponse:
    """What the address asks for; an address that asks for nothing, the view that opens first."""
    views = list(request.user.saved_views.all())
    if not request.GET and (first := next((view for view in views if view.is_default), None)):
        return redirect(_address(first.query, view=first.reference))
    return _list_page(request, views)


def _list_page(
    request: DeskRequest,
    views: list[SavedView],
    *,
    asked: QueryDict | None = None,
    view_form: SavedViewForm | None = None,
    status: int = 200,
) -> HttpResponse:
    asked = request.GET if asked is None else asked
    chosen = AskedList(asked, request)
    form, found = chosen.form, chosen.found
    part = listing.some(
        request.user,
        chosen.wanted,
        dict.fromkeys(["status", *(column.path for column in form.shown)]),
        size=PAGE_SIZE,
        after=_place(asked, "after", request.user),
        before=_place(asked, "before", request.user),
    )
    view = next((each for each in views if each.reference == asked.get("view")), None)
    others = {"found": found, "view": view.reference if view else ""}
    cancel_many_url = _url_of(request, CANCEL_FOR_COMPANY, "cancellations:company_cancel_many")
    context = {
        "place": "interviews",
        "form": form,
        "columns": form.shown,
        "rows": _rows(part.rows, form.shown, here=way_back(asked), ticks=bool(cancel_many_url)),
        "part": part,
        "counted": keyset.COUNTED,
        "query": form.query(),
        "address": _joined(form.query(), **others),
        "chips": [(chip, _joined(chip.without, **others)) for chip in form.chips()],
        "found": found,
        "search": chosen.search,
        "views": views,
        "view": view,
        "view_form": view_form or SavedViewForm(initial=_initial(view)),
        "exports": request.user.has_perm(EXPORT_INTERVIEWS),
        "cancel_many_url": cancel_many_url,
        "whole_list": way_back(asked),
        "cancels_all": bool(cancel_many_url) and part.count > 1 and _cancels(chosen, part.rows),
    }
    return render(request, "cancellations/interviews/list.html", context, status=status)


# One row; a template would look up twenty things for each.
ROW = (
    '<tr>{tick}<th scope="row"><a href="{list_url}{reference}/{suffix}">{name}</a></th>{cells}</tr>'
)
TICK = (
    '<td class="tick"><label><input type="checkbox" name="references" value="{reference}"'
    ' aria-label="{name}"></label></td>'
)


def _rows(
    rows: list[dict[str, Any]], columns: list[Column], *, here: str, ticks: bool
) -> SafeString:
    """The rows as HTML: most values come again and again, and are told once."""
    name, *others = columns
    told: dict[str, dict[Any, str]] = {column.key: {} for column in others}
    list_url, suffix = reverse(LISTS), conditional_escape(f"?{here}" if here else "")

    cells_begin = {column.key: _cell_begins(column) for column in others}

    def cell(column: Column, value: Any) -> str:
        known = told[column.key]
        if value not in known:
            said = conditional_escape(column.on_page(value))
            known[value] = f"{cells_begin[column.key]}{said}</td>"
        return known[value]

    def row(shown: dict[str, Any]) -> str:
        said = {"reference": shown["reference"], "name": conditional_escape(shown[name.path])}
        cells = "".join(cell(column, shown[column.path]) for column in others)
        tick = TICK.format(**said) if ticks else ""
        return ROW.format(**said, list_url=list_url, suffix=suffix, tick=tick, cells=cells)

    return mark_safe("".join(map(row, rows)))  # noqa: S308 - escaped above


def _cell_begins(column: Column) -> str:
    """On a phone a row is a card without the head of its table: the status stands beside the name,
    the time below, and what does not explain itself says what it is."""
    if column.key in {"status", "starts_at"}:
        return f'<td class="card-{column.key}">'
    if column.key in USUAL:
        return "<td>"
    return f'<td data-label="{conditional_escape(str(column.title))}">'


def _cancels(chosen: AskedList, shown: list[dict[str, Any]]) -> bool:
    """All of a list at once only where it is narrowed and shows something that can be."""
    return chosen.is_narrowed and any(each["status"] in UPCOMING for each in shown)


def _place(asked: QueryDict, name: str, user: User) -> Place | None:
    reference = as_reference(asked.get(name, "")[:40])
    return listing.place_of(reference, user) if reference else None


def _joined(query: str, **others: str) -> str:
    """A query with more behind it: codes and references only."""
    said = QueryDict(query, mutable=True)
    for name, value in others.items():
        if value:
            said[name] = value
    return said.urlencode()


def _address(query: str, **others: str) -> str:
    return f"{reverse(LISTS)}?{_joined(query, **others)}"


def _url_of(request: DeskRequest, permission: str, name: str, *args: str) -> str:
    """Where something is done, if this person may do it."""
    return reverse(name, args=args) if request.user.has_perm(permission) else ""


# --- saved views ----------------------------------------------------------------------------------


def _initial(view: SavedView | None) -> dict[str, Any]:
    return {"name": view.name, "is_default": view.is_default} if view else {}


@never_cache
@desk_required
@require_http_methods(["GET", "HEAD", "POST"])
def views(request: DeskRequest) -> HttpResponse:
    """Keep the list as it stands under a name, or change or drop one of one's own views."""
    if request.method != "POST":
        return redirect(LISTS)
    asked = sent_query(request.POST)
    own = list(request.user.saved_views.all())
    view = next((each for each in own if each.reference == request.POST.get("view")), None)
    action = request.POST.get("action", "")
    if view and action == "delete":
        if "is_meant" not in request.POST:
            context = {"view": view, "place": "interviews"}
            return render(request, "cancellations/interviews/delete_view.html", context)
        view.delete()
        messages.success(request, _("The view is gone; the interviews are where they were."))
        return redirect(_address("", view=ALL))
    form = SavedViewForm(request.POST)
    if form.is_valid() and view is None and len(own) >= VIEWS:
        form.add_error("name", _("You have %(count)d views; delete one first.") % {"count": VIEWS})
    if form.is_valid():
        changed = view if view and action == "update" else SavedView(user=request.user)
        query = InterviewFilter(asked, user=request.user).query()
        if _store(changed, query=query, **form.cleaned_data):
            return redirect(_address(changed.query, view=changed.reference))
        form.add_error("name", _("You have a view of this name already."))
    return _list_page(request, own, asked=asked, view_form=form, status=422)


def _store(view: SavedView, *, name: str, query: str, is_default: bool) -> bool:
    """False where this person has another view of that name."""
    view.name, view.query, view.is_default = name, query, is_default
    try:
        with transaction.atomic():
            if is_default:
                SavedView.objects.filter(user=view.user).update(is_default=False)
            view.save()
    except IntegrityError:
        return False
    return True


# --- exports --------------------------------------------------------------------------------------


@never_cache
@desk_permission_required(EXPORT_INTERVIEWS)
@require_http_methods(["GET", "HEAD", "POST"])
def export(request: DeskRequest) -> HttpResponseBase:
    """The whole of a list as a file, with the columns it shows. Who took what along is written
    down before the first row leaves."""
    if request.method != "POST":
        return redirect(LISTS)
    kind = "xlsx" if request.POST.get("format") == "xlsx" else "csv"
    asked_list = AskedList(sent_query(request.POST), request)
    form, chosen = asked_list.form, asked_list.everything()
    count = chosen.count()
    if kind == "xlsx" and count > exports.MOST_IN_WORKBOOK:
        messages.warning(
            request,
            _("A workbook takes %(count)d rows at most. Narrow the list, or take the CSV file.")
            % {"count": exports.MOST_IN_WORKBOOK},
        )
        return redirect(f"{reverse(LISTS)}?{asked_list.query}")
    in_full = request.user.has_perm(READ_DETAIL)
    _log_export(asked_list, kind=kind, count=count, in_full=in_full)
    values = exports.rows(chosen, form.shown, in_full=in_full)
    name = exports.file_name(kind)
    if kind == "xlsx":
        return FileResponse(exports.as_xlsx(form.shown, values), as_attachment=True, filename=name)
    return exports.csv_file(name, exports.as_csv(form.shown, values))


def _log_export(asked_list: AskedList, *, kind: str, count: int, in_full: bool) -> None:
    form = asked_list.form
    filters = {name: str(value) for name, value in form.narrowing.items()}
    AccessLog.objects.create(
        action=Access.EXPORTED,
        by=asked_list.user,
        detail={
            "format": kind,
            "count": count,
            "filters": filters | ({"found": "search"} if asked_list.found else {}),
            "columns": [column.key for column in form.shown],
            "in_full": in_full,
        },
    )


# --- searching ------------------------------------------------------------------------------------


@never_cache
@desk_required
@require_http_methods(["GET", "HEAD", "POST"])
def search(request: DeskRequest) -> HttpResponse:
    """Straight to what was meant, or to a list of it. What was typed stays in the body of the
    request: addresses, logs and histories never hold a name or a number."""
    if request.method != "POST":
        return _search_page(request, SearchForm())
    text = tidy(request.POST.get("q", ""))
    form = SearchForm({"q": text})
    if not form.is_valid():
        return _search_page(request, form, status=422)
    if reference := queries.reference_of(text, request.user):
        return redirect("cancellations:desk_interview", reference)
    found = find_people(text, request.user)
    if not found.people:
        return _search_page(request, form, nothing=True)
    if len(own := interviews_of(found.people, request.user)) == 1:
        return redirect("cancellations:desk_interview", own[0])
    return redirect(_address("", found=remember(request.session, found)))


def _search_page(
    request: DeskRequest, form: SearchForm, *, nothing: bool = False, status: int = 200
) -> HttpResponse:
    context = {
        "place": "interviews",
        "form": form,
        "nothing": nothing,
        "reads_detail": request.user.has_perm(READ_DETAIL),
    }
    return render(request, "cancellations/interviews/search.html", context, status=status)


# --- one interview --------------------------------------------------------------------------------


@never_cache
@desk_required
@require_safe
def interview(request: DeskRequest, reference: str) -> HttpResponse:
    """Everything there is to know of one interview, the ways to its candidate masked."""
    return _interview_page(request, _visible(request, reference))


@never_cache
@desk_permission_required(READ_DETAIL)
@require_http_methods(["GET", "HEAD", "POST"])
def reveal(request: DeskRequest, reference: str) -> HttpResponse:
    """The same page, once, with how the candidate is reached; who looked is written down."""
    chosen = _visible(request, reference)
    if request.method != "POST":
        return redirect("cancellations:desk_interview", reference)
    form = RevealForm(request.POST)
    if not form.is_valid():
        return _interview_page(request, chosen, form=form, status=422)
    person = chosen.candidate.user
    shown = [name for name in ("mobile", "email", "national_id") if getattr(person, name)]
    AccessLog.objects.create(
        action=Access.REVEALED,
        by=request.user,
        subject=chosen.subject,
        detail={"what": shown, "why": form.cleaned_data["why"]},
    )
    return _interview_page(request, chosen, revealed=True)


def _visible(request: DeskRequest, reference: str) -> Interview:
    """An interview outside one's departments is not there."""
    return get_object_or_404(visible_to(request.user).with_facts(), reference=reference)


def _interview_page(
    request: DeskRequest,
    chosen: Interview,
    *,
    form: RevealForm | None = None,
    revealed: bool = False,
    status: int = 200,
) -> HttpResponse:
    told = story.of(chosen, by=request.user)
    stays = stays_of(chosen, now=timezone.now())
    upcoming = chosen.status in UPCOMING
    context = {
        "place": "interviews",
        "interview": chosen,
        "way_back": way_back(request.GET),
        "source_title": source_title(chosen.source),
        "further": further_answers(chosen.source, chosen.extra),
        "timeline": timeline(chosen),
        "story": told,
        "stays": stays,
        "was_open": _was_open(chosen, stays),
        "cancellations": _with_hints(told.cancellations),
        "absences": list(Absence.objects.filter(interview=chosen).order_by("-pk")),
        "ways": [
            *story.ways_to(chosen.candidate.user, revealed=revealed),
            *story.known_by(chosen.candidate.user, revealed=revealed),
        ],
        "revealed": revealed,
        "reads_detail": request.user.has_perm(READ_DETAIL),
        "form": form or RevealForm(),
        "cancel_url": _url_of(
            request, CANCEL_FOR_COMPANY, "cancellations:company_cancel", chosen.reference
        )
        if upcoming
        else "",
        "time_url": _url_of(request, MANAGE_SLOTS, "cancellations:give_time", chosen.reference)
        if chosen.status in {InterviewStatus.INVITED, InterviewStatus.BOOKED}
        else "",
        "declined": Decline.objects.filter(interview=chosen).first()
        if chosen.status == InterviewStatus.WITHDRAWN
        else None,
        "correct_url": _url_of(
            request, CORRECT_INTERVIEWS, "cancellations:correct", chosen.reference
        )
        if company.moves(chosen, now=timezone.now())
        else "",
    }
    return render(request, "cancellations/interviews/interview.html", context, status=status)


def _with_hints(
    cancellations: list[Cancellation],
) -> list[tuple[Cancellation, list[PlausibilityRule]]]:
    """Each with what sits oddly with its reason; one query, where there is any such hint."""
    numbers = {n for each in cancellations for n in each.evidence.get("hints", [])}
    rules = {rule.pk: rule for rule in plausibility.hints_of(numbers)} if numbers else {}
    return [
        (each, [rules[n] for n in each.evidence.get("hints", []) if n in rules])
        for each in cancellations
    ]


def _was_open(interview: Interview, stays: list[Stay]) -> tuple[datetime, datetime] | None:
    """From when until when who missed it could have come into our room, and never did."""
    if interview.status != InterviewStatus.NO_SHOW or stays or not takes_place_here(interview):
        return None
    opened, closed = opens_at(interview), closes_at(interview)
    return (opened, closed) if opened and closed else None
