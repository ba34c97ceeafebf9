"""Group chats, by Apprise's real bots against a server on this machine."""

import json

import pytest
from apprise.plugins.dingtalk import NotifyDingTalk
from apprise.plugins.feishu import NotifyFeishu
from apprise.plugins.wecombot import NotifyWeComBot
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications import copies, remembering
from notifications.channels import chat
from notifications.models import ChatGroup, Notification, State
from tests.contracts.receiver import Receiver
from tests.notifications.messages import told, tried

pytestmark = [pytest.mark.django_db, pytest.mark.servers]
BOTS = {
    "dingtalk://abcdefghijkl/": NotifyDingTalk,
    "wecombot://abc-def-ghi/": NotifyWeComBot,
    "feishu://abcdefgh/": NotifyFeishu,
}


@pytest.fixture
def service(monkeypatch, settings):
    settings.PROVIDER_TIMEOUT = 1
    with Receiver() as receiver:
        for bot in BOTS.values():
            monkeypatch.setattr(bot, "notify_url", f"{receiver.url}&bot={bot.secure_protocol}")
        yield receiver


def at_the_desk(recipient="department:3", key="1") -> None:
    told(
        key,
        event="position_exit",
        channel="desk",
        recipient=recipient,
        address=recipient,
        params={"position": "Fitter", "kind": "ai", "candidate": "Li", "reason": "x"},
    )


@pytest.mark.parametrize("url", BOTS)
def test_a_group_is_told_what_the_desk_is_told(service, url):
    ChatGroup.objects.create(name="HR", url=url, language="en", audiences=["department:3"])
    at_the_desk()

    tried()
    tried()

    message = Notification.objects.get(channel="chat")
    desk = Notification.objects.get(channel="desk")
    assert (message.title, message.body) == (desk.title, desk.body)
    assert service.received
    assert "Fitter" in json.dumps(json.loads(service.received[0].body), ensure_ascii=False)


@pytest.mark.usefixtures("service")
def test_only_groups_of_the_department_that_are_on_are_told():
    for name, fields in {
        "ours": {"audiences": ["department:3"]},
        "all": {},
        "others": {"audiences": ["department:4"]},
        "off": {"is_active": False},
    }.items():
        ChatGroup.objects.create(name=name, url="feishu://abcdefgh/", **fields)
    at_the_desk()
    at_the_desk_of_a_person()

    tried()

    told_groups = Notification.objects.filter(channel="chat").values_list("recipient", flat=True)
    names = {f"chat:{group.pk}": group.name for group in ChatGroup.objects.all()}
    assert sorted(names[each] for each in told_groups) == ["all", "ours"]


@pytest.mark.usefixtures("service")
def test_what_the_whole_companys_desk_is_told_goes_to_groups_of_all_departments():
    for name, fields in {"department": {"audiences": ["department:3"]}, "all": {}}.items():
        ChatGroup.objects.create(name=name, url="feishu://abcdefgh/", **fields)
    at_the_desk("company")

    tried()

    group = ChatGroup.objects.get(name="all")
    told_groups = Notification.objects.filter(channel="chat").values_list("recipient", flat=True)
    assert [*told_groups] == [f"chat:{group.pk}"]


def test_groups_are_looked_up_for_many_messages_at_once_and_anew_after_a_while(monkeypatch):
    at_the_desk("department:3")
    at_the_desk("department:4", "2")
    with CaptureQueriesContext(connection) as asked:
        tried()
    assert sum("notifications_chatgroup" in query["sql"] for query in asked) == 1

    ChatGroup.objects.create(name="HR", url="feishu://abcdefgh/")
    monkeypatch.setattr(remembering, "KNOWN_FOR", 0)
    copies.active_groups.forget()
    copies.active_groups()
    ChatGroup.objects.create(name="HR East", url="feishu://abcdefgh/")
    assert [group.name for group in copies.active_groups()] == ["HR", "HR East"]


def at_the_desk_of_a_person():
    told("2", event="token_issued", channel="desk", params={"name": "ATS", "by": "Li"})


def test_a_bot_that_fails_is_tried_again(service):
    ChatGroup.objects.create(name="HR", url="feishu://abcdefgh/", language="en")
    service.answers.extend([500] * 4)
    at_the_desk()

    tried()
    tried()

    message = Notification.objects.get(channel="chat")
    assert (message.state, message.error_code) == (State.QUEUED, "refused")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "feishu://",
        "json://127.0.0.1/",
        "file:///etc/passwd",
        "syslog://",
        "https://open.feishu.cn/open-apis/bot/v2/hook/x",
        "mailto://a:b@c.d",
        "exec://rm",
    ],
)
def test_nothing_but_the_bots_we_know_is_let_through(url):
    assert not chat.is_known(url)


@pytest.mark.parametrize("url", BOTS)
def test_the_bots_we_know_are(url):
    assert chat.is_known(url)
