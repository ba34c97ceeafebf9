"""The talent pool as a candidate sees it: what it means, whether one is in it, in and out."""

from django.contrib import messages
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.decorators import PortalRequest, candidate_required
from accounts.responses import SeeOther
from candidates.models import Candidate
from candidates.talent_pool import services


@never_cache
@candidate_required
@require_http_methods(["GET", "HEAD", "POST"])
def talent_pool(request: PortalRequest) -> HttpResponseBase:
    """GET: read it. POST: agree, or take it back."""
    candidate = Candidate.objects.filter(user=request.user).first()
    if candidate is None:
        raise Http404
    if request.method != "POST":
        return render(request, "candidates/talent_pool.html", {"since": candidate.talent_pool_at})
    if request.POST.get("consent") == "yes":
        services.join(request.user)
        messages.success(request, _("Your résumé is in our talent pool."))
    elif request.POST.get("consent") == "no":
        services.leave(request.user)
        messages.success(request, _("Your résumé is no longer in our talent pool."))
    return SeeOther(reverse("talent_pool:mine"))
