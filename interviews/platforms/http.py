"""Platforms reached over HTTP: one generic adapter, told by a mapping what their API looks like.

Every request goes to an address that was looked at, follows no redirect and ends within
PROVIDER_TIMEOUT (notifications/channels/webhook.py). Nothing here touches the database, so that
several may be under way in threads.
"""

import base64
import hashlib
import hmac
import json
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Lock
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from django.utils.crypto import constant_time_compare

from interviews.platforms.base import Appointment, Held, Refused, Trouble, Unavailable, Unknown
from interviews.platforms.mapping import (
    Call,
    NotThere,
    PlatformMapping,
    Signature,
    filled,
    found,
)
from interviews.platforms.models import Platform, Sign
from notifications.channels import webhook as channel

T = TypeVar("T")

LARGEST = 16 * 1024 * 1024  # bytes of an answer
PAUSES = (0.5, 2.0)  # seconds before reading is tried again; what changes something waits its turn
LONGEST_REST = 3600  # seconds that a platform may ask for
MOST_PAGES = 20_000
TOKEN_MARGIN = 30  # seconds before its end that a token is no longer used
FRESH = 300  # seconds a signed event may be on its way, or a clock may be wrong
GONE = frozenset({404, 410})
NOT_NOW = frozenset({401, 403, 407, 408, 423, 425, 429})


@dataclass(frozen=True)
class Account:
    """What of a platform's row a request needs."""

    base_url: str
    sign: str
    client_id: str
    secret: str = field(repr=False)

    @classmethod
    def of(cls, platform: Platform) -> "Account":
        return cls(platform.base_url, platform.sign, platform.client_id, platform.secret)


@dataclass(frozen=True)
class Made:
    """One request as the log of calls keeps it."""

    operation: str
    reference: str
    status: int | None
    error: str
    milliseconds: int


