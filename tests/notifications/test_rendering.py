import re
from datetime import UTC, datetime, time, timedelta
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from accounts import api_tokens, receivers
from accounts import notices as account_notices
from accounts.models import AccessChangeKind, ApiToken
from accounts.services import Purpose
from analytics import cells
from analytics.alerts import notices as alert_notices
from analytics.alerts.models import Alert
from analytics.dashboards import weekly
from analytics.figures import Period
from cancellations import exit_notices, notices
from cancellations.absences import notices as absence_notices
from cancellations.models import Party
from candidates.models import Appeal
from interviews.booking import notices as booking_notices
from interviews.gates import notices as gate_notices
from interviews.models import Correction, Decline, Interview, Move, ReminderRule, Step
from interviews.refill import notices as refill_notices
from interviews.reminders import notices as reminder_notices
from interviews.reminders import queries as reminder_queries
from interviews.reminders import rules as reminder_rules
from interviews.reminders.queries import Due
from notifications import rendering
from notifications.models import Notification, Webhook
from notifications.services import Notice
from tests.analytics.alerts.watched import alert_of
from tests.factories import (
    AbsenceFactory,
    CancellationFactory,
    DocumentFactory,
    InterviewFactory,
    MarkFactory,
    OfferFactory,
    PositionFactory,
    StageGateFactory,
    UserFactory,
    WorkItemFactory,
)

pytestmark = pytest.mark.django_db  # the company may have words of its own

TEMPLATES = Path(settings.BASE_DIR) / "templates/notifications"
START = datetime(2024, 5, 10, 6, 0, tzinfo=UTC)
NUMBERS = count()
FULL = {
    "candidate": "张三",
    "position": "装配技术员",
    "department": "制造一部",
    "kind": "ai",
    "starts_at": START.isoformat(),
    "reason": "时间冲突",
    "short_notice": True,
    "promised_minutes": 15,
    "decide_at": START.isoformat(),
    "decided_by_policy": True,
    "note": "产线急需",
    "receipt": "7K2M9QX4TB",
    "talent_pool": True,
    "recruiter": "李四",
}


def notification(event, channel, language="zh-hans", params=None, **fields):
    return Notification(
        event=event,
        channel=channel,
        recipient="user:1",
        address="+8613800000001",
        language=language,
        subject="interview:X",
        params=FULL if params is None else params,
        dedupe_key=f"{event}:{channel}",
        created_at=timezone.now(),
        **fields,
    )


def words(event, channel, language="zh-hans", params=None, **fields):
    return rendering.render(notification(event, channel, language, params, **fields))


def mailbox() -> str:
    """Nobody else's."""
    return f"zhang{next(NUMBERS)}@example.com"


def account_told() -> list[Notice]:
    """Everything a person is told about signing in."""
    user = UserFactory(email=mailbox())
    return [
        account_notices.code(user, Purpose.SIGN_IN.value, "135790", minutes=5),
        account_notices.code(user, Purpose.RESET.value, "135790", minutes=5),
        account_notices.reset_link(user, "https://mianyue.example/reset/x/", minutes=30),
        *account_notices.password_changed(user),
    ]


def connections_told() -> list[Notice]:
    """What staff are told about tokens and webhooks."""
    administrator = UserFactory(administrator=True)
    token = ApiToken(name="ATS", user=administrator, created_by=administrator)
    hook = Webhook(name="ERP", failing_since=START)
    return [api_tokens.issued(token), *receivers.switched_off(hook)]


def weekly_told() -> list[Notice]:
    """The week in figures, with everything there is in it."""
    day = timezone.localdate() - timedelta(days=3)
    week = Period(day, day)
    lead = UserFactory(lead=True, departments=[(position := PositionFactory()).department])
    at = timezone.make_aware(datetime.combine(day, time(10)))
    InterviewFactory(position=position, completed=True, starts_at=at)
    off = InterviewFactory(position=position, status="cancelled", slot=None, starts_at=at)
    CancellationFactory(approved=True, interview=off)
    while cells.recount_batch():
        pass
    return [*weekly.summary(lead, week)]


def alerts_told() -> list[Notice]:
    alert = alert_of("position", PositionFactory().pk)
    audiences = {alert.pk: "department:1"}
    opened = [*alert_notices.opened([alert], audiences)]
    item, lead = WorkItemFactory(kind="anomaly"), UserFactory(lead=True)
    for step in ("remind", "escalate"):
        opened += alert_notices.waiting(alert, item, step, [lead])
    Alert.objects.filter(pk=alert.pk).update(closed_at=timezone.now(), ending="recovered")
    return [*opened, *alert_notices.closed([Alert.objects.get()], audiences)]


