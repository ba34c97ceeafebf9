"""From an outbox row to the words a person reads.

Templates stand in templates/notifications/<event>/<channel>.<language>.txt. Those of channels with
titles begin with a line "Subject: …".
"""

import re
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any, cast

from django.conf import settings
from django.template import Context, engines
from django.template.backends.django import DjangoTemplates
from django.utils import dateformat, timezone, translation

from notifications.models import Notification

TITLE = "Subject:"
MOMENT = {"zh-hans": "Y年n月j日（l）H:i", "en": "l j F Y, H:i"}
DAY = {"zh-hans": "Y-m-d", "en": "j F Y"}  # HR's Chinese notices are worded around 2024-05-10


@dataclass(frozen=True)
class Message:
    """The words, and what they were made of, for providers that fill templates themselves."""

    title: str
    body: str
    template: str = ""
    values: dict[str, str] = field(default_factory=dict)


def render(notification: Notification) -> Message:
    """Fill the template of the event, channel and language. Raises what a broken template does."""
    language = notification.language
    if language not in MOMENT:
        language = settings.LANGUAGE_CODE
    name = f"{notification.event}/{notification.channel}.{language}"
    zone = notification.zone or timezone.get_default_timezone()
    with translation.override(language):
        values = _shown(notification.params, zone, language)
        text = _fill(f"notifications/{name}.txt", values)
    title, body = _split(text)
    words = {key: str(value) for key, value in values.items() if value is not None}
    return Message(title, body, template=name, values=words)


def _shown(params: dict[str, Any], zone: tzinfo, language: str) -> dict[str, Any]:
    """Parameters as people read them: `starts_at` in words, its day alone as `starts_on`; the same
    within lists of them."""
    shown: dict[str, Any] = {}
    for key, value in params.items():
        if key.endswith("_at") and value:
            local = datetime.fromisoformat(value).astimezone(zone)
            shown[key] = dateformat.format(local, MOMENT[language])
            shown[key.removesuffix("at") + "on"] = dateformat.format(local, DAY[language])
        elif isinstance(value, list):
            shown[key] = [_shown(each, zone, language) for each in value]
        elif isinstance(value, str):
            shown[key] = " ".join(value.split())  # a line break would end a title
        else:
            shown[key] = value
    return shown


def _fill(template: str, values: dict[str, Any]) -> str:
    around = {
        "public_url": settings.PUBLIC_URL.rstrip("/"),
        "hotline": settings.HOTLINE,
        "help_mailbox": settings.HELP_MAILBOX,
    }
    # Django's own engine, but plain text is not escaped.
    engine = cast(DjangoTemplates, engines["django"]).engine
    return engine.get_template(template).render(Context(around | values, autoescape=False))


def _split(text: str) -> tuple[str, str]:
    """The title, if there is one, and the text without the gaps that conditions leave."""
    text = text.strip()
    title = ""
    if text.startswith(TITLE):
        title, _, text = text.removeprefix(TITLE).partition("\n")
    return title.strip(), re.sub(r"\n{3,}", "\n\n", text.strip())
