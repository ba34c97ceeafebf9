"""`make screenshots`: every page, two sizes, both languages, light and dark, into screenshots/.

Needs an empty database (the throw-away one of `python -m config.embedded exec`). Words given on the
command line choose the pages whose name or address contains one of them: `ARGS="desk"` is what
staff see.
"""

# ruff: noqa: T201 - a command line

import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from pathlib import Path

import django
from playwright.sync_api import Browser, Error, Page, sync_playwright

from tests.browser_tests import CHROMIUM, CHROMIUM_ARGUMENTS

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
FOLDER = Path(__file__).resolve().parent.parent / "screenshots"
PHONE, TABLET, WIDE = (390, 844), (768, 1024), (1280, 800)
LANGUAGES = {"zh-hans": "zh-CN", "en": "en-US"}
SCHEMES = ["light", "dark"]

# Fulfilled once what stands in the page has been drawn as it is now.
DRAWN = "new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))"

Step = Callable[[Page], object]


@dataclass(frozen=True)
class Shot:
    """One page: where it is, who looks at it, and what they did there first."""

    name: str
    path: str
    session: str = ""
    steps: tuple[Step, ...] = ()

    @property
    def sizes(self) -> list[tuple[int, int]]:
        return [TABLET if self.path.startswith("/desk/") else PHONE, WIDE]

    def is_meant(self, words: list[str]) -> bool:
        return not words or any(word in self.name or word in self.path for word in words)


def main(words: list[str]) -> None:
    django.setup()
    logging.disable(logging.INFO)  # a line for each request
    shots = [shot for shot in prepare() if shot.is_meant(words)]
    FOLDER.mkdir(exist_ok=True)
    with served() as origin, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        failed = 0
        for size, language in product([PHONE, TABLET, WIDE], LANGUAGES):
            sized = [shot for shot in shots if size in shot.sizes]
            failed += take(browser, origin, sized, size, language)
        browser.close()
    print(f"{(len(shots) * 4 - failed) * 2} pictures in {FOLDER}", flush=True)
    if failed:
        sys.exit(1)


def wording(*place: str) -> str:
    from django.urls import reverse

    return reverse("cancellations:edit_wording", args=place)


def foreseen() -> str:
    """A model that is in use, one that is not, and some appointments for which a call may help."""
    from django.urls import reverse
    from django.utils import timezone

    from analytics.risk import services
    from analytics.risk.evaluation import Verdict
    from analytics.risk.scoring import Weights
    from tests.analytics.risk.scored import model

    ahead = dict.fromkeys(("ahead=day", "ahead=days", "ahead=week", "ahead=long"), 0.9)
    weights = {**ahead, "hour=morning": 0.4, "hour=afternoon": 0.7, "hour=evening": 0.8}
    model(weights=Weights(-1.2, weights, dict.fromkeys(weights, 0.1), 0.3))
    model("cancel", verdict=Verdict.TOO_FEW)
    services.look_ahead(now=timezone.now())
    return reverse("risk:index")


def ending_reminders() -> str:
    """Where the link in a reminder leads."""
    from urllib.parse import urlsplit

    from notifications import unsubscribing
    from notifications.models import Notification

    mail = Notification(event="interview_reminder", channel="email", recipient="user:1")
    return urlsplit(unsubscribing.url_for(mail)).path


