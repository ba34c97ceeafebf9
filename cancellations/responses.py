"""Answers that more than one page gives."""

from django.http import Http404

from accounts.decorators import PortalRequest
from interviews.models import Interview
from interviews.queries import own_interview


def own_or_404(request: PortalRequest, reference: str) -> Interview:
    """Somebody else's interview is not there."""
    own = own_interview(request.user, reference)
    if own is None:
        raise Http404
    return own
