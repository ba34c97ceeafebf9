"""The worker's way in."""

import os
import sys

from celery import Celery
from celery.signals import task_postrun, task_prerun
from django.db import close_old_connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
app = Celery("mianyue")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# Left to itself Celery shuts the pool of connections before and after each task, and opening one
# takes longer than most tasks do. As around requests, what is broken is put away, and the rest goes
# back to the pool.
app.conf["CELERY_DB_REUSE_MAX"] = sys.maxsize
task_prerun.connect(close_old_connections)
task_postrun.connect(close_old_connections)
