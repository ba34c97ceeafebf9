"""What tests do to the database that nobody does outside them."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from django.apps import apps
from django.db import connection


@contextmanager
def without_triggers() -> Iterator[None]:
    """Do what the database refuses to everybody else, as an intruder with its keys could."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        try:
            yield
        finally:
            cursor.execute("SET session_replication_role = DEFAULT")


def put_defaults_back() -> None:
    """The reasons and policies that the migrations bring, after every table was emptied.

    Nobody adds them but a migration, so the history of the configuration does not have them.
    """
    with without_triggers():
        for migration in ("0002_defaults", "0007_company_reasons"):
            import_module(f"cancellations.migrations.{migration}").add(apps, None)


def end_other_connections() -> None:
    """A thread that outlived its test keeps a connection, and with it the test database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
