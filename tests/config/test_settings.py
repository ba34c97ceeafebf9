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


@pytest.mark.parametrize(
    "name", ["SECRET_KEY", "NATIONAL_ID_KEYS", "NATIONAL_ID_HASH_KEY", "PUBLIC_URL"]
)
def test_production_without_a_secret_is_refused(name):
    result = start(**{name: None})

    assert result.returncode
    assert f"{name} is not set" in result.stderr


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
    ],
)
def test_wrongly_typed_setting_is_named(name, value, problem):
    assert problem in start(**{name: value}).stderr


def test_all_problems_are_told_at_once():
    errors = start(SECRET_KEY=None, PUBLIC_URL=None).stderr

    assert "SECRET_KEY" in errors
    assert "PUBLIC_URL" in errors


def test_readme_lists_every_setting():
    readme = (ROOT / "README.md").read_text()
    names = start("from config import env, settings; print(*env.NAMES)").stdout.split()

    assert "SECRET_KEY" in names
    assert [name for name in names if f"`{name}`" not in readme] == []
