"""An AI-interview platform to try ours against: two invented vendors, and faults to switch on.

    MIANYUE_MODE=demo python -m config.fake_platform --vendor alder --port 8900 \
        --webhooks http://127.0.0.1:8000/platforms/alder/events/ --webhook-secret whsec_…

`make run` starts one. "alder" speaks nested JSON behind OAuth 2 (client id "alder-client", secret
"alder-secret"); "birch" speaks flat JSON signed with HMAC (app key "birch-app", secret
"birch-secret"). Beside the vendor's own addresses there are:

    GET  /_control/               everything it holds, and how often each fault struck
    POST /_control/faults         {"slow": 0.2, "error": 1, …}: how likely each is; {} for none
    POST /_control/happen         {"id" or "reference": …, "what": "started", "scores": {…},
                                   "cause": "dropped"}
    POST /_control/webhooks       {"url": …, "secret": …}
"""

# ruff: noqa: S310, S311, T201 - it calls the address it is told, by chance, and prints its own

import argparse
import base64
import hashlib
import hmac
import json
import os
import random
import secrets
import sys
import threading
import time
import urllib.error
import urllib.request
from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

FAULTS = (
    "slow",  # answers late, but in time
    "error",  # 500, with or without having done what it was asked
    "hang",  # never answers, with or without having done it
    "html",  # an error page that says 200
    "refuse_token",  # forgets the tokens it gave
    "lost_webhook",
    "duplicate",
    "out_of_order",
    "wrong_signature",
)
HAPPENINGS = (
    "started", "completed", "incomplete", "exited", "error", "scores", "cancelled", "missed",
)  # fmt: skip
CAUSES = ("dropped", "closed", "platform_fault")  # why one ended before its end
DEMO_WEBHOOK_SECRET = "whsec_demo"  # noqa: S105 - of make run
BEIJING = timezone(timedelta(hours=8))
HTML = b"<!doctype html><title>Gateway</title><h1>Please stand by</h1>"


@dataclass
class Booked:
    """One interview as the vendor holds it."""

    id: str
    reference: str
    starts_at: datetime
    standing: str = "booked"
    scores: dict[str, float] = field(default_factory=dict)

    @property
    def link(self) -> str:
        return f"https://rooms.example/join/{self.id}"


Answer = tuple[int, dict[str, Any]]
Letter = tuple[dict[str, str], bytes]


class NotFound(Exception):
    """No interview goes by that id."""


class Conflict(Exception):
    """It is past being changed."""


