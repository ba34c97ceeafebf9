"""Leaving an interview midway, as candidates do it: a page of its own, which the room shows in a
dialog; a code where the policy asks for one; and another time afterwards."""

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRedirect

from accounts import codes
from accounts.decorators import PortalRequest, candidate_required, keeps_choices
from accounts.responses import SeeOther
from accounts.services import confirm_own_code, send_own_code
from accounts.throttling import TooManyTries
from cancellations import exits, queries
from cancellations.forms import CodeForm, ExitForm
from cancellations.limits import AskedTooOften
from cancellations.models import Reason
from cancellations.responses import own_or_404
from config.references import as_key
from interviews.models import Interview, Slot
from interviews.queries import free_slots
from interviews.room import queries as room
from interviews.services import SlotFull

CODE = "exit_code"
CHOICE = "exit_choice"  # in the session, of one interview, between choosing a reason and the code
TIMES = 12  # offered at once


@keeps_choices("reason")
@never_cache
@candidate_required
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: PortalRequest, reference: str) -> HttpResponseBase:
    """GET: what leaving means, and why one would. POST: do it, or ask for the code first."""
    own = own_or_404(request, reference)
    if exits.sitting_to_leave(own, timezone.now()) is None:
        return _away(request, reference)
    if request.method != "POST":
        request.session.pop(CHOICE, None)
        return _page(request, own, ExitForm(initial={"reason": request.GET.get("reason")}))
    was_told = request.POST.get("false_start") == "1"
    form = ExitForm(request.POST)
    if not was_told and not form.is_valid():
        return _page(request, own, form, status=422)
    return _leave(request, own, form, only_false_start=was_told)


def _leave(
    request: PortalRequest,
    own: Interview,
    form: ExitForm,
    *,
    only_false_start: bool = False,
    confirmed: bool = False,
) -> HttpResponseBase:
    reason: Reason = (
        next(iter(form.reasons.values())) if only_false_start else form.cleaned_data["reason"]
    )
    detail = "" if only_false_start else form.cleaned_data["detail"]
    try:
        left = exits.leave(
            own.reference,
            by=request.user,
            reason=reason,
            detail=detail,
            confirmed=confirmed,
            only_false_start=only_false_start,
        )
    except exits.NothingToLeave:
        return _away(request, own.reference)
    except exits.NoFalseStart:
        news = _("You have answered meanwhile, or the first minutes have passed. Please say why.")
        return _page(request, own, ExitForm(), news=news, status=409)
    except AskedTooOften:
        news = _(
            "You have asked several times within the hour, and nothing was changed this time. "
            "Call your recruiter, or ask again later."
        )
        return _page(request, own, form, news=news, status=429)
    except exits.SecondFactorNeeded:
        chosen = {"interview": own.reference, "reason": reason.code, "detail": detail}
        request.session[CHOICE] = chosen
        return _send_code(request, own)
    if left.is_misstart:
        messages.success(request, _("Nothing has begun: your appointment stands as it was."))
    elif left.exit and left.exit.decide_by:
        messages.success(request, _("HR has your request. What you have written is kept."))
    else:
        messages.success(
            request,
            _("You have left the interview. We keep your data; for another time, contact HR."),
        )
    return _away(request, own.reference)