def used() -> set[tuple[str, str]]:
    """Every event and channel that the notices of a cancellation really use."""
    cancellation = CancellationFactory(
        interview__candidate__user__email=mailbox(),
        interview__interviewer=UserFactory(staff=True),
    )
    told = [
        *notices.received(cancellation),
        *notices.cancelled(cancellation),
        *notices.declined(cancellation),
        *notices.taken_back(cancellation),
    ]
    return {(notice.event, notice.channel) for notice in told}


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("kind", ["ai", "on_site"])
@pytest.mark.parametrize("optional", [True, False])
def test_every_notice_of_a_cancellation_has_words(language, kind, optional):
    left_out = {
        "starts_at": None,
        "short_notice": False,
        "promised_minutes": None,
        "decide_at": None,
        "note": "",
        "talent_pool": False,
        "recruiter": "",
    }
    params = FULL | {"kind": kind} | ({} if optional else left_out)
    for event, channel in used():
        message = words(event, channel, language, params)
        text = f"{message.title}\n{message.body}"
        assert message.body
        assert bool(message.title) == (channel != "sms")
        assert "None" not in text
        assert "  " not in text
        assert not re.search(r"[，。：；]{2}|[{}]|\(\)|（）|\n\n\n", text)
        assert ("现场" in text or "on-site" in text) == (kind == "on_site")
        if language == "en":
            assert not re.search(r"[，。：；【】]", text)


def chased_told(**interview) -> list[Notice]:
    """Everything staff are told about what has waited too long."""
    lead = UserFactory(lead=True)
    interview = InterviewFactory(candidate__user__name="张三", **interview)
    items = [
        WorkItemFactory(interview=interview, kind=kind) for kind in ("cancellation", "follow_up")
    ]
    return [
        notice
        for item in items
        for step in notices.CHASING
        for words in ("Look!", "")
        for notice in notices.chased(item, interview, step, [lead], words=words)
    ]


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("time", [{}, {"invited": True}])
def test_everything_about_late_work_has_words(language, time):
    told = chased_told(**time)
    assert len(told) == 16

    for notice in told:
        message = words(notice.event, notice.channel, language, notice.params)
        text = f"{message.title}\n{message.body}"
        assert "张三" in message.title
        assert "None" not in text
        assert "  " not in text
        assert not re.search(r"[，。：；]{2}|[{}]|\(\)|（）|\n\n\n", text)
        if notice.channel == "email":
            assert f"/desk/work/{notice.params['item']}/\n" in message.body
        if language == "en":
            assert not re.search(r"[，。：；【】]", text)


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_event_of_an_account_has_words(language):
    for notice in account_told():
        message = words(notice.event, notice.channel, language, notice.params)

        for value in notice.params.values():
            assert str(value) in message.body
        assert message.body
        assert bool(message.title) == (notice.channel == "email")


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_event_of_a_connection_has_words(language):
    told = connections_told()
    assert len(told) == 3
    for notice in told:
        message = words(notice.event, notice.channel, language, notice.params)

        assert notice.params["name"] in message.title
        assert notice.params["name"] in message.body
        if "failing_at" in notice.params:
            assert ("10 May 2024" if language == "en" else "2024年5月10日") in message.body


def company_told() -> list[Notice]:
    """Everything people are told where the company cancels or a status is set right by hand."""
    interviewer = UserFactory(staff=True)
    position = PositionFactory(department__email="dept@company.example")
    interviews = [
        InterviewFactory(
            candidate__user__email=mailbox(),
            position=position,
            interviewer=interviewer,
        )
        for _ in range(2)
    ]
    off = [
        CancellationFactory(interview=interview, party=Party.COMPANY, note="产线停工")
        for interview in interviews
    ]
    by = UserFactory(lead=True)
    corrections = [
        Correction(interview=interviews[0], move=move, before="cancelled", by=by, at=START)
        for move in (Move.REINSTATE, Move.MISS)
    ]
    return [
        *notices.called_off(off),
        *notices.called_off(off[:1]),
        *(each for made in corrections for each in notices.corrected(made, interviews[0])),
    ]


