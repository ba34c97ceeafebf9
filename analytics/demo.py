"""Half a year behind the demonstration, so that its figures say something: what another system held
until yesterday, brought in by the importer week by week, with the requests, messages and decisions
about it. All of it is over, and nobody who signs in to the demo is part of it.
"""

import random
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import count, cycle
from operator import itemgetter
from typing import Any, TypeVar

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.permissions import STAFF_ROLES
from analytics import cells, figures
from analytics.alerts import services as alerts
from analytics.figures import Period
from analytics.findings import services as findings
from analytics.findings import watched
from analytics.findings.codes import Done, Found, Measure, Side
from analytics.findings.models import Action
from analytics.models import DirtyCell
from analytics.risk import tasks
from cancellations import queries, rules
from cancellations.absences.models import MISSED, Absence, Decision
from cancellations.absences.queries import known_of
from cancellations.demo import CATEGORIES, DEPARTMENTS, GIVEN_NAMES, PLACES, POSITIONS, SURNAMES
from cancellations.models import (
    Cancellation,
    CancellationStatus,
    FaqEntry,
    HelpConversation,
    HelpTurn,
    Party,
    Purpose,
    Reason,
    Saved,
    Saving,
)
from cancellations.models import Offer as Help
from candidates import services as marks
from interviews import history
from interviews.imports import mapping
from interviews.imports.rows import Record, RowReader
from interviews.imports.store import InterviewStore, Outcome
from interviews.models import (
    HistoryEntry,
    Interview,
    InterviewKind,
    Position,
    ReminderRule,
    Slot,
    Stage,
    Step,
)
from interviews.refill.models import (
    EntryState,
    FreedPlace,
    Offer,
    OfferState,
    WaitingEntry,
    Why,
)
from interviews.room.demo import Room
from interviews.states import InterviewStatus
from notifications.models import Channel, Notification, State

T = TypeVar("T")

SEED = 20231118
SOURCE = "birch"
WEEKS = 26
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

COLUMNS = (
    *("number", "candidate_key", "name", "mobile", "email", "city", "department", "position_code"),
    *("position", "category", "kind", "stage", "status", "starts_at", "minutes", "location"),
    *("applied_at", "screened_at"),
)
MAPPING = "\n".join(
    [
        f'title = "Birch"\nsource = "{SOURCE}"\nkey = ["number"]',
        '[dates]\nshapes = ["%Y-%m-%d %H:%M"]',
        *(f'[fields.{name}]\ncolumn = "{name}"' for name in COLUMNS),
        '[extra.expected]\ncolumn = "expected"',
        'values = { yes = "yes", no = "no", uncertain = "uncertain" }',
    ]
)

# Interviews a week: what is worked in shifts hires most.
WEEKLY = {
    "ZZ-1001": 13,
    "ZZ-1002": 13,
    "ZZ-1003": 11,
    "ZL-2001": 6,
    "ZL-2002": 4,
    "SB-3001": 3,
    "SB-3002": 4,
    "GY-4001": 3,
    "GY-4002": 3,
    "IT-5001": 3,
    "IT-5002": 2,
    "RL-6001": 2,
}
BY_WEEKDAY = (0.18, 0.18, 0.18, 0.18, 0.18, 0.1, 0)  # of a week's, Monday first
DAYTIME = ((9, 0), (9, 30), (10, 0), (10, 30), (11, 0), (14, 0), (14, 30), (15, 30), (16, 30))
EVENINGS = ((18, 0), (18, 30), (19, 0), (19, 30), (20, 0))

# What becomes of a hundred appointments: of most positions, of the one that does worst, and of
# another that did as badly until something was done about it.
OFF, CALLED_OFF = "off", "called_off"  # by the candidate, by the company
MISSED_IT, LEFT = InterviewStatus.NO_SHOW.value, InterviewStatus.WITHDRAWN.value
INCOMPLETE, COMPLETED = InterviewStatus.INCOMPLETE.value, InterviewStatus.COMPLETED.value
MOST = {OFF: 15, CALLED_OFF: 3, MISSED_IT: 7, LEFT: 5, INCOMPLETE: 4, COMPLETED: 66}
WORST = {OFF: 22, CALLED_OFF: 2, MISSED_IT: 26, LEFT: 6, INCOMPLETE: 4, COMPLETED: 40}
WORST_ONE, MENDED_ONE = "ZZ-1002", "ZZ-1003"
MENDED, TRIED = 36, 12  # days ago something was done about either

