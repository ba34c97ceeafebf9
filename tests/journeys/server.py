"""Django's server for tests, made so that it can really be stopped, and started again."""

import socket
from contextlib import suppress
from typing import Any

from django.core.servers.basehttp import ThreadedWSGIServer
from django.test.testcases import LiveServerThread
from pytest_django.live_server_helper import LiveServer


class _Server(ThreadedWSGIServer):
    """Knows its connections, which Django's leaves open when it stops."""

    def __init__(self, *args: Any, **named: Any) -> None:
        named["allow_reuse_address"] = True
        super().__init__(*args, **named)
        self.connected: set[Any] = set()

    def serve_forever(self, poll_interval: float = 0.02) -> None:
        super().serve_forever(poll_interval)

    def get_request(self) -> tuple[Any, Any]:
        request, address = super().get_request()
        self.connected.add(request)
        return request, address

    def shutdown_request(self, request: Any) -> None:
        self.connected.discard(request)
        super().shutdown_request(request)

    def cut(self) -> None:
        for each in list(self.connected):
            with suppress(OSError):  # it may have ended at this very moment
                each.shutdown(socket.SHUT_RDWR)


class _Thread(LiveServerThread):
    server_class = _Server


class StoppableServer(LiveServer):
    """While it is stopped nobody is answered: new connections are refused, old ones are cut, and
    what was being worked on gets no reply any more."""

    def __init__(self, address: str) -> None:
        super().__init__(address, start=False)
        self._start_on(port=0)

    def _start_on(self, port: int) -> None:
        old = self.thread
        self.thread = _Thread(old.host, old.static_handler, old.connections_override, port)
        self.thread.daemon = True
        self.start()
        self.is_stopped = False

    def stop(self) -> None:
        if self.is_stopped:
            return
        self.is_stopped = True
        super().stop()
        self.thread.httpd.cut()

    def start_again(self) -> None:
        if self.is_stopped:
            self._start_on(self.thread.port)
