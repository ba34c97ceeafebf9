"""Reads: what is due, and what has to be known to take it."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection

from interviews.models import Interview, InterviewKind
from interviews.notices import ways
from interviews.platforms.base import EventKind, Standing
from interviews.platforms.models import PlatformEvent, PlatformLink
from interviews.reminders import rules
from interviews.reminders.models import ReminderRule, Step, TroubleReport
from interviews.reminders.planning import ANCHOR
from interviews.reminders.rules import What
from interviews.room import queries as room
from interviews.room.models import Ending, RoomEvent
from interviews.services import USUAL_LENGTH
from interviews.states import UNDER_WAY, InterviewStatus
from notifications import reports
from notifications.models import Channel, Notification, State
from notifications.queries import unreachable

# What says that somebody is invited, or when their appointment is.
SAYS_SO = frozenset(
    {
        "interview_invited",
        "invitation_reminder",
        "invitation_ends",
        "interview_booked",
        "interview_moved",
        "interview_reminder",
        "interview_rebooked",
        "interview_reinstated",
        "booked_again",
        "cancellation_declined",
    }
)
ANSWERED_FOR = timedelta(hours=24)  # after the start, in which trouble can still be told of
# With which HR has said what becomes of an absence.
DECIDED = ("absence_excused", "absence_rebooked", "absence_marked", "absence_attended")
# Columns rather than models: to make those of a step takes ten times as long as to find it, and at
# some hours tens of thousands are due. What is locked is read as it is once it is locked.
DUE = f"""
WITH taken AS MATERIALIZED (
    SELECT step.id, step.interview_id, step.rule_id, step.anchor_at, step.due_at,
        {ANCHOR} AS stands_at, interview.reference, interview.status, interview.kind,
        interview.starts_at, interview.deadline, interview.location, interview.application_id,
        interview.opened_at IS NOT NULL AS was_opened,
        interview.confirmed_at IS NOT NULL AND interview.confirmed_at
            >= coalesce(interview.booked_at, interview.confirmed_at) AS is_confirmed
    FROM interviews_step AS step
    JOIN interviews_interview AS interview ON interview.id = step.interview_id
    JOIN interviews_reminderrule AS rule ON rule.id = step.rule_id
    WHERE step.done_at IS NULL AND step.due_at <= %(now)s
    ORDER BY step.due_at LIMIT %(most)s::int
    FOR UPDATE OF step, interview SKIP LOCKED
)
SELECT taken.id, taken.interview_id, taken.rule_id, taken.anchor_at, taken.stands_at,
    taken.reference, taken.status, taken.kind, taken.starts_at, taken.deadline, taken.location,
    taken.was_opened, taken.is_confirmed, position.title, department.name,
    CASE WHEN recruiter.is_active OR recruiter.role = 'candidate' THEN recruiter.name ELSE '' END,
    person.id, person.is_active OR person.role = 'candidate', person.name, person.mobile,
    person.email, person.language, person.time_zone
FROM taken
JOIN interviews_application AS application ON application.id = taken.application_id
JOIN interviews_position AS position ON position.id = application.position_id
JOIN interviews_department AS department ON department.id = position.department_id
LEFT JOIN accounts_user AS recruiter ON recruiter.id = position.recruiter_id
JOIN candidates_candidate AS candidate ON candidate.id = application.candidate_id
JOIN accounts_user AS person ON person.id = candidate.user_id
ORDER BY taken.due_at
"""  # noqa: S608 - nothing in it comes from outside


class Due(NamedTuple):
    """A step that is due, how its interview stands, and what a message may say of it."""

    pk: int
    interview_id: int
    rule_id: int
    anchor_at: datetime
    stands_at: datetime | None  # what the rule counts from, as it is now
    reference: str
    status: str
    kind: str
    starts_at: datetime | None
    deadline: datetime | None
    location: str
    was_opened: bool
    is_confirmed: bool
    position: str
    department: str
    recruiter: str
    user_id: int
    is_told: bool
    name: str
    mobile: str | None
    email: str | None
    language: str
    time_zone: str

    @property
    def subject(self) -> str:
        return f"interview:{self.reference}"

    @property
    def recipient(self) -> str:
        return f"user:{self.user_id}"

    def ways(self, channels: tuple[str, ...]) -> Iterator[dict[str, Any]]:
        """As interviews.notices.addresses."""
        if self.is_told:
            found = {"sms": self.mobile, "email": self.email}
            yield from ways(self.recipient, found, channels, self.language, self.time_zone)

    @property
    def facts(self) -> dict[str, Any]:
        """As interviews.notices.facts."""
        return {
            "candidate": self.name,
            "position": self.position,
            "department": self.department,
            "kind": self.kind,
            "starts_at": self.starts_at.isoformat() if self.starts_at else None,
            "location": self.location,
            "recruiter": self.recruiter,
            "interview": self.reference,
        }


def take(now: datetime, most: int) -> list[Due]:
    """What is due and in nobody's hands, the oldest first; locked together with its interview."""
    values: dict[str, Any] = {"now": now, "most": most, "usual": USUAL_LENGTH}
    with connection.cursor() as cursor:
        cursor.execute(DUE, values)
        return [Due(*row) for row in cursor.fetchall()]


