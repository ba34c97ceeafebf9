"""A mapping says where a platform's API keeps what: which calls there are, what is sent, and where
in an answer or an event each thing stands. It is data: docs/platforms.md describes it.

A path such as "data.items.0.id" leads into a JSON document; an empty one means all of it. Text that
is sent may name things in braces ("{reference}"); a value that is nothing but one of them keeps its
type.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from interviews.models import EARLIEST, LATEST
from interviews.platforms.base import Cause, EventKind, Held, Standing

MOST_SCORES = 30
PLACE = re.compile(r"\{(\w+)\}")
SCORE_NAME = re.compile(r"[^\s\x00-\x1f\x7f]{1,40}(?: [^\s\x00-\x1f\x7f]{1,40}){0,4}")


class NotThere(Exception):
    """A document does not hold what the mapping says it does; `place` is the path."""

    def __init__(self, place: str) -> None:
        super().__init__(place)
        self.place = place


@dataclass(frozen=True)
class Signature:
    """How a message is signed: HMAC-SHA-256 over `text`. Without a header for the time, time and
    signature share one, as "t=…,v1=…"."""

    header: str
    text: str
    time_header: str = ""
    key_header: str = ""
    encoding: str = "hex"
    prefix: str = ""


@dataclass(frozen=True)
class Token:
    """Where an access token is fetched with client credentials, and how those are given."""

    path: str
    scope: str = ""
    credentials: str = "header"


@dataclass(frozen=True)
class Call:
    """One request; `item` is where the answer holds the interview."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    item: str = ""


@dataclass(frozen=True)
class Listing(Call):
    """The request for their list, page by page: by a cursor that stands at `next`, or, where the
    path or query names {page}, by number until a page is not full."""

    items: str = ""
    next: str = ""
    limit: int = 200

    @property
    def by_number(self) -> bool:
        return any("{page}" in text for text in (self.path, *self.query.values()))


@dataclass(frozen=True)
class Scores:
    """Where scores stand: an object of numbers at `items`, or a list there whose entries keep name
    and value; or one path for each."""

    items: str | None = None
    name: str = ""
    value: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Fields:
    """Where an interview of theirs keeps what."""

    id: str
    status: str
    starts_at: str = ""
    reference: str = ""
    link: str = ""
    scores: Scores = field(default_factory=Scores)


@dataclass(frozen=True)
class Events:
    """Where an event of theirs keeps what, and how it is signed."""

    id: str
    type: str
    at: str
    types: Mapping[str, EventKind]
    signature: Signature
    fields: Fields
    item: str = ""
    error: str = ""
    cause: str = ""
    causes: Mapping[str, Cause] = field(default_factory=dict)


@dataclass(frozen=True)
class Heard:
    """An event as the mapping understands it."""

    id: str
    kind: EventKind
    at: datetime
    held: Held
    error: str
    cause: str


@dataclass(frozen=True)
class PlatformMapping:
    """Everything the adapter must know of an API beyond its address and our credentials."""

    calls: Mapping[str, Call]
    listing: Listing
    fields: Fields
    statuses: Mapping[str, Standing]
    times: str
    zone: ZoneInfo
    events: Events | None = None
    token: Token | None = None
    signature: Signature | None = None
    idempotency_header: str = ""
    days: int = 30

    # --- what is sent ---------------------------------------------------------------------------

    def written(self, moment: datetime) -> str | int:
        """A time as they write it."""
        match self.times:
            case "iso":
                return moment.astimezone(self.zone).isoformat(timespec="seconds")
            case "unix":
                return int(moment.timestamp())
            case "unix_ms":
                return int(moment.timestamp() * 1000)
        return moment.astimezone(self.zone).strftime(self.times)

    # --- what is read ---------------------------------------------------------------------------

    def moment(self, value: Any) -> datetime | None:
        """The time they wrote; None where it cannot be one."""
        try:
            read = self._read(value)
        except (ValueError, TypeError, OverflowError, OSError):
            return None
        return read if EARLIEST <= read < LATEST else None

    def _read(self, value: Any) -> datetime:
        if self.times in {"unix", "unix_ms"}:
            seconds = float(value) / (1000 if self.times == "unix_ms" else 1)
            return datetime.fromtimestamp(seconds, UTC)
        text = str(value)
        if self.times == "iso":
            read = datetime.fromisoformat(text)
        else:
            read = datetime.strptime(text, self.times)  # noqa: DTZ007 - the zone follows
        return read if read.tzinfo else read.replace(tzinfo=self.zone)

    def held(self, item: Any, fields: Fields | None = None) -> Held:
        """An interview of theirs. Raises NotThere where it has no id."""
        fields = fields or self.fields
        external_id = text_at(item, fields.id)
        if not external_id:
            raise NotThere(fields.id)
        return Held(
            id=external_id,
            reference=text_at(item, fields.reference)[:10] if fields.reference else "",
            standing=self.statuses.get(text_at(item, fields.status)),
            starts_at=self.moment(found(item, fields.starts_at)) if fields.starts_at else None,
            link=text_at(item, fields.link) if fields.link else "",
            scores=_scores(item, fields.scores),
        )

    def heard(self, document: Any) -> Heard | None:
        """An event; None for a type that the mapping does not name. Raises NotThere."""
        events = self.events
        if events is None:
            return None
        event_id, at = text_at(document, events.id), self.moment(found(document, events.at))
        if not event_id:
            raise NotThere(events.id)
        if at is None:
            raise NotThere(events.at)
        kind = events.types.get(text_at(document, events.type))
        if kind is None:
            return None
        item = found(document, events.item)
        held = self.held(item, events.fields)
        error = text_at(document, events.error)[:60] if events.error else ""
        cause = events.causes.get(text_at(document, events.cause), "") if events.cause else ""
        return Heard(event_id, kind, at, held, error, cause)


def found(document: Any, path: str) -> Any:
    """What stands there, None where nothing does."""
    for step in filter(None, path.split(".")):
        if isinstance(document, dict):
            document = document.get(step)
        elif isinstance(document, list) and step.isdigit() and int(step) < len(document):
            document = document[int(step)]
        else:
            return None
    return document


def text_at(document: Any, path: str) -> str:
    """An id or a code that stands there; numbers count as text, anything else as nothing."""
    value = found(document, path)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    text = str(value)
    return text if len(text) <= 200 and text.isprintable() else ""


def filled(template: Any, values: Mapping[str, Any]) -> Any:
    """A template of JSON with what it names in braces put in."""
    if isinstance(template, dict):
        return {key: filled(value, values) for key, value in template.items()}
    if isinstance(template, list):
        return [filled(value, values) for value in template]
    if not isinstance(template, str):
        return template
    if whole := PLACE.fullmatch(template):
        return values.get(whole[1], "")
    return PLACE.sub(lambda place: str(values.get(place[1], "")), template)


def _scores(item: Any, scores: Scores) -> dict[str, float]:
    """What they scored, by name; what is no number is left out."""
    if scores.fields:
        pairs = [(name, found(item, path)) for name, path in scores.fields.items()]
    elif scores.items is None:
        return {}
    else:
        there = found(item, scores.items)
        if isinstance(there, dict):
            pairs = list(there.items())
        elif isinstance(there, list) and scores.name and scores.value:
            pairs = [(text_at(one, scores.name), found(one, scores.value)) for one in there]
        else:
            return {}
    read = ((str(name), _number(value)) for name, value in pairs)
    kept = {name: value for name, value in read if value is not None and SCORE_NAME.fullmatch(name)}
    return dict(list(kept.items())[:MOST_SCORES])


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and abs(number) < 1e9 else None
