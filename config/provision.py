"""Makes the virtual environment, and what else a bare machine lacks. Standard library only.

`python config/provision.py run|dev|browser|lock|clean`, for the Makefile. pip's own configuration
decides where packages come from; uv, itself installed by hash, is told the same and is quicker.
"""

# ruff: noqa: S603, T201 - this program prints, and runs commands that are all written here

import ast
import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UV = VENV / "bin" / "uv"
LOCKS = ROOT / "requirements"
CHROMIUM = "/usr/bin/chromium"
# What each setting of pip's is called for uv.
UV_NAMES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
}
# The locks, each agreeing with the one it names.
COMPILED: list[tuple[str, list[str]]] = [
    ("base.txt", []),
    ("run.txt", ["--extra", "embedded", "-c", "requirements/base.txt"]),
    ("risk.txt", ["--extra", "risk", "-c", "requirements/base.txt"]),
    (
        "dev.txt",
        [
            *("--extra", "embedded", "--extra", "risk", "--group", "dev"),
            *("-c", "requirements/run.txt", "-c", "requirements/risk.txt"),
        ],
    ),
]
DATA = ["postgres", "valkey", "log", "secrets.env", "run.lock"]
BUILT = [
    "staticfiles",
    "screenshots",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".hypothesis",
    ".import_linter_cache",
]


class Failed(Exception):
    """What went wrong, in one sentence."""


def main() -> int:
    """Do what the first argument says; the exit code."""
    actions = {
        "run": lambda: environment("run"),
        "dev": lambda: environment("dev"),
        "browser": browser,
        "lock": lock,
        "clean": clean,
    }
    try:
        actions[sys.argv[1]]()
    except Failed as failed:
        print(failed, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def environment(name: str) -> None:
    """Have .venv hold what requirements/<name>.txt locks; does nothing when it already does."""
    if sys.version_info < (3, 11):  # noqa: UP036 - whatever Python make found runs this
        raise Failed(
            f"Python 3.11 or newer is needed, and {sys.executable} is {sys.version.split()[0]}."
        )
    if not _works():
        _create()
    # What developers have includes what running needs.
    if any(_installed(lock) for lock in {name, "dev"}):
        return
    print(f"Installing requirements/{name}.txt …", flush=True)
    if not _install_with_uv(name):
        _pip("install", "--quiet", "--require-hashes", "-r", f"requirements/{name}.txt")
    _stamp(name).write_text(_digest(name))


def _works() -> bool:
    """Whether .venv has an interpreter that starts here; a copied or half-made one may not."""
    try:
        return (
            subprocess.run(
                [PYTHON, "-m", "pip", "--version"], capture_output=True, check=False
            ).returncode
            == 0
        )
    except OSError:
        return False


def _create() -> None:
    print("Making .venv …", flush=True)
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", VENV], check=False, capture_output=True, text=True
    )
    if made.returncode:
        raise Failed(
            f"No virtual environment could be made in {VENV}:\n{made.stdout}{made.stderr}".strip()
        )


def _install_with_uv(name: str) -> bool:
    """False when uv is not to be had or cannot reach the packages; pip does the same, slower."""
    if not UV.exists() and not _pip(
        "install", "--quiet", "--require-hashes", "-r", "requirements/uv.txt", fatal=False
    ):
        return False
    done = subprocess.run(
        [
            UV,
            "pip",
            "install",
            "--quiet",
            "--require-hashes",
            "--python",
            PYTHON,
            "-r",
            f"requirements/{name}.txt",
        ],
        cwd=ROOT,
        env=_uv_environment(),
        check=False,
    )
    return done.returncode == 0


