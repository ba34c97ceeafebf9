"""Both servers together: over data that is kept, or thrown away."""

# ruff: noqa: T201 - what is printed is for who runs it

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from config.embedded.postgres import Postgres
from config.embedded.process import Child, Trouble
from config.embedded.valkey import Valkey

HANDOVER = 10.0  # seconds the servers of a run that was killed may take to finish


@dataclass
class Services:
    """What was started, and the variables that lead programs to it."""

    environment: dict[str, str] = field(default_factory=dict)
    children: list[Child] = field(default_factory=list)


@contextmanager
def services(
    home: Path, *, durable: bool = True, keep_open: Sequence[int] = ()
) -> Iterator[Services]:
    """Run the servers over `home`, each only where DATABASE_URL or REDIS_URL names no other."""
    logs = home / "log"
    logs.mkdir(parents=True, exist_ok=True)
    running = Services()
    with ExitStack() as stack:
        if not os.environ.get("DATABASE_URL"):
            postgres = Postgres(
                home / "postgres", log=logs / "postgres.log", durable=durable, keep_open=keep_open
            )
            stack.callback(postgres.stop)
            postgres.start()
            running.children.append(postgres.child)
            running.environment["DATABASE_URL"] = postgres.url
        if not os.environ.get("REDIS_URL"):
            valkey = Valkey(
                home / "valkey", log=logs / "valkey.log", durable=durable, keep_open=keep_open
            )
            stack.callback(valkey.stop)
            valkey.start()
            running.children.append(valkey.child)
            running.environment["REDIS_URL"] = valkey.url
        yield running


@contextmanager
def throwaway(*, durable: bool = False) -> Iterator[Services]:
    """Run the servers over a new directory that is removed with everything in it."""
    home = Path(tempfile.mkdtemp(prefix="mianyue-"))
    home.chmod(0o711)  # PostgreSQL, as another user, has to reach its own directory inside
    try:
        with services(home, durable=durable) as running:
            yield running
    finally:
        postgres = home / "postgres"
        if postgres.is_symlink():
            shutil.rmtree(postgres.resolve(), ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def hold(home: Path) -> Iterator[int]:
    """Hold `home` for one run at a time; yields the lock's file descriptor.

    Children that keep it open keep the lock: a killed run holds it until the last of them is gone,
    so the next run never starts a second server over the same files.
    """
    home.mkdir(parents=True, exist_ok=True)
    path = home / "run.lock"
    with path.open("a+") as file:
        _lock(file.fileno(), path)
        file.seek(0)
        if left := file.read().strip():
            print(
                f"The last run (process {left}) ended without cleaning up; going on from its data.",
                flush=True,
            )
        _write(path, str(os.getpid()))
        try:
            yield file.fileno()
        finally:
            _write(path, "")


def _lock(descriptor: int, path: Path) -> None:
    deadline = time.monotonic() + HANDOVER
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            owner = path.read_text().strip()
            if _alive(owner) or time.monotonic() > deadline:
                raise Trouble(
                    f"Mianyue is already running on {path.parent} (process {owner or 'unknown'}): "
                    "stop it first, or set MIANYUE_VAR to another directory."
                ) from None
            time.sleep(0.1)


def _alive(pid: str) -> bool:
    return pid.isdigit() and Path(f"/proc/{pid}").exists()


def _write(path: Path, text: str) -> None:
    path.write_text(text)
