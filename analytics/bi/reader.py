"""Roles of PostgreSQL that read the views of BI tools, and nothing else.

PostgreSQL lets a role see what it was granted: the schema `bi` and its views, which read the tables
with the rights of who made them. The tables themselves are in `public`, of which such a role has
nothing.
"""

import re
import secrets

from django.db import connection, transaction
from psycopg import sql

SCHEMA = "bi"
NAME = re.compile(r"(?!pg_)[a-z][a-z0-9_]{0,62}")
CONNECTIONS = 10  # at once, so that a dashboard with many tiles takes none from the product
LONGEST = "60s"  # of a query


class NameTaken(Exception):
    """There is such a role, and it may do more than read figures."""


class NoReader(Exception):
    """There is no such role, or it was not made here."""


# What a role made here may be found to be. One that owns something or is part of another was made
# for something else.
_ROLE = """
SELECT r.rolcanlogin AND NOT (r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication
        OR r.rolbypassrls)
    AND NOT EXISTS (SELECT FROM pg_auth_members m WHERE m.member = r.oid)
    AND NOT EXISTS (SELECT FROM pg_class c WHERE c.relowner = r.oid)
    AND NOT EXISTS (SELECT FROM pg_database d WHERE d.datdba = r.oid)
    AND shobj_description(r.oid, 'pg_authid') = %s::text
FROM pg_roles r WHERE r.rolname = %s::text
"""
MADE_HERE = "Reads the figures of Mianyue: manage.py bi_reader"

_BOUNDS = (
    "ALTER ROLE {name} SET default_transaction_read_only = on",
    "ALTER ROLE {name} SET statement_timeout = {longest}",
    "ALTER ROLE {name} SET search_path = {schema}",
)
_GRANTS = (
    "GRANT CONNECT ON DATABASE {database} TO {name}",
    "GRANT USAGE ON SCHEMA {schema} TO {name}",
    "GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {name}",
    # Views that are made later.
    "ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT ON TABLES TO {name}",
)
_REVOKES = (
    "ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} REVOKE SELECT ON TABLES FROM {name}",
    "REVOKE SELECT ON ALL TABLES IN SCHEMA {schema} FROM {name}",
    "REVOKE USAGE ON SCHEMA {schema} FROM {name}",
    "REVOKE CONNECT ON DATABASE {database} FROM {name}",
    "DROP ROLE {name}",
)


@transaction.atomic
def make(name: str) -> str:
    """A role that may read the views, and its password: a new one where there is such a role
    already. PostgreSQL is told a hash, so that the password is in no log of statements. Raises
    NameTaken."""
    is_ours = _is_ours(name)
    if is_ours is False:
        raise NameTaken(name)
    password = secrets.token_urlsafe(24)
    digest = connection.connection.pgconn.encrypt_password(
        password.encode(), name.encode(), b"scram-sha-256"
    )
    statements = (
        *(() if is_ours else ("CREATE ROLE {name}", "COMMENT ON ROLE {name} IS {made_here}")),
        "ALTER ROLE {name} LOGIN NOINHERIT CONNECTION LIMIT {connections} PASSWORD {digest}",
        *_BOUNDS,
        *_GRANTS,
    )
    _run(name, statements, digest=digest.decode())
    return password


@transaction.atomic
def remove(name: str) -> None:
    """Raises NoReader."""
    if not _is_ours(name):
        raise NoReader(name)
    _run(name, _REVOKES)


def _is_ours(name: str) -> bool | None:
    """None where there is no such role."""
    with connection.cursor() as cursor:
        cursor.execute(_ROLE, [MADE_HERE, name])
        row = cursor.fetchone()
    return bool(row[0]) if row else None


def _run(name: str, statements: tuple[str, ...], digest: str = "") -> None:
    parts = {
        "name": sql.Identifier(name),
        "schema": sql.Identifier(SCHEMA),
        "database": sql.Identifier(connection.settings_dict["NAME"]),
        "connections": sql.Literal(CONNECTIONS),
        "longest": sql.Literal(LONGEST),
        "digest": sql.Literal(digest),
        "made_here": sql.Literal(MADE_HERE),
    }
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(sql.SQL(statement).format(**parts).as_string(connection.connection))