def _uv_environment() -> dict[str, str]:
    """Our environment, with pip's configuration said in uv's words; what uv has been told stays."""
    said = subprocess.run(
        [PYTHON, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    found: dict[str, str] = {}
    for line in said.splitlines():
        key, _, value = line.partition("=")
        name = UV_NAMES.get(key.rpartition(".")[2])
        if name:
            with contextlib.suppress(ValueError, SyntaxError):
                found[name] = " ".join(str(ast.literal_eval(value)).split())
    # Hashes decide what is installed, so every index may be asked, as pip does.
    return {"UV_INDEX_STRATEGY": "unsafe-best-match", **found, **os.environ}


def _pip(*arguments: str, fatal: bool = True) -> bool:
    done = subprocess.run(
        [PYTHON, "-m", "pip", *arguments], cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False
    )
    if done.returncode and fatal:
        raise Failed(f"pip could not install the requirements:\n{done.stderr.strip()}")
    return done.returncode == 0


def _stamp(name: str) -> Path:
    return VENV / f"installed-{name}"


def _digest(name: str) -> str:
    return hashlib.sha256((LOCKS / f"{name}.txt").read_bytes()).hexdigest()


def _installed(name: str) -> bool:
    return _stamp(name).exists() and _stamp(name).read_text() == _digest(name)


def browser() -> None:
    """Install Debian's Chromium where it is missing and we may; else the tests say so."""
    apt_get = shutil.which("apt-get")
    if Path(CHROMIUM).exists() or os.geteuid() != 0 or apt_get is None:
        return
    print("Installing Chromium for the browser tests …", flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["update"],
        ["install", "--yes", "--no-install-recommends", "chromium", "fonts-noto-cjk"],
    ):
        done = subprocess.run(
            [apt_get, "--quiet", "--quiet", *command],
            env=quiet,
            stdout=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode:
            print("apt-get could not install Chromium.", file=sys.stderr)
            return


def lock() -> None:
    """Write requirements/*.txt anew from pyproject.toml; versions that still fit are kept."""
    for name, options in COMPILED:
        done = subprocess.run(
            [
                *(
                    UV,
                    "pip",
                    "compile",
                    "--quiet",
                    "--generate-hashes",
                    "--universal",
                    "--python-version",
                    "3.11",
                ),
                *("--no-header", "--no-emit-index-url", "--no-emit-find-links"),
                *("pyproject.toml", *options, "-o", f"requirements/{name}", *sys.argv[2:]),
            ],
            cwd=ROOT,
            env=_uv_environment(),
            check=False,
        )
        if done.returncode:
            raise Failed(f"requirements/{name} could not be locked.")
    (LOCKS / "uv.txt").write_text(_only("uv", (LOCKS / "dev.txt").read_text()))


def _only(package: str, locked: str) -> str:
    """One package's lines of a lock."""
    lines: list[str] = []
    inside = False
    for line in locked.splitlines(keepends=True):
        if not line.startswith((" ", "#")):
            inside = line.startswith(f"{package}==")
        if inside and not line.lstrip().startswith("#"):
            lines.append(line)
    return "".join(lines)


def clean() -> None:
    """Remove .venv, the demo's data, and everything built."""
    home = Path(os.environ.get("MIANYUE_VAR") or ROOT / "var").resolve()
    with _not_running(home):
        postgres = home / "postgres"
        if postgres.is_symlink():  # root's PostgreSQL, kept where its user can reach it
            _remove(postgres.resolve())
        # By name: $MIANYUE_VAR may be a directory that holds other things too.
        for path in [*(home / name for name in DATA), VENV, *(ROOT / name for name in BUILT)]:
            _remove(path)
        with contextlib.suppress(OSError):
            home.rmdir()
    for compiled in ROOT.glob("locale/**/*.mo"):
        compiled.unlink()
    for cache in ROOT.rglob("__pycache__"):
        shutil.rmtree(cache, ignore_errors=True)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def _not_running(home: Path) -> Iterator[None]:
    """Hold the lock of `make run`, so that nothing is removed under a running server."""
    if not (home / "run.lock").exists():
        yield
        return
    with (home / "run.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failed(f"Mianyue is running on {home}: stop it first.") from None
        yield


if __name__ == "__main__":
    sys.exit(main())
