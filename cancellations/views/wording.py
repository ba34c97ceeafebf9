"""The words of messages: every one there is, written anew, looked at, set back."""

from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.decorators import DeskRequest, desk_permission_required
from accounts.permissions import EDIT_MESSAGES, READ_MESSAGES
from cancellations.story import MESSAGES, READERS
from cancellations.wording_forms import WordingForm
from notifications import wording
from notifications.events import kind_of
from notifications.models import Channel
from notifications.samples import SHAPES


@dataclass(frozen=True)
class Row:
    """One event with the messages it makes."""

    what: str
    readers: Promise
    places: list[tuple[wording.Place, str]]


@never_cache
@desk_permission_required(READ_MESSAGES)
@require_safe
def index(request: DeskRequest) -> HttpResponse:
    rows: dict[str, Row] = {}
    for place in wording.places():
        readers = READERS[kind_of(place.event).group]
        row = rows.setdefault(place.event, Row(_what(place.event), readers, []))
        row.places.append((place, _where(place.channel, place.language)))
    context = {"rows": list(rows.values()), "place": "settings"}
    return render(request, "cancellations/wording/index.html", context)


@never_cache
@desk_permission_required(READ_MESSAGES)
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: DeskRequest, event: str, channel: str, language: str) -> HttpResponse:
    """Look at it filled, keep it, or set it back to what the product brings. Who may not write for
    the whole company reads."""
    may_write = request.user.has_perm(EDIT_MESSAGES)
    if request.method == "POST" and not may_write:
        raise PermissionDenied
    found = wording.current(event, channel, language)
    if found is None:
        raise Http404
    source, is_own = found
    about = {"event": event, "channel": channel, "language": language}
    if request.method == "POST" and "restore" in request.POST:
        wording.restore(event, channel, language)
        messages.success(request, _("The words are the product's own again."))
        return redirect("cancellations:wording")
    posted = request.POST if request.method == "POST" else None
    form = WordingForm(posted, initial=vars(source), **about)
    if form.is_valid():
        source = form.source()
        if "look" not in request.POST:
            wording.write(event, channel, language, source)
            messages.success(request, _("Saved. New messages use these words."))
            return redirect("cancellations:wording")
    invalid = bool(form.errors)
    context = {
        "form": form,
        "source": source,
        "may_write": may_write,
        "is_own": is_own,
        "what": _what(event),
        "where": _where(channel, language),
        "readers": READERS[kind_of(event).group],
        "names": wording.names_in(event, language),
        "required": [*sorted(SHAPES[event].required), *filter(None, [SHAPES[event].link])],
        # Then the provider sends the words registered there, whatever stands here.
        "is_registered": f"{event}/{channel}.{language}" in settings.TWILIO_TEMPLATES,
        "previews": [] if invalid else wording.preview(event, channel, source, language),
        "place": "settings",
    }
    return render(
        request, "cancellations/wording/edit.html", context, status=422 if invalid else 200
    )


def _what(event: str) -> str:
    return str(MESSAGES.get(event) or event.replace("_", " "))


def _where(channel: str, language: str) -> str:
    return f"{Channel(channel).label} · {dict(settings.LANGUAGES).get(language, language)}"