class Alder:
    """Nested JSON, OAuth 2 client credentials, cursors, ISO times."""

    client_id, secret = "alder-client", "alder-secret"
    codes = {
        "booked": "scheduled", "started": "running", "completed": "finished",
        "incomplete": "expired", "exited": "abandoned", "cancelled": "cancelled",
        "missed": "no_show", "error": "failed",
    }  # fmt: skip
    types = {
        "started": "interview.started", "completed": "interview.finished",
        "incomplete": "interview.expired", "exited": "interview.abandoned",
        "cancelled": "interview.cancelled", "error": "interview.failed",
        "scores": "interview.scored", "missed": "interview.missed",
    }  # fmt: skip
    causes = {"dropped": "connection", "closed": "candidate_closed", "platform_fault": "system"}

    def __init__(self, fake: "FakePlatform") -> None:
        self.fake = fake
        self.tokens: set[str] = set()

    def answer(
        self, method: str, path: str, query: dict[str, str], headers: Mapping[str, str], body: bytes
    ) -> Answer:
        if path == "/oauth/token":
            return self._token(headers, body)
        given = headers.get("Authorization", "").removeprefix("Bearer ")
        if given not in self.tokens:
            return 401, {"error": "invalid_token"}
        fake, sent = self.fake, json.loads(body or b"{}")
        key = headers.get("Idempotency-Key", "")
        match method, path.strip("/").split("/"):
            case "POST", ["v2", "interviews"]:
                starts_at = datetime.fromisoformat(sent["schedule"]["start"])
                return 201, {"data": self.shown(
                    fake.create(sent["external_reference"], starts_at, key=key, body=body)
                )}  # fmt: skip
            case "GET", ["v2", "interviews"]:
                return 200, self._list(query)
            case "GET", ["v2", "interviews", one]:
                return 200, {"data": self.shown(fake.get(one))}
            case "PATCH", ["v2", "interviews", one]:
                moved = fake.move(one, datetime.fromisoformat(sent["schedule"]["start"]))
                return 200, {"data": self.shown(moved)}
            case "POST", ["v2", "interviews", one, "cancellation"]:
                fake.cancel(one)
                return 204, {}
        return 404, {"error": "no_such_address"}

    def _token(self, headers: Mapping[str, str], body: bytes) -> Answer:
        expected = base64.b64encode(f"{self.client_id}:{self.secret}".encode()).decode()
        form = parse_qs(body.decode())
        if headers.get("Authorization") != f"Basic {expected}":
            return 401, {"error": "invalid_client"}
        if form.get("grant_type") != ["client_credentials"]:
            return 400, {"error": "unsupported_grant_type"}
        token = secrets.token_hex(16)
        self.tokens.add(token)
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": 3600}

    def _list(self, query: dict[str, str]) -> dict[str, Any]:
        limit = int(query.get("limit", "50"))
        since = datetime.fromisoformat(query["starting_after"])
        page = self.fake.after(query.get("cursor", ""), since, limit + 1)
        more = len(page) > limit
        return {
            "data": [self.shown(each) for each in page[:limit]],
            "paging": {"next_cursor": page[limit - 1].id if more else None},
        }

    def shown(self, booked: Booked) -> dict[str, Any]:
        return {
            "id": booked.id,
            "external_reference": booked.reference,
            "state": {"code": self.codes[booked.standing]},
            "schedule": {"start": booked.starts_at.isoformat(timespec="seconds")},
            "links": {"candidate": booked.link},
            "result": {
                "dimensions": [{"key": k, "points": v} for k, v in booked.scores.items()]
            },
        }  # fmt: skip

    def event(
        self, event_id: str, what: str, booked: Booked, at: datetime, cause: str = ""
    ) -> dict[str, Any]:
        event = {
            "id": event_id,
            "type": self.types[what],
            "occurred_at": at.isoformat(timespec="microseconds"),
            "interview": self.shown(booked),
        }
        if cause:
            event["ended_by"] = self.causes[cause]
        return event | ({"error": {"code": "media_server_down"}} if what == "error" else {})

    def signature(self, body: bytes, secret: str, at: int) -> dict[str, str]:
        digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256)
        return {"Alder-Signature": f"t={at},v1={digest.hexdigest()}"}


class Birch:
    """Flat JSON, HMAC over the request, numbered pages, times as written in Beijing."""

    client_id, secret = "birch-app", "birch-secret"
    written = "%Y-%m-%d %H:%M:%S"
    codes = {
        "booked": 10, "started": 20, "completed": 30, "incomplete": 40, "exited": 41,
        "cancelled": 50, "missed": 60, "error": 90,
    }  # fmt: skip
    types = {
        "started": "ORDER_BEGIN", "completed": "ORDER_FINISH", "incomplete": "ORDER_TIMEOUT",
        "exited": "ORDER_QUIT", "cancelled": "ORDER_CANCEL", "error": "ORDER_ERROR",
        "scores": "ORDER_SCORE", "missed": "ORDER_ABSENT",
    }  # fmt: skip
    causes = {"dropped": 1, "closed": 2, "platform_fault": 3}

    def __init__(self, fake: "FakePlatform") -> None:
        self.fake = fake

    def answer(
        self, method: str, path: str, query: dict[str, str], headers: Mapping[str, str], body: bytes
    ) -> Answer:
        if not self._is_signed(method, headers, body):
            return 401, {"code": 401, "msg": "sign error"}
        fake, sent = self.fake, json.loads(body or b"{}")
        match method, path:
            case "POST", "/openapi/order/add":
                key = headers.get("X-Request-Id", "")
                begin = self.time(sent["beginTime"])
                return 200, self.shown(fake.create(sent["outOrderNo"], begin, key=key, body=body))
            case "POST", "/openapi/order/edit":
                return 200, self.shown(fake.move(sent["orderNo"], self.time(sent["beginTime"])))
            case "POST", "/openapi/order/cancel":
                return 200, self.shown(fake.cancel(sent["orderNo"]))
            case "GET", "/openapi/order/get":
                return 200, self.shown(fake.get(query["orderNo"]))
            case "GET", "/openapi/order/list":
                size, number = int(query["pageSize"]), int(query["pageNo"])
                since = self.time(query["beginTimeFrom"])
                page = fake.after("", since, size * number)[size * (number - 1) :]
                return 200, {"rows": [self.shown(each) for each in page]}
        return 404, {"code": 404, "msg": "no such address"}

    def _is_signed(self, method: str, headers: Mapping[str, str], body: bytes) -> bool:
        at = headers.get("X-Timestamp", "0")
        digest = hashlib.sha256(body).hexdigest()
        text = f"{method}\n{self.fake.raw_path}\n{at}\n{digest}"
        expected = hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).digest()
        return (
            headers.get("X-App-Key") == self.client_id
            and abs(time.time() - int(at)) < 300
            and headers.get("X-Sign") == base64.b64encode(expected).decode()
        )

    def time(self, text: str) -> datetime:
        return datetime.strptime(text, self.written).replace(tzinfo=BEIJING)

    def shown(self, booked: Booked) -> dict[str, Any]:
        scores = {f"score{name.title()}": value for name, value in booked.scores.items()}
        return {
            "orderNo": booked.id,
            "outOrderNo": booked.reference,
            "orderState": self.codes[booked.standing],
            "beginTime": booked.starts_at.astimezone(BEIJING).strftime(self.written),
            "joinUrl": booked.link,
            **scores,
        }

    def event(
        self, event_id: str, what: str, booked: Booked, at: datetime, cause: str = ""
    ) -> dict[str, Any]:
        event = {
            "msgId": event_id,
            "msgType": self.types[what],
            "msgTime": at.astimezone(BEIJING).strftime(self.written),
            **self.shown(booked),
        }
        if cause:
            event["endType"] = self.causes[cause]
        return event | ({"errCode": "E5001"} if what == "error" else {})

    def signature(self, body: bytes, secret: str, at: int) -> dict[str, str]:
        digest = hmac.new(secret.encode(), f"{at}\n".encode() + body, hashlib.sha256).digest()
        return {"X-Timestamp": str(at), "X-Sign": base64.b64encode(digest).decode()}


