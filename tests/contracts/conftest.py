import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from config.wsgi import application
from tests.contracts.workers import broker, start  # noqa: F401 - fixtures


@pytest.fixture
def wsgi():
    """The application as a web server calls it, yet inside the test's transaction: Django would
    close the connection after each request."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield application
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)
