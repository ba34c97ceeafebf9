"""Steps: planned, moved and dropped with the interview; taken once, at the right moment or not at
all; and what candidates answer."""

from contextlib import nullcontext
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import ConfigurationChange, User
from cancellations import services as cancelling
from cancellations.absences import services as absences
from cancellations.absences.models import Absence
from cancellations.models import Purpose, Reason
from interviews import history
from interviews.booking import services as booking
from interviews.booking.queries import invitation_token
from interviews.models import Interview, ReminderRule, Step, TroubleReport
from interviews.notices import CANDIDATE, about
from interviews.reminders import planning, queries, services, sweep
from interviews.reminders.links import CONFIRM, TROUBLE, interview_of, token_for
from interviews.reminders.rules import Outcome
from interviews.services import book_interview, invite, reinstate_interview, take_place
from interviews.states import InterviewStatus
from notifications.models import Notification, OutOfReach, WorkItem
from tests.factories import (
    ApplicationFactory,
    CandidateFactory,
    InterviewFactory,
    SittingFactory,
    SlotFactory,
    UserFactory,
    tell,
)

pytestmark = pytest.mark.django_db
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def client():
    return Client(headers={"Accept-Language": "en"})


def booked(**fields) -> Interview:
    """In our own room, in three days, told of it."""
    interview = InterviewFactory(link="", **fields)
    tell(interview, "interview_booked")
    return interview


def planned(interview) -> dict[str, timedelta]:
    """What is still to come: what, and how long before (negative) or after the start."""
    start = interview.starts_at
    steps = interview.steps.filter(done_at=None).select_related("rule")
    return {f"{step.rule.what}{step.rule.minutes}": step.due_at - start for step in steps}


def fresh(interview) -> Interview:
    return Interview.objects.get(pk=interview.pk)


def sweep_at(moment) -> int:
    with time_machine.travel(moment, tick=False):
        return sweep.take_due(seconds=10)


def live_to_the_end(interview, state="sent") -> None:
    """They are asked whether there is trouble, that gets so far, and the window closes."""
    sweep_at(interview.starts_at + 15 * MINUTE)
    Notification.objects.filter(subject=interview.subject, state="queued").update(state=state)
    sweep_at(interview.ends_at + 31 * MINUTE)


def ask(interview):
    """To cancel, too late for it to be done at once."""
    reason = Reason.objects.get(purpose=Purpose.CANCEL, code="time_conflict")
    user = interview.candidate.user
    return cancelling.request_cancellation(interview.reference, by=user, reason=reason)[0]


def sent(interview) -> list[str]:
    told = Notification.objects.filter(subject=interview.subject, state="queued")
    return sorted(told.values_list("event", flat=True))


def outcomes(interview) -> dict[int, str]:
    done = interview.steps.exclude(done_at=None).select_related("rule")
    return {step.rule.minutes: step.outcome for step in done}


# --- planning -------------------------------------------------------------------------------------


def test_booking_plans_the_steps_of_an_appointment():
    interview = booked()

    assert planned(interview) == {
        "message-1440": -DAY,
        "message-120": -2 * HOUR,
        "trouble15": 15 * MINUTE,
        "close30": HOUR,
    }


def test_invitation_has_steps_of_its_own_and_booking_replaces_them():
    slot = SlotFactory()
    deadline = timezone.now() + 7 * DAY
    interview = invite(ApplicationFactory(position=slot.position), by=None, deadline=deadline)
    before = set(interview.steps.values_list("rule__stage", flat=True))

    book_interview(interview.reference, slot, by=None)

    assert before == {"invited"}
    assert set(interview.steps.values_list("rule__stage", flat=True)) == {"booked"}


def test_what_is_due_already_is_not_planned_but_for_the_end_of_the_window():
    soon = booked(starts_in=timedelta(hours=1))

    assert planned(soon) == {"trouble15": 15 * MINUTE, "close30": HOUR}


def test_another_time_moves_the_steps():
    interview = booked()
    at = timezone.now()
    with transaction.atomic():
        locked = Interview.objects.lock(interview.reference)
        locked.cancel(at=at)
        locked.save()
        history.record(locked, "cancelled", by=None)
        reinstate_interview(locked, starts_at=interview.starts_at + DAY, at=at)
        history.record(locked, "corrected", by=None)

    assert set(interview.steps.values_list("anchor_at", flat=True)) == {
        interview.starts_at + DAY,
        interview.ends_at + DAY,
    }


def test_what_is_called_off_has_no_steps_and_nothing_of_it_is_sent():
    interview = booked()
    sweep_at(interview.starts_at - DAY)

    ask(interview)

    assert not interview.steps.filter(done_at=None).exists()
    assert Notification.objects.get(event="interview_reminder").state == "superseded"


def test_what_was_done_stays_and_is_not_done_again_for_the_same_time():
    interview = booked()
    sweep_at(interview.starts_at - DAY)
    assert sent(interview) == ["interview_reminder"]

    planning.plan([interview.pk], now=interview.starts_at - 2 * DAY)

    assert outcomes(interview) == {-1440: Outcome.SENT}
    assert "message-1440" not in planned(interview)


def test_steps_stay_while_hr_decides():
    interview = booked(starts_in=3 * HOUR)
    before = planned(interview)

    ask(interview)

    assert fresh(interview).status == InterviewStatus.CANCELLING
    assert planned(interview) == before


