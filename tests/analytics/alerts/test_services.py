"""Alerts open once and close once, however often and by however many they are looked at."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.utils import translation

from accounts.models import ConfigurationChange
from analytics.alerts import services, words
from analytics.alerts.models import Alert, AlertRule
from analytics.figures import Period, Rate
from interviews.models import Decline, Interview
from notifications.models import Notification, WorkItem
from notifications.work import resolve, take_steps
from tests.analytics.alerts.watched import MONDAY, alert_of, interviews, recount, rule_for
from tests.factories import (
    DepartmentFactory,
    PositionFactory,
    UserFactory,
    WorkItemFactory,
    tell,
)

pytestmark = pytest.mark.django_db
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def position():
    return PositionFactory(department=DepartmentFactory(name="制造一部"), title="装配技术员")


@pytest.fixture
def watched(position):
    """One rule alone: more than 8 % do not come, in a department."""
    AlertRule.objects.all().delete()
    return rule_for()


def look(now):
    """Change, count, look."""
    recount()
    return services.check_due(now)


def told(event):
    return list(Notification.objects.filter(event=event, channel="desk").order_by("pk"))


# --- opening --------------------------------------------------------------------------------------


def test_eight_per_cent_does_not_fire_and_nine_does(position, watched):
    interviews(position, 92, "completed")
    interviews(position, 8, "no_show")
    look(MONDAY)
    assert not Alert.objects.exists()

    Interview.objects.filter(pk=Interview.objects.filter(status="completed").first().pk).delete()
    interviews(position, 1, "no_show")
    look(MONDAY + 2 * MINUTE)

    alert = Alert.objects.get()
    assert (alert.first.numerator, alert.first.denominator, alert.threshold) == (9, 100, 8)
    assert (alert.scope, alert.owner) == ("department", position.department_id)


def test_a_few_never_fire(position, watched):
    interviews(position, 19, "no_show")
    look(MONDAY)
    assert not Alert.objects.exists()

    interviews(position, 1, "no_show")
    look(MONDAY + 2 * MINUTE)
    assert Alert.objects.get().first.denominator == 20


def test_it_is_on_the_queue_and_told_once(position, watched):
    interviews(position, 30, "no_show")
    for minute in range(0, 200, 7):
        AlertRule.objects.update(is_due=True)
        services.check_due(MONDAY + minute * MINUTE)
        look(MONDAY + minute * MINUTE + MINUTE)

    alert = Alert.objects.get()
    item = WorkItem.objects.get(kind="anomaly")
    assert (item.audience, item.subject) == (position.department.audience, f"alert:{alert.pk}")
    assert item.params == {"code": "alert_no_show", "alert": alert.pk}
    (message,) = told("alert_opened")
    assert message.recipient == position.department.audience
    assert "制造一部" in message.params["title_zh"]
    assert "100 % (30 of 30)" in message.params["lines"][0]["en"]


def test_alerts_of_the_company_are_for_administrators(position, watched):
    rule_for(scope="company")
    rule_for(scope="source")
    interviews(position, 30, "no_show", source="elsewhere")
    look(MONDAY)

    audiences = set(WorkItem.objects.values_list("audience", flat=True))
    assert audiences == {position.department.audience, "company"}
    assert sorted(Alert.objects.values_list("scope", "source")) == [
        ("company", ""),
        ("department", ""),
        ("source", "elsewhere"),
    ]


def test_many_at_once_are_told_in_one_message(position, watched):
    rule_for(scope="position")
    for number in range(3):
        other = PositionFactory(department=position.department, title=f"质检员{number}")
        interviews(other, 20, "no_show")
    look(MONDAY)

    texts = {len(each.params["lines"]): each.params["title_en"] for each in told("alert_opened")}
    assert "3 alerts" in texts[3]
    assert Alert.objects.count() == WorkItem.objects.count() == 4


def test_only_the_kind_that_is_watched_counts(position, watched):
    AlertRule.objects.update(kind="on_site")
    interviews(position, 30, "no_show", kind="ai")
    look(MONDAY)
    assert not Alert.objects.exists()

    interviews(position, 30, "no_show", kind="on_site")
    look(MONDAY + 2 * MINUTE)
    assert Alert.objects.get().first.denominator == 30


def test_only_the_days_that_are_watched_count(position, watched):
    interviews(position, 30, "no_show", day=MONDAY - 7 * DAY)
    interviews(position, 30, "no_show", day=MONDAY + DAY)
    look(MONDAY)
    assert not Alert.objects.exists()

    interviews(position, 20, "no_show", day=MONDAY - 6 * DAY)
    look(MONDAY + 2 * MINUTE)
    assert Alert.objects.get().first.denominator == 20


def test_cancelling_of_the_next_two_weeks_is_told_now(position, watched):
    AlertRule.objects.update(rate="cancel", threshold=20)
    interviews(position, 30, "cancelled", day=MONDAY + 15 * DAY)
    look(MONDAY)
    assert not Alert.objects.exists()

    interviews(position, 20, "cancelled", day=MONDAY + 14 * DAY)
    look(MONDAY + 2 * MINUTE)
    alert = Alert.objects.get()
    assert alert.first.denominator == 20
    assert alert.period == Period(MONDAY.date() - 6 * DAY, MONDAY.date() + 14 * DAY)
    with translation.override("en"):
        assert "in the last 7 days and the next 14" in words.opening(alert)
        assert "in 7 days and the next 14" in words.of_rule(AlertRule.objects.get())


def test_messages_of_the_next_two_weeks_that_are_lost_are_told_now(position, watched):
    AlertRule.objects.update(rate="undelivered", threshold=20)
    for each in interviews(position, 20, "booked", day=MONDAY + 10 * DAY):
        tell(each, state="failed")
    look(MONDAY)
    assert Alert.objects.get().first == Rate(20, 20)


def test_those_who_booked_for_later_are_not_missing_among_the_invitations(position, watched):
    """Of 81 invited at once 21 let it run out: 26 %, whenever the others have their interviews."""
    AlertRule.objects.update(rate="no_reply", scope="source", threshold=25, days=14)
    invited = MONDAY - 4 * DAY
    interviews(position, 60, "booked", day=MONDAY + 9 * DAY, created_at=invited)
    interviews(position, 21, "ran_out", created_at=invited)
    look(MONDAY)
    assert Alert.objects.get().first == Rate(21, 81)

    interviews(position, 10, "booked", day=MONDAY + 9 * DAY, created_at=invited)
    look(MONDAY + 2 * MINUTE)
    assert Alert.objects.get().now == Rate(21, 91)


@pytest.mark.parametrize(
    ("rate", "bad", "good", "of"),
    [
        ("cancel", "cancelled", "completed", "booked"),
        ("incomplete", "incomplete", "completed", "who began"),
        ("no_reply", "ran_out", "completed", "invitations"),
    ],
)
def test_each_rate_has_its_own_cases(position, watched, rate, bad, good, of):
    AlertRule.objects.update(rate=rate, threshold=20)
    interviews(position, 16, good)
    interviews(position, 4, bad)
    look(MONDAY)
    assert not Alert.objects.exists(), of

    interviews(position, 1, bad)
    look(MONDAY + 2 * MINUTE)
    assert (Alert.objects.get().count, Alert.objects.get().whole) == (5, 21), of


def test_exits_are_those_who_left_midway(position, watched):
    AlertRule.objects.update(rate="exit", scope="position", threshold=30)
    interviews(position, 14, "completed")
    interviews(position, 6, "withdrawn")
    for each in interviews(position, 7, "withdrawn"):
        Decline.objects.create(interview=each, reason="no_time", at=MONDAY)
    look(MONDAY)
    assert not Alert.objects.exists()  # 6 of 20 is 30 %

    interviews(position, 1, "withdrawn")
    look(MONDAY + 2 * MINUTE)
    assert (Alert.objects.get().count, Alert.objects.get().whole) == (7, 21)


def test_lost_messages_and_data_that_does_not_match(position, watched):
    rule_for(rate="undelivered", threshold=10)
    rule_for(rate="mismatch", threshold=10)
    rows = interviews(position, 30, "completed")
    states = ["failed"] * 4 + ["delivered"] * 26
    for number, (each, state) in enumerate(zip(rows, states, strict=True)):
        for channel in ("sms", "desk"):
            Notification.objects.create(
                event="interview_reminder", channel=channel, recipient="user:1", address="x",
                language="en", subject=each.subject, dedupe_key=f"{channel}:{number}",
                state=state, created_at=MONDAY, not_before=MONDAY, error_code="30003",
            )  # fmt: skip
        if number < 4:
            WorkItemFactory(interview=each, kind="anomaly", params={"code": "time_differs"})
        else:
            WorkItemFactory(interview=each, kind="anomaly", params={"code": "figures_differ"})
    look(MONDAY)

    rates = {alert.rate: (alert.count, alert.whole) for alert in Alert.objects.all()}
    assert rates == {"undelivered": (4, 30), "mismatch": (4, 30)}


# --- following ------------------------------------------------------------------------------------


@pytest.fixture
def open_alert(position, watched):
    interviews(position, 92, "completed")
    interviews(position, 9, "no_show")
    look(MONDAY)
    return Alert.objects.get()


def test_around_the_threshold_it_stays_as_it_is(position, open_alert):
    """A case more, a case less, for a day: nothing opens, closes or is told."""
    at = MONDAY
    for _each in range(24):
        more = interviews(position, 30, "completed")  # below 8 %, above 6 %
        look(at := at + 30 * MINUTE)
        Interview.objects.filter(pk__in=[each.pk for each in more]).delete()
        look(at := at + 30 * MINUTE)

    assert Alert.objects.get().closed_at is None
    assert (len(told("alert_opened")), len(told("alert_closed"))) == (1, 0)


def test_a_dip_of_minutes_does_not_close_it(position, open_alert):
    more = interviews(position, 100, "completed")
    look(MONDAY + 2 * MINUTE)
    assert Alert.objects.get().calm_since == MONDAY + 2 * MINUTE
    Interview.objects.filter(pk__in=[each.pk for each in more]).delete()
    look(MONDAY + 30 * MINUTE)
    assert Alert.objects.get().calm_since is None
    interviews(position, 100, "completed")
    look(MONDAY + 40 * MINUTE)
    look(MONDAY + 70 * MINUTE)

    assert Alert.objects.get().closed_at is None


def test_recovery_closes_it_settles_its_work_and_says_so_once(position, open_alert):
    interviews(position, 100, "completed")
    look(MONDAY + 10 * MINUTE)
    for hours in (1, 2, 3, 4):  # nothing changes any more: the hour does it
        services.check_due(MONDAY + 15 * MINUTE + hours * HOUR)

    alert = Alert.objects.get()
    assert (alert.ending, alert.count, alert.whole) == ("recovered", 9, 201)
    assert alert.closed_at == MONDAY + 15 * MINUTE + HOUR
    item = WorkItem.objects.get()
    assert (item.closed_at, item.closed_by) == (alert.closed_at, "system")
    assert "9 / 201" in item.note
    (message,) = told("alert_closed")
    assert "9 of 201" in message.params["lines"][0]["en"]


def test_after_it_is_over_the_next_one_is_a_new_one(position, open_alert):
    interviews(position, 100, "completed")
    look(MONDAY + 10 * MINUTE)
    look(MONDAY + 80 * MINUTE)
    interviews(position, 30, "no_show")
    look(MONDAY + 90 * MINUTE)

    assert [each.closed_at is None for each in Alert.objects.order_by("pk")] == [False, True]
    assert len(told("alert_opened")) == 2


def test_when_its_days_have_gone_by_it_is_over(position, open_alert):
    services.check_due(MONDAY + 7 * DAY)
    assert Alert.objects.get().ending == "too_few"


def test_the_worst_is_kept_with_what_stood_out_then(position, open_alert):
    interviews(position, 20, "no_show", hour=19)
    look(MONDAY + 2 * MINUTE)
    interviews(position, 60, "completed", hour=19)
    look(MONDAY + 4 * MINUTE)

    alert = Alert.objects.get()
    assert (alert.worst.numerator, alert.worst.denominator) == (29, 121)
    assert (alert.now.numerator, alert.now.denominator) == (29, 181)
    assert [each["code"] for each in alert.evidence] == ["evening"]


def test_work_that_somebody_settled_is_not_opened_again(position, open_alert):
    WorkItem.objects.update(closed_at=MONDAY, closed_by="user:1", note="We called them.")
    interviews(position, 5, "no_show")
    look(MONDAY + 2 * MINUTE)
    interviews(position, 300, "completed")
    look(MONDAY + 4 * MINUTE)
    look(MONDAY + 2 * HOUR)

    assert Alert.objects.get().closed_at
    assert WorkItem.objects.get().note == "We called them."


# --- that nobody settles --------------------------------------------------------------------------


def reminded(now):
    """Who is told at the desk by whatever is due by then."""
    before = {each.pk for each in told("alert_waiting")}
    take_steps(now)
    return sorted(each.recipient for each in told("alert_waiting") if each.pk not in before)


def on(*people):
    return sorted(f"user:{person.pk}" for person in people)


def test_work_that_nobody_settles_is_reminded_of_and_then_told_to_who_leads(position, open_alert):
    recruiter, lead = (
        UserFactory(**{role: True}, departments=[position.department], language="en")
        for role in ("recruiter", "lead")
    )
    item = WorkItem.objects.get(subject=open_alert.subject)
    item.assignee = f"user:{recruiter.pk}"
    item.save()
    assert reminded(item.due_at - MINUTE) == []
    assert reminded(item.due_at) == on(recruiter)
    assert reminded(item.due_at) == []
    assert reminded(item.due_at + DAY) == on(lead)
    assert reminded(item.due_at + 2 * DAY) == []

    first, second = told("alert_waiting")
    assert "Did not come: 8.9 %" in first.params["what"]
    assert (first.params["is_late"], second.params["is_late"]) == (False, True)
    assert first.params["path"] == f"/desk/insights/alerts/{open_alert.pk}/"


def test_what_nobody_took_on_is_for_who_leads_and_the_company_s_for_administrators(position):
    lead = UserFactory(lead=True, departments=[position.department])
    administrator = UserFactory(administrator=True)
    for audience in (position.department.audience, "company"):
        alert = alert_of("company", 0)
        WorkItemFactory(
            kind="anomaly", audience=audience, subject=alert.subject, params={"alert": alert.pk},
            due_at=MONDAY, remind_at=MONDAY,
        )  # fmt: skip
        alert.rule = None
        alert.save()
    assert reminded(MONDAY) == on(lead, administrator)


@pytest.mark.parametrize("settled", ["by hand", "with the alert"])
def test_what_is_settled_is_not_reminded_of(position, open_alert, settled):
    UserFactory(lead=True, departments=[position.department])
    item = WorkItem.objects.get(subject=open_alert.subject)
    if settled == "by hand":
        resolve(item.reference, by="user:1")
    else:
        AlertRule.objects.update(is_active=False)
        services.check_due(MONDAY + MINUTE)
    assert reminded(item.due_at + 2 * DAY) == []


# --- when -----------------------------------------------------------------------------------------


def test_a_rule_is_looked_at_once_a_minute_however_much_changes(position, watched):
    assert look(MONDAY) == 1
    interviews(position, 30, "no_show")
    assert look(MONDAY + 59 * timedelta(seconds=1)) == 0
    assert look(MONDAY + MINUTE) == 1  # what changed meanwhile was not forgotten
    assert look(MONDAY + 10 * MINUTE) == 0
    assert look(MONDAY + MINUTE + HOUR) == 1
    assert Alert.objects.count() == 1


def test_one_that_fails_does_not_keep_the_others_waiting(position, watched, monkeypatch):
    broken = rule_for(scope="company")
    measure = services.measuring.measure

    def fails(rule, today):
        if rule.pk == broken.pk:
            raise RuntimeError
        return measure(rule, today)

    monkeypatch.setattr(services.measuring, "measure", fails)
    AlertRule.objects.filter(pk=watched.pk).update(days=8)
    interviews(position, 30, "no_show")
    look(MONDAY)
    assert Alert.objects.get().scope == "department"


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_open_one(position):
    AlertRule.objects.all().delete()
    rule = rule_for()
    interviews(position, 30, "no_show")
    recount()
    together = Barrier(2)

    def work():
        try:
            together.wait()
            services.check(rule.pk, MONDAY)
        finally:
            connection.close()

    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(work), pool.submit(work)]:
            done.result()

    assert Alert.objects.count() == WorkItem.objects.count() == len(told("alert_opened")) == 1


def test_the_database_holds_one_open_alert_of_each(position, watched):
    alert_of("department", 1)
    with pytest.raises(IntegrityError), transaction.atomic():
        alert_of("department", 1)
    alert_of("department", 2)
    Alert.objects.update(closed_at=MONDAY, ending="recovered")
    alert_of("department", 1)


@pytest.mark.parametrize("number", [2, 12])
def test_reading_takes_as_many_queries_for_many_positions(
    number, watched, position, django_assert_num_queries
):
    """Only what opens is written one by one."""
    AlertRule.objects.update(scope="position")
    for _each in range(number):
        interviews(PositionFactory(department=position.department), 20, "completed")
    interviews(position, 30, "no_show")
    look(MONDAY)
    AlertRule.objects.update(is_due=True)

    with django_assert_num_queries(FOLLOWING):
        services.check_due(MONDAY + 2 * MINUTE)


FOLLOWING = 12


# --- rules ----------------------------------------------------------------------------------------


@pytest.fixture
def administrator():
    return UserFactory(administrator=True)


def test_a_rule_that_is_switched_off_closes_what_is_open(open_alert, watched, administrator):
    watched.is_active = False
    services.save_rule(watched, by=administrator, now=MONDAY + HOUR)
    assert Alert.objects.get().ending == "off"
    assert WorkItem.objects.get().closed_at == MONDAY + HOUR
    assert len(told("alert_closed")) == 1


def test_a_rule_that_is_removed_closes_what_is_open(open_alert, watched, administrator):
    services.delete_rule(watched, by=administrator, now=MONDAY + HOUR)
    alert = Alert.objects.get()
    assert (alert.rule, alert.ending, alert.threshold) == (None, "off", 8)
    assert WorkItem.objects.get().closed_at == MONDAY + HOUR


@pytest.mark.parametrize("by", ["switching", "removing"])
def test_also_where_the_rule_went_by_another_way(open_alert, by):
    if by == "switching":
        AlertRule.objects.update(is_active=False)
    else:
        AlertRule.objects.all().delete()
    services.check_due(MONDAY + MINUTE)
    services.check_due(MONDAY + 2 * MINUTE)
    assert Alert.objects.get().ending == "off"
    assert len(told("alert_closed")) == 1


def test_a_rule_that_watches_something_else_closes_what_is_open(open_alert, watched, administrator):
    watched.scope = "position"
    services.save_rule(watched, by=administrator, now=MONDAY + HOUR)
    services.check_due(MONDAY + HOUR)
    scopes = Alert.objects.order_by("pk").values_list("scope", "ending")
    assert [*scopes] == [("department", "changed"), ("position", "")]


def test_another_threshold_counts_for_what_is_open(open_alert, watched, administrator):
    watched.threshold = 20
    services.save_rule(watched, by=administrator, now=MONDAY + HOUR)
    assert Alert.objects.get().threshold == 20
    services.check_due(MONDAY + HOUR)
    services.check_due(MONDAY + 2 * HOUR)
    assert Alert.objects.get().ending == "recovered"


def test_rules_are_written_by_administrators_and_written_down(watched, administrator):
    lead = UserFactory(lead=True, departments=[DepartmentFactory()])
    watched.threshold = 12
    for refused in (
        lambda: services.save_rule(watched, by=lead, now=MONDAY),
        lambda: services.delete_rule(watched, by=lead, now=MONDAY),
    ):
        with pytest.raises(PermissionDenied):
            refused()
    services.save_rule(watched, by=administrator, now=MONDAY)

    change = ConfigurationChange.objects.filter(kind="alerts.alertrule", action="changed").get()
    assert change.actor == f"user:{administrator.pk}"
    assert (change.before["threshold"], change.after["threshold"]) == (8, 12)


def test_trying_a_rule_says_what_it_would_say_and_does_nothing(position, watched):
    interviews(position, 30, "no_show")
    interviews(PositionFactory(), 30, "completed")
    interviews(PositionFactory(), 5, "no_show")
    recount()
    found = services.preview(watched, MONDAY.date())
    assert [(name, rate.numerator) for name, rate in found.breached] == [("制造一部", 30)]
    assert (found.watched, found.told_of, found.too_few) == (3, 2, 1)
    assert not Alert.objects.exists()
