"""What a candidate sees of their record, and how they object."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from django_fsm import TransitionNotAllowed

from accounts.decorators import PortalRequest, candidate_required
from accounts.responses import SeeOther
from cancellations.absences import services, words
from cancellations.absences.forms import AppealForm
from candidates.models import Appeal, Mark, MarkState
from candidates.queries import own_marks
from interviews.models import Interview
from interviews.queries import own_interviews


@dataclass(frozen=True)
class Held:
    """One mark as the candidate reads it: to which interview, on what it rests, how it stands."""

    mark: Mark
    interview: Interview
    lines: list[words.Line]
    appeal: Appeal | None
    form: AppealForm | None = None

    @property
    def may_appeal(self) -> bool:
        return self.mark.state == MarkState.ACTIVE and self.appeal is None


@never_cache
@candidate_required
@require_safe
def record(request: PortalRequest) -> HttpResponse:
    """Everything that is or was held against them, with what it rests on."""
    return _page(request)


@never_cache
@candidate_required
@require_http_methods(["GET", "HEAD", "POST"])
def appeal(request: PortalRequest, reference: str) -> HttpResponseBase:
    """One tap: object to a mark, with a sentence and a file where one helps."""
    if request.method != "POST":
        return SeeOther(reverse("cancellations:record"))
    form = AppealForm(request.POST, request.FILES, prefix=reference)
    if not form.is_valid():
        return _page(request, reference, form, status=422)
    file = form.cleaned_data["file"]
    try:
        services.appeal(
            reference,
            by=request.user,
            text=form.cleaned_data["text"],
            file=file.read() if file else None,
            content_type=form.content_type,
        )
    except Mark.DoesNotExist:
        raise Http404 from None
    except TransitionNotAllowed:
        messages.info(request, _("This mark is gone already. There is nothing to appeal against."))
    else:
        messages.success(
            request, _("Your appeal is with HR. Somebody who did not set the mark decides.")
        )
    return SeeOther(reverse("cancellations:record"))


def _page(
    request: PortalRequest,
    reference: str = "",
    form: AppealForm | None = None,
    status: int = 200,
) -> HttpResponse:
    marks = own_marks(request.user)
    if form is not None and reference not in {mark.reference for mark in marks}:
        raise Http404
    named = {mark.interview for mark in marks}
    interviews = {
        each.reference: each
        for each in own_interviews(request.user).with_facts().filter(reference__in=named)
    }
    held = [
        Held(
            mark=mark,
            interview=interviews[mark.interview],
            lines=words.lines(mark.evidence),
            appeal=getattr(mark, "appealed_by", None),
            form=form if mark.reference == reference else AppealForm(prefix=mark.reference),
        )
        for mark in marks
        if mark.interview in interviews
    ]
    standing = [each for each in held if each.mark.state in {"active", "appealed"}]
    context = {
        "standing": standing,
        "gone": [each for each in held if each not in standing],
        "form": form,
    }
    return render(request, "cancellations/absences/record.html", context, status=status)
