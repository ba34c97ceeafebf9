"""Reading a mapping that somebody wrote: all that is not right is said at once, with where it
stands and what to do."""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from interviews.platforms.base import Cause, EventKind, Standing
from interviews.platforms.mapping import (
    PLACE,
    SCORE_NAME,
    Call,
    Events,
    Fields,
    Listing,
    PlatformMapping,
    Scores,
    Signature,
    Token,
)

EXAMPLES = Path(__file__).parent / "examples"
LARGEST = 64 * 1024  # characters of a mapping
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
OPERATIONS = ("create", "move", "cancel", "fetch", "list")
ABOUT = ("reference", "starts_at", "ends_at", "minutes", "position", "position_code", "language")
PERSON = ("name", "email", "mobile")
PLACES = {
    "create": (*ABOUT, *PERSON),
    "move": ("id", *ABOUT, *PERSON),
    "cancel": ("id", "reference"),
    "fetch": ("id", "reference"),
    "list": ("limit", "cursor", "page", "since"),
}
SIGNED = ("method", "path", "time", "body", "body_sha256")
HEARD = ("time", "body", "body_sha256")
TIMES = ("iso", "unix", "unix_ms")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")


class Wrong(Exception):
    """The mapping cannot be used; the messages say where and what to do, for who wrote it."""

    def __init__(self, messages: Sequence[str]) -> None:
        super().__init__("; ".join(messages))
        self.messages = list(messages)


def examples() -> dict[str, dict[str, Any]]:
    """The worked examples that come with the product, by name: what a form for one begins with."""
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(EXAMPLES.glob("*.json"))
    }


def parse(document: Any, *, sign: str) -> PlatformMapping:
    """The mapping that a JSON document describes. Raises Wrong with everything that is not right.

    `sign` says whether it has to tell about tokens or about signatures ("oauth", "hmac").
    """
    look = _Look()
    top = look.object(document, "", ("calls", "interview", "statuses"), OPTIONAL)
    times, zone = look.text(top, "times", "times", "iso"), look.zone(top)
    look.times(times)
    fields = look.fields(top.get("interview"), "interview")
    calls, listing = look.calls(top.get("calls"))
    events = look.events(top["events"], fields) if "events" in top else None
    token = look.token(top.get("token")) if sign == "oauth" else None
    signature = None
    if sign == "hmac":
        signature = look.signature(top.get("signature"), "signature", SIGNED)
    header = look.text(top, "idempotency_header", "idempotency_header", "")
    if header:
        look.header(header, "idempotency_header")
    days = look.number(top, "days", "days", 30, most=366)
    statuses = look.choices(top.get("statuses"), "statuses", Standing)
    if look.wrong:
        raise Wrong(look.wrong)
    return PlatformMapping(
        calls=calls, listing=listing, fields=fields, statuses=statuses, times=times, zone=zone,
        events=events, token=token, signature=signature, idempotency_header=header, days=days,
    )  # fmt: skip


OPTIONAL = ("token", "signature", "idempotency_header", "times", "zone", "days", "events")
NOTHING: dict[str, Any] = {}


