"""Talking with the assistant. It searches and follows rules; no language model is asked."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from cancellations.help import queries
from cancellations.help.models import FaqEntry, HelpConversation, HelpTurn, Offer
from interviews import history
from interviews.models import Interview
from notifications.models import WorkKind
from notifications.work import open_item

LONGEST = 500  # characters of a question
MOST_TURNS = 50  # of one conversation
A_PERSON_WITHIN = timedelta(minutes=30)


class TalkedEnough(Exception):
    """MOST_TURNS questions; a person helps better now."""


@transaction.atomic
def ask(
    interview: Interview, *, text: str, reason: str = "", conversation: HelpConversation | None
) -> tuple[HelpConversation, list[HelpTurn]]:
    """Answer a question, or a reason chosen, with what may help; each thing offered is a turn.

    Raises TalkedEnough.
    """
    text = " ".join(text.replace("\x00", "").split())[:LONGEST]
    if conversation is None:
        conversation = HelpConversation.objects.create(interview=interview, reason=reason)
    elif conversation.turns.count() >= MOST_TURNS:
        raise TalkedEnough
    entries = queries.find(text)
    offered: list[tuple[Offer, FaqEntry | None]] = [(Offer.ANSWER, entry) for entry in entries]
    offered += [(offer, None) for offer in queries.offers(reason, text)]
    if not offered:
        offered = [(Offer.PERSON, None)]
    turns = HelpTurn.objects.bulk_create(
        HelpTurn(conversation=conversation, asked=text, offer=offer, faq=entry)
        for offer, entry in offered
    )
    return conversation, turns


@transaction.atomic
def say_whether_it_helped(conversation: HelpConversation, turn_id: int, helped: bool) -> None:
    """Raises HelpTurn.DoesNotExist for what was not offered in this conversation."""
    if not conversation.turns.filter(pk=turn_id).update(helped=helped):
        raise HelpTurn.DoesNotExist
    if helped:
        HelpConversation.objects.filter(pk=conversation.pk).update(stayed=True)


@transaction.atomic
def hand_over(conversation: HelpConversation) -> None:
    """A person goes on: HR finds the conversation on the queue. Once is enough."""
    if conversation.interview is None or conversation.handed_over_at is not None:
        return
    interview = Interview.objects.lock(conversation.interview.reference)
    now = timezone.now()
    HelpConversation.objects.filter(pk=conversation.pk).update(handed_over_at=now)
    open_item(
        WorkKind.FOLLOW_UP,
        audience=interview.position.department.audience,
        subject=interview.subject,
        params={"code": "asks_for_a_person", "conversation": conversation.reference},
        due_at=now + A_PERSON_WITHIN,
    )
    history.record(interview, "help_asked", by=interview.candidate.user, at=now)
