"""Answers that more than one page gives."""

from django.http import Http404, HttpResponseRedirect

from accounts.decorators import PortalRequest
from interviews.models import Interview
from interviews.queries import own_interview


class SeeOther(HttpResponseRedirect):
    """The answer to a POST is another page; reloading that one repeats nothing."""

    status_code = 303


def own_or_404(request: PortalRequest, reference: str) -> Interview:
    """Somebody else's interview is not there."""
    own = own_interview(request.user, reference)
    if own is None:
        raise Http404
    return own
