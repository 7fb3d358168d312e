"""Migrations: from nothing, again, at once from several processes, and function files."""

import multiprocessing

import psycopg
import pytest

from crossdock.db import generations
from crossdock.db.generations import wanted_state
from crossdock.db.migrate import migrate, read_state, require_served, what_is_due
from crossdock.errors import CrossdockError, DatabaseUnavailable
from tests.support.bare import bare_database

UNTOLD_TABLES = """
    select string_agg(c.relname, ', ') from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace and a.attname = 'shop_id'
      and (a.attoptions is distinct from '{n_distinct=2}' or a.attstattarget is distinct from 1)
"""
KEYS_OF_SHOPS = """
    select c.relname, array_agg(a.attname::text order by array_position(i.indkey::int2[], a.attnum))
    from pg_index i join pg_class c on c.oid = i.indrelid
    join pg_attribute a on a.attrelid = c.oid and a.attnum = any (i.indkey)
    where i.indisprimary and c.relnamespace = 'public'::regnamespace
    group by c.relname having count(*) > 1 and bool_or(a.attname = 'shop_id')
"""
NOTIFY_TRIGGERS = "select count(*) from pg_trigger where tgname like 'procrastinate%notify%'"


@pytest.fixture
def bare_url(postgres_url, worker_id):
    """An empty database."""
    with bare_database(postgres_url, f"crossdock_bare_{worker_id}") as url:
        yield url


@pytest.fixture
def program(monkeypatch, tmp_path):
    """Make this program another one: with other function files (None is gone), with more lines."""
    ledger = tmp_path / "generations.txt"
    ledger.write_bytes(generations.LEDGER_FILE.read_bytes())
    monkeypatch.setattr(generations, "LEDGER_FILE", ledger)
    present = dict(generations.function_files())
    monkeypatch.setattr(generations, "function_files", lambda: sorted(present.items()))

    def become(*, files=None, lines=()):
        for name, text in (files or {}).items():
            if text is None:
                del present[name]
                continue
            present[name] = tmp_path / name.replace("/", "_")
            present[name].write_text(text)
        with ledger.open("a") as file:
            file.writelines(f"{line}\n" for line in lines)
        wanted_state.cache_clear()

    yield become
    wanted_state.cache_clear()


def state(url):
    with psycopg.connect(url) as connection:
        return read_state(connection)


def value(url, question):
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(question).fetchall()[0][0]


def run(url, statement):
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


def test_a_new_database_looks_rows_up_by_their_whole_key(bare_url):
    migrate(bare_url)
    filtered = []
    with psycopg.connect(bare_url) as connection:
        keys = connection.execute(KEYS_OF_SHOPS).fetchall()
        for table, columns in keys:
            condition = " and ".join(f"{name} = ${n}" for n, name in enumerate(columns, 1))
            plan = connection.execute(
                f"explain (generic_plan) select * from {table} where {condition}"
            ).fetchall()
            if any("Filter" in line and "Filter: (shop_id = " not in line for (line,) in plan):
                filtered.append((table, plan))
    assert len(keys) > 50
    assert not filtered


def test_an_empty_database_is_brought_to_this_version(bare_url):
    assert what_is_due(bare_url)

    assert migrate(bare_url) is True

    assert not what_is_due(bare_url)
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
    assert not what_is_due(bare_url)


def test_a_deferred_job_notifies_nobody(bare_url):
    migrate(bare_url)

    assert value(bare_url, NOTIFY_TRIGGERS) == 0


def test_only_the_changed_function_file_is_applied_again(bare_url):
    migrate(bare_url)
    name = min(wanted_state().functions)
    run(bare_url, "update schema_functions set applied_at = '2020-01-01'")
    run(bare_url, f"update schema_functions set checksum = 'draft-old' where name = '{name}'")

    assert migrate(bare_url) is True

    again = "select string_agg(name, ' ') from schema_functions where applied_at > '2021-01-01'"
    assert value(bare_url, again) == name


def test_a_function_may_have_had_other_arguments_and_another_answer(bare_url):
    migrate(bare_url)
    run(bare_url, "drop function fail_point")
    run(bare_url, "create function fail_point(step text) returns int language sql as 'select 1'")
    run(bare_url, "create function fail_point(a int, b int) returns int language sql as 'select 1'")
    run(
        bare_url,
        "update schema_functions set checksum = 'draft-old' where name = 'db/fail_points.sql'",
    )

    assert migrate(bare_url) is True

    found = "select string_agg(oid::regprocedure || ' ' || prorettype::regtype, ', ') from pg_proc"
    assert value(bare_url, f"{found} where proname = 'fail_point'") == "fail_point(text) boolean"


