"""Group chats of HR, by the bots that Apprise knows."""

from importlib import import_module
from typing import Any

from django.conf import settings

from notifications.channels import Refused, TryAgain
from notifications.models import ChatGroup, Notification
from notifications.rendering import Message

# Apprise knows a hundred services, some of which run programs here: only these are let through.
# They are named with their modules, because to look one up Apprise loads them all, which takes a
# second and fails where one of them does.
BOTS = {
    "dingtalk": ("dingtalk", "NotifyDingTalk"),
    "feishu": ("feishu", "NotifyFeishu"),
    "lark": ("lark", "NotifyLark"),
    "wecombot": ("wecombot", "NotifyWeComBot"),
}


def is_known(url: str) -> bool:
    """Whether this is a whole address of one of the bots we speak with."""
    return _bot(url) is not None


def _bot(url: str) -> Any:
    """None where it is not one of those, or not whole."""
    found = BOTS.get(url.partition("://")[0].lower())
    if found is None:
        return None
    module, name = found
    bot = getattr(import_module(f"apprise.plugins.{module}"), name)
    given = bot.parse_url(url)
    try:
        return bot(**given) if given else None
    except TypeError:  # what Apprise raises for a token that cannot be one
        return None


def send(notification: Notification, message: Message) -> str:
    """Tell one group. Bots say only whether it worked, so whatever fails is tried again."""
    group = ChatGroup.objects.filter(pk=notification.recipient.removeprefix("chat:")).first()
    if group is None or not group.is_active:
        raise Refused("withdrawn")
    bot = _bot(group.url)
    if bot is None:
        raise Refused("address")
    bot.socket_connect_timeout = bot.socket_read_timeout = settings.PROVIDER_TIMEOUT
    if not bot.notify(title=message.title, body=message.body):
        raise TryAgain("refused")
    return ""