def prepare() -> list[Shot]:
    """Demo data, somebody with nothing at all, and the pages worth looking at."""
    from django.core.management import call_command
    from django.urls import reverse
    from django.utils import timezone

    from accounts.models import User
    from accounts.permissions import Role
    from cancellations.models import Cancellation
    from interviews.models import Interview
    from notifications.models import WorkItem, WorkKind
    from notifications.services import deliver_due
    from tests.factories import DepartmentFactory, UserFactory

    call_command("migrate", verbosity=0)
    call_command("load_demo", past=True)
    User.objects.update(language="")
    deliver_due(seconds=60)
    call_command("rebuild_cells", verbosity=0)
    nobody = session_of(UserFactory(name="陈一", language=""))
    idle = session_of(
        UserFactory(
            lead=True,
            role=Role.HR_LEAD,
            departments=[DepartmentFactory(name="行政部")],
            language="",
        )
    )
    lead = session_of(User.objects.get(email="lead@demo.example"))
    viewer = session_of(User.objects.get(email="dept@demo.example"))
    busiest = User.objects.get(mobile="+8613800000001")

    queue, several = reverse("cancellations:queue"), reverse("cancellations:bulk")
    asked = Cancellation.objects.filter(outcome="needs_hr").order_by("-decided_at", "decide_by")
    numbers = asked.values_list("reference", flat=True)[:5]
    receipts = "&".join(f"receipt={number}" for number in numbers)
    lost = WorkItem.objects.get(kind=WorkKind.WRONG_CONTACT)
    shots = [
        Shot("sign-in", reverse("accounts:sign_in")),
        Shot("sign-in-code", reverse("accounts:request_code")),
        Shot("sign-in-desk", reverse("accounts:desk_sign_in")),
        Shot("forgotten", reverse("accounts:forgotten")),
        Shot("me", reverse("accounts:me"), session_of(busiest)),
        Shot("messages-to-me", reverse("accounts:messages"), session_of(busiest)),
        Shot("messages-off", ending_reminders()),
        Shot("mine-empty", reverse("cancellations:mine"), nobody),
        Shot("mine-none-matching", reverse("cancellations:mine") + "?period=past", nobody),
        Shot("mine-filter-errors", reverse("cancellations:mine") + "?since=0001-01-01", nobody),
        Shot("help", reverse("cancellations:help")),
        Shot("receipt-check", reverse("cancellations:check_receipt")),
        Shot("receipt-check-wrong", reverse("cancellations:check_receipt") + "?number=12345"),
        Shot("error-404", "/nowhere/"),
        Shot("error-404-desk", "/desk/nowhere/", lead),
        Shot("api", reverse("api:docs")),
        Shot("menu", reverse("cancellations:mine"), session_of(busiest), (open_menu,)),
        Shot("demo-messages", reverse("notifications:demo_messages")),
        Shot("desk-queue", queue, lead),
        Shot("desk-queue-viewer", queue, viewer),
        Shot("desk-queue-empty", queue, idle),
        Shot("desk-queue-filter", f"{queue}?kind=follow_up", lead, (open_filter,)),
        Shot("desk-queue-none-matching", f"{queue}?kind=anomaly&assignee=me", lead),
        Shot("desk-queue-keys", queue, lead, (key("?"),)),
        Shot(
            "desk-queue-ready",
            f"{queue}?kind=cancellation",
            lead,
            (key("x"), key("d"), see("main textarea")),
        ),
        Shot("desk-queue-anomaly", f"{queue}?kind=anomaly", lead),
        Shot("desk-queue-wrong-contact", f"{queue}?kind=wrong_contact", lead),
        Shot("desk-wrong-contact", reverse("cancellations:work_item", args=[lost.reference]), lead),
        Shot("desk-queue-several", f"{several}?action=approve&{receipts}", lead),
        Shot("desk-queue-several-done", f"{several}done/?action=approve&{receipts}", lead),
    ]
    shots += staff_pages(User.objects.get(email="admin@demo.example"), busiest)
    shots += policy_pages(User.objects.get(email="admin@demo.example"), lead)
    shots += connection_pages(User.objects.get(email="admin@demo.example"))
    shots += company_pages(User.objects.get(email="lead@demo.example"), idle)
    interviews = reverse("cancellations:interviews")
    told = Interview.objects.filter(status="cancelled", application__position__code="ZZ-1003")
    told_path = reverse("cancellations:desk_interview", args=[told.first().reference])
    administrator = session_of(User.objects.get(email="admin@demo.example"))
    shots += [
        Shot("desk-risk", foreseen(), lead),
        Shot("desk-risk-empty", reverse("risk:index"), idle),
        Shot("desk-risk-models", reverse("risk:models"), lead),
        Shot("desk-interviews", interviews, lead),
        Shot("desk-interviews-narrowed", f"{interviews}?status=booked&kind=ai", lead),
        Shot("desk-interviews-filter", interviews, lead, (open_tool(0),)),
        Shot("desk-interviews-columns", interviews, lead, (open_tool(1),)),
        Shot("desk-interviews-chosen", interviews, lead, (tick_two,)),
        Shot("desk-interviews-empty", interviews, idle),
        Shot("desk-interview", told_path, lead),
        Shot("desk-interview-viewer", told_path, viewer),
        Shot("desk-company-over", f"{told_path}cancel/", lead),
        Shot("desk-correct", f"{told_path}correct/", lead),
        Shot("desk-correct-check", f"{told_path}correct/", lead, (give_a_reason, press)),
        *import_shots(),
        Shot("desk-inbox", reverse("cancellations:inbox"), lead),
        Shot("desk-inbox-empty", reverse("cancellations:inbox"), idle),
        Shot("desk-settings", reverse("cancellations:settings"), lead),
        Shot("desk-wording", reverse("cancellations:wording"), lead),
        Shot("desk-wording-sms", wording("cancellation_done", "sms", "zh-hans"), lead),
        Shot("desk-wording-email", wording("company_cancelled_many", "email", "en"), administrator),
        Shot("desk-settings-viewer", reverse("cancellations:settings"), viewer),
        Shot("desk-interview-revealed", told_path, lead, (press_in(".reveal"),)),
        Shot("desk-search", reverse("cancellations:search"), lead),
        Shot("desk-search-nothing", reverse("cancellations:search"), lead, (search_in_vain,)),
        *insight_pages(lead, idle),
        *alert_pages(idle),
    ]
    shots += history_pages(User.objects.get(email="admin@demo.example"), lead)
    for number in range(1, 6):
        person = User.objects.get(mobile=f"+861380000000{number}")
        shots.append(Shot(f"mine-{number}", reverse("cancellations:mine"), session_of(person)))
    own = Interview.objects.filter(application__candidate__user__mobile__startswith="+86138000000")
    for status in sorted(set(own.values_list("status", flat=True))):
        interview = own.filter(status=status).with_facts().first()
        address = reverse("cancellations:interview", args=[interview.reference])
        session = session_of(interview.candidate.user)
        shots.append(Shot(f"interview-{status}", address, session))
    booked = own.filter(status="booked", starts_at__gt=timezone.now()).with_facts()
    interview = booked.order_by("starts_at").first()
    address = reverse("cancellations:cancel", args=[interview.reference])
    session = session_of(interview.candidate.user)
    shots += [
        Shot("cancel", address, session),
        Shot("cancel-chosen", address, session, (choose("time_conflict"),)),
        Shot("cancel-errors", address, session, (choose("other"), press)),
        Shot("check", address, session, (choose("time_conflict"), press)),
    ]
    for status in sorted(set(Cancellation.objects.values_list("status", flat=True))):
        receipt = Cancellation.objects.filter(status=status).first()
        path = reverse("cancellations:receipt", args=[receipt.reference])
        shots.append(Shot(f"receipt-{status}", path))
    shots += room_pages()
    shots += leaving_pages(User.objects.get(email="lead@demo.example"), lead)
    shots += help_pages(session_of(User.objects.get(email="admin@demo.example")))
    shots += refill_pages(lead)
    shots += time_pages(lead, administrator)
    shots += absence_pages(lead, administrator)
    shots += platform_pages(User.objects.get(email="admin@demo.example"))
    return shots + error_pages(nobody)


def room_pages() -> list[Shot]:
    """The interview room: at its door, in it with and without a line, before leaving, and after."""
    from django.urls import reverse

    from interviews.room.models import Question, QuestionSet
    from tests.factories import CandidateFactory, InterviewFactory, PositionFactory, SittingFactory

    position = PositionFactory(title="装配技术员")
    asked: list[dict[str, object]] = [
        {
            "stage": "introduction",
            "zh": "请用几句话介绍一下您自己。",
            "en": "Please introduce yourself in a few sentences.",
            "seconds": None,
            "may_speak": False,
        },
        {
            "stage": "professional",
            "zh": "流水线上有一个零件装反了，您会怎么做？",
            "en": "A part on the line has been fitted the wrong way round. What do you do?",
            "seconds": 600,
            "may_speak": True,
        },
    ]
    questions = QuestionSet.objects.create(name="装配", position=position)
    for order, each in enumerate(asked, start=1):
        texts = {"text_zh": each["zh"], "text_en": each["en"]}
        rest = {name: each[name] for name in ("stage", "seconds", "may_speak")}
        Question.objects.create(question_set=questions, order=order, **texts, **rest)

    def page(name: str, status: str, *steps: Step, current: int = 1, minutes: int = 5) -> Shot:
        interview = InterviewFactory(
            candidate=CandidateFactory(user__language=""),
            position=position,
            status=status,
            link="",
            starts_in=timedelta(minutes=minutes),
        )
        if status not in ("booked", "no_show"):
            SittingFactory(
                interview=interview,
                questions=[{"number": n, **each} for n, each in enumerate(asked, start=1)],
                current=current,
                ended=status in ("completed", "incomplete", "withdrawn"),
            )
        session = session_of(interview.candidate.user)
        return Shot(
            f"room-{name}", reverse("room:page", args=[interview.reference]), session, steps
        )

    return [
        page("too-early", "booked", minutes=90),
        page("too-late", "booked", minutes=-120),
        page("no-show", "no_show", minutes=-120),
        page("check", "booked", see_the_line),
        page("resume", "in_progress"),
        page("practice", "in_progress", come_in("#practice"), current=0),
        page("question", "in_progress", come_in("#text:not([readonly])"), answer),
        page("limit", "in_progress", come_in("#recorder"), current=2),
        page("offline", "in_progress", come_in("#recorder"), lose_the_line, answer, current=2),
        page("conflict", "in_progress", come_in("#text:not([readonly])"), answer, meet_a_conflict),
        page("recorded", "in_progress", come_in("#recorder"), record, current=2),
        page("short-of-time", "in_progress", come_in("#recorder"), run_short, current=2),
        page("time-up", "in_progress", come_in("#recorder"), say("time_up"), current=2),
        page("elsewhere", "in_progress", come_in("#text:not([readonly])"), say("elsewhere")),
        page("signed-out", "in_progress", come_in("#text:not([readonly])"), say("signed_out")),
        page("waiting-to-go-on", "in_progress", come_in("#recorder"), say("waiting"), current=2),
        page("over", "in_progress", come_in("#text:not([readonly])"), answer, end_it),
        page("leave", "in_progress", come_in("#text:not([readonly])"), answer, ask_to_leave),
        page("leave-offline", "in_progress", come_in("#recorder"), cannot_leave, current=2),
        page("end", "in_progress", come_in("#end"), current=3),
        page("finished", "completed"),
        page("waiting", "exiting"),
        page("left", "withdrawn"),
        page("incomplete", "incomplete"),
    ]


