"""A browser in front of the real product; people arrive signed in, by the session's cookie."""

import os

import pytest
from django.core.servers.basehttp import WSGIRequestHandler
from django.db import connections
from django.test import Client

from cancellations.models import Reason
from tests import database
from tests.browser_tests import CHROMIUM, CHROMIUM_ARGUMENTS
from tests.journeys.visitor import Visitor

# Playwright keeps an event loop in the test's thread; the tests' own queries there are harmless.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    return {
        **browser_type_launch_args,
        "executable_path": CHROMIUM,
        "args": CHROMIUM_ARGUMENTS,
    }


@pytest.fixture
def _defaults(transactional_db):
    """Flushing between transactional tests takes the migrations' rows with it."""
    if not Reason.objects.exists():
        database.put_defaults_back()


@pytest.fixture
def _prompt(monkeypatch):
    """Takes two waits off Django's test server that no server of ours has: forty milliseconds
    between the head of an answer and its body, for the browser to acknowledge the head, and a new
    connection to the database for each request."""
    monkeypatch.setattr(WSGIRequestHandler, "disable_nagle_algorithm", True)
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", None)


@pytest.fixture
def visit(browser, live_server, _defaults, _prompt):
    """Opens the product for somebody: visit(user), visit(javascript=False, width=1280…)."""
    contexts = []

    def open_for(user=None, *, javascript=True, width=390, height=844, locale="en-US") -> Visitor:
        context = browser.new_context(
            base_url=live_server.url,
            viewport={"width": width, "height": height},
            java_script_enabled=javascript,
            locale=locale,
            reduced_motion="reduce",
        )
        context.set_default_timeout(15_000)
        contexts.append(context)
        if user is not None:
            client = Client()
            client.force_login(user)
            key = client.session.session_key
            context.add_cookies([{"name": "sessionid", "value": key, "url": live_server.url}])
        return Visitor(context.new_page())

    yield open_for
    for context in contexts:
        context.close()