class _Look:
    """Reads piece after piece and gathers what is wrong, so that all of it is said at once."""

    def __init__(self) -> None:
        self.wrong: list[str] = []

    def complain(self, place: str, message: str | Promise) -> None:
        self.wrong.append(f"{place}: {message}" if place else str(message))

    def object(
        self, value: Any, place: str, required: Collection[str], optional: Collection[str] = ()
    ) -> dict[str, Any]:
        """An object with these keys and no other."""
        if not isinstance(value, dict):
            self.complain(place, _("an object in braces { } belongs here."))
            return NOTHING
        for key in required:
            if key not in value:
                self.complain(place, _("“%(key)s” is missing.") % {"key": key})
        known = [*required, *optional]
        for key in value:
            if key in known:
                continue
            near = get_close_matches(str(key), known, 1)
            words = _("“%(key)s” is not known.") % {"key": key}
            if near:
                words += " " + _("Did you mean “%(key)s”?") % {"key": near[0]}
            self.complain(place, words)
        return value

    def text(
        self, there: Mapping[str, Any], key: str, place: str, default: str | None = None
    ) -> str:
        value = there.get(key, default)
        if value is None:  # said already: it is missing
            return ""
        if not isinstance(value, str) or len(value) > 500 or not value.isprintable():
            self.complain(place, _("a short text belongs here."))
            return ""
        return value

    def number(
        self, there: Mapping[str, Any], key: str, place: str, default: int, *, most: int
    ) -> int:
        value = there.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            words = _("a whole number from 1 to %(most)d belongs here.") % {"most": most}
            self.complain(place, words)
            return default
        return value

    def path(
        self, there: Mapping[str, Any], key: str, place: str, default: str | None = None
    ) -> str:
        value = self.text(there, key, place, default)
        if value and not all(value.split(".")):
            self.complain(place, _("a path is names with single dots between them: data.id"))
        return value

    def header(self, value: str, place: str) -> None:
        if not _HEADER.fullmatch(value):
            self.complain(place, _("this is no name of a header."))

    def one_of(self, value: str, place: str, known: Sequence[str]) -> None:
        if value not in known:
            self.complain(place, _("one of these belongs here: %(all)s") % {"all": _listed(known)})

    def choices(self, value: Any, place: str, kinds: Any) -> dict[str, Any]:
        """Their codes and what each means to us."""
        if not isinstance(value, dict) or not value:
            self.complain(place, _("an object with their codes and what each means belongs here."))
            return {}
        read = {}
        for code, meaning in value.items():
            self.one_of(str(meaning), f"{place}.{code}", kinds.values)
            if meaning in kinds.values:
                read[str(code)] = kinds(meaning)
        return read

    def places(self, value: Any, place: str, known: Sequence[str]) -> None:
        """Only what is known may be named in braces."""
        if isinstance(value, dict):
            for key, inner in value.items():
                self.places(inner, f"{place}.{key}", known)
        elif isinstance(value, list):
            for number, inner in enumerate(value):
                self.places(inner, f"{place}.{number}", known)
        elif isinstance(value, str):
            for name in PLACE.findall(value):
                if name not in known:
                    words = _("{%(name)s} is not known here. There is: %(all)s")
                    all_of_them = _listed([f"{{{each}}}" for each in known])
                    self.complain(place, words % {"name": name, "all": all_of_them})

    def zone(self, top: Mapping[str, Any]) -> ZoneInfo:
        name = self.text(top, "zone", "zone", "UTC")
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            words = _("no time zone has this name; they look like Asia/Shanghai.")
            self.complain("zone", words)
            return ZoneInfo("UTC")

    def times(self, times: str) -> None:
        if times in TIMES:
            return
        now = datetime.now(UTC).replace(microsecond=0, tzinfo=None)
        try:
            kept = datetime.strptime(now.strftime(times), times)  # noqa: DTZ007 - compared only
        except ValueError:
            kept = None
        if kept is None or abs(kept - now).total_seconds() >= 60:
            words = _("one of %(all)s belongs here, or a format such as %%Y-%%m-%%d %%H:%%M:%%S.")
            self.complain("times", words % {"all": _listed(TIMES)})

    def calls(self, value: Any) -> tuple[dict[str, Call], Listing]:
        there = self.object(value, "calls", OPERATIONS)
        calls = {name: self.call(there[name], name) for name in OPERATIONS if name in there}
        listing = calls.pop("list", None)
        return calls, listing if isinstance(listing, Listing) else Listing("GET", "/")

    def call(self, value: Any, name: str) -> Call:
        place = f"calls.{name}"
        more = ("items", "next", "limit") if name == "list" else ("item",)
        there = self.object(value, place, ("path",), ("method", "query", "body", *more))
        usual = "GET" if name in {"fetch", "list"} else "POST"
        method = self.text(there, "method", f"{place}.method", usual)
        self.one_of(method, f"{place}.method", METHODS)
        path = self.text(there, "path", f"{place}.path")
        if path and (not path.startswith("/") or " " in path or not path.isascii()):
            words = _("it begins with a slash and goes on after the address, without spaces.")
            self.complain(f"{place}.path", words)
        query = there.get("query", {})
        if not isinstance(query, dict) or not all(isinstance(each, str) for each in query.values()):
            self.complain(f"{place}.query", _("an object of texts belongs here."))
            query = {}
        for part, inner in (("path", path), ("query", query), ("body", there.get("body"))):
            self.places(inner, f"{place}.{part}", PLACES[name])
        if name in {"move", "cancel", "fetch"} and "{id}" not in json.dumps(there):
            self.complain(place, _("{id} has to stand somewhere, in the path for example."))
        if name == "create" and "{starts_at}" not in json.dumps(there):
            self.complain(place, _("{starts_at} has to stand somewhere in what is sent."))
        body = there.get("body")
        if name != "list":
            return Call(method, path, query, body, self.path(there, "item", f"{place}.item", ""))
        listing = Listing(
            method,
            path,
            query,
            body,
            items=self.path(there, "items", f"{place}.items", ""),
            next=self.path(there, "next", f"{place}.next", ""),
            limit=self.number(there, "limit", f"{place}.limit", 200, most=1000),
        )
        by_cursor = "{cursor}" in json.dumps([path, query])
        if by_cursor and not listing.next:
            words = _("{cursor} is sent, so “next” has to say where an answer holds it.")
            self.complain(place, words)
        if listing.next and not by_cursor:
            words = _("“next” is read, so {cursor} has to stand in the path or the query.")
            self.complain(place, words)
        return listing

    def fields(self, value: Any, place: str, usual: Fields | None = None) -> Fields:
        optional = ("starts_at", "reference", "link", "scores")
        required: tuple[str, ...] = () if usual else ("id", "status")
        there = self.object(value, place, required, (*optional, "id", "status"))
        read = {
            name: self.path(there, name, f"{place}.{name}", getattr(usual, name, None) or "")
            for name in ("id", "status", "starts_at", "reference", "link")
        }
        scores = usual.scores if usual else Scores()
        if "scores" in there:
            scores = self.scores(there["scores"], f"{place}.scores")
        return Fields(**read, scores=scores)

    def scores(self, value: Any, place: str) -> Scores:
        if isinstance(value, str):
            return Scores(items=self.path({"items": value}, "items", place))
        there = self.object(value, place, (), ("items", "name", "value", "fields"))
        if "fields" in there:
            named = there["fields"]
            if not isinstance(named, dict) or not all(isinstance(p, str) for p in named.values()):
                self.complain(f"{place}.fields", _("an object of texts belongs here."))
                return Scores()
            for name in named:
                if not SCORE_NAME.fullmatch(name):
                    self.complain(f"{place}.fields", _("“%(key)s” is too long.") % {"key": name})
            return Scores(fields=named)
        return Scores(
            items=self.path(there, "items", f"{place}.items", ""),
            name=self.path(there, "name", f"{place}.name", ""),
            value=self.path(there, "value", f"{place}.value", ""),
        )

    def events(self, value: Any, usual: Fields) -> Events:
        required = ("id", "type", "at", "types", "signature")
        paths = ("item", "error", "cause")
        there = self.object(value, "events", required, (*paths, "causes", "interview"))
        read = {
            name: self.path(there, name, f"events.{name}", "" if name in paths else None)
            for name in ("id", "type", "at", *paths)
        }
        causes = {}
        if read["cause"] or "causes" in there:
            causes = self.choices(there.get("causes"), "events.causes", Cause)
        fields = usual
        if "interview" in there:
            fields = self.fields(there["interview"], "events.interview", usual)
        return Events(
            **read,
            types=self.choices(there.get("types"), "events.types", EventKind),
            signature=self.signature(there.get("signature"), "events.signature", HEARD),
            fields=fields,
            causes=causes,
        )

    def token(self, value: Any) -> Token | None:
        there = self.object(value, "token", ("path",), ("scope", "credentials"))
        path = self.text(there, "path", "token.path")
        if path and not path.startswith(("/", "https://", "http://")):
            self.complain("token.path", _("it begins with a slash, or is a whole address."))
        credentials = self.text(there, "credentials", "token.credentials", "header")
        self.one_of(credentials, "token.credentials", ("header", "body"))
        return Token(path, self.text(there, "scope", "token.scope", ""), credentials)

    def signature(self, value: Any, place: str, known: Sequence[str]) -> Signature:
        optional = ("time_header", "key_header", "encoding", "prefix")
        there = self.object(value, place, ("header", "text"), optional)
        read = {
            name: self.text(there, name, f"{place}.{name}", "hex" if name == "encoding" else "")
            for name in optional
        }
        header, text = self.text(there, "header", f"{place}.header"), there.get("text", "")
        for name, given in (("header", header), *((each, read[each]) for each in optional[:2])):
            if given:
                self.header(given, f"{place}.{name}")
        self.one_of(read["encoding"], f"{place}.encoding", ("hex", "base64"))
        if not isinstance(text, str):
            self.complain(f"{place}.text", _("a short text belongs here."))
            text = ""
        self.places(text, f"{place}.text", known)
        if text and ("{time}" not in text or not {"{body}", "{body_sha256}"} & _named(text)):
            words = _("{time} and {body} (or {body_sha256}) have to stand in it.")
            self.complain(f"{place}.text", words)
        return Signature(header=header, text=text, **read)


def _named(text: str) -> set[str]:
    return {f"{{{name}}}" for name in PLACE.findall(text)}


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words)
