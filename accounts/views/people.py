"""Who works at the desk: for administrators."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts import permissions, queries, staff, two_step
from accounts.decorators import desk_permission_required
from accounts.forms import STAFF_ROLE_CHOICES, AccessForm, InvitationForm, PeopleFilterForm
from accounts.models import AccessChange, User
from accounts.permissions import MANAGE_STAFF

PER_PAGE = 50
CHANGES_SHOWN = 50
STATES = {
    "active": gettext_lazy("Active"),
    "inactive": gettext_lazy("Switched off"),
    "no-second-step": gettext_lazy("Without a second step"),
}


@desk_permission_required(MANAGE_STAFF)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def people(request: HttpRequest) -> HttpResponse:
    """The list. Role and state stand in the address; a name to look for is sent, and changes
    nothing."""
    form = PeopleFilterForm(request.POST if request.method == "POST" else {})
    sent = form.cleaned_data if form.is_valid() else {}
    role, state = request.GET.get("role", ""), request.GET.get("state", "")
    role = role if role in dict(STAFF_ROLE_CHOICES) else ""
    state = state if state in STATES else ""
    found = queries.people(text=sent.get("text") or "", role=role, state=state)
    context = {
        "form": form,
        "page": Paginator(found, PER_PAGE).get_page(sent.get("page") or 1),
        "roles": STAFF_ROLE_CHOICES,
        "states": STATES.items(),
        "role": role,
        "state": state,
        "text": sent.get("text") or "",
        "place": "settings",
    }
    return render(request, "accounts/people.html", context)


@desk_permission_required(MANAGE_STAFF)
@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: HttpRequest) -> HttpResponse:
    """A new member of staff."""
    form = InvitationForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            person = staff.invite(**form.cleaned_data, by=_user(request))
        except staff.Refused as refusal:
            form.add_error("email", str(refusal))
        else:
            text = _("%(name)s is invited. The link goes to %(email)s.")
            messages.success(request, text % {"name": person.name, "email": person.email})
            return redirect("accounts:person", person.pk)
    return render(request, "accounts/invite.html", {"form": form, "place": "settings"})


@desk_permission_required(MANAGE_STAFF)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def person(request: HttpRequest, pk: int) -> HttpResponse:
    """One member of staff: their role and departments, and what happened to their access."""
    shown = get_object_or_404(queries.staff(), pk=pk)
    form = AccessForm(
        request.POST if request.method == "POST" else None,
        initial={"role": shown.role, "departments": list(shown.departments.all())},
    )
    if form.is_valid():
        try:
            staff.change_access(shown.pk, **form.cleaned_data, by=_user(request))
        except staff.Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("Saved. %(name)s is told.") % {"name": shown.name})
            return redirect("accounts:person", pk)
    context = {
        "person": shown,
        "form": form,
        "mine": shown == request.user,
        "second_step": two_step.is_on(shown),
        "invited": not shown.has_usable_password(),
        "changes": AccessChange.objects.filter(person=shown).select_related("by")[:CHANGES_SHOWN],
        "place": "settings",
    }
    return render(request, "accounts/person.html", context)


ACTIONS: dict[str, tuple[Callable[..., User], Any]] = {
    "deactivate": (staff.deactivate, gettext_lazy("%(name)s cannot sign in any more.")),
    "reactivate": (staff.reactivate, gettext_lazy("%(name)s can sign in again.")),
    "end-sessions": (staff.end_sessions, gettext_lazy("%(name)s is signed out everywhere.")),
    "remove-second-step": (
        staff.remove_second_step,
        gettext_lazy("The second step of %(name)s is removed."),
    ),
    "invite-again": (staff.invite_again, gettext_lazy("Another link goes to %(email)s.")),
}
# What takes something from somebody, with the button that does it: read once more what follows.
CONFIRMED = {
    "deactivate": gettext_lazy("Switch off"),
    "end-sessions": gettext_lazy("Sign out everywhere"),
    "remove-second-step": gettext_lazy("Remove the second step"),
}


@desk_permission_required(MANAGE_STAFF)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def act(request: HttpRequest, pk: int, action: str) -> HttpResponse:
    """One of ACTIONS, done to somebody. By GET comes who is to read once more what follows, or had
    to sign in anew."""
    if action not in ACTIONS:
        raise Http404
    shown = get_object_or_404(queries.staff(), pk=pk)
    if request.method != "POST":
        if action not in CONFIRMED or shown == request.user:
            return redirect("accounts:person", pk)
        context = {
            "person": shown,
            "action": action,
            "label": CONFIRMED[action],
            "place": "settings",
        }
        return render(request, "accounts/confirm_action.html", context)
    service, done = ACTIONS[action]
    try:
        service(shown.pk, by=_user(request))
    except staff.Refused as refusal:
        messages.warning(request, str(refusal))
    else:
        messages.success(request, done % {"name": shown.name, "email": shown.email})
    return redirect("accounts:person", pk)


@desk_permission_required(MANAGE_STAFF)
@require_safe
def roles(request: HttpRequest) -> HttpResponse:
    """Who may do what: each permission against each role."""
    held, granted = queries.active_per_role(), permissions.PERMISSIONS
    columns = [(role, label, held[role]) for role, label in STAFF_ROLE_CHOICES]
    rows = [
        (label, [permission in granted[role] for role, _label in STAFF_ROLE_CHOICES])
        for permission, label in permissions.LABELS.items()
    ]
    context = {"columns": columns, "rows": rows, "place": "settings"}
    return render(request, "accounts/roles.html", context)


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - SignInRequired saw to it
    return request.user
