"""Fixtures every test may use."""

import os

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import TransactionTestCase

from notifications import copies, rendering, services
from tests import database


def pytest_configure(config):
    """Workers side by side have a cache each: none empties another's."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    default = settings.CACHES["default"]
    default["LOCATION"] = f"{default['LOCATION'].removesuffix('1')}{1 + worker % 15}"


@pytest.fixture(autouse=True)
def _clean_cache():
    cache.clear()


@pytest.fixture(autouse=True)
def _nothing_remembered():
    """What a worker's process learned in one test is news in the next."""
    services._away.clear()
    rendering.own_words.forget()
    copies.active_groups.forget()


@pytest.fixture(scope="session", autouse=True)
def _tables_are_as_migrated_after_transactional_tests():
    """What they committed is taken back, which history refuses outside tests."""
    original = TransactionTestCase._fixture_teardown

    def teardown(self):
        database.empty()
        database.put_defaults_back()

    TransactionTestCase._fixture_teardown = teardown
    yield
    TransactionTestCase._fixture_teardown = original


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    yield
    with django_db_blocker.unblock():
        database.end_other_connections()
