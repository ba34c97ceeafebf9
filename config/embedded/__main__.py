"""`python -m config.embedded exec -- COMMAND…`: run a command beside throw-away servers.

`python -m config.embedded serve`: the servers of `make run` alone, until Ctrl-C.
"""

# ruff: noqa: S603, T201 - a command line: it runs what it is told to, and prints

import argparse
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import NoReturn

from config.embedded import Trouble, hold, services, throwaway
from config.embedded.process import die_with_parent


class Stopped(BaseException):
    """We were asked to stop."""


def main() -> int:
    """Parse the command line and run; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m config.embedded", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    run = actions.add_parser("exec", help="run a command beside throw-away servers")
    run.add_argument(
        "--durable", action="store_true", help="with the settings that survive a crash"
    )
    run.add_argument("--mode", default="test", help="MIANYUE_MODE of the command (default: test)")
    run.add_argument("command", nargs="+", help="after a --")
    actions.add_parser("serve", help="run the servers until Ctrl-C")
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGHUP, _stop)
    try:
        if chosen.action == "serve":
            serve()
        return execute(chosen.command, mode=chosen.mode, durable=chosen.durable)
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return 1
    except (Stopped, KeyboardInterrupt):
        return 0 if chosen.action == "serve" else 128 + signal.SIGTERM


def execute(command: list[str], *, mode: str, durable: bool) -> int:
    """Run `command` with the servers' addresses in its environment; its exit code."""
    with throwaway(durable=durable) as running:
        environment = {**os.environ, **running.environment, "MIANYUE_MODE": mode}
        # Ctrl-C reaches the command by itself: it shares our terminal. The servers do not.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with subprocess.Popen(command, env=environment, preexec_fn=_as_foreground) as process:
            try:
                code = process.wait()
            except Stopped:
                process.terminate()
                raise
    return code if code >= 0 else 128 - code


def serve() -> NoReturn:
    """Run the servers over the data of `make run`, and say where they are."""
    home = Path(os.environ.get("MIANYUE_VAR") or "var").resolve()
    with hold(home) as lock, services(home, keep_open=[lock]) as running:
        for name, value in running.environment.items():
            print(f"export {name}={shlex.quote(value)}")
        print("The servers are ready; Ctrl-C stops them.", flush=True)
        while True:
            for child in running.children:
                if child.died():
                    raise Trouble(child.epitaph())
            time.sleep(0.2)


def _as_foreground() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    die_with_parent(signal.SIGTERM)


def _stop(number: int, frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)
    raise Stopped


if __name__ == "__main__":
    sys.exit(main())