@dataclass
class HttpPlatform:
    """A platform behind an API. `made` gathers what was asked, for the log."""

    account: Account
    mapping: PlatformMapping
    pause: Callable[[float], None] = time.sleep
    made: deque[Made] = field(default_factory=deque)

    def create(self, appointment: Appointment, *, key: str) -> Held:
        return self._change("create", self._facts(appointment), appointment.reference, key)

    def move(self, external_id: str, appointment: Appointment, *, key: str) -> Held:
        facts = self._facts(appointment) | {"id": external_id}
        return self._change("move", facts, appointment.reference, key, usual=external_id)

    def cancel(self, external_id: str, *, reference: str, key: str) -> None:
        facts = {"id": external_id, "reference": reference}
        self._ask("cancel", self.mapping.calls["cancel"], facts, reference=reference, key=key)

    def fetch(self, external_id: str, *, reference: str) -> Held:
        facts = {"id": external_id, "reference": reference}
        call = self.mapping.calls["fetch"]
        answer = self._patiently(lambda: self._ask("fetch", call, facts, reference=reference))
        return self._held(answer, call.item, usual=external_id)

    def pages(self, since: datetime) -> Iterator[list[Held]]:
        listing, cursor = self.mapping.listing, ""
        for number in range(1, MOST_PAGES + 1):
            facts = {
                "limit": listing.limit,
                "cursor": cursor,
                "page": number,
                "since": self.mapping.written(since),
            }
            answer = self._patiently(lambda facts=facts: self._ask("list", listing, facts))  # type: ignore[misc]
            items = found(answer, listing.items)
            if not isinstance(items, list):
                raise Unavailable("not_understood:list")
            yield [self._held(item, "") for item in items]
            if listing.by_number:
                if len(items) < listing.limit:
                    return
                continue
            before, cursor = cursor, _cursor(found(answer, listing.next) if listing.next else None)
            if not cursor:
                return
            if cursor == before:
                raise Unavailable("not_understood:next")
        raise Unavailable("too_many_pages")

    # --- one request ----------------------------------------------------------------------------

    def _facts(self, appointment: Appointment) -> dict[str, Any]:
        return {
            **vars(appointment),
            "minutes": appointment.minutes,
            "starts_at": self.mapping.written(appointment.starts_at),
            "ends_at": self.mapping.written(appointment.ends_at),
        }

    def _change(
        self, name: str, facts: dict[str, Any], reference: str, key: str, *, usual: str = ""
    ) -> Held:
        call = self.mapping.calls[name]
        answer = self._ask(name, call, facts, reference=reference, key=key)
        return self._held(answer, call.item, usual=usual)

    def _held(self, answer: Any, path: str, *, usual: str = "") -> Held:
        """The interview in an answer. One that was asked for by its id need not repeat it."""
        item = found(answer, path)
        try:
            return self.mapping.held(item)
        except NotThere as missing:
            if usual and not found(item, missing.place):
                return Held(usual)
            raise Unavailable(f"not_understood:{missing.place}"[:60]) from None

    def _patiently(self, ask: Callable[[], T]) -> T:
        """Reading changes nothing, so it is tried again at once where it may help."""
        for pause in PAUSES:
            try:
                return ask()
            except Unavailable as trouble:
                if not _may_pass(trouble):
                    raise
                self.pause(max(pause, trouble.rest))
        return ask()

    def _ask(
        self, operation: str, call: Call, facts: Mapping[str, Any], *, reference: str = "",
        key: str = "",
    ) -> Any:  # fmt: skip
        """The JSON that a call answers with. Raises Trouble."""
        path = filled(call.path, {name: quote(str(each), safe="") for name, each in facts.items()})
        query = {name: filled(text, facts) for name, text in call.query.items()}
        query = {name: value for name, value in query.items() if value != ""}
        if query:
            path += f"{'&' if '?' in path else '?'}{urlencode(query)}"
        headers = {"Accept": "application/json"}
        body = b""
        if call.body is not None:
            body = _text(filled(call.body, facts))
            headers["Content-Type"] = "application/json"
        if key and self.mapping.idempotency_header:
            headers[self.mapping.idempotency_header] = key
        url = self.account.base_url.rstrip("/") + path
        for may_try_again in (True, False):
            signed = headers | self._signed(call.method, url, body)
            try:
                return self._sent(operation, reference, call.method, url, body, signed)
            except Unavailable as trouble:
                stale = trouble.status == 401 and TOKENS.forget(self.account)
                if not (stale and may_try_again):
                    raise
        raise AssertionError("unreachable")

    def _sent(
        self, operation: str, reference: str, method: str, url: str, body: bytes,
        headers: Mapping[str, str],
    ) -> Any:  # fmt: skip
        begun, status, error = time.monotonic(), None, ""
        try:
            status, answer = _exchange(method, url, body, headers)
            return answer
        except Trouble as trouble:
            status, error = trouble.status, trouble.code
            raise
        finally:
            took = round((time.monotonic() - begun) * 1000)
            self.made.append(Made(operation, reference, status, error, took))

    def _signed(self, method: str, url: str, body: bytes) -> dict[str, str]:
        """The headers by which the platform knows us."""
        if self.account.sign == Sign.OAUTH:
            return {"Authorization": f"Bearer {self._token()}"}
        signature = self.mapping.signature
        assert signature is not None  # noqa: S101 - the mapping was checked for it
        at = str(int(time.time()))
        path = _parts(url)[1]
        digest = signed(signature, self.account.secret, at=at, body=body, method=method, path=path)
        headers = {signature.header: f"{signature.prefix}{digest}"}
        if signature.time_header:
            headers[signature.time_header] = at
        else:
            headers[signature.header] = f"t={at},v1={digest}"
        if signature.key_header:
            headers[signature.key_header] = self.account.client_id
        return headers

    def _token(self) -> str:
        kept = TOKENS.get(self.account)
        if kept:
            return kept
        token = self.mapping.token
        assert token is not None  # noqa: S101 - the mapping was checked for it
        form = {"grant_type": "client_credentials"}
        if token.scope:
            form["scope"] = token.scope
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        if token.credentials == "header":
            pair = f"{quote(self.account.client_id)}:{quote(self.account.secret)}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": self.account.client_id, "client_secret": self.account.secret}
        url = token.path
        if url.startswith("/"):
            url = self.account.base_url.rstrip("/") + url
        try:
            answer = self._sent("token", "", "POST", url, urlencode(form).encode(), headers)
        except (Refused, Unavailable) as no:  # 400 or 401: nothing can be asked without one
            if no.status is None or no.status >= 500:
                raise
            rest = no.rest if isinstance(no, Unavailable) else 0
            raise Unavailable(f"token_{no.code}", no.status, rest=rest) from None
        text, seconds = found(answer, "access_token"), found(answer, "expires_in")
        if not isinstance(text, str) or not text.isprintable() or not text.isascii() or not text:
            raise Unavailable("not_understood:access_token")
        TOKENS.keep(self.account, text, seconds if isinstance(seconds, int | float) else 60)
        return text


