import json
import socket
import subprocess
import sys

import pytest
from django.conf import settings as configured
from django.core.cache import cache
from django.utils import timezone

from config import health
from notifications.services import notify
from notifications.tasks import HEARTBEAT_KEY, heartbeat
from tests.factories import CancellationFactory
from tests.notifications.test_services import notice


@pytest.fixture(autouse=True)
def _nothing_logged_yet(monkeypatch):
    monkeypatch.setattr(health, "_logged", {})


def test_a_process_that_lives_says_so_without_asking_anybody(client):
    """Without the database mark: a query would fail the test."""
    response = client.get("/healthz")

    assert response.status_code == 200
    assert response.content == b"ok"
    assert "no-store" in response["Cache-Control"]


@pytest.mark.django_db
def test_ready_when_everything_answers(client):
    heartbeat()

    response = client.get("/readyz")

    assert response.status_code == 200
    assert response.json() == {"ready": True, "database": "ok", "broker": "ok", "worker": "ok"}


@pytest.mark.django_db
def test_not_ready_without_a_worker(client):
    cache.delete(HEARTBEAT_KEY)

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["worker"] == "No worker has reported within the last 60 seconds."
    assert response.json()["database"] == "ok"


def test_not_ready_without_servers_and_says_so_in_time():
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        script = (
            "import django, time; django.setup()\n"
            "from django.test import Client\n"
            "client, started = Client(), time.monotonic()\n"
            "for path in '/healthz', '/readyz', '/metrics':\n"
            "    response = client.get(path)\n"
            "    print(response.status_code, response.content.decode().replace('\\n', ' '))\n"
            "print(time.monotonic() - started)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=configured.BASE_DIR,
            env={
                "MIANYUE_MODE": "test",
                "DATABASE_URL": f"postgresql://me:secret@127.0.0.1:{port}/x",
                "REDIS_URL": f"redis://127.0.0.1:{port}",
                "DJANGO_SETTINGS_MODULE": "config.settings",
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    alive, ready, metrics, seconds = done.stdout.splitlines()
    assert alive == "200 ok"
    status, _, answer = ready.partition(" ")
    assert status == "503"
    assert json.loads(answer) == {
        "ready": False,
        "database": "The database does not answer.",
        "broker": "The broker does not answer.",
        "worker": "Nobody can tell: it reports through the broker.",
    }
    assert metrics.startswith("200 ")
    assert "mianyue_open_cancellations" not in metrics
    assert float(seconds) < 8
    assert "secret" not in done.stdout


@pytest.mark.django_db
def test_metrics_count_requests_by_pattern_and_show_what_waits(client):
    CancellationFactory(interview__reference="7K2M9QX4TB")
    notify(notice("1"), notice("2"))
    client.get("/receipts/7K2M9QX4TB/")
    client.generic("MADEUP", "/receipts/7K2M9QX4TB/")

    text = client.get("/metrics").content.decode()

    assert 'mianyue_request_seconds_count{method="GET",route="receipts/<reference:' in text
    assert 'method="other"' in text
    assert "7K2M9QX4TB" not in text
    assert 'mianyue_outbox_messages{state="queued"} 2.0' in text
    assert 'mianyue_outbox_messages{state="failed"} 0.0' in text
    assert "mianyue_open_cancellations 1.0" in text


@pytest.mark.django_db
def test_metrics_tell_how_long_the_oldest_message_has_waited(client):
    notify(notice(not_before=timezone.now() - timezone.timedelta(seconds=90)))

    text = client.get("/metrics").content.decode()

    (line,) = [
        line for line in text.splitlines() if line.startswith("mianyue_outbox_oldest_due_seconds ")
    ]
    assert 90 <= float(line.split()[1]) < 120


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("production", "token", "given", "status"),
    [
        (True, "", "", 404),
        (True, "", "Bearer ", 404),
        (True, "long", "Bearer long", 200),
        (True, "long", "Bearer short", 401),
        (True, "long", "", 401),
        (False, "long", "", 401),
        (False, "long", "Bearer löng", 401),
        (False, "", "", 200),
    ],
)
def test_metrics_are_for_who_holds_the_token(client, settings, production, token, given, status):
    settings.PRODUCTION = production
    settings.METRICS_TOKEN = token

    response = client.get("/metrics", headers={"Authorization": given})

    assert response.status_code == status


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_probes_take_no_orders(client, path):
    assert client.post(path).status_code == 405


@pytest.mark.django_db
def test_probes_do_not_fill_the_log(client, caplog):
    heartbeat()
    caplog.set_level("INFO", logger="request")

    client.get("/readyz")
    client.get("/healthz")

    assert [record.name for record in caplog.records] == []


@pytest.mark.django_db
def test_each_loss_of_readiness_is_logged_once(client, caplog):
    caplog.set_level("INFO")

    def said(*, worker: bool) -> list[tuple[str, str]]:
        """By three polls in a row."""
        caplog.clear()
        heartbeat() if worker else cache.delete(HEARTBEAT_KEY)
        for _poll in range(3):
            client.get("/readyz")
        return [(record.name, record.levelname) for record in caplog.records]

    assert said(worker=True) == []
    assert said(worker=False) == [("health", "WARNING")]
    assert said(worker=True) == [("health", "INFO")]
    assert said(worker=False) == [("health", "WARNING")]


def test_several_workers_answer_as_one(tmp_path):
    """Two processes observe; a third one's figures hold both."""
    script = (
        "import django, sys; django.setup()\n"
        "from config import metrics\n"
        "if sys.argv[1] == 'observe':\n"
        "    metrics.observe(method='GET', route='x/', status=200, seconds=0.1)\n"
        "else:\n"
        "    print(metrics.exposition().decode())\n"
    )

    def run(what):
        return subprocess.run(
            [sys.executable, "-c", script, what],
            cwd=configured.BASE_DIR,
            env={
                "MIANYUE_MODE": "test",
                "DATABASE_URL": "postgresql://127.0.0.1:9/x",
                "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "metrics"),
                "DJANGO_SETTINGS_MODULE": "config.settings",
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout

    run("observe")
    run("observe")

    assert 'mianyue_request_seconds_count{method="GET",route="x/",status="200"} 2.0' in run("show")