def leaving_pages(lead: object, desk: str) -> list[Shot]:
    """Leaving midway and what follows, free and under strict rules: theirs, and HR's."""
    from django.urls import reverse
    from django.utils import timezone

    from cancellations import exits, policies
    from cancellations.models import Policy, Purpose, Reason
    from cancellations.queries import columns_of, tiers_of
    from cancellations.services import approve_cancellation, decline_cancellation
    from interviews.models import Interview, Position
    from tests.factories import (
        CandidateFactory,
        InterviewFactory,
        PositionFactory,
        SittingFactory,
        SlotFactory,
    )

    mine = Position.objects.filter(department__in=lead.departments.all()).order_by("pk")  # type: ignore[attr-defined]
    free, strict = mine[:2]
    general = Policy.objects.filter(is_active=True).order_by("pk").first()
    assert general is not None
    columns = columns_of(general) | {
        "name": "夜班产线组长",
        "position_id": strict.pk,
        "exit_professional": "needs_hr",
        "exit_second_factor": True,
        "cooldown_days": 30,
        "self_rebooking": False,
    }
    rule = policies.create_policy(policies.Draft(columns, tiers_of(general)), by=lead)  # type: ignore[arg-type]
    policies.switch_on(rule.pk, by=lead, version=rule.version, is_meant=True)  # type: ignore[arg-type]
    for day in range(1, 5):
        SlotFactory(position=free, starts_at=timezone.now() + timedelta(days=day, hours=day))

    def someone(position: Position, *, minutes: int = 12) -> Interview:
        interview = InterviewFactory(
            candidate=CandidateFactory(user__language=""),
            position=position,
            status="in_progress",
            link="",
            starts_in=timedelta(minutes=-minutes),
        )
        now = timezone.now()
        sitting = SittingFactory(
            interview=interview, current=2, entered_at=now - timedelta(minutes=minutes)
        )
        if minutes > 0:
            text = "我在深圳的一家电子厂工作了三年。"
            sitting.answers.filter(number=1).update(text=text, saved_at=now, revision=1)
        return interview

    def left(position: Position, code: str = "emergency") -> Interview:
        interview = someone(position)
        reason = Reason.objects.get(purpose=Purpose.EXIT, code=code)
        by = interview.candidate.user
        exits.leave(interview.reference, by=by, reason=reason, confirmed=True)
        return interview

    def page(name: str, interview: Interview, route: str, *steps: Step, **session: object) -> Shot:
        own = () if route == "mine" else (interview.reference,)
        path = reverse(f"cancellations:{route}", args=own)
        return Shot(name, path, session_of(interview.candidate.user, **session), steps)

    booked = InterviewFactory(
        candidate=CandidateFactory(user__language=""),
        position=free,
        link="",
        starts_in=timedelta(minutes=5),
    )
    one, strictly, gone = someone(free), someone(strict), left(free, "device")
    choice = {"interview": strictly.reference, "reason": "emergency", "detail": ""}
    chosen = {"exit_choice": choice}
    waiting, refused, cooling = left(strict), left(strict), left(strict)
    request = refused.cancellations.get()
    decline_cancellation(request.pk, by=lead, note="只剩两道题，请您尽量完成。")  # type: ignore[arg-type]
    approve_cancellation(cooling.cancellations.get().pk, by=lead)  # type: ignore[arg-type]
    receipt = gone.cancellations.get().reference
    nothing_free = left(PositionFactory(title="叉车司机", department=free.department))
    wrong = (fill_in_a_code, press_danger)
    return [
        page("mine-to-enter", booked, "mine"),
        page("interview-to-enter", booked, "interview"),
        page("mine-to-resume", one, "mine"),
        page("interview-to-resume", one, "interview"),
        page("exit", one, "exit"),
        page("exit-errors", one, "exit", choose("other"), press_danger),
        page("exit-strict", strictly, "exit", choose("emergency")),
        page("exit-false-start", someone(free, minutes=-60), "exit"),
        page("exit-code", strictly, "exit_code", **chosen),
        page("exit-code-wrong", strictly, "exit_code", *wrong, **chosen),
        page("interview-left", gone, "interview"),
        page("interview-left-cooling", cooling, "interview"),
        page("interview-leaving", waiting, "interview"),
        page("interview-to-go-on", refused, "interview"),
        page("again", gone, "again"),
        page("again-none", nothing_free, "again"),
        Shot("receipt-left", reverse("cancellations:receipt", args=[receipt])),
        Shot("desk-interview-left", desk_page("desk_interview", gone), desk),
        Shot("desk-interview-leaving", desk_page("desk_interview", waiting), desk),
        Shot("desk-interview-under-way", desk_page("desk_interview", one), desk),
        Shot("desk-follow-up", desk_page("follow_up", one), desk),
        Shot(
            "desk-queue-leaving",
            reverse("cancellations:case", args=[waiting.cancellations.get().reference]),
            desk,
        ),
        Shot("policy-strict", reverse("cancellations:policy", args=[rule.pk]), desk),
        Shot("policy-strict-edit", reverse("cancellations:edit_policy", args=[rule.pk]), desk),
    ]


