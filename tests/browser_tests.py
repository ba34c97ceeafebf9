"""pytest plugin: tests that drive a browser are skipped where there is none, and the end says so.

Where CI or MIANYUE_REQUIRE_BROWSER is set there has to be one.
"""

import os
from pathlib import Path

import pytest

CHROMIUM = "/usr/bin/chromium"
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]
FIXTURES = {"browser", "context", "page"}  # pytest-playwright's


def is_missing() -> bool:
    return not Path(CHROMIUM).exists()


def is_required() -> bool:
    return any(
        os.environ.get(name, "").lower() in {"1", "true"}
        for name in ("CI", "MIANYUE_REQUIRE_BROWSER")
    )


def pytest_configure(config: pytest.Config) -> None:
    if is_missing() and is_required():
        raise pytest.UsageError(
            f"{CHROMIUM} is missing, and the browser tests are required: apt-get install chromium"
        )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not is_missing():
        return
    for item in items:
        if item.get_closest_marker("browser") or FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.skip(reason=f"{CHROMIUM} is missing"))


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if is_missing():
        terminalreporter.write_line(
            f"The browser tests were skipped: {CHROMIUM} is missing (apt-get install chromium)."
        )