def steps_of(interview: Interview) -> list[Step]:
    """What has been done by itself and what is still planned, in order."""
    return list(interview.steps.select_related("rule").order_by("due_at", "pk"))


def too_late_by(rule: ReminderRule, now: datetime) -> int:
    """How many of its steps still to come are of no use any more, as it says now: counted before
    they move along."""
    plan = rule.plan
    if plan.useful is None or not plan.is_active:
        return 0
    ahead = rule.steps.filter(done_at=None, due_at__gt=now)
    return ahead.filter(anchor_at__lt=now - plan.useful - plan.offset).count()


@dataclass(frozen=True)
class Known:
    """What a batch of steps is held against beside what was read with them, by their keys."""

    interviews: dict[int, Interview]  # of steps that do more than remind
    troubled: frozenset[int]
    unreachable: frozenset[str]  # recipients
    linked: dict[int, PlatformLink]


def known_of(steps: Sequence[Due], plans: dict[int, rules.Plan]) -> Known:
    """A query for each kind of thing, and only where a step asks for it."""
    acting = {step.interview_id for step in steps if plans[step.rule_id].what != What.MESSAGE}
    starting = [step.interview_id for step in steps if plans[step.rule_id].what == What.TROUBLE]
    told = TroubleReport.objects.filter(interview__in=starting)
    return Known(
        interviews=Interview.objects.with_shared_facts().in_bulk(acting) if acting else {},
        troubled=frozenset(told.values_list("interview", flat=True)) if starting else frozenset(),
        unreachable=frozenset(unreachable(*{step.recipient for step in steps})),
        linked=_links(starting),
    )


def _links(interviews: Collection[int]) -> dict[int, PlatformLink]:
    links = PlatformLink.objects.filter(interview__in=interviews) if interviews else []
    return {link.interview_id: link for link in links}


def facts_of(step: Due, plan: rules.Plan, known: Known) -> rules.Facts:
    """How its interview stands, after what another step of the batch has done to it. Only a window
    that closes asks the database anew."""
    interview = known.interviews.get(step.interview_id)
    status = interview.status if interview else step.status
    facts = rules.Facts(
        status=status,
        anchor_at=step.stands_at,
        pointless_from=step.starts_at if status == InterviewStatus.BOOKED else step.deadline,
        was_opened=step.was_opened,
        is_confirmed=step.is_confirmed,
        contact_wrong=step.recipient in known.unreachable,
    )
    if interview is None or plan.what == What.MESSAGE:
        return facts
    closes = plan.what == What.CLOSE
    return replace(
        facts,
        trouble_told=interview.pk in known.troubled,
        is_seen=closes or is_seen(interview, known.linked.get(interview.pk)),
        open_until=_open_until(interview) if closes else None,
    )


def _open_until(interview: Interview) -> datetime | None:
    """Until when nobody is missing yet, whatever the rule says: the end of the appointment or the
    invitation, the door, and the time to say that there was trouble."""
    if interview.status == InterviewStatus.INVITED:
        return interview.deadline
    over = room.closes_at(interview)
    if interview.starts_at is None or over is None:
        return None
    asked = interview.steps.filter(
        rule__what=What.TROUBLE, outcome=rules.Outcome.SENT, anchor_at=interview.starts_at
    )
    done = asked.order_by("-done_at").values_list("done_at", flat=True).first()
    until = [over]
    if done:
        until.append(done + rules.ANSWER_WITHIN)
    if door := door_open_until(interview):
        until.append(door)
    return max(until)


def door_open_until(interview: Interview) -> datetime | None:
    """Until when who has been in our room can come back to it, be it after a false start."""
    if not room.takes_place_here(interview):
        return None
    sitting = room.latest_sitting(interview)
    if sitting is None:
        return None
    goes_on = sitting.ended_at is None and interview.status in UNDER_WAY
    stepped_back = sitting.ending == Ending.MISSTART and interview.status == InterviewStatus.BOOKED
    return sitting.resume_until if goes_on or stepped_back else None


def is_seen(interview: Interview, link: PlatformLink | None) -> bool:
    """Whether we would know if they had come: in our own room; and on a platform that has told us,
    since the start, that they have not. On site and behind a link of its own only people know."""
    if room.takes_place_here(interview):
        return True
    if interview.kind != InterviewKind.AI or interview.position.platform_id is None:
        return False
    if link is None or interview.starts_at is None or link.heard_at is None:
        return False
    says_so = link.external_status in {Standing.BOOKED, Standing.MISSED}
    return says_so and not link.difference and link.heard_at >= interview.starts_at


