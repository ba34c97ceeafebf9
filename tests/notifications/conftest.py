import pytest

from notifications import channels


class Carrier:
    """Takes everything, or raises what `trouble` says, on some channel or on all."""

    def __init__(self):
        self.sent = []
        self.trouble = {}

    def send(self, notification, message):
        trouble = self.trouble.get(notification.channel) or self.trouble.get("*")
        if trouble:
            raise trouble
        self.sent.append(notification.dedupe_key)
        return f"id-{notification.dedupe_key}"


@pytest.fixture
def post(monkeypatch):
    carrier = Carrier()
    monkeypatch.setattr(channels, "send", carrier.send)
    return carrier
