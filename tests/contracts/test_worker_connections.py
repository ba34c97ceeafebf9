"""A real worker as in production keeps its connections to the database from task to task."""

import pytest
from django.db import connection

from notifications.models import Notification, State
from notifications.services import Notice, notify
from tests.contracts.workers import tasks, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.servers]
TASKS = 30


def store(first: int) -> list[str]:
    notices = [
        Notice(
            event="password_changed",
            channel="sms",
            recipient=f"user:{number}",
            address=f"+86138{number:08d}",
            language="en",
            subject=f"user:{number}",
            dedupe_key=f"password_changed:{number}",
        )
        for number in range(first, first + TASKS)
    ]
    notify(*notices)
    return [notice.dedupe_key for notice in notices]


def all_sent() -> bool:
    return not Notification.objects.exclude(state=State.SENT).exists()


def opened() -> int:
    """Connections to this database that have ever been made."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT sessions FROM pg_stat_database WHERE datname = current_database()")
        return cursor.fetchone()[0]


def test_tasks_share_a_connection_and_survive_its_end(broker, start):
    with tasks(broker) as app:

        def one_task_each(keys: list[str]) -> None:
            for key in keys:
                app.send_task("notifications.tasks.deliver_now", [[key]])
            wait_until(all_sent, "the worker")

        start(MIANYUE_MODE="demo")  # tests have no pool
        one_task_each(store(0))
        before = opened()
        one_task_each(store(TASKS))
        assert opened() - before < TASKS / 4

        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        keys = store(2 * TASKS)

        def swept() -> bool:
            app.send_task("notifications.tasks.sweep")
            return all_sent()

        for key in keys:
            app.send_task("notifications.tasks.deliver_now", [[key]])
        wait_until(swept, "the worker with its new connections", every=1)
