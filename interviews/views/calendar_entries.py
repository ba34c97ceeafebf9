"""An interview to take along into one's own calendar."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.decorators import PortalRequest, candidate_required
from interviews import calendar_entries
from interviews.queries import own_interviews
from interviews.states import UPCOMING
from notifications import calendars


@never_cache
@candidate_required
@require_safe
def download(request: PortalRequest, reference: str) -> HttpResponse:
    """The same entry that the mails bring, so that one replaces the other."""
    interview = get_object_or_404(own_interviews(request.user).with_facts(), reference=reference)
    language = translation.get_language() or ""
    said = calendar_entries.entry(interview, calendar_entries.PUBLISH, language=language)
    if said is None or interview.status not in UPCOMING:
        raise Http404
    name = calendars.NAMES[calendar_entries.PUBLISH]
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(
        calendars.entry(said), content_type="text/calendar; charset=utf-8", headers=headers
    )
