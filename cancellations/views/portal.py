"""What candidates see and do: their interviews, and calling one off."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_http_methods, require_safe
from django_fsm import TransitionNotAllowed

from accounts.decorators import PortalRequest, candidate_required, keeps_choices
from accounts.models import User
from accounts.responses import SeeOther
from cancellations import again, exits, queries, rules, saved, services
from cancellations.absences.queries import outcome_of
from cancellations.forms import CancellationForm, MineFilter
from cancellations.models import Cancellation, CancellationStatus
from cancellations.responses import own_or_404
from interviews.booking.queries import can_be_booked
from interviews.gates.queries import papers_of
from interviews.gates.services import OVER
from interviews.models import Interview, InterviewQuerySet
from interviews.queries import (
    FEW,
    company_day,
    few_own,
    in_reading_order,
    own_interviews,
    positions_of,
    timeline,
)
from interviews.refill.queries import open_offers_of
from interviews.reminders.queries import may_confirm, may_tell_trouble
from interviews.room.queries import State, latest_sitting, state_of, takes_place_here
from interviews.states import CANCELLABLE, ENDED, UNDER_WAY, InterviewStatus
from interviews.templatetags.contact import grouped

ENTER_BEFORE = timedelta(minutes=15)
# Whoever knows before the interview what comes after it has the time to get it.
ASKED_FOR_PAPERS = UNDER_WAY | {InterviewStatus.BOOKED, InterviewStatus.COMPLETED}

# These answer a POST with a page. A browser that may not keep it at all meets its back button with
# an error instead of the page.
_returnable = cache_control(private=True, no_cache=True)


@dataclass(frozen=True)
class SpanRow:
    """One line of the rule as the page shows it."""

    span: rules.Span
    is_current: bool


@dataclass(frozen=True)
class Entrance:
    """Where one goes in; `resumes` says that they were in before and have not finished."""

    url: str
    resumes: bool = False


@never_cache
@candidate_required
@require_safe
def mine(request: PortalRequest) -> HttpResponse:
    """My interviews: the next one large, the others as a list, the ended ones folded."""
    now = timezone.now()
    few = few_own(request.user)
    form = MineFilter(request.GET, positions=_positions(request.user, few))
    understood = form.is_valid() or not form.is_active
    asked: InterviewQuerySet | list[Interview]
    if form.is_active or few is None:
        asked = in_reading_order(own_interviews(request.user).with_facts())
        asked = form.narrow(asked) if form.is_active else asked
    else:
        asked = few
    page = Paginator(asked, FEW).get_page(request.GET.get("page"))
    ahead = [interview for interview in page if interview.status not in ENDED]
    upcoming = None
    if page.number == 1 and not form.is_active:
        upcoming = next((each for each in ahead if _still_counts(each, now)), None)
    policies = _policies(upcoming, now)
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "form": form,
        "offers": open_offers_of(request.user),
        "page": page,
        "query": query.urlencode(),
        "next": upcoming,
        "rule": queries.cancel_rule(upcoming, policies, now=now) if upcoming else None,
        "move": queries.move_rule(upcoming, policies, now=now) if upcoming else None,
        "can_be_booked": upcoming is not None and can_be_booked(upcoming, now),
        "entrance": _entrance(upcoming, now) if upcoming else None,
        "may_confirm": upcoming is not None and may_confirm(upcoming, now),
        "ahead": [interview for interview in ahead if interview is not upcoming],
        "ended": [interview for interview in page if interview.status in ENDED],
    }
    return render(
        request, "cancellations/portal/mine.html", context, status=200 if understood else 400
    )


@never_cache
@candidate_required
@require_safe
def interview(request: PortalRequest, reference: str) -> HttpResponse:
    """One interview: its facts, its way, and what cancelling would mean before anybody taps."""
    now = timezone.now()
    own = own_or_404(request, reference)
    policies = _policies(own, now)
    rule = queries.cancel_rule(own, policies, now=now)
    cancellation = queries.latest_cancellation(own)
    context = {
        "interview": own,
        "timeline": timeline(own),
        "rule": rule,
        "rows": _rows(rule, now) if rule else [],
        "move": queries.move_rule(own, policies, now=now),
        "is_invited": own.status == InterviewStatus.INVITED,
        "can_be_booked": can_be_booked(own, now),
        "papers": papers_of(own.application, today=company_day(now))
        if own.status in ASKED_FOR_PAPERS and own.application.stage not in OVER
        else None,
        "cancellation": cancellation,
        "may_book_again": own.status == InterviewStatus.WITHDRAWN
        and cancellation is not None
        and cancellation.is_exit
        and exits.may_book_again(cancellation, own.application, now),
        "absence": outcome_of(own),
        "ways_on": again.ways_on(own, now),
        "entrance": _entrance(own, now),
        "may_confirm": may_confirm(own, now),
        "may_tell_trouble": may_tell_trouble(own, now),
        "is_ended": own.status in ENDED,
    }
    return render(request, "cancellations/portal/interview.html", context)


@keeps_choices("reason")
@_returnable
@candidate_required
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: PortalRequest, reference: str) -> HttpResponse:
    """GET: choose a reason. POST, coming from the check page: do it."""
    if request.method == "POST":
        return _cancel(request, reference)
    own = own_or_404(request, reference)
    rule = _rule(own, timezone.now())
    if rule is None or rule.outcome is rules.Outcome.REFUSED:
        return redirect("cancellations:interview", reference)
    chosen = {"reason": request.GET.get("reason")}  # before the session ended
    return _reason_page(request, own, CancellationForm(initial=chosen))


def _cancel(request: PortalRequest, reference: str) -> HttpResponse:
    """The service finds the interview, locks it and knows whose it is: no page reads it before."""
    form = CancellationForm(request.POST)
    if not form.is_valid():
        return _reason_page(request, own_or_404(request, reference), form, status=422)
    try:
        cancellation, _created = services.request_cancellation(
            reference,
            by=request.user,
            reason=form.cleaned_data["reason"],
            detail=form.cleaned_data["detail"],
        )
    except Interview.DoesNotExist:
        raise Http404 from None
    except services.AlreadyOver:
        messages.warning(
            request, _("This interview has begun or has ended. It can no longer be cancelled.")
        )
    except services.CancellationRefused:
        messages.warning(
            request,
            _("It cannot be cancelled here any more, and nothing was changed. Ask your recruiter."),
        )
    except services.AskedTooOften:
        messages.warning(
            request,
            _(
                "You have asked several times within the hour, and nothing was changed this time. "
                "Call your recruiter, or ask again later."
            ),
        )
    else:
        saved.not_saved(cancellation)
        _confirm(request, cancellation)
    return _to_interview(reference)


@keeps_choices("reason")
@_returnable
@candidate_required
@require_http_methods(["GET", "HEAD", "POST"])
def check(request: PortalRequest, reference: str) -> HttpResponse:
    """Read once more what will be cancelled and what follows, and what may suit better; of the
    interview it changes nothing."""
    own = own_or_404(request, reference)
    if request.method != "POST":
        return redirect(reverse("cancellations:cancel", args=[reference], query=request.GET))
    form = CancellationForm(request.POST)
    if "back" in request.POST:
        return _reason_page(request, own, form)
    rule = _rule(own, timezone.now())
    if rule is None or rule.outcome is rules.Outcome.REFUSED:
        return _to_interview(reference)
    if not form.is_valid():
        return _reason_page(request, own, form, status=422)
    reason = form.cleaned_data["reason"].code
    instead = saved.instead_of(own, reason, now=timezone.now())
    if instead is not None:
        saved.note_offered(own, reason, instead)
    context = {
        "interview": own,
        "form": form,
        "rule": rule,
        "instead": instead,
        **form.cleaned_data,
    }
    return render(request, "cancellations/portal/check.html", context)


@never_cache
@candidate_required
@require_http_methods(["GET", "HEAD", "POST"])
def take_back(request: PortalRequest, reference: str) -> HttpResponse:
    """Keep the interview after all, while HR has not decided."""
    own = own_or_404(request, reference)
    if request.method != "POST":
        return redirect("cancellations:interview", reference)
    pending = queries.current_cancellation(own) or queries.current_exit(own)
    try:
        if pending is None:
            raise Cancellation.DoesNotExist
        services.take_back_cancellation(pending.reference, by=request.user)
    except (Cancellation.DoesNotExist, TransitionNotAllowed):
        messages.warning(request, _("It has been decided meanwhile. This is how it stands."))
    else:
        messages.success(request, _("Your interview stays as it was. HR knows."))
    return _to_interview(reference)


def _positions(user: User, few: list[Interview] | None) -> dict[int, str]:
    if few is None:
        return positions_of(user)
    return {interview.position.pk: interview.position.title for interview in few}


def _policies(interview: Interview | None, now: datetime) -> list[rules.Policy]:
    """Read only where there is something to cancel or to move."""
    if interview is None or interview.status not in CANCELLABLE:
        return []
    return queries.policies_in_force(now)


def _rule(interview: Interview, now: datetime) -> queries.CancelRule | None:
    """None where there is nothing to cancel."""
    return queries.cancel_rule(interview, _policies(interview, now), now=now)


def _rows(rule: queries.CancelRule, now: datetime) -> list[SpanRow]:
    current = next((span for span in rule.spans if now <= span.until), None)
    return [SpanRow(span, span is current) for span in rule.spans]


def _entrance(interview: Interview, now: datetime) -> Entrance | None:
    """Into our own room while its door is open; to a link from a little before the start until the
    end."""
    if takes_place_here(interview):
        return _door(interview, now)
    if not interview.link or interview.starts_at is None:
        return None
    is_time = interview.status == InterviewStatus.BOOKED and (
        interview.starts_at - ENTER_BEFORE <= now and not _is_behind(interview, now)
    )
    return Entrance(interview.link) if is_time or interview.status in UNDER_WAY else None


def _door(interview: Interview, now: datetime) -> Entrance | None:
    booked = interview.status == InterviewStatus.BOOKED
    was_in = _is_behind(interview, now) if booked else interview.status in UNDER_WAY
    sitting = latest_sitting(interview) if was_in else None
    state = state_of(interview, sitting, now=now, comes_in=False)
    if state not in (State.CHECK, State.RESUME):
        return None
    return Entrance(reverse("room:page", args=[interview.reference]), state == State.RESUME)


def _still_counts(interview: Interview, now: datetime) -> bool:
    """Whether it can come first: what has begun goes on after the time it was booked for."""
    return interview.status in UNDER_WAY or not _is_behind(interview, now)


def _is_behind(interview: Interview, now: datetime) -> bool:
    end = interview.ends_at or interview.starts_at
    return end is not None and end < now


def _reason_page(
    request: PortalRequest, interview: Interview, form: CancellationForm, status: int = 200
) -> HttpResponse:
    context = {
        "interview": interview,
        "form": form,
        "times": saved.other_times(interview, now=timezone.now()),
    }
    return render(request, "cancellations/portal/cancel.html", context, status=status)


def _confirm(request: PortalRequest, cancellation: Cancellation) -> None:
    number = {"number": grouped(cancellation.reference)}
    if cancellation.status == CancellationStatus.APPROVED:
        messages.success(request, _("Cancelled. Your receipt is %(number)s.") % number)
    else:
        messages.success(request, _("HR has your request. Your receipt is %(number)s.") % number)


def _to_interview(reference: str) -> SeeOther:
    return SeeOther(reverse("cancellations:interview", args=[reference]))
