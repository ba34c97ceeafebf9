"""Questions and answers, as HR words them."""

from django import forms
from django.contrib import messages
from django.db.models import Count, Max, Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.decorators import desk_permission_required
from accounts.permissions import EDIT_POLICIES
from accounts.responses import SeeOther
from cancellations.help.models import FaqEntry
from interviews.forms import WordsField


class FaqForm(forms.ModelForm):
    use_required_attribute = False

    class Meta:
        model = FaqEntry
        fields = (
            "question_zh",
            "answer_zh",
            "question_en",
            "answer_en",
            "keywords",
            "order",
            "is_active",
        )
        widgets = {
            "answer_zh": forms.Textarea(attrs={"rows": 4}),
            "answer_en": forms.Textarea(attrs={"rows": 4}),
        }
        field_classes = {"answer_zh": WordsField, "answer_en": WordsField}
        error_messages = {
            name: {"required": gettext_lazy("Both languages are needed: candidates read either.")}
            for name in ("question_zh", "answer_zh", "question_en", "answer_en")
        }


@never_cache
@desk_permission_required(EDIT_POLICIES)
@require_safe
def entries(request: HttpRequest) -> HttpResponse:
    """All of them, with how often each was offered and how often it helped."""
    counted = (
        FaqEntry.objects.annotate(
            offered=Count("turns"),
            helped=Count("turns", filter=Q(turns__helped=True)),
            did_not=Count("turns", filter=Q(turns__helped=False)),
        )
        .order_by("order", "pk")
        .defer("search")
    )
    context = {"place": "settings", "entries": counted}
    return render(request, "cancellations/faq/entries.html", context)


@never_cache
@desk_permission_required(EDIT_POLICIES)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponseBase:
    last = FaqEntry.objects.aggregate(last=Max("order"))["last"]
    return _form(request, FaqEntry(order=0 if last is None else last + 1))


@never_cache
@desk_permission_required(EDIT_POLICIES)
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, answer: int) -> HttpResponseBase:
    """Change one, hide it, or remove it; what was offered before stays counted."""
    entry = get_object_or_404(FaqEntry, pk=answer)
    if request.method == "POST" and "remove" in request.POST:
        entry.delete()
        messages.success(request, _("Removed."))
        return SeeOther(reverse("cancellations:faq"))
    return _form(request, entry)


def _form(request: HttpRequest, entry: FaqEntry) -> HttpResponseBase:
    form = FaqForm(request.POST if request.method == "POST" else None, instance=entry)
    if form.is_valid():
        form.save()
        messages.success(request, _("Saved. Candidates read it from now on."))
        return redirect("cancellations:faq")
    context = {"place": "settings", "form": form, "entry": entry}
    return render(
        request, "cancellations/faq/edit.html", context, status=422 if form.is_bound else 200
    )
