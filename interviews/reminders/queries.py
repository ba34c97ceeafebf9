"""Reads: what is due, and what has to be known to take it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from interviews.models import PRIVATE_FIELDS, HistoryEntry, Interview, InterviewKind
from interviews.platforms.base import EventKind, Standing
from interviews.platforms.models import PlatformEvent, PlatformLink
from interviews.reminders import rules
from interviews.reminders.models import ReminderRule, Step, TroubleReport
from interviews.reminders.rules import Anchor, Unless, What
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
_PERSON = "interview__application__candidate__user"
_SHARED = (
    "interview__application__position__department",
    "interview__application__position__recruiter",
)


def due(now: datetime) -> QuerySet[Step]:
    """What is due and in nobody's hands, the oldest first; locked together with its interview."""
    return (
        Step.objects.filter(done_at=None, due_at__lte=now)
        .select_related(_PERSON)
        .defer(*(f"{_PERSON}__{field}" for field in PRIVATE_FIELDS))
        .prefetch_related(*_SHARED)
        .select_for_update(of=("self", "interview"), skip_locked=True)
        .order_by("due_at")
    )


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


def anchor_of(interview: Interview, anchor: str) -> datetime | None:
    """As planning.ANCHOR has PostgreSQL count it."""
    match anchor:
        case Anchor.INVITED:
            return interview.created_at
        case Anchor.DEADLINE:
            return interview.deadline
        case Anchor.BOOKED:
            return interview.booked_at
        case Anchor.START:
            return interview.starts_at
    return interview.ends_at or (interview.starts_at and interview.starts_at + USUAL_LENGTH)


@dataclass(frozen=True)
class Known:
    """What a batch of steps is held against beside the interviews themselves, by their keys."""

    opened: frozenset[int]
    troubled: frozenset[int]
    unreachable: frozenset[str]  # recipients
    linked: dict[int, PlatformLink]


def known_of(steps: Sequence[Step], plans: dict[int, rules.Plan]) -> Known:
    """A query for each kind of thing, and only where a step asks for it."""
    asking = [step.interview_id for step in steps if plans[step.rule_id].unless == Unless.OPENED]
    starting = [step.interview_id for step in steps if plans[step.rule_id].what == What.TROUBLE]
    opened = HistoryEntry.objects.filter(interview__in=asking, event="opened")
    told = TroubleReport.objects.filter(interview__in=starting)
    people = {_recipient(step.interview) for step in steps}
    return Known(
        opened=frozenset(opened.values_list("interview", flat=True)) if asking else frozenset(),
        troubled=frozenset(told.values_list("interview", flat=True)) if starting else frozenset(),
        unreachable=frozenset(unreachable(*people)),
        linked=_links(starting),
    )


def _recipient(interview: Interview) -> str:
    return f"user:{interview.candidate.user_id}"


def _links(interviews: Collection[int]) -> dict[int, PlatformLink]:
    links = PlatformLink.objects.filter(interview__in=interviews) if interviews else []
    return {link.interview_id: link for link in links}


def facts_of(step: Step, plan: rules.Plan, anchor: str, known: Known) -> rules.Facts:
    """How its interview stands. Only a window that closes asks the database anew."""
    interview = step.interview
    closes = plan.what == What.CLOSE
    booked = interview.status == InterviewStatus.BOOKED
    return rules.Facts(
        status=interview.status,
        anchor_at=anchor_of(interview, anchor),
        pointless_from=interview.starts_at if booked else interview.deadline,
        was_opened=interview.pk in known.opened,
        is_confirmed=interview.is_confirmed,
        trouble_told=interview.pk in known.troubled,
        contact_wrong=_recipient(interview) in known.unreachable,
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
