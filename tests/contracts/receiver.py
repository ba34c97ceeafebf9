"""A receiver of webhooks: a real HTTP server, as obliging or as bad as a test wants it."""

import ssl
import threading
import time
from collections import deque
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Received:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """Takes everything with 200. `answers` are given first, in order: a status; "hang", "drip" and
    "close" for what they say; ("redirect", url)."""

    def __init__(self, certificate: str | None = None) -> None:
        self.answers: deque = deque()
        self.received: list[Received] = []
        self.done = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._server.handle_error = lambda *caller: None
        self._tls = certificate is not None
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def port(self) -> int:
        return self._server.server_port

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/hooks?from=mianyue"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self.done.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self):
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                stand_in.received.append(Received(self.path, dict(self.headers), body))
                answer = stand_in.answers.popleft() if stand_in.answers else 200
                match answer:
                    case "hang":
                        stand_in.done.wait(30)
                        self.close_connection = True
                    case "drip":
                        self._drip()
                    case "close":
                        self.close_connection = True
                    case ("redirect", url):
                        self._answer(307, Location=url)
                    case status:
                        self._answer(status)

            def _drip(self):
                """A byte now and then, for as long as anybody listens."""
                until = time.monotonic() + 30
                try:
                    self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                    while time.monotonic() < until and not stand_in.done.wait(0.1):
                        self.wfile.write(b"x")
                        self.wfile.flush()
                except OSError:
                    pass
                self.close_connection = True

            def _answer(self, status, **headers):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        return Handler
