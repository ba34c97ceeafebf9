"""What `make run` runs: servers, database, web, workers and beat, until Ctrl-C.

It needs nothing but the virtual environment. Everything it starts ends with it.
"""

# ruff: noqa: S603, T201 - what is run is written here; what is printed is for who runs it

import argparse
import base64
import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

from config.embedded import Child, Trouble, hold, services
from config.embedded.process import die_with_parent, dying_with_us, tail
from config.fake_platform import DEMO_WEBHOOK_SECRET

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
PATIENCE = 120.0  # seconds until the web answers, and again until the worker reports
HOPELESS = 10.0  # seconds; what ends sooner than this after its start is not started again

ACCOUNTS = """\
Sign in with the password mianyue-demo as
  a candidate       13800000001 … 13800000005   (who is who: README.md)
  a recruiter       hr@demo.example     (staff sign in at /desk/)
  an HR lead        lead@demo.example
  a department      dept@demo.example
  an administrator  admin@demo.example"""


class Stopped(BaseException):
    """We were asked to stop."""


def main() -> int:
    """Run until told to stop; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m config.run", description=__doc__)
    parser.add_argument(
        "--with-parent", action="store_true", help="end when the parent process does"
    )
    if parser.parse_args().with_parent:
        die_with_parent(signal.SIGKILL)  # then each child ends by itself, within five seconds
    signal.signal(signal.SIGINT, _stop)  # even where it is ignored, as in a script's background
    signal.signal(signal.SIGTERM, _stop)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup means it
        signal.signal(signal.SIGHUP, _stop)
    try:
        run(Path(os.environ.get("MIANYUE_VAR") or ROOT / "var").resolve(), chosen_port())
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return 1
    except Stopped:
        print("Mianyue has stopped; nothing is left running.", flush=True)
    return 0


def run(home: Path, port: int) -> None:
    """Start everything in order and watch over it. Ends only by Trouble or Stopped."""
    with ExitStack() as stack:
        lock = stack.enter_context(hold(home))
        check_free(port)
        print("Starting PostgreSQL and Valkey …", flush=True)
        running = stack.enter_context(services(home, keep_open=[lock]))
        environment = child_environment(home, port) | running.environment
        prepare(environment, home / "log" / "prepare.log")
        web, *others = programs(home, port, environment, lock)
        print("Starting the web server, workers and beat …", flush=True)
        stack.enter_context(started(web, *others, port=port))
        print(f"\nMianyue is ready at http://{HOST}:{port}/\n{ACCOUNTS}", flush=True)
        if platform := environment["DEMO_PLATFORM_URL"]:
            print(f"The demo's AI platform listens at {platform} (docs/platforms.md).")
        print("Ctrl-C stops it.", flush=True)
        watch(servers=running.children, restartable=[web, *others])


def chosen_port() -> int:
    """$PORT, 8000 by default."""
    text = os.environ.get("PORT") or "8000"
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise Trouble(f"PORT must be a number from 1 to 65535, not {text!r}.")
    return int(text)


def check_free(port: int) -> None:
    """Trouble when something else listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except PermissionError:
            raise Trouble(
                f"Port {port} needs more rights than yours: choose one with PORT=8001 make run."
            ) from None
        except OSError:
            raise Trouble(
                f"Port {port} is taken by another program: stop that one, or choose another with "
                f"PORT={port % 65535 + 1} make run."
            ) from None


def platform_url(port: int) -> str:
    """Where the demo's AI platform is to listen: 900 further up, or wherever there is room."""
    for wanted in (port + 900, 0):
        with socket.socket() as probe, suppress(OSError, OverflowError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, wanted))
            return f"http://{HOST}:{probe.getsockname()[1]}"
    return ""


def child_environment(home: Path, port: int) -> dict[str, str]:
    """What the programs get: ours, demo mode, this address, and this machine's own secrets."""
    return {
        **own_secrets(home / "secrets.env"),
        "PUBLIC_URL": f"http://{HOST}:{port}",
        "DEMO_PLATFORM_URL": platform_url(port),
        **os.environ,
        "MIANYUE_MODE": "demo",
        "MIANYUE_VAR": str(home),
        "PYTHONUNBUFFERED": "1",
    }


