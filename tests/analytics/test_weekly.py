"""The week in figures by mail: to whom, when, what, and never twice."""

import re
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from analytics import cells
from analytics.dashboards import weekly
from analytics.figures import Period
from notifications import rendering
from notifications.channels import email
from notifications.models import MessageTemplate, Notification
from tests.factories import (
    CancellationFactory,
    DepartmentFactory,
    InterviewFactory,
    PositionFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

MONDAY = datetime(2024, 5, 13, 0, 30, tzinfo=UTC)  # half past eight in Shanghai
WEEK = Period(date(2024, 5, 6), date(2024, 5, 12))


@pytest.fixture
def department():
    department = DepartmentFactory()
    position = PositionFactory(department=department)
    at = timezone.make_aware(datetime.combine(date(2024, 5, 8), time(10)))
    InterviewFactory(position=position, completed=True, starts_at=at)
    off = InterviewFactory(position=position, status="cancelled", slot=None, starts_at=at)
    CancellationFactory(approved=True, interview=off)
    while cells.recount_batch():
        pass
    return department


def told():
    return list(Notification.objects.filter(event="weekly_summary"))


def test_the_last_whole_week():
    assert weekly.week_before(date(2024, 5, 13)) == WEEK
    assert weekly.week_before(date(2024, 5, 19)) == WEEK


@pytest.mark.parametrize(
    ("moment", "count"),
    [
        (MONDAY, 1),
        (MONDAY - timedelta(minutes=31), 0),
        (MONDAY + timedelta(hours=9), 1),
        (MONDAY + timedelta(hours=35, minutes=29), 1),  # the worker was down on Monday
        (MONDAY + timedelta(hours=35, minutes=30), 0),
        (MONDAY - timedelta(days=1), 0),
    ],
)
def test_it_goes_on_monday_from_eight_or_on_tuesday(department, moment, count):
    UserFactory(lead=True, departments=[department])
    assert weekly.send_due(moment) == count


def test_it_goes_once(department):
    UserFactory(lead=True, departments=[department])
    weekly.send_due(MONDAY)
    assert weekly.send_due(MONDAY + timedelta(hours=1)) == 0
    assert weekly.send_due(MONDAY + timedelta(days=1)) == 0
    assert len(told()) == 1


def test_it_goes_to_who_leads_and_has_not_said_no(department):
    lead = UserFactory(lead=True, departments=[department])
    silent = UserFactory(lead=True, departments=[department])
    weekly.choose(silent, is_wanted=False)
    administrator = UserFactory(administrator=True)
    UserFactory(recruiter=True, departments=[department])
    UserFactory(viewer=True, departments=[department])
    UserFactory(lead=True, departments=[department], is_active=False)
    UserFactory(lead=True, departments=[DepartmentFactory()])  # nothing happened there
    weekly.send_due(MONDAY)
    assert {each.recipient for each in told()} == {f"user:{lead.pk}", f"user:{administrator.pk}"}


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_it_says_the_figures_in_the_language_of_its_reader(department, language):
    lead = UserFactory(lead=True, departments=[department], language=language)
    (notice,) = weekly.summary(lead, WEEK)
    values = {each["label"]: each["value"] for each in notice.params["figures"]}
    assert values["Booked" if language == "en" else "预约"] == "2"
    assert values["Cancelled" if language == "en" else "取消"] in {"1 of 2", "1 / 2"}
    assert len(notice.params["steps"]) == 6
    assert notice.params["reasons"][0]["width"] == "100%"


def test_the_mail_has_bars_and_a_way_to_end_it(department, settings):
    UserFactory(lead=True, departments=[department])
    weekly.send_due(MONDAY)
    (notification,) = told()
    message = rendering.render(notification)
    assert 'width="100%"' in message.html
    assert "/messages/off/" in message.html
    assert "/messages/off/" in message.body
    assert "<" not in message.body
    assert not re.search(r"<script|<img|https?://(?!localhost|127|mianyue)", message.html)


def test_words_of_the_company_take_the_place_of_the_drawn_ones(department):
    lead = UserFactory(lead=True, departments=[department], language="en")
    MessageTemplate.objects.create(
        event="weekly_summary", channel="email", language="en", title="Figures", body="{{ period }}"
    )
    rendering.own_words.forget()
    weekly.send_due(MONDAY)
    message = rendering.render(Notification.objects.get(recipient=f"user:{lead.pk}"))
    assert message.title == "Figures"
    assert message.html == ""


def test_it_arrives_as_text_and_as_html(department):
    UserFactory(lead=True, departments=[department])
    weekly.send_due(MONDAY)
    (notification,) = told()
    email.send(notification, rendering.render(notification))
    (sent,) = mail.outbox
    assert [kind for _content, kind in sent.alternatives] == ["text/html"]


def test_a_reader_ends_it_and_has_it_sent_again(client, department, settings):
    settings.LANGUAGE_CODE = "en"
    lead = UserFactory(lead=True, departments=[department])
    client.force_login(lead)
    url = reverse("analytics:weekly")
    answer = client.post(url, {"wanted": "0", "query": "period=last_7"})
    assert answer.url == f"{reverse('analytics:report')}?period=last_7"
    assert not weekly.is_wanted_by(lead)
    assert "You are not sent the weekly summary." in client.get(answer.url).content.decode()
    client.post(url, {"wanted": "1"})
    assert weekly.is_wanted_by(lead)


def test_who_is_not_offered_it_cannot_order_it(client, department):
    viewer = UserFactory(viewer=True, departments=[department])
    client.force_login(viewer)
    client.post(reverse("analytics:weekly"), {"wanted": "0"})
    assert weekly.is_wanted_by(viewer)  # nothing was written
    assert b"weekly" not in client.get(reverse("analytics:report")).content
