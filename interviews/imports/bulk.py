"""Storing many new rows at once, as fast as PostgreSQL takes them."""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from django.db import connection, models
from django.utils import timezone
from psycopg import sql
from psycopg.types.json import Jsonb

from accounts.fields import EncryptedCharField

Row = Mapping[str, Any]  # by attribute name, as in `department_id`


def copy_in(model: type[models.Model], rows: Sequence[Row]) -> list[int]:
    """Store new rows by COPY and return their keys: bulk_create in a fraction of its time.

    All rows name the same attributes; the others get the field's default. Like bulk_create it calls
    no save() and sends no signal.
    """
    if not rows:
        return []
    plan = [
        (field.column or "", _value(field, rows[0]))
        for field in model._meta.concrete_fields
        if not field.primary_key and not field.generated
    ]
    copy = sql.SQL("COPY {} (id, {}) FROM STDIN").format(
        sql.Identifier(model._meta.db_table),
        sql.SQL(", ").join([sql.Identifier(column) for column, _ in plan]),
    )
    values = [value for _, value in plan]
    with connection.cursor() as cursor:
        # As INSERT does before it takes keys: who waits for this table's writers waits for us too.
        table = sql.Identifier(model._meta.db_table)
        cursor.execute(sql.SQL("LOCK TABLE {} IN ROW EXCLUSIVE MODE").format(table))
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [model._meta.db_table, len(rows)],
        )
        keys = [key for (key,) in cursor.fetchall()]
        with connection.wrap_database_errors, cursor.copy(copy) as copied:
            for key, row in zip(keys, rows, strict=True):
                copied.write_row([key, *[value(row) for value in values]])
    return keys


def _value(field: models.Field, example: Row) -> Callable[[Row], Any]:
    """What goes into a field's column, given a row."""
    if field.attname not in example:
        return _default(field)
    given = itemgetter(field.attname)
    if isinstance(field, models.JSONField):
        return lambda row: Jsonb(given(row))
    if isinstance(field, EncryptedCharField):
        return lambda row: field.get_prep_value(given(row))
    return given


def _default(field: models.Field) -> Callable[[Row], Any]:
    if getattr(field, "auto_now_add", False):
        now = timezone.now()
        return lambda row: now
    if callable(field.default):
        return lambda row: field.get_db_prep_save(field.get_default(), connection)
    constant = field.get_db_prep_save(field.get_default(), connection)
    return lambda row: constant
