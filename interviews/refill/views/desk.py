"""Refilling at the desk: how it goes for each position, who waits, and offering by hand."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import F
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from django_fsm import TransitionNotAllowed

from accounts.decorators import DeskRequest, desk_permission_required, desk_required
from accounts.permissions import EDIT_POLICIES, HANDLE_WORK
from accounts.responses import SeeOther
from config.references import as_key, as_reference
from interviews.models import Position, Slot
from interviews.refill import queries, services
from interviews.refill.forms import RefillForm
from interviews.refill.models import WaitingEntry
from interviews.services import SlotFull

PAGE_SIZE = 50
LATEST = 20  # offers shown
SLOTS = 20  # with a free place, to offer by hand
POSTED = ["GET", "HEAD", "POST"]  # by GET comes who switched the language or signed in anew


@never_cache
@desk_required
@require_safe
def index(request: DeskRequest) -> HttpResponse:
    """Every position where somebody waits or a place was given up lately."""
    rows = queries.refilling(queries.positions_seen_by(request.user), now=timezone.now())
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"place": "interviews", "page": page, "days": queries.COUNTED.days}
    return render(request, "interviews/refill/index.html", context)


@never_cache
@desk_required
@require_safe
def position(request: DeskRequest, position_id: int) -> HttpResponse:
    """Who waits, in turn; what was offered to whom; which times could be offered now."""
    return _page(request, _seen(request, position_id))


@never_cache
@desk_permission_required(EDIT_POLICIES)
@require_http_methods(POSTED)
def settings(request: DeskRequest, position_id: int) -> HttpResponseBase:
    """For how long a place is kept, and how near is too near."""
    found = _seen(request, position_id)
    if request.method != "POST":
        return redirect("refill:position", position_id)
    form = RefillForm(request.POST, instance=found)
    if not form.is_valid():
        return _page(request, found, form=form, status=422)
    form.save()
    messages.success(request, _("Saved. It holds for the next place that comes free."))
    return _see(position_id)


@never_cache
@desk_permission_required(HANDLE_WORK)
@require_http_methods(POSTED)
def offer_now(request: DeskRequest, position_id: int) -> HttpResponseBase:
    """Offer a free place of one slot to who waits first."""
    found = _seen(request, position_id)
    if request.method != "POST":
        return redirect("refill:position", position_id)
    number = request.POST.get("slot", "")
    try:
        made = services.offer_now(as_key(number), among=[found.pk])
    except Slot.DoesNotExist:
        raise Http404 from None
    except SlotFull:
        messages.warning(request, _("The last place has just been taken."))
    else:
        if made is not None:
            name = made.entry.candidate.user.name
            messages.success(request, _("Offered to %(name)s.") % {"name": name})
        else:
            messages.info(
                request,
                _("Nobody on the list can be asked about this time: they were, or it is too near."),
            )
    return _see(position_id)


@never_cache
@desk_permission_required(HANDLE_WORK)
@require_http_methods(POSTED)
def take_off(request: DeskRequest, position_id: int) -> HttpResponseBase:
    """Somebody is not to be asked any more."""
    found = _seen(request, position_id)
    if request.method != "POST":
        return redirect("refill:position", position_id)
    try:
        services.take_off_list(as_reference(request.POST.get("entry", "")[:40]), among=[found.pk])
    except WaitingEntry.DoesNotExist:
        raise Http404 from None
    except TransitionNotAllowed:
        messages.info(request, _("They were no longer waiting."))
    else:
        messages.success(request, _("Taken off the waiting list."))
    return _see(position_id)


def _page(
    request: DeskRequest, found: Position, *, form: RefillForm | None = None, status: int = 200
) -> HttpResponse:
    now = timezone.now()
    waiting = queries.list_of(found)
    page = Paginator(waiting, PAGE_SIZE).get_page(request.GET.get("page"))
    figures = queries.refilling(Position.objects.filter(pk=found.pk), now=now)
    free = Slot.objects.filter(
        position=found, starts_at__gt=now, booked__lt=F("capacity"), closed_at=None
    )
    may_set = request.user.has_perm(EDIT_POLICIES)
    may_act = request.user.has_perm(HANDLE_WORK)
    context = {
        "place": "interviews",
        "position": found,
        "figures": figures[0] if figures else queries.Refilling(found),
        "days": queries.COUNTED.days,
        "page": page,
        "offers": [
            (offer, queries.asked_at(offer.entry.candidate.user, offer.made_at))
            for offer in queries.offers_of(found)[:LATEST]
        ],
        "now": now,
        "slots": free.order_by("starts_at")[:SLOTS] if may_act and page.object_list else [],
        "may_act": may_act,
        "form": (form or RefillForm(instance=found)) if may_set else None,
    }
    return render(request, "interviews/refill/position.html", context, status=status)


def _seen(request: DeskRequest, position_id: int) -> Position:
    """Of a department of theirs; another one's is not there."""
    return get_object_or_404(queries.positions_seen_by(request.user), pk=position_id)


def _see(position_id: int) -> SeeOther:
    return SeeOther(reverse("refill:position", args=[position_id]))
