"""What beat does, by the rows its scheduler makes of the settings."""

import pytest
from celery.signals import worker_ready
from django.conf import settings
from django.core.cache import cache
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import ModelEntry

from config.celery import app
from notifications.tasks import HEARTBEAT_KEY


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(settings.CELERY_BEAT_SCHEDULE))
def test_task_nobody_took_up_is_dropped_when_the_next_one_comes(name):
    entry = settings.CELERY_BEAT_SCHEDULE[name]

    made = ModelEntry.from_entry(name, app=app, **entry)

    assert PeriodicTask.objects.get().expire_seconds == entry["schedule"].total_seconds()
    assert made.options["expires"] == entry["schedule"].total_seconds()


def test_worker_reports_as_soon_as_it_is_ready():
    assert cache.get(HEARTBEAT_KEY) is None

    worker_ready.send(sender=None)

    assert cache.get(HEARTBEAT_KEY)
