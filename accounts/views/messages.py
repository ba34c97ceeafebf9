"""What a candidate is sent: reminders and the like per channel, and in which browsers."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import browsers
from accounts.decorators import candidate_required
from accounts.forms import BrowserForm, MessagesForm
from accounts.models import User
from accounts.views.entrance import draw
from notifications import preferences
from notifications.channels import push
from notifications.channels.webhook import BadAddress, look_at
from notifications.models import PushSubscription

POSTED = ["GET", "HEAD", "POST"]  # by GET comes who signed in anew


@never_cache
@candidate_required
@require_http_methods(POSTED)
def choices(request: HttpRequest) -> HttpResponse:
    """What may be left out, with what is there now."""
    recipient = _recipient(request)
    posted = request.POST if request.method == "POST" else None
    form = MessagesForm(posted, wanted=preferences.of(recipient))
    if form.is_valid():
        preferences.choose_all(recipient, form.wanted())
        messages.success(request, _("Saved."))
        return redirect("accounts:messages")
    return draw(
        request,
        "accounts/messages.html",
        form,
        push_key=push.public_key(),
        browsers=PushSubscription.objects.filter(recipient=recipient).count(),
        status=422 if form.is_bound else 200,
    )


@never_cache
@candidate_required
@require_http_methods(POSTED)
def add_browser(request: HttpRequest) -> HttpResponse:
    """Tell this browser from now on, until its owner signs out there."""
    if request.method == "POST":
        form = BrowserForm(request.POST)
        if form.is_valid() and push.public_key() and _leads_outside(form.cleaned_data["endpoint"]):
            added = preferences.add_browser(_recipient(request), **form.cleaned_data)
            messages.success(
                request, _("This browser shows our messages until you sign out of it.")
            )
            response = redirect("accounts:messages")
            browsers.remember(response, added)
            return response
        messages.warning(
            request,
            _("This browser could not be added. Text messages and mail still reach you."),
        )
    return redirect("accounts:messages")


@never_cache
@candidate_required
@require_http_methods(POSTED)
def remove_browsers(request: HttpRequest) -> HttpResponse:
    """Tell no browser any more."""
    if request.method == "POST":
        preferences.remove_browsers(_recipient(request))
        messages.success(request, _("No browser shows our messages any more."))
    return redirect("accounts:messages")


def _leads_outside(endpoint: str) -> bool:
    """Push services stand on the internet; an address that leads to our own machines is none."""
    try:
        look_at(endpoint)
    except BadAddress:
        return False
    return True


def _recipient(request: HttpRequest) -> str:
    assert isinstance(request.user, User)  # noqa: S101 - SignInRequired saw to it
    return f"user:{request.user.pk}"
