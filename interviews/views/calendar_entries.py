"""An interview to take along into one's own calendar."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.decorators import PortalRequest, candidate_required
from interviews import calendar_entries
from interviews.queries import own_interviews
from interviews.states import UPCOMING, InterviewStatus
from notifications import calendars

CALLED_OFF = frozenset({InterviewStatus.CANCELLED, InterviewStatus.WITHDRAWN})


@never_cache
@candidate_required
@require_safe
def download(request: PortalRequest, reference: str) -> HttpResponse:
    """The same entry that the mails bring, so that one replaces the other; of what was called off,
    the one that takes it out again."""
    interview = get_object_or_404(own_interviews(request.user).with_facts(), reference=reference)
    language = translation.get_language() or ""
    is_off = interview.status in CALLED_OFF
    method = calendar_entries.CANCEL if is_off else calendar_entries.PUBLISH
    said = calendar_entries.entry(interview, method, language=language)
    if said is None or not (is_off or interview.status in UPCOMING):
        raise Http404
    name = calendars.NAMES[method]
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(
        calendars.entry(said), content_type="text/calendar; charset=utf-8", headers=headers
    )
