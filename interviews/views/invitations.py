"""Where the link of an invitation leads. It says what the invitation is, and no more of whom than
its first character; to book, one signs in."""

from contextlib import nullcontext

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import time_zones
from interviews.booking import queries, services
from interviews.models import Interview
from interviews.states import InterviewStatus


@never_cache
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponseBase:
    """GET: what it is; mail scanners follow links, so nothing is kept. POST: on to booking."""
    if request.method == "POST":
        try:
            interview = services.open_invitation(token)
        except Interview.DoesNotExist:
            return _page(request, None, status=404)
        may_book = queries.can_be_booked(interview, timezone.now())
        onward = "cancellations:book" if may_book else "cancellations:interview"
        return redirect(onward, interview.reference)
    found = queries.invitation(token)
    return _page(request, found, status=200 if found else 404)


def _page(request: HttpRequest, interview: Interview | None, *, status: int) -> HttpResponse:
    now = timezone.now()
    is_open = interview is not None and interview.status == InterviewStatus.INVITED
    context = {
        "interview": interview,
        "name": interview.candidate.user.masked_name if interview else "",
        "is_open": is_open,
        "is_expired": is_open and interview is not None and queries.is_expired(interview, now),
    }
    with time_zones.as_of(interview.candidate.user) if interview else nullcontext():
        context["zone"] = time_zones.here(now)
        response = render(request, "interviews/booking/invitation.html", context, status=status)
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response