def staff_told() -> list[Notice]:
    """What members of staff are told about their own access."""
    user = UserFactory(staff=True)
    changed = partial(account_notices.access_changed, user, by_somebody=True)
    return [
        account_notices.invitation(user, "https://mianyue.example/x/", days=7),
        changed(AccessChangeKind.ROLE, details={"role": "hr_lead"}),
    ]


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_everything_about_company_cancellations_and_access_has_words(language):
    for notice in [*company_told(), *staff_told()]:
        message = words(notice.event, notice.channel, language, notice.params)
        text = f"{message.title}\n{message.body}"
        assert message.body
        assert bool(message.title) == (notice.channel != "sms")
        assert "None" not in text
        assert not re.search(r"[，。：；]{2}|[{}]|\(\)|（）|\n\n\n", text), (notice.event, text)


def exits_told() -> list[Notice]:
    """Everything people are told about leaving midway."""
    request = CancellationFactory(
        interview__position__department__email="dept@company.example",
        interview__candidate__user__email=mailbox(),
        interview__candidate__user__name="张三",
        is_exit=True,
        cooldown_until=START,
        policy={"promised_minutes": 15, "exit": {"self_rebooking": True}},
        evidence={"answered": 1, "questions": 3},
        note="请继续",
    )
    return [
        *exit_notices.received(request),
        *exit_notices.left(request),
        *exit_notices.declined(request),
        *exit_notices.taken_back(request),
        *exit_notices.booked_again(request),
        account_notices.code(UserFactory(), "exit_code", "123456", minutes=10),
    ]


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_everything_about_leaving_has_words(language):
    for notice in exits_told():
        message = words(notice.event, notice.channel, language, notice.params)
        text = f"{message.title}\n{message.body}"
        assert message.body
        assert bool(message.title) == (notice.channel != "sms")
        assert "None" not in text
        assert not re.search(r"[，。：；]{2}|[{}]|\(\)|（）|\n\n\n", text), (notice.event, text)


def booking_told(**fields) -> list[Notice]:
    """Everything people are told about invitations and times."""
    interview = InterviewFactory(
        candidate__user__name="张三",
        candidate__user__email=mailbox(),
        interviewer=UserFactory(staff=True),
        moves=1,
        **fields,
    )
    decline = Decline(interview=interview, reason="not_interested", at=START)
    return [
        *booking_notices.invited(interview),
        *booking_notices.booked(interview),
        *booking_notices.moved(interview, before=START),
        *booking_notices.declined(decline),
    ]


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("kind", ["ai", "on_site"])
@pytest.mark.parametrize("more", [{}, {"deadline": START, "location": "深圳龙华"}])
def test_everything_about_booking_has_words(language, kind, more):
    told = booking_told(kind=kind, **more)
    assert len(told) == 14

    for notice in told:
        message = words(notice.event, notice.channel, language, notice.params)
        text = f"{message.title}\n{message.body}"
        assert message.body
        assert bool(message.title) == (notice.channel != "sms")
        assert "None" not in text
        assert "  " not in text
        assert not re.search(r"[，。：；]{2}|[{}]|\(\)|（）|\n\n\n", text), (notice.event, text)
        if language == "en":
            assert not re.search(r"[，。：；【】]", text)
        if notice.event == "interview_invited":
            assert f"{settings.PUBLIC_URL}/i/{notice.params['token']}/" in message.body
        if notice.channel == "sms":
            assert len(message.body) <= (160 if language == "zh-hans" else 306)


def gates_told() -> list[Notice]:
    """Everything candidates are told about the documents and scores of a stage."""
    interview = InterviewFactory(
        candidate__user__name="张三",
        candidate__user__email=mailbox(),
        candidate__talent_pool_at=START,
    )
    gates = [StageGateFactory.build(), StageGateFactory.build(name_zh="学历证", name_en="Diploma")]
    document = DocumentFactory(application=interview.application, note="照片不清楚")
    return [
        *gate_notices.documents_missing(interview, gates, time=0),
        *gate_notices.document_rejected(document, interview),
        *gate_notices.documents_accepted(document, interview),
        *gate_notices.ended(interview),
    ]


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_everything_about_gates_has_words(language):
    told = gates_told()
    assert len(told) == 8

    for notice in told:
        message = words(notice.event, notice.channel, language, notice.params)
        text = f"{message.title}\n{message.body}"
        assert message.body
        assert bool(message.title) == (notice.channel != "sms")
        assert "None" not in text
        assert "  " not in text
        assert not re.search(r"[，。：；]{2}|[{}]|\(\)|（）|\n\n\n", text), (notice.event, text)


