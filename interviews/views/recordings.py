"""What candidates said in the room, as HR hears it: whoever listens is written down first."""

import re

from django.core import signing
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.decorators import DeskRequest, desk_permission_required
from accounts.permissions import READ_DETAIL
from interviews.models import Access, AccessLog
from interviews.queries import visible_to
from interviews.room.models import Recording
from interviews.room.questions import in_words

LISTENING = 1800  # seconds for which a player may load it again
_RANGE = re.compile(r"bytes=(\d{1,12})-(\d{0,12})", re.ASCII)


@never_cache
@desk_permission_required(READ_DETAIL)
@require_http_methods(["GET", "HEAD", "POST"])
def listen(request: DeskRequest, reference: str, answer_id: int) -> HttpResponse:
    """POST: write down who listens, then show the player."""
    interview = get_object_or_404(visible_to(request.user).with_facts(), reference=reference)
    recording = _recording(reference, answer_id)
    if request.method != "POST":
        return redirect("cancellations:desk_interview", reference)
    answer = recording.answer
    AccessLog.objects.create(
        action=Access.LISTENED,
        by=request.user,
        subject=interview.subject,
        detail={"number": answer.number, "entered_at": answer.sitting.entered_at.isoformat()},
    )
    given = urlencode({"pass": _signer(request).sign(str(answer_id))})
    context = {
        "place": "interviews",
        "interview": interview,
        "recording": recording,
        "question": in_words(answer.sitting.questions[answer.number - 1]),
        "sound_url": f"{reverse('interviews:sound', args=[reference, answer_id])}?{given}",
    }
    return render(request, "interviews/sittings/recording.html", context)


@cache_control(private=True, max_age=LISTENING)
@desk_permission_required(READ_DETAIL)
@require_safe
def sound(request: DeskRequest, reference: str, answer_id: int) -> HttpResponse:
    """The recording itself, for the player of whoever was written down; in pieces, as players ask
    for it."""
    try:
        allowed = _signer(request).unsign(request.GET.get("pass", ""), max_age=LISTENING)
    except signing.BadSignature:
        raise Http404 from None
    visible = visible_to(request.user).filter(reference=reference)
    if allowed != str(answer_id) or not visible.exists():
        raise Http404
    recording = _recording(reference, answer_id, with_sound=True)
    content = bytes(recording.data)
    response = HttpResponse(content, content_type=recording.content_type)
    response["Accept-Ranges"] = "bytes"
    if asked := _RANGE.fullmatch(request.headers.get("Range", "")):
        first, last = int(asked[1]), min(int(asked[2] or len(content)), len(content) - 1)
        if first > last:
            return HttpResponse(status=416, headers={"Content-Range": f"bytes */{len(content)}"})
        response.status_code = 206
        response.content = content[first : last + 1]
        response["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
    return response


def _recording(reference: str, answer_id: int, *, with_sound: bool = False) -> Recording:
    recordings = Recording.objects.select_related("answer__sitting")
    if not with_sound:
        recordings = recordings.defer("data")
    return get_object_or_404(
        recordings, answer=answer_id, answer__sitting__interview__reference=reference
    )


def _signer(request: DeskRequest) -> signing.TimestampSigner:
    return signing.TimestampSigner(salt=f"interviews.recording:{request.user.pk}")
