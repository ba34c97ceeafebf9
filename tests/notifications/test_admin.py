import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from notifications.admin import mask
from notifications.models import Notification, State
from notifications.services import notify
from tests.factories import UserFactory
from tests.notifications.test_services import CODE, notice

pytestmark = pytest.mark.django_db
LIST = reverse("admin:notifications_notification_changelist")


@pytest.fixture
def administrator(client):
    client.force_login(UserFactory(administrator=True))
    return client


def stored(key="1", **fields) -> Notification:
    values = {"event": "password_changed"} | fields
    notify(notice(key, event=values.pop("event"), params=CODE))
    Notification.objects.filter(dedupe_key=key).update(**values)
    return Notification.objects.get(dedupe_key=key)


def test_neither_words_nor_whole_addresses_are_shown(administrator):
    notification = stored(body="the words of it", state=State.SENT)
    one = reverse("admin:notifications_notification_change", args=[notification.pk])

    for url in (LIST, one):
        page = administrator.get(url).content.decode()
        assert "+8613****0001" in page
        assert "+8613800000001" not in page
        assert "the words of it" not in page
        assert "135790" not in page


def test_nothing_can_be_changed_by_hand(administrator):
    notification = stored()
    one = reverse("admin:notifications_notification_change", args=[notification.pk])

    assert administrator.post(one, {"state": "sent"}).status_code == 403
    assert administrator.get(reverse("admin:notifications_notification_add")).status_code == 403


def send_again(client, *notifications):
    chosen = [notification.pk for notification in notifications]
    return client.post(LIST, {"action": "send_again", "_selected_action": chosen}, follow=True)


def test_failed_messages_are_sent_again_on_the_record(administrator):
    failed = stored("1", state=State.FAILED, attempts=6)
    sent = stored("2", state=State.SENT)
    code = stored("3", event="sign_in_code", state=State.FAILED)

    page = send_again(administrator, failed, sent, code).content.decode()

    states = dict(Notification.objects.values_list("dedupe_key", "state"))
    assert states == {"1": State.QUEUED, "2": State.SENT, "3": State.FAILED}
    assert "1 message will be sent again." in page
    assert "2 were left alone" in page
    assert LogEntry.objects.get().object_id == str(failed.pk)


@pytest.mark.parametrize("role", ["lead", "recruiter", "viewer"])
def test_only_administrators_send_again(client, role):
    client.force_login(UserFactory(**{role: True}))
    failed = stored(state=State.FAILED)

    send_again(client, failed)

    assert Notification.objects.get().state == State.FAILED


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("+8613800000001", "+8613****0001"),
        ("zhang@example.com", "z****@example.com"),
        ("user:12", "user:12"),
        ("", ""),
    ],
)
def test_addresses_are_masked(address, shown):
    assert mask(address) == shown