def refill_told() -> list[Notice]:
    """Everything people are told about a place that came free."""
    offer = OfferFactory(
        place__slot__position__department__email="dept@company.example",
        entry__interview__candidate__user__email=mailbox(),
        entry__interview__candidate__user__name="张三",
    )
    booked = InterviewFactory(
        interviewer=UserFactory(staff=True), candidate__user__name="张三", location="南楼3层"
    )
    return [
        *refill_notices.offered(offer, asked_at=START),
        *refill_notices.refilled(offer, booked),
    ]


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_everything_about_places_that_came_free_has_words(language):
    for notice in refill_told():
        message = words(notice.event, notice.channel, language, notice.params)
        text = f"{message.title}\n{message.body}"
        assert message.body
        assert bool(message.title) == (notice.channel != "sms")
        assert "None" not in text
        assert not re.search(r"[，。：；]{2}|[{}]|\(\)|（）|\n\n\n", text), (notice.event, text)
        if notice.event == "place_offered":
            assert notice.params["link"] in message.body


def reminders_told() -> list[Notice]:
    """Everything candidates are written by the clock, by either channel."""
    people = {"candidate__user__email": mailbox(), "candidate__user__name": "张三"}
    booked = InterviewFactory(location="深圳", **people)
    invited = InterviewFactory(
        invited=True,
        deadline=START,
        **people | {"candidate__user__email": mailbox()},
    )
    step = due(booked)
    told = [*reminder_notices.trouble_asked(booked, step)]
    for event in reminder_rules.Words:
        mine = step if event == reminder_rules.Words.APPOINTMENT else due(invited)
        told += reminder_notices.reminder(mine, ReminderRule(message=event.value))
    confirmed = ReminderRule(message=reminder_rules.Words.APPOINTMENT.value)
    return [*told, *reminder_notices.reminder(step._replace(is_confirmed=True), confirmed)]


def due(interview: Interview) -> Due:
    """Its one step, as the sweep takes it."""
    now = timezone.now()
    Step.objects.all().delete()
    rule = ReminderRule.objects.earliest("pk")
    Step.objects.create(interview=interview, rule=rule, anchor_at=START, due_at=now)
    (step,) = reminder_queries.take(now, 1)
    return step


def absences_told() -> list[Notice]:
    """Everything people are told about an absence, a mark and an appeal."""
    absence = AbsenceFactory(interview__candidate__user__email=mailbox())
    interview = absence.interview
    mark = MarkFactory(missed=interview)
    appeal = Appeal(mark=mark, granted=True, note="产线停电")
    UserFactory(lead=True, departments=[interview.position.department])
    return [
        *absence_notices.missed(absence, interview),
        *absence_notices.to_look_at(absence, interview),
        *absence_notices.excused(absence, interview),
        *absence_notices.rebooked(absence, interview),
        *absence_notices.marked(mark, interview),
        *absence_notices.appealed(mark, interview),
        *absence_notices.decided(mark, appeal, interview),
        *absence_notices.decided(mark, Appeal(mark=mark, granted=False), interview),
    ]


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_everything_by_the_clock_and_about_absences_has_words(language):
    for notice in [*reminders_told(), *absences_told()]:
        message = words(notice.event, notice.channel, language, notice.params)
        text = f"{message.title}\n{message.body}"
        assert message.body
        assert bool(message.title) == (notice.channel != "sms")
        assert "None" not in text
        assert "  " not in text
        assert not re.search(r"[，。：；]{2}|[{}]|\(\)|（）|\n\n\n", text), (notice.event, text)
        if "token" in notice.params:
            assert notice.params["token"] in message.body
        if notice.channel == "sms":
            assert len(message.body) <= (200 if language == "zh-hans" else 306), message.body


def test_no_template_is_left_over_and_each_comes_in_both_languages():
    there = {(path.parent.name, path.name) for path in TEMPLATES.glob("*/*.txt")}
    told = [*account_told(), *chased_told(), *connections_told(), *company_told(), *staff_told()]
    told += [*exits_told(), *booking_told(), *gates_told(), *refill_told()]
    told += [*reminders_told(), *absences_told(), *weekly_told(), *alerts_told()]
    wanted = used() | {(notice.event, notice.channel) for notice in told}

    assert there == {
        (event, f"{channel}.{language}.txt")
        for event, channel in wanted
        for language in ("zh-hans", "en")
    }


