from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from notifications.models import Notification, State
from notifications.services import deliver_due, notify
from notifications.templatetags.addresses import linked
from tests.notifications.test_services import CODE, notice

pytestmark = pytest.mark.django_db
URL = "/demo/messages/"


@pytest.fixture
def demo(settings):
    settings.MESSAGES_STAY_HERE = True


def test_only_demo_mode_has_the_page(client):
    assert client.get(URL).status_code == 404


def test_anybody_sees_what_would_have_been_sent_newest_first(client, demo):
    notify(notice("1", event="sign_in_code", params=CODE))
    deliver_due(seconds=5)
    notify(notice("2"), notice("3", channel="email", address="zhang@example.com"))
    deliver_due(seconds=5)

    response = client.get(reverse("notifications:demo_messages"))

    page = response.content.decode()
    assert response.status_code == 200
    assert "135790" in page
    assert page.index("password has been changed") < page.index("135790")
    assert "zhang@example.com" in page
    assert "no-store" in response["Cache-Control"]


def test_what_was_not_sent_is_not_shown(client, demo):
    notify(notice("1", address="+8613800000009"))

    assert "+8613800000009" not in client.get(URL).content.decode()


def test_the_page_asks_again_and_is_answered_only_when_there_is_more(client, demo):
    notify(notice("1"))
    deliver_due(seconds=5)
    newest = client.get(URL).context["newest"]

    assert client.get(URL, {"newest": newest}).status_code == 204
    notify(notice("2"))
    deliver_due(seconds=5)
    assert client.get(URL, {"newest": newest}).status_code == 200
    assert client.get(URL, {"newest": "no number"}).status_code == 200


def test_words_in_a_message_are_words(client, demo):
    params = {"candidate": "<script>alert(1)</script>", "position": "x", "kind": "ai"}
    notify(notice(channel="email", event="cancellation_done", params=params))
    deliver_due(seconds=5)

    page = client.get(URL).content.decode()

    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_what_waits_for_its_time_is_shown_with_that_time(client, demo):
    notify(notice("1"))
    later = timezone.now() + timedelta(hours=3)
    Notification.objects.update(not_before=later)

    held = client.get(URL, headers={"accept-language": "en"})
    Notification.objects.update(not_before=timezone.now())
    deliver_due(seconds=5)
    sent = client.get(URL, {"newest": held.context["newest"]})

    assert "password has been changed" in held.content.decode()
    assert "goes out" in held.content.decode()
    assert f"{timezone.localtime(later):%H:%M}" in held.content.decode()
    assert sent.status_code == 200
    assert not sent.context["held"]
    assert "password has been changed" in sent.content.decode()


def test_calendar_file_of_a_mail_can_be_looked_at(client, demo):
    said = {
        "method": "REQUEST",
        "uid": "7K2M9QX4TB@m.example",
        "sequence": 1,
        "starts_at": "2026-11-22T06:00:00+00:00",
        "ends_at": "2026-11-22T06:30:00+00:00",
        "changed_at": "2026-11-20T06:00:00+00:00",
        "summary": "AI interview: fitter",
    }
    notify(notice(channel="email", address="z@example.com", params={"calendar": said}))
    deliver_due(seconds=5)

    page = client.get(URL).content.decode()

    assert "invite.ics" in page
    assert "SUMMARY:AI interview: fitter" in page
    assert 'href="data:text/calendar;base64,' in page


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "凭证：https://m.example/r/7K/。谢谢",
            '凭证：<a href="https://m.example/r/7K/" rel="nofollow">https://m.example/r/7K/</a>。谢谢',
        ),
        (
            "See http://m:8/?x=1&y=2. Bye",
            'See <a href="http://m:8/?x=1&amp;y=2" rel="nofollow">http://m:8/?x=1&amp;y=2</a>. Bye',
        ),
        ("<b>https://</b>", "&lt;b&gt;https://&lt;/b&gt;"),
        ('https://x/"onclick', '<a href="https://x/" rel="nofollow">https://x/</a>&quot;onclick'),
    ],
)
def test_addresses_in_messages_lead_somewhere_whatever_stands_around_them(text, shown):
    assert linked(text) == shown


@pytest.mark.parametrize("rows", [1, 3])
def test_query_count_does_not_grow(client, demo, rows, django_assert_num_queries):
    now = timezone.now()
    Notification.objects.bulk_create(
        Notification(
            event="x",
            channel=channel,
            address="+8613800000001",
            language="en",
            dedupe_key=f"{channel}{number}",
            not_before=now,
            created_at=now,
            sent_at=now,
            state=State.SENT,
            body="Hello",
        )
        for number in range(rows)
        for channel in ("sms", "email")
    )

    with django_assert_num_queries(3):
        response = client.get(URL)

    assert len(response.context["texts"]) == len(response.context["mails"]) == rows
