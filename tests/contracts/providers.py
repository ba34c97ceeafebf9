"""Local stand-ins for those who carry our messages: real protocols, on real sockets."""

import asyncio
import json
import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

from aiosmtpd.controller import Controller


class Twilio:
    """Answers like Twilio's messages API. `answers` are given first, in order: (status, code), or
    seconds to keep the caller waiting. `latency` passes between taking a message and saying so."""

    def __init__(self, *, latency: float = 0.0) -> None:
        self.answers: deque[tuple[int, int] | float] = deque()
        self.requests: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.sent: list[dict[str, str]] = []
        self.latency = latency
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._server.handle_error = lambda *caller: None  # who has stopped waiting, or was killed
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self):
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = {key: values[0] for key, values in parse_qs(body).items()}
                stand_in.requests.append(form)
                stand_in.paths.append(self.path)
                answer = stand_in.answers.popleft() if stand_in.answers else (201, 0)
                if isinstance(answer, float):
                    time.sleep(answer)
                    answer = (201, 0)
                status, code = answer
                if status == 201:
                    stand_in.sent.append(form)
                    time.sleep(stand_in.latency)
                    self._answer(201, {"sid": f"SM{len(stand_in.sent):032x}", "status": "queued"})
                else:
                    message = f"The 'To' number {form['To']} is not to our liking"
                    self._answer(status, {"code": code, "message": message, "status": status})

            def _answer(self, status, payload):
                body = json.dumps(payload).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        return Handler


class MailProvider:
    """Answers like Postmark's API. `answers` are given first, in order: (status, error code,
    message), or seconds to keep the caller waiting."""

    def __init__(self) -> None:
        self.answers: deque[tuple[int, int, str] | float] = deque()
        self.received: list[dict] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._server.handle_error = lambda *caller: None
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self):
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                mail = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                answer = stand_in.answers.popleft() if stand_in.answers else (200, 0, "OK")
                if isinstance(answer, float):
                    time.sleep(answer)
                    answer = (200, 0, "OK")
                status, code, message = answer
                said = {"ErrorCode": code, "Message": message}
                if status == 200:
                    stand_in.received.append(mail)
                    number = f"{len(stand_in.received):08d}-0000"
                    said |= {"MessageID": number, "To": mail["To"]}
                body = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        return Handler


class _AnyPort(Controller):
    """Listens where there is room."""

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


class MailServer:
    """Takes mail. `answers` are given first, in order, to who names a recipient. `latency` passes
    between taking a message and saying so."""

    def __init__(self, *, latency: float = 0.0) -> None:
        self.answers: deque[str] = deque()
        self.received: list[tuple[list[str], bytes]] = []
        self.greeted = 0  # connections
        self.latency = latency
        self._controller = _AnyPort(self, hostname="127.0.0.1", port=0)

    @property
    def port(self) -> int:
        return self._controller.port

    def __enter__(self):
        self._controller.start()
        return self

    def __exit__(self, *error):
        self._controller.stop()

    async def handle_EHLO(self, server, session, envelope, hostname, responses):  # noqa: N802
        self.greeted += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if self.answers:
            return self.answers.popleft()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.received.append((envelope.rcpt_tos, envelope.content))
        await asyncio.sleep(self.latency)
        return "250 OK"
