"""Choosing a time, choosing another, and declining an invitation, as candidates do it; and giving
somebody a time, as HR does it for them."""

from collections.abc import Callable
from datetime import date, datetime
from functools import partial
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_http_methods
from django_fsm import TransitionNotAllowed

from accounts.decorators import (
    DeskRequest,
    PortalRequest,
    candidate_required,
    desk_permission_required,
    keeps_choices,
)
from accounts.permissions import MANAGE_SLOTS
from accounts.responses import SeeOther
from accounts.time_zones import label
from cancellations import queries
from cancellations.booking_forms import DeclineForm
from cancellations.responses import own_or_404
from config.references import as_key
from interviews.booking import queries as booking
from interviews.booking import services
from interviews.forms import as_moment
from interviews.models import Interview
from interviews.queries import visible_to
from interviews.services import SlotFull
from interviews.states import HOLDS_A_SLOT, InterviewStatus

# It answers a POST with a page. A browser that may not keep it at all meets its back button with an
# error instead of the page.
_returnable = cache_control(private=True, no_cache=True)


@keeps_choices("slot")
@never_cache
@candidate_required
@require_http_methods(["GET", "HEAD", "POST"])
def book(request: PortalRequest, reference: str) -> HttpResponseBase:
    """Choose a time for what one was invited to."""
    own = own_or_404(request, reference)
    now = timezone.now()
    if request.method == "POST":
        return _take(request, own, services.book, _("Booked. We look forward to seeing you."))
    if not booking.can_be_booked(own, now):
        return redirect("cancellations:interview", reference)
    return _times_page(request, own, "book", now)


@keeps_choices("slot")
@never_cache
@candidate_required
@require_http_methods(["GET", "HEAD", "POST"])
def move(request: PortalRequest, reference: str) -> HttpResponseBase:
    """Choose another time for what is booked, as far as the rule lets one."""
    own = own_or_404(request, reference)
    now = timezone.now()
    if request.method == "POST":
        return _take(request, own, _mover(request), _("Moved. Your interview has its new time."))
    rule = queries.move_rule(own, queries.policies_in_force(now), now=now)
    if rule is None:
        messages.warning(request, _("It stands differently meanwhile. This is how."))
        return redirect("cancellations:interview", reference)
    if rule.refused:
        messages.info(request, _("It cannot be moved here. Why, and what to do, stands below."))
        return redirect("cancellations:interview", reference)
    return _times_page(request, own, "move", now, rule=rule)


def _mover(request: PortalRequest | DeskRequest) -> Callable[..., Interview]:
    """Moving it from the time that the page showed, and from no other."""
    return partial(services.move, shown=as_moment(request.POST.get("shown", "")))


def _take(
    request: PortalRequest | DeskRequest,
    own: Interview,
    service: Callable[..., Interview],
    done: str,
    *,
    onward: str = "",
) -> HttpResponseBase:
    """Book or move to the time sent; where that cannot be, say why and what to do."""
    number = request.POST.get("slot", "")
    slot_id = as_key(number)
    here = request.path
    if not slot_id:
        messages.warning(request, _("Choose one of the times."))
        return SeeOther(here)
    try:
        service(own.reference, slot_id, by=request.user)
    except Interview.DoesNotExist:
        raise Http404 from None
    except SlotFull:
        messages.warning(
            request, _("That time has just been taken. Nothing was changed; choose another.")
        )
        return SeeOther(here)
    except services.InvitationExpired:
        messages.warning(
            request, _("The invitation has run out. Your recruiter can still find you a time.")
        )
    except services.AnotherTime:
        messages.warning(
            request,
            _("The time has changed meanwhile. Please read it, and choose again if you want to."),
        )
        return SeeOther(here)
    except services.AlreadyBooked:
        messages.warning(request, _("You have booked already. This is how it stands."))
    except services.MoveRefused:
        messages.warning(
            request, _("It can no longer be moved here, and nothing was changed. Ask HR.")
        )
    except TransitionNotAllowed:
        messages.warning(request, _("It stands differently meanwhile. This is how."))
    else:
        messages.success(request, done)
    return SeeOther(onward or reverse("cancellations:interview", args=[own.reference]))


def _times_page(
    request: PortalRequest, own: Interview, purpose: str, now: datetime, **more: Any
) -> HttpResponse:
    since = _day(request.GET.get("from", ""))
    context = {
        "interview": own,
        "choice": booking.choice(own, now=now, since=since),
        "is_first_page": since is None,
        "chosen": request.GET.get("slot", ""),
        "zone": label(timezone.get_current_timezone_name(), now),
        **more,
    }
    return render(request, f"cancellations/portal/{purpose}.html", context)


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year < 2100 else None


@keeps_choices("reason")
@_returnable
@candidate_required
@require_http_methods(["GET", "HEAD", "POST"])
def decline(request: PortalRequest, reference: str) -> HttpResponseBase:
    """GET: what declining means, and why one would. POST: do it."""
    own = own_or_404(request, reference)
    back = SeeOther(reverse("cancellations:interview", args=[reference]))
    if request.method != "POST":
        if own.status != InterviewStatus.INVITED:
            return back
        chosen = {"reason": request.GET.get("reason")}  # before the session ended
        return _decline_page(request, own, DeclineForm(initial=chosen))
    form = DeclineForm(request.POST)
    if not form.is_valid():
        return _decline_page(request, own, form, status=422)
    try:
        services.decline(reference, by=request.user, **form.cleaned_data)
    except Interview.DoesNotExist:
        raise Http404 from None
    except ValidationError as error:
        form.add_error("detail", error)
        return _decline_page(request, own, form, status=422)
    except TransitionNotAllowed:
        words = _("It is not an open invitation any more, and nothing was changed.")
        if own.status in HOLDS_A_SLOT:
            words = _("You have booked it meanwhile. If you cannot come, cancel it instead.")
        messages.warning(request, words)
    else:
        messages.success(request, _("Declined. Thank you for telling us."))
    return back


def _decline_page(
    request: PortalRequest, own: Interview, form: DeclineForm, status: int = 200
) -> HttpResponse:
    context = {"interview": own, "form": form}
    return render(request, "cancellations/portal/decline.html", context, status=status)


@never_cache
@desk_permission_required(MANAGE_SLOTS)
@require_http_methods(["GET", "HEAD", "POST"])
def give_time(request: DeskRequest, reference: str) -> HttpResponseBase:
    """HR books for a candidate, or moves them, whatever the deadline or the rule says."""
    found = get_object_or_404(visible_to(request.user).with_facts(), reference=reference)
    back = reverse("cancellations:desk_interview", args=[reference])
    may_choose = found.status in {InterviewStatus.INVITED, InterviewStatus.BOOKED}
    if request.method == "POST" and may_choose:
        is_move = found.status == InterviewStatus.BOOKED
        service: Callable[..., Interview] = _mover(request) if is_move else services.book
        done = _("Saved. The candidate is being told of the new time.")
        return _take(request, found, service, done, onward=back)
    if not may_choose:
        messages.warning(request, _("It stands differently meanwhile. This is how."))
        return SeeOther(back)
    now, since = timezone.now(), _day(request.GET.get("from", ""))
    context = {
        "interview": found,
        "choice": booking.choice(found, now=now, since=since),
        "is_first_page": since is None,
        "chosen": "",
        "zone": label(timezone.get_current_timezone_name(), now),
        "place": "interviews",
    }
    return render(request, "cancellations/company/give_time.html", context)
