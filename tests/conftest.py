"""Fixtures every test may use."""

import pgtrigger
import pytest
from django.core.cache import cache
from django.test import TransactionTestCase


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
