"""Every change of the configuration is written down by the database itself, whoever makes it.

A model says in its Meta which of its columns count:

    triggers = [tracked("name", "is_active", departments="ARRAY[{row}.department_id]")]

From then on each row added, changed or removed leaves one in accounts_configurationchange
(docs/adr/0009-configuration-history.md), with what stood there before and after. Never track a
column that holds personal data or a secret: what is written down stays.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pgtrigger
from django.apps import apps
from django.db import connection, models, transaction

SETTING = "mianyue.actor"  # who acts, as long as the transaction lasts
UNKNOWN = "database"  # somebody at a command or an SQL prompt
EVERYBODY = "NULL::bigint[]"
ADMINISTRATORS = "ARRAY[]::bigint[]"


class Tracked(pgtrigger.Trigger):
    """Writes down what happens to a row. `{row}` stands for it in both pieces of SQL."""

    name = "tracked"
    when = pgtrigger.After
    operation = pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete

    def __init__(
        self, columns: tuple[str, ...], part_of: tuple[str, str] | None, departments: str, only: str
    ) -> None:
        super().__init__()
        self.columns, self.part_of = columns, part_of
        self.departments, self.only = departments, only

    def get_declare(self, model: models.Model) -> list[tuple[str, str]]:
        def contents(row: str) -> str:
            return ", ".join(f"'{each}', {row}.\"{each}\"" for each in self.columns)

        return [
            ("before", f"JSONB := jsonb_build_object({contents('OLD')})"),
            ("after", f"JSONB := jsonb_build_object({contents('NEW')})"),
            ("key", "BIGINT"),
            ("whole", "BIGINT"),
            ("concerned", "BIGINT[]"),
            ("concerned_before", "BIGINT[]"),
        ]

    def get_func(self, model: models.Model) -> str:
        kind, key = model._meta.label_lower, model._meta.pk.column
        whole, link = self.part_of or (kind, key)

        def of(row: str, sql: str) -> str:
            return sql.replace("{row}", row)

        function = f"""
            IF ({of("OLD", self.only)} OR {of("NEW", self.only)}) IS NOT TRUE
                OR (TG_OP = 'UPDATE' AND before = after) THEN
                RETURN NULL;
            END IF;
            IF TG_OP = 'DELETE' THEN
                key := OLD.{key}; whole := OLD.{link};
                concerned := {of("OLD", self.departments)};
            ELSE
                key := NEW.{key}; whole := NEW.{link};
                concerned := {of("NEW", self.departments)};
            END IF;
            IF TG_OP = 'UPDATE' THEN
                concerned_before := {of("OLD", self.departments)};
                concerned := CASE WHEN concerned_before IS NOT NULL AND concerned IS NOT NULL
                    THEN concerned_before || concerned END;
            END IF;
            INSERT INTO accounts_configurationchange
                (at, actor, action, kind, object_id, subject, subject_id, departments,
                before, after)
            VALUES (
                now(), COALESCE(NULLIF(current_setting('{SETTING}', true), ''), '{UNKNOWN}'),
                CASE TG_OP WHEN 'INSERT' THEN 'added' WHEN 'UPDATE' THEN 'changed'
                    ELSE 'removed' END,
                '{kind}', key, '{whole}', whole, concerned,
                CASE WHEN TG_OP <> 'INSERT' THEN before END,
                CASE WHEN TG_OP <> 'DELETE' THEN after END
            );
            RETURN NULL;
        """  # noqa: S608 - written into a migration, from names in our own models
        return " ".join(function.split())


def tracked(
    *columns: str,
    part_of: tuple[str, str] | None = None,
    departments: str = EVERYBODY,
    only: str = "TRUE",
) -> Tracked:
    """A trigger that writes down what happens to these columns.

    `part_of` names what the row is a piece of and the column that links it: a tier's policy.
    `departments` is SQL for the ids of the departments concerned, besides administrators: EVERYBODY
    where it is NULL. `only` is SQL that says which rows count at all.
    """
    return Tracked(columns, part_of, departments, only)


def never_emptied(message: str) -> pgtrigger.Trigger:
    """Refuses TRUNCATE, which fires no trigger of a row."""
    return pgtrigger.Trigger(
        name="no_truncate",
        operation=pgtrigger.Truncate,
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        func=f"RAISE EXCEPTION '{message}';",
    )


@contextmanager
def acting(who: Callable[[], str]) -> Iterator[None]:
    """What is changed inside is put down to `who()`, for example "user:12"; asked only when there
    is a change. What is copied in by COPY needs `act_as`."""

    def attribute(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        if not _changes_configuration(sql):
            return execute(sql, params, many, context)
        with transaction.atomic():
            act_as(who())
            return execute(sql, params, many, context)

    with connection.execute_wrapper(attribute):
        yield


def act_as(actor: str) -> None:
    """Put what this transaction changes down to `actor`."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [SETTING, actor])


def _changes_configuration(sql: Any) -> bool:
    return (
        isinstance(sql, str)
        and sql.startswith(("INSERT", "UPDATE", "DELETE"))
        and any(table in sql for table in _tracked_tables())
    )


@cache
def _tracked_tables() -> frozenset[str]:
    """The quoted names of the tables whose rows are tracked."""
    return frozenset(
        f'"{model._meta.db_table}"'
        for model in apps.get_models(include_auto_created=True)
        if any(isinstance(each, Tracked) for each in getattr(model._meta, "triggers", ()))
    )