def test_a_function_file_that_is_gone_is_forgotten(bare_url):
    migrate(bare_url)
    run(bare_url, "insert into schema_functions values ('shop/gone.sql', 'draft-x')")

    assert migrate(bare_url) is True

    assert (
        value(bare_url, "select count(*) from schema_functions where name = 'shop/gone.sql'") == 0
    )


@pytest.mark.parametrize(
    ("newer", "told"),
    [
        ("update alembic_version set version_num = '9999'", "revision 9999"),
        ("update schema_functions set checksum = md5(name)", "a different Crossdock"),
        ("insert into schema_functions values ('shop/newer.sql', 'abc')", "shop/newer.sql"),
        ("update schema_revisions set checksum = md5(name)", "0600_foundation.py"),
        ("update schema_generation set generation = 99999, serves_from = 99999", "99999"),
    ],
)
def test_a_newer_or_a_stranger_s_database_is_refused_and_left_as_it_is(bare_url, newer, told):
    migrate(bare_url)
    run(bare_url, newer)
    before = state(bare_url)

    for refusing in (migrate, require_served):
        with pytest.raises(CrossdockError, match=told):
            refusing(bare_url)
    assert state(bare_url) == before


def test_a_newer_database_still_serves_the_programs_of_the_release_before(bare_url):
    migrate(bare_url)
    run(
        bare_url,
        "update schema_generation set generation = 99999, serves_from ="
        f" {wanted_state().generation}",
    )

    require_served(bare_url)
    with pytest.raises(CrossdockError, match="newer than this program"):
        migrate(bare_url)


def test_an_older_database_is_not_served_before_it_is_migrated(bare_url):
    with pytest.raises(CrossdockError, match="Run `crossdock migrate`"):
        require_served(bare_url)
    migrate(bare_url)
    run(bare_url, "update schema_generation set generation = 1, serves_from = 1")

    with pytest.raises(CrossdockError, match="Run `crossdock migrate`"):
        require_served(bare_url)
    assert migrate(bare_url) is True
    require_served(bare_url)


def test_a_program_whose_file_is_older_than_its_list_does_not_put_it_back(bare_url, program):
    migrate(bare_url)
    before = value(bare_url, "select prosrc from pg_proc where proname = 'active_price'")
    name, path = next(file for file in generations.function_files() if "active" in file[0])
    program(files={name: path.read_text() + "-- older"})

    with pytest.raises(CrossdockError, match=rf"{name} changed .* run `make docs`"):
        migrate(bare_url)
    assert value(bare_url, "select prosrc from pg_proc where proname = 'active_price'") == before


def test_each_sql_file_is_in_the_list_of_generations():
    advice = "SQL files changed: run `make docs` and commit src/crossdock/db/generations.txt"
    assert generations.missing_lines() == [], advice


def test_a_changed_an_added_and_a_removed_file_make_new_generations(program):
    name, path = generations.function_files()[0]
    before = generations.generation()
    program(files={name: path.read_text() + "-- more", "shop/more.sql": "select 1"})

    lines = generations.missing_lines()

    assert [line.split(" ")[1] for line in lines] == [name, "shop/more.sql"]
    program(lines=lines)
    assert generations.generation() == before + 2
    assert generations.missing_lines() == []
    program(files={"shop/more.sql": None})
    assert generations.missing_lines() == ["removed shop/more.sql"]


def test_a_broken_function_file_changes_nothing(bare_url, program):
    migrate(bare_url)
    program(
        files={
            "shop/broken.sql": "create or replace function half() returns int language sql"
            " as $$ select 1 $$; this is no sql;"
        }
    )
    with pytest.raises(psycopg.errors.SyntaxError):
        migrate(bare_url)
    assert value(bare_url, "select count(*) from pg_proc where proname = 'half'") == 0


def test_a_server_that_is_not_there_is_named():
    with pytest.raises(DatabaseUnavailable, match="cannot be reached"):
        migrate("postgresql://127.0.0.1:1/nothing")


def test_revisions_are_one_line_in_the_order_of_their_names():
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(generations.MIGRATIONS_DIR))
    config.set_main_option("path_separator", "os")
    script = ScriptDirectory.from_config(config)

    line = [revision.revision for revision in script.walk_revisions()]

    assert list(reversed(line)) == generations.revisions()
    assert script.get_current_head() == wanted_state().revision


def test_the_planner_expects_each_shop_to_be_large_in_every_tenants_table(bare_url):
    migrate(bare_url)

    assert value(bare_url, UNTOLD_TABLES) is None
