"""The company's own words for messages: what may be written, what it comes to, keeping it.

Whoever writes here writes templates that the server fills, so only the simplest of the template
language is let through: names, conditions on them, lists, and pieces that come with the product.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.template import TemplateSyntaxError
from django.template.base import (
    FilterExpression,
    Lexer,
    Node,
    NodeList,
    TokenType,
    VariableNode,
)
from django.template.defaulttags import ForNode, IfNode
from django.template.loader_tags import IncludeNode
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
# Of what is only good whole nothing may be cut off.
UNCUT = frozenset({"code", "link", "receipt", "token", "url"})


class _Nothing:
    """Stands for what is not known, to see whether the words would say so."""

    MARK = "\ue000"

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        return self.MARK


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


def names_in(event: str, language: str) -> list[tuple[str, str | None]]:
    """What words about it may name, each with what may then stand there; None for what only
    conditions and repetitions ask for."""
    shape = SHAPES[event]
    zone = timezone.get_default_timezone()
    filled = rendering.around() | rendering.in_words(shape.full, zone, language)
    return [(name, _sample(filled.get(name))) for name in sorted(shape.names | ALWAYS)]


def _sample(value: Any) -> str | None:
    is_said = isinstance(value, str | int) and not isinstance(value, bool)
    return str(value) if is_said else None


def check(event: str, channel: str, source: Source, language: str) -> None:
    """Raises ValidationError with everything that is wrong, in words."""
    shape = SHAPES[event]
    problems: list[str] = []
    if channel in TITLED and not source.title:
        problems.append(_("Write a title."))
    if not source.body.strip():
        problems.append(_("Write a text."))
    text = f"{source.title}\n{source.body}"
    try:
        _look_through(text, shape)
    except ValidationError as error:
        problems += error.messages
    else:
        problems += _missing(text, shape)
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
    transaction.on_commit(rendering.own_words.forget)


@transaction.atomic
def restore(event: str, channel: str, language: str) -> None:
    """The product's own words again."""
    own = MessageTemplate.objects.filter(event=event, channel=channel, language=language)
    own.delete()
    transaction.on_commit(rendering.own_words.forget)


def _filled(params: dict[str, Any], channel: str, source: Source, language: str) -> Preview:
    with translation.override(language):
        zone = timezone.get_default_timezone()
        title, body = rendering.fill(source, rendering.in_words(params, zone, language))
    return Preview(title, body, segments.count(body) if channel == Channel.SMS else None)


def _marked(params: dict[str, Any]) -> dict[str, Any]:
    """With a mark for everything that is not known."""
    return {
        name: _Nothing()
        if value is None
        else [_marked(each) for each in value]
        if isinstance(value, list)
        else value
        for name, value in params.items()
    }


def _faults_when_filled(event: str, channel: str, source: Source, language: str) -> Iterator[str]:
    shape = SHAPES[event]
    link = Source("", shape.link)
    try:
        filled = preview(event, channel, source, language)
        links = [each.body for each in preview(event, channel, link, language)]
        marked = _filled(_marked(shape.bare), channel, source, language)
    except (TemplateSyntaxError, TypeError, ValueError) as error:
        yield _("It cannot be read: %(why)s") % {"why": error}
        return
    for each in filled:
        if not each.body or (channel in TITLED and not each.title):
            yield _("Where something is not known, the message would be empty.")
    if any(link not in each.body for each, link in zip(filled, links, strict=True)):
        yield _has_to_stand(shape.link)
    if _Nothing.MARK in f"{marked.title}\n{marked.body}":
        yield _("Where something is not known, it would say “None”. Put {% if … %} around it.")


def _missing(text: str, shape: Shape) -> Iterator[str]:
    """What has to stand in it and does not, or only sometimes."""
    try:
        always = _always(rendering.compiled(text))
    except TemplateSyntaxError:
        return  # it is filled next, which says what is wrong
    wanted = shape.required | ({"public_url"} if shape.link else set())
    yield from (_has_to_stand(f"{{{{ {name} }}}}") for name in sorted(wanted - always))


def _has_to_stand(what: str) -> str:
    return _("%(name)s has to stand in the text, whatever else is known, and whole.") % {
        "name": what
    }


def _always(nodes: Iterable[Node]) -> set[str]:
    """The names that stand there in every case, as far as there is anything to say."""
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, VariableNode):
            name = str(node.filter_expression.var)
            if not (node.filter_expression.filters and name in UNCUT):
                names.add(name)
        elif isinstance(node, IfNode):
            names |= _in_every_case(node)
        elif isinstance(node, ForNode):
            each = f"{node.loopvars[0]}."
            if any(name.startswith(each) for name in _always(cast(NodeList, node.nodelist_loop))):
                names.add(str(cast(FilterExpression, node.sequence).var))
        elif isinstance(node, IncludeNode):
            names |= _always(rendering.piece(str(node.template.var)))
    return names


def _in_every_case(node: IfNode) -> set[str]:
    """“If there is a place, the place” leaves out nothing that is known."""
    asked = [getattr(condition, "text", "") for condition, _then in node.conditions_nodelists]
    cases = [_always(then) for _condition, then in node.conditions_nodelists]
    if node.conditions_nodelists[-1][0] is not None:
        cases.append(set())
    return set.intersection(cases[0], *(case | {asked[0]} for case in cases[1:]))


def _look_through(text: str, shape: Shape) -> None:
    """Raises ValidationError for the first thing that is not allowed."""
    known = shape.names | ALWAYS
    items: dict[str, set[str]] = {}
    for token in Lexer(text).tokenize():
        if token.token_type == TokenType.VAR:
            name, of = _value(token.contents)
            _see(name, of, known, items)
        elif token.token_type == TokenType.BLOCK:
            said = " ".join(token.contents.split())
            if loop := _LOOP.fullmatch(said):
                each, whole = loop.groups()
                if not isinstance(shape.full.get(whole), list):
                    raise _unknown(whole, known)
                items[each] = {name for row in shape.full[whole] for name in row}
            elif piece := _PIECE.fullmatch(said):
                _see_piece(piece.group(1))
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


def _see_piece(file: str) -> None:
    path = Path(settings.BASE_DIR) / "templates/notifications" / file
    if not path.is_file():
        raise ValidationError(_("There is no piece called %(name)s.") % {"name": file})


def _unknown(name: str, known: set[str] | frozenset[str]) -> ValidationError:
    message = _("%(name)s is not known here. Known are: %(known)s.")
    return ValidationError(message % {"name": name, "known": ", ".join(sorted(known))})
