"""Migrations: from nothing, again, at once from several processes, and function files."""

import multiprocessing

import psycopg
import pytest
from psycopg import sql

from crossdock.db import migrate as migration
from crossdock.db.migrate import is_current, migrate, read_state, wanted_state
from crossdock.errors import CrossdockError, DatabaseUnavailable
from tests.support.postgres import with_database

UNTOLD_TABLES = """
    select string_agg(c.relname, ', ') from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace and a.attname = 'shop_id'
      and (a.attoptions is distinct from '{n_distinct=2}' or a.attstattarget is distinct from 1)
"""
NOTIFY_TRIGGERS = "select count(*) from pg_trigger where tgname like 'procrastinate%notify%'"


@pytest.fixture
def bare_url(postgres_url, worker_id):
    """An empty database."""
    name = f"crossdock_bare_{worker_id}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        for statement in ("drop database if exists {} with (force)", "create database {}"):
            connection.execute(sql.SQL(statement).format(sql.Identifier(name)))
        yield with_database(postgres_url, name)
        connection.execute(
            sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
        )


def value(url, question):
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(question).fetchall()[0][0]


def run(url, statement):
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


def test_an_empty_database_is_brought_to_this_version(bare_url):
    assert not is_current(bare_url)

    assert migrate(bare_url) is True

    assert is_current(bare_url)
    with psycopg.connect(bare_url) as connection:
        assert read_state(connection) == wanted_state()


def test_a_second_run_changes_nothing(bare_url):
    migrate(bare_url)
    before = value(bare_url, "select max(applied_at) from schema_functions")

    assert migrate(bare_url) is False

    assert value(bare_url, "select max(applied_at) from schema_functions") == before


def test_four_processes_may_migrate_at_once(bare_url):
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        changed = pool.map(migrate, [bare_url] * 4)

    assert sorted(changed) == [False, False, False, True]
    assert is_current(bare_url)


def test_a_deferred_job_notifies_nobody(bare_url):
    migrate(bare_url)

    assert value(bare_url, NOTIFY_TRIGGERS) == 0


def test_only_the_changed_function_file_is_applied_again(bare_url):
    migrate(bare_url)
    name = min(wanted_state().functions)
    run(bare_url, "update schema_functions set applied_at = '2020-01-01'")
    run(bare_url, f"update schema_functions set checksum = 'old' where name = '{name}'")

    assert migrate(bare_url) is True

    again = "select string_agg(name, ' ') from schema_functions where applied_at > '2021-01-01'"
    assert value(bare_url, again) == name


def test_a_function_may_have_had_other_arguments_and_another_answer(bare_url):
    migrate(bare_url)
    run(bare_url, "drop function fail_point")
    run(bare_url, "create function fail_point(step text) returns int language sql as 'select 1'")
    run(bare_url, "create function fail_point(a int, b int) returns int language sql as 'select 1'")
    run(bare_url, "update schema_functions set checksum = 'old' where name like '%posting.sql'")

    assert migrate(bare_url) is True

    found = "select string_agg(oid::regprocedure || ' ' || prorettype::regtype, ', ') from pg_proc"
    assert value(bare_url, f"{found} where proname = 'fail_point'") == "fail_point(text) boolean"


def test_a_function_file_that_is_gone_is_forgotten(bare_url):
    migrate(bare_url)
    run(bare_url, "insert into schema_functions values ('shop/gone.sql', 'x')")

    assert migrate(bare_url) is True

    assert (
        value(bare_url, "select count(*) from schema_functions where name = 'shop/gone.sql'") == 0
    )


def test_a_newer_database_is_refused(bare_url):
    migrate(bare_url)
    run(bare_url, "update alembic_version set version_num = '9999'")

    with pytest.raises(CrossdockError, match="revision 9999, which this version does not know"):
        migrate(bare_url)


def test_a_broken_function_file_changes_nothing(bare_url, tmp_path, monkeypatch):
    broken = tmp_path / "broken.sql"
    broken.write_text(
        "create or replace function half() returns int language sql as $$ select 1 $$;"
        "this is no sql;"
    )
    monkeypatch.setattr(migration, "_function_files", lambda: [("broken.sql", broken)])
    migration.wanted_state.cache_clear()
    try:
        with pytest.raises(psycopg.errors.SyntaxError):
            migrate(bare_url)
        assert value(bare_url, "select count(*) from pg_proc where proname = 'half'") == 0
    finally:
        migration.wanted_state.cache_clear()


def test_a_server_that_is_not_there_is_named():
    with pytest.raises(DatabaseUnavailable, match="cannot be reached"):
        migrate("postgresql://127.0.0.1:1/nothing")


def test_revisions_are_one_line_in_the_order_of_their_names():
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(migration.MIGRATIONS_DIR))
    config.set_main_option("path_separator", "os")
    script = ScriptDirectory.from_config(config)

    line = [revision.revision for revision in script.walk_revisions()]

    assert list(reversed(line)) == migration._revisions()
    assert script.get_current_head() == wanted_state().revision


def test_the_planner_expects_each_shop_to_be_large_in_every_tenants_table(bare_url):
    migrate(bare_url)

    assert value(bare_url, UNTOLD_TABLES) is None
