"""What candidates may do instead of cancelling, and after it."""

from django.contrib import messages
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from django_fsm import TransitionNotAllowed

from accounts.decorators import PortalRequest, candidate_required
from accounts.responses import SeeOther
from cancellations import again, saved
from cancellations.models import Purpose
from cancellations.queries import offered_reasons
from candidates.models import Candidate
from config.references import as_key
from interviews.booking.services import AnotherTime, MoveRefused
from interviews.forms import as_moment
from interviews.models import Interview
from interviews.services import SlotFull
from interviews.templatetags.when import moment

POSTED = ["GET", "HEAD", "POST"]  # by GET comes who switched the language or signed in anew


@never_cache
@candidate_required
@require_http_methods(POSTED)
def move_instead(request: PortalRequest, reference: str) -> HttpResponseBase:
    """Take one of the times that were offered in the place of cancelling."""
    here = reverse("cancellations:interview", args=[reference])
    if request.method != "POST":
        return redirect(here)
    number = request.POST.get("slot", "")
    reason = request.POST.get("reason", "")
    if reason not in {each.code for each in offered_reasons(Purpose.CANCEL)}:
        reason = ""
    try:
        moved = saved.move_instead(
            reference,
            as_key(number),
            by=request.user,
            reason=reason,
            shown=as_moment(request.POST.get("shown", "")),
        )
    except Interview.DoesNotExist:
        raise Http404 from None
    except SlotFull:
        messages.warning(
            request, _("That time has just been taken. Nothing was changed; choose another.")
        )
        back = {"reason": reason} if reason else None
        return SeeOther(reverse("cancellations:cancel", args=[reference], query=back))
    except AnotherTime:
        messages.warning(
            request,
            _("The time has changed meanwhile. Please read it; nothing more was changed."),
        )
    except (MoveRefused, TransitionNotAllowed):
        messages.warning(
            request, _("It can no longer be moved here, and nothing was changed. Ask HR.")
        )
    else:
        messages.success(
            request,
            _("Moved, not cancelled: your interview now takes place %(time)s.")
            % {"time": moment(moved.starts_at)},
        )
    return SeeOther(here)


@never_cache
@candidate_required
@require_http_methods(POSTED)
def apply_again(request: PortalRequest, reference: str) -> HttpResponseBase:
    """A new application for the same position, which is invited by itself."""
    here = reverse("cancellations:interview", args=[reference])
    if request.method != "POST":
        return redirect(here)
    try:
        invitation = again.apply_again(reference, by=request.user)
    except (Interview.DoesNotExist, Candidate.DoesNotExist):
        raise Http404 from None
    except again.Cooling as cooling:
        messages.warning(
            request,
            _("By the rule of this position, a new application is possible from %(day)s.")
            % {"day": moment(timezone.localtime(cooling.until))},
        )
    except again.NotAgain:
        messages.warning(
            request, _("Nothing was changed: this position takes no new application from you.")
        )
    else:
        if invitation is None:
            messages.success(request, _("You have applied again. HR invites you next."))
            return SeeOther(here)
        messages.success(request, _("You have applied again, and are invited. Choose a time."))
        return SeeOther(reverse("cancellations:interview", args=[invitation.reference]))
    return SeeOther(here)
