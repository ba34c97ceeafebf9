"""What providers report, how people end messages without signing in, and what demo mode would have
sent."""

import base64
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from twilio.request_validator import RequestValidator

from notifications import (
    calendars,
    preferences,
    queries,
    rendering,
    reports,
    unsubscribing,
)
from notifications.models import Channel, Notification, State

SHOWN = 60  # messages of each channel
# How Twilio says that it ended; what comes before is news to nobody.
TWILIO_ENDS = {
    "delivered": State.DELIVERED,
    "read": State.DELIVERED,
    "undelivered": State.FAILED,
    "failed": State.FAILED,
    "canceled": State.FAILED,
}


@csrf_exempt
@login_not_required
@never_cache
@require_POST
def sms_report(request: HttpRequest, token: str) -> HttpResponse:
    """What became of a text message, signed by Twilio with the address that the public sees."""
    if not _is_from_twilio(request):
        return HttpResponse(status=403)
    pk = reports.read(token)
    state = TWILIO_ENDS.get(request.POST.get("MessageStatus", ""))
    if pk is not None and state is not None:
        code = request.POST.get("ErrorCode") or "undelivered"
        provider_id = request.POST.get("MessageSid", "")
        reports.report(pk, state, provider_id=provider_id, code=code)
    return HttpResponse(status=204)


def _is_from_twilio(request: HttpRequest) -> bool:
    if not settings.TWILIO_AUTH_TOKEN:
        return False
    address = settings.PUBLIC_URL.rstrip("/") + request.get_full_path()
    signature = request.headers.get("X-Twilio-Signature", "")
    validator = RequestValidator(settings.TWILIO_AUTH_TOKEN)
    return bool(validator.validate(address, request.POST, signature))


@csrf_exempt
@login_not_required
@never_cache
@require_http_methods(["HEAD", "POST"])
def mail_report(request: HttpRequest) -> HttpResponseBase:
    """What became of mails: Anymail's own view of the provider in use checks who says so, and sends
    its signal (notifications/receivers.py)."""
    view = _provider_view()
    if view is None:
        raise Http404
    return view(request)


def _provider_view() -> Any:
    """None where mail goes by SMTP, and where anybody could say anything."""
    if not settings.ANYMAIL_PROVIDER:
        return None
    for path in (f"/{settings.ANYMAIL_PROVIDER}/tracking/", f"/{settings.ANYMAIL_PROVIDER}/"):
        try:
            return resolve(path, urlconf="anymail.urls").func
        except Resolver404:  # Mandrill has one view for everything
            continue
    return None


@csrf_exempt
@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks, as scanners of mail open every link; POST ends them, also by the mail program's own
    button, which sends nothing of ours along."""
    said = unsubscribing.read(token)
    if said is None:
        return render(request, "notifications/unsubscribe.html", {"is_broken": True}, status=404)
    recipient, group, channel = said
    context = {"group": group.label, "channel": Channel(channel).label, "token": token}
    if request.method == "POST":
        wanted = "again" in request.POST
        preferences.choose(recipient, group, channel, is_wanted=wanted)
        context |= {"is_done": not wanted, "is_back": wanted}
    response = render(request, "notifications/unsubscribe.html", context)
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


@never_cache
@login_not_required
@require_safe
def demo_messages(request: HttpRequest) -> HttpResponse:
    """A phone and a mailbox for everybody. Only demo mode has it: it shows sign-in codes.

    The page asks again with the state it shows, and hears nothing while that is how it stands.
    """
    if not settings.MESSAGES_STAY_HERE:
        raise Http404
    messages = queries.sent_here(SHOWN)
    held = queries.held_here(timezone.now(), SHOWN)
    newest = max((message.pk for message in messages), default=0)
    state = f"{newest}-{len(messages)}-{len(held)}"  # what is held goes out later
    if request.GET.get("newest") == state:
        return HttpResponse(status=204)
    context = {
        "texts": [message for message in messages if message.channel == Channel.SMS],
        "mails": [
            (message, _calendar_file(message))
            for message in messages
            if message.channel == Channel.EMAIL
        ],
        "held": [(message, rendering.render(message)) for message in held],
        "newest": state,
    }
    return render(request, "notifications/demo_messages.html", context)


def _calendar_file(message: Notification) -> dict[str, str] | None:
    """What a mail brings for a calendar, to look at and to save."""
    said = message.params.get("calendar")
    if not said:
        return None
    entry = calendars.entry({**said, "attendee": message.address})
    address = "data:text/calendar;base64," + base64.b64encode(entry).decode()
    return {"name": calendars.NAMES[said["method"]], "text": entry.decode(), "address": address}
