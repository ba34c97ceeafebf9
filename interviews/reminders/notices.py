"""What candidates are written by the clock."""

from collections.abc import Iterator

from interviews.booking.queries import invitation_token
from interviews.models import Interview
from interviews.notices import CANDIDATE, about, notice
from interviews.reminders.links import CONFIRM, TROUBLE, token_for
from interviews.reminders.models import ReminderRule
from interviews.reminders.queries import Due
from interviews.reminders.rules import Channels, Words
from notifications.services import Notice

CHANNELS: dict[str, tuple[str, ...]] = {
    Channels.BOTH: CANDIDATE,
    Channels.SMS: ("sms",),
    Channels.EMAIL: ("email",),
}


def reminder(step: Due, rule: ReminderRule) -> Iterator[Notice]:
    """As the rule says; once a step, whoever takes it. It says what any message may say, and where
    the link leads."""
    more: dict[str, object]
    if rule.message == Words.APPOINTMENT:
        more = {"token": token_for(step, CONFIRM), "confirmed": step.is_confirmed}
    else:
        more = {"token": invitation_token(step)}
        if step.deadline is not None:
            more["deadline_at"] = step.deadline.isoformat()
    params = step.facts | more
    for address in step.ways(CHANNELS[rule.channels]):
        yield notice(rule.message, step.subject, address, key=_key(step), params=params)


def trouble_asked(interview: Interview, step: Due) -> Iterator[Notice]:
    """They have not come in: is anything wrong?"""
    yield from about(
        interview,
        "trouble_asked",
        interview.candidate.user,
        CANDIDATE,
        key=_key(step),
        token=token_for(interview, TROUBLE),
    )


def _key(step: Due) -> str:
    return f"{step.reference}:{step.rule_id}:{int(step.anchor_at.timestamp())}"
