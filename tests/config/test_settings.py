"""Starting with an incomplete or dangerous environment is refused in plain words."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMPLETE = {
    "MIANYUE_MODE": "production",
    "SECRET_KEY": "k" * 60,
    "NATIONAL_ID_KEYS": "bWlhbnl1ZS1kZW1vLWFuZC10ZXN0LWtleS0wMDAwMDA=",
    "NATIONAL_ID_HASH_KEY": "h" * 40,
    "PUBLIC_URL": "https://interviews.company.example",
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    "REDIS_URL": "redis://127.0.0.1:1",
    "METRICS_TOKEN": "m" * 40,
    "HOTLINE": "400-000-0000",
    "HELP_MAILBOX": "help@company.example",
}


def start(
    code: str = "import config.settings", **environment: str | None
) -> subprocess.CompletedProcess[str]:
    keep = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    given = {**COMPLETE, **environment}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**keep, **{name: value for name, value in given.items() if value is not None}},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_complete_environment_starts():
    result = start()

    assert result.returncode == 0, result.stderr


def test_production_names_everything_it_is_not_told():
    required = COMPLETE.keys() - {"MIANYUE_MODE", "METRICS_TOKEN"}

    result = start(**dict.fromkeys(required))

    assert result.returncode
    assert [name for name in required if f"{name} is not set" not in result.stderr] == []


def test_demo_needs_to_be_told_nothing():
    result = start(**{**dict.fromkeys(COMPLETE), "MIANYUE_MODE": "demo"})

    assert result.returncode == 0, result.stderr


def test_production_with_debug_on_is_refused():
    result = start(DEBUG="on")

    assert result.returncode
    assert "DEBUG must be off in production" in result.stderr


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("DEBUG", "maybe", "DEBUG must be true or false, not 'maybe'"),
        ("PROVIDER_TIMEOUT", "soon", "PROVIDER_TIMEOUT must be a whole number of at least 1"),
        ("PROVIDER_TIMEOUT", "0", "PROVIDER_TIMEOUT must be a whole number of at least 1"),
        ("MIANYUE_MODE", "staging", "MIANYUE_MODE must be one of production, demo, test"),
        ("NATIONAL_ID_KEYS", "c2hvcnQ=", "NATIONAL_ID_KEYS: number 1 is not a Fernet key"),
        (
            "NATIONAL_ID_KEYS",
            f"{COMPLETE['NATIONAL_ID_KEYS']},geheim-ü",
            "NATIONAL_ID_KEYS: number 2 is not a Fernet key",
        ),
        ("PUBLIC_URL", "interviews.example.com", "PUBLIC_URL must be an address"),
        ("PUBLIC_URL", "http://interviews.example.com", "begins with https://"),
        ("PUBLIC_URL", "https://", "PUBLIC_URL names no host"),
        ("DATABASE_URL", "mysql://me:geheim@host/x", "DATABASE_URL must be an address"),
        ("DATABASE_URL", "postgresql://me:geheim@host:port/x", "DATABASE_URL must be an address"),
        ("REDIS_URL", "http://:geheim@host", "REDIS_URL must be an address"),
        ("SMTP_URL", "mail.example:geheim", "SMTP_URL must be an address"),
    ],
)
def test_wrongly_typed_setting_is_named(name, value, problem):
    errors = start(**{name: value}).stderr

    assert problem in errors
    assert "geheim" not in errors


def shown(expression: str, **environment: str) -> str:
    """What `settings` make of the environment."""
    result = start(f"from config import settings; print({expression})", **environment)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


@pytest.mark.parametrize("mode", ["production", "test"])
def test_database_address_keeps_its_parameters(mode):
    url = "postgresql://me:p%40ss@db:5433/name?sslmode=verify-full&sslrootcert=%2Fca.pem"

    options = shown("settings.DATABASES['default']['OPTIONS']", DATABASE_URL=url, MIANYUE_MODE=mode)

    assert "'sslmode': 'verify-full'" in options
    assert "'sslrootcert': '/ca.pem'" in options


def test_database_socket_is_its_host():
    found = shown(
        "settings.DATABASES['default']['HOST'], settings.DATABASES['default']['OPTIONS']",
        DATABASE_URL="postgresql:///name?host=%2Frun%2Fpostgresql",
    )

    assert found.startswith("/run/postgresql {")
    assert "'host'" not in found


@pytest.mark.parametrize(
    ("url", "cache", "broker"),
    [
        ("redis://h", "redis://h/1", "redis://h/0"),
        ("redis://:p%40@h:7/", "redis://:p%40@h:7/1", "redis://:p%40@h:7/0"),
        ("redis://h:7/5?protocol=3", "redis://h:7/1?protocol=3", "redis://h:7/0?protocol=3"),
        (
            "rediss://h/0",
            "rediss://h/1?ssl_cert_reqs=required",
            "rediss://h/0?ssl_cert_reqs=required",
        ),
        (
            "rediss://h?ssl_cert_reqs=none",
            "rediss://h/1?ssl_cert_reqs=none",
            "rediss://h/0?ssl_cert_reqs=none",
        ),
        (
            "unix:///run/v.sock",
            "unix:///run/v.sock?db=1",
            "redis+socket:///run/v.sock?virtual_host=0",
        ),
    ],
)
def test_cache_and_broker_have_a_database_each(url, cache, broker):
    found = shown(
        "settings.CACHES['default']['LOCATION'], settings.CELERY_BROKER_URL", REDIS_URL=url
    )

    assert found == f"{cache} {broker}"


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("smtp://h", "25"),
        ("smtp+tls://h", "587"),
        ("smtps://h", "465"),
        ("smtps://h:2465", "2465"),
    ],
)
def test_mail_goes_to_the_port_its_encryption_is_spoken_on(url, port):
    assert shown("settings.EMAIL_PORT", SMTP_URL=url) == port


@pytest.mark.parametrize("hours", ["", "22:30-07:15", "12:00 - 12:00"])
def test_quiet_hours_are_two_times_of_day(hours):
    assert start(QUIET_HOURS=hours).returncode == 0


@pytest.mark.parametrize("hours", ["21", "21:00", "21-25:00", "late-early", "21:00-08:00-09:00"])
def test_quiet_hours_that_are_none_are_refused(hours):
    result = start(QUIET_HOURS=hours)

    assert result.returncode
    assert "QUIET_HOURS must be two times" in result.stderr


def test_a_mail_provider_has_to_say_who_it_is():
    provider = {"ANYMAIL_PROVIDER": "postmark", "ANYMAIL_SETTINGS": "POSTMARK_SERVER_TOKEN=x"}

    assert "ANYMAIL_WEBHOOK_SECRET" in start(**provider).stderr
    assert start(**provider, ANYMAIL_WEBHOOK_SECRET="name:password").returncode == 0
    shown_backend = shown("settings.EMAIL_BACKEND", **provider, ANYMAIL_WEBHOOK_SECRET="n:p")
    assert shown_backend == "anymail.backends.postmark.EmailBackend"


def test_readme_lists_every_setting():
    readme = (ROOT / "README.md").read_text()
    names = start("from config import env, settings; print(*env.NAMES)").stdout.split()

    assert "SECRET_KEY" in names
    assert [name for name in names if f"`{name}`" not in readme] == []
