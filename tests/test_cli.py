"""The command line: help everywhere, JSON where data is printed, errors as one line."""

import json
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.support.processes import ROOT, environment, run_command


def crossdock(*arguments, data_dir, **settings):
    return run_command(*arguments, settings={"data_dir": data_dir, **settings})


def test_every_command_explains_itself(tmp_path):
    overview = crossdock("--help", data_dir=tmp_path)

    assert overview.returncode == 0
    for name in ("run", "serve", "worker", "migrate", "doctor", "openapi", "jobs", "settings"):
        assert f" {name} " in overview.stdout
        assert "Usage:" in crossdock(name, "--help", data_dir=tmp_path).stdout


def test_the_installed_command_is_the_same_program():
    command = Path(sys.executable).with_name("crossdock")
    if not command.exists():
        pytest.skip("crossdock is not installed beside this Python")

    result = subprocess.run([command, "--help"], capture_output=True, check=True, text=True)

    assert "serve" in result.stdout


def test_a_command_that_is_not_there_is_a_usage_error(tmp_path):
    assert crossdock("frobnicate", data_dir=tmp_path).returncode == 2


def test_an_unreachable_database_is_one_line_and_no_traceback(tmp_path):
    result = crossdock("migrate", data_dir=tmp_path, database_url="postgresql://127.0.0.1:1/x")

    assert result.returncode == 1
    assert "The database cannot be reached" in result.stderr
    assert "Traceback" not in result.stderr


def test_settings_as_json_hide_secrets(tmp_path):
    result = crossdock("settings", "--json", data_dir=tmp_path, metrics_token="hunter2", port=9009)

    shown = json.loads(result.stdout)
    assert shown["server"]["port"] == 9009
    assert "hunter2" not in result.stdout


def test_the_settings_page_is_up_to_date(tmp_path):
    page = crossdock("settings", "--markdown", data_dir=tmp_path).stdout

    assert (ROOT / "docs/reference/settings.md").read_text() == page


def test_migrate_check_says_whether_something_is_to_do(tmp_path, empty_database_url):
    options = {"data_dir": tmp_path, "database_url": empty_database_url}
    assert crossdock("migrate", "--check", **options).returncode == 0
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("update schema_functions set checksum = 'draft-old'")

    assert crossdock("migrate", "--check", **options).returncode == 1
    assert crossdock("migrate", **options).stdout == "Migrated.\n"
    assert crossdock("migrate", "--check", **options).returncode == 0


@pytest.mark.parametrize("command", [("doctor",), ("worker",), ("demo", "credentials")])
def test_only_commands_that_serve_or_migrate_change_an_older_database(
    tmp_path, empty_database_url, command
):
    options = {"data_dir": tmp_path, "database_url": empty_database_url}
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute("update schema_generation set generation = 1, serves_from = 1")
        refused = crossdock(*command, **options)
        kept = connection.execute("select generation from schema_generation").fetchall()

    assert refused.returncode == 1
    assert "A migration is needed" in refused.stderr
    assert "crossdock migrate" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert kept == [(1,)]


def test_a_dead_job_is_listed_shown_and_retried(tmp_path, empty_database_url):
    options = {"data_dir": tmp_path, "database_url": empty_database_url}
    with psycopg.connect(empty_database_url) as connection:
        connection.execute(
            "insert into procrastinate_jobs (queue_name, task_name, args, status)"
            " values ('dispatch', 'send_dispatch', '{\"order_id\": 7}', 'failed')"
        )

    (listed,) = json.loads(crossdock("jobs", "list", "--json", **options).stdout)
    shown = json.loads(crossdock("jobs", "show", str(listed["id"]), "--json", **options).stdout)
    retried = crossdock("jobs", "retry", str(listed["id"]), **options)
    again = crossdock("jobs", "retry", str(listed["id"]), **options)

    assert (listed["task"], listed["args"]) == ("send_dispatch", {"order_id": 7})
    assert shown["job"] == listed
    assert retried.stdout == f"Job {listed['id']} (send_dispatch) is queued again.\n"
    assert again.returncode == 1
    assert "only a failed job can be retried" in again.stderr


def test_doctor_finds_nothing_in_a_new_database(tmp_path, empty_database_url):
    result = crossdock("doctor", "--json", data_dir=tmp_path, database_url=empty_database_url)

    assert result.returncode == 0
    assert all(check["differences"] == [] for check in json.loads(result.stdout))


def test_output_into_a_closed_pipe_is_no_drama(tmp_path):
    command = f"{sys.executable} -m crossdock settings | head -1"

    result = subprocess.run(
        ["sh", "-c", command], env=environment(data_dir=tmp_path), capture_output=True, check=False
    )

    assert b"Traceback" not in result.stderr