@never_cache
@candidate_required
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: PortalRequest, reference: str) -> HttpResponseBase:
    """The code by text message that confirms leaving; another one on request."""
    own = own_or_404(request, reference)
    choice = request.session.get(CHOICE, {})
    is_chosen = choice.get("interview") == own.reference
    if not is_chosen or exits.sitting_to_leave(own, timezone.now()) is None:
        return _onward(request, reverse("cancellations:exit", args=[reference]))
    if request.method != "POST":
        return _code_page(request, own, CodeForm())
    if "again" in request.POST:
        return _send_code(request, own)
    form = CodeForm(request.POST)
    if not form.is_valid():
        return _code_page(request, own, form, status=422)
    try:
        verdict = confirm_own_code(request, form.cleaned_data["code"], event=CODE)
    except TooManyTries as wait:
        form.add_error("code", str(wait))
        return _code_page(request, own, form, status=429)
    if verdict is not codes.Verdict.RIGHT:
        wrong = verdict is codes.Verdict.WRONG
        form.add_error(
            "code",
            _("This is not the code. Please look again.")
            if wrong
            else _("This code is no longer valid. Ask for another one."),
        )
        return _code_page(request, own, form, status=422)
    chosen = ExitForm(choice)
    if not chosen.is_valid():  # the reason is no longer offered
        return _page(request, own, chosen, status=422)
    del request.session[CHOICE]
    return _leave(request, own, chosen, confirmed=True)


@never_cache
@candidate_required
@require_http_methods(["GET", "HEAD", "POST"])
def again(request: PortalRequest, reference: str) -> HttpResponseBase:
    """Another time for an interview that was left, where the policy lets candidates choose it."""
    own = own_or_404(request, reference)
    now = timezone.now()
    left = queries.current_exit(own)
    if left is None or not exits.may_book_again(left, own.application, now):
        return SeeOther(_address(reference))
    if request.method == "POST":
        number = request.POST.get("slot", "")
        try:
            exits.book_again(
                reference,
                by=request.user,
                slot_id=as_key(number),
            )
        except (SlotFull, Slot.DoesNotExist):
            messages.warning(request, _("That time has just been taken. Please choose another."))
        except exits.NotAlone:
            return SeeOther(_address(reference))
        else:
            messages.success(request, _("Booked. We look forward to seeing you."))
            return SeeOther(_address(reference))
    context = {"interview": own, "slots": free_slots(own, now=now)[:TIMES]}
    return render(request, "cancellations/portal/again.html", context)


def _page(
    request: PortalRequest, own: Interview, form: ExitForm, *, news: str = "", status: int = 200
) -> HttpResponseBase:
    now = timezone.now()
    sitting = exits.sitting_to_leave(own, now)
    if sitting is None:
        return _away(request, own.reference)
    evidence = room.evidence(sitting, now)
    decision = exits.would_be(own, sitting, evidence, at=now)
    questions = evidence["questions"]
    context = {
        "interview": own,
        "form": form,
        "news": news,
        "decision": decision,
        "answered": evidence["answered"],
        "questions": questions,
        "percent": evidence["answered"] * 100 // questions if questions else 0,
        "stay": reverse("room:page", args=[own.reference]),
    }
    return render(request, "cancellations/portal/exit.html", context, status=status)


def _send_code(request: PortalRequest, own: Interview) -> HttpResponseBase:
    if not request.user.mobile:
        news = _(
            "Leaving needs a code by text message, and we have no mobile number of yours. "
            "Please call your recruiter."
        )
        return _page(request, own, ExitForm(), news=news, status=409)
    news = ""
    try:
        send_own_code(request, request.user, event=CODE)
    except TooManyTries as wait:
        news = str(wait)
    return _code_page(request, own, CodeForm(), news=news)


def _code_page(
    request: PortalRequest, own: Interview, form: CodeForm, *, news: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "interview": own,
        "form": form,
        "news": news,
        "masked": (request.user.mobile or "")[-4:],
        "stay": reverse("room:page", args=[own.reference]),
    }
    return render(request, "cancellations/portal/exit_code.html", context, status=status)


def _address(reference: str) -> str:
    return reverse("cancellations:interview", args=[reference])


def _away(request: PortalRequest, reference: str) -> HttpResponseBase:
    """To the interview's page, which says how it stands; out of the dialog as well."""
    return _onward(request, _address(reference))


def _onward(request: PortalRequest, address: str) -> HttpResponseBase:
    if request.htmx:
        return HttpResponseClientRedirect(address)
    return SeeOther(address) if request.method == "POST" else redirect(address)