def _text(content: Any) -> bytes:
    """In one order, so that what is sent again under the same key is the same."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return text.encode()


def _parts(url: str) -> tuple[str, str]:
    """Where it leads, and what is asked for there: path and query."""
    scheme, _, rest = url.partition("://")
    host, _, path = rest.partition("/")
    return f"{scheme}://{host}/", f"/{path}"


def _may_pass(trouble: Unavailable) -> bool:
    """Whether it is of the kind that is over in a moment."""
    if trouble.status and trouble.status not in {401, 403, 407}:
        return trouble.rest <= max(PAUSES)
    return trouble.code in {"timeout", "unreachable"}


def _cursor(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value)[:4000]


def _exchange(method: str, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, Any]:
    """Status and JSON of an answer that says yes. Raises Trouble."""
    origin, path = _parts(url)
    try:
        target = replace(channel.look_at(origin), path=path)
        sent = {"User-Agent": "Mianyue/1", **headers}
        answer = channel.call(method, target, body, sent, at_most=LARGEST)
    except channel.BadAddress as error:
        raise Unavailable(error.code) from None
    except channel.NotTaken as error:
        raise Unavailable(error.code, error.status) from None
    status = answer.status
    if 200 <= status < 300:
        return status, _json(answer)
    code = f"http_{status}"
    if status in GONE:
        raise Unknown(code, status)
    if status in NOT_NOW or not 400 <= status < 500:
        raise Unavailable(code, status, rest=_rest(answer.headers.get("retry-after", "")))
    raise Refused(code, status)


def _json(answer: channel.Answer) -> Any:
    """Nothing, where nothing was said. An error page that pretends to be an answer is none."""
    if not answer.body.strip():
        return None
    try:
        return json.loads(answer.body, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise Unavailable("not_json", answer.status) from None


def _no_number(name: str) -> None:
    raise ValueError(name)


def _rest(text: str) -> int:
    return min(int(text), LONGEST_REST) if text.isascii() and text.isdigit() else 0


# --- Signatures ---------------------------------------------------------------------------------


def signed(
    signature: Signature, secret: str, *, at: str, body: bytes, method: str = "", path: str = ""
) -> str:
    """HMAC-SHA-256 over what the mapping says, `body` byte for byte."""
    sha256 = hashlib.sha256(body).hexdigest()
    before, has_body, after = signature.text.partition("{body}")
    values = {"time": at, "method": method, "path": path, "body_sha256": sha256}
    text = str(filled(f"{before}", values)).encode()
    if has_body:
        text += body + str(filled(after, values)).encode()
    digest = hmac.new(secret.encode(), text, hashlib.sha256)
    if signature.encoding == "base64":
        return base64.b64encode(digest.digest()).decode()
    return digest.hexdigest()


def verify(
    signature: Signature, secrets: list[str], headers: Mapping[str, str], body: bytes, *, now: float
) -> str:
    """What is wrong with the signature of an event: "unsigned", "stale", "forged"; "" for nothing.
    Every secret is tried, and each comparison takes as long as the others."""
    given = headers.get(signature.header, "")
    if signature.time_header:
        at, claimed = headers.get(signature.time_header, ""), [given]
    else:
        parts = [part.strip().partition("=") for part in given.split(",")[:10]]
        at = next((value for name, _, value in parts if name == "t"), "")
        claimed = [value for name, _, value in parts if name == "v1"]
    if not given or not claimed or not (at.isascii() and at.isdigit() and len(at) <= 13):
        return "unsigned"
    seconds = int(at) / (1000 if len(at) == 13 else 1)
    if abs(now - seconds) > FRESH:
        return "stale"
    right = False
    for secret in filter(None, secrets):
        digest = signature.prefix + signed(signature, secret, at=at, body=body)
        for each in claimed:
            right |= constant_time_compare(digest, each)
    return "" if right else "forged"


# --- Tokens -------------------------------------------------------------------------------------


class _Tokens:
    """Access tokens, as long as they hold; in this process's memory alone."""

    def __init__(self) -> None:
        self._kept: dict[Account, tuple[str, float]] = {}
        self._lock = Lock()

    def get(self, account: Account) -> str:
        with self._lock:
            token, until = self._kept.get(account, ("", 0.0))
            return token if time.monotonic() < until else ""

    def keep(self, account: Account, token: str, seconds: float) -> None:
        with self._lock:
            if len(self._kept) > 100:  # of accounts since changed
                self._kept.clear()
            self._kept[account] = (token, time.monotonic() + max(0.0, seconds - TOKEN_MARGIN))

    def forget(self, account: Account) -> bool:
        """Whether there was one: it may have been withdrawn before its time."""
        with self._lock:
            return self._kept.pop(account, None) is not None


TOKENS = _Tokens()
