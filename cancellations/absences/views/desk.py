"""What HR sees and decides of an absence, and of an appeal against a mark."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from django_fsm import TransitionNotAllowed

from accounts.decorators import DeskRequest, desk_permission_required, desk_required
from accounts.permissions import DECIDE_APPEAL, HANDLE_WORK, READ_DETAIL, SET_MARK
from cancellations.absences import notices, queries, services, words
from cancellations.absences.forms import AppealDecisionForm, NoteForm, RebookForm
from cancellations.absences.models import Absence
from cancellations.queries import policies_in_force, policy_for
from candidates.models import Mark, MarkState
from candidates.services import may_decide
from interviews.models import Access, AccessLog, Interview, Slot
from interviews.queries import free_slots
from interviews.services import SlotFull
from interviews.states import InterviewStatus

POSTED = ["GET", "HEAD", "POST"]
TIMES = 12  # offered at once


@never_cache
@desk_required
@require_safe
def absence(request: DeskRequest, reference: str) -> HttpResponse:
    """Everything needed to decide, or how it was decided."""
    return _page(request, _visible(request, reference))


@never_cache
@desk_permission_required(HANDLE_WORK)
@require_http_methods(POSTED)
def decide(request: DeskRequest, reference: str, action: str) -> HttpResponseBase:
    """Excuse it, give another time, put it on the record, or say that they were there."""
    found = _visible(request, reference)
    done = _DONE.get(action)
    if done is None:
        raise Http404
    if request.method != "POST":
        return redirect("cancellations:absence", reference)
    if action == "mark" and not request.user.has_perm(SET_MARK):
        raise PermissionDenied
    marks = action == "mark" and not found.decision and not _obstacles(found)
    why = _("Write why it goes on the record: a colleague who decides an appeal reads it.")
    form = NoteForm(request.POST, must=why if marks else "")
    times = RebookForm(request.POST, slots=_slots(found.interview))
    if not form.is_valid() or (action == "rebook" and not times.is_valid()):
        shown = times if action == "rebook" else None
        return _page(request, found, form=form, times=shown, status=422)
    if marks and request.POST.get("step") != "confirm":
        return _mark_check(request, found, form)
    note = form.cleaned_data["note"]
    try:
        match action:
            case "excuse":
                services.excuse(reference, by=request.user, note=note)
            case "rebook":
                slot_id = times.cleaned_data["slot"]
                services.rebook(reference, by=request.user, slot_id=slot_id, note=note)
            case "mark":
                services.mark(reference, by=request.user, note=note)
            case _:
                services.attended(reference, by=request.user, note=note)
    except (services.AlreadyDecided, TransitionNotAllowed):
        messages.warning(request, _("It has been decided meanwhile. This is how it stands."))
    except (SlotFull, Slot.DoesNotExist):
        messages.warning(request, _("This time has just been taken. Choose another one."))
    except services.Unfair:
        messages.warning(
            request,
            _("This cannot be held against the candidate: something meanwhile speaks against it."),
        )
    else:
        messages.success(request, str(done()))
    return redirect("cancellations:absence", reference)


_DONE = {
    "excuse": lambda: _("Excused. The candidate is being told."),
    "rebook": lambda: _("Another time is booked. The candidate is being told."),
    "mark": lambda: _("It is on the record. The candidate is being told, and can appeal."),
    "attended": lambda: _("The interview stands as completed."),
}


def _mark_check(request: DeskRequest, found: Absence, form: NoteForm) -> HttpResponse:
    """Once more what follows, before it stands on somebody's record for months."""
    policy = policy_for(found.interview, policies_in_force(timezone.now()))
    context = {
        "absence": found,
        "interview": found.interview,
        "form": form,
        "note": form.cleaned_data["note"],
        "mark_days": policy.mark_lasts.days,
        "until": timezone.now() + policy.mark_lasts,
        "place": "queue",
    }
    return render(request, "cancellations/absences/mark_check.html", context)


def _obstacles(found: Absence) -> bool:
    """Whether anything known at this moment forbids holding it against them."""
    return bool(queries.known_of(found.interview, timezone.now()).obstacles())


def _visible(request: DeskRequest, reference: str) -> Absence:
    """Outside one's departments it is not there."""
    return get_object_or_404(queries.visible_absences(request.user), reference=reference)


def _slots(interview: Interview) -> list[Slot]:
    return list(free_slots(interview, now=timezone.now())[:TIMES])


