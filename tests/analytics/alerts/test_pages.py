"""What the desk shows of alerts, and to whom; and the rules, which administrators write."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from analytics.alerts.models import Alert, AlertRule
from interviews.models import Position
from notifications.models import Notification, WorkItem
from tests.analytics.alerts.watched import alert_of, interviews, recount
from tests.factories import DepartmentFactory, PositionFactory, UserFactory

pytestmark = pytest.mark.django_db
WRITTEN = {
    "rate": "no_show",
    "scope": "department",
    "kind": "",
    "days": "14",
    "threshold": "10",
    "margin": "2",
    "minimum": "20",
    "name": "",
    "is_active": "on",
}


@pytest.fixture
def department(settings):
    settings.LANGUAGE_CODE = "en"
    return DepartmentFactory(name="制造一部")


@pytest.fixture
def administrator(department):
    return UserFactory(administrator=True)


@pytest.fixture
def admin(client, administrator):
    client.force_login(administrator)
    return client


def text(response):
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def index(client, query=""):
    return client.get(f"{reverse('alerts:index')}{query}")


# --- alerts ---------------------------------------------------------------------------------------


def test_without_alerts_the_page_says_what_is_watched(desk):
    said = text(index(desk))
    assert "No alert is open" in said
    assert "Did not come, each department: more than 8 % in 7 days" in said
    AlertRule.objects.update(is_active=False)
    assert "every rule is switched off" in text(index(desk))


def test_an_alert_says_how_much_since_when_and_why(desk, department):
    alert_of("department", department.pk)
    said = text(index(desk))
    assert "Did not come · 制造一部" in said
    assert "9.9 % (10 of 101)" in said
    assert "8 % in 7 days" in said
    assert "then 9 % (9 of 100); at the worst 12 % (12 of 100)" in said
    assert "Times from 18:00 on: 40 % (8 of 20), 8 times as many" in said


def test_where_nothing_stands_out_it_says_so(desk, department):
    alert_of("department", department.pk, evidence=[])
    assert "No single cause stands out." in text(index(desk))


def test_the_highest_comes_first_and_past_ones_page_after_page(desk, department, position):
    alert_of("department", department.pk)
    alert_of("position", position.pk, count=50)
    now = timezone.now()
    for number in range(31):
        alert_of(
            "department",
            department.pk,
            closed_at=now - timedelta(days=number),
            ending="recovered",
        )
    first, second = index(desk), index(desk, "?page=2")
    assert [each.where for each in first.context["open"]] == ["装配技术员", "制造一部"]
    assert (len(first.context["past"]), len(second.context["past"])) == (30, 1)


@pytest.mark.parametrize("scope", ["department", "position", "company", "source"])
def test_nobody_sees_alerts_of_what_is_not_theirs(desk, department, position, scope):
    others = PositionFactory()
    owners = {
        "department": (department.pk, others.department_id),
        "position": (position.pk, others.pk),
    }
    mine, theirs = owners.get(scope, (0, 1))
    alert_of(scope, theirs)
    if scope in owners:
        alert_of(scope, mine)
    seen = [each.alert.owner for each in index(desk).context["open"]]
    assert seen == ([mine] if scope in owners else [])
    for alert in Alert.objects.all():
        response = desk.get(reverse("alerts:alert", args=[alert.pk]))
        assert response.status_code == (200 if alert.owner in seen else 404)


def test_administrators_see_those_of_the_company(admin):
    alert_of("company", 0)
    alert_of("source", 0, source="elsewhere")
    assert len(index(admin).context["open"]) == 2


def test_its_links_lead_to_the_figures_and_rows_of_its_place_and_days(desk, position):
    today = timezone.localdate()
    interviews(position, 3, "no_show", day=timezone.localtime())
    interviews(position, 2, "completed", day=timezone.localtime())
    recount()
    alert_of("position", position.pk)
    (shown,) = index(desk).context["open"]
    asked = desk.get(shown.figures_url).context["asked"]
    assert asked.chosen.positions == (position.pk,)
    assert (asked.period.since, asked.period.until) == (today - timedelta(days=6), today)
    assert desk.get(shown.rows_url).context["part"].count == 3


def test_what_is_no_longer_there_goes_without_a_name(admin):
    alert_of("position", 10**9)
    assert "not known any more" in text(index(admin))


@pytest.mark.parametrize("number", [1, 6])
def test_query_count_does_not_grow(desk, department, number, django_assert_num_queries):
    for _each in range(number):
        alert_of("position", PositionFactory(department=department).pk)
    for each in Position.objects.all()[:number]:
        alert_of("position", each.pk, closed_at=timezone.now(), ending="recovered")
    index(desk)
    with django_assert_num_queries(QUERIES):
        index(desk)


QUERIES = 7


def test_work_and_messages_lead_to_it(client, lead, department):
    alert = alert_of("department", department.pk)
    item = WorkItem.objects.create(
        kind="anomaly",
        audience=department.audience,
        subject=alert.subject,
        params={"code": "alert_no_show", "alert": alert.pk},
        opened_at=timezone.now(),
        due_at=timezone.now(),
    )
    Notification.objects.create(
        event="alert_opened", channel="desk", recipient=department.audience, language="en",
        subject=alert.subject, params={"alert": alert.pk}, title="Alert", body="x",
        state="delivered", created_at=timezone.now(), not_before=timezone.now(), dedupe_key="x",
    )  # fmt: skip
    client.force_login(lead)
    page = reverse("alerts:alert", args=[alert.pk])
    queue = client.get(reverse("cancellations:queue"))
    assert "More candidates do not come than the rule allows." in text(queue)
    case = client.get(reverse("cancellations:work_item", args=[item.reference]))
    assert page in case.content.decode()
    assert page in client.get(reverse("cancellations:inbox")).content.decode()


# --- rules ----------------------------------------------------------------------------------------


def test_leads_read_the_rules_and_do_not_change_them(desk):
    page = desk.get(reverse("alerts:rules"))
    assert "administrators change them" in text(page)
    assert reverse("alerts:new_rule") not in page.content.decode()


def test_an_administrator_writes_a_rule_and_reads_what_it_finds(admin, position):
    interviews(position, 30, "no_show", day=timezone.localtime())
    recount()
    page = admin.post(reverse("alerts:new_rule"), WRITTEN, follow=True)
    assert "As figures stand it finds 1." in text(page)
    rule = AlertRule.objects.latest("pk")
    assert (rule.days, rule.threshold, rule.is_due) == (14, 10, True)


def test_trying_a_rule_shows_what_it_would_say_and_saves_nothing(admin, position):
    interviews(position, 30, "no_show", day=timezone.localtime())
    recount()
    page = admin.post(reverse("alerts:new_rule"), WRITTEN | {"try": "1"})
    assert page.status_code == 200
    assert "制造一部: 100 % 30 of 30" in text(page)
    assert AlertRule.objects.count() == 4


def test_a_rule_that_is_there_shows_what_it_says(admin):
    page = admin.get(reverse("alerts:edit_rule", args=[AlertRule.objects.first().pk]))
    assert "Nothing is above the threshold." in text(page)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("rate", "salary"),
        ("days", "0"),
        ("days", "93"),
        ("threshold", "0"),
        ("threshold", "100"),
        ("threshold", "8.5"),
        ("threshold", ""),
        ("margin", "0"),
        ("margin", "11"),
        ("minimum", "19"),
        ("minimum", "9" * 30),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_word(admin, field, value):
    page = admin.post(reverse("alerts:new_rule"), WRITTEN | {field: value})
    assert page.status_code == 422
    assert page.context["form"].errors.keys() == {field}
    assert AlertRule.objects.count() == 4


def test_the_same_rule_twice_is_refused(admin):
    same = WRITTEN | {"days": "7", "threshold": "8"}
    page = admin.post(reverse("alerts:new_rule"), same)
    assert "There is such a rule already." in text(page)


def test_a_rule_is_removed_after_asking_and_its_alerts_are_over(admin, department):
    alert = alert_of("department", department.pk)
    address = reverse("alerts:delete_rule", args=[alert.rule_id])
    assert "1 alert of it is open" in text(admin.get(address))
    admin.post(address)
    assert AlertRule.objects.count() == 3
    assert Alert.objects.get().ending == "off"


def test_pages_speak_chinese(admin, administrator, department):
    administrator.language = "zh-hans"
    administrator.save()
    alert_of("department", department.pk)
    said = text(index(admin))
    assert "未到面" in said or "未参加" in said or "没来" in said
    assert "18:00 以后的时间" in said
