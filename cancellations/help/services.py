"""Talking with the assistant. It searches and follows rules; no language model is asked."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from cancellations.help import queries
from cancellations.help.models import FaqEntry, HelpConversation, HelpTurn, Offer
from interviews import history
from interviews.models import Interview, RoomEventKind
from interviews.room import queries as room
from interviews.room.services import record_event
from notifications.models import WorkKind
from notifications.work import bring_forward, open_item

LONGEST = 500  # characters of a question
MOST_TURNS = 50  # of one conversation
MOST_TALKS = 20  # about one interview
A_PERSON_WITHIN = timedelta(minutes=30)


class TalkedEnough(Exception):
    """MOST_TURNS things were offered, or MOST_TALKS begun; a person helps better now."""


@transaction.atomic
def ask(
    interview: Interview, *, text: str, reason: str = "", conversation: HelpConversation | None
) -> tuple[HelpConversation, list[HelpTurn]]:
    """Answer a question, or a reason chosen, with what may help; each thing offered is a turn.

    Raises TalkedEnough.
    """
    text = " ".join(text.replace("\x00", "").split())[:LONGEST]
    if conversation is None:
        if interview.help_conversations.count() >= MOST_TALKS:
            raise TalkedEnough
        conversation = HelpConversation.objects.create(interview=interview, reason=reason)
        if (sitting := room.open_sitting(interview)) is not None:
            record_event(sitting, RoomEventKind.HELP_OPENED)
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
    """A person goes on: HR finds the conversation on the queue, reminded in time to keep what was
    promised. Once is enough. Where a follow-up waits already, it comes to be due as soon."""
    if conversation.interview is None:
        return
    interview = Interview.objects.lock(conversation.interview.reference)
    now = timezone.now()
    open_still = HelpConversation.objects.filter(pk=conversation.pk, handed_over_at=None)
    if not open_still.update(handed_over_at=now):
        return
    due_at = now + A_PERSON_WITHIN
    remind_at = now + A_PERSON_WITHIN / 2
    bring_forward(
        interview.subject,
        WorkKind.FOLLOW_UP,
        due_at=due_at,
        remind_at=remind_at,
        escalate_at=due_at,
    )
    open_item(
        WorkKind.FOLLOW_UP,
        audience=interview.position.department.audience,
        subject=interview.subject,
        params={"code": "asks_for_a_person"},
        opened_at=now,
        due_at=due_at,
        remind_at=remind_at,
        escalate_at=due_at,
    )
    history.record(interview, "help_asked", by=interview.candidate.user, at=now)


def did_not_stay(interview: Interview, *, since: datetime) -> None:
    """They have left all the same, whatever helped."""
    HelpConversation.objects.filter(interview=interview, started_at__gte=since).update(stayed=False)
