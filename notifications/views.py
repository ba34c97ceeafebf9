"""The one page this app has: what demo mode would have sent."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from notifications import queries
from notifications.models import Channel

SHOWN = 60  # messages of each channel


@never_cache
@login_not_required
@require_safe
def demo_messages(request: HttpRequest) -> HttpResponse:
    """A phone and a mailbox for everybody. Only demo mode has it: it shows sign-in codes.

    The page asks again with the number of its newest message and hears nothing while that is it.
    """
    if not settings.MESSAGES_STAY_HERE:
        raise Http404
    messages = queries.sent_here(SHOWN)
    newest = max((message.pk for message in messages), default=0)
    if request.GET.get("newest") == str(newest):
        return HttpResponse(status=204)
    context = {
        "texts": [message for message in messages if message.channel == Channel.SMS],
        "mails": [message for message in messages if message.channel == Channel.EMAIL],
        "newest": newest,
    }
    return render(request, "notifications/demo_messages.html", context)