# Why, how it went on the way, and when: so many of each.
REASONS: dict[str, Mapping[str, int]] = {
    OFF: {
        "time_conflict": 40,
        "accepted_offer": 19,
        "unwell": 11,
        "not_interested": 10,
        "career_change": 9,
        "personal": 7,
        "other": 4,
    },
    CALLED_OFF: {"interviewer_away": 9, "position_filled": 6, "hiring_freeze": 3, "fault": 2},
    LEFT: {
        "device": 30,
        "not_interested": 24,
        "emergency": 17,
        "difficulty": 14,
        "mistake": 6,
        "privacy": 5,
        "other": 4,
    },
}
REASONS_OF_THE_WORST = {**REASONS[OFF], "time_conflict": 90}  # who works nights is asked to come
PURPOSES = {OFF: Purpose.CANCEL, CALLED_OFF: Purpose.COMPANY, LEFT: Purpose.EXIT}
IN_THE_EVENING = {"time_conflict": {True: 4, False: 1}, MISSED_IT: {True: 2, False: 3}}
USUALLY_IN_THE_EVENING = {True: 1, False: 4}
CONFIRMED = {MISSED_IT: {True: 1, False: 9}}
USUALLY_CONFIRMED = {True: 5, False: 4}
REMINDED = {MISSED_IT: {State.DELIVERED: 4, State.FAILED: 1}}
USUALLY_REMINDED = {State.DELIVERED: 12, State.FAILED: 1}
SAID = {MISSED_IT: {"yes": 4, "uncertain": 5, "no": 3, "": 8}}
USUALLY_SAID = {"yes": 10, "uncertain": 2, "no": 1, "": 7}
LEFT_AT = {1: 8, 2: 20, 3: 48, 4: 17, 5: 7}  # the question
PARTS = {1: "introduction", 2: "introduction", 3: "professional", 4: "professional", 5: "closing"}
STAYS = {-1: 6, 0: 2, 1: 1, 2: 3, 3: 4, 4: 1}  # turns of the room: how they end, and where
NOT_ARRIVED = {"30005": 5, "30003": 3, "30007": 2}
BOUNCED = {"550": 3, "552": 1}
# Hours before the start at which somebody asks; of the time promised, how much HR needs; days from
# the booking to the interview.
NOTICE = (96, 60, 50, 40, 30, 26, 20, 15, 11, 9, 7.5, 6, 5, 3.5, 2.5)
PATIENCE = (0.15, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.65, 0.7, 0.8, 0.9, 0.95, 1.5, 2.2)
LEAVING = 12 * MINUTE  # into the interview
LEADS = (0.9, 1.5, 2, 2.5, 3, 4, 5, 6.5, 9)

# In their own words: where the time is the reason, and elsewhere.
NO_TIME = (
    *("晚上要接孩子，六点以后走不开。", "下班后赶不回来，能不能安排在中午？", "那天正好上夜班。"),
    *("临时被安排加班，当天晚上没有时间。", "现在的公司不好请假，周末可以。", "晚上有课，来不及。"),
    *("七点还在通勤的地铁上，信号不好。", "和另一家的面试撞在一起了。", "白天都可以，晚上不行。"),
)
DETAILS = (
    *("家里有事，需要回老家几天。", "房子到期，那天要搬家。", "孩子发烧，要带去医院。"),
    *("考虑到离家太远，暂时不换工作了。", "要参加驾照考试，改不了时间。", "家人住院，需要陪护。"),
)
ASKED_ABOUT = {"": 3, "device": 2, "difficulty": 2, "privacy": 1}
UNANSWERED = (
    *("夜班补贴是多少？", "宿舍是几人间？", "多久能知道结果？", "试用期有社保吗？"),
    *("可以带家属一起住吗？", "工资几号发？", "转正以后能调到白班吗？"),
)
NOTES = {
    MENDED_ONE: "把夜班的场次改到了中午，并在前一天下午由招聘专员逐个电话确认。",
    WORST_ONE: "晚间场次提前 48 小时再提醒一次，短信里写明可以改到白天。",
}