def refill_pages(desk: str) -> list[Shot]:
    """A place that came free: offered, taken, gone; waiting and applying again; HR's list."""
    from django.urls import reverse

    from accounts.models import User
    from interviews.models import Position
    from interviews.refill import services
    from interviews.refill.links import token_of
    from interviews.refill.models import Offer
    from tests.factories import InterviewFactory, OfferFactory, SlotFactory, WaitingEntryFactory

    lead = User.objects.get(email="lead@demo.example")
    position = Position.objects.filter(department__in=lead.departments.all()).order_by("pk").first()
    assert position is not None
    speaks = {"entry__interview__candidate__user__language": ""}

    def offer() -> Offer:
        return OfferFactory(place__slot__position=position, **speaks)

    def by_link(each: Offer) -> str:
        return reverse("refill:by_link", args=[token_of(each.reference)])

    kept, taken, passed, gone = offer(), offer(), offer(), offer()
    services.accept(taken.reference)
    services.decline(passed.reference)
    services.withdraw_offers([gone.slot_id])
    waiting = WaitingEntryFactory(
        position=position, asked=True, interview__candidate__user__language=""
    )
    over = InterviewFactory(
        position=position, status="cancelled", slot=None, candidate__user__language=""
    )
    about = InterviewFactory(position=position, candidate__user__language="")
    SlotFactory(position=position, starts_at=about.starts_at + timedelta(days=2))

    def interview(each: object) -> str:
        return reverse("cancellations:interview", args=[each.reference])  # type: ignore[attr-defined]

    cancel = reverse("cancellations:cancel", args=[about.reference])
    mine, theirs = session_of(kept.entry.candidate.user), session_of(about.candidate.user)
    pool = reverse("talent_pool:mine")
    overview = reverse("refill:index")
    return [
        Shot("offer", by_link(kept)),
        Shot("offer-mine", reverse("cancellations:mine"), mine),
        Shot("offer-taken", by_link(taken)),
        Shot("offer-passed", by_link(passed)),
        Shot("offer-gone", by_link(gone)),
        Shot("waiting", interview(waiting.interview), session_of(waiting.candidate.user)),
        Shot("ways-on", interview(over), session_of(over.candidate.user)),
        Shot("cancel-other-times", cancel, theirs, (choose("time_conflict"),)),
        Shot("check-other-times", cancel, theirs, (choose("time_conflict"), press)),
        Shot("check-other-positions", cancel, theirs, (choose("not_interested"), press)),
        Shot("check-guide", cancel, theirs, (choose("difficulty"), press)),
        Shot("talent-pool", pool, theirs),
        Shot("desk-refill", overview, desk),
        Shot("desk-refill-position", f"{overview}{position.pk}/", desk),
    ]


def time_pages(desk: str, administrator: str) -> list[Shot]:
    """Invitations, booking, moving, documents; the calendar, and the reminders."""
    from django.urls import reverse
    from django.utils import timezone

    from accounts.models import User
    from interviews.booking import slots
    from interviews.booking.queries import invitation_token
    from interviews.models import Closure, Interview, Position, ReminderRule
    from interviews.reminders.links import CONFIRM, TROUBLE, token_for
    from tests.factories import (
        CandidateFactory,
        DocumentFactory,
        InterviewFactory,
        SlotFactory,
        SlotSeriesFactory,
        StageGateFactory,
    )

    lead = User.objects.get(email="lead@demo.example")
    position = Position.objects.filter(department__in=lead.departments.all()).order_by("pk").first()
    assert position is not None
    now, today = timezone.now(), timezone.localdate()
    candidate = CandidateFactory(user__language="")
    theirs = session_of(candidate.user)

    def given(**details: object) -> Interview:
        return InterviewFactory(candidate=candidate, position=position, link="", **details)

    invited = given(invited=True, deadline=now + timedelta(days=7))
    expired = given(invited=True, deadline=now - timedelta(days=1), kind="on_site")
    booked = InterviewFactory(candidate__user__language="", position=position, link="")
    times = [
        SlotFactory(position=position, starts_at=now + timedelta(days=day, hours=hour))
        for day in (2, 3, 4)
        for hour in (0, 2, 4)
    ]
    series = SlotSeriesFactory(position=position)
    slots.make_slots(series.pk, now=now)
    Closure.objects.create(
        first_day=today + timedelta(days=12), last_day=today + timedelta(days=14), name="盘点"
    )
    done = InterviewFactory(candidate__user__language="", position=position, completed=True)
    gate = StageGateFactory(position=position)
    StageGateFactory(position=position, score=True)
    DocumentFactory(application=done.application, gate=gate)
    rule = ReminderRule.objects.order_by("pk").first()
    assert rule is not None

    def of(name: str, interview: Interview) -> str:
        return reverse(name, args=[interview.reference])

    refusal = of("cancellations:decline_invitation", invited)
    week = f"{reverse('interviews:calendar')}?position={position.pk}"
    return [
        Shot("invitation", reverse("interviews:invitation", args=[invitation_token(invited)])),
        Shot("invitation-over", reverse("interviews:invitation", args=[invitation_token(expired)])),
        Shot("invitation-wrong", reverse("interviews:invitation", args=["7K2M9QX4TB.x"])),
        Shot(
            "invitation-of-another",
            reverse("interviews:invitation", args=[invitation_token(invited)]),
            session_of(booked.candidate.user),
        ),
        Shot("book", of("cancellations:book", invited), theirs),
        Shot("move", of("cancellations:move", booked), session_of(booked.candidate.user)),
        Shot("decline", refusal, theirs),
        Shot(
            "decline-errors",
            of("cancellations:decline_invitation", invited),
            theirs,
            (press_danger,),
        ),
        Shot("documents", of("interviews:documents", done), session_of(done.candidate.user)),
        Shot("desk-documents", of("interviews:desk_documents", done), desk),
        Shot("confirm", reverse("reminders:appointment", args=[token_for(booked, CONFIRM)])),
        Shot("trouble-broken", reverse("reminders:trouble", args=["7K2M9QX4TB"])),
        Shot("trouble", reverse("reminders:trouble", args=[token_for(booked, TROUBLE)])),
        Shot("desk-give-time", of("cancellations:give_time", invited), desk),
        Shot("desk-calendar", week, desk),
        Shot("desk-calendar-slot", reverse("interviews:slot", args=[times[0].pk]), desk),
        Shot("desk-calendar-slot-new", reverse("interviews:new_slot"), desk),
        Shot("desk-calendar-series", reverse("interviews:all_series"), desk),
        Shot("desk-calendar-series-new", reverse("interviews:new_series"), desk),
        Shot("desk-calendar-series-one", reverse("interviews:series", args=[series.pk]), desk),
        Shot("desk-calendar-closures", reverse("interviews:closures"), administrator),
        Shot("desk-calendar-closure-new", reverse("interviews:new_closure"), administrator),
        Shot("desk-reminders", reverse("reminders:rules"), desk),
        Shot("desk-reminders-rule", reverse("reminders:edit_rule", args=[rule.pk]), administrator),
        Shot("desk-reminders-new", reverse("reminders:new_rule"), administrator),
        Shot("desk-chats", reverse("cancellations:chat_groups"), administrator),
        Shot("desk-chats-new", reverse("cancellations:new_chat_group"), administrator),
    ]