def own_secrets(path: Path) -> dict[str, str]:
    """The secrets of this data, made on the first run and kept beside it: lose them and the
    national IDs in the database cannot be read again."""
    if not path.exists():
        made = {
            "SECRET_KEY": secrets.token_urlsafe(50),
            "NATIONAL_ID_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "NATIONAL_ID_HASH_KEY": secrets.token_urlsafe(32),
        }
        unfinished = path.with_suffix(".unfinished")
        unfinished.unlink(missing_ok=True)
        unfinished.touch(mode=0o600)
        unfinished.write_text("".join(f"{name}={value}\n" for name, value in made.items()))
        unfinished.rename(path)
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)


def prepare(environment: dict[str, str], log: Path) -> None:
    """Bring the database to this version and load the demo data; a second time does nothing."""
    print("Preparing the database …", flush=True)
    with log.open("wb") as output:
        for command, *options in (["migrate"], ["load_demo", "--past"]):
            done = subprocess.run(
                [sys.executable, "manage.py", command, *options],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
                start_new_session=True,
                preexec_fn=dying_with_us(signal.SIGTERM),
            )
            if done.returncode:
                raise Trouble(f"manage.py {command} failed. The end of {log}:\n{tail(log, 25)}")


def programs(home: Path, port: int, environment: dict[str, str], lock: int) -> list[Child]:
    """Web, the worker, the worker for long jobs, beat, and the AI platform of the demo, in the
    order they are started."""

    def program(name: str, *argv: str, orphan_signal: signal.Signals = signal.SIGTERM) -> Child:
        return Child(
            f"The {name}",
            [sys.executable, "-m", *argv],
            log=home / "log" / f"{name}.log",
            env=environment,
            cwd=ROOT,
            orphan_signal=orphan_signal,
            keep_open=[lock],
        )

    platforms = []
    if platform := environment.get("DEMO_PLATFORM_URL"):
        platforms.append(
            program(
                "platform",
                *("config.fake_platform", "--port", str(urlsplit(platform).port)),
                *("--webhooks", f"http://{HOST}:{port}/platforms/alder/events/"),
                *("--webhook-secret", DEMO_WEBHOOK_SECRET, "--state", str(home / "platform.json")),
            )
        )
    return [
        program(
            "web",
            *("granian", "--interface", "wsgi", "--no-ws", "--host", HOST, "--port", str(port)),
            *("--workers", "1", "--blocking-threads", "8", "--workers-kill-timeout", "2"),
            "config.wsgi:application",
        ),
        program(
            "worker",
            *("celery", "-A", "config", "worker", "--loglevel", "INFO", "--concurrency", "2"),
            *("--without-gossip", "--without-mingle"),
            orphan_signal=signal.SIGKILL,  # its pool children ask the kernel for the same
        ),
        program(
            "jobs-worker",
            *("celery", "-A", "config", "worker", "--loglevel", "INFO", "--concurrency", "1"),
            *("--queues", "jobs", "--hostname", "jobs@%h", "--prefetch-multiplier", "1"),
            *("--without-gossip", "--without-mingle"),
            orphan_signal=signal.SIGKILL,
        ),
        program(
            "beat",
            *("celery", "-A", "config", "beat", "--loglevel", "INFO"),
            orphan_signal=signal.SIGKILL,
        ),
        *platforms,
    ]


@contextmanager
def started(web: Child, worker: Child, *others: Child, port: int) -> Iterator[None]:
    """The web first; the others when it answers; ready when the worker has reported. Stopped in the
    same order."""
    try:
        web.start()
        web.wait_until(lambda: answers(port, "/healthz"), PATIENCE)
        for child in (worker, *others):
            child.start()
        worker.wait_until(lambda: answers(port, "/readyz"), PATIENCE)
        yield
    finally:
        for child in (web, worker, *others):
            child.stop()


def answers(port: int, path: str) -> bool:
    """Whether the web says 200 there."""
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def watch(*, servers: list[Child], restartable: list[Child]) -> None:
    """Start a program that ended again; give up when it ends at once, or when a server ended."""
    while True:
        for child in servers:
            if child.died():
                raise Trouble(child.epitaph())
        for child in restartable:
            if child.died():
                if time.monotonic() - child.started_at < HOPELESS:
                    raise Trouble(child.epitaph())
                print(
                    f"{child.epitaph()}\n{child.name} is started again.",
                    file=sys.stderr,
                    flush=True,
                )
                child.stop()  # sweeps up what it forked
                child.start()
        time.sleep(0.2)


def _stop(number: int, frame: FrameType | None) -> None:
    """Stop once, in good order; further signals change nothing, for every step is bounded."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    raise Stopped


if __name__ == "__main__":
    sys.exit(main())
