"""pytest plugin: tests that drive a browser are skipped where there is none, and the end says so.

Where CI or MIANYUE_REQUIRE_BROWSER is set there has to be one.
"""

import os
from pathlib import Path

import pytest

CHROMIUM = "/usr/bin/chromium"
# Every window comes with two hidden pages for the address bar, which cost half a second each time.
# Of several such lists Chromium obeys the last, so Playwright's own stands in this one as well.
FEATURES_WITHOUT_USE = [
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    "AimEnabled",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
]
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
    f"--disable-features={','.join(FEATURES_WITHOUT_USE)}",
    "--use-fake-device-for-media-stream",  # a microphone, for whoever is allowed to use it
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
