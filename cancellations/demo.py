"""A believable company to try the product on: made up, the same every time, placed around today."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from stdnum.cn import ric

from accounts.models import User
from accounts.permissions import Role
from cancellations import notices, queries, rules, work
from cancellations.absences import demo as absences
from cancellations.company import correct_interview
from cancellations.models import (
    Cancellation,
    CancellationStatus,
    Policy,
    Purpose,
    Reason,
    Tier,
)
from candidates.models import Candidate
from config.references import ALPHABET, LENGTH
from interviews import history
from interviews.booking.slots import make_slots
from interviews.gates import services as gates
from interviews.gates.models import GateKind
from interviews.models import (
    Application,
    Closure,
    Department,
    HistoryEntry,
    Interview,
    InterviewKind,
    Move,
    Position,
    PositionCategory,
    ReminderRule,
    Slot,
    SlotSeries,
    Stage,
    StageGate,
)
from interviews.platforms import demo as platform
from interviews.refill import services as refill
from interviews.refill.models import WaitingEntry
from interviews.room.demo import Room, write_questions
from interviews.states import ENDED, HOLDS_A_SLOT, InterviewStatus
from notifications import reach
from notifications.models import Channel, Notification, OutOfReach, State, WorkKind
from notifications.services import notify
from notifications.work import open_item

SEED = 20240510
PASSWORD = "mianyue-demo"  # noqa: S105 - the demo's, printed when it starts
SOURCE = "demo"
MARK = "admin@demo.example"  # where this account exists the demo has been loaded

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OFFICE_HOURS = range(8, 21)  # local; AI interviews are taken into the evening

DEPARTMENTS = {
    "assembly": "总装制造部",
    "quality": "质量管理部",
    "equipment": "设备工程部",
    "supply": "供应链中心",
    "it": "信息技术部",
    "hr": "人力资源部",
}
CATEGORIES = {"frontline": "一线", "technical": "技术", "management": "管理"}
POSITIONS = [
    ("ZZ-1001", "装配技术员", "assembly", "frontline", "深圳"),
    ("ZZ-1002", "夜班产线组长", "assembly", "management", "深圳"),
    ("ZZ-1003", "SMT 操作员", "assembly", "frontline", "东莞"),
    ("ZL-2001", "质检员", "quality", "frontline", "深圳"),
    ("ZL-2002", "质量体系工程师", "quality", "technical", "苏州"),
    ("SB-3001", "设备维护工程师", "equipment", "technical", "深圳"),
    ("SB-3002", "工艺工程师", "equipment", "technical", "苏州"),
    ("GY-4001", "供应链专员", "supply", "management", "深圳"),
    ("GY-4002", "仓储主管", "supply", "management", "武汉"),
    ("IT-5001", "软件工程师", "it", "technical", "深圳"),
    ("IT-5002", "数据分析师", "it", "technical", "武汉"),
    ("RL-6001", "人力资源助理", "hr", "management", "深圳"),
]
PLACES = {
    "深圳": "深圳市龙华区观澜园区 A3 栋 2 楼 206 会议室",
    "东莞": "东莞市松山湖园区 1 号楼大堂",
    "苏州": "苏州市工业园区 B 座 5 楼 512 会议室",
    "武汉": "武汉市东湖高新区 C 栋 3 楼 301 会议室",
}
SURNAMES = "赵钱孙李周吴郑王冯陈蒋沈韩杨朱秦许何吕施张孔曹严金魏陶姜谢邹苏潘葛范彭鲁韦马方任袁柳"
# fmt: off
GIVEN_NAMES = [
    "伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "洋", "艳", "勇", "军", "杰", "娟", "涛", "明",
    "超", "霞", "平", "刚", "凯", "丹", "鹏", "玲", "秀兰", "桂英", "建华", "文博", "子轩", "雨桐",
    "欣怡", "浩然", "思琪", "佳宁", "俊杰", "晓燕", "志远", "海燕", "国栋", "嘉豪", "婉清", "梓涵",
]
# fmt: on
# What led to each status once the time had come: event, status then, minutes after the start.
_STARTED = ("started", InterviewStatus.IN_PROGRESS, 0)
_LEAVING = ("exit_requested", InterviewStatus.EXITING, 11)
AFTER_THE_START: dict[str, list[tuple[str, InterviewStatus, int]]] = {
    InterviewStatus.IN_PROGRESS: [_STARTED],
    InterviewStatus.COMPLETED: [_STARTED, ("completed", InterviewStatus.COMPLETED, 28)],
    InterviewStatus.INCOMPLETE: [_STARTED, ("lapsed", InterviewStatus.INCOMPLETE, 150)],
    InterviewStatus.EXITING: [_STARTED, _LEAVING],
    InterviewStatus.WITHDRAWN: [_STARTED, _LEAVING, ("withdrawn", InterviewStatus.WITHDRAWN, 12)],
    InterviewStatus.NO_SHOW: [("missed", InterviewStatus.NO_SHOW, 30)],
}
CAME = {InterviewStatus.COMPLETED, InterviewStatus.INCOMPLETE, InterviewStatus.WITHDRAWN}
CANDIDATES_OWN = {"started", "exit_requested"}
# They keep the place they were booked into.
KEEPS_ITS_SLOT = HOLDS_A_SLOT | {
    InterviewStatus.COMPLETED,
    InterviewStatus.INCOMPLETE,
    InterviewStatus.NO_SHOW,
}
# What the candidates say of themselves where a reason asks for it.
DETAILS = [
    "家里老人住院，需要陪护几天。",
    "当天要办理入户手续，无法改期。",
    "突然出差，晚上才能回到深圳。",
]
NOTES = {
    CancellationStatus.APPROVED: "情况属实，已同意，请尽快另约时间。",
    CancellationStatus.DECLINED: "本批次名额有限，面试只需 20 分钟，建议按时参加。",
}

# What a candidate hands in: an empty page.
ONE_PAGE = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\n"
    b"trailer<</Root 1 0 R>>\n%%EOF\n"
)

# Further things to do, about the first interview in each status: kind, what, due in, taken on by.
OTHER_WORK = [
    (InterviewStatus.INVITED, WorkKind.FOLLOW_UP, "not_attended", -HOUR / 2, ""),
    (InterviewStatus.WITHDRAWN, WorkKind.ANOMALY, "reason_contradicted", 5 * HOUR, "hr"),
    (InterviewStatus.BOOKED, WorkKind.FOLLOW_UP, "asks_for_a_person", 20 * HOUR, "lead"),
    (InterviewStatus.COMPLETED, WorkKind.ANOMALY, "time_differs", 28 * HOUR, ""),
]


@dataclass(frozen=True)
class Ask:
    """A request to cancel, as the story has it: when, why, and what became of it."""

    before: timedelta  # how long before the start it was made
    reason: str = "time_conflict"
    detail: str = ""
    # Where HR decides; elsewhere the policy approves at once.
    fate: CancellationStatus = CancellationStatus.REQUESTED
    after: timedelta = timedelta(minutes=9)


@dataclass
class Story:
    """One interview and everything that happened to it, oldest first."""

    interview: Interview
    events: list[tuple[str, dict[str, Any], InterviewStatus, User | None, datetime]] = field(
        default_factory=list
    )
    cancellation: Cancellation | None = None

    def tell(
        self, event: str, status: InterviewStatus, by: User | None, at: datetime, **data: Any
    ) -> None:
        self.events.append((event, data, status, by, at))

    def entries(self) -> list[HistoryEntry]:
        """The story as a hash chain."""
        entries: list[HistoryEntry] = []
        for event, data, status, by, at in self.events:
            after = (entries[-1].sequence, entries[-1].hash) if entries else None
            entries += history.chain(
                self.interview,
                [(event, {**data, "status": status.value})],
                actor=history.actor_of(by),
                at=at,
                after=after,
            )
        return entries


def is_loaded() -> bool:
    return User.objects.filter(email=MARK).exists()


def holds_other_data() -> bool:
    """Whether anybody else has begun to use this database."""
    return User.objects.exists() or Department.objects.exists()


@transaction.atomic
def load() -> None:
    """Fill an empty database. The same people and events every time, moved to around now."""
    Demo(timezone.now()).load()


def invented_national_id(number: int) -> str:
    """Passes every check, and belongs to nobody: the bearer would have been born in 1900."""
    stem = f"11010119000101{number:03d}"
    return stem + ric.calc_check_digit(stem + "0")


class Demo:
    """One loading; what is made first is looked up by what is made later."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.today = timezone.localtime(now).date()
        self.random = random.Random(SEED)  # noqa: S311 - the same every time is the point
        self.password = make_password(PASSWORD)  # slow on purpose, so once for all
        self.staff: dict[str, User] = {}
        self.positions: dict[str, Position] = {}
        self.slots: dict[tuple[int, str, datetime], Slot] = {}
        self.stories: list[Story] = []
        self.reasons = {r.code: r for r in Reason.objects.filter(purpose=Purpose.CANCEL)}

    def load(self) -> None:
        self.make_company()
        self.policies = queries.policies_in_force(timezone.now())
        people = self.make_people()
        self.tell_demo_accounts(people[:5])
        self.tell_of_every_status(people[5:])
        self.tell_of_the_rest(people[25:])
        self.store()
        if settings.DEMO_PLATFORM_URL:
            platform.hold(self.positions["SB-3001"], address=settings.DEMO_PLATFORM_URL)
        self.reinstate_one()
        self.offer_free_slots()
        self.offer_every_week()
        self.let_some_wait()
        absences.show(self.staff["hr"], now=self.now)
        self.lose_one(people[5:])
        ReminderRule.objects.update(
            plan_from=0
        )  # what is to come of these is planned by the worker

    # --- the company ----------------------------------------------------------------------------

    def make_company(self) -> None:
        for key, name, role in [
            ("hr", "周敏", Role.RECRUITER),
            ("lead", "吴建国", Role.HR_LEAD),
            ("dept", "孙立", Role.DEPARTMENT_VIEWER),
            ("admin", "郑雪", Role.ADMINISTRATOR),
        ]:
            self.staff[key] = User.objects.create(
                email=f"{key}@demo.example",
                name=name,
                role=role,
                password=self.password,
                is_superuser=role == Role.ADMINISTRATOR,
                mobile="+8613800000090" if key == "hr" else None,
            )
        departments = {
            code: Department.objects.create(code=code, name=name, email=f"{code}@demo.example")
            for code, name in DEPARTMENTS.items()
        }
        self.staff["hr"].departments.set(departments.values())
        # Not all, so that it shows that a lead sees their own departments only.
        self.staff["lead"].departments.set(
            [department for code, department in departments.items() if code != "hr"]
        )
        self.staff["dept"].departments.set([departments["assembly"]])
        categories = {
            code: PositionCategory.objects.create(code=code, name=name)
            for code, name in CATEGORIES.items()
        }
        for code, title, department, category, city in POSITIONS:
            self.positions[code] = Position.objects.create(
                code=code,
                title=title,
                department=departments[department],
                category=categories[category],
                recruiter=self.staff["hr"],
                city=city,
            )
        self.make_policy(categories["management"])
        write_questions(categories["technical"])

    def make_policy(self, category: PositionCategory) -> None:
        """A second policy, so that two positions can be seen to differ."""
        policy = Policy.objects.create(
            name="管理岗位规则",
            category=category,
            promised_minutes=30,
            default_decision=rules.Default.DECLINE.value,
        )
        Tier.objects.bulk_create(
            Tier(policy=policy, notice_minutes=minutes, outcome=outcome.value, short_notice=short)
            for minutes, outcome, short in [
                (48 * 60, rules.Outcome.AUTOMATIC, False),
                (24 * 60, rules.Outcome.AUTOMATIC, True),
                (0, rules.Outcome.NEEDS_HR, False),
            ]
        )

    # --- people ---------------------------------------------------------------------------------

    def make_people(self) -> list[Candidate]:
        """The five demo accounts first; only they can sign in with a password."""
        names = ["王思远", "李静怡", "陈志强", "赵晓彤", "刘海峰"]
        while len(names) < 62:
            name = self.random.choice(SURNAMES) + self.random.choice(GIVEN_NAMES)
            if name not in names:
                names.append(name)
        return [self.make_person(number, name) for number, name in enumerate(names, start=1)]

    def make_person(self, number: int, name: str) -> Candidate:
        has_account = number <= 5
        user = User.objects.create(
            name=name,
            mobile=f"+86{13800000000 + number if has_account else 13800000100 + number}",
            email=f"candidate{number}@demo.example" if number % 3 else None,
            national_id=invented_national_id(number) if has_account or number % 4 == 0 else "",
            password=self.password if has_account else make_password(None),
        )
        return Candidate.objects.create(
            user=user,
            city=self.random.choice(list(PLACES)),
            attributes={
                "education": self.random.choice(["secondary", "college", "bachelor", "master"]),
                "experience_years": self.random.randint(0, 12),
            },
            talent_pool_at=self.now - number * DAY if number % 3 == 1 else None,
            source=SOURCE,
            source_key=f"C{number:04d}",
        )

    # --- times ----------------------------------------------------------------------------------

    def local(self, days: int, hour: int, minute: int = 0) -> datetime:
        """So many days from today, on the local clock."""
        return timezone.make_aware(datetime.combine(self.today + days * DAY, time(hour, minute)))

    def ahead(self, least: float, most: float) -> datetime:
        """A full or half hour between so many hours from now, in office hours where one is."""
        first = timezone.localtime(self.now + least * HOUR)
        first = first.replace(minute=0, second=0, microsecond=0) + HOUR
        times = [first + half * HOUR / 2 for half in range(int((most - least - 1) * 2))]
        office = (at for at in times if at.hour in OFFICE_HOURS)
        return next(office, min(times, key=lambda at: abs(at.hour - 14)))

    # --- stories --------------------------------------------------------------------------------

    def tell_demo_accounts(self, people: Sequence[Candidate]) -> None:
        first, second, third, _fourth, fifth = people  # the fourth has nothing yet
        status = InterviewStatus
        self.story(first, "IT-5001", status.BOOKED, self.local(3, 14))
        self.story(first, "SB-3001", status.BOOKED, self.ahead(12, 24))
        self.story(first, "ZZ-1001", status.BOOKED, self.ahead(4, 11.5))
        self.story(first, "IT-5002", status.BOOKED, self.local(6, 10), kind=InterviewKind.ON_SITE)
        self.story(first, "SB-3002", status.INVITED, None)
        self.story(first, "ZL-2001", status.COMPLETED, self.local(-9, 15, 30))
        self.story(
            first,
            "ZZ-1003",
            status.CANCELLED,
            self.local(-4, 10),
            ask=Ask(2 * DAY, "accepted_offer"),
        )
        soon = self.ahead(4, 11.5)
        self.story(second, "ZL-2001", status.CANCELLING, soon, ask=self.just_asked(soon, 1))
        self.story(second, "ZL-2002", status.BOOKED, self.local(4, 16))
        # The room is open for it now, and for a day; the third was in it and lost the line.
        just_now = self.now.replace(minute=self.now.minute // 5 * 5, second=0, microsecond=0)
        self.story(second, "SB-3002", status.BOOKED, just_now, lasts=DAY)
        self.story(third, "IT-5002", status.IN_PROGRESS, just_now - HOUR / 2)
        self.story(
            third,
            "ZZ-1003",
            status.CANCELLED,
            self.local(2, 11),
            ask=Ask(self.local(2, 11) - self.now + 5 * HOUR, "career_change"),
        )
        soon = self.ahead(5, 11.5)
        self.story(
            third,
            "SB-3001",
            status.BOOKED,
            soon,
            ask=Ask(
                soon - self.now + HOUR / 2, "personal", DETAILS[0], CancellationStatus.DECLINED
            ),
        )
        self.story(
            fifth, "ZL-2002", status.COMPLETED, self.local(-6, 19), stage=Stage.SECOND_INTERVIEW
        )
        self.story(
            fifth, "GY-4001", status.BOOKED, self.local(1, 14, 30), kind=InterviewKind.ON_SITE
        )
        self.story(fifth, "IT-5001", status.NO_SHOW, self.local(-3, 9, 30))
        self.story(fifth, "ZZ-1001", status.WITHDRAWN, self.local(-12, 18), stage=Stage.ENDED)
        self.story(fifth, "SB-3002", status.INCOMPLETE, self.local(-8, 20))

    def just_asked(self, starts_at: datetime, minutes: int, **details: Any) -> Ask:
        return Ask(starts_at - self.now + timedelta(minutes=minutes), **details)

    def tell_of_every_status(self, people: Sequence[Candidate]) -> None:
        """What the desk has on its table today: one request past the promised 15 or 30 minutes, and
        the others young, so that they stay within it for a while."""
        persons = iter(people)
        for position, least, minutes, reason, detail in [
            ("SB-3002", 3, 19, "time_conflict", ""),
            ("ZZ-1001", 2, 2, "unwell", ""),
            ("IT-5001", 6, 3, "personal", DETAILS[1]),
            ("ZZ-1002", 5, 11, "other", DETAILS[2]),
            ("RL-6001", 7, 8, "accepted_offer", ""),
        ]:
            starts_at = self.ahead(least, 11.5)
            ask = self.just_asked(starts_at, minutes, reason=reason, detail=detail)
            self.story(next(persons), position, InterviewStatus.CANCELLING, starts_at, ask=ask)
        started = self.now.replace(minute=self.now.minute // 5 * 5, second=0, microsecond=0)
        for position, status in [
            ("ZZ-1001", InterviewStatus.IN_PROGRESS),
            ("IT-5002", InterviewStatus.IN_PROGRESS),
            ("ZL-2001", InterviewStatus.EXITING),
        ]:
            self.story(next(persons), position, status, started - timedelta(minutes=15))
        for position in ["GY-4001", "GY-4002", "ZL-2002", "ZZ-1003"]:
            self.story(next(persons), position, InterviewStatus.INVITED, None)
        for position, fate in [
            ("SB-3001", CancellationStatus.APPROVED),
            ("ZL-2001", CancellationStatus.APPROVED),
            ("ZZ-1003", CancellationStatus.DECLINED),
            ("IT-5002", CancellationStatus.LAPSED),
        ]:
            starts_at = self.ahead(3, 10)
            ask = self.just_asked(starts_at, self.random.randint(60, 150), fate=fate)
            off = fate == CancellationStatus.APPROVED
            status = InterviewStatus.CANCELLED if off else InterviewStatus.BOOKED
            self.story(next(persons), position, status, starts_at, ask=ask)
        for position, stage in [
            ("ZZ-1001", Stage.APPLIED),
            ("IT-5001", Stage.SCREENED),
            ("ZL-2001", Stage.ENDED),
            ("ZZ-1003", Stage.APPLIED),
        ]:
            self.application(next(persons), position, stage, self.now - 2 * DAY)

    def tell_of_the_rest(self, people: Sequence[Candidate]) -> None:
        """A fortnight of ordinary days."""
        codes = [code for code, *_ in POSITIONS]
        for number, person in enumerate(people):
            code = codes[number % len(codes)]
            day = number % 13 - 6
            hour, minute = self.random.choice(OFFICE_HOURS[1:-1]), self.random.choice([0, 30])
            starts_at = self.local(day, hour, minute)
            if self.now - 3 * HOUR < starts_at <= self.now:
                starts_at -= DAY  # so that what ended has ended by now
            if starts_at > self.now:
                fates = [InterviewStatus.BOOKED] * 5 + [InterviewStatus.CANCELLED]
            else:
                fates = [InterviewStatus.COMPLETED] * 5 + [
                    InterviewStatus.NO_SHOW,
                    InterviewStatus.NO_SHOW,
                    InterviewStatus.INCOMPLETE,
                    InterviewStatus.WITHDRAWN,
                    InterviewStatus.CANCELLED,
                ]
            status = self.random.choice(fates)
            if (
                number % 26 == 0
            ):  # six days ago: some at any hour, so that each ending is to be seen
                status = InterviewStatus.INCOMPLETE
            ask = None
            if status == InterviewStatus.CANCELLED:
                ask = self.past_ask(starts_at)
            self.story(person, code, status, starts_at, ask=ask)
            if status == InterviewStatus.COMPLETED and number % 2:
                second = self.local(3 + number % 4, 10 + number % 6)
                self.story(person, code, InterviewStatus.BOOKED, second, kind=InterviewKind.ON_SITE)

    def past_ask(self, starts_at: datetime) -> Ask:
        """A request some hours or days before the start, and in any case not in the future."""
        notice = self.random.choice([5, 15, 30, 55]) * HOUR
        until_now = starts_at - self.now + self.random.randint(3, 50) * HOUR
        reason = self.random.choice(["time_conflict", "accepted_offer", "not_interested", "unwell"])
        return Ask(max(notice, until_now), reason, fate=CancellationStatus.APPROVED)

    # --- building one interview -----------------------------------------------------------------

    def application(
        self, person: Candidate, code: str, stage: Stage, applied_at: datetime
    ) -> Application:
        screened = stage != Stage.APPLIED
        application, _created = Application.objects.get_or_create(
            candidate=person,
            position=self.positions[code],
            defaults={
                "reference": self.reference(),
                "stage": stage,
                "applied_at": applied_at,
                "screened_at": applied_at + 20 * HOUR if screened else None,
                "source": SOURCE,
            },
        )
        return application

    def story(
        self,
        person: Candidate,
        code: str,
        status: InterviewStatus,
        starts_at: datetime | None,
        *,
        kind: InterviewKind = InterviewKind.AI,
        stage: Stage | None = None,
        ask: Ask | None = None,
        lasts: timedelta | None = None,
    ) -> None:
        """Make one interview that has come as far as `status`, with all that led there."""
        booked_at = min(starts_at or self.now, self.now) - self.random.randint(60, 90) * HOUR
        invited_at = booked_at - self.random.randint(8, 30) * HOUR
        on_site = kind == InterviewKind.ON_SITE
        application = self.application(
            person,
            code,
            stage or (Stage.SECOND_INTERVIEW if on_site else Stage.AI_INTERVIEW),
            invited_at - 2 * DAY,
        )
        if on_site and application.stage == Stage.AI_INTERVIEW:
            application.stage = Stage.SECOND_INTERVIEW
            application.save(update_fields=["stage"])
        position = application.position
        reference = self.reference()
        interview = Interview(
            reference=reference,
            application=application,
            kind=kind,
            status=status,
            location=PLACES[position.city] if on_site else "",
            interviewer=self.staff["dept"] if on_site and code.startswith("ZZ") else None,
            deadline=self.local(4, 18),
            source=SOURCE,
            source_key=reference,
        )
        interview.created_at = invited_at
        story = Story(interview)
        self.stories.append(story)
        story.tell("invited", InterviewStatus.INVITED, position.recruiter, invited_at)
        if starts_at is None:
            return
        slot = self.slot(position, kind, starts_at, lasts)
        interview.starts_at, interview.ends_at = slot.starts_at, slot.ends_at
        interview.opened_at = booked_at - HOUR
        interview.booked_at = booked_at
        story.tell(
            "booked",
            InterviewStatus.BOOKED,
            person.user,
            booked_at,
            slot=slot.pk,
            starts_at=slot.starts_at.isoformat(),
        )
        if ask:
            self.ask_to_cancel(story, slot, ask)
        elif status in CAME and len(self.stories) % 3:
            at = interview.confirmed_at = slot.starts_at - 20 * HOUR
            story.tell("confirmed", InterviewStatus.BOOKED, person.user, at)
        self.go_on(story, slot.starts_at)
        if status in KEEPS_ITS_SLOT:
            interview.slot = slot
            slot.booked += 1

    def go_on(self, story: Story, starts_at: datetime) -> None:
        """From the booked time onwards."""
        interview = story.interview
        for event, status, minutes in AFTER_THE_START.get(interview.status, []):
            by = interview.candidate.user if event in CANDIDATES_OWN else None
            at = starts_at + timedelta(minutes=minutes)
            story.tell(event, status, by, at)
            if status in ENDED:
                interview.ended_at = at

    def ask_to_cancel(self, story: Story, slot: Slot, ask: Ask) -> None:
        """The request, and what the policy or HR made of it."""
        interview, person = story.interview, story.interview.candidate.user
        at = slot.starts_at - ask.before
        policy = queries.policy_for(interview, self.policies)
        decision = rules.decide(policy, starts_at=slot.starts_at, asked_at=at)
        automatic = decision.outcome is rules.Outcome.AUTOMATIC
        fate = CancellationStatus.APPROVED if automatic else ask.fate
        cancellation = story.cancellation = Cancellation(
            reference=self.reference(),
            interview=interview,
            requested_by=person,
            reason=self.reasons[ask.reason],
            detail=ask.detail,
            requested_at=at,
            starts_at=slot.starts_at,
            slot=slot,
            notice=decision.notice,
            outcome=decision.outcome.value,
            short_notice=decision.short_notice,
            policy=rules.snapshot(policy),
            decide_by=decision.decide_by,
            status=fate,
        )
        facts = cancellation.for_history
        waiting = InterviewStatus.BOOKED if automatic else InterviewStatus.CANCELLING
        story.tell(
            "cancellation_requested",
            InterviewStatus.CANCELLED if automatic else waiting,
            person,
            at,
            **facts,
            reason=ask.reason,
        )
        if fate == CancellationStatus.REQUESTED:
            return
        cancellation.decided_at = decided_at = at if automatic else at + ask.after
        if fate == CancellationStatus.LAPSED:
            cancellation.decided_by = person
            story.tell(
                "cancellation_taken_back",
                InterviewStatus.BOOKED,
                person,
                decided_at,
                **facts,
            )
            return
        if not automatic:
            cancellation.decided_by, cancellation.note = self.staff["lead"], NOTES[fate]
        by = cancellation.decided_by
        if fate == CancellationStatus.DECLINED:
            story.tell("cancellation_declined", InterviewStatus.BOOKED, by, decided_at, **facts)
            return
        interview.ended_at = decided_at
        story.tell(
            "cancelled",
            InterviewStatus.CANCELLED,
            by or person,
            decided_at,
            **facts,
            decided_by="hr" if by else "policy",
        )

    def slot(
        self, position: Position, kind: str, starts_at: datetime, lasts: timedelta | None = None
    ) -> Slot:
        usual = HOUR / 2 if kind == InterviewKind.AI else HOUR
        key = (position.pk, kind, starts_at)
        if key not in self.slots:
            self.slots[key] = Slot.objects.create(
                position=position,
                kind=kind,
                starts_at=starts_at,
                ends_at=starts_at + (lasts or usual),
                capacity=10 if kind == InterviewKind.AI else 3,
            )
        return self.slots[key]

    def reference(self) -> str:
        return "".join(self.random.choices(ALPHABET, k=LENGTH))

    # --- storing --------------------------------------------------------------------------------

    def store(self) -> None:
        interviews = [story.interview for story in self.stories]
        invited = {interview.reference: interview.created_at for interview in interviews}
        Interview.objects.bulk_create(interviews)
        for interview in interviews:
            interview.created_at = invited[interview.reference]  # creating put now in its place
        Interview.objects.bulk_update(interviews, ["created_at"])
        Slot.objects.bulk_update(self.slots.values(), ["booked"])
        HistoryEntry.objects.bulk_create(
            entry for story in self.stories for entry in story.entries()
        )
        room = Room(self.now)
        for interview in interviews:
            room.seat(interview)
        cancellations = [story.cancellation for story in self.stories if story.cancellation]
        Cancellation.objects.bulk_create(cancellations)
        for cancellation in cancellations:
            self.send_what_is_news(cancellation)
        self.leave_work(cancellations)

    def leave_work(self, cancellations: Sequence[Cancellation]) -> None:
        """What waits at the desk and what HR settled there, requests first; then something of each
        other kind, one taken on and one past its time."""
        for cancellation in cancellations:
            if cancellation.outcome == rules.Outcome.NEEDS_HR:
                work.open_request(cancellation)
                if cancellation.decided_at:
                    by, at = cancellation.decided_by, cancellation.decided_at
                    work.settle_requests(cancellation.interview, by=by, at=at)
        for status, kind, code, due_in, assignee in OTHER_WORK:
            story = next(
                story
                for story in self.stories
                if story.interview.status == status and story.interview.position.code != "RL-6001"
            )
            open_item(
                kind,
                audience=story.interview.position.department.audience,
                subject=story.interview.subject,
                params={"code": code},
                opened_at=self.now - DAY,
                due_at=self.now + due_in,
                escalate_at=self.now + due_in + HOUR,
                assignee=f"user:{self.staff[assignee].pk}" if assignee else "",
            )

    def send_what_is_news(self, cancellation: Cancellation) -> None:
        """Messages of the last hours; older ones would all seem to have been sent just now."""
        if cancellation.requested_at < self.now - 8 * HOUR:
            return
        match cancellation.status:
            case CancellationStatus.REQUESTED:
                notify(*notices.received(cancellation))
            case CancellationStatus.APPROVED:
                notify(*notices.cancelled(cancellation))
            case CancellationStatus.DECLINED:
                notify(*notices.declined(cancellation))

    def reinstate_one(self) -> None:
        """Somebody called who had pressed the wrong button: HR brought the interview back."""
        by_mistake = Interview.objects.filter(
            status=InterviewStatus.CANCELLED, starts_at__gt=self.now
        ).earliest("starts_at", "pk")
        correct_interview(
            by_mistake.reference,
            by=self.staff["admin"],
            move=Move.REINSTATE,
            expected=InterviewStatus.CANCELLED,
            reason="候选人来电：误触取消，希望按原时间参加。",
            starts_at=by_mistake.starts_at,
        )

    def let_some_wait(self) -> None:
        """Who cancelled because of the time waits for another, and the first is being asked."""
        conflicts = Cancellation.objects.filter(
            status=CancellationStatus.APPROVED, is_exit=False, reason=self.reasons["time_conflict"]
        )
        for cancellation in conflicts.with_facts().order_by("pk"):
            refill.wait_after_conflict(cancellation.interview, at=cancellation.requested_at)
        first = WaitingEntry.objects.order_by("since", "pk").first()
        if first is not None:
            slots = Slot.objects.filter(
                position=first.position, kind=first.kind, starts_at__gt=self.now + DAY
            )
            if slot := slots.filter(booked__lt=F("capacity")).order_by("starts_at", "pk").first():
                refill.offer_now(slot.pk, among=[first.position_id])

    def lose_one(self, people: Sequence[Candidate]) -> None:
        """Nothing reaches the last of them who comes, and somebody has to find out how to."""
        booked = Interview.objects.filter(
            status=InterviewStatus.BOOKED,
            starts_at__gt=self.now + DAY,
            application__candidate__in=people,
        )
        interview = booked.latest("starts_at", "pk")
        for channel, address, code in [
            (Channel.SMS, interview.candidate.user.mobile, "30005"),
            (Channel.EMAIL, interview.candidate.user.email, "550"),
        ]:
            if address:
                Notification.objects.create(
                    event="interview_reminder",
                    channel=channel,
                    recipient=f"user:{interview.candidate.user_id}",
                    address=address,
                    language="zh-hans",
                    subject=interview.subject,
                    dedupe_key=f"demo:lost:{channel.value}",
                    state=State.FAILED,
                    error_code=code,
                    not_before=self.now - HOUR,
                    created_at=self.now - HOUR,
                )
        OutOfReach.objects.create(
            recipient=f"user:{interview.candidate.user_id}",
            subject=interview.subject,
            since=self.now - HOUR,
            code="30005",
        )
        reach.tell()

    def offer_free_slots(self) -> None:
        """Evenings and mornings of the coming days on which nobody is booked yet."""
        half_hour = HOUR / 2
        Slot.objects.bulk_create(
            [
                Slot(position=position, starts_at=at, ends_at=at + half_hour, capacity=10)
                for position in self.positions.values()
                for day in range(1, 8)
                for at in (self.local(day, 10), self.local(day, 19))
                if (position.pk, InterviewKind.AI, at) not in self.slots
            ]
        )

    def offer_every_week(self) -> None:
        """Evenings of every week for the position somebody is invited to, none on New Year's Day;
        and a certificate without which nobody comes to its second interview."""
        position = self.positions["SB-3002"]
        series = SlotSeries.objects.create(
            position=position,
            weekdays=[0, 1, 2, 3, 4],
            times=[time(18), time(18, 30), time(19, 30)],
            capacity=2,
            since=self.today,
        )
        new_year = date(self.today.year + 1, 1, 1)
        Closure.objects.create(name="元旦", first_day=new_year, last_day=new_year)
        make_slots(series.pk)
        gate = StageGate.objects.create(
            position=position,
            stage=Stage.SECOND_INTERVIEW,
            kind=GateKind.DOCUMENT,
            name_zh="健康证",
            name_en="Health certificate",
            expires=True,
        )
        self.hand_in(gate)

    def hand_in(self, gate: StageGate) -> None:
        """Somebody has handed in theirs, and nobody has looked at it."""
        going_on = Application.objects.filter(position=gate.position, interviews__isnull=False)
        application = going_on.exclude(stage__in=gates.OVER).latest("pk")
        gates.upload(
            application.reference,
            gate.pk,
            by=application.candidate.user,
            content=ONE_PAGE,
            expires_on=self.today + 300 * DAY,
        )
