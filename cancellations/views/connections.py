"""Connections to other systems: tokens that call us, webhooks that are told. For administrators.

A secret is shown once, in the answer to the form that made it; it is not kept for showing again.
"""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts import api_tokens, idempotency
from accounts.decorators import DeskRequest, desk_permission_required
from accounts.models import ApiToken
from accounts.permissions import MANAGE_CONNECTIONS
from accounts.scopes import Scope
from cancellations.connection_forms import NumberForm, TokenForm, WebhookForm, why
from interviews.events import event_words
from interviews.models import Department
from notifications import webhooks
from notifications.channels.webhook import BadAddress
from notifications.models import State, Webhook, WebhookDelivery

PAGE_SIZE = 50
POSTED = ["GET", "HEAD", "POST"]  # by GET comes who switched the language or signed in anew


@dataclass(frozen=True)
class Row:
    """One delivery in words."""

    delivery: WebhookDelivery
    event: str
    why: str

    @property
    def can_replay(self) -> bool:
        return self.delivery.state not in {State.QUEUED, State.SENDING}


@never_cache
@desk_permission_required(MANAGE_CONNECTIONS)
@require_safe
def index(request: DeskRequest) -> HttpResponse:
    """Every token and every webhook."""
    tokens = ApiToken.objects.select_related("user").defer("user__national_id")
    names = {department.audience: department.name for department in Department.objects.all()}
    context = {
        "tokens": [(token, _scopes(token)) for token in tokens],
        "hooks": [(hook, _departments(hook, names)) for hook in Webhook.objects.all()],
        "place": "settings",
    }
    return render(request, "cancellations/connections/index.html", context)


@never_cache
@desk_permission_required(MANAGE_CONNECTIONS)
@require_http_methods(POSTED)
def new_token(request: DeskRequest) -> HttpResponse:
    form = TokenForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        if not _first_time(request):
            return _used(request)
        token, secret = api_tokens.issue_token(**form.given(), by=request.user)
        shown = {"name": token.name, "secret": secret, "is_token": True}
        return _page(request, "secret", shown)
    context = {"form": form, "number": NumberForm.fresh()}
    return _page(request, "new_token", context, invalid=form.is_bound)


@never_cache
@desk_permission_required(MANAGE_CONNECTIONS)
@require_http_methods(POSTED)
def revoke(request: DeskRequest, token_id: int) -> HttpResponse:
    token = get_object_or_404(ApiToken.objects.select_related("user"), pk=token_id)
    if request.method != "POST":
        return _page(request, "revoke", {"token": token, "scopes": _scopes(token)})
    api_tokens.revoke_token(token.pk, by=request.user)
    messages.success(request, _("The token %(name)s opens nothing any more.") % {"name": token})
    return redirect("cancellations:connections")


@never_cache
@desk_permission_required(MANAGE_CONNECTIONS)
@require_http_methods(POSTED)
def new_webhook(request: DeskRequest) -> HttpResponse:
    form = WebhookForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and not _first_time(request):
        return _used(request)
    hook = _saved(form)
    if hook is not None:
        return _page(request, "secret", {"name": hook.name, "secret": hook.secret, "hook": hook})
    context = {"form": form, "number": NumberForm.fresh()}
    return _page(request, "edit_webhook", context, invalid=form.is_bound)


@never_cache
@desk_permission_required(MANAGE_CONNECTIONS)
@require_http_methods(POSTED)
def edit_webhook(request: DeskRequest, hook_id: int) -> HttpResponse:
    hook = get_object_or_404(Webhook, pk=hook_id)
    posted = request.POST if request.method == "POST" else None
    form = WebhookForm(posted, initial=WebhookForm.of(hook))
    if _saved(form, pk=hook.pk):
        messages.success(request, _("Saved."))
        return redirect("cancellations:webhook", hook.pk)
    return _page(request, "edit_webhook", {"form": form, "hook": hook}, invalid=form.is_bound)