def test_import_plans_what_lies_ahead_and_closes_nothing():
    interview = booked(starts_in=-2 * DAY)
    interview.steps.all().delete()

    history.record(interview, "imported", by=None)

    assert not interview.steps.filter(done_at=None).exists()


def test_imported_invitation_is_not_taken_for_a_new_one():
    """When it was sent only the old system knows; when it ends stands in it."""
    deadline = timezone.now() + 7 * DAY
    interview = InterviewFactory(invited=True, deadline=deadline)
    interview.steps.all().delete()

    history.record(interview, "imported", by=None)

    assert set(interview.steps.values_list("rule__anchor", flat=True)) == {"deadline"}


def test_rule_that_is_changed_moves_what_is_planned():
    interview = booked()
    rule = ReminderRule.objects.get(minutes=-1440, stage="booked")
    rule.minutes = -48 * 60
    services.save_rule(rule, by=UserFactory(administrator=True))

    while planning.plan_changed_rules(pieces=5):
        pass

    assert planned(interview)["message-2880"] == -2 * DAY
    assert not ReminderRule.objects.filter(pk=rule.pk).exclude(plan_from=None).exists()
    change = ConfigurationChange.objects.filter(subject="interviews.reminderrule").latest("pk")
    assert change.after["minutes"] == -2880


def test_rule_switched_off_does_nothing_any_more():
    interview = booked()
    rule = ReminderRule.objects.get(minutes=-1440, stage="booked")
    rule.is_active = False
    services.save_rule(rule, by=UserFactory(administrator=True))

    sweep_at(interview.starts_at - DAY)  # before anything was planned anew

    assert sent(interview) == []
    assert outcomes(interview) == {-1440: Outcome.OVERTAKEN}


@pytest.mark.parametrize("role", ["recruiter", "lead", "viewer"])
def test_rules_hold_for_the_whole_company_and_are_for_administrators(role):
    with pytest.raises(PermissionDenied):
        services.save_rule(ReminderRule.objects.first(), by=UserFactory(**{role: True}))


def plan_anew(rule, **changes) -> None:
    for name, value in changes.items():
        setattr(rule, name, value)
    services.save_rule(rule, by=UserFactory(administrator=True))
    while planning.plan_changed_rules(pieces=5):
        pass


@pytest.mark.parametrize(
    ("past", "useful", "outcome"),
    [(40, 90, Outcome.SENT), (100, 90, Outcome.TOO_LATE), (100, None, Outcome.SENT)],
)
def test_reminder_that_a_changed_rule_makes_due_already_is_sent_while_it_is_of_use(
    past, useful, outcome
):
    interview = booked()
    rule = ReminderRule.objects.get(minutes=-120, stage="booked", what="message", whom="")
    changed_at = interview.starts_at - 5 * HOUR + past * MINUTE

    with time_machine.travel(changed_at, tick=False):
        plan_anew(rule, minutes=-300, useful_minutes=useful)
        sweep.take_batch(timezone.now())

    step = interview.steps.get(rule=rule)
    assert step.outcome == outcome
    assert step.due_at == interview.starts_at - 5 * HOUR


def test_changed_rule_sends_nothing_twice():
    interview = booked()
    rule = ReminderRule.objects.get(minutes=-1440, stage="booked")
    sweep_at(interview.starts_at - DAY)

    with time_machine.travel(interview.starts_at - DAY + HOUR, tick=False):
        plan_anew(rule, minutes=-48 * 60)

    assert [step.outcome for step in interview.steps.filter(rule=rule)] == [Outcome.SENT]


def test_changed_anchor_takes_along_what_was_still_to_come():
    interview = booked()
    rule = ReminderRule.objects.get(minutes=-1440, stage="booked")

    plan_anew(rule, anchor="end")

    step = interview.steps.get(rule=rule)
    assert (step.anchor_at, step.due_at) == (interview.ends_at, interview.ends_at - DAY)


@pytest.mark.parametrize("minutes", [45, 120])
def test_window_that_should_have_closed_is_still_closed_when_the_rule_changes(minutes):
    interview = booked()
    rule = ReminderRule.objects.get(stage="booked", what="close")

    with time_machine.travel(interview.ends_at + HOUR, tick=False):
        plan_anew(rule, minutes=minutes)
        step = interview.steps.get(rule=rule)

    assert step.done_at is None
    assert step.due_at == interview.ends_at + minutes * MINUTE


def test_window_closed_by_no_rule_any_more_is_not_closed():
    interview = booked()
    rule = ReminderRule.objects.get(stage="booked", what="close")

    plan_anew(rule, kind="on_site")

    assert not interview.steps.filter(rule=rule).exists()


def deadline_in_the_admin(interview, deadline):
    client = Client()
    client.force_login(UserFactory(administrator=True))
    url = reverse("admin:interviews_interview_change", args=[interview.pk])
    local = timezone.localtime(deadline) if deadline else None
    moment = {
        "deadline_0": f"{local:%Y-%m-%d}" if local else "",
        "deadline_1": f"{local:%H:%M:%S}" if local else "",
    }
    management = {
        "entries-TOTAL_FORMS": 0,
        "entries-INITIAL_FORMS": 0,
        "history-TOTAL_FORMS": 0,
        "history-INITIAL_FORMS": 0,
    }
    saved = client.post(url, {"link": "", "location": "", **moment, **management})
    assert saved.status_code == 302, saved.text


