"""What providers report only ever moves a message on."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications import channels, reports, services
from notifications.models import Notification, OutOfReach, State
from notifications.signals import message_failed
from tests.notifications.messages import again, sent, told

pytestmark = pytest.mark.django_db
ENDS = (State.DELIVERED, State.FAILED, State.BOUNCED)


@pytest.fixture
def failures():
    heard = []

    def listen(notification, **kwargs):
        heard.append(notification.pk)

    message_failed.connect(listen)
    yield heard
    message_failed.disconnect(listen)


@pytest.mark.parametrize("before", State)
@pytest.mark.parametrize("reported", ENDS)
def test_which_report_moves_which_state(before, reported, failures):
    message = sent()
    Notification.objects.filter(pk=message.pk).update(state=before)

    changed = reports.report(message.pk, reported, provider_id="SM1", code="30005")

    forward = before in {State.SENDING, State.SENT} or (before, reported) in {
        (State.DELIVERED, State.BOUNCED),
        (State.QUEUED, State.DELIVERED),
    }
    assert changed == forward
    assert again().state == (reported if forward else before)
    assert failures == ([message.pk] if forward and reported != State.DELIVERED else [])


def test_the_same_report_twice_tells_once(failures):
    message = sent()
    for expected in (True, False):
        changed = reports.report(message.pk, State.FAILED, provider_id="SM1", code="30005")
        assert changed == expected

    assert failures == [message.pk]
    assert again().error_code == "30005"


@pytest.mark.parametrize(("pk", "provider_id"), [(0, "SM1"), (None, "SM2")])
def test_a_report_of_what_we_did_not_send_changes_nothing(pk, provider_id):
    message = sent()

    pk = message.pk if pk is None else pk
    assert not reports.report(pk, State.DELIVERED, provider_id=provider_id)
    assert again().state == State.SENT


def test_a_report_may_overtake_the_providers_own_answer(monkeypatch):
    """It comes while the call that hands the message over has not returned yet."""
    told()

    def send(notification, message):
        assert reports.report(notification.pk, State.DELIVERED, provider_id="SM9")
        return "SM9"

    monkeypatch.setattr(channels, "send", send)
    services.deliver_due(seconds=5)

    message = again()
    assert message.state == State.DELIVERED
    assert message.arrived_at is not None
    assert message.provider_id == "SM9"
    assert message.body
    assert message.sent_at is not None
    assert message.claimed_until is None


def test_a_token_names_one_message_and_cannot_be_made_up():
    message = sent()
    token = reports.token_of(message)

    assert reports.read(token) == message.pk
    assert reports.read(token[:-1]) is None
    assert reports.read(f"{message.pk + 1}:{token.partition(':')[2]}") is None
    assert reports.read("") is None


def test_what_arrives_shows_that_somebody_can_be_reached():
    OutOfReach.objects.create(
        recipient="user:1", subject="user:1", since=timezone.now(), code="30005"
    )
    message = sent()

    reports.report(message.pk, State.DELIVERED, provider_id="SM1")

    assert not OutOfReach.objects.filter(solved_at=None).exists()


def test_a_mail_is_also_found_by_the_providers_own_id():
    message = sent(channel="email", address="z@example.com")

    assert not reports.report_mail(State.BOUNCED, pk=None, provider_id="")
    assert not reports.report_mail(State.BOUNCED, pk=None, provider_id="unknown")
    assert reports.report_mail(State.BOUNCED, pk=None, provider_id="SM1", code="bounced")
    assert Notification.objects.get(pk=message.pk).state == State.BOUNCED


MAILS = """
INSERT INTO notifications_notification (event, channel, recipient, address, language, time_zone,
    subject, params, dedupe_key, state, not_before, attempts, title, body, provider_id, error_code,
    created_at)
SELECT 'x', CASE WHEN n %% 2 = 0 THEN 'email' ELSE 'sms' END, 'user:' || n, '', 'en', '', 'x', '{}',
    'bulk:' || n, 'sent', now(), 1, '', '', md5(n::text), '', now()
FROM generate_series(1, %(rows)s::int) n
"""


def test_among_many_mails_the_one_is_read_off_an_index():
    """Other mail of the same account is reported to us as well."""
    with connection.cursor() as cursor:
        cursor.execute(MAILS, {"rows": 20_000})
        cursor.execute("ANALYZE notifications_notification")
    with CaptureQueriesContext(connection) as asked:
        reports.report_mail(State.BOUNCED, pk=None, provider_id="unknown")

    (query,) = asked.captured_queries
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + query["sql"].replace("%", "%%"))
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "notification_mail" in plan


def test_what_arrived_though_nobody_said_so_in_time_is_not_sent_again(post):
    """The provider took it, its answer was lost, and it is to be tried again."""
    post.trouble["sms"] = channels.TryAgain("timeout")
    message = told()
    services.deliver_due(seconds=5)
    assert again().state == State.QUEUED

    assert reports.report(message.pk, State.DELIVERED, provider_id="SM1")
    post.trouble.clear()
    Notification.objects.update(not_before=timezone.now())
    services.deliver_due(seconds=5)

    assert post.sent == []
    assert again().state == State.DELIVERED


def test_a_message_sent_again_is_reported_on_anew():
    message = sent()
    reports.report(message.pk, State.FAILED, provider_id="SM1", code="30005")
    services.send_again(Notification.objects.all())
    Notification.objects.update(state=State.SENT, provider_id="SM2")

    assert not reports.report(message.pk, State.FAILED, provider_id="SM1", code="30005")
    assert reports.report(message.pk, State.DELIVERED, provider_id="SM2")
