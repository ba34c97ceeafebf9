"""Storing many new objects at once, as fast as PostgreSQL takes them."""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, TypeVar

from django.db import connection, models
from psycopg import sql
from psycopg.types.json import Jsonb

from accounts.fields import EncryptedCharField

Object = TypeVar("Object", bound=models.Model)


def copy_in(objects: Sequence[Object]) -> Sequence[Object]:
    """Store new objects of one model by COPY and give them their keys: what bulk_create does, in a
    quarter of its time. Like it, calls no save() and sends no signal."""
    if not objects:
        return objects
    model = type(objects[0])
    readers = [(field.column, _reader(field)) for field in model._meta.concrete_fields]
    copy = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(model._meta.db_table),
        sql.SQL(", ").join(sql.Identifier(column) for column, _ in readers),
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [model._meta.db_table, len(objects)],
        )
        for one, (key,) in zip(objects, cursor.fetchall(), strict=True):
            one.pk = key
        with connection.wrap_database_errors, cursor.copy(copy) as rows:
            for one in objects:
                rows.write_row([read(one) for _, read in readers])
    for one in objects:
        one._state.adding, one._state.db = False, connection.alias
    return objects


def _reader(field: "models.Field[Any, Any]") -> Callable[[models.Model], Any]:
    """What of an object goes into a column."""
    value = attrgetter(field.attname)
    if isinstance(field, models.JSONField):
        return lambda one: Jsonb(value(one))
    if isinstance(field, EncryptedCharField):
        return lambda one: field.get_prep_value(value(one))
    if isinstance(field, models.DateTimeField) and field.auto_now_add:
        return lambda one: field.pre_save(one, add=True)
    return value