def test_deadline_set_in_the_admin_moves_what_counts_from_it():
    start = timezone.now().replace(microsecond=0)
    interview = invite(ApplicationFactory(), by=None, deadline=start + 7 * DAY)

    deadline_in_the_admin(interview, start + 14 * DAY)

    due = interview.steps.filter(rule__anchor="deadline").values_list("due_at", flat=True)
    assert set(due) == {start + 13 * DAY, start + 14 * DAY}
    assert interview.steps.filter(rule__anchor="invited").count() == 2


def test_deadline_set_in_the_admin_plans_nothing_while_hr_decides():
    interview = booked(starts_in=3 * HOUR)
    ask(interview)
    before = planned(interview)

    deadline_in_the_admin(interview, timezone.now() + DAY)

    assert planned(interview) == before


# --- taking them ----------------------------------------------------------------------------------


def test_every_step_is_taken_at_its_time_and_once():
    interview = booked(candidate__user__email="zhang@example.com")

    for moment in (-DAY - MINUTE, -DAY, -DAY + MINUTE, -2 * HOUR, -HOUR, 15 * MINUTE, 16 * MINUTE):
        sweep_at(interview.starts_at + moment)

    told = Notification.objects.filter(subject=interview.subject, state="queued")
    assert sorted(told.values_list("event", "channel")) == [
        ("interview_reminder", "email"),
        ("interview_reminder", "email"),
        ("interview_reminder", "sms"),
        ("interview_reminder", "sms"),
        ("trouble_asked", "email"),
        ("trouble_asked", "sms"),
    ]
    assert outcomes(interview) == {-1440: "sent", -120: "sent", 15: "sent"}


def test_after_a_day_without_sweeps_nothing_pointless_is_sent():
    interview = booked()

    sweep_at(interview.starts_at - 10 * MINUTE)

    assert sent(interview) == []
    assert outcomes(interview) == {-1440: Outcome.TOO_LATE, -120: Outcome.TOO_LATE}


def test_nobody_who_confirmed_is_asked_to_confirm():
    interview = booked()
    services.confirm(interview.reference, starts_at=interview.starts_at)

    sweep_at(interview.starts_at - DAY)

    told = Notification.objects.get(event="interview_reminder")
    assert told.params["confirmed"] is True


def test_clock_stands_still_while_the_contact_is_wrong():
    interview = booked()
    lost = OutOfReach.objects.create(
        recipient=f"user:{interview.candidate.user_id}",
        subject=interview.subject,
        since=timezone.now(),
        code="30005",
    )

    sweep_at(interview.starts_at - DAY)
    assert sent(interview) == []

    lost.solved_at = timezone.now()
    lost.save()
    sweep_at(interview.starts_at - DAY + 16 * MINUTE)
    assert sent(interview) == ["interview_reminder"]


def test_invitation_that_nobody_opens_goes_from_text_message_to_hr():
    start = timezone.now()
    with time_machine.travel(start, tick=False):
        interview = invite(ApplicationFactory(), by=None, deadline=start + 7 * DAY)

    sweep_at(start + 12 * HOUR)
    told = Notification.objects.get(subject=interview.subject)
    assert (told.event, told.channel) == ("invitation_reminder", "sms")

    sweep_at(start + DAY)
    item = WorkItem.objects.get(subject=interview.subject)
    assert (item.kind, item.params["code"]) == ("follow_up", "not_attended")


def test_invitation_that_was_opened_is_not_called_unopened():
    start = timezone.now()
    interview = invite(ApplicationFactory(), by=None, deadline=start + 7 * DAY)
    booking.open_invitation(invitation_token(interview))

    sweep_at(start + 12 * HOUR + MINUTE)

    assert sent(interview) == []


def test_booking_settles_the_follow_up_of_an_invitation():
    slot = SlotFactory()
    interview = invite(ApplicationFactory(position=slot.position), by=None)
    sweep_at(timezone.now() + DAY + MINUTE)
    assert WorkItem.objects.open().filter(subject=interview.subject).exists()

    book_interview(interview.reference, slot, by=None)

    assert not WorkItem.objects.open().filter(subject=interview.subject).exists()


def test_one_bad_step_does_not_keep_the_others_waiting(monkeypatch):
    bad, good = booked(), booked()
    real = sweep.notices.reminder

    def fail_for_one(step, rule):
        if step.interview_id == bad.pk:
            raise ValueError
        return real(step, rule)

    monkeypatch.setattr(sweep.notices, "reminder", fail_for_one)
    latest = max(bad.starts_at, good.starts_at)
    sweep_at(latest - DAY)

    assert sent(good) == ["interview_reminder"]
    step = bad.steps.get(rule__minutes=-1440)
    assert step.done_at is None
    assert step.due_at > latest - DAY


