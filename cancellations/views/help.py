"""Help before leaving: the assistant, and the picture guide."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.decorators import PortalRequest, candidate_required
from accounts.responses import SeeOther
from cancellations.help import queries as help_queries
from cancellations.help import services
from cancellations.help.models import HelpConversation, HelpTurn, Offer
from cancellations.models import Purpose
from cancellations.queries import offered_reasons
from cancellations.responses import own_or_404
from config.references import as_key, as_reference
from interviews.models import Interview
from interviews.room.queries import OPENS_BEFORE
from interviews.states import UNDER_WAY

TURN = "turn"


@login_not_required
@require_safe
def guide(request: HttpRequest) -> HttpResponse:
    """Taking part, cancelling and leaving in pictures."""
    context = {"opens_before": OPENS_BEFORE // timedelta(minutes=1)}
    return render(request, "cancellations/portal/guide.html", context)


@never_cache
@candidate_required
@require_http_methods(["GET", "HEAD", "POST"])
def assistant(request: PortalRequest, reference: str) -> HttpResponseBase:
    """Ask, and read what may help. What was asked last stands in the address by its conversation,
    so that going back and reloading repeat nothing."""
    own = own_or_404(request, reference)
    conversation = _conversation(own, request.GET.get("talk", ""))
    if request.method != "POST":
        return _page(request, own, conversation)
    text, reason = request.POST.get("text", "").strip(), request.POST.get("reason", "")
    if reason not in {each.code for each in offered_reasons(Purpose.EXIT)}:
        reason = ""
    if not text and not reason:
        return _page(
            request, own, conversation, problem=_("Say in a few words what is wrong."), status=422
        )
    try:
        conversation, _turns = services.ask(
            own, text=text, reason=reason, conversation=conversation
        )
    except services.TalkedEnough:
        conversation = conversation or own.help_conversations.first()
        messages.info(request, _("A person helps better now: press “Talk to a person”."))
    return SeeOther(_address(own, conversation))


@never_cache
@candidate_required
@require_http_methods(["GET", "HEAD", "POST"])
def verdict(request: PortalRequest, reference: str, talk: str) -> HttpResponseBase:
    """Whether what was offered helped."""
    own = own_or_404(request, reference)
    conversation = _conversation(own, talk)
    if conversation is None:
        raise Http404
    if request.method == "POST":
        number = request.POST.get(TURN, "")
        try:
            services.say_whether_it_helped(
                conversation,
                as_key(number),
                request.POST.get("helped") == "yes",
            )
        except HelpTurn.DoesNotExist:
            raise Http404 from None
        messages.success(request, _("Thank you. That helps us to help better."))
    return SeeOther(_address(own, conversation))


@never_cache
@candidate_required
@require_http_methods(["GET", "HEAD", "POST"])
def person(request: PortalRequest, reference: str, talk: str) -> HttpResponseBase:
    """Somebody at HR goes on with it."""
    own = own_or_404(request, reference)
    conversation = _conversation(own, talk)
    if conversation is None:
        raise Http404
    if request.method == "POST":
        services.hand_over(conversation)
        messages.success(
            request, _("HR has your question and calls or writes to you within half an hour.")
        )
    return SeeOther(_address(own, conversation))


def _page(
    request: PortalRequest,
    own: Interview,
    conversation: HelpConversation | None,
    *,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    turns = list(conversation.turns.select_related("faq")) if conversation else []
    latest = turns[-1].asked if turns else ""
    asked_again = {(turn.offer, turn.faq_id): turn for turn in turns if turn.asked == latest}
    resume_until = help_queries.can_resume_until(own, now)
    current = [
        turn
        for turn in asked_again.values()
        if turn.offer != Offer.BREAK or resume_until is not None
    ]
    shown = {turn.offer for turn in current}
    context: dict[str, Any] = {
        "interview": own,
        "conversation": conversation,
        "asked": latest,
        "answers": [turn for turn in current if turn.faq],
        "offered": [turn for turn in current if turn.offer not in (Offer.ANSWER, Offer.PERSON)],
        "nothing": bool(current) and shown == {Offer.PERSON},
        "positions": help_queries.fitting_positions(own) if Offer.POSITIONS in shown else [],
        "resume_until": resume_until,
        "reasons": offered_reasons(Purpose.EXIT),
        "under_way": own.status in UNDER_WAY,
        "problem": problem,
        "text": request.POST.get("text", ""),
    }
    return render(request, "cancellations/portal/assistant.html", context, status=status)


def _conversation(own: Interview, talk: str) -> HelpConversation | None:
    """Of this interview; somebody else's is not there."""
    if not talk:
        return None
    return get_object_or_404(HelpConversation, interview=own, reference=as_reference(talk[:40]))


def _address(own: Interview, conversation: HelpConversation | None) -> str:
    query = {"talk": conversation.reference} if conversation else None
    return reverse("cancellations:assistant", args=[own.reference], query=query)