def absence_pages(desk: str, administrator: str) -> list[Shot]:
    """Who did not come: what HR decides by, what stands on the record, and the appeal."""
    from django.urls import reverse

    from accounts.models import User
    from cancellations.absences import services
    from interviews.models import Position
    from tests.factories import AbsenceFactory, SlotFactory, tell

    lead = User.objects.get(email="lead@demo.example")
    position = Position.objects.filter(department__in=lead.departments.all()).order_by("pk").first()
    assert position is not None

    def absent() -> object:
        absence = AbsenceFactory(
            interview__position=position, interview__candidate__user__language=""
        )
        tell(absence.interview, created_at=absence.starts_at - timedelta(hours=2))
        return absence

    open_one, marked, appealed = absent(), absent(), absent()
    SlotFactory(position=position)
    marks = [services.mark(each.reference, by=lead) for each in (marked, appealed)]  # type: ignore[attr-defined]
    text = "当天公交车停运，我打过电话。"
    owner = appealed.interview.candidate.user  # type: ignore[attr-defined]
    services.appeal(marks[1].reference, by=owner, text=text)

    def record(absence: object, *steps: Step) -> tuple[str, str, tuple[Step, ...]]:
        who = absence.interview.candidate.user  # type: ignore[attr-defined]
        return reverse("cancellations:record"), session_of(who), steps

    case = reverse("cancellations:absence", args=[open_one.reference])  # type: ignore[attr-defined]
    return [
        Shot("record", *record(marked)),
        Shot("record-appealed", *record(appealed)),
        Shot("record-nothing", *record(open_one)),
        Shot("desk-absence", case, desk),
        Shot("desk-absence-mark", case, session_of(lead), (ask_to_mark,)),
        Shot(
            "desk-absence-decided",
            reverse("cancellations:absence", args=[marked.reference]),  # type: ignore[attr-defined]
            desk,
        ),
        Shot(
            "desk-appeal",
            reverse("cancellations:appeal", args=[marks[1].reference]),
            administrator,
        ),
    ]


def help_pages(administrator: str) -> list[Shot]:
    """The assistant, the guide, the answers, and HR's pages about them."""
    from django.urls import reverse

    from cancellations.help import services
    from cancellations.help.models import FaqEntry
    from interviews.models import Interview
    from tests.factories import SittingFactory

    def talked(text: str, reason: str = "", *, to_a_person: bool = False) -> tuple[Interview, str]:
        interview = SittingFactory(interview__candidate__user__language="").interview
        talk, turns = services.ask(interview, text=text, reason=reason, conversation=None)
        if to_a_person:
            services.hand_over(talk)
        else:
            services.say_whether_it_helped(talk, turns[-1].pk, len(turns) == 1)
        return interview, f"?talk={talk.reference}"

    def page(name: str, interview: Interview, query: str = "", *steps: Step) -> Shot:
        path = reverse("cancellations:assistant", args=[interview.reference]) + query
        return Shot(name, path, session_of(interview.candidate.user), steps)

    first = SittingFactory(interview__candidate__user__language="").interview
    answers, number = reverse("cancellations:faq"), FaqEntry.objects.order_by("order").first()
    assert number is not None
    question = reverse("cancellations:faq_edit", args=[number.pk])
    return [
        page("assistant", first),
        page("assistant-errors", first, "", press),
        page("assistant-answers", *talked("面试时断网了，答案会丢吗", "device")),
        page("assistant-offers", *talked("", "not_interested")),
        page("assistant-privacy", *talked("我的录音谁能看到，隐私怎么办")),
        page("assistant-nothing", *talked("xyzzy")),
        page("assistant-person", *talked("xyzzy", to_a_person=True)),
        Shot("guide", reverse("cancellations:guide")),
        Shot("help-found", reverse("cancellations:help") + "?q=断网"),
        Shot("help-nothing", reverse("cancellations:help") + "?q=xyzzy"),
        Shot("faq", answers, administrator),
        Shot("faq-edit", question, administrator),
        Shot("faq-errors", reverse("cancellations:faq_new"), administrator, (press,)),
    ]


def error_pages(candidate: str) -> list[Shot]:
    """What somebody reads when something went wrong."""
    from django.urls import reverse

    return [
        Shot("error-403", "/desk/", candidate),
        Shot("error-403-form", reverse("accounts:sign_in"), "", (spoil_the_token, press)),
        Shot("error-400", reverse("accounts:sign_in"), "", (meet("400"),)),
        Shot("error-500", reverse("accounts:sign_in"), "", (meet("500"),)),
        Shot("error-503", reverse("accounts:sign_in"), "", (meet("503"),)),
        Shot("sign-in-too-often", reverse("accounts:sign_in"), "", (try_too_often,)),
        Shot("forgotten-sent", reverse("accounts:reset_sent")),
    ]


def desk_page(name: str, interview: object) -> str:
    from django.urls import reverse

    return reverse(f"cancellations:{name}", args=[interview.reference])  # type: ignore[attr-defined]


def insight_pages(lead: str, idle: str) -> list[Shot]:
    """Figures of a quarter, and those of somebody whose department has none."""
    from django.urls import reverse

    from analytics.dashboards.pages import PAGES

    overview = reverse("analytics:overview")
    found = []
    for page in PAGES.values():
        path = reverse(page.url_name)
        found.append(Shot(f"desk-insights-{page.name}", f"{path}?period=last_90", lead))
        found.append(Shot(f"desk-insights-{page.name}-empty", path, idle))
    return [
        *found,
        *finding_pages(lead, idle),
        Shot("desk-insights-ahead", f"{overview}?since=2099-01-01", lead),
        Shot("desk-insights-wrong", f"{overview}?position=0", lead),
        Shot("desk-insights-filter", overview, lead, (open_tool(0),)),
    ]


def alert_pages(idle: str) -> list[Shot]:
    """Two that are open, some that are over, and the rules, tried and refused."""
    from django.urls import reverse
    from django.utils import timezone

    from accounts.models import User
    from analytics.alerts.models import Alert, AlertRule
    from interviews.models import Position
    from tests.analytics.alerts.watched import alert_of

    lead = User.objects.get(email="lead@demo.example")
    first = Alert.objects.open().get()
    position = Position.objects.filter(department__staff=lead).earliest("pk")
    left = {"rate": "exit", "days": 30, "threshold": 30, "evidence": []}
    alert_of("position", position.pk, count=17, whole=45, **left)
    now = timezone.now()
    for day, ending in enumerate(("recovered", "too_few", "off"), 2):
        ended = now - timedelta(days=day)
        opened = ended - timedelta(days=3)
        alert_of("position", position.pk, opened_at=opened, closed_at=ended, ending=ending)
    index, who = reverse("alerts:index"), session_of(lead)
    rule = reverse("alerts:edit_rule", args=[AlertRule.objects.earliest("pk").pk])
    administrator = session_of(User.objects.get(email="admin@demo.example"))
    return [
        Shot("desk-alerts", index, who),
        Shot("desk-alerts-empty", index, idle),
        Shot("desk-alerts-one", reverse("alerts:alert", args=[first.pk]), who),
        Shot("desk-alerts-rules", reverse("alerts:rules"), administrator),
        Shot("desk-alerts-rule", rule, administrator),
        Shot("desk-alerts-rule-wrong", reverse("alerts:new_rule"), administrator, (press,)),
        Shot("desk-alerts-rule-remove", f"{rule}delete/", administrator),
    ]


def finding_pages(lead: str, idle: str) -> list[Shot]:
    """What stands out, and what was done: long enough ago to tell, and lately."""
    from django.urls import reverse

    from analytics.findings.models import Action

    early, action = Action.objects.order_by("-done_on")
    log = f"{reverse('findings:log')}?found=no_show&since={action.since}&until={action.until}"
    return [
        Shot("desk-insights-findings", reverse("findings:index"), lead),
        Shot("desk-insights-findings-empty", reverse("findings:index"), idle),
        Shot("desk-insights-actions", reverse("findings:actions"), lead),
        Shot("desk-insights-actions-empty", reverse("findings:actions"), idle),
        Shot("desk-insights-action", reverse("findings:action", args=[action.pk]), lead),
        Shot("desk-insights-action-early", reverse("findings:action", args=[early.pk]), lead),
        Shot("desk-insights-action-log", log, lead),
        Shot("desk-insights-action-edit", reverse("findings:edit", args=[action.pk]), lead),
        Shot("desk-insights-action-remove", reverse("findings:remove", args=[action.pk]), lead),
    ]


