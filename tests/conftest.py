"""Fixtures every test may use."""

import os

import pgtrigger
import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import TransactionTestCase


def pytest_configure(config):
    """Workers side by side have a cache each: none empties another's."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    default = settings.CACHES["default"]
    default["LOCATION"] = f"{default['LOCATION'].removesuffix('1')}{1 + worker % 15}"


@pytest.fixture(autouse=True)
def _clean_cache():
    cache.clear()


@pytest.fixture(scope="session", autouse=True)
def _history_may_be_flushed_between_tests():
    """Transactional tests end by truncating every table, which history refuses outside tests."""
    original = TransactionTestCase._fixture_teardown

    def teardown(self):
        with pgtrigger.ignore("interviews.HistoryEntry:no_truncate"):
            original(self)

    TransactionTestCase._fixture_teardown = teardown
    yield
    TransactionTestCase._fixture_teardown = original
