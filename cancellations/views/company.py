"""What staff do for the company: call interviews off, one or many, and set a status right by hand.

Every form is sent twice before anything happens: to the page that says what will happen, and from
there to do it.
"""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods
from django_fsm import TransitionNotAllowed

from accounts.decorators import DeskRequest, desk_permission_required
from accounts.permissions import CANCEL_FOR_COMPANY, CORRECT_INTERVIEWS, MANAGE_SLOTS
from accounts.responses import SeeOther
from cancellations import company, jobs, queries
from cancellations.company import Fate
from cancellations.company_forms import (
    CompanyCancellationForm,
    CorrectionForm,
    JobNumberForm,
    ReferencesForm,
)
from cancellations.desk_filters import sent_query
from cancellations.interview_lists import AskedList, way_back
from cancellations.services import AlreadyOver
from interviews.booking.queries import visible_slots
from interviews.models import Interview, Move, Slot
from interviews.queries import visible_to
from interviews.room.queries import closes_at
from interviews.services import SlotFull
from interviews.states import UPCOMING, InterviewStatus
from interviews.templatetags.contact import grouped

LISTED = 50  # interviews that one page shows of many

# These answer a POST with a page. A browser that may not keep it at all meets its back button with
# an error instead of the page.
_returnable = cache_control(private=True, no_cache=True)


# --- one interview --------------------------------------------------------------------------------


@_returnable
@desk_permission_required(CANCEL_FOR_COMPANY)
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: DeskRequest, reference: str) -> HttpResponse:
    """Why; then once more what will happen; then it is done."""
    interview = get_object_or_404(_visible(request), reference=reference)
    form = CompanyCancellationForm(request.POST or None)
    step = request.POST.get("step", "")
    if step not in {"check", "confirm"}:
        return _cancel_page(request, interview, form if step else CompanyCancellationForm())
    if not form.is_valid():
        return _cancel_page(request, interview, form, status=422)
    if step == "check":
        context = _cancel_context(interview, form) | form.cleaned_data
        return render(request, "cancellations/company/cancel_check.html", context)
    try:
        cancellation, _is_new = company.cancel_for_company(
            reference, by=request.user, **form.cleaned_data
        )
    except AlreadyOver:
        messages.warning(request, _("It was no longer to be cancelled. This is how it stands now."))
    else:
        messages.success(
            request,
            _("Cancelled. Everybody concerned is being told. The receipt is %(number)s.")
            % {"number": grouped(cancellation.reference)},
        )
    return _to_interview(reference)


def _cancel_page(
    request: DeskRequest, interview: Interview, form: CompanyCancellationForm, status: int = 200
) -> HttpResponse:
    context = _cancel_context(interview, form)
    return render(request, "cancellations/company/cancel.html", context, status=status)


def _cancel_context(interview: Interview, form: CompanyCancellationForm) -> dict[str, Any]:
    fate = company.fate_of(interview)
    return {
        "interview": interview,
        "fate": fate,
        "can_be": fate is Fate.CANCELLED,
        "is_waiting": interview.status == InterviewStatus.CANCELLING,
        "told": company.told_of([interview]),
        "form": form,
        "place": "interviews",
    }


# --- a slot and everybody in it -------------------------------------------------------------------


@_returnable
@desk_permission_required(CANCEL_FOR_COMPANY)
@require_http_methods(["GET", "HEAD", "POST"])
def close_slot(request: DeskRequest, slot_id: int) -> HttpResponse:
    """Why; then once more who is concerned; then the slot is closed and its interviews are off."""
    if not request.user.has_perm(MANAGE_SLOTS):
        raise PermissionDenied
    slot = get_object_or_404(visible_slots(request.user), pk=slot_id)
    form = CompanyCancellationForm(request.POST or None)
    step = request.POST.get("step", "")
    if slot.starts_at <= timezone.now():
        messages.warning(request, _("It has begun and can no longer be called off."))
        return SeeOther(reverse("interviews:slot", args=[slot_id]))
    if not step and not slot.interviews.exists():
        messages.info(request, _("No interview is booked in it: close it here."))
        return SeeOther(reverse("interviews:slot", args=[slot_id]))
    if step not in {"check", "confirm"}:
        return _slot_page(request, slot, form if step else CompanyCancellationForm())
    if not form.is_valid():
        return _slot_page(request, slot, form, status=422)
    if step == "check":
        return _slot_page(request, slot, form, page="close_slot_check")
    try:
        outcomes = company.close_slot(slot_id, by=request.user, **form.cleaned_data)
    except AlreadyOver:
        words = _("Nothing was changed: one of its interviews has begun already.")
        messages.warning(request, words)
    except company.CameMeanwhile:
        words = _("Nothing was changed: it is being booked at this moment. Try again.")
        messages.warning(request, words)
    else:
        count = sum(each.fate is Fate.CANCELLED for each in outcomes)
        words = ngettext(
            "Closed. %(count)d interview is cancelled, and everybody concerned is being told.",
            "Closed. %(count)d interviews are cancelled, and everybody concerned is being told.",
            count,
        )
        messages.success(request, words % {"count": count})
    return SeeOther(reverse("interviews:slot", args=[slot_id]))