def history_pages(administrator: object, lead: str) -> list[Shot]:
    """History with a break in it, the configuration's, and the seals."""
    from django.urls import reverse

    from interviews.models import HistoryEntry
    from interviews.seals import seal_history
    from tests.database import without_triggers

    seal_history()
    told = HistoryEntry.objects.filter(event="cancelled").latest("at")
    with without_triggers():
        HistoryEntry.objects.filter(pk=told.pk).update(actor="user:1")
    history, session = reverse("cancellations:history"), session_of(administrator)
    one = f"{history}?interview={told.interview.reference}"
    return [
        Shot("history", history, lead),
        Shot("history-filter", history, lead, (open_tool(0),)),
        Shot("history-narrowed", f"{history}?event=cancelled&actor=candidate", lead),
        Shot("history-nothing", f"{history}?actor=import&event=work_resolved", lead),
        Shot("history-broken", one, lead, (press_in(".verify"),)),
        Shot("history-configuration", reverse("cancellations:configuration_history"), lead),
        Shot("history-looked-at", reverse("cancellations:looked_at"), session),
        Shot("history-removed", reverse("cancellations:removed_interviews"), session),
        Shot("history-seals", reverse("cancellations:history_seals"), session),
    ]


def staff_pages(administrator: object, candidate: object) -> list[Shot]:
    """Who works at the desk, what they may do, and how they sign in."""
    from django.urls import reverse

    from accounts import staff, two_step
    from accounts.models import User
    from tests.factories import UserFactory

    mine = session_of(administrator, confirmed=True)
    lead = User.objects.get(email="lead@demo.example")
    person = staff.invite(
        name="王芳",
        email="wang.fang@demo.example",
        role="recruiter",
        departments=list(lead.departments.all()),
        by=administrator,
    )
    staff.change_access(person.pk, role="hr_lead", departments=[], by=administrator)
    staff.deactivate(UserFactory(viewer=True, name="周强", language="").pk, by=administrator)
    two_step.switch_on(lead, two_step.new_secret())
    two_step.make_recovery_codes(lead)
    own = session_of(lead, confirmed=True)
    return [
        Shot("staff", reverse("accounts:people"), mine),
        Shot("staff-none", reverse("accounts:people") + "?role=recruiter&state=inactive", mine),
        Shot("staff-invite", reverse("accounts:invite"), mine),
        Shot("staff-invite-errors", reverse("accounts:invite"), mine, (press,)),
        Shot("staff-person", reverse("accounts:person", args=[person.pk]), mine),
        Shot("staff-lead", reverse("accounts:person", args=[lead.pk]), mine),
        Shot("staff-oneself", reverse("accounts:person", args=[administrator.pk]), mine),  # type: ignore[attr-defined]
        Shot("staff-roles", reverse("accounts:roles"), mine),
        Shot("staff-me", reverse("accounts:me"), own),
        Shot("staff-two-step-off", reverse("accounts:two_step"), mine),
        Shot("staff-two-step", reverse("accounts:two_step"), own),
        Shot("staff-app", reverse("accounts:two_step_on"), mine),
        Shot("staff-passkey", reverse("accounts:add_passkey"), own),
        Shot("staff-codes", reverse("accounts:recovery_codes"), own, (press,)),
        Shot("staff-confirm", reverse("accounts:confirm"), mine),
    ]


def policy_pages(administrator: object, lead: str) -> list[Shot]:
    """The rules for cancelling, and a draft for all of them to be tried."""
    from django.urls import reverse

    from cancellations import policies, rules
    from cancellations.models import Policy
    from cancellations.queries import columns_of

    general = Policy.objects.filter(is_active=True).order_by("pk").first()
    columns = columns_of(general) | {"name": "48 小时规则（试算）"}
    hours = timedelta(hours=1)
    tiers = (
        rules.Tier(96 * hours, rules.Outcome.AUTOMATIC),
        rules.Tier(48 * hours, rules.Outcome.AUTOMATIC, short_notice=True),
        rules.Tier(4 * hours, rules.Outcome.NEEDS_HR),
    )
    draft = policies.create_policy(policies.Draft(columns, tiers), by=administrator)
    session = session_of(administrator)

    def page(name: str, policy: object) -> str:
        return reverse(f"cancellations:{name}", args=[policy.pk])

    return [
        Shot("policies", reverse("cancellations:policies"), lead),
        Shot("policy", page("policy", general), session),
        Shot("policy-draft", page("policy", draft), session),
        Shot("policy-new", reverse("cancellations:new_policy"), lead),
        Shot("policy-errors", reverse("cancellations:new_policy"), lead, (press,)),
        Shot("policy-edit", page("edit_policy", general), session),
        Shot("policy-conflict", page("edit_policy", draft), session, (write_on_an_old_page, press)),
        Shot("policy-switch", page("switch_policy", draft), session),
        Shot("policy-switch-off", page("switch_policy", general), session),
        Shot("policy-try", page("try_policy", draft) + "?days=365", session),
    ]


def connection_pages(administrator: object) -> list[Shot]:
    """Two tokens and two webhooks: one that sees all kinds of answers, and one switched off."""
    from django.urls import reverse
    from django.utils import timezone

    from accounts import api_tokens
    from accounts.models import ApiToken, User
    from accounts.scopes import Scope
    from interviews.models import Department
    from notifications import webhooks
    from notifications.models import Webhook

    session = session_of(administrator)
    empty = reverse("cancellations:connections")
    lead = User.objects.get(email="lead@demo.example")
    for name, days in (("北森招聘系统", 90), ("ERP", 30)):
        api_tokens.issue_token(
            name,
            acts_as=lead,
            scopes=list(Scope),
            expires_at=timezone.now() + timedelta(days=days),
            by=administrator,  # type: ignore[arg-type]
        )
    hook = Webhook.objects.create(
        name="北森招聘系统",
        url="https://tracker.example/hooks/mianyue/events?tenant=electronics-shenzhen",
        secret=webhooks.new_secret(),
        audiences=[each.audience for each in Department.objects.all()[:2]],
        events=["cancelled", "booked"],
    )
    off = Webhook.objects.create(name="ERP", url="https://erp.example/", secret="x")
    for _ in range(3):
        webhooks.ping(hook.pk)
    for outcome in (
        webhooks.Outcome(200, "", 38),
        webhooks.Outcome(500, "http_500", 12),
        webhooks.Outcome(None, "timeout", 10004),
    ):
        Webhook.objects.update(rests_until=None)
        delivery = webhooks.claim(timezone.now())
        assert delivery is not None
        webhooks.finish(delivery, outcome)
    webhooks.switch(off.pk, on=False)

    def page(name: str, *args: object) -> str:
        return reverse(f"cancellations:{name}", args=args)

    token = ApiToken.objects.first()
    assert token is not None
    return [
        Shot("connections", empty, session),
        Shot("connections-token", page("new_token"), session),
        Shot("connections-token-errors", page("new_token"), session, (press,)),
        Shot("connections-secret", page("new_token"), session, (fill_in_a_token, press)),
        Shot("connections-revoke", page("revoke_token", token.pk), session),
        Shot("connections-webhook", page("webhook", hook.pk), session),
        Shot("connections-webhook-off", page("webhook", off.pk), session),
        Shot("connections-webhook-new", page("new_webhook"), session),
        Shot("connections-webhook-edit", page("edit_webhook", hook.pk), session),
    ]


