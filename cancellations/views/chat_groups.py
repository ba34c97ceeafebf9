"""Group chats of HR, for administrators. A bot's address holds its key and is shown nowhere."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.decorators import DeskRequest, desk_permission_required
from accounts.permissions import MANAGE_CONNECTIONS
from cancellations.wording_forms import ChatGroupForm
from interviews.models import Department
from notifications.models import ChatGroup

POSTED = ["GET", "HEAD", "POST"]  # by GET comes who switched the language or signed in anew


@never_cache
@desk_permission_required(MANAGE_CONNECTIONS)
@require_safe
def index(request: DeskRequest) -> HttpResponse:
    names = {department.audience: department.name for department in Department.objects.all()}
    groups = [
        (group, [names[each] for each in group.audiences if each in names])
        for group in ChatGroup.objects.defer("url")
    ]
    context = {"groups": groups, "place": "settings"}
    return render(request, "cancellations/chat_groups/index.html", context)


@never_cache
@desk_permission_required(MANAGE_CONNECTIONS)
@require_http_methods(POSTED)
def new(request: DeskRequest) -> HttpResponse:
    form = ChatGroupForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        group = ChatGroup.objects.create(**form.given())
        messages.success(
            request,
            _("%(name)s is told from now on what the desk is told.") % {"name": group.name},
        )
        return redirect("cancellations:chat_groups")
    context = {"form": form, "place": "settings"}
    status = 422 if form.is_bound else 200
    return render(request, "cancellations/chat_groups/new.html", context, status=status)


@never_cache
@desk_permission_required(MANAGE_CONNECTIONS)
@require_http_methods(POSTED)
def act(request: DeskRequest, group_id: int, action: str) -> HttpResponse:
    """Switch it on or off, or remove it."""
    if action not in {"on", "off", "remove"}:
        raise Http404
    group = get_object_or_404(ChatGroup.objects.defer("url"), pk=group_id)
    if request.method == "POST":
        name = {"name": group.name}
        if action == "remove":
            group.delete()
            messages.success(request, _("%(name)s is removed.") % name)
        else:
            group.is_active = action == "on"
            group.save(update_fields=["is_active"])
            said = (
                _("%(name)s is told again.") if group.is_active else _("%(name)s is told no more.")
            )
            messages.success(request, said % name)
    return redirect("cancellations:chat_groups")
