"""The calendar of the desk: the slots of a week, one by one and by series, and the days on which
there are none."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum, auto
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.decorators import DeskRequest, desk_permission_required, desk_required
from accounts.permissions import MANAGE_SLOTS
from interviews.booking import queries, slots
from interviews.booking.forms import (
    CalendarFilter,
    CapacityForm,
    ClosureForm,
    SeriesForm,
    SlotForm,
)
from interviews.booking.models import Closure, SlotSeries
from interviews.models import Slot
from interviews.queries import departments_of, sees_everything

POSTED = ["GET", "HEAD", "POST"]
MOST = 400  # slots that one week shows
LISTED = 200  # interviews of one slot
DAY, WEEK = timedelta(days=1), timedelta(days=7)
PREFILLED = ("position", "times")  # of a new series, from the address


class Standing(StrEnum):
    """What becomes of a slot in the calendar."""

    CLOSED = auto()
    PAST = auto()
    NOT_OFFERED = auto()  # for a closure
    FULL = auto()
    FREE = auto()


@dataclass(frozen=True)
class Shown:
    """One slot in the calendar, and how it stands."""

    slot: Slot
    standing: Standing


@dataclass(frozen=True)
class Day:
    """One day of the week shown: its slots, and what it is closed for."""

    date: date
    slots: list[Shown]
    closed: str
    is_today: bool


@never_cache
@desk_required
@require_safe
def week(request: DeskRequest) -> HttpResponse:
    """A week of slots of one's departments, with what is taken and what is free."""
    form = CalendarFilter(request.GET or {}, by=request.user)
    chosen = form.chosen
    today = timezone.localdate()
    day = chosen.get("day") or today
    monday = day - timedelta(days=day.weekday())
    department, position = chosen.get("department"), chosen.get("position")
    if position is not None:
        department = position.department
    found = queries.calendar(
        request.user, first=monday, department=department, position=position, most=MOST + 1
    )
    context = {
        "form": form,
        "days": _days(found[:MOST], monday, today, department),
        "slots": found,
        "too_many": len(found) > MOST,
        "monday": monday,
        "sunday": monday + timedelta(days=6),
        "previous": _address(request, monday - WEEK),
        "next": _address(request, monday + WEEK),
        "this_week": _address(request, None),
        "is_this_week": monday <= today < monday + WEEK,
        "one_position": position,
    }
    return _page(request, "week", context)


def _days(found: list[Slot], monday: date, today: date, department: Any) -> list[Day]:
    closures = queries.closures_between(monday - DAY, monday + WEEK)  # days of the company
    by_day: dict[date, list[Shown]] = defaultdict(list)
    for each in found:
        shown = Shown(each, _standing(each, closures))
        by_day[timezone.localdate(each.starts_at)].append(shown)
    closed = queries.closed_dates(closures, department.pk if department else None)
    days = [monday + timedelta(days=number) for number in range(7)]
    return [Day(day, by_day[day], closed(day), day == today) for day in days]


def _standing(slot: Slot, closures: Sequence[Closure]) -> Standing:
    if slot.closed_at is not None:
        return Standing.CLOSED
    if slot.starts_at <= timezone.now():
        return Standing.PAST
    if _closure_over(slot, closures):
        return Standing.NOT_OFFERED
    return Standing.FULL if slot.is_full else Standing.FREE


def _closure_over(slot: Slot, closures: Sequence[Closure]) -> str:
    """What the closure is called that it lies in; empty for none."""
    closed = queries.closed_dates(closures, slot.position.department_id)
    return closed(queries.company_day(slot.starts_at))


def _address(request: DeskRequest, day: date | None) -> str:
    """The same calendar, another week."""
    kept = {name: request.GET[name] for name in ("department", "position") if request.GET.get(name)}
    if day is not None:
        kept["day"] = day.isoformat()
    return f"?{urlencode(kept)}"


# --- one slot -------------------------------------------------------------------------------------