@pytest.mark.parametrize("recruiter", ["there", "left", "nobody"])
def test_a_reminder_says_and_reaches_what_any_other_message_does(recruiter):
    """It is read otherwise, many at once."""
    user = UserFactory(email="li@mail.example", language="zh-hans", time_zone="Asia/Urumqi")
    interview = booked(candidate=CandidateFactory(user=user), location="A7", kind="on_site")
    position = interview.position
    position.recruiter.is_active = recruiter == "there"
    position.recruiter.save()
    if recruiter == "nobody":
        position.recruiter = None
        position.save()

    sweep_at(interview.starts_at - DAY)

    more = {"token": token_for(interview, CONFIRM), "confirmed": False}
    expected = about(fresh(interview), "interview_reminder", user, CANDIDATE, key="", **more)
    columns = ("channel", "recipient", "address", "language", "time_zone", "subject", "params")
    told = Notification.objects.filter(event="interview_reminder").order_by("-channel")
    assert [[getattr(each, name) for name in columns] for each in told] == [
        [getattr(each, name) for name in columns] for each in expected
    ]


def test_somebody_switched_off_is_still_reminded():
    """Who cannot sign in any more still has the appointment."""
    interview = booked()
    User.objects.update(is_active=False)

    sweep_at(interview.starts_at - DAY)

    assert sent(interview) == ["interview_reminder"]


def test_the_oldest_is_taken_first(monkeypatch):
    monkeypatch.setattr(sweep, "BATCH", 1)
    late, early = booked(starts_in=50 * HOUR), booked(starts_in=49 * HOUR)

    with time_machine.travel(late.starts_at - DAY, tick=False):
        sweep.take_batch(timezone.now())

    assert (sent(early), sent(late)) == (["interview_reminder"], [])


def test_what_a_batch_has_no_time_left_for_is_taken_by_the_next(monkeypatch):
    monkeypatch.setattr(sweep, "IN_HAND", -1)
    interviews = [booked() for _ in range(3)]
    at = max(each.starts_at for each in interviews) - DAY

    assert sweep.take_batch(at) == 1
    assert Step.objects.filter(done_at=None, due_at__lte=at).count() == 2

    assert sweep_at(at) == 2
    assert Notification.objects.filter(event="interview_reminder").count() == 3


def test_a_step_sees_what_another_of_its_batch_has_done(monkeypatch):
    real, closed = sweep.close, []

    def close(interview, *, at):
        closed.append(interview.pk)
        return real(interview, at=at)

    monkeypatch.setattr(sweep, "close", close)
    rule = ReminderRule.objects.get(stage="booked", what="close")
    rule.pk, rule.minutes = None, rule.minutes + 1
    rule.save(force_insert=True)
    interview = booked()

    live_to_the_end(interview)

    assert fresh(interview).status == InterviewStatus.NO_SHOW
    assert closed == [interview.pk]


@pytest.mark.parametrize("booked_at", [None, -HOUR])
@pytest.mark.parametrize("confirmed_at", [None, -2 * HOUR, -HOUR, -MINUTE])
def test_a_step_knows_as_the_interview_does_whether_it_is_confirmed(booked_at, confirmed_at):
    """To the time as it is booked now."""
    interview, now = booked(), timezone.now()
    interview.booked_at = booked_at and now + booked_at
    interview.confirmed_at = confirmed_at and now + confirmed_at
    interview.save()

    (step,) = queries.take(interview.starts_at - DAY, 1)

    assert step.is_confirmed == interview.is_confirmed


def test_a_step_that_breaks_the_transaction_is_undone_alone(monkeypatch):
    bad, good = booked(), booked()
    for each in (bad, good):
        each.steps.exclude(rule__what="close").delete()
    real = sweep.queries.facts_of

    def fail_for_one(step, *args):
        if step.interview_id == bad.pk:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1/0")
        return real(step, *args)

    monkeypatch.setattr(sweep.queries, "facts_of", fail_for_one)
    latest = max(bad.ends_at, good.ends_at)
    sweep_at(latest + 31 * MINUTE)

    assert fresh(good).status == InterviewStatus.NO_SHOW
    assert bad.steps.get().due_at > latest + 31 * MINUTE


def test_a_step_is_there_once_for_each_rule_and_time():
    step = booked().steps.first()

    with pytest.raises(IntegrityError), transaction.atomic():
        Step.objects.create(
            interview=step.interview, rule=step.rule, anchor_at=step.anchor_at, due_at=step.due_at
        )


# --- the end of the window ------------------------------------------------------------------------


def test_who_was_told_and_did_not_come_has_missed_it():
    interview = booked()

    live_to_the_end(interview)

    assert fresh(interview).status == InterviewStatus.NO_SHOW
    assert list(history.verify(Interview.objects.filter(pk=interview.pk))) == []
    assert Absence.objects.get(interview=interview).code == "missed"


BOOKING_MESSAGES = [
    "interview_booked",
    "interview_moved",
    "interview_moved_staff",
    "interview_rebooked",
    "interview_reinstated",
    "booked_again",
]


@pytest.mark.parametrize("event", BOOKING_MESSAGES)
def test_what_was_said_of_a_booking_does_not_come_after_its_cancellation(event):
    interview = InterviewFactory(link="", booked_at=timezone.now())
    told = tell(interview, event, "queued")

    ask(interview)

    assert fresh(interview).status == InterviewStatus.CANCELLED
    told.refresh_from_db()
    assert told.state == "superseded"
    assert "cancellation_done" in sent(interview)


