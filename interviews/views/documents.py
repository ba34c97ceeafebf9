"""Documents that stages ask for: handed in by candidates, read and checked by HR."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from django_fsm import TransitionNotAllowed

from accounts.decorators import (
    DeskRequest,
    PortalRequest,
    candidate_required,
    desk_permission_required,
    desk_required,
)
from accounts.permissions import CORRECT_INTERVIEWS, MANAGE_SLOTS, READ_DETAIL
from config.references import as_key
from interviews.booking.services import reach_stage
from interviews.gates import queries, services
from interviews.gates.forms import CheckForm, PassForm, StageForm, UploadForm
from interviews.gates.models import Document, DocumentState, GateKind, StageGate
from interviews.gates.rules import Standing
from interviews.models import Access, AccessLog, Application, Interview
from interviews.queries import company_day, own_interview, visible_to

POSTED = ["GET", "HEAD", "POST"]
ENDINGS = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}
WORDS: dict[str, Promise] = {
    Standing.OPEN: gettext_lazy("Done"),
    Standing.MISSING: gettext_lazy("Still needed"),
    Standing.TO_CHECK: gettext_lazy("Handed in; HR looks at it"),
    Standing.REJECTED: gettext_lazy("Not accepted; please hand in another one"),
    Standing.EXPIRED: gettext_lazy("No longer valid; please hand in a new one"),
    Standing.UNSCORED: gettext_lazy("No score yet"),
    Standing.BELOW: gettext_lazy("Not reached"),
}
REFUSED: dict[str, Promise] = {
    "format": gettext_lazy("This is neither a PDF nor a JPEG or PNG picture."),
    "too_large": gettext_lazy("The file is larger than 5 MB."),
    "empty": gettext_lazy("The file is empty. Choose another one."),
    "expired": gettext_lazy("It is no longer valid. Hand in one that is."),
    "needs_expiry": gettext_lazy("Enter until when it is valid."),
    "too_often": gettext_lazy("You have handed in several files just now. Try again in an hour."),
}


@dataclass(frozen=True)
class Row:
    """One gate as a page shows it, with what can be done about it."""

    before: queries.Before
    words: str
    form: Any = None  # to hand it in, or to check it
    passing: Any = None  # to let somebody through


@never_cache
@candidate_required
@require_http_methods(POSTED)
def mine(request: PortalRequest, reference: str) -> HttpResponseBase:
    """What the application of this interview still needs; POST: hand one in."""
    own = own_interview(request.user, reference)
    if own is None:
        raise Http404
    gate = None
    if request.method == "POST":
        gate = _asked_gate(own.application, request.POST.get("gate", ""))
        form = UploadForm(request.POST, request.FILES, gate=gate)
        if form.is_valid() and _handed_in(request, own.application, form):
            messages.success(request, _("Handed in. If it is not right, HR tells you."))
            return redirect("interviews:documents", reference)
    else:
        form = None
    found = queries.gates_before(own.application, today=company_day(timezone.now()))
    rows = [
        Row(
            each,
            _words(each),
            form if form and each.gate == gate else UploadForm(gate=each.gate),
        )
        for each in found
        if each.gate.kind == GateKind.DOCUMENT
    ]
    context = {"interview": own, "rows": rows, "is_over": own.application.stage in services.OVER}
    status = 422 if form is not None else 200
    return render(request, "interviews/documents/mine.html", context, status=status)


def _words(before: queries.Before) -> str:
    if before.is_open and before.document and before.document.state == DocumentState.ACCEPTED:
        return _("Accepted")
    return str(WORDS[before.standing])


def _asked_gate(application: Application, number: str) -> StageGate:
    gates = StageGate.objects.filter(
        position=application.position_id, is_active=True, kind=GateKind.DOCUMENT
    )
    return get_object_or_404(gates, pk=as_key(number))


def _handed_in(request: PortalRequest, application: Application, form: UploadForm) -> bool:
    """Whether it was taken; where not, the form says why."""
    try:
        services.upload(
            application.reference,
            form.gate.pk,
            by=request.user,
            content=form.cleaned_data["file"].read(),
            expires_on=form.cleaned_data.get("expires_on"),
        )
    except services.NotAccepted as refusal:
        field = "expires_on" if refusal.code in ("expired", "needs_expiry") else "file"
        form.add_error(field, str(REFUSED[refusal.code]))
        return False
    except (Application.DoesNotExist, StageGate.DoesNotExist):
        raise Http404 from None
    return True


# --- the desk -------------------------------------------------------------------------------------


@never_cache
@desk_required
@require_http_methods(POSTED)
def desk(request: DeskRequest, reference: str) -> HttpResponseBase:
    """What stands between an application and its next stages; POST: check a document, let somebody
    through, or move the application on."""
    found = get_object_or_404(visible_to(request.user).with_facts(), reference=reference)
    wrong: forms.Form | None = None
    if request.method == "POST":
        actions = {"check": _check, "pass": _let_through, "stage": _move_on, "ask": _ask}
        action = actions.get(request.POST.get("action", ""))
        if action is None:
            return redirect("interviews:desk_documents", reference)
        wrong = action(request, found)
        if wrong is None:
            return redirect("interviews:desk_documents", reference)
    application = found.application
    before = queries.gates_before(application, today=company_day(timezone.now()))

    def form(kind: type[forms.Form], gate: StageGate, **given: Any) -> forms.Form:
        """The one that was sent and is not right yet, or an empty one."""
        prefix = _prefix(kind, gate.pk)
        is_wrong = isinstance(wrong, kind) and wrong.prefix == prefix
        return wrong if is_wrong and wrong else kind(prefix=prefix, **given)

    context = {
        "place": "interviews",
        "interview": found,
        "application": application,
        "rows": [
            Row(
                each,
                _words(each),
                form(
                    CheckForm,
                    each.gate,
                    expires=each.gate.expires,
                    initial={"expires_on": each.document and each.document.expires_on},
                ),
                form(PassForm, each.gate),
            )
            for each in before
        ],
        "stage_form": wrong if isinstance(wrong, StageForm) else StageForm(application=application),
        "may_check": request.user.has_perm(READ_DETAIL),
        "may_pass": request.user.has_perm(CORRECT_INTERVIEWS),
        "may_ask": request.user.has_perm(MANAGE_SLOTS)
        and application.stage not in services.OVER
        and any(each.is_asked_for for each in before),
        "may_move": request.user.has_perm(MANAGE_SLOTS),
    }
    status = 422 if wrong else 200
    return render(request, "interviews/documents/desk.html", context, status=status)


def _prefix(kind: type[forms.Form], gate_id: int) -> str:
    return f"{'check' if kind is CheckForm else 'pass'}{gate_id}"


def _check(request: DeskRequest, found: Interview) -> forms.Form | None:
    """None where it is done."""
    document = _document(found, request.POST.get("document", ""))
    prefix = _prefix(CheckForm, document.gate_id)
    form = CheckForm(request.POST, prefix=prefix, expires=document.gate.expires)
    if not form.is_valid():
        return form
    accepted = form.cleaned_data["verdict"] == "accept"
    note = "" if accepted else form.cleaned_data["note"]
    try:
        services.check(
            document.reference,
            by=request.user,
            accepted=accepted,
            note=note,
            expires_on=form.cleaned_data.get("expires_on"),
        )
    except TransitionNotAllowed:
        messages.warning(request, _("A colleague has checked it already, or it was replaced."))
    else:
        messages.success(request, _("Saved."))
    return None


def _let_through(request: DeskRequest, found: Interview) -> forms.Form | None:
    gates = StageGate.objects.filter(position=found.application.position_id)
    gate = get_object_or_404(gates, pk=as_key(request.POST.get("gate", "")))
    form = PassForm(request.POST, prefix=_prefix(PassForm, gate.pk))
    if not form.is_valid():
        return form
    reason = form.cleaned_data["reason"]
    services.let_through(found.application, gate, by=request.user, reason=reason)
    messages.success(request, _("The gate is open for this application."))
    return None


def _move_on(request: DeskRequest, found: Interview) -> forms.Form | None:
    if not request.user.has_perm(MANAGE_SLOTS):
        raise PermissionDenied
    form = StageForm(request.POST, application=found.application)
    if not form.is_valid():
        return form
    try:
        reach_stage(found.application, form.cleaned_data["stage"], by=request.user)
    except services.GateShut as shut:
        names = " · ".join(each.gate.name for each in shut.gates)
        form.add_error("stage", _("A gate before this stage is shut: %(names)s") % {"names": names})
        return form
    messages.success(request, _("Moved on."))
    return None


def _ask(request: DeskRequest, found: Interview) -> forms.Form | None:
    if services.ask_for_missing(found.application_id, by=request.user):
        messages.success(request, _("The candidate is being asked for what is missing."))
    else:
        messages.info(request, _("Nothing is missing that the candidate could hand in."))
    return None


@never_cache
@desk_permission_required(READ_DETAIL)
@require_http_methods(POSTED)
def read(request: DeskRequest, reference: str, document: str) -> HttpResponseBase:
    """POST: the document itself, as a file; who read it is written down."""
    found = get_object_or_404(visible_to(request.user), reference=reference)
    if request.method != "POST":
        return redirect("interviews:desk_documents", reference)
    chosen = _document(found, document)
    if chosen.state == DocumentState.REPLACED:  # not kept
        raise Http404
    AccessLog.objects.create(
        action=Access.READ,
        by=request.user,
        subject=found.subject,
        detail={"document": chosen.reference},
    )
    response = HttpResponse(bytes(chosen.data), content_type=chosen.content_type)
    name = f"{chosen.reference}.{ENDINGS.get(chosen.content_type, 'bin')}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _document(found: Interview, reference: str) -> Document:
    return get_object_or_404(
        Document.objects.filter(application=found.application_id), reference=reference[:10]
    )
