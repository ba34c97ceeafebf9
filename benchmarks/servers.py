"""The product and the floor, each under the same web server on a port of its own."""

import gzip
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from django.core.management import call_command
from django.db import connection

from benchmarks import floor

ROOT = Path(__file__).resolve().parent.parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes  # as it came over the wire
    seconds: float

    @property
    def content(self) -> bytes:
        is_packed = self.headers.get("Content-Encoding") == "gzip"
        return gzip.decompress(self.body) if is_packed else self.body


class Client:
    """One kept-alive connection."""

    def __init__(self, port: int, cookies: dict[str, str] | None = None) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.cookies = cookies or {}

    def send(self, method: str, path: str, fields: dict[str, str] | None = None) -> Reply:
        if fields is None:
            return self._send(method, path, None, {})
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._send(method, path, urlencode(fields).encode(), kind)

    def send_json(self, path: str, told: object, headers: dict[str, str]) -> Reply:
        """As a script does, in UTF-8."""
        body = json.dumps(told, ensure_ascii=False).encode()
        return self._send("POST", path, body, {"Content-Type": "application/json", **headers})

    def _send(self, method: str, path: str, body: bytes | None, further: dict[str, str]) -> Reply:
        headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "Accept-Encoding": "gzip, br",
            "X-Forwarded-Proto": "https",
            "Referer": "https://127.0.0.1/",
            **further,
        }
        started = time.perf_counter()
        self.connection.request(method, path, body=body, headers=headers)
        response = self.connection.getresponse()
        content = response.read()
        return Reply(response.status, response.headers, content, time.perf_counter() - started)


@dataclass
class Server:
    port: int
    process: subprocess.Popen[bytes]

    def worker_memory(self) -> float:
        """Megabytes resident in the largest process of the server."""
        children = subprocess.run(
            ["ps", "-o", "rss=", "--ppid", str(self.process.pid)],
            capture_output=True,
            text=True,
            check=False,
        ).stdout.split()
        return max((int(size) for size in children), default=0) / 1024


def prepare() -> None:
    """What both need before they are served."""
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    with connection.cursor() as cursor:
        for statement in floor.TABLES:
            cursor.execute(statement)


@contextmanager
def serve(target: str, settings: str) -> Iterator[Server]:
    """Run `target` under granian with one worker until the block ends, in production as
    `python -m benchmarks` has set it up."""
    port = free_port()
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": settings}
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws"),
            *("--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
            *("--blocking-threads", "4", "--log-level", "warning", target),
        ],
        cwd=ROOT,
        env=environment,
    )
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield Server(port, process)
    finally:
        process.terminate()
        process.wait(timeout=20)
