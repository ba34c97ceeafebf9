"""AI-interview platforms: the desk's pages about them, for administrators, and where they tell us
of what happens.

A webhook's secret is shown once, in the answer to the form that made it.
"""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.request import UnreadablePostError
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import idempotency
from accounts.decorators import DeskRequest, desk_permission_required
from accounts.permissions import MANAGE_CONNECTIONS
from config.references import new_reference
from interviews.models import Interview
from interviews.platforms import adapters, incoming, jobs, services, written
from interviews.platforms.base import EventKind
from interviews.platforms.forms import OnceForm, PlatformForm
from interviews.platforms.models import Platform
from notifications.channels.webhook import BadAddress

PAGE_SIZE = 50
FEW = 20  # differences and positions that the page names
POSTED = ["GET", "HEAD", "POST"]  # by GET comes who switched the language or signed in anew
ACTIONS = ("test", "reconcile", "on", "off", "secret")


# --- What a platform tells us -------------------------------------------------------------------


@csrf_exempt
@login_not_required
@never_cache
@require_POST
def events(request: HttpRequest, slug: str) -> JsonResponse:
    """One event. Answered with 200 only when it is kept for good; whoever gets anything else sends
    it again."""
    try:
        body = _body(request)
        outcome = incoming.receive(slug, body, request.headers)
    except incoming.NotLetIn as refusal:
        return JsonResponse({"error": refusal.code}, status=refusal.status)
    return JsonResponse({"outcome": outcome or "ignored"})


def _body(request: HttpRequest) -> bytes:
    """No more of it is read than an event may be long."""
    length = request.headers.get("Content-Length", "")
    if length.isdigit() and int(length) > incoming.LARGEST:
        raise incoming.NotLetIn("too_large", 413)
    try:
        body = request.read(incoming.LARGEST + 1)
    except UnreadablePostError:
        raise incoming.NotLetIn("unreadable", 400) from None
    if len(body) > incoming.LARGEST:
        raise incoming.NotLetIn("too_large", 413)
    return body


# --- The desk's pages ---------------------------------------------------------------------------


@never_cache
@desk_permission_required(MANAGE_CONNECTIONS)
@require_safe
def index(request: DeskRequest) -> HttpResponse:
    """Every platform, and how it is doing."""
    counted = Platform.objects.annotate(
        waiting=Count("links", filter=~Q(links__wanted="")),
        differing=Count("links", filter=~Q(links__difference="")),
    )
    return _page(request, "index", {"platforms": counted})


@never_cache
@desk_permission_required(MANAGE_CONNECTIONS)
@require_http_methods(POSTED)
def new(request: DeskRequest) -> HttpResponse:
    examples = written.examples()
    chosen = request.GET.get("example", "")
    initial: dict[str, Any] = {}
    if chosen in examples:
        sign = "oauth" if "token" in examples[chosen] else "hmac"
        initial = {"mapping": examples[chosen], "sign": sign}
    form = PlatformForm(request.POST if request.method == "POST" else None, initial=initial)
    platform = _saved(form)
    if platform is not None:
        return _secret(request, platform)
    context = {"form": form, "examples": examples, "chosen": chosen}
    return _page(request, "edit", context, invalid=form.is_bound)


@never_cache
@desk_permission_required(MANAGE_CONNECTIONS)
@require_http_methods(POSTED)
def edit(request: DeskRequest, slug: str) -> HttpResponse:
    platform = get_object_or_404(Platform, slug=slug)
    form = PlatformForm(request.POST if request.method == "POST" else None, instance=platform)
    if saved := _saved(form, pk=platform.pk):
        messages.success(request, _("Saved."))
        return redirect("interviews:platform", saved.slug)
    context = {"form": form, "platform": Platform.objects.get(pk=platform.pk)}
    return _page(request, "edit", context, invalid=form.is_bound)


