"""Which steps an interview has before it: planned, moved and dropped with what happens to it.

Whoever writes steps holds the lock of their interview, or takes it first; the sweep, which holds
steps, waits for nobody.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from interviews.booking.notices import WHILE_BOOKED, WHILE_INVITED
from interviews.history import SYSTEM
from interviews.models import HistoryEntry, Interview
from interviews.reminders.models import ReminderRule
from interviews.reminders.rules import Anchor, When, Whom, Words
from interviews.services import USUAL_LENGTH
from interviews.states import InterviewStatus
from notifications.models import WorkItem, WorkKind
from notifications.services import supersede

WAITING = frozenset({InterviewStatus.CANCELLING, InterviewStatus.EXITING})
PLANNED = frozenset(str(each.value) for each in When)
# What says something else as soon as the interview is no longer as it was.
SUPERSEDED = (*(str(each.value) for each in Words), "trouble_asked")
ALL_SUPERSEDED = (*SUPERSEDED, *WHILE_INVITED, *WHILE_BOOKED)
# Nothing of what is planned depends on these; after those, the appointment is another one.
UNCHANGED = frozenset({"confirmed", "opened", "trouble_reported", "help_asked", "documents_asked"})
ANOTHER_TIME = frozenset({"booked", "moved", "corrected"})
NOT_HEARD_OF = "not_attended"  # the follow-up of an invitation nobody takes up
OWN_TIMES = (Anchor.DEADLINE.value, Anchor.START.value, Anchor.END.value)
PIECE = 500  # interviews planned anew at a time
HELD_BACK = timedelta(days=2)  # longer than any message waits to be sent

# Counted from: of the interview's own times, by the rule's anchor.
ANCHOR = """
    CASE rule.anchor
        WHEN 'invited' THEN interview.created_at
        WHEN 'deadline' THEN interview.deadline
        WHEN 'booked' THEN interview.booked_at
        WHEN 'start' THEN interview.starts_at
        WHEN 'end' THEN coalesce(interview.ends_at, interview.starts_at + %(usual)s)
    END
"""
DROP = f"""
DELETE FROM interviews_step AS step
USING interviews_interview AS interview, interviews_reminderrule AS rule
WHERE step.interview_id = ANY(%(interviews)s::bigint[]) AND step.done_at IS NULL
    AND interview.id = step.interview_id AND rule.id = step.rule_id
    AND (NOT rule.is_active OR rule.stage <> interview.status
        OR rule.kind NOT IN ('', interview.kind)
        OR step.anchor_at IS DISTINCT FROM {ANCHOR}
        OR step.rule_id = ANY(%(anew)s::bigint[]) AND rule.whom <> %(whom)s)
"""  # noqa: S608 - nothing in it comes from outside
# What was still to come when its rule was changed goes along, also where it is due by now: it is
# taken at once, unless it is of no use any more, and nobody goes without what they were to get.
# A window that is still to be closed stays so, however long it has been due.
MOVE = f"""
UPDATE interviews_step AS step
SET anchor_at = counted.anchor_at,
    due_at = counted.anchor_at + make_interval(mins => counted.minutes)
FROM (
    SELECT interview.id AS interview_id, rule.id AS rule_id, rule.minutes, {ANCHOR} AS anchor_at
    FROM interviews_interview AS interview
    JOIN interviews_reminderrule AS rule ON rule.id = ANY(%(anew)s::bigint[])
        AND rule.stage = interview.status AND rule.whom = %(whom)s
    WHERE interview.id = ANY(%(interviews)s::bigint[])
) AS counted
WHERE step.interview_id = counted.interview_id AND step.rule_id = counted.rule_id
    AND step.done_at IS NULL AND counted.anchor_at IS NOT NULL
    AND NOT EXISTS (
        SELECT 1 FROM interviews_step AS other
        WHERE other.interview_id = step.interview_id AND other.rule_id = step.rule_id
            AND other.id <> step.id
            AND (other.anchor_at = counted.anchor_at
                OR other.done_at IS NULL AND other.id > step.id)
    )
"""  # noqa: S608 - nothing in it comes from outside
# What is due already is planned only where it closes a window: a reminder would come late.
PLAN = f"""
INSERT INTO interviews_step (interview_id, rule_id, anchor_at, due_at, outcome)
SELECT interview.id, rule.id, counted.anchor_at, counted.anchor_at + counted.delay, ''
FROM interviews_interview AS interview
JOIN interviews_reminderrule AS rule ON rule.is_active AND rule.stage = interview.status
    AND rule.kind IN ('', interview.kind) AND rule.whom = %(whom)s
    AND rule.anchor = ANY(%(anchors)s::text[])
CROSS JOIN LATERAL (
    SELECT {ANCHOR} AS anchor_at, make_interval(mins => rule.minutes) AS delay
) AS counted
WHERE interview.id = ANY(%(interviews)s::bigint[])
    AND (counted.anchor_at + counted.delay > %(now)s
        OR rule.what = 'close' AND counted.anchor_at IS NOT NULL AND %(closes)s)
