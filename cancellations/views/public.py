"""Pages that need no sign-in: a receipt, checking one, and help."""

import segno
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from cancellations import queries
from cancellations.forms import ReceiptNumberForm
from cancellations.help import queries as help_queries
from cancellations.models import Cancellation


@never_cache
@login_not_required
@require_safe
def receipt(request: HttpRequest, reference: str) -> HttpResponse:
    """The proof of a cancellation, for anybody who holds its number; nothing personal but a masked
    name."""
    try:
        found = queries.receipt(reference)
    except Cancellation.DoesNotExist:
        raise Http404 from None
    address = settings.PUBLIC_URL.rstrip("/") + reverse("cancellations:receipt", args=[reference])
    is_mine = found.cancellation.interview.candidate.user == request.user
    context = {
        "receipt": found,
        "cancellation": found.cancellation,
        "interview": found.cancellation.interview,
        "checked_at": timezone.now(),
        "address": address,
        "qr": _qr(address),
        "is_mine": is_mine,
    }
    response = render(request, "cancellations/portal/receipt.html", context)
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


@never_cache
@login_not_required
@require_safe
def check_receipt(request: HttpRequest) -> HttpResponse:
    """Find a receipt by the number printed on it."""
    if "number" not in request.GET:
        return _number_page(request, ReceiptNumberForm())
    form = ReceiptNumberForm(request.GET)
    if not form.is_valid():
        return _number_page(request, form, status=400)
    number = form.cleaned_data["number"]
    if Cancellation.objects.filter(reference=number).exists():
        return redirect("cancellations:receipt", number)
    form.add_error(
        "number", _("There is no receipt with this number. Please compare each letter and digit.")
    )
    return _number_page(request, form, status=404)


@login_not_required
@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """How cancelling works, and what people ask about it; or what fits a question."""
    asked = request.GET.get("q", "").strip()[:200]
    entries = help_queries.find(asked, most=10) if asked else help_queries.shown_entries()
    context = {"entries": entries, "asked": asked}
    return render(request, "cancellations/portal/help.html", context)


def _number_page(request: HttpRequest, form: ReceiptNumberForm, status: int = 200) -> HttpResponse:
    return render(request, "cancellations/portal/check_receipt.html", {"form": form}, status=status)


def _qr(address: str) -> SafeString:
    drawing = segno.make(address, error="m", micro=False)
    return mark_safe(drawing.svg_inline(border=2, omitsize=True, svgclass="qr", lineclass=None))  # noqa: S308 - drawn here
