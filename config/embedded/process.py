"""A child process that dies with us."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from config.embedded.account import Account, popen_user

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None  # loaded before any fork


class Trouble(Exception):
    """Something a person has to put right; the text is the sentence they read."""


def die_with_parent(signum: signal.Signals) -> None:
    """Have the kernel send us `signum` when our parent ends, even by kill -9 (Linux only)."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signum)


def dying_with_us(signum: signal.Signals) -> Callable[[], None]:
    """For subprocess's `preexec_fn`: the child gets `signum` when we end, even by kill -9.

    subprocess calls it after the change of user, which would have cleared the death signal. Use it
    in the main thread: the kernel means the thread that forked, not the process.
    """
    parent = os.getpid()

    def prepare() -> None:
        die_with_parent(signum)
        if os.getppid() != parent:  # the parent ended before the signal was asked for
            os._exit(1)

    return prepare


@dataclass
class Child:
    """One long-running program: own session, own log, gone when we are gone.

    `stop_signal` asks it to end in good order; `orphan_signal` is what it gets when we vanish.
    """

    name: str
    argv: Sequence[str]
    log: Path
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGTERM
    keep_open: Sequence[int] = ()
    started_at: float = field(default=0.0, init=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Start it, with its output going to the log; the previous log is kept beside it."""
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 - argv is ours
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self.env,
                cwd=self.cwd,
                start_new_session=True,
                pass_fds=self.keep_open,
                preexec_fn=dying_with_us(self.orphan_signal),
                **popen_user(self.account),
            )
        self.started_at = time.monotonic()

    @property
    def pid(self) -> int:
        """The process id; only while it has been started."""
        if self._process is None:
            raise RuntimeError(f"{self.name} was not started")
        return self._process.pid

    def died(self) -> bool:
        """Whether it was started and has ended."""
        return self._process is not None and self._process.poll() is not None

    def epitaph(self) -> str:
        """How it ended, with the last lines it wrote."""
        code = self._process.returncode if self._process else None
        if code is None:
            how = "does not answer"
        elif code < 0:
            how = f"was killed by {signal.Signals(-code).name}"
        else:
            how = f"ended with code {code}"
        return f"{self.name} {how}. The end of {self.log}:\n{tail(self.log)}"

    def stop(self, patience: float = 10.0) -> None:
        """Ask it to end; after `patience` seconds make it. Whatever it forked goes too."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(self.stop_signal)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(patience)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def wait_until(self, ready: Callable[[], bool], patience: float) -> None:
        """Return once `ready()`; Trouble if it ends first, or takes over `patience` seconds."""
        deadline = time.monotonic() + patience
        while not ready():
            if self.died() or time.monotonic() > deadline:
                raise Trouble(self.epitaph())
            time.sleep(0.05)


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log, indented."""
    written = log.read_text(errors="replace").splitlines()[-lines:] if log.exists() else []
    return "\n".join(f"    {line}" for line in written) or "    (nothing was written)"
