"""What staff see and do: the late requests waiting for a decision, and the desk's messages."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from django_fsm import TransitionNotAllowed

from accounts.decorators import desk_permission_required, desk_required
from accounts.models import User
from accounts.permissions import DECIDE_CANCELLATION, READ_DETAIL
from cancellations import queries, rules, services
from cancellations.forms import DecisionForm
from cancellations.models import Cancellation, CancellationStatus, Party, may_decide
from interviews.queries import audiences_of
from notifications.queries import inbox as inbox_of

PAGE_SIZE = 50


class DeskRequest(HttpRequest):
    """desk_required saw to it that somebody is signed in."""

    user: User


@never_cache
@desk_required
@require_safe
def queue(request: DeskRequest) -> HttpResponse:
    """The waiting requests, and beside them the one that is due first."""
    return _queue_page(request, None)


@never_cache
@desk_required
@require_safe
def case(request: DeskRequest, reference: str) -> HttpResponse:
    """One request with everything needed to decide it, or how it was decided."""
    return _queue_page(request, _visible(request, reference))


@never_cache
@desk_permission_required(DECIDE_CANCELLATION)
@require_http_methods(["GET", "HEAD", "POST"])
def approve(request: DeskRequest, reference: str) -> HttpResponse:
    return _decide(
        request,
        reference,
        services.approve_cancellation,
        _("The interview of %(name)s is cancelled. Everybody concerned is being told."),
    )


@never_cache
@desk_permission_required(DECIDE_CANCELLATION)
@require_http_methods(["GET", "HEAD", "POST"])
def decline(request: DeskRequest, reference: str) -> HttpResponse:
    return _decide(
        request,
        reference,
        services.decline_cancellation,
        _("The appointment of %(name)s stands. They are being told."),
    )


@never_cache
@desk_required
@require_safe
def inbox(request: DeskRequest) -> HttpResponse:
    """What this member of staff and their departments were told, newest first."""
    notifications = inbox_of(audiences_of(request.user))
    context = {
        "page": Paginator(notifications, PAGE_SIZE).get_page(request.GET.get("page")),
        "place": "messages",
    }
    return render(request, "cancellations/desk/inbox.html", context)


@dataclass(frozen=True)
class TierRow:
    """One step of the policy as it stood when the request was made."""

    notice: timedelta
    outcome: rules.Outcome
    short_notice: bool
    applies: bool


def _visible(request: DeskRequest, reference: str) -> Cancellation:
    """A request outside one's departments is not there."""
    requests = queries.visible_cancellations(request.user).with_facts()
    return get_object_or_404(requests, reference=reference)


def _decide(
    request: DeskRequest,
    reference: str,
    service: Callable[..., Cancellation],
    done: str,
) -> HttpResponse:
    """Afterwards the queue is there again, and with it the next case.

    Who comes by GET switched the language of a refused form, or signed in anew: they see the case.
    """
    chosen = _visible(request, reference)
    if request.method != "POST":
        return redirect("cancellations:case", reference)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return _queue_page(request, chosen, form=form, status=422)
    try:
        service(chosen.pk, by=request.user, note=form.cleaned_data["note"])
    except TransitionNotAllowed:
        messages.warning(request, _why_closed(_visible(request, reference), request.user))
        return redirect("cancellations:case", reference)
    messages.success(request, done % {"name": chosen.interview.candidate.user.name})
    return redirect("cancellations:queue")


def _why_closed(closed: Cancellation, user: User) -> str:
    """Who was there first."""
    if closed.status == CancellationStatus.LAPSED:
        return _("The candidate has taken this request back. There is nothing to decide any more.")
    if closed.decided_by is None:
        return _("This request has already been decided by the rule.")
    if closed.decided_by == user:
        return _("You have already decided this request.")
    return _("A colleague has already decided this request.")


def _queue_page(
    request: DeskRequest,
    chosen: Cancellation | None,
    *,
    form: DecisionForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """The list, and one case beside it: the first where none was chosen. The list asks for itself
    again from time to time, and then gets nothing else."""
    page = Paginator(queries.open_requests(request.user), PAGE_SIZE).get_page(
        request.GET.get("page")
    )
    shown = chosen or next(iter(page), None)
    context: dict[str, Any] = {
        "page": page,
        "waiting": page.paginator.count,
        "decided": queries.decided_today(request.user, now=timezone.now())[:PAGE_SIZE],
        "shown": shown,
        "list_url": _list_url(request, chosen),
        "is_chosen": chosen is not None,
        "place": "queue",
    }
    if "HX-Request" in request.headers:
        return render(request, "cancellations/desk/list.html", context)
    if shown is not None:
        context |= _facts(request, shown) | {"form": form or DecisionForm()}
    return render(request, "cancellations/desk/queue.html", context, status=status)


def _list_url(request: DeskRequest, chosen: Cancellation | None) -> str:
    """Where the list comes from again; the address of a refused POST answers no GET."""
    if chosen is None:
        return request.get_full_path()
    return reverse("cancellations:case", args=[chosen.reference])


def _facts(request: DeskRequest, shown: Cancellation) -> dict[str, Any]:
    """What the case says beside the request itself."""
    waits = shown.status == CancellationStatus.REQUESTED
    decides = waits and may_decide(shown, request.user)
    return {
        "waits": waits,
        "decides": decides,
        "reads_detail": request.user.has_perm(READ_DETAIL),
        "deciders": [] if decides or not waits else queries.deciders(shown),
        "earlier": queries.earlier_cancellations(shown, request.user).count(),
        "tiers": _tiers(shown),
        "by_candidate": shown.party == Party.CANDIDATE,
        "default_approves": shown.policy.get("default") != rules.Default.DECLINE,
    }


def _tiers(shown: Cancellation) -> list[TierRow]:
    """None applies where no time had been chosen yet."""
    rows: list[TierRow] = []
    for tier in shown.policy.get("tiers", []):
        notice = timedelta(minutes=tier["notice_minutes"])
        timely = shown.starts_at is not None and shown.notice >= notice
        applies = timely and not any(row.applies for row in rows)
        rows.append(TierRow(notice, rules.Outcome(tier["outcome"]), tier["short_notice"], applies))
    return rows