@dataclass(frozen=True)
class Past:
    """One interview as it was, before it is brought in."""

    number: int
    code: str  # of the position
    fate: str
    reason: str
    starts_at: datetime
    booked_at: datetime
    notice: timedelta
    kind: InterviewKind

    @property
    def key(self) -> str:
        return f"B{self.number:05d}"

    @property
    def status(self) -> str:
        return InterviewStatus.CANCELLED.value if self.fate in {OFF, CALLED_OFF} else self.fate

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + (HOUR if self.kind == InterviewKind.ON_SITE else HOUR / 2)

    @property
    def was_due(self) -> bool:
        """Whether the reminder of the day before found it standing."""
        went = self.fate in {OFF, CALLED_OFF} and self.notice > DAY
        return self.starts_at - self.booked_at > DAY and not went


@transaction.atomic
def load(weeks: int = WEEKS) -> None:
    """Bring it in, count it, and have alerts and models look at it; the demo's company is there
    already. The same every time, moved to before today."""
    now = timezone.now()
    made = History(now, weeks)
    made.load()
    DirtyCell.objects.all().delete()  # here is all of it
    for _positions in cells.rebuild():
        pass
    made.act(MENDED_ONE, Done.SLOTS, days_ago=made.mended)
    made.act(WORST_ONE, Done.REMINDERS, days_ago=made.tried)
    alerts.check_due(now)
    transaction.on_commit(foresee)


def foresee() -> None:
    """As every night and every hour; by the worker for long jobs, since training takes a while."""
    tasks.train.delay()
    tasks.look_ahead.delay()


class Archive(InterviewStore):
    """What the importer stores, with the times another system knew."""

    times: dict[str, dict[str, datetime | None]]

    def _interview(self, record: Record, application_id: int) -> dict[str, Any]:
        return super()._interview(record, application_id) | self.times[record.key]