@never_cache
@desk_permission_required(MANAGE_CONNECTIONS)
@require_safe
def webhook(request: DeskRequest, hook_id: int) -> HttpResponse:
    """How a webhook is doing, and what was sent there, newest first."""
    hook = get_object_or_404(Webhook, pk=hook_id)
    log = hook.deliveries.order_by("-pk")
    failed = request.GET.get("state") == "failed"
    if failed:
        log = log.exclude(state__in=[State.DELIVERED, State.SUPERSEDED]).filter(attempts__gt=0)
    names = {department.audience: department.name for department in Department.objects.all()}
    page = Paginator(log, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "hook": hook,
        "departments": _departments(hook, names),
        "events": [event_words(event) for event in hook.events],
        "page": page,
        "rows": [Row(each, event_words(each.event), why(each.error_code)) for each in page],
        "failed": failed,
        "kept_days": webhooks.KEPT_FOR.days,
    }
    if not hook.is_active:
        context["waiting"] = hook.deliveries.filter(state=State.QUEUED).count()
    return _page(request, "webhook", context)


@never_cache
@desk_permission_required(MANAGE_CONNECTIONS)
@require_http_methods(POSTED)
def act(request: DeskRequest, hook_id: int, action: str) -> HttpResponse:
    """Test it, switch it on or off, make a new secret after a question, or remove it."""
    hook = get_object_or_404(Webhook, pk=hook_id)
    if action == "secret":
        return _new_secret(request, hook)
    if request.method != "POST":
        return redirect("cancellations:webhook", hook.pk)
    match action:
        case "test" if hook.is_active:
            webhooks.ping(hook.pk)
            messages.success(request, _("A test event is on its way. Reload to see it arrive."))
        case "test":
            messages.warning(request, _("It is switched off. Switch it on before you test it."))
        case "on":
            webhooks.switch(hook.pk, on=True)
            message = _("%(name)s is switched on. What it missed is being sent.")
            messages.success(request, message % {"name": hook})
        case "off":
            webhooks.switch(hook.pk, on=False)
            message = _("%(name)s is switched off. Events are kept for it meanwhile.")
            messages.success(request, message % {"name": hook})
        case "remove":
            webhooks.remove(hook.pk)
            messages.success(request, _("%(name)s is removed.") % {"name": hook})
            return redirect("cancellations:connections")
        case unknown:
            raise Http404(unknown)
    return redirect("cancellations:webhook", hook.pk)


def _new_secret(request: DeskRequest, hook: Webhook) -> HttpResponse:
    """Say what becomes of the present one; then make it, once."""
    if request.method != "POST":
        return _page(request, "new_secret", {"hook": hook, "number": NumberForm.fresh()})
    if not _first_time(request):
        return _used(request)
    hook = webhooks.rotate_secret(hook.pk)
    shown = {"name": hook.name, "secret": hook.secret, "hook": hook, "is_second": True}
    return _page(request, "secret", shown)


@never_cache
@desk_permission_required(MANAGE_CONNECTIONS)
@require_http_methods(POSTED)
def replay(request: DeskRequest, delivery_id: int) -> HttpResponse:
    delivery = get_object_or_404(WebhookDelivery, pk=delivery_id)
    if request.method == "POST":
        if webhooks.replay(delivery.pk):
            messages.success(request, _("The event is sent again."))
        else:
            messages.warning(request, _("The event is already on its way."))
    return redirect("cancellations:webhook", delivery.webhook_id)


def _page(
    request: DeskRequest, name: str, context: dict[str, Any], *, invalid: bool = False
) -> HttpResponse:
    template = f"cancellations/connections/{name}.html"
    status = 422 if invalid else 200
    return render(request, template, context | {"place": "settings"}, status=status)


def _first_time(request: DeskRequest) -> bool:
    """Whether the form has not been sent before: loading its answer again sends it again."""
    number = NumberForm(request.POST)
    return number.is_valid() and idempotency.first_time(number.cleaned_data["number"])


def _used(request: DeskRequest) -> HttpResponse:
    message = _("This form has been used. What it showed cannot be shown again.")
    messages.warning(request, message)
    return redirect("cancellations:connections")


def _saved(form: WebhookForm, *, pk: int | None = None) -> Webhook | None:
    """None where the form is not right yet, and then says why."""
    if not form.is_valid():
        return None
    try:
        return webhooks.set_up(**form.given(), pk=pk)
    except BadAddress as error:
        form.add_error("url", str(error.message))
        return None


def _scopes(token: ApiToken) -> list[str]:
    known = dict(Scope.choices)
    return [str(known.get(scope, scope)) for scope in token.scopes]


def _departments(hook: Webhook, names: dict[str, str]) -> list[str]:
    return [names[audience] for audience in hook.audiences if audience in names]