@pytest.mark.parametrize(
    ("event", "channel", "sentence"),
    [
        ("cancellation_received", "sms", "您的AI面试取消请求已收到，我们将在15分钟内处理"),
        ("cancellation_received", "email", "您的AI面试取消请求已收到，我们将在15分钟内处理"),
        ("cancellation_done", "sms", "您的AI面试已成功取消，如需重新安排，请联系HR"),
        ("cancellation_done", "email", "您的AI面试已成功取消，如需重新安排，请联系HR"),
        ("cancellation_done", "sms", "您的简历已存入我司人才库，未来有合适岗位将优先推荐"),
        ("interview_cancelled", "email", "候选人张三已取消2024-05-10的AI面试，请重新安排候选人。"),
        ("position_cancellation", "email", "该岗位AI面试取消1人"),
    ],
)
def test_known_sentences_stand_word_for_word(event, channel, sentence):
    assert sentence in words(event, channel).body


@pytest.mark.parametrize(
    ("event", "title"),
    [
        ("interview_cancelled", "候选人张三已取消2024-05-10的AI面试，请重新安排候选人。"),
        ("position_cancellation", "该岗位AI面试取消1人"),
    ],
)
def test_the_desk_says_it_in_the_title(event, title):
    assert words(event, "desk").title == title


def test_the_talent_pool_is_mentioned_only_to_those_in_it():
    assert (
        "人才库" not in words("cancellation_done", "sms", params=FULL | {"talent_pool": False}).body
    )


@pytest.mark.parametrize(
    ("language", "zone", "shown"),
    [
        ("zh-hans", "", "2024年5月10日（星期五）14:00"),
        ("en", "", "Friday 10 May 2024, 14:00"),
        ("en", "America/New_York", "Friday 10 May 2024, 02:00"),
        ("en", "Pacific/Kiritimati", "Friday 10 May 2024, 20:00"),
    ],
)
def test_times_are_shown_where_the_reader_is(language, zone, shown):
    assert shown in words("cancellation_done", "sms", language, time_zone=zone).body


def test_the_day_in_a_title_is_the_readers_own():
    message = words("interview_cancelled", "desk", "en", time_zone="Pacific/Honolulu")

    assert "of 9 May 2024;" in message.title


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("event", ["cancellation_to_decide", "position_cancellation"])
def test_mail_to_the_desk_leads_straight_to_the_case(event, language):
    case = reverse("cancellations:case", args=[FULL["receipt"]])

    assert f"{settings.PUBLIC_URL}{case}\n" in words(event, "email", language).body


def test_an_unknown_language_falls_back_to_the_products():
    assert "您的" in words("cancellation_done", "sms", "fr").body


@pytest.mark.parametrize(
    ("language", "note", "said"),
    [
        ("zh-hans", "请改约下周。", "请改约下周。如需"),
        ("zh-hans", "请改约下周", "请改约下周。如需"),
        ("zh-hans", "请改约下周.", "请改约下周。如需"),
        ("zh-hans", "真抱歉！", "真抱歉！如需"),
        ("zh-hans", "请等等...", "请等等...。如需"),
    ],
)
def test_what_a_person_wrote_ends_in_one_stop(language, note, said):
    params = FULL | {"note": note, "talent_pool": False}
    assert said in words("company_cancelled", "sms", language, params).body


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ("Please book again.", "Note: Please book again. Receipt"),
        ("Please book again", "Note: Please book again. Receipt"),
        ("Can you come?", "Note: Can you come? Receipt"),
    ],
)
def test_what_a_person_wrote_ends_in_one_stop_in_english_too(note, said):
    params = FULL | {"note": note, "talent_pool": False}
    assert said in words("cancellation_done", "sms", "en", params).body


def test_names_are_not_escaped_and_cannot_end_a_title():
    message = words(
        "interview_cancelled", "email", "en", FULL | {"candidate": "O'Neil\r\nBcc: <x>"}
    )

    assert message.title.startswith("O'Neil Bcc: <x> has cancelled")


def test_a_provider_that_fills_templates_gets_their_name_and_the_words():
    message = words("cancellation_done", "sms", "en")

    assert message.template == "cancellation_done/sms.en"
    assert message.values["starts_at"] == "Friday 10 May 2024, 14:00"
    assert message.values["promised_minutes"] == "15"


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_text_messages_are_short(language):
    for path in TEMPLATES.glob(f"*/sms.{language}.txt"):
        params = FULL | {"code": "135790", "minutes": 5, "talent_pool": False}
        body = words(path.parent.name, "sms", language, params).body
        assert len(body) <= (140 if language == "zh-hans" else 306), body
        assert "\n" not in body