@never_cache
@desk_permission_required(MANAGE_CONNECTIONS)
@require_safe
def platform(request: DeskRequest, slug: str) -> HttpResponse:
    """How a platform is doing, where it and we differ, and what passed between us."""
    found = get_object_or_404(Platform, slug=slug)
    shows_calls = request.GET.get("log") == "calls"
    log = found.calls.order_by("-pk") if shows_calls else found.events.order_by("-pk")
    page = Paginator(log, PAGE_SIZE).get_page(request.GET.get("page"))
    there = Interview.objects.with_facts().select_related("platform_link")
    differing = there.filter(platform_link__platform=found).exclude(platform_link__difference="")
    counts = found.links.aggregate(
        there=Count("pk", filter=~Q(external_id="")), waiting=Count("pk", filter=~Q(wanted=""))
    )
    context = {
        "platform": found,
        "address": settings.PUBLIC_URL.rstrip("/") + _events_path(slug),
        "positions": list(found.positions.values_list("title", flat=True)[: FEW + 1]),
        "few": FEW,
        "differing": list(differing.order_by("-platform_link__pk")[:FEW]),
        "counts": counts,
        "refused_why": adapters.why(found.refused_code),
        "shows_calls": shows_calls,
        "page": page,
        "rows": [_call(each) if shows_calls else _event(each) for each in page],
        "query": "log=calls" if shows_calls else "",
        "number": new_reference(),
    }
    return _page(request, "platform", context)


def _events_path(slug: str) -> str:
    return reverse("interviews:platform_events", args=[slug])


def _call(call: Any) -> dict[str, Any]:
    words = adapters.OPERATIONS.get(call.operation, call.operation)
    return {"call": call, "words": words, "why": adapters.why(call.error_code)}


def _event(event: Any) -> dict[str, Any]:
    return {"event": event, "words": dict(EventKind.choices).get(event.kind, event.kind)}


@never_cache
@desk_permission_required(MANAGE_CONNECTIONS)
@require_http_methods(POSTED)
def act(request: DeskRequest, slug: str, action: str) -> HttpResponse:
    """Test it, reconcile, switch it on or off, or make a new secret after a question."""
    if action not in ACTIONS:
        raise Http404(action)
    found = get_object_or_404(Platform, slug=slug)
    if action == "secret":
        return _new_secret(request, found)
    if request.method == "POST":
        match action:
            case "test":
                works, words = services.test(found)
                (messages.success if works else messages.warning)(request, words)
            case "reconcile" if not found.is_active:
                messages.warning(request, _("It is switched off. Switch it on first."))
            case "reconcile":
                return _reconcile(request, found)
            case "on":
                services.switch(found.pk, on=True)
                messages.success(request, _("%(name)s is switched on.") % {"name": found})
            case "off":
                services.switch(found.pk, on=False)
                words = _("%(name)s is switched off. What it is to be told waits meanwhile.")
                messages.success(request, words % {"name": found})
    return redirect("interviews:platform", slug)


def _reconcile(request: DeskRequest, found: Platform) -> HttpResponse:
    once = OnceForm(request.POST)
    reference = once.cleaned_data["number"] if once.is_valid() else ""
    job = jobs.start(found, by=request.user, reference=reference)
    return redirect("interviews:job", job.reference)


def _new_secret(request: DeskRequest, found: Platform) -> HttpResponse:
    """Say what becomes of the present one; then make it, once."""
    if request.method != "POST":
        return _page(request, "new_secret", {"platform": found, "number": new_reference()})
    once = OnceForm(request.POST)
    if not once.is_valid() or not idempotency.first_time(once.cleaned_data["number"]):
        words = _("This form has been used. What it showed cannot be shown again.")
        messages.warning(request, words)
        return redirect("interviews:platform", found.slug)
    return _secret(request, services.rotate_webhook_secret(found.pk), is_second=True)


def _secret(request: DeskRequest, found: Platform, *, is_second: bool = False) -> HttpResponse:
    return _page(request, "secret", {"platform": found, "is_second": is_second})


def _saved(form: PlatformForm, *, pk: int | None = None) -> Platform | None:
    """None where the form is not right yet, and then says why."""
    if not form.is_bound or not form.is_valid():
        return None
    try:
        return services.set_up(form.given(), pk=pk)
    except BadAddress as error:
        form.add_error("base_url", str(error.message))
        return None


def _page(
    request: DeskRequest, name: str, context: dict[str, Any], *, invalid: bool = False
) -> HttpResponse:
    template = f"interviews/platforms/{name}.html"
    status = 422 if invalid else 200
    return render(request, template, context | {"place": "settings"}, status=status)
