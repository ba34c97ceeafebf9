"""What sign-in tests share."""

import time

import pytest

from accounts import services, throttling
from notifications.models import Notification


@pytest.fixture(autouse=True)
def _answers_at_once(monkeypatch):
    """Only the test that measures it waits for the steady answer."""
    monkeypatch.setattr(throttling, "ANSWER_SECONDS", 0)


@pytest.fixture(autouse=True)
def _in_english(settings):
    settings.LANGUAGE_CODE = "en"


@pytest.fixture
def sent():
    """What the newest message of an event is filled with."""

    def newest(event):
        return Notification.objects.filter(event=event).latest("pk").params

    return newest


@pytest.fixture
def confirmed(client):
    """Whoever is signed in has just given their password."""

    def confirm():
        session = client.session
        session[services.CONFIRMED_SESSION_KEY] = time.time()
        session.save()

    return confirm