@never_cache
@desk_permission_required(MANAGE_SLOTS)
@require_http_methods(POSTED)
def new_slot(request: DeskRequest) -> HttpResponse:
    sent = request.POST if request.method == "POST" else None
    initial = {"position": request.GET.get("position", "")}
    form = SlotForm(sent, by=request.user, initial=initial)
    if sent is not None and form.is_valid():
        try:
            made = slots.add_slot(form.slot(), by=request.user)
        except slots.SlotTaken:
            form.add_error("starts_at", _("There is a slot of this position at this time already."))
        else:
            messages.success(request, _("Added. Candidates can book it now."))
            return redirect(_week_of(made))
    context = {"form": form, "title": _("Add a slot"), "back": reverse("interviews:calendar")}
    return _page(request, "edit", context, invalid=form.is_bound)


@never_cache
@desk_required
@require_http_methods(POSTED)
def slot(request: DeskRequest, slot_id: int) -> HttpResponse:
    """One slot: who has booked it, and how many places it has."""
    chosen = _slot(request, slot_id)
    form = CapacityForm(
        request.POST if request.method == "POST" else None, initial={"capacity": chosen.capacity}
    )
    if request.method == "POST":
        if not request.user.has_perm(MANAGE_SLOTS):
            raise PermissionDenied
        if form.is_valid():
            try:
                slots.resize_slot(slot_id, by=request.user, **form.cleaned_data)
            except slots.StillBooked:
                words = _("More places are booked than that. Cancel or move some of them first.")
                form.add_error("capacity", words)
            else:
                messages.success(request, _("Saved."))
                return redirect("interviews:slot", slot_id)
    interviews = chosen.interviews.with_facts().order_by("pk")
    context = {
        "slot": chosen,
        "interviews": list(interviews[:LISTED]),
        "kept": queries.kept_in(chosen),
        "listed": LISTED,
        "form": form,
        "is_past": chosen.starts_at <= timezone.now(),
        "back": _week_of(chosen),
        "closed_for": _closed_for(chosen),
    }
    return _page(request, "slot", context, invalid=form.is_bound)


def _closed_for(chosen: Slot) -> str:
    day = queries.company_day(chosen.starts_at)
    return _closure_over(chosen, queries.closures_between(day, day))


@never_cache
@desk_permission_required(MANAGE_SLOTS)
@require_http_methods(POSTED)
def act_on_slot(request: DeskRequest, slot_id: int, action: str) -> HttpResponse:
    """Close one that nobody has booked, or open it again."""
    if action not in ("close", "open"):
        raise Http404(action)
    chosen = _slot(request, slot_id)
    if request.method == "POST":
        try:
            if action == "close":
                slots.close_slot(chosen.pk, by=request.user)
                messages.success(request, _("Closed. Nobody can book it any more."))
            else:
                slots.open_slot(chosen.pk, by=request.user)
                messages.success(request, _("Open again. Candidates can book it."))
        except slots.StillBooked:
            words = _("Somebody has booked it meanwhile. To close it, call their interviews off.")
            messages.warning(request, words)
    return redirect("interviews:slot", slot_id)


def _slot(request: DeskRequest, slot_id: int) -> Slot:
    return get_object_or_404(queries.with_taken(queries.visible_slots(request.user)), pk=slot_id)


def _week_of(chosen: Slot) -> str:
    return _calendar(chosen.position_id, timezone.localdate(chosen.starts_at))


def _calendar(position_id: int, day: date) -> str:
    """The week of this day, of one position."""
    return f"{reverse('interviews:calendar')}?position={position_id}&day={day.isoformat()}"


# --- series ---------------------------------------------------------------------------------------


@never_cache
@desk_permission_required(MANAGE_SLOTS)
@require_safe
def all_series(request: DeskRequest) -> HttpResponse:
    """Those that go on first, then those that have ended."""
    today = timezone.localdate()
    found = list(queries.visible_series(request.user).order_by("position__title", "since", "pk"))
    context = {
        "going_on": [each for each in found if each.until is None or each.until >= today],
        "ended": [each for each in found if each.until is not None and each.until < today],
    }
    return _page(request, "all_series", context)


@never_cache
@desk_permission_required(MANAGE_SLOTS)
@require_http_methods(POSTED)
def new_series(request: DeskRequest) -> HttpResponse:
    return _edit_series(request, None)


@never_cache
@desk_permission_required(MANAGE_SLOTS)
@require_http_methods(POSTED)
def series(request: DeskRequest, series_id: int) -> HttpResponse:
    found = get_object_or_404(queries.visible_series(request.user), pk=series_id)
    return _edit_series(request, found)