def platform_pages(administrator: object) -> list[Shot]:
    """A platform after some weeks, one that is switched off, and adding one."""
    from django.urls import reverse

    from interviews.models import Interview, Position
    from tests.interviews.platforms import platform_for, with_a_past

    session = session_of(administrator)
    home = reverse("interviews:platforms")
    platform = platform_for("alder", url="https://api.alder.example/eu/interviews")
    platform_for("birch", url="https://openapi.birch.example", is_active=False)
    Position.objects.filter(code="SB-3001").update(platform=platform)
    there = Interview.objects.filter(application__position__code="SB-3001", kind="ai")
    ahead = there.filter(status="booked").order_by("pk")
    first = [*ahead[:2], there.filter(status="completed").first()]
    with_a_past(platform, first)

    def page(name: str, *args: object) -> str:
        return reverse(f"interviews:{name}", args=args)

    new = page("new_platform")
    return [
        Shot("platforms", home, session),
        Shot("platform", page("platform", "alder"), session),
        Shot("platform-calls", page("platform", "alder") + "?log=calls", session),
        Shot("platform-off", page("platform", "birch"), session),
        Shot("platform-new", f"{new}?example=alder", session),
        Shot("platform-new-errors", new, session, (press,)),
        Shot("platform-edit", page("edit_platform", "alder"), session),
        Shot("platform-secret", page("act_on_platform", "alder", "secret"), session),
        Shot(
            "platform-secret-shown", page("act_on_platform", "birch", "secret"), session, (press,)
        ),
        *(
            Shot(
                f"platform-interview-{number}",
                reverse("cancellations:desk_interview", args=[interview.reference]),
                session,
            )
            for number, interview in enumerate(first, start=1)
        ),
    ]


def company_pages(lead: object, idle: str) -> list[Shot]:
    """The company calls interviews off: one, many, and the work of it half-way and done."""
    from django.urls import reverse

    from cancellations.jobs import start_cancelling
    from cancellations.models import Purpose, Reason
    from config.references import new_reference
    from interviews.jobs import run_job
    from interviews.models import Interview, Job
    from interviews.queries import visible_to

    session = session_of(lead)
    visible = visible_to(lead)  # type: ignore[arg-type]
    booked = list(visible.filter(status="booked").order_by("-starts_at")[:12])
    ended = list(visible.filter(status="completed")[:2])

    def work(interviews: list[Interview]) -> Job:
        return start_cancelling(
            [each.reference for each in interviews],
            by=lead,  # type: ignore[arg-type]
            reason=Reason.objects.get(purpose=Purpose.COMPANY, code="hiring_freeze"),
            detail="",
            note="",
            reference=new_reference(),
        )

    done, waiting = work([*booked[:4], *ended]), work(booked[4:8])
    run_job(done.pk)
    many, jobs = reverse("cancellations:company_cancel_many"), reverse("interviews:jobs")
    one = reverse("cancellations:company_cancel", args=[booked[8].reference])
    paste = paste_references([each.reference for each in [*booked[8:], *ended]] + ["7K2M9QX4TB"])
    return [
        Shot("desk-company-one", one, session),
        Shot("desk-company-one-check", one, session, (choose("hiring_freeze"), press)),
        Shot("desk-company-many", many, session),
        Shot("desk-company-preview", many, session, (paste, press)),
        Shot("desk-company-errors", many, session, (paste, press, press)),
        Shot("desk-company-check", many, session, (paste, press, choose("hiring_freeze"), press)),
        Shot("desk-jobs", jobs, session),
        Shot("desk-jobs-empty", jobs, idle),
        Shot("desk-job-waiting", reverse("interviews:job", args=[waiting.reference]), session),
        Shot("desk-job-done", reverse("interviews:job", args=[done.reference]), session),
    ]


def import_shots() -> list[Shot]:
    """A file of three rows, previewed, imported and compared."""
    from django.urls import reverse

    from interviews.imports import jobs as imports
    from interviews.imports import mapping
    from interviews.jobs import run_job
    from interviews.models import Job
    from tests.factories import UserFactory

    administrator = UserFactory(administrator=True, name="周敏", language="zh-hans")
    session = session_of(administrator)
    titles = "面试编号,姓名,手机号,部门,岗位,状态,开始时间,地点"
    rows = [
        "OLD-0001,林晓,13900009001,制造部,装配技术员,已完成,2026-05-09 14:00,深圳市龙华区",
        "OLD-0002,高远,13900009002,制造部,装配技术员,未到场,2026-05-09 15:00,深圳市龙华区",
        "OLD-0003,何静,139000,制造部,装配技术员,已完成,2026年5月,深圳市龙华区",
    ]
    template = mapping.load("template")

    def file(*lines: str) -> bytes:
        return "\n".join([titles, *lines]).encode()

    first = imports.start_preview(file(*rows[:2]), "2026-05.csv", template, by=administrator)
    imported = imports.start_import(Job.objects.get(pk=first.pk), by=administrator)
    run_job(imported.pk)
    again = file(*rows, rows[0].replace("0001", "0004"))
    preview = imports.start_preview(again, "2026-05.csv", template, by=administrator)
    changed = file(rows[0].replace("已完成", "未到场"), rows[2], rows[1].replace("0002", "0009"))
    compared = imports.start_comparison(changed, "old.csv", template, by=administrator)
    run_job(compared.pk)
    type(administrator).objects.filter(pk=administrator.pk).update(language="")
    return [
        Shot("desk-imports", reverse("interviews:imports"), session),
        Shot(
            "desk-imports-preview",
            reverse("interviews:import_preview", args=[preview.reference]),
            session,
        ),
        Shot(
            "desk-imports-undo",
            reverse("interviews:undo_import", args=[imported.reference]),
            session,
        ),
        Shot("desk-imports-compare", reverse("interviews:compare"), session),
        Shot(
            "desk-imports-comparison",
            reverse("interviews:comparison", args=[compared.reference]),
            session,
        ),
    ]


def session_of(user: object, *, confirmed: bool = False, **further: object) -> str:
    """The key of a session in which `user` is signed in, and has given their password lately;
    `further` stands in it as well."""
    import time

    from django.test import Client

    from accounts.services import CONFIRMED_SESSION_KEY

    client = Client()
    client.force_login(user)  # type: ignore[arg-type]
    if confirmed:
        further[CONFIRMED_SESSION_KEY] = time.time()
    if further:
        session = client.session
        session.update(further)
        session.save()
    return client.session.session_key or ""


