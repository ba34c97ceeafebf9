"""Taking the steps that are due. Several workers may do so at once: each step is taken by one of
them, in the transaction that marks it as taken, and is looked at again at that moment."""

import time
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction
from django.utils import timezone

from interviews import history
from interviews.models import Interview
from interviews.reminders import notices, planning, queries, rules
from interviews.reminders.models import ReminderRule, Step
from interviews.reminders.queries import Due
from interviews.reminders.rules import Outcome, What
from interviews.services import miss_interview
from interviews.signals import attendance_unclear
from interviews.states import InterviewStatus
from notifications import work
from notifications.models import WorkItem, WorkKind
from notifications.services import Notice, notify

logger = structlog.get_logger(__name__)

BATCH = 1000  # interviews held at a time
IN_HAND = 0.5  # seconds in which the steps of a batch are begun: who cancels may wait that long
HR_WITHIN = timedelta(hours=24)

# With one parameter, however many steps: Django would make one of each.
DONE = """
UPDATE interviews_step SET done_at = %(now)s, outcome = %(outcome)s
WHERE id = ANY(%(steps)s::bigint[])
"""
LATER = "UPDATE interviews_step SET due_at = %(later)s WHERE id = ANY(%(steps)s::bigint[])"


def take_due(*, seconds: float) -> int:
    """Take what is due, batch after batch, and begin none later than `seconds` from now; how many
    steps were looked at."""
    deadline = time.monotonic() + seconds
    taken = 0
    while time.monotonic() < deadline:
        batch = take_batch(timezone.now())
        taken += batch
        if not batch:
            break
    return taken


@transaction.atomic
def take_batch(now: datetime) -> int:
    """One batch, in one transaction; how many steps were taken. What there is no time left for
    stays due."""
    steps = queries.take(now, BATCH)
    if not steps:
        return 0
    began, taken = time.monotonic(), 0
    batch = _Batch(steps, now)
    for step in steps:
        batch.take(step)
        taken += 1
        if time.monotonic() - began > IN_HAND:
            break
    batch.write()
    return taken


class _Batch:
    """Steps in hand, what has become of each, and what is to be told."""

    def __init__(self, steps: Sequence[Due], now: datetime) -> None:
        self.now = now
        self.rules = {rule.pk: rule for rule in ReminderRule.objects.all()}
        self.plans = {pk: rule.plan for pk, rule in self.rules.items()}
        self.known = queries.known_of(steps, self.plans)
        self.outcomes: dict[Outcome, list[int]] = {}
        self.later: dict[datetime, list[int]] = {}
        self.told: list[Notice] = []
        self.asked: set[int] = set()  # interviews

    def take(self, step: Due) -> None:
        """One bad step is put off, and does not keep the others waiting."""
        rule = self.rules[step.rule_id]
        # Those that ask the database anew or write: what fails there undoes that step alone.
        asks = rule.what in {What.CLOSE, What.FOLLOW_UP}
        try:
            with transaction.atomic() if asks else nullcontext():
                look = self._look(step, rule)
        except Exception:
            logger.exception("step_failed", step=step.pk)
            look = rules.Look(later=self.now + rules.AGAIN)
        if look.later is not None:
            self.later.setdefault(look.later, []).append(step.pk)
        elif look.outcome is not None:
            self.outcomes.setdefault(look.outcome, []).append(step.pk)

    def _look(self, step: Due, rule: ReminderRule) -> rules.Look:
        plan = self.plans[rule.pk]
        facts = queries.facts_of(step, plan, self.known)
        look = rules.look(plan, facts, planned_for=step.anchor_at, now=self.now)
        if not look.acts:
            return look
        if rule.what == What.CLOSE and step.interview_id in self.asked:
            return rules.Look(later=self.now + rules.ANSWER_WITHIN)
        return self._act(step, rule)

    def _act(self, step: Due, rule: ReminderRule) -> rules.Look:
        if rule.what == What.MESSAGE:
            self.told += notices.reminder(step, rule)
            return rules.Look(Outcome.SENT)
        interview = self.known.interviews[step.interview_id]
        if rule.what == What.TROUBLE:
            self.told += notices.trouble_asked(interview, step)
            self.asked.add(interview.pk)
            return rules.Look(Outcome.SENT)
        # First, because what ends loses the steps that are still before it.
        Step.objects.filter(pk=step.pk).update(done_at=self.now)
        if rule.what == What.FOLLOW_UP:
            return rules.Look(_follow_up(interview, planning.NOT_HEARD_OF, self.now))
        return rules.Look(close(interview, at=self.now))

    def write(self) -> None:
        """They are done, or put off."""
        with connection.cursor() as cursor:
            for outcome, taken in self.outcomes.items():
                cursor.execute(DONE, {"now": self.now, "outcome": outcome.value, "steps": taken})
            for later, put_off in self.later.items():
                cursor.execute(LATER, {"later": later, "steps": put_off})
        notify(*self.told)


def close(interview: Interview, *, at: datetime) -> Outcome:
    """The window of an appointment is over: who did not come has missed it, who began and never
    ended leaves it incomplete. Where anything speaks for them, HR looks instead; and so it does
    where an invitation has run out, because who booked no time has missed none. The caller holds
    the interview's lock."""
    if interview.status == InterviewStatus.IN_PROGRESS:
        if queries.has_open_sitting(interview):
            return Outcome.NOT_NEEDED  # it lapses by itself, with its evidence
        interview.lapse(at=at)
        interview.save(update_fields=["status", "ended_at"])
        history.record(interview, "lapsed", by=None, at=at)
        return Outcome.CLOSED
    if interview.status == InterviewStatus.INVITED:
        was_told = queries.was_told(interview)
        code = planning.NOT_HEARD_OF if was_told else rules.Doubt.NOT_DELIVERED.value
        return _follow_up(interview, code, at)
    doubt = rules.doubt(queries.window_of(interview))
    if doubt is not None:
        attendance_unclear.send(sender=Interview, interview=interview, code=doubt.value)
        return Outcome.LEFT_TO_HR
    miss_interview(interview, at=at)
    history.record(interview, "missed", by=None, at=at)
    return Outcome.CLOSED


def _follow_up(interview: Interview, code: str, at: datetime) -> Outcome:
    """HR has something to find out, once. The caller holds the interview's lock."""
    items = WorkItem.objects.open().filter(subject=interview.subject, kind=WorkKind.FOLLOW_UP)
    if items.exists():
        return Outcome.NOT_NEEDED
    work.open_item(
        WorkKind.FOLLOW_UP,
        audience=interview.position.department.audience,
        subject=interview.subject,
        params={"code": code},
        opened_at=at,
        due_at=at + HR_WITHIN,
    )
    item = items.get()
    told = {"item": item.reference, "kind": item.kind}
    history.record(interview, ("work_opened", told), by=None, at=at)
    return Outcome.FOLLOWED_UP
