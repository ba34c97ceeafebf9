"""From an outbox row to the words a person reads.

Templates stand in templates/notifications/<event>/<channel>.<language>.txt. Those of channels with
titles begin with a line "Subject: …"; a mail may have an .html beside. A row of MessageTemplate
comes first. Group chats are told what the desk is, push messages say what text messages do.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any, cast

import structlog
from django.conf import settings
from django.template import Context, Engine, TemplateDoesNotExist, engines
from django.template.backends.django import DjangoTemplates
from django.template.base import NodeList
from django.utils import dateformat, timezone, translation
from django.utils.translation import gettext as _

from notifications import unsubscribing
from notifications.events import kind_of
from notifications.models import Channel, MessageTemplate, Notification
from notifications.remembering import Remembered

logger = structlog.get_logger(__name__)

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
    html: str = ""  # the same beside the text, for mail programs


TITLED = frozenset({Channel.EMAIL, Channel.DESK, Channel.CHAT})
WORDED_AS = {Channel.CHAT: Channel.DESK, Channel.PUSH: Channel.SMS}


@dataclass(frozen=True)
class Source:
    """A template before it is filled."""

    title: str
    body: str


def render(notification: Notification) -> Message:
    """Fill the template of the event, channel and language. Raises what a broken template does."""
    language = language_of(notification.language)
    channel = str(WORDED_AS.get(Channel(notification.channel), notification.channel))
    zone = notification.zone or timezone.get_default_timezone()
    name = f"{notification.event}/{channel}.{language}"
    own = own_words().get((notification.event, channel, language))
    with translation.override(language):
        values = in_words(notification.params, zone, language)
        filled = _fill_own(own, values, name)
        title, body = filled or _split(_fill_file(name, values))
        is_mail, url = notification.channel == Channel.EMAIL, ""
        if kind_of(notification.event).is_optional and is_mail:
            url = unsubscribing.url_for(notification)
            body = "\n\n".join([body, _("To stop these messages: %(url)s") % {"url": url}])
        html = _fill_html(name, values | {"title": title, "stop_url": url}) if is_mail else ""
    words = {key: str(value) for key, value in values.items() if value is not None}
    return Message(title, body, template=name, values=words, html="" if filled else html)


def fill(source: Source, values: dict[str, Any]) -> tuple[str, str]:
    """Title and text. Raises what a broken template does."""
    engine = _engine()
    context = around() | values
    title, body = (
        engine.from_string(text).render(Context(context, autoescape=False))
        for text in (source.title, source.body)
    )
    return " ".join(title.split()), _tidy(body)


def _fill_own(own: Source | None, values: dict[str, Any], name: str) -> tuple[str, str] | None:
    """None where there are none, and where a newer version no longer knows what they name: nobody
    goes without a message for it."""
    if own is None:
        return None
    try:
        return fill(own, values)
    except Exception as trouble:
        logger.error("own_words_broke", template=name, error=type(trouble).__name__)
        return None


def compiled(text: str) -> NodeList:
    """What a template is made of. Raises TemplateSyntaxError."""
    return _engine().from_string(text).nodelist


def piece(name: str) -> NodeList:
    """The same of one that comes with the product."""
    return _engine().get_template(name).nodelist


def source_of(event: str, channel: str, language: str) -> Source | None:
    """What the product brings for it; None where it brings nothing."""
    try:
        template = _engine().get_template(f"notifications/{event}/{channel}.{language}.txt")
    except TemplateDoesNotExist:
        return None
    text = str(template.source).strip()
    if not text.startswith(TITLE):
        return Source("", text)
    title, _newline, body = text.removeprefix(TITLE).partition("\n")
    return Source(title.strip(), body.strip())


def has_words(event: str, channel: str) -> bool:
    return source_of(event, channel, settings.LANGUAGE_CODE) is not None


def language_of(language: str) -> str:
    return language if language in MOMENT else settings.LANGUAGE_CODE


@Remembered
def own_words() -> dict[tuple[str, str, str], Source]:
    """Every template of the company's own; there are few."""
    return {
        (each.event, each.channel, each.language): Source(each.title, each.body)
        for each in MessageTemplate.objects.all()
    }


def in_words(params: dict[str, Any], zone: tzinfo, language: str) -> dict[str, Any]:
    """Parameters as people read them: `starts_at` in words, its day alone as `starts_on`; the same
    within lists of them."""
    shown: dict[str, Any] = {}
    for key, value in params.items():
        if key.endswith("_at") and value:
            local = datetime.fromisoformat(value).astimezone(zone)
            shown[key] = dateformat.format(local, MOMENT[language])
            shown[key.removesuffix("at") + "on"] = dateformat.format(local, DAY[language])
        elif isinstance(value, list):
            shown[key] = [in_words(each, zone, language) for each in value]
        elif isinstance(value, str):
            shown[key] = " ".join(value.split())  # a line break would end a title
        else:
            shown[key] = value
    return shown


def _fill_file(name: str, values: dict[str, Any]) -> str:
    template = _engine().get_template(f"notifications/{name}.txt")
    return template.render(Context(around() | values, autoescape=False))


def _fill_html(name: str, values: dict[str, Any]) -> str:
    """What mail programs show instead of the text; few events bring it."""
    try:
        template = _engine().get_template(f"notifications/{name}.html")
    except TemplateDoesNotExist:
        return ""
    return template.render(Context(around() | values))


def around() -> dict[str, str]:
    return {
        "public_url": settings.PUBLIC_URL.rstrip("/"),
        "hotline": settings.HOTLINE,
        "help_mailbox": settings.HELP_MAILBOX,
    }


def _engine() -> Engine:
    """Django's own, but plain text is not escaped."""
    return cast(DjangoTemplates, engines["django"]).engine


def _split(text: str) -> tuple[str, str]:
    """The title, if there is one, and the text."""
    text = text.strip()
    title = ""
    if text.startswith(TITLE):
        title, _newline, text = text.removeprefix(TITLE).partition("\n")
    return title.strip(), _tidy(text)


def _tidy(text: str) -> str:
    """Without the gaps that conditions leave, and without a second stop where what a person wrote
    ends in one of its own."""
    text = re.sub(r"\n{3,}", "\n\n", text.strip())
    text = re.sub(r"。(?=[。，；])|(?<!\.)\.(?=。)|(?<=[！？])。", "", text)
    return re.sub(r"(?<=[.!?…])(?<!\.\.)\.(?=\s|$)", "", text)