def _slot_page(
    request: DeskRequest,
    slot: Slot,
    form: CompanyCancellationForm,
    *,
    page: str = "close_slot",
    status: int = 200,
) -> HttpResponse:
    concerned = list(slot.interviews.filter(status__in=UPCOMING).with_shared_facts().order_by("pk"))
    context = {
        "slot": slot,
        "count": len(concerned),
        "listed": concerned[:LISTED],
        "told": company.told_of(concerned),
        "form": form,
        "place": "interviews",
        **(form.cleaned_data if page == "close_slot_check" else {}),
    }
    return render(request, f"cancellations/company/{page}.html", context, status=status)


# --- many -----------------------------------------------------------------------------------------


@_returnable
@desk_permission_required(CANCEL_FOR_COMPANY)
@require_http_methods(["GET", "HEAD", "POST"])
def cancel_many(request: DeskRequest) -> HttpResponse:
    """Which ones; why; once more what will happen; then a job does it."""
    if request.method != "POST":
        return _which_page(request, ReferencesForm(), {})
    if "all" in request.POST:
        return _all_of_list(request)
    data = _joined(request.POST)
    which, form = ReferencesForm(data), CompanyCancellationForm(data)
    words = {name: data.get(name, "") for name in form.fields}
    step = request.POST.get("step", "")
    if step == "which" or not which.is_valid():
        known = which if step != "which" else ReferencesForm(initial=data.dict())
        return _which_page(request, known, words, status=200 if step == "which" else 422)
    listed = _sent_list(request) if step and "query" in request.POST else None
    context = _many_context(request, which.cleaned_data["references"], listed)
    if step not in {"check", "confirm"}:
        context |= {"form": CompanyCancellationForm(initial=words)}
        return render(request, "cancellations/company/many.html", context)
    if not form.is_valid():
        context |= {"form": form}
        return render(request, "cancellations/company/many.html", context, status=422)
    number = JobNumberForm(request.POST)
    if step == "check" or not number.is_valid() or not context["cancellable"]:
        context |= {"form": form, "number": JobNumberForm.fresh(), **form.cleaned_data}
        return render(request, "cancellations/company/many_check.html", context)
    job = jobs.start_cancelling(
        context["references"],
        by=request.user,
        reference=number.cleaned_data["job"],
        **form.cleaned_data,
    )
    return SeeOther(reverse("interviews:job", args=[job.reference]))


def _joined(sent: QueryDict) -> QueryDict:
    """Ticked rows come as many values, pasted ones as many lines of one."""
    data = sent.copy()
    data["references"] = "\n".join(sent.getlist("references"))
    return data


def _which_page(
    request: DeskRequest, which: ReferencesForm, words: dict[str, str], status: int = 200
) -> HttpResponse:
    """`words` are what was written on the next page already."""
    context = {"form": which, "words": words, "place": "interviews"}
    return render(request, "cancellations/company/which.html", context, status=status)


def _sent_list(request: DeskRequest) -> AskedList:
    """The list that the form was sent from."""
    return AskedList(sent_query(request.POST), request)


def _all_of_list(request: DeskRequest) -> HttpResponse:
    """Those of a narrowed list that can still be cancelled. Which they are is settled here: what is
    read on this page is what is then cancelled."""
    listed = _sent_list(request)
    most = company.MOST_AT_ONCE
    open_ones = listed.everything().filter(status__in=UPCOMING).values_list("reference", flat=True)
    references = list(open_ones[: most + 1]) if listed.is_narrowed else []
    if len(references) > most:
        problem = _("At most %(most)d interviews can be cancelled at once. Narrow the list.")
    elif not references and listed.is_narrowed:
        problem = _("Nothing of this list can be cancelled any more.")
    elif not references:
        problem = _("Narrow the list first: never all there is is cancelled at once.")
    else:
        context = _many_context(request, references, listed)
        context |= {"form": CompanyCancellationForm()}
        return render(request, "cancellations/company/many.html", context)
    messages.warning(request, problem % {"most": most})
    here = way_back(sent_query(request.POST))
    return SeeOther(f"{reverse('cancellations:interviews')}?{here or 'view=all'}")