def come_in(place: str) -> Step:
    def step(page: Page) -> None:
        page.locator("main form .button-primary").click()
        page.locator(place).wait_for()

    return step


def see(what: str) -> Step:
    return lambda page: page.locator(what).wait_for()


def see_the_line(page: Page) -> None:
    page.locator("[data-check=line] [data-result=good]").wait_for()


ANSWERS = ["我在深圳的一家电子厂工作了三年，负责装配和质检。", "我在深圳的一家电子厂工作了三年。"]


def answer(page: Page) -> None:
    """Not what stood there before: of that there is nothing to send."""
    box = page.locator("#text")
    box.fill(ANSWERS[box.input_value() == ANSWERS[0]])
    page.locator("#saved:is([data-state=saved], [data-state=offline])").wait_for()


def lose_the_line(page: Page) -> None:
    page.route("**/room/*/**", lambda route: route.abort())


def meet_a_conflict(page: Page) -> None:
    page.evaluate(
        "answer.offers.push({ text: '我在东莞工作过三年。', isRestored: false }); answer.offer()"
    )


def ask_to_leave(page: Page) -> None:
    page.locator("header [data-exit]").click()
    page.locator("#leave #exit").wait_for()


def cannot_leave(page: Page) -> None:
    page.route("**/exit/", lambda route: route.abort())
    page.locator("header [data-exit]").click()
    page.locator("[data-leave=failed]").wait_for()


def record(page: Page) -> None:
    page.context.grant_permissions(["microphone"])
    page.locator("[data-do=record]").click()
    page.locator("#recorder [data-clock]", has_text="0:01").wait_for()  # so that there is a sound
    page.locator("[data-do=stop]").click()
    page.locator("#recorder[data-state=sent]").wait_for()


def run_short(page: Page) -> None:
    page.evaluate("clock.set(24); clock.runs = false")


def say(name: str) -> Step:
    return lambda page: page.evaluate(f"notice('{name}')")


def end_it(page: Page) -> None:
    page.evaluate("end()")


def press_danger(page: Page) -> None:
    with page.expect_navigation():
        page.locator("main .button-danger").click()


def fill_in_a_code(page: Page) -> None:
    page.locator("#id_code").fill("000000")


def spoil_the_token(page: Page) -> None:
    page.locator("main [name=csrfmiddlewaretoken]").evaluate("each => { each.value = 'x' }")


def meet(status: str) -> Step:
    """A page that only a fault shows, as it is drawn then."""

    def step(page: Page) -> None:
        from django.test import RequestFactory
        from django.utils import translation

        from config import views

        language = page.evaluate("navigator.language").lower()
        with translation.override("zh-hans" if language.startswith("zh") else "en"):
            if status == "400":
                response = views.bad_request(RequestFactory().get("/nowhere/"), ValueError())
            else:
                response = views.bare_page(f"{status}.html", int(status))
        body = response.content.decode()  # type: ignore[attr-defined]
        page.route(
            "**/fault/",
            lambda route: route.fulfill(body=body, content_type="text/html; charset=utf-8"),
        )
        page.goto(page.url.split("/sign-in")[0] + "/fault/")

    return step


def try_too_often(page: Page) -> None:
    for _ in range(6):
        page.locator("#id_identifier, [name=identifier]").first.fill("13900000000")
        page.locator("[type=password]").fill("not the password")
        press(page)


def open_filter(page: Page) -> None:
    page.locator(".queue-filter summary").click()


def key(name: str) -> Step:
    return lambda page: page.keyboard.press(name)


def open_menu(page: Page) -> None:
    page.locator(".menu > summary").click()


def open_tool(number: int) -> Step:
    return lambda page: page.locator(".tool > summary").nth(number).click()


def tick_two(page: Page) -> None:
    for number in range(2):
        page.locator("tbody [type=checkbox]").nth(number).check()


def press_in(place: str) -> Step:
    return lambda page: page.locator(f"{place} button").click()


def search_in_vain(page: Page) -> None:
    page.locator("main input[type=search]").fill("nobody of this name")
    press(page)


def leave(page: Page) -> None:
    """Whatever is on its way there may still arrive first."""
    try:
        page.goto("about:blank")
    except Error:
        page.goto("about:blank")


def ask_to_mark(page: Page) -> None:
    page.locator("main textarea").first.fill("提醒已送达，当天也未来电。")
    with page.expect_navigation():
        page.locator("main button[formaction$='/mark/']").click()


def choose(reason: str) -> Step:
    return lambda page: page.locator(f'input[type="radio"][value="{reason}"]').check()


def press(page: Page) -> None:
    with page.expect_navigation():
        page.locator("main button.button-primary").click()


def give_a_reason(page: Page) -> None:
    for name in ("move", "when"):
        page.locator(f"main input[name={name}]").first.check()
    page.locator("main textarea").first.fill("系统录入有误，已与候选人电话确认。")


def write_on_an_old_page(page: Page) -> None:
    page.locator("input[name=version]").evaluate("each => { each.value -= 1 }")
    page.locator("input[name=promised_minutes]").fill("45")


def fill_in_a_token(page: Page) -> None:
    page.locator("input[name=name]").fill("BI")
    page.locator("select[name=acts_as]").select_option(index=1)
    page.locator("input[name=scopes]").first.check()


def paste_references(references: list[str]) -> Step:
    return lambda page: page.locator("main textarea").first.fill("\n".join(references))


@contextmanager
def served() -> Iterator[str]:
    """The product on a free port, in threads of this process."""
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
    from django.core.wsgi import get_wsgi_application

    class Quiet(WSGIRequestHandler):
        disable_nagle_algorithm = True

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadedWSGIServer(("127.0.0.1", 0), Quiet)
    server.set_app(get_wsgi_application())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def take(
    browser: Browser,
    origin: str,
    shots: list[Shot],
    size: tuple[int, int],
    language: str,
) -> int:
    """How many of them could not be drawn is returned."""
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        locale=LANGUAGES[language],
        reduced_motion="reduce",
    )
    page = context.new_page()
    failed = 0
    for shot in shots:
        leave(page)  # the room still says goodbye, as who was in it
        context.clear_cookies()
        if shot.session:
            context.add_cookies([{"name": "sessionid", "value": shot.session, "url": origin}])
        page.emulate_media(color_scheme=SCHEMES[0])  # type: ignore[arg-type]
        try:
            page.goto(origin + shot.path)
            for step in shot.steps:
                step(page)
            page.wait_for_load_state()
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                page.evaluate(DRAWN)
                file = FOLDER / f"{shot.name}.{width}.{language}.{scheme}.png"
                page.screenshot(path=file, full_page=True)
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                print(f"{shot.name} at {width} in {language}: wider than the screen")
        except Error as error:  # the others are worth drawing all the same
            failed += 1
            print(f"{shot.name} at {width} in {language}: {error}")
        page.unroute_all()
    context.close()
    return failed


if __name__ == "__main__":
    main(sys.argv[1:])
