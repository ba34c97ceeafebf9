"""An offer as the candidate reads and answers it, by the link in the message or signed in; and
waiting for another time."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import time_zones
from accounts.decorators import PortalRequest, candidate_required
from accounts.responses import SeeOther
from interviews.models import Interview
from interviews.refill import links, queries, services
from interviews.refill.models import EntryState, Offer, OfferState
from interviews.responses import broken_link

TAKE, REFUSE = "take", "refuse"  # the answers there are


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def by_link(request: HttpRequest, token: str) -> HttpResponseBase:
    """Whoever holds the link may answer; it signs nobody in, and names nobody."""
    reference = links.reference_in(token)
    found = queries.offers_with_facts().filter(reference=reference).first() if reference else None
    if found is None:
        return broken_link(request)
    return _answered(request, found, request.path, by_link=True)


@never_cache
@candidate_required
@require_http_methods(["GET", "HEAD", "POST"])
def offer(request: PortalRequest, reference: str) -> HttpResponseBase:
    """The same for who is signed in; somebody else's is not there."""
    mine = queries.offers_with_facts().filter(entry__candidate__user=request.user)
    found = mine.filter(reference=reference).first()
    if found is None:
        raise Http404
    return _answered(request, found, request.path)


def _answered(
    request: HttpRequest, found: Offer, here: str, *, by_link: bool = False
) -> HttpResponseBase:
    if request.method != "POST":
        return _page(request, found)
    try:
        if request.POST.get("answer") == TAKE:
            services.accept(found.reference, by_link=by_link)
        elif request.POST.get("answer") == REFUSE:
            services.decline(found.reference)
        else:
            return _page(request, found, status=422)
    except services.Busy:
        messages.warning(
            request,
            _("You have another interview at that time, so nothing was changed. Move it first."),
        )
    except services.NotOpen:
        messages.info(request, _no_longer_open(found))
    return SeeOther(here)


def _no_longer_open(found: Offer) -> str:
    """Why the answer changed nothing: often they have given another one, in another window."""
    match Offer.objects.values_list("state", flat=True).get(pk=found.pk):
        case OfferState.ACCEPTED:
            return _(
                "You have already taken this time, and it stays yours. If you cannot come, cancel "
                "the interview or move it."
            )
        case OfferState.DECLINED:
            return _("You have already said that this time does not suit you. Nothing was changed.")
    return _("This place is no longer kept for you. Nothing was changed.")


def _page(request: HttpRequest, found: Offer, *, status: int = 200) -> HttpResponse:
    now = timezone.now()
    is_mine = request.user.is_authenticated and request.user == found.entry.candidate.user
    context = {
        "offer": found,
        "slot": found.slot,
        "position": found.slot.position,
        "is_open": found.state == OfferState.OPEN and found.slot.starts_at > now,
        "waits_on": found.entry.state == EntryState.WAITING,
        "is_mine": is_mine,
    }
    with time_zones.as_of(found.entry.candidate.user):
        context["zone"] = time_zones.here(now)
        return render(request, "interviews/refill/offer.html", context, status=status)


@never_cache
@candidate_required
@require_http_methods(["GET", "HEAD", "POST"])
def wait(request: PortalRequest, reference: str) -> HttpResponseBase:
    """Still interested after the interview was called off."""
    if request.method != "POST":
        return redirect(_interview(reference))
    try:
        made = services.wait_for_time(reference, by=request.user)
    except Interview.DoesNotExist:
        raise Http404 from None
    except services.NothingToWaitFor:
        messages.warning(request, _("Nothing was changed: no other time can follow this one."))
        return SeeOther(_interview(reference))
    if made is not None:
        messages.success(request, _("There is a time for you already."))
        return SeeOther(reverse("refill:offer", args=[made.reference]))
    messages.success(
        request, _("Noted. As soon as a time comes free, we offer it to you by message.")
    )
    return SeeOther(_interview(reference))


@never_cache
@candidate_required
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: PortalRequest, reference: str) -> HttpResponseBase:
    """Not interested any more."""
    if request.method != "POST":
        return redirect(_interview(reference))
    try:
        services.stop_waiting(reference, by=request.user)
    except Interview.DoesNotExist:
        raise Http404 from None
    messages.success(request, _("You are off the waiting list, and we offer you no more times."))
    return SeeOther(_interview(reference))


def _interview(reference: str) -> str:
    return reverse("cancellations:interview", args=[reference])