VENDORS: dict[str, Callable[["FakePlatform"], Alder | Birch]] = {"alder": Alder, "birch": Birch}


class FakePlatform:
    """The platform, listening on `port` of this machine (0: any) as long as it is entered.

    `faults` says how likely each is. What it holds is kept in the file `state`, if there is one,
    from one run to the next.
    """

    def __init__(
        self, vendor: str = "alder", *, port: int = 0, seed: int = 7, state: Path | None = None
    ) -> None:
        self.vendor = VENDORS[vendor](self)
        self.held: dict[str, Booked] = {}
        self.keys: dict[str, tuple[bytes, str]] = {}
        self.faults: dict[str, float] = {}
        self.struck: Counter[str] = Counter()
        self.requests: list[tuple[str, str]] = []
        self.at_once = self.most_at_once = 0
        self.webhook_url = self.webhook_secret = ""
        self.events_sent: list[Letter] = []
        self.slowness = 0.3
        self._chance = random.Random(seed)
        self._due: dict[str, float] = {}
        self._lock = threading.RLock()
        self._local = threading.local()
        self._over = threading.Event()
        self._queue: deque[Letter] = deque()
        self._kept_back: Letter | None = None
        self._number = 0
        self._state = state
        self._read_state()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        # Who has stopped waiting.
        self._server.handle_error = lambda request, address: None  # type: ignore[assignment]
        self._threads = [
            threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True),
            threading.Thread(target=self._send_webhooks, daemon=True),
        ]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def raw_path(self) -> str:
        return str(self._local.path)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._server.shutdown()
        for thread in self._threads:
            thread.join()
        self._server.server_close()

    # --- what it holds ----------------------------------------------------------------------------

    def create(self, reference: str, starts_at: datetime, *, key: str, body: bytes) -> Booked:
        """The same key is the same interview; with another body it is refused."""
        with self._lock:
            if key and key in self.keys:
                before, booked_id = self.keys[key]
                if before != body:
                    raise Conflict
                return self.held[booked_id]
            self._number += 1
            booked = Booked(f"{self._number:09d}", reference, starts_at)
            self.held[booked.id] = booked
            if key:
                self.keys[key] = (body, booked.id)
            return booked

    def get(self, booked_id: str) -> Booked:
        with self._lock:
            if booked_id not in self.held:
                raise NotFound
            return self.held[booked_id]

    def move(self, booked_id: str, starts_at: datetime) -> Booked:
        with self._lock:
            booked = self.get(booked_id)
            if booked.standing != "booked":
                raise Conflict
            booked.starts_at = starts_at
            return booked

    def cancel(self, booked_id: str) -> Booked:
        with self._lock:
            booked = self.get(booked_id)
            if booked.standing == "booked":
                booked.standing = "cancelled"
            elif booked.standing != "cancelled":
                raise Conflict
            return booked

    def after(self, cursor: str, since: datetime, count: int) -> list[Booked]:
        with self._lock:
            ids = list(self.held)  # given in order
            found = []
            for number in range(bisect_right(ids, cursor), len(ids)):
                if self.held[ids[number]].starts_at > since:
                    found.append(self.held[ids[number]])
                if len(found) == count:
                    break
            return found

    def by_reference(self, reference: str) -> Booked:
        """The newest under this reference."""
        with self._lock:
            found = [each for each in self.held.values() if each.reference == reference]
            if not found:
                raise NotFound
            return found[-1]

    def happen(
        self, booked: Booked, what: str, scores: dict[str, float] | None = None, cause: str = ""
    ) -> None:
        """Something happens to an interview, and the webhook is told."""
        with self._lock:
            if what not in {"error", "scores"}:
                booked.standing = what
            if scores:
                booked.scores = dict(scores)
            self._number += 1
            event = self.vendor.event(f"evt-{self._number}", what, booked, datetime.now(UTC), cause)
            self._write_state()
        self.tell(json.dumps(event, ensure_ascii=False).encode())

    # --- webhooks ---------------------------------------------------------------------------------

    def signed(self, body: bytes, *, secret: str = "", at: float | None = None) -> dict[str, str]:
        at = int(time.time() if at is None else at)
        return {
            "Content-Type": "application/json",
            **self.vendor.signature(body, secret or self.webhook_secret, at),
        }

    def tell(self, body: bytes) -> None:
        """Queue an event, as the faults will have it."""
        if self._strikes("lost_webhook"):
            return
        secret = "of somebody else" if self._strikes("wrong_signature") else ""
        letter = (self.signed(body, secret=secret), body)
        letters = [letter, letter] if self._strikes("duplicate") else [letter]
        with self._lock:
            if self._kept_back:
                letters.append(self._kept_back)
                self._kept_back = None
            elif self._strikes("out_of_order"):
                self._kept_back = letters.pop()
            self._queue.extend(letters)

    def settle(self, seconds: float = 20) -> None:
        """Wait until every event has left, those kept back as well."""
        with self._lock:
            if self._kept_back:
                self._queue.append(self._kept_back)
                self._kept_back = None
        until = time.monotonic() + seconds
        while self._queue and time.monotonic() < until:
            time.sleep(0.01)

    def _send_webhooks(self) -> None:
        while not self._over.is_set():
            if not self._queue:
                time.sleep(0.01)
                continue
            headers, body = self._queue[0]
            for pause in (0.1, 0.3, 0):
                if 200 <= self._post(headers, body) < 300 or self._over.wait(pause):
                    break
            self.events_sent.append((headers, body))
            self._queue.popleft()

    def _post(self, headers: dict[str, str], body: bytes) -> int:
        if not self.webhook_url:
            return 200
        request = urllib.request.Request(self.webhook_url, body, headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    # --- requests ---------------------------------------------------------------------------------

    def _strikes(self, fault: str) -> bool:
        """As often as it is likely, evenly: of ten times at 0.1 once, from a chance beginning."""
        with self._lock:
            due = self._due.setdefault(fault, self._chance.random())
            due += float(self.faults.get(fault, 0))
            self._due[fault] = due % 1
            self.struck[fault] += due >= 1
            return due >= 1

    def _answered(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, bytes] | None:
        """Status and body, or None for never."""
        parts = urlsplit(target)
        if parts.path.startswith("/_control/"):
            return self._control(method, parts.path, body)
        self._local.path = target
        self.requests.append((method, parts.path))
        if self._strikes("slow"):
            self._over.wait(self.slowness)
        if self._strikes("refuse_token"):
            getattr(self.vendor, "tokens", set()).clear()
        fault = next((each for each in ("error", "hang", "html") if self._strikes(each)), "")
        if not fault or self._chance.random() < 0.5:
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            try:
                status, answer = self.vendor.answer(method, parts.path, query, headers, body)
            except NotFound:
                status, answer = 404, {"error": "not_found"}
            except Conflict:
                status, answer = 409, {"error": "conflict"}
            except (KeyError, ValueError, TypeError):
                status, answer = 400, {"error": "bad_request"}
            if method != "GET":
                self._write_state()
        match fault:
            case "error":
                return 500, b'{"error": "internal"}'
            case "html":
                return 200, HTML
            case "hang":
                self._over.wait(60)
                return None
        return status, json.dumps(answer, ensure_ascii=False).encode() if status != 204 else b""

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        yield
        with self._lock:
            self.at_once -= 1

    def _control(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        sent = json.loads(body or b"{}")
        try:
            match method, path:
                case "POST", "/_control/faults":
                    unknown = set(sent) - set(FAULTS)
                    if unknown:
                        raise ValueError(f"unknown: {sorted(unknown)}; there are: {FAULTS}")
                    self.faults = {name: float(chance) for name, chance in sent.items()}
                case "POST", "/_control/happen":
                    if sent["what"] not in HAPPENINGS:
                        raise ValueError(f"there are: {HAPPENINGS}")
                    one = (
                        self.get(sent["id"]) if "id" in sent
                        else self.by_reference(sent["reference"])
                    )  # fmt: skip
                    if sent.get("cause", "") not in ("", *CAUSES):
                        raise ValueError(f"causes are: {CAUSES}")
                    self.happen(one, sent["what"], sent.get("scores"), sent.get("cause", ""))
                case "POST", "/_control/webhooks":
                    self.webhook_url = sent["url"]
                    self.webhook_secret = sent.get("secret", self.webhook_secret)
                case "GET", "/_control/":
                    pass
                case _:
                    return 404, b"{}"
        except (KeyError, ValueError, NotFound) as error:
            return 400, json.dumps({"error": str(error) or type(error).__name__}).encode()
        with self._lock:
            state = {
                "faults": self.faults,
                "struck": self.struck,
                "interviews": self._written(),
            }
        return 200, json.dumps(state, ensure_ascii=False, indent=1).encode()

    # --- from one run to the next -----------------------------------------------------------------

    def _written(self) -> list[dict[str, Any]]:
        held = self.held.values()
        return [{**vars(each), "starts_at": each.starts_at.isoformat()} for each in held]

    def _write_state(self) -> None:
        if self._state is None:
            return
        with self._lock:
            unfinished = self._state.with_suffix(".unfinished")
            state = {"number": self._number, "interviews": self._written()}
            unfinished.write_text(json.dumps(state, ensure_ascii=False), encoding="utf-8")
            unfinished.replace(self._state)

    def _read_state(self) -> None:
        if self._state is None or not self._state.exists():
            return
        state = json.loads(self._state.read_text(encoding="utf-8"))
        self._number = state["number"]
        for each in state["interviews"]:
            starts_at = datetime.fromisoformat(each["starts_at"])
            self.held[each["id"]] = Booked(**each | {"starts_at": starts_at})

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                with fake._counted():
                    headers = {name.title(): text for name, text in self.headers.items()}
                    answer = fake._answered(self.command, self.path, headers, body)
                if answer is None:
                    self.close_connection = True
                    return
                status, content = answer
                self.send_response(status)
                kind = "text/html" if content == HTML else "application/json"
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_any  # noqa: N815

            def log_message(self, *args: object) -> None:
                pass

        return Handler


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m config.fake_platform",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--vendor", choices=sorted(VENDORS), default="alder")
    parser.add_argument("--port", type=int, default=8900)
    parser.add_argument("--webhooks", default="", metavar="URL")
    parser.add_argument("--webhook-secret", default="")
    parser.add_argument("--state", type=Path, metavar="FILE", help="keep there what it holds")
    chosen = parser.parse_args()
    if os.environ.get("MIANYUE_MODE") not in {"demo", "test"}:
        sys.exit("A platform that is none runs in demo mode only (MIANYUE_MODE=demo).")
    with FakePlatform(chosen.vendor, port=chosen.port, state=chosen.state) as fake:
        fake.webhook_url, fake.webhook_secret = chosen.webhooks, chosen.webhook_secret
        vendor = fake.vendor
        print(f"{chosen.vendor} listens on {fake.url}", flush=True)
        print(f"client id {vendor.client_id}, secret {vendor.secret}", flush=True)
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
