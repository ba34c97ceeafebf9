"""The role a BI tool signs in with: it reads the views, and nothing else there is."""

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from analytics.bi import reader
from tests.analytics.test_pages import count, interviews
from tests.factories import PositionFactory

pytestmark = pytest.mark.django_db(transaction=True)

NAME = "test_bi_reader"


@pytest.fixture(autouse=True)
def _in_english(settings):
    settings.LANGUAGE_CODE = "en"


@pytest.fixture
def password(capsys):
    """Of a role made by the command, as it was shown."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s::text", [NAME])
        if cursor.fetchone():  # of a test that was killed
            reader.remove(NAME)
    call_command("bi_reader", NAME)
    yield capsys.readouterr().out.split()[-1]
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s::text", [NAME])
        if cursor.fetchone():
            reader.remove(NAME)


@pytest.fixture
def tool(password):
    """A connection as that role."""
    said = connection.get_connection_params()
    with psycopg.connect(
        dbname=said["dbname"],
        host=said.get("host"),
        port=said.get("port"),
        user=NAME,
        password=password,
        autocommit=True,
    ) as opened:
        yield opened


def ask(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return [row[0] for row in cursor.fetchall()]


def test_reads_every_view(tool):
    interviews(PositionFactory(), 3, no_show=True)
    count()

    assert tool.execute("SELECT current_user").fetchone() == (NAME,)
    assert tool.execute("SELECT sum(no_show) FROM bi.interview_days").fetchone() == (3,)
    views = ask("SELECT table_name FROM information_schema.views WHERE table_schema = 'bi'")
    assert len(views) > 15
    for view in views:
        tool.execute(f"SELECT * FROM bi.{view} LIMIT 1").fetchall()


def test_reads_views_that_are_made_later(tool):
    with connection.cursor() as cursor:
        cursor.execute("CREATE VIEW bi.made_later AS SELECT 1 AS one")
        try:
            assert tool.execute("SELECT one FROM bi.made_later").fetchone() == (1,)
        finally:
            cursor.execute("DROP VIEW bi.made_later")


def test_reads_no_table(tool):
    tables = ask(
        "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')"
        " AND n.nspname NOT IN ('bi', 'pg_catalog', 'information_schema', 'pg_toast')"
    )
    assert "public.interviews_interview" in tables
    for table in tables:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            tool.execute(f"SELECT 1 FROM {table}")


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE bi.positions SET title = ''",
        "DELETE FROM bi.departments",
        "INSERT INTO bi.departments (code, name) VALUES ('x', 'x')",
        "CREATE TABLE bi.own (id int)",
        "CREATE TABLE public.own (id int)",
        "CREATE SCHEMA own",
        "CREATE ROLE other",
        "DROP VIEW bi.positions",
        "SET ROLE postgres",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT rolpassword FROM pg_authid",
    ],
)
def test_changes_nothing_and_becomes_nobody_else(tool, sql):
    tool.execute("SET default_transaction_read_only = off")  # which is not what keeps it out
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        tool.execute(sql)


def test_only_reads_and_not_for_ever(tool):
    assert tool.execute("SHOW default_transaction_read_only").fetchone() == ("on",)
    assert tool.execute("SHOW statement_timeout").fetchone() == ("1min",)
    tool.execute("SELECT code FROM positions").fetchall()  # found without naming the schema


def test_the_same_again_is_a_new_password(password, capsys):
    kept = f"SELECT rolpassword FROM pg_authid WHERE rolname = '{NAME}'"
    (before,) = ask(kept)
    assert before.startswith("SCRAM-SHA-256$")
    call_command("bi_reader", NAME)

    assert capsys.readouterr().out.split()[-1] != password
    assert ask(kept) != [before]


def test_taken_away_it_reads_nothing_any_more(tool):
    call_command("bi_reader", NAME, "--remove")

    with pytest.raises(psycopg.Error):
        tool.execute("SELECT 1 FROM bi.positions")
    with pytest.raises(CommandError, match="no role"):
        call_command("bi_reader", NAME, "--remove")


@pytest.mark.parametrize("name", ["Metabase", "1st", "pg_reader", "a b", 'x"; DROP', "", "a" * 64])
def test_names_that_would_be_trouble_are_refused(name):
    with pytest.raises(CommandError):
        call_command("bi_reader", name)


def test_roles_made_for_something_else_are_left_alone(capsys):
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        (own,) = cursor.fetchone()
        cursor.execute("CREATE ROLE test_bi_other LOGIN")
        try:
            for name in (own, "test_bi_other"):
                with pytest.raises(CommandError, match="not made here"):
                    call_command("bi_reader", name)
                with pytest.raises(CommandError):
                    call_command("bi_reader", name, "--remove")
        finally:
            cursor.execute("DROP ROLE test_bi_other")