def window_of(interview: Interview) -> rules.Window:
    """What is known when the time of an appointment is over."""
    link = PlatformLink.objects.filter(interview=interview).first()
    return rules.Window(
        is_seen=is_seen(interview, link),
        was_told=was_told(interview),
        our_fault=has_failed(interview),
        trouble_told=has_told_trouble(interview),
    )


@dataclass(frozen=True)
class _Told:
    """One message about an interview on one channel, and how far it got."""

    event: str
    channel: str
    state: str
    created_at: datetime
    sent_at: datetime | None
    arrived_at: datetime | None

    def arrived_before(self, until: datetime | None) -> bool:
        """As far as anybody could know."""
        if not reports.has_arrived(self.channel, self.state):
            return False
        at = self.arrived_at or self.sent_at
        return until is None or at is None or at < until


def was_told(interview: Interview) -> bool:
    """Whether the last thing we wrote them about it, since it was booked as it is and before it
    began, has arrived by text message or mail; a browser that was told may be off. Of what is still
    on its way nobody knows. Where they were asked later whether there was trouble, that has to have
    gone as well."""
    theirs = Notification.objects.filter(
        subject=interview.subject,
        recipient=f"user:{interview.candidate.user_id}",
        channel__in=[Channel.SMS, Channel.EMAIL],
    ).exclude(state=State.SUPERSEDED)
    if interview.booked_at is not None:
        theirs = theirs.filter(created_at__gte=interview.booked_at)
    rows = theirs.order_by("created_at", "pk").values_list(
        "event", "channel", "state", "created_at", "sent_at", "arrived_at"
    )
    told = [_Told(*row) for row in rows]
    until = interview.starts_at or interview.deadline
    said = [
        each
        for each in told
        if each.event in SAYS_SO and (until is None or each.created_at < until)
    ]
    asked = [each for each in told if each.event == "trouble_asked"]
    return any(each.arrived_before(until) for each in _last(said)) and (
        not asked or any(each.state in {State.SENT, State.DELIVERED} for each in _last(asked))
    )


def _last(told: Sequence[_Told]) -> list[_Told]:
    """The last of them, on every channel it was stored for."""
    if not told:
        return []
    last = told[-1]
    return [each for each in told if (each.event, each.created_at) == (last.event, last.created_at)]


def has_failed(interview: Interview) -> bool:
    """Whether there was trouble on our side or the platform's with this interview, or the platform
    was never told of it."""
    faults = RoomEvent.objects.filter(sitting__interview=interview, kind__in=room.OUR_FAULTS)
    if faults.exists():
        return True
    link = PlatformLink.objects.filter(interview=interview).first()
    if link is None:
        return interview.kind == InterviewKind.AI and interview.position.platform_id is not None
    if link.difference or link.told_at is None:
        return True
    events = PlatformEvent.objects.filter(platform=link.platform_id, body__kind=EventKind.ERROR)
    return bool(link.external_id) and events.filter(external_id=link.external_id).exists()


def has_open_sitting(interview: Interview) -> bool:
    return room.open_sitting(interview) is not None


def trouble_of(interview: Interview) -> TroubleReport | None:
    """What they told of the appointment as it is booked now."""
    if interview.starts_at is None:
        return None
    return interview.troubles.filter(starts_at=interview.starts_at).first()


def has_told_trouble(interview: Interview) -> bool:
    return trouble_of(interview) is not None


def may_confirm(interview: Interview, now: datetime) -> bool:
    """Whether “I will attend” says anything: booked, still to come, not said yet."""
    ahead = interview.starts_at is not None and interview.starts_at > now
    return interview.status == InterviewStatus.BOOKED and ahead and not interview.is_confirmed


def may_tell_trouble(interview: Interview, now: datetime) -> bool:
    """From the opening of the door until a day after the start, once; also who has been put down
    as missing: HR reads it before deciding, and not after."""
    if interview.starts_at is None:
        return False
    if interview.status not in {InterviewStatus.BOOKED, InterviewStatus.NO_SHOW}:
        return False
    within = interview.starts_at - room.OPENS_BEFORE <= now < interview.starts_at + ANSWERED_FOR
    return within and not has_told_trouble(interview) and not is_decided(interview)


def is_decided(interview: Interview) -> bool:
    """Whether HR has said what becomes of their absence from the appointment as it is booked."""
    if interview.starts_at is None:
        return False
    decided = interview.history.filter(event__in=DECIDED, at__gte=interview.starts_at)
    return decided.exists()


def may_come_in(interview: Interview, now: datetime) -> bool:
    """Whether the appointment still goes on, or its door is open to who stepped back from it."""
    if interview.status != InterviewStatus.BOOKED:
        return False
    until = [room.closes_at(interview), door_open_until(interview)]
    return any(each is not None and now < each for each in until)