@pytest.mark.parametrize("event", BOOKING_MESSAGES)
def test_what_was_said_of_another_time_does_not_come_after_moving(event):
    interview = InterviewFactory(link="")
    told = tell(interview, event, "queued")
    slot = SlotFactory(position=interview.position)

    booking.move(interview.reference, slot.pk, by=interview.candidate.user)

    told.refresh_from_db()
    assert told.state == "superseded"
    assert "interview_moved" in sent(interview)


def test_invitation_does_not_come_after_it_was_taken_up_or_declined():
    taken, declined = (invite(ApplicationFactory(), by=None) for _ in range(2))
    told = [tell(each, "interview_invited", "queued") for each in (taken, declined)]
    slot = SlotFactory(position=taken.position)

    booking.book(taken.reference, slot.pk, by=taken.candidate.user)
    booking.decline(declined.reference, by=declined.candidate.user, reason="other_offer")

    for each in told:
        each.refresh_from_db()
        assert each.state == "superseded"
    assert sent(taken) == ["interview_booked"]


def test_booking_is_still_told_of_while_hr_decides():
    interview = InterviewFactory(link="", starts_in=3 * HOUR, booked_at=timezone.now())
    told = tell(interview, "interview_booked", "queued")

    ask(interview)

    told.refresh_from_db()
    assert told.state == "queued"


@pytest.mark.parametrize("state", ["failed", "bounced", "queued"])
def test_whom_nothing_has_reached_is_not_missing(state):
    interview = InterviewFactory(link="")

    live_to_the_end(interview, state)

    assert fresh(interview).status == InterviewStatus.BOOKED
    assert Absence.objects.get(interview=interview).code == "not_delivered"


def test_what_arrived_first_does_not_count_when_what_came_last_failed():
    interview = booked()

    live_to_the_end(interview, "failed")

    assert Absence.objects.get(interview=interview).code == "not_delivered"


def verdict(interview) -> str:
    """What the clock makes of somebody who was asked whether there was trouble, which went out."""
    live_to_the_end(interview)
    absence = Absence.objects.get(interview=interview)
    return absence.code


def test_push_message_proves_nothing():
    """The push service took it, and the browser was off."""
    interview = InterviewFactory(link="")
    tell(interview, "interview_booked", "failed")
    tell(interview, "interview_booked", "sent", channel="push")

    assert verdict(interview) == "not_delivered"


def test_browser_that_has_withdrawn_proves_nothing_either():
    interview = booked()
    tell(interview, "interview_booked", "failed", channel="push")

    assert verdict(interview) == "missed"


def test_asking_whether_there_is_trouble_tells_nobody_of_the_appointment():
    interview = InterviewFactory(link="")
    tell(interview, "interview_booked", "failed")

    assert verdict(interview) == "not_delivered"


def test_what_says_nothing_of_the_appointment_does_not_count():
    interview = InterviewFactory(link="")
    tell(interview, "interview_booked", "failed")
    tell(interview, "documents_missing", "delivered")

    assert verdict(interview) == "not_delivered"


def test_what_was_told_of_another_time_does_not_count():
    interview = InterviewFactory(link="")
    tell(interview, "interview_booked", created_at=interview.booked_at - MINUTE)

    assert verdict(interview) == "not_delivered"


@pytest.mark.parametrize("late", ["sent_at", "arrived_at"])
def test_what_arrives_after_the_start_comes_too_late(late):
    interview = InterviewFactory(link="")
    tell(interview, "interview_reminder", **{late: interview.starts_at + MINUTE})

    assert verdict(interview) == "not_delivered"


@pytest.mark.parametrize(
    ("channel", "reported", "code"),
    [
        ("sms", {"PUBLIC_URL": "https://interviews.example.com"}, "not_delivered"),
        ("email", {"ANYMAIL_PROVIDER": "postmark"}, "not_delivered"),
        ("sms", {"ANYMAIL_PROVIDER": "postmark"}, "missed"),
        ("email", {"PUBLIC_URL": "https://interviews.example.com"}, "missed"),
    ],
)
def test_where_arrival_is_reported_having_been_sent_proves_nothing(
    settings, channel, reported, code
):
    for name, value in reported.items():
        setattr(settings, name, value)
    interview = InterviewFactory(link="")
    tell(interview, "interview_booked", "sent", channel=channel)

    assert verdict(interview) == code


@pytest.mark.parametrize("channel", ["sms", "email"])
def test_what_is_reported_to_have_arrived_has(settings, channel):
    settings.PUBLIC_URL, settings.ANYMAIL_PROVIDER = "https://interviews.example.com", "postmark"
    interview = InterviewFactory(link="")
    tell(interview, "interview_booked", "delivered", channel=channel)

    assert verdict(interview) == "missed"


def test_whose_request_is_pending_is_not_missing():
    interview = booked(starts_in=2 * HOUR)
    cancellation = ask(interview)

    live_to_the_end(interview)
    assert fresh(interview).status == InterviewStatus.CANCELLING

    cancelling.decline_cancellation(cancellation.pk, by=None)
    Notification.objects.filter(subject=interview.subject, state="queued").update(state="sent")
    sweep_at(interview.ends_at + 47 * MINUTE)
    assert fresh(interview).status == InterviewStatus.NO_SHOW


