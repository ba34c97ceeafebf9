"""The worker as it runs, with a provider that takes everything at once; and a no-op of Celery."""

from config.celery import app
from notifications import channels


@app.task
def nothing() -> None:
    pass


setattr(channels, "send", lambda notification, message: "taken")  # noqa: B010 - typed otherwise