def _edit_series(request: DeskRequest, found: SlotSeries | None) -> HttpResponse:
    form = SeriesForm(
        request.POST if request.method == "POST" else None,
        instance=found,
        by=request.user,
        today=timezone.localdate(),
        initial=_prefilled(request) if found is None else None,
    )
    if form.is_bound and form.is_valid():
        saved = slots.save_series(form.save(commit=False), by=request.user)
        messages.success(request, _("Saved. Its slots are in the calendar."))
        return redirect(_calendar(saved.position_id, max(saved.since, timezone.localdate())))
    context = {
        "form": form,
        "series": found,
        "title": _("Change the series") if found else _("Add a series"),
        "back": reverse("interviews:all_series"),
    }
    return _page(request, "edit", context, invalid=form.is_bound)


def _prefilled(request: DeskRequest) -> dict[str, str]:
    return {name: request.GET[name] for name in PREFILLED if name in request.GET}


@never_cache
@desk_permission_required(MANAGE_SLOTS)
@require_http_methods(POSTED)
def end_series(request: DeskRequest, series_id: int) -> HttpResponse:
    """GET: what ending it does. POST: do it."""
    found = get_object_or_404(queries.visible_series(request.user), pk=series_id)
    if request.method == "POST":
        slots.end_series(found.pk, by=request.user)
        words = _("Ended. Slots that nobody has booked are gone; what is booked stays.")
        messages.success(request, words)
        return redirect("interviews:all_series")
    return _page(request, "end_series", {"series": found})


# --- closures -------------------------------------------------------------------------------------


@never_cache
@desk_permission_required(MANAGE_SLOTS)
@require_safe
def closures(request: DeskRequest) -> HttpResponse:
    """Those to come, and what is booked in them all the same."""
    today = timezone.localdate()
    found = queries.visible_closures(request.user)
    ahead = list(found.filter(last_day__gte=today))
    context = {
        "ahead": queries.with_booked(ahead, request.user),
        "past": list(found.filter(last_day__lt=today).order_by("-first_day")[:20]),
    }
    return _page(request, "closures", context)


@never_cache
@desk_permission_required(MANAGE_SLOTS)
@require_http_methods(POSTED)
def new_closure(request: DeskRequest) -> HttpResponse:
    return _edit_closure(request, None)


@never_cache
@desk_permission_required(MANAGE_SLOTS)
@require_http_methods(POSTED)
def closure(request: DeskRequest, closure_id: int) -> HttpResponse:
    """Change or remove one, and see what is booked on its days."""
    found = get_object_or_404(queries.visible_closures(request.user), pk=closure_id)
    if request.method == "POST" and "remove" in request.POST:
        slots.remove_closure(found.pk, by=request.user)
        messages.success(request, _("Removed. Its days are offered again."))
        return redirect("interviews:closures")
    return _edit_closure(request, found)


def _edit_closure(request: DeskRequest, found: Closure | None) -> HttpResponse:
    form = ClosureForm(
        request.POST if request.method == "POST" else None, instance=found, by=request.user
    )
    may_edit = found is None or _may_edit(request, found)
    if form.is_bound and not may_edit:
        raise PermissionDenied
    if form.is_bound and form.is_valid():
        saved = slots.save_closure(form.save(commit=False), by=request.user)
        if queries.booked_in(saved, request.user).exists():
            words = _("Saved. Some slots on these days are booked: see below what to do.")
            messages.warning(request, words)
            return redirect("interviews:closure", saved.pk)
        messages.success(request, _("Saved. Nothing is offered on these days."))
        return redirect("interviews:closures")
    context = {
        "form": form,
        "closure": found,
        "may_edit": may_edit,
        "booked": list(queries.booked_in(found, request.user)[:LISTED]) if found else [],
    }
    return _page(request, "closure", context, invalid=form.is_bound)


def _may_edit(request: DeskRequest, found: Closure) -> bool:
    if sees_everything(request.user):
        return True
    return found.department in departments_of(request.user)


def _page(
    request: DeskRequest, name: str, context: dict[str, Any], *, invalid: bool = False
) -> HttpResponse:
    template = f"interviews/calendar/{name}.html"
    context = context | {"place": "interviews", "tab": name}
    return render(request, template, context, status=422 if invalid else 200)