def test_who_told_of_trouble_is_left_to_hr():
    interview = booked()
    with time_machine.travel(interview.starts_at + 5 * MINUTE, tick=False):
        services.tell_trouble(interview.reference, kind="line", detail="没有网络")

    sweep_at(interview.ends_at + 31 * MINUTE)

    assert fresh(interview).status == InterviewStatus.BOOKED
    assert Absence.objects.get(interview=interview).code == "trouble_reported"
    assert outcomes(interview)[30] == Outcome.LEFT_TO_HR


def test_who_is_asked_late_has_time_to_answer():
    """After an hour without sweeps, asking and closing fall due together."""
    interview = booked()
    late = interview.ends_at + HOUR

    sweep_at(late)
    assert "trouble_asked" in sent(interview)
    assert fresh(interview).status == InterviewStatus.BOOKED

    sweep_at(late + 29 * MINUTE)
    assert fresh(interview).status == InterviewStatus.BOOKED
    Notification.objects.filter(subject=interview.subject).update(state="sent")
    sweep_at(late + 31 * MINUTE)
    assert fresh(interview).status == InterviewStatus.NO_SHOW


def test_false_start_keeps_the_door_open():
    interview = booked()
    SittingFactory(
        interview=interview,
        ended_at=interview.starts_at + MINUTE,
        ending="misstart",
        resume_until=interview.starts_at + 9 * HOUR,
    )

    live_to_the_end(interview)
    assert fresh(interview).status == InterviewStatus.BOOKED

    sweep_at(interview.starts_at + 10 * HOUR)
    assert fresh(interview).status == InterviewStatus.NO_SHOW


def test_where_we_do_not_see_who_comes_people_say_so():
    on_site = InterviewFactory(kind="on_site", link="", location="深圳")
    tell(on_site)

    sweep_at(on_site.ends_at + 31 * MINUTE)

    assert fresh(on_site).status == InterviewStatus.BOOKED
    assert Absence.objects.get(interview=on_site).code == "attendance_unknown"


@pytest.mark.parametrize(
    ("state", "code"), [("delivered", "not_attended"), ("failed", "not_delivered")]
)
def test_who_has_booked_no_time_has_missed_none(state, code):
    """HR hears of it, and can still give them a time; nobody is put down as missing."""
    deadline = timezone.now() + DAY / 2
    interview = invite(ApplicationFactory(), by=None, deadline=deadline)
    tell(interview, "interview_invited", state)

    sweep_at(deadline + MINUTE)

    assert fresh(interview).status == InterviewStatus.INVITED
    item = WorkItem.objects.get(subject=interview.subject)
    assert (item.kind, item.params["code"]) == ("follow_up", code)
    assert not Absence.objects.exists()
    slot = SlotFactory(position=interview.position)
    hr = UserFactory(recruiter=True, departments=[interview.position.department])
    with time_machine.travel(deadline + HOUR, tick=False):
        booking.book(interview.reference, slot.pk, by=hr)
    assert fresh(interview).status == InterviewStatus.BOOKED


@pytest.mark.parametrize(
    ("anchor", "minutes"), [("start", -30), ("booked", 0), ("start", 0), ("end", -5)]
)
def test_no_rule_closes_a_window_that_is_open(anchor, minutes):
    rule = ReminderRule.objects.get(stage="booked", what="close")
    ReminderRule.objects.filter(pk=rule.pk).update(anchor=anchor, minutes=minutes)
    interview = booked()

    sweep_at(interview.starts_at - MINUTE)
    sweep_at(interview.ends_at - MINUTE)
    assert fresh(interview).status == InterviewStatus.BOOKED
    assert not Absence.objects.exists()

    live_to_the_end(interview)
    assert fresh(interview).status == InterviewStatus.NO_SHOW


def test_nobody_is_asked_where_they_are_before_the_start():
    rule = ReminderRule.objects.get(stage="booked", what="trouble")
    ReminderRule.objects.filter(pk=rule.pk).update(minutes=-30)
    interview = booked()

    sweep_at(interview.starts_at - MINUTE)
    assert "trouble_asked" not in sent(interview)

    sweep_at(interview.starts_at)
    assert "trouble_asked" in sent(interview)


def test_begun_and_never_ended_is_incomplete():
    interview = InterviewFactory(in_progress=True, link="")

    sweep_at(interview.ends_at + DAY + MINUTE)

    assert fresh(interview).status == InterviewStatus.INCOMPLETE


def test_who_is_in_the_room_is_left_to_the_room():
    sitting = SittingFactory(resume_until=timezone.now() + 40 * DAY)

    sweep_at(sitting.interview.ends_at + DAY + MINUTE)

    assert fresh(sitting.interview).status == InterviewStatus.IN_PROGRESS


# --- answers --------------------------------------------------------------------------------------


def test_confirming_is_for_the_time_that_was_shown():
    interview = booked()

    with pytest.raises(services.AnotherTime):
        services.confirm(interview.reference, starts_at=interview.starts_at + DAY)
    services.confirm(interview.reference, starts_at=interview.starts_at)
    services.confirm(interview.reference, starts_at=interview.starts_at)

    assert fresh(interview).is_confirmed
    assert interview.history.filter(event="confirmed").count() == 1