class History:
    """One loading."""

    def __init__(self, now: datetime, weeks: int) -> None:
        self.now, self.weeks = now, weeks
        self.today = timezone.localtime(now).date()
        self.random = random.Random(SEED)  # noqa: S311 - the same every time is the point
        staff = User.objects.filter(role__in=STAFF_ROLES, email__endswith="@demo.example")
        self.mended, self.tried = self.working_day(MENDED), self.working_day(TRIED)
        self.staff = {str(user.email).partition("@")[0]: user for user in staff}
        self.positions = {each.code: each for each in Position.objects.select_related("department")}
        self.policies = queries.policies_in_force(now)
        self._decks: dict[Hashable, Iterator[Any]] = {}

    def load(self) -> None:
        self.told = self.bring_in(list(self.pasts()))
        self.ask()
        self.remind()
        self.decide_absences()
        self.save_some()
        self.help_some()
        room = Room(self.now)
        for past, interview in self.told:
            if past.fate == INCOMPLETE and interview.position.platform_id is None:
                # What the room shows by turns is seldom as frequent.
                room.seen[InterviewStatus.INCOMPLETE] = self.dealt("stay", STAYS)
                room.seat(interview)

    def dealt(self, name: Hashable, parts: Mapping[T, int]) -> T:
        """The next of `parts`, each as often as it says, and evenly over time: whatever period
        somebody looks at, it shows what it is meant to show."""
        if name not in self._decks:
            cards = [
                ((number + self.random.random()) / times, card)
                for card, times in parts.items()
                for number in range(times)
            ]
            self._decks[name] = cycle([card for _at, card in sorted(cards, key=itemgetter(0))])
        card: T = next(self._decks[name])
        return card

    def taken(self, name: Hashable, parts: Sequence[T]) -> T:
        return parts[self.dealt(name, dict.fromkeys(range(len(parts)), 1))]

    def local(self, days_ago: int, hour: int, minute: int = 0) -> datetime:
        day = self.today - days_ago * DAY
        return timezone.make_aware(datetime.combine(day, time(hour, minute)))

    def working_day(self, days_ago: int) -> int:
        """That day, or the Friday before."""
        return days_ago + max(0, (self.today - days_ago * DAY).weekday() - 4)

    # --- what was there -------------------------------------------------------------------------

    def pasts(self) -> Iterator[Past]:
        """The oldest first, until yesterday."""
        numbers = count(1)
        waiting = dict.fromkeys(WEEKLY, 0.0)
        for days_ago in range(self.weeks * 7, 0, -1):
            share = BY_WEEKDAY[(self.today - days_ago * DAY).weekday()]
            for code, weekly in WEEKLY.items():
                waiting[code] += weekly * share
                while waiting[code] >= 1:
                    waiting[code] -= 1
                    yield self.past(next(numbers), code, days_ago)

    def past(self, number: int, code: str, days_ago: int) -> Past:
        bad = code == WORST_ONE or (code == MENDED_ONE and days_ago >= self.mended)
        fate = self.dealt(("fate", code, bad), WORST if bad else MOST)
        reason = ""
        if fate in REASONS:
            worst = code == WORST_ONE and fate == OFF
            parts = REASONS_OF_THE_WORST if worst else REASONS[fate]
            reason = self.dealt(("reason", fate, worst), parts)
        about = reason if reason in IN_THE_EVENING else fate
        evening = self.dealt(("evening", about), IN_THE_EVENING.get(about, USUALLY_IN_THE_EVENING))
        hour, minute = self.taken(("time", evening), EVENINGS if evening else DAYTIME)
        starts_at = self.local(days_ago, hour, minute)
        notice = self.taken("notice", NOTICE) * HOUR
        asked = timezone.localtime(starts_at - notice)
        if fate == CALLED_OFF:
            notice = starts_at - self.local(days_ago, 8, 30)  # as soon as somebody is in
        elif asked.hour < 7:
            notice = starts_at - asked.replace(hour=7, minute=30)  # when they wake
        ahead = max(self.taken("lead", LEADS) * DAY, notice + 5 * HOUR)
        kind = self.dealt("kind", {InterviewKind.AI: 5, InterviewKind.ON_SITE: 1})
        return Past(number, code, fate, reason, starts_at, starts_at - ahead, notice, kind)

    # --- brought in -----------------------------------------------------------------------------

    def bring_in(self, pasts: Sequence[Past]) -> list[tuple[Past, Interview]]:
        """A file a week, as the importer reads it, on the evening of its last day."""
        read_by = mapping.parse(MAPPING, name=SOURCE)
        for week in range(self.weeks, 0, -1):
            at = self.local((week - 1) * 7 + 1, 23)
            rows = {past.key: past for past in pasts if at - 7 * DAY < past.starts_at <= at}
            reader = RowReader(read_by, (*COLUMNS, "expected"))
            store = Archive(read_by, reader.title, by=None, now=at)
            store.times = {key: self.times(past, at) for key, past in rows.items()}
            read = [reader.read(line, self.row(past)) for line, past in enumerate(rows.values(), 2)]
            records = [each for each in read if isinstance(each, Record)]
            if len(records) < len(rows) or set(store.write(records)) - {Outcome.IMPORTED}:
                raise ValueError("The importer refuses the demo's own rows")
        found = Interview.objects.filter(source=SOURCE).with_shared_facts()
        interviews = {each.source_key: each for each in found}
        return [(past, interviews[past.key]) for past in pasts]

    def row(self, past: Past) -> list[str]:
        """As the other system wrote it; some apply twice."""
        person = past.number - past.number % 9 // 8 * 30 if past.number > 30 else past.number
        chance = random.Random(person)  # noqa: S311 - theirs, whichever row tells of them
        _code, title, department, category, city = next(
            each for each in POSITIONS if each[0] == past.code
        )
        on_site = past.kind == InterviewKind.ON_SITE
        came = past.fate == COMPLETED
        said = self.dealt(("said", past.fate), SAID.get(past.fate, USUALLY_SAID))
        return [
            past.key,
            f"P{person:05d}",
            chance.choice(SURNAMES) + chance.choice(GIVEN_NAMES),
            str(13800010000 + person),
            f"birch{person}@demo.example" if chance.random() < 0.5 else "",
            chance.choice([city, city, city, *PLACES]),
            DEPARTMENTS[department],
            past.code,
            title,
            CATEGORIES[category],
            past.kind.value,
            (Stage.HIRED if came and past.number % 5 == 0 else Stage.ENDED).value,
            past.status,
            written(past.starts_at),
            str((past.ends_at - past.starts_at) // MINUTE),
            PLACES[city] if on_site else "",
            written(past.booked_at - 2 * DAY),
            written(past.booked_at - DAY),
            said,
        ]

    def times(self, past: Past, imported_at: datetime) -> dict[str, datetime | None]:
        """When it was booked, confirmed and over: no mapping has columns for these."""
        found: dict[str, datetime | None] = {
            "created_at": imported_at,
            "opened_at": past.booked_at - HOUR,
            "booked_at": past.booked_at,
            "confirmed_at": None,
            "ended_at": past.ends_at,
        }
        if past.status == InterviewStatus.CANCELLED:
            found["ended_at"] = past.starts_at - past.notice
        elif self.dealt(("confirmed", past.fate), CONFIRMED.get(past.fate, USUALLY_CONFIRMED)):
            found["confirmed_at"] = max(past.booked_at + HOUR, past.starts_at - 20 * HOUR)
        if past.fate == LEFT:
            found["ended_at"] = past.starts_at + LEAVING
        return found

    # --- requests -------------------------------------------------------------------------------

    def ask(self) -> None:
        """What was asked for and decided, some of it in vain; and the places that came free."""
        self.reasons = {(each.purpose, each.code): each for each in Reason.objects.all()}
        made: list[Cancellation] = []
        places: list[FreedPlace] = []
        offers: list[Offer] = []
        waiting: dict[str, Cancellation] = {}
        there = set(Slot.objects.values_list("position__code", "kind", "starts_at"))
        for past, interview in self.told:
            if past.fate == OFF:
                cancellation = self.request(past, interview, past.reason)
                made.append(cancellation)
                key = (past.code, past.kind.value, past.starts_at)
                if past.notice > 6 * HOUR and key not in there:
                    there.add(key)
                    places.append(self.given_up(past, cancellation))
                    if before := waiting.pop(past.code, None):
                        offers.append(offer_of(places[-1], before))
                if past.reason == "time_conflict":
                    waiting[past.code] = cancellation
            elif past.fate == CALLED_OFF:
                made.append(self.called_off(past, interview))
            elif past.fate == LEFT:
                made.append(self.left(past, interview))
            elif past.fate in {COMPLETED, MISSED_IT} and past.number % 29 == 0:
                in_vain = CancellationStatus.DECLINED if past.number % 2 else None
                made.append(self.request(past, interview, "time_conflict", in_vain=in_vain))
        Cancellation.objects.bulk_create(made)
        Slot.objects.bulk_create(place.slot for place in places)
        FreedPlace.objects.bulk_create(places)
        WaitingEntry.objects.bulk_create(offer.entry for offer in offers)
        Offer.objects.bulk_create(offers)
        self.write_down(made)

    def request(
        self,
        past: Past,
        interview: Interview,
        reason: str,
        *,
        in_vain: CancellationStatus | None = CancellationStatus.APPROVED,
    ) -> Cancellation:
        """To cancel: what the policy or HR made of it; without a status it was taken back."""
        status = in_vain or CancellationStatus.LAPSED
        notice = past.notice
        if status != CancellationStatus.APPROVED:
            notice = self.taken("late", (11, 7.5, 5, 3.5)) * HOUR  # HR decides these
        at = past.starts_at - notice
        policy = queries.policy_for(interview, self.policies)
        decision = rules.decide(policy, starts_at=past.starts_at, asked_at=at)
        cancellation = Cancellation(
            interview=interview,
            requested_by=interview.candidate.user,
            reason=self.reasons[Purpose.CANCEL, reason],
            detail=self.detail(reason),
            requested_at=at,
            starts_at=past.starts_at,
            notice=decision.notice,
            outcome=decision.outcome.value,
            short_notice=decision.short_notice,
            policy=rules.snapshot(policy),
            decide_by=decision.decide_by,
            status=status,
            decided_at=at,
        )
        if status == CancellationStatus.LAPSED:
            cancellation.decided_by = interview.candidate.user
            cancellation.decided_at = at + 5 * MINUTE
        elif decision.decide_by is not None:
            self.decide(cancellation, policy, status)
        return cancellation

    def decide(
        self, cancellation: Cancellation, policy: rules.Policy, status: CancellationStatus
    ) -> None:
        """Mostly within the time promised; some nobody got round to."""
        approved = status == CancellationStatus.APPROVED
        neglected = self.dealt("neglected", {True: 1, False: 24})
        if neglected and approved and policy.default == rules.Default.APPROVE:
            cancellation.decided_at = cancellation.decide_by
            return
        took = self.taken("patience", PATIENCE) * policy.promised_minutes * MINUTE
        default_at = cancellation.decide_by or cancellation.requested_at
        cancellation.decided_at = min(cancellation.requested_at + took, default_at - MINUTE)
        ours = cancellation.interview.position.department.code != "hr"
        cancellation.decided_by = self.staff["lead" if ours else "admin"]
        cancellation.note = "情况属实，已同意。" if approved else "名额有限，请按时参加。"

    def detail(self, reason: str) -> str:
        """In a sentence, where one is asked for, and now and then where none is."""
        if reason not in {"personal", "other", "time_conflict"}:
            return ""
        if reason != "time_conflict":
            return self.taken("detail", DETAILS)
        return self.taken("no time", NO_TIME) if self.dealt("more", {True: 1, False: 2}) else ""

    def called_off(self, past: Past, interview: Interview) -> Cancellation:
        at = past.starts_at - past.notice
        return Cancellation(
            interview=interview,
            party=Party.COMPANY,
            requested_by=self.staff["hr"],
            reason=self.reasons[Purpose.COMPANY, past.reason],
            requested_at=at,
            starts_at=past.starts_at,
            notice=past.notice,
            status=CancellationStatus.APPROVED,
            decided_by=self.staff["hr"],
            decided_at=at,
        )

    def left(self, past: Past, interview: Interview) -> Cancellation:
        at = past.starts_at + LEAVING
        policy = queries.policy_for(interview, self.policies)
        question = self.dealt("left at", LEFT_AT)
        return Cancellation(
            interview=interview,
            requested_by=interview.candidate.user,
            reason=self.reasons[Purpose.EXIT, past.reason],
            requested_at=at,
            starts_at=past.starts_at,
            notice=past.starts_at - at,
            outcome=rules.Outcome.AUTOMATIC.value,
            policy=rules.exit_snapshot(policy),
            status=CancellationStatus.APPROVED,
            decided_at=at,
            is_exit=True,
            evidence={
                "answered": question - 1,
                "questions": 5,
                "number": question,
                "stage": PARTS[question],
                "seconds": 140 * question,
            },
        )

    def given_up(self, past: Past, cancellation: Cancellation) -> FreedPlace:
        """The place, and whether somebody else took it."""
        at = cancellation.requested_at
        slot = Slot(
            position=self.positions[past.code],
            kind=past.kind,
            starts_at=past.starts_at,
            ends_at=past.ends_at,
        )
        taken = self.dealt("taken again", {True: 3, False: 2})
        until = at + 2 * HOUR
        return FreedPlace(slot=slot, at=at, **{"refilled_at" if taken else "closed_at": until})

    def write_down(self, made: Sequence[Cancellation]) -> None:
        """In the histories, after the import: what receipts are held against."""
        firsts = HistoryEntry.objects.filter(interview__source=SOURCE, sequence=1)
        hashes = dict(firsts.values_list("interview", "hash"))
        entries: list[HistoryEntry] = []
        for each in made:
            after = (1, hashes[each.interview.pk])
            for event, by, at, data in told_of(each):
                data |= {**each.for_history, "status": each.interview.status}
                entries += history.chain(
                    each.interview,
                    [(event, data)],
                    actor=history.actor_of(by),
                    at=at,
                    after=after,
                )
                after = (entries[-1].sequence, entries[-1].hash)
        HistoryEntry.objects.bulk_create(entries)

    # --- messages -------------------------------------------------------------------------------

    def remind(self) -> None:
        """The day before, by text message or mail: most arrive."""
        rule = ReminderRule.objects.get(message="interview_reminder", minutes=-24 * 60)
        due = [(past, interview) for past, interview in self.told if past.was_due]
        Notification.objects.bulk_create(self.reminder(*each) for each in due)
        Step.objects.bulk_create(
            Step(
                interview=interview,
                rule=rule,
                anchor_at=past.starts_at,
                due_at=past.starts_at - DAY,
                done_at=past.starts_at - DAY,
                outcome="sent",
            )
            for past, interview in due
        )

    def reminder(self, past: Past, interview: Interview) -> Notification:
        user, at = interview.candidate.user, past.starts_at - DAY
        by_mail = bool(user.email) and self.dealt("by mail", {True: 1, False: 1})
        parts = REMINDED.get(past.fate, USUALLY_REMINDED)
        state: State = self.dealt(("reminded", past.fate), parts)
        if interview.confirmed_at:
            state = State.DELIVERED  # by the link in it
        code = ""
        if state == State.FAILED:
            state = State.BOUNCED if by_mail else State.FAILED
            code = self.dealt(("lost", by_mail), BOUNCED if by_mail else NOT_ARRIVED)
        return Notification(
            event="interview_reminder",
            channel=Channel.EMAIL if by_mail else Channel.SMS,
            recipient=f"user:{user.pk}",
            address=(user.email if by_mail else user.mobile) or "",
            language="zh-hans",
            subject=interview.subject,
            dedupe_key=f"{SOURCE}:{past.key}",
            state=state,
            error_code=code,
            provider_id=f"{SOURCE}-{past.number}",
            not_before=at,
            created_at=at,
            sent_at=at,
            arrived_at=at + MINUTE if state == State.DELIVERED else None,
        )

    # --- what else was done ---------------------------------------------------------------------

    def decide_absences(self) -> None:
        """Most were excused; on record came only who had been reminded."""
        by, absences = self.staff["hr"], []
        for past, interview in self.told:
            if past.fate != MISSED_IT:
                continue
            at = past.starts_at + DAY
            at = min(at, self.now - HOUR)
            absence = Absence(
                interview=interview,
                starts_at=past.starts_at,
                code=MISSED,
                opened_at=past.starts_at + HOUR,
                decision=Decision.EXCUSED,
                decided_by=by,
                decided_at=at,
            )
            absences.append(absence)
            if not self.dealt("marked", {True: 1, False: 3}):
                continue
            known = known_of(interview, at)
            if not known.obstacles():
                absence.decision, absence.evidence = Decision.MARKED, known.as_evidence()
                marks.set_mark(
                    interview.candidate,
                    interview=interview.reference,
                    starts_at=past.starts_at,
                    evidence=absence.evidence,
                    by=by,
                    at=at,
                    expires_at=at + 180 * DAY,
                )
        Absence.objects.bulk_create(absences)

    def save_some(self) -> None:
        """Who was offered another time instead of cancelling, and what they made of it."""
        savings = []
        for past, interview in self.told:
            at = past.starts_at - past.notice
            if past.reason == "time_conflict" and self.dealt("offered", {True: 2, False: 1}):
                outcome = Saved.CANCELLED
            elif past.fate == COMPLETED and past.number % 25 == 0:
                outcome = Saved.MOVED if past.number % 2 else Saved.KEPT
            else:
                continue
            savings.append(
                Saving(
                    interview=interview,
                    reason="time_conflict",
                    offered=Help.OTHER_TIME,
                    at=at,
                    outcome=outcome,
                    settled_at=at + MINUTE,
                )
            )
        Saving.objects.bulk_create(savings)

    def help_some(self) -> None:
        """What they asked the assistant, mostly in the room."""
        answers = list(FaqEntry.objects.order_by("order"))
        talks, turns = [], []
        for past, interview in self.told:
            if past.kind != InterviewKind.AI or past.fate not in {COMPLETED, LEFT}:
                continue
            if not self.dealt(("asks", past.fate), {True: 1, False: 1 if past.fate == LEFT else 4}):
                continue
            at = past.starts_at + 6 * MINUTE
            talk = HelpConversation(
                interview=interview,
                reason=past.reason or self.dealt("asked about", ASKED_ABOUT),
                started_at=at,
                stayed=past.fate == COMPLETED,
                handed_over_at=at + MINUTE if self.dealt("to us", {True: 1, False: 8}) else None,
            )
            talks.append(talk)
            answer = None
            if self.dealt("answered", {True: 6, False: 1}) and answers:
                answer = self.taken("answer", answers)
            asked = answer.question_zh if answer else self.taken("unanswered", UNANSWERED)
            useful = past.fate == COMPLETED and self.dealt("useful", {True: 5, False: 1})
            helped = answer is not None and useful
            offer = Help.ANSWER if answer else Help.PERSON
            turns.append(
                HelpTurn(
                    conversation=talk, at=at, asked=asked, offer=offer, faq=answer, helped=helped
                )
            )
        HelpConversation.objects.bulk_create(talks)
        HelpTurn.objects.bulk_create(turns)

    def act(self, code: str, done: Done, *, days_ago: int) -> None:
        """HR logged what it did about who does not come, with what the figures said then."""
        position, on = self.positions[code], self.today - days_ago * DAY
        period = Period(on - 30 * DAY, on - DAY)
        then = watched.rate(Measure.NO_SHOW, figures.Filter(positions=(position.pk,)), period)
        if then.is_small:
            return  # nothing stood out of so little
        action = Action(
            found=Found.NO_SHOW,
            measure=Measure.NO_SHOW,
            scope=Side.POSITION,
            department=position.department,
            position=position,
            since=period.since,
            until=period.until,
            numerator=then.numerator,
            denominator=then.denominator,
            done=done,
            note=NOTES[code],
            done_on=on,
            logged_at=self.local(days_ago, 17),
        )
        findings.log_action(action, by=self.staff["lead"])


def offer_of(place: FreedPlace, before: Cancellation) -> Offer:
    """The place, offered to who had called another off because of the time."""
    interview, at = before.interview, place.refilled_at or place.closed_at
    entry = WaitingEntry(
        position=place.slot.position,
        kind=interview.kind,
        candidate=interview.candidate,
        application=interview.application,
        interview=interview,
        why=Why.TIME_CONFLICT,
        since=before.requested_at,
        state=EntryState.SERVED if place.refilled_at else EntryState.LEFT,
        ended_at=at,
    )
    return Offer(
        place=place,
        slot=place.slot,
        entry=entry,
        made_at=place.at,
        held_until=place.at + 3 * HOUR,
        state=OfferState.ACCEPTED if place.refilled_at else OfferState.DECLINED,
        ended_at=at,
    )


def written(at: datetime) -> str:
    return timezone.localtime(at).strftime("%Y-%m-%d %H:%M")


def told_of(each: Cancellation) -> Iterator[tuple[str, User | None, datetime, dict[str, Any]]]:
    """The entries about a request that was decided, as its services write them."""
    by, at = each.decided_by or each.requested_by, each.decided_at or each.requested_at
    if each.party == Party.COMPANY:
        yield "cancelled", by, at, {"decided_by": "company", "reason": each.reason.code}
        return
    event = "exit_requested" if each.is_exit else "cancellation_requested"
    yield event, each.requested_by, each.requested_at, {"reason": each.reason.code}
    decided = {"decided_by": "hr" if each.decided_by else "policy"}
    match each.status:
        case CancellationStatus.DECLINED:
            yield "cancellation_declined", by, at, {}
        case CancellationStatus.LAPSED:
            yield "cancellation_taken_back", by, at, {}
        case _:
            yield "withdrawn" if each.is_exit else "cancelled", by, at, decided
