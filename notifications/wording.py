"""The company's own words for messages: what may be written, what it comes to, keeping it.

Whoever writes here writes templates that the server fills, so only the simplest of the template
language is let through: names, conditions on them, lists, and pieces that come with the product.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.template import TemplateSyntaxError
from django.template.base import Lexer, TokenType
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from notifications import rendering, segments
from notifications.models import Channel, MessageTemplate
from notifications.rendering import TITLED, Source
from notifications.samples import SHAPES, Shape

ALWAYS = frozenset({"public_url", "hotline", "help_mailbox"})
CHANNELS = (Channel.SMS, Channel.EMAIL, Channel.DESK)
_NAME = r"[a-z][a-z0-9_]*"
_VALUE = re.compile(rf"({_NAME})(?:\.({_NAME}))?(?:\|(?:truncatechars:\d{{1,3}}))?")
_LOOP = re.compile(rf"for ({_NAME}) in ({_NAME})")
_PIECE = re.compile(r'include "notifications/([a-z]+\.[a-z-]+\.txt)"')
_CONDITION = re.compile(rf'(?:{_NAME})(?:\.{_NAME})?|"[^"{{}}%]*"|\d+')
_WORDS = frozenset({"and", "or", "not", "==", "!=", "<", ">", "<=", ">="})
_IN_LOOPS = frozenset({"first", "last", "counter"})
_ENDS = frozenset({"else", "endif", "endfor"})


@dataclass(frozen=True)
class Place:
    """Where words can be written, and whose stand there now."""

    event: str
    channel: str
    language: str
    is_own: bool


@dataclass(frozen=True)
class Preview:
    """What a message would be; `length` of text messages."""

    title: str
    body: str
    length: segments.Length | None


def places() -> list[Place]:
    """Every message there are words for, in the product's order of events."""
    own = set(MessageTemplate.objects.values_list("event", "channel", "language"))
    return [
        Place(event, channel.value, language, (event, channel.value, language) in own)
        for event in SHAPES
        for channel in CHANNELS
        for language, _name in settings.LANGUAGES
        if rendering.source_of(event, channel, language) is not None
    ]


def current(event: str, channel: str, language: str) -> tuple[Source, bool] | None:
    """The words in use and whether they are the company's own; None where there are none."""
    if event not in SHAPES or channel not in CHANNELS or language not in dict(settings.LANGUAGES):
        return None
    default = rendering.source_of(event, channel, language)
    if default is None:
        return None
    row = MessageTemplate.objects.filter(event=event, channel=channel, language=language).first()
    return (Source(row.title, row.body), True) if row else (default, False)


def check(event: str, channel: str, source: Source, language: str) -> None:
    """Raises ValidationError with everything that is wrong, in words."""
    shape = SHAPES[event]
    problems: list[str] = []
    if channel in TITLED and not source.title:
        problems.append(_("Write a title."))
    if not source.body.strip():
        problems.append(_("Write a text."))
    text = f"{source.title}\n{source.body}"
    named: set[str] = set()
    try:
        for name in _names(text, shape):
            named.add(name)
    except ValidationError as error:
        problems += error.messages
    else:
        missing = sorted(each for each in shape.required if each not in named)
        problems += [
            _("%(name)s has to stand in the text.") % {"name": f"{{{{ {each} }}}}"}
            for each in missing
        ]
    if not problems:
        problems += _faults_when_filled(event, channel, source, language)
    if problems:
        raise ValidationError(problems)


def preview(event: str, channel: str, source: Source, language: str) -> list[Preview]:
    """With everything there may be, and with as little. Raises what a broken template does."""
    shape = SHAPES[event]
    return [
        _filled(params, channel, source, language)
        for params in ([shape.full] if shape.full == shape.bare else [shape.full, shape.bare])
    ]


@transaction.atomic
def write(event: str, channel: str, language: str, source: Source) -> None:
    """Messages not yet sent are worded so from now on. Raises ValidationError."""
    check(event, channel, source, language)
    MessageTemplate.objects.update_or_create(
        event=event,
        channel=channel,
        language=language,
        defaults={"title": source.title, "body": source.body},
    )
    transaction.on_commit(rendering.forget_own_words)


