"""What candidates are written by the clock."""

from collections.abc import Iterator

from interviews.booking.queries import invitation_token
from interviews.models import Interview
from interviews.notices import CANDIDATE, about
from interviews.reminders.links import CONFIRM, TROUBLE, token_for
from interviews.reminders.models import ReminderRule, Step
from interviews.reminders.rules import Channels, Words
from notifications.services import Notice

CHANNELS: dict[str, tuple[str, ...]] = {
    Channels.BOTH: CANDIDATE,
    Channels.SMS: ("sms",),
    Channels.EMAIL: ("email",),
}


def reminder(interview: Interview, rule: ReminderRule, step: Step) -> Iterator[Notice]:
    """As the rule says; once a step, whoever takes it."""
    more: dict[str, object]
    if rule.message == Words.APPOINTMENT:
        more = {"token": token_for(interview, CONFIRM), "confirmed": interview.is_confirmed}
    else:
        more = {"token": invitation_token(interview)}
        if interview.deadline is not None:
            more["deadline_at"] = interview.deadline.isoformat()
    yield from about(
        interview,
        rule.message,
        interview.candidate.user,
        CHANNELS[rule.channels],
        key=_key(interview, step),
        **more,
    )


def trouble_asked(interview: Interview, step: Step) -> Iterator[Notice]:
    """They have not come in: is anything wrong?"""
    yield from about(
        interview,
        "trouble_asked",
        interview.candidate.user,
        CANDIDATE,
        key=_key(interview, step),
        token=token_for(interview, TROUBLE),
    )


def _key(interview: Interview, step: Step) -> str:
    return f"{interview.reference}:{step.rule_id}:{int(step.anchor_at.timestamp())}"
