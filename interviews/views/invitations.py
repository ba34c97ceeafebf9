"""Where the link of an invitation leads. It says what the invitation is, and no more of whom than
its first character; to book, one signs in."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import time_zones
from accounts.models import User
from accounts.responses import SeeOther
from interviews.booking import queries, services
from interviews.models import Interview
from interviews.queries import visible_to
from interviews.responses import broken_link
from interviews.states import InterviewStatus


@never_cache
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponseBase:
    """GET: what it is; mail scanners follow links, so nothing is kept. POST: on to booking."""
    found = queries.invitation(token)
    if found is None:
        return broken_link(request)
    if request.method != "POST":
        return _page(request, found)
    if _is_somebody_elses(request, found):
        return SeeOther(request.path)
    try:
        interview = services.open_invitation(token)
    except Interview.DoesNotExist:
        return broken_link(request)
    may_book = queries.can_be_booked(interview, timezone.now())
    onward = "cancellations:book" if may_book else "cancellations:interview"
    return redirect(onward, interview.reference)


def _is_somebody_elses(request: HttpRequest, interview: Interview) -> bool:
    """Whether who is signed in is not whom it invites: opening it would tell nothing of them."""
    return request.user.is_authenticated and request.user != interview.candidate.user


def _page(request: HttpRequest, interview: Interview) -> HttpResponse:
    now = timezone.now()
    is_open = interview.status == InterviewStatus.INVITED
    is_somebody_elses = _is_somebody_elses(request, interview)
    context = {
        "interview": interview,
        "name": interview.candidate.user.masked_name,
        "is_open": is_open,
        "is_expired": is_open and queries.is_expired(interview, now),
        "is_somebody_elses": is_somebody_elses,
        "at_desk": _at_desk(request, interview) if is_somebody_elses else "",
    }
    with time_zones.as_of(interview.candidate.user):
        context["zone"] = time_zones.here(now)
        response = render(request, "interviews/booking/invitation.html", context)
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


def _at_desk(request: HttpRequest, interview: Interview) -> str:
    """Where staff who may see it find it."""
    assert isinstance(request.user, User)  # noqa: S101 - tells mypy
    if not request.user.works_at_desk:
        return ""
    if not visible_to(request.user).filter(pk=interview.pk).exists():
        return ""
    return reverse("cancellations:desk_interview", args=[interview.reference])