def test_another_time_is_not_confirmed():
    interview = booked()
    services.confirm(interview.reference, starts_at=interview.starts_at)
    Interview.objects.filter(pk=interview.pk).update(booked_at=timezone.now() + MINUTE)

    assert not fresh(interview).is_confirmed


@pytest.mark.parametrize("status", ["invited", "cancelling", "cancelled", "in_progress"])
def test_only_what_is_booked_is_confirmed(status):
    interview = InterviewFactory(status=status)

    with pytest.raises(services.TooLate):
        services.confirm(interview.reference, starts_at=interview.starts_at)


def test_trouble_is_told_once_and_only_around_the_start():
    interview = booked()
    with pytest.raises(services.TooLate):
        services.tell_trouble(interview.reference, kind="device")

    with time_machine.travel(interview.starts_at + MINUTE, tick=False):
        first = services.tell_trouble(interview.reference, kind="device")
        again = services.tell_trouble(interview.reference, kind="line")

    assert first == again
    assert TroubleReport.objects.get().kind == "device"
    assert "没有" not in str(interview.history.get(event="trouble_reported").data)


def test_link_leads_to_one_interview_for_one_purpose():
    interview = booked()
    token = token_for(interview, CONFIRM)

    assert interview_of(token, CONFIRM) == interview
    assert interview_of(token, TROUBLE) is None
    assert interview_of(f"{token}x", CONFIRM) is None
    assert interview_of(interview.reference, CONFIRM) is None


def test_opening_a_link_changes_nothing_and_signs_nobody_in(client):
    interview = booked()
    address = reverse("reminders:appointment", args=[token_for(interview, CONFIRM)])

    page = client.get(address)

    assert "I will attend" in page.text
    assert interview.candidate.user.name not in page.text
    assert interview.candidate.user.masked_name in page.text
    assert page["X-Robots-Tag"] == "noindex, nofollow"
    assert not fresh(interview).is_confirmed
    assert "_auth_user_id" not in client.session


def test_page_of_a_link_says_the_time_where_the_candidate_is(client):
    interview = booked(candidate__user__time_zone="America/New_York")
    address = reverse("reminders:appointment", args=[token_for(interview, CONFIRM)])

    local = interview.starts_at.astimezone(ZoneInfo("America/New_York"))

    assert f"{local:%H:%M}" in client.get(address).text


def test_pressing_the_button_confirms(client):
    interview = booked()
    address = reverse("reminders:appointment", args=[token_for(interview, CONFIRM)])

    page = client.post(address, {"starts_at": interview.starts_at.isoformat()}, follow=True)

    assert fresh(interview).is_confirmed
    assert "You have said that you will attend" in page.text
    assert interview.history.get(event="confirmed").data["by_link"] is True


@pytest.mark.parametrize("starts_at", ["", "tomorrow", "2024-05-10", "2024-05-10T06:00:00"])
def test_a_time_that_makes_no_sense_confirms_nothing(client, starts_at):
    interview = booked()
    address = reverse("reminders:appointment", args=[token_for(interview, CONFIRM)])

    client.post(address, {"starts_at": starts_at})

    assert not fresh(interview).is_confirmed


def test_trouble_page_says_what_is_wrong_with_the_answer(client):
    interview = booked()
    address = reverse("reminders:trouble", args=[token_for(interview, TROUBLE)])

    with time_machine.travel(interview.starts_at + MINUTE, tick=False):
        empty = client.post(address, {})
        long = client.post(address, {"kind": "device", "detail": "x" * 501})
        client.post(address, {"kind": "device", "detail": "x"})
        page = client.get(address)

    assert empty.status_code == long.status_code == 422
    assert "Choose what fits best." in empty.text
    assert "HR knows, and looks at it" in page.text


def test_who_is_too_late_to_come_in_is_not_told_to(client):
    interview = booked()
    address = reverse("reminders:trouble", args=[token_for(interview, TROUBLE)])

    with time_machine.travel(interview.starts_at + MINUTE, tick=False):
        during = client.get(address).text
    with time_machine.travel(interview.ends_at + HOUR, tick=False):
        after = client.get(address).text

    assert "Come in now" in during
    assert "Come in now" not in after
    assert "Did something keep you from coming?" in after
    assert "Tell HR" in after


@pytest.mark.parametrize("tells", [True, False])
def test_when_hr_has_decided_there_is_nothing_more_to_tell(client, tells):
    interview = booked(starts_in=-2 * HOUR)
    if tells:
        services.tell_trouble(interview.reference, kind="device")
    sweep_at(timezone.now())
    absence = Absence.objects.get_or_create(
        interview=interview,
        starts_at=interview.starts_at,
        defaults={"code": "missed", "opened_at": timezone.now()},
    )[0]
    lead = UserFactory(lead=True, departments=[interview.position.department])
    absences.excuse(absence.reference, by=lead)
    client.force_login(interview.candidate.user)

    page = client.get(reverse("reminders:trouble", args=[token_for(interview, TROUBLE)])).text
    own = client.get(reverse("cancellations:interview", args=[interview.reference])).text

    assert "HR has looked at it" in page
    assert "Tell HR" not in page
    assert "HR has looked at it and excused you" in own
    assert reverse("reminders:own_trouble", args=[interview.reference]) not in own
    with pytest.raises(services.TooLate) if not tells else nullcontext():
        services.tell_trouble(interview.reference, kind="line")