@transaction.atomic
def restore(event: str, channel: str, language: str) -> None:
    """The product's own words again."""
    own = MessageTemplate.objects.filter(event=event, channel=channel, language=language)
    own.delete()
    transaction.on_commit(rendering.forget_own_words)


def _filled(params: dict[str, Any], channel: str, source: Source, language: str) -> Preview:
    with translation.override(language):
        zone = timezone.get_default_timezone()
        title, body = rendering.fill(source, rendering.in_words(params, zone, language))
    return Preview(title, body, segments.count(body) if channel == Channel.SMS else None)


def _faults_when_filled(event: str, channel: str, source: Source, language: str) -> Iterator[str]:
    try:
        filled = preview(event, channel, source, language)
    except (TemplateSyntaxError, TypeError, ValueError) as error:
        yield _("It cannot be read: %(why)s") % {"why": error}
        return
    for each in filled:
        if not each.body or (channel in TITLED and not each.title):
            yield _("Where something is not known, the message would be empty.")
        if "None" in f"{each.title}\n{each.body}":
            yield _("Where something is not known, it would say “None”. Put {% if … %} around it.")


def _names(text: str, shape: Shape) -> Iterator[str]:
    """What the words name outside conditions. Raises ValidationError for the first that is not
    allowed."""
    known = shape.names | ALWAYS
    items: dict[str, set[str]] = {}
    for token in Lexer(text).tokenize():
        if token.token_type == TokenType.VAR:
            name, of = _value(token.contents)
            _see(name, of, known, items)
            yield name
        elif token.token_type == TokenType.BLOCK:
            said = " ".join(token.contents.split())
            if loop := _LOOP.fullmatch(said):
                each, whole = loop.groups()
                if not isinstance(shape.full.get(whole), list):
                    raise _unknown(whole, known)
                items[each] = {name for row in shape.full[whole] for name in row}
                yield whole
            elif piece := _PIECE.fullmatch(said):
                yield from _names_in_piece(piece.group(1))
            elif said not in _ENDS:
                _see_condition(said, known, items)


def _value(said: str) -> tuple[str, str]:
    matched = _VALUE.fullmatch(said)
    if matched is None:
        raise ValidationError(_("This cannot stand here: %(what)s") % {"what": said})
    return matched.group(1), matched.group(2) or ""


def _see(name: str, of: str, known: set[str] | frozenset[str], items: dict[str, set[str]]) -> None:
    if name == "forloop" and items and of in _IN_LOOPS:
        return
    if name in items:
        if of not in items[name]:
            raise _unknown(f"{name}.{of}", {f"{name}.{each}" for each in items[name]})
    elif name not in known or of:
        raise _unknown(f"{name}.{of}" if of else name, known)


def _see_condition(said: str, known: set[str] | frozenset[str], items: dict[str, set[str]]) -> None:
    tag, _space, condition = said.partition(" ")
    pieces = re.findall(r'"[^"]*"|\S+', condition)
    if tag not in {"if", "elif"} or not pieces:
        raise ValidationError(_("This cannot stand here: %(what)s") % {"what": said})
    for piece in pieces:
        if piece in _WORDS:
            continue
        if not _CONDITION.fullmatch(piece):
            raise ValidationError(_("This cannot stand here: %(what)s") % {"what": piece})
        if not piece.startswith('"') and not piece.isdigit():
            name, _dot, of = piece.partition(".")
            _see(name, of, known, items)


def _names_in_piece(file: str) -> Iterator[str]:
    """What a piece that comes with the product names itself."""
    path = Path(settings.BASE_DIR) / "templates/notifications" / file
    if not path.is_file():
        raise ValidationError(_("There is no piece called %(name)s.") % {"name": file})
    for token in Lexer(path.read_text()).tokenize():
        if token.token_type == TokenType.VAR:
            yield token.contents.partition(".")[0]


def _unknown(name: str, known: set[str] | frozenset[str]) -> ValidationError:
    message = _("%(name)s is not known here. Known are: %(known)s.")
    return ValidationError(message % {"name": name, "known": ", ".join(sorted(known))})