def _many_context(
    request: DeskRequest, references: list[str], listed: AskedList | None
) -> dict[str, Any]:
    """What would become of each, before anybody has confirmed anything. `listed` is the list they
    are all of."""
    found = {each.reference: each for each in _visible(request).filter(reference__in=references)}
    fates = {each: company.fate_of(found[each]) for each in references if each in found}
    cancellable = [found[each] for each, fate in fates.items() if fate is Fate.CANCELLED]
    left = [(found[each], fate.label) for each, fate in fates.items() if fate != Fate.CANCELLED]
    unknown = [each for each in references if each not in found]
    return {
        "listed": listed,
        "references": references,
        "joined": "\n".join(references),
        "cancellable": cancellable,
        "shown": cancellable[:LISTED],
        "more": len(cancellable) - LISTED,
        "have_asked": sum(each.status == InterviewStatus.CANCELLING for each in cancellable),
        "left": left[:LISTED],
        "left_count": len(left),
        "more_left": len(left) - LISTED,
        "unknown": unknown[:LISTED],
        "unknown_count": len(unknown),
        "more_unknown": len(unknown) - LISTED,
        "told": company.told_of(cancellable),
        "place": "interviews",
    }


# --- setting right by hand ------------------------------------------------------------------------


@_returnable
@desk_permission_required(CORRECT_INTERVIEWS)
@require_http_methods(["GET", "HEAD", "POST"])
def correct(request: DeskRequest, reference: str) -> HttpResponse:
    """What is right, and why; then once more what will happen; then it is done."""
    interview = get_object_or_404(_visible(request), reference=reference)
    step = request.POST.get("step", "")
    if not step:
        return _correct_page(request, interview, _correction_form(interview))
    if request.POST.get("expected") != interview.status:
        return _changed_meanwhile(request, interview)
    form = _correction_form(interview, request.POST)
    if step not in {"check", "confirm"}:
        return _correct_page(request, interview, form)
    if not form.is_valid():
        return _correct_page(request, interview, form, status=422)
    if step == "check":
        context = _correct_context(interview, form) | form.cleaned_data
        return render(request, "cancellations/company/correct_check.html", context)
    return _correct(request, interview, form)


def _changed_meanwhile(request: DeskRequest, interview: Interview) -> HttpResponse:
    """What was typed stands there again, beside how the interview stands now; who sent the same
    twice has done it."""
    sent = request.POST
    last = interview.corrections.order_by("-pk").first()
    mine = (request.user.pk, sent.get("move"), sent.get("reason", "").strip())
    if last and (last.by_id, last.move, last.reason) == mine:
        return _to_interview(interview.reference)
    typed = {name: sent[name] for name in ("when", "time", "reason", "note") if sent.get(name)}
    form = _correction_form(interview, typed=typed)
    return _correct_page(request, interview, form, status=409, typed=typed)


def _correct(request: DeskRequest, interview: Interview, form: CorrectionForm) -> HttpResponse:
    given: dict[str, Any] = form.cleaned_data
    try:
        company.correct_interview(
            interview.reference,
            by=request.user,
            move=given["move"],
            expected=given["expected"],
            reason=given["reason"],
            note=given["note"],
            starts_at=given.get("starts_at"),
        )
    except SlotFull:
        form.add_error("when", _("This time has no place left. Choose another one."))
        return _correct_page(request, interview, form, status=409)
    except ValidationError as error:
        form.add_error("when", error)
        return _correct_page(request, interview, form, status=422)
    except (company.ChangedMeanwhile, TransitionNotAllowed):
        return _changed_meanwhile(request, _visible(request).get(pk=interview.pk))
    messages.success(request, _("The status is set right, and the candidate is being told."))
    return _to_interview(interview.reference)


def _correction_form(
    interview: Interview, data: QueryDict | None = None, *, typed: dict[str, str] | None = None
) -> CorrectionForm:
    """`typed` was written while the interview stood otherwise."""
    now = timezone.now()
    possible = company.moves(interview, now=now)
    reinstates = Move.REINSTATE in possible
    initial: dict[str, Any] = {"expected": interview.status}
    if reinstates and interview.starts_at and interview.starts_at > now:
        initial |= {"when": interview.starts_at.isoformat()}
    return CorrectionForm(
        data,
        initial=initial | (typed or {}),
        moves=possible,
        slots=company.open_slots(interview, now=now) if reinstates else [],
    )


def _correct_page(
    request: DeskRequest,
    interview: Interview,
    form: CorrectionForm,
    status: int = 200,
    *,
    typed: dict[str, str] | None = None,
) -> HttpResponse:
    context = _correct_context(interview, form) | {"typed": typed}
    return render(request, "cancellations/company/correct.html", context, status=status)


def _correct_context(interview: Interview, form: CorrectionForm) -> dict[str, Any]:
    return {
        "interview": interview,
        "cancellation": queries.current_cancellation(interview),
        "possible": company.moves(interview, now=timezone.now()),
        "missed_from": closes_at(interview)
        if company.is_awaited(interview, now=timezone.now())
        else None,
        "told": company.told_of([interview]),
        "form": form,
        "place": "interviews",
    }


def _visible(request: DeskRequest) -> QuerySet[Interview]:
    """An interview outside one's departments is not there."""
    return visible_to(request.user).with_facts()


def _to_interview(reference: str) -> SeeOther:
    return SeeOther(reverse("cancellations:desk_interview", args=[reference]))