def _page(
    request: DeskRequest,
    found: Absence,
    *,
    form: NoteForm | None = None,
    times: RebookForm | None = None,
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    interview = found.interview
    waits = not found.decision
    evidence = queries.known_of(interview, now).as_evidence() if waits else found.evidence
    context: dict[str, Any] = {
        "absence": found,
        "interview": interview,
        "lines": words.lines(evidence),
        "obstacles": words.obstacles(evidence),
        "told": _told(request, found),
        "waits": waits,
        "handles": request.user.has_perm(HANDLE_WORK),
        "marks": request.user.has_perm(SET_MARK),
        "reads_detail": request.user.has_perm(READ_DETAIL),
        "place": "queue",
    }
    if waits:
        policy = policy_for(interview, policies_in_force(now))
        slots = _slots(interview)
        context |= {
            "form": form or NoteForm(),
            "times": times or RebookForm(slots=slots),
            "slots": slots,
            "mark_days": policy.mark_lasts.days,
            "may_have_come": interview.status == InterviewStatus.BOOKED,
        }
    else:
        context["mark"] = Mark.objects.filter(
            interview=interview.reference, starts_at=found.starts_at
        ).first()
    return render(request, "cancellations/absences/absence.html", context, status=status)


def _told(request: DeskRequest, found: Absence) -> str:
    """What the candidate wrote about trouble, for who may read it."""
    if not request.user.has_perm(READ_DETAIL):
        return ""
    report = found.interview.troubles.filter(starts_at=found.starts_at).first()
    return report.detail if report else ""


# --- appeals --------------------------------------------------------------------------------------


@never_cache
@desk_required
@require_safe
def appeal(request: DeskRequest, reference: str) -> HttpResponse:
    """A mark, what it rests on, and what the candidate says against it."""
    return _appeal_page(request, reference)


@never_cache
@desk_permission_required(DECIDE_APPEAL)
@require_http_methods(POSTED)
def decide_appeal(request: DeskRequest, reference: str, action: str) -> HttpResponseBase:
    """Lift the mark, or let it stand."""
    _visible_mark(request, reference)
    if action not in {"lift", "uphold"}:
        raise Http404
    if request.method != "POST":
        return redirect("cancellations:appeal", reference)
    why = _("Write why the mark stands: the candidate reads it.")
    form = AppealDecisionForm(request.POST, must=why if action == "uphold" else "")
    if not form.is_valid():
        return _appeal_page(request, reference, form=form, status=422)
    try:
        services.decide_appeal(
            reference, granted=action == "lift", by=request.user, note=form.cleaned_data["note"]
        )
    except TransitionNotAllowed:
        messages.warning(request, _("It has been decided meanwhile. This is how it stands."))
    except PermissionDenied:
        messages.warning(request, _("You have set this mark yourself: a colleague decides."))
    else:
        messages.success(request, _("Decided. The candidate is being told."))
    return redirect("cancellations:appeal", reference)


@never_cache
@desk_permission_required(READ_DETAIL)
@require_http_methods(POSTED)
def appeal_file(request: DeskRequest, reference: str) -> HttpResponseBase:
    """POST: write down who opens the candidate's file, then give it out, never as a page."""
    mark, interview = _visible_mark(request, reference)
    if request.method != "POST":
        return redirect("cancellations:appeal", reference)
    made = queries.file_of(mark)
    if made is None or made.file is None:
        raise Http404
    AccessLog.objects.create(
        action=Access.OPENED,
        by=request.user,
        subject=interview.subject,
        detail={"mark": mark.reference},
    )
    ending = made.content_type.rpartition("/")[2]
    name = f'attachment; filename="{mark.reference}.{ending}"'
    headers = {"Content-Disposition": name, "X-Content-Type-Options": "nosniff"}
    return HttpResponse(bytes(made.file), content_type=made.content_type, headers=headers)


def _visible_mark(request: DeskRequest, reference: str) -> tuple[Mark, Interview]:
    found = queries.visible_mark(request.user, reference)
    if found is None:
        raise Http404
    return found


def _appeal_page(
    request: DeskRequest,
    reference: str,
    *,
    form: AppealDecisionForm | None = None,
    status: int = 200,
) -> HttpResponse:
    mark, interview = _visible_mark(request, reference)
    waits = mark.state == MarkState.APPEALED
    decides = request.user.has_perm(DECIDE_APPEAL) and may_decide(mark, request.user)
    made = getattr(mark, "appealed_by", None)
    context = {
        "mark": mark,
        "appeal": made,
        "interview": interview,
        "lines": words.lines(mark.evidence),
        "waits": waits,
        "decides": decides,
        "deciders": [] if decides or not waits else notices.deciders(mark, interview),
        "reads_detail": request.user.has_perm(READ_DETAIL),
        "form": form or AppealDecisionForm(),
        "place": "queue",
    }
    return render(request, "cancellations/absences/appeal.html", context, status=status)
