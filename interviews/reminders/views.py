"""What reminders lead to: the pages of their links, which need no sign-in, the same for who is
signed in, and the rules, which staff write."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts import time_zones
from accounts.decorators import (
    DeskRequest,
    PortalRequest,
    candidate_required,
    desk_permission_required,
)
from accounts.permissions import EDIT_POLICIES
from interviews.forms import as_moment
from interviews.models import Interview
from interviews.queries import own_interview
from interviews.reminders import queries, services, words
from interviews.reminders.forms import RuleForm, TroubleForm
from interviews.reminders.links import CONFIRM, TROUBLE, interview_of
from interviews.reminders.models import ReminderRule
from interviews.reminders.rules import When
from interviews.responses import broken_link

POSTED = ["GET", "HEAD", "POST"]


def _unlisted(response: HttpResponse) -> HttpResponse:
    """What a link leads to is nobody else's to find."""
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Referrer-Policy"] = "same-origin"
    return response


# --- by link --------------------------------------------------------------------------------------


@never_cache
@login_not_required
@require_http_methods(POSTED)
def appointment(request: HttpRequest, token: str) -> HttpResponseBase:
    """“I will attend”: what the appointment is, and one button. Opening it changes nothing."""
    interview = interview_of(token, CONFIRM)
    if interview is None:
        return broken_link(request)
    if request.method == "POST":
        _confirm(request, interview, by_link=True)
        return redirect("reminders:appointment", token)
    return _page(request, "appointment", interview, token)


@never_cache
@login_not_required
@require_http_methods(POSTED)
def trouble(request: HttpRequest, token: str) -> HttpResponseBase:
    """Somebody who has not come in tells what is wrong."""
    interview = interview_of(token, TROUBLE)
    if interview is None:
        return broken_link(request)
    return _trouble(
        request,
        interview,
        token=token,
        back=lambda: redirect("reminders:trouble", token),
    )


def _page(
    request: HttpRequest,
    name: str,
    interview: Interview,
    token: str,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    """Nothing personal but a masked name: anybody may hold the link."""
    now = timezone.now()
    context = {
        "interview": interview,
        "masked_name": interview.candidate.user.masked_name,
        "token": token,
        "may_confirm": queries.may_confirm(interview, now),
        "may_tell": queries.may_tell_trouble(interview, now),
        "may_come_in": queries.may_come_in(interview, now),
        "has_told": queries.has_told_trouble(interview),
        "is_decided": queries.is_decided(interview),
        "is_ahead": interview.starts_at is not None and interview.starts_at > now,
        **more,
    }
    with time_zones.as_of(interview.candidate.user):
        context["zone"] = time_zones.here(now)
        page = render(request, f"interviews/reminders/{name}.html", context, status=status)
    return _unlisted(page)


# --- signed in ------------------------------------------------------------------------------------


@never_cache
@candidate_required
@require_http_methods(POSTED)
def confirm(request: PortalRequest, reference: str) -> HttpResponseBase:
    """The same button on the interview's own page."""
    interview = _own(request, reference)
    if request.method == "POST":
        _confirm(request, interview)
    return redirect("cancellations:interview", reference)


@never_cache
@candidate_required
@require_http_methods(POSTED)
def own_trouble(request: PortalRequest, reference: str) -> HttpResponseBase:
    """The same page for who is signed in."""
    return _trouble(
        request,
        _own(request, reference),
        back=lambda: redirect("cancellations:interview", reference),
    )


def _own(request: PortalRequest, reference: str) -> Interview:
    own = own_interview(request.user, reference)
    if own is None:
        raise Http404
    return own


def _confirm(request: HttpRequest, interview: Interview, *, by_link: bool = False) -> None:
    """To the time they were shown; where it is another one by now, they read that one first."""
    shown = as_moment(request.POST.get("starts_at", ""))
    try:
        if shown is None:
            raise services.AnotherTime
        services.confirm(interview.reference, starts_at=shown, by_link=by_link)
    except services.AnotherTime:
        messages.warning(
            request, _("The time has changed meanwhile. Please read it, and confirm again.")
        )
    except services.TooLate:
        messages.warning(request, _("This appointment can no longer be confirmed."))
    else:
        messages.success(request, _("Thank you. We look forward to seeing you."))


def _trouble(
    request: HttpRequest,
    interview: Interview,
    *,
    back: Callable[[], HttpResponse],
    token: str = "",
) -> HttpResponseBase:
    if request.method != "POST":
        return _page(request, "trouble", interview, token, form=TroubleForm())
    form = TroubleForm(request.POST)
    if not form.is_valid():
        return _page(request, "trouble", interview, token, form=form, status=422)
    try:
        services.tell_trouble(
            interview.reference,
            kind=form.cleaned_data["kind"],
            detail=form.cleaned_data["detail"],
            by_link=bool(token),
        )
    except services.TooLate:
        messages.warning(request, _("This can no longer be told here. Please call HR."))
    else:
        messages.success(
            request, _("Thank you for telling us. HR looks at it; nothing is held against you.")
        )
    return back()


# --- the rules ------------------------------------------------------------------------------------


@never_cache
@desk_permission_required(EDIT_POLICIES)
@require_safe
def rules_list(request: DeskRequest) -> HttpResponse:
    """What happens by itself, by the status it happens in; only who sees every department changes
    it."""
    rules = ReminderRule.objects.order_by("anchor", "minutes", "pk")
    stages = [
        (
            label,
            [(rule, words.when(rule), words.what(rule)) for rule in rules if rule.stage == when],
        )
        for when, label in When.choices
    ]
    may_edit = services.may_edit_rules(request.user)
    context = {"stages": stages, "may_edit": may_edit, "place": "settings"}
    return render(request, "interviews/reminders/rules.html", context)


@never_cache
@desk_permission_required(EDIT_POLICIES)
@require_http_methods(POSTED)
def new_rule(request: DeskRequest) -> HttpResponseBase:
    return _rule(request, ReminderRule())


@never_cache
@desk_permission_required(EDIT_POLICIES)
@require_http_methods(POSTED)
def edit_rule(request: DeskRequest, rule_id: int) -> HttpResponseBase:
    """Change one, or switch it off; what it has done stays with the interviews."""
    return _rule(request, get_object_or_404(ReminderRule, pk=rule_id))


def _rule(request: DeskRequest, rule: ReminderRule) -> HttpResponseBase:
    if not services.may_edit_rules(request.user):
        raise PermissionDenied
    form = RuleForm(request.POST if request.method == "POST" else None, instance=rule)
    if form.is_valid():
        counted_as_before = "anchor" not in form.changed_data
        saved = services.save_rule(form.save(commit=False), by=request.user)
        messages.success(
            request, _("Saved. What is planned follows within minutes, however many there are.")
        )
        late = queries.too_late_by(saved, timezone.now()) if counted_as_before else 0
        if late:
            words = ngettext(
                "%(count)d reminder still to come is too late to be of use by this rule, and is"
                " not sent.",
                "%(count)d reminders still to come are too late to be of use by this rule, and are"
                " not sent.",
                late,
            )
            messages.warning(request, words % {"count": late})
        return redirect("reminders:rules")
    context = {"form": form, "rule": rule, "place": "settings"}
    status = 422 if form.is_bound else 200
    return render(request, "interviews/reminders/rule.html", context, status=status)