def test_own_page_offers_to_confirm_until_it_is_done(client):
    interview = booked()
    client.force_login(interview.candidate.user)
    page = reverse("cancellations:interview", args=[interview.reference])
    confirm = reverse("reminders:confirm", args=[interview.reference])

    assert confirm in client.get(page).text
    client.post(confirm, {"starts_at": interview.starts_at.isoformat()})
    assert confirm not in client.get(page).text


# --- the desk -------------------------------------------------------------------------------------


def typed(**changes):
    return {
        "stage": "booked", "kind": "", "amount": "3", "unit": "days", "side": "before",
        "anchor": "start", "what": "message", "message": "interview_reminder",
        "channels": "both", "unless": "", "useful_minutes": "", "is_active": "on", **changes,
    }  # fmt: skip


@pytest.fixture
def desk(client):
    client.force_login(UserFactory(administrator=True))
    return client


def test_rule_is_written_at_the_desk(desk):
    desk.post(reverse("reminders:new_rule"), typed())

    rule = ReminderRule.objects.get(minutes=-3 * 24 * 60)
    assert (rule.plan_from, rule.message) == (0, "interview_reminder")
    assert "3 days before the start" in desk.get(reverse("reminders:rules")).text


def test_desk_says_how_many_reminders_a_change_makes_too_late(client):
    interview = booked()
    rule = ReminderRule.objects.get(minutes=-1440, stage="booked")

    with time_machine.travel(interview.starts_at - 30 * HOUR, tick=False):
        client.force_login(UserFactory(administrator=True))
        saved = client.post(
            reverse("reminders:edit_rule", args=[rule.pk]),
            typed(amount="2", unit="days", useful_minutes="60"),
            follow=True,
        )

    assert "1 reminder still to come is too late to be of use" in saved.text


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"amount": ""}, "Enter a whole number"),
        ({"amount": "61"}, "at most 60 days"),
        ({"anchor": "deadline"}, "has no such time"),
        ({"message": ""}, "Choose what the candidate is written"),
        ({"stage": "invited", "anchor": "invited", "what": "trouble"}, "Only who has booked"),
        ({"what": "close", "useful_minutes": "5"}, "a window is always closed"),
        ({"what": "close", "message": ""}, "A window closes at its end"),
        ({"what": "close", "anchor": "end"}, "A window closes at its end"),
        ({"what": "close", "anchor": "start", "side": "after"}, "A window closes at its end"),
        ({"what": "close", "anchor": "booked", "side": "after"}, "A window closes at its end"),
        (
            {"stage": "invited", "what": "close", "anchor": "invited", "side": "after"},
            "A window closes at its end",
        ),
        ({"what": "trouble"}, "Nobody is missing before the start"),
        ({"what": "trouble", "anchor": "booked", "side": "after"}, "Nobody is missing before"),
        ({"amount": "24", "unit": "hours"}, "There is such a rule already"),
    ],
)
def test_rule_that_makes_no_sense_is_refused(desk, changes, error):
    rules = ReminderRule.objects.count()

    page = desk.post(reverse("reminders:new_rule"), typed(**changes))

    assert page.status_code == 422
    assert error in page.text
    assert ReminderRule.objects.count() == rules


@pytest.mark.parametrize(
    "changes",
    [
        {"what": "close", "anchor": "end"},
        {"what": "close", "anchor": "deadline", "stage": "invited"},
        {"what": "trouble", "anchor": "start"},
    ],
)
def test_what_is_over_can_be_closed_and_asked_about(desk, changes):
    saved = desk.post(reverse("reminders:new_rule"), typed(side="after", **changes))

    assert saved.status_code == 302


def test_rules_of_the_company_are_read_by_leads_and_written_by_administrators(desk):
    rule = ReminderRule.objects.first()
    desk.force_login(UserFactory(lead=True))

    page = desk.get(reverse("reminders:rules"))

    assert "administrators change them" in page.text
    assert reverse("reminders:edit_rule", args=[rule.pk]) not in page.text
    assert desk.get(reverse("reminders:edit_rule", args=[rule.pk])).status_code == 403
    assert desk.post(reverse("reminders:new_rule"), typed()).status_code == 403


def test_interviews_page_shows_what_was_done_and_what_is_planned(desk):
    interview = booked()
    department = interview.position.department
    desk.force_login(UserFactory(lead=True, departments=[department]))
    sweep_at(interview.starts_at - DAY)

    page = desk.get(reverse("cancellations:desk_interview", args=[interview.reference])).text

    assert "Sent" in page
    assert "planned" in page


@pytest.mark.parametrize("rows", [1, 3])
def test_a_batch_asks_no_more_for_three_steps_than_for_one(rows, django_assert_max_num_queries):
    """But for what closes a window, which is looked at one by one."""
    interviews = [booked() for _ in range(rows)]
    latest = max(each.starts_at for each in interviews)

    with django_assert_max_num_queries(16):
        assert sweep_at(latest - DAY) == rows


def test_place_is_kept_by_who_missed_it():
    interview = booked()
    slot = interview.slot

    live_to_the_end(interview)

    slot.refresh_from_db()
    assert slot.booked == 1
    take_place(slot)