ON CONFLICT DO NOTHING
"""  # noqa: S608 - nothing in it comes from outside


def plan(
    interviews: Collection[int],
    *,
    now: datetime,
    closes: bool = True,
    anchors: Collection[str] = Anchor.values,
    anew: Collection[int] = (),
) -> None:
    """Bring the steps of these interviews, whose locks the caller holds, into line with how they
    stand, in two statements. `closes`: also what would have been closed already. Only what counts
    from one of these `anchors` is added. The steps still to come of the rules `anew` move to when
    these now say."""
    values: dict[str, Any] = {
        "interviews": list(interviews),
        "now": now,
        "closes": closes,
        "anchors": list(anchors),
        "anew": list(anew),
        "whom": Whom.EVERYBODY.value,
        "usual": USUAL_LENGTH,
    }
    with connection.cursor() as cursor:
        if anew:
            cursor.execute(MOVE, values)
        cursor.execute(DROP, values)
        cursor.execute(PLAN, values)


def plan_help(interviews: Collection[int], *, now: datetime) -> None:
    """Add what the rules for those who may need help bring to these interviews, whose locks the
    caller holds. Planning again adds nothing; what is planned goes along with the interview like
    any other step."""
    values: dict[str, Any] = {
        "interviews": list(interviews),
        "now": now,
        "closes": False,
        "anchors": list(Anchor.values),
        "whom": Whom.HELP.value,
        "usual": USUAL_LENGTH,
    }
    with connection.cursor() as cursor:
        cursor.execute(PLAN, values)


def follow(entries: Iterable[HistoryEntry]) -> None:
    """Something happened to interviews: what was planned goes along, and what was said of them
    before and has not gone does not go. In the caller's transaction; the caller holds their locks,
    and tells people of it after that. What came with an import is closed by nobody but the old
    system and HR, and when it was invited or booked, only the old system knows."""
    planned: set[int] = set()
    imported: set[int] = set()
    over: dict[int, Interview] = {}
    overtaken: set[str] = set()
    waiting: list[str] = []
    booked: list[str] = []
    for entry in entries:
        status, event = entry.data.get("status", ""), entry.event
        if event.startswith("work_") or event in UNCHANGED:
            continue
        if event == "imported":
            if status in PLANNED:
                imported.add(entry.interview_id)
        elif status in PLANNED:
            planned.add(entry.interview_id)
            if event in ANOTHER_TIME:
                booked.append(entry.interview.subject)
        elif status in WAITING:
            waiting.append(entry.interview.subject)
        else:
            over[entry.interview_id] = entry.interview
    now = timezone.now()
    if planned := planned - over.keys():
        plan(planned, now=now)
    if imported:
        plan(imported, now=now, closes=False, anchors=OWN_TIMES)
    if waiting:  # the appointment stands meanwhile
        supersede(waiting, SUPERSEDED)
    if over:
        lately = _drop(over, now)
        overtaken = {
            each.subject for pk, each in over.items() if pk in lately or _is_young(each, now)
        }
    if overtaken or booked:
        supersede([*overtaken, *booked], ALL_SUPERSEDED)
    if booked:
        follow_ups = WorkItem.objects.open().filter(subject__in=booked, kind=WorkKind.FOLLOW_UP)
        follow_ups.filter(params__code=NOT_HEARD_OF).update(closed_at=now, closed_by=SYSTEM)


def _is_young(interview: Interview, now: datetime) -> bool:
    """Whether being invited or booked may still have to be told."""
    return (interview.booked_at or interview.created_at) > now - HELD_BACK


# In one statement, because it is part of every cancellation.
OVER = """
WITH dropped AS (
    DELETE FROM interviews_step WHERE interview_id = ANY(%(interviews)s::bigint[])
        AND done_at IS NULL
)
SELECT DISTINCT interview_id FROM interviews_step
WHERE interview_id = ANY(%(interviews)s::bigint[]) AND outcome = 'sent' AND done_at > %(lately)s
"""


def _drop(interviews: Collection[int], now: datetime) -> set[int]:
    """They are over: nothing of what was still planned happens. Returns those of which something
    may not have been sent yet."""
    values: dict[str, Any] = {"interviews": list(interviews), "lately": now - HELD_BACK}
    with connection.cursor() as cursor:
        cursor.execute(OVER, values)
        return {interview for (interview,) in cursor.fetchall()}


def plan_changed_rules(*, pieces: int) -> int:
    """Go on planning for the rules that were changed, so many pieces at most; how many were done.
    A worker that dies leaves off where the next one goes on."""
    done = 0
    for rule_id in ReminderRule.objects.exclude(plan_from=None).values_list("pk", flat=True):
        while done < pieces and _plan_piece(rule_id):
            done += 1
    return done


@transaction.atomic
def _plan_piece(rule_id: int) -> bool:
    """The next interviews of one rule; False where there are none left, or somebody else is at
    it."""
    # Not for its key: who has just planned a step of it could not commit, and holds an interview.
    rules = ReminderRule.objects.select_for_update(skip_locked=True, no_key=True)
    rule = rules.exclude(plan_from=None).filter(pk=rule_id).first()
    if rule is None:
        return False
    concerned = Q(status=rule.stage) | Q(steps__rule=rule, steps__done_at=None)
    ahead = Interview.objects.filter(concerned, pk__gt=rule.plan_from)
    keys = list(ahead.order_by("pk").values_list("pk", flat=True).distinct()[:PIECE])
    if keys:
        locked = Interview.objects.filter(pk__in=keys).order_by("pk")
        list(locked.select_for_update(of=("self",), no_key=True).values_list("pk"))
        plan(keys, now=timezone.now(), closes=False, anew=[rule.pk])
    rule.plan_from = keys[-1] if len(keys) == PIECE else None
    rule.save(update_fields=["plan_from"])
    return bool(keys)
