"""What tests do to the database that nobody does outside them."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from django.apps import apps
from django.db import OperationalError, connection, transaction

ALWAYS_THERE = {"django_content_type", "auth_permission"}  # migrations write them, tests do not

# The migrations that bring rows.
BROUGHT_BY = [
    "analytics.alerts.migrations.0001_alerts",
    "cancellations.migrations.0002_defaults",
    "cancellations.migrations.0007_company_reasons",
    "cancellations.migrations.0015_exit_reasons",
    "cancellations.migrations.0016_first_answers",
    "cancellations.migrations.0017_troubles_of_every_kind",
    "cancellations.migrations.0018_left_on_platform",
    "cancellations.migrations.0021_not_knowing_how",
    "cancellations.migrations.0023_application_ended",
    "interviews.migrations.0019_first_reminders",
    "interviews.migrations.0020_reminders_for_some",
]


@contextmanager
def without_triggers() -> Iterator[None]:
    """Do what the database refuses to everybody else, as an intruder with its keys could."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        try:
            yield
        finally:
            cursor.execute("SET session_replication_role = DEFAULT")


@contextmanager
def rolled_back() -> Iterator[None]:
    """Nothing of what is written within stays."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def empty() -> None:
    """The same once more where a request that nobody waits for was still writing."""
    try:
        _empty()
    except OperationalError:  # a dead-lock with it, which ended
        _empty()


def _empty() -> None:
    """Take back what was committed, once nobody writes any more. Django truncates every table there
    is, which takes PostgreSQL longer than most tests take, and a hundred times as long as this."""
    names = connection.introspection.django_table_names(only_existing=True)
    tables = [connection.ops.quote_name(name) for name in names if name not in ALWAYS_THERE]
    holding = (f"SELECT '{table}' WHERE EXISTS (SELECT FROM {table})" for table in tables)
    with without_triggers(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {', '.join(tables)} IN EXCLUSIVE MODE")
        cursor.execute(" UNION ALL ".join(holding))
        for (table,) in cursor.fetchall():
            cursor.execute(f"DELETE FROM {table}")


def put_defaults_back() -> None:
    """What the migrations bring, after every table was emptied.

    Nobody adds them but a migration, so the history of the configuration does not have them.
    """
    with without_triggers():
        for migration in BROUGHT_BY:
            import_module(migration).add(apps, None)


def end_other_connections() -> None:
    """A thread that outlived its test keeps a connection, and with it the test database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
