"""`crossdock backup` and `restore`: an installation moves in one file, and works afterwards."""

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from crossdock.db.embedded import EmbeddedPostgres
from crossdock.kit.master_key import KeyFile
from tests.support.command_line import CommandLine
from tests.support.partner_client import PartnerClient
from tests.support.processes import run_command, serving


class Embedded:
    """Commands on a data folder with the embedded database."""

    def __init__(self, data_dir: Path) -> None:
        data_dir.mkdir()
        self.data_dir = data_dir

    def run(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """The command's end, whatever its exit code."""
        return run_command(*map(str, arguments), settings={"data_dir": self.data_dir})

    def ask(self, *arguments: object) -> Any:
        """What a command that must succeed prints with --json."""
        ended = self.run(*arguments, "--json")
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Embedded]:
    """An empty data folder."""
    made = Embedded(tmp_path / "fresh")
    yield made
    if (made.data_dir / "postgres").exists():
        with EmbeddedPostgres(made.data_dir, temporary=True):
            pass


@pytest.fixture
def whole(demo: CommandLine, tmp_path: Path) -> Path:
    """A backup of the running demo server, with its key."""
    path = tmp_path / "whole.backup"
    told = demo.ask("backup", path, "--with-master-key")
    assert told["has_master_key"] is True
    assert told["bytes"] == path.stat().st_size
    return path


async def test_a_restored_folder_serves_the_same_partners(demo, whole, fresh):
    before = demo.ask("demo", "credentials")["shoppex_partner"]

    told = fresh.ask("restore", whole)

    assert (told["differences"], told["master_key"]) == (0, "restored")
    examined = fresh.run("doctor")
    assert examined.returncode == 0
    assert "shoppable: orders are paid by the sandbox" in examined.stderr
    key_file = fresh.data_dir / "master.key"
    assert key_file.read_bytes() == (demo.data_dir / "master.key").read_bytes()
    assert key_file.stat().st_mode & 0o777 == 0o600
    with serving(fresh.data_dir, workers=1) as server:
        urllib.request.urlopen(f"{server.url}/ready", timeout=5).close()
        client = PartnerClient(server.url, key=before["key"], secret=before["secret"])
        async with client:
            assert await client.listed()


def test_a_restored_folder_is_not_overwritten_unless_told(demo, whole, fresh):
    fresh.ask("restore", whole)
    fresh.ask("shop", "add", "later", "--name", "Later", "--currency", "EUR")
    listed = fresh.ask("shop", "list")

    refused = fresh.run("restore", whole)

    assert (refused.returncode, refused.stdout) == (1, "")
    assert "not empty (shops: 2, people: 1)" in refused.stderr
    assert fresh.ask("shop", "list") == listed
    assert fresh.ask("restore", whole, "--replace")["replaced"] is True
    assert [shop["slug"] for shop in fresh.ask("shop", "list")] == ["demo"]


def test_the_key_is_in_the_file_only_if_asked(demo, fresh, tmp_path):
    path = tmp_path / "keyless.backup"
    told = demo.run("backup", path)
    assert "does not contain the master key" in told.stdout
    assert (
        "contains the master key" in demo.run("backup", tmp_path / "b", "--with-master-key").stdout
    )

    restored = fresh.run("restore", path)

    assert restored.returncode == 0, restored.stderr
    assert f"put it into {fresh.data_dir / 'master.key'}" in restored.stdout
    assert not (fresh.data_dir / "master.key").exists()


def test_a_key_that_is_there_is_kept_as_an_older_one(whole, fresh):
    (mine,) = KeyFile(fresh.data_dir).read()

    assert fresh.ask("restore", whole)["unreadable_secrets"] == 0

    first, *older = KeyFile(fresh.data_dir).read()
    assert first != mine
    assert older == [mine]


def test_the_wrong_key_is_told(demo, fresh, tmp_path):
    path = tmp_path / "keyless.backup"
    demo.ask("backup", path)
    KeyFile(fresh.data_dir).read()

    told = fresh.ask("restore", path)

    assert told["master_key"] == "wrong"
    assert told["unreadable_secrets"] > 0


def test_a_database_in_use_is_not_replaced(demo, demo_server, whole):
    shops = demo.ask("shop", "list")

    assert "Stop it, then restore" in demo.refuse("restore", whole, "--replace")
    assert demo.ask("shop", "list") == shops
    with psycopg.connect(demo_server.database_url) as connection:
        assert connection.execute("select count(*) from shops").fetchone() == (1,)


@pytest.mark.parametrize("kind", ["cut", "text", "none"])
def test_a_file_that_is_no_backup_changes_nothing(whole, fresh, kind):
    if kind == "cut":
        whole.write_bytes(whole.read_bytes()[:-40])
    elif kind == "text":
        whole.write_text("-- PostgreSQL database dump\n")
    else:
        whole.unlink()

    refused = fresh.run("restore", whole)

    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("crossdock: ")
    assert len(refused.stderr.splitlines()) == 1
    assert list(fresh.data_dir.iterdir()) == []


def test_check_reads_the_file_alone(whole, fresh):
    told = fresh.ask("restore", whole, "--check")

    assert told["rows"] > 1_000
    assert list(fresh.data_dir.iterdir()) == []


def test_a_backup_needs_a_folder(demo, tmp_path):
    refused = demo.run("backup", tmp_path / "no" / "b")

    assert (refused.returncode, refused.stdout) == (2, "")
    assert "No such folder" in refused.stderr
