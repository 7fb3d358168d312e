"""A backup and its restore, on a server of one's own."""

import json
import os
import struct
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from crossdock.db.backups import (
    Manifest,
    Unreadable,
    Watcher,
    check_archive,
    load_backup,
    read_manifest,
    require_known,
    write_backup,
)
from crossdock.db.generations import wanted_state
from crossdock.errors import Conflict, CrossdockError, Refused
from tests.support import postgres

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ADD_SHOP = (
    "insert into shops (slug, name, currency, time_zone) values (%s, 'Été \\ \t\n', 'EUR', 'UTC')"
)


@pytest.fixture
def other_url(postgres_url: str, run_dir: Path, worker_id: str) -> Iterator[str]:
    """A second migrated database."""
    with postgres.clone(postgres_url, folder=run_dir, name=f"{worker_id}_other") as url:
        yield url


@pytest.fixture
def backup_of(empty_database_url: str, tmp_path: Path) -> Callable[..., Path]:
    """Writes a backup of the first database, with one shop in it."""
    run(empty_database_url, ADD_SHOP, "one")

    def write(name: str = "one.backup", watcher: Watcher | None = None) -> Path:
        path = tmp_path / name
        write_backup(path, database_url=empty_database_url, now=NOW, watcher=watcher)
        return path

    return write


class Doing(Watcher):
    """Does something when a step begins."""

    def __init__(self, step: str, action: Callable[[], object]) -> None:
        self._step, self._action = step, action

    def begins(self, step: str, *, rows: int) -> None:
        if step == self._step:
            self._action()


def run(url: str, statement: str, *params: object) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode(), params)


def slugs(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("select slug from shops order by slug")]


def restore(path: Path, url: str, *, replace: bool = False, **options: Any) -> None:
    manifest = read_manifest(path)
    load_backup(path, manifest=manifest, database_url=url, replace=replace, **options)


def remade(path: Path, change: Callable[[dict[str, Any]], object], **members: bytes) -> Path:
    """A copy with another manifest, and other members."""
    target = path.with_name("remade.backup")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w") as archive:
        for name in source.namelist():
            data = members.get(name.replace("/", "_"), source.read(name))
            if name == "manifest.json":
                facts = json.loads(data)
                change(facts)
                data = json.dumps(facts).encode()
            archive.writestr(name, data)
    return target


def content(manifest: Manifest) -> object:
    return manifest.tables, manifest.sequences, manifest.schema


def test_every_row_and_the_next_numbers_come_back(backup_of, other_url, tmp_path):
    path = backup_of()
    restore(path, other_url)

    again = write_backup(tmp_path / "again.backup", database_url=other_url, now=NOW)
    assert content(again.manifest) == content(read_manifest(path))
    assert slugs(other_url) == ["one"]
    run(other_url, ADD_SHOP, "two")
    with psycopg.connect(other_url) as connection:
        assert connection.execute("select name, id from shops where slug = 'one'").fetchone() == (
            "Été \\ \t\n",
            1,
        )
        assert connection.execute("select id from shops where slug = 'two'").fetchone() == (2,)


def test_an_empty_database_gets_its_tables(backup_of, postgres_url, worker_id):
    database = f"crossdock_bare_{os.getpid()}_{worker_id}"
    run(postgres_url, f"create database {database}")
    url = postgres.with_database(postgres_url, database)
    try:
        restore(backup_of(), url)
        assert slugs(url) == ["one"]
    finally:
        run(postgres_url, f"drop database {database} with (force)")


def test_only_tables_with_rows_are_analysed(backup_of, other_url):
    restore(backup_of(), other_url)
    with psycopg.connect(other_url) as connection:
        known = connection.execute(
            "select relname, reltuples from pg_class where relname in ('shops', 'payments') order by 1"
        ).fetchall()
    assert known == [("payments", -1), ("shops", 1)]


def test_triggers_work_again_after_it(backup_of, other_url):
    restore(backup_of(), other_url)

    with psycopg.connect(other_url) as connection:
        states = connection.execute("select distinct tgenabled from pg_trigger").fetchall()
    assert states == [("O",)]


def test_the_file_has_one_moment(backup_of, empty_database_url):
    late = Doing("Reading", lambda: run(empty_database_url, ADD_SHOP, "late"))
    manifest = read_manifest(backup_of(watcher=late))

    assert slugs(empty_database_url) == ["late", "one"]
    rows = {each.table: each.member.rows for each in manifest.tables}
    assert rows["shops"] == 1


def test_the_file_is_for_its_owner_alone(backup_of):
    previous = os.umask(0)
    try:
        path = backup_of()
    finally:
        os.umask(previous)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_reads_differently_is_not_kept(backup_of, tmp_path):
    path = backup_of()
    before = path.read_bytes()

    def spoil() -> None:
        (draft,) = tmp_path.glob(".one.backup.*.part")
        data = bytearray(draft.read_bytes())
        with zipfile.ZipFile(draft) as archive:  # a date in a member's head, say, is no row
            largest = max(archive.infolist(), key=lambda each: each.compress_size)
        head = struct.unpack_from("<26x2H", data, largest.header_offset)
        rows = largest.header_offset + 30 + sum(head)
        data[rows + largest.compress_size // 2] ^= 1
        draft.write_bytes(data)

    with pytest.raises(CrossdockError, match="was deleted") as caught:
        backup_of(watcher=Doing("Checking", spoil))
    assert caught.value.code == "internal"
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_another_file_is_never_overwritten(backup_of, tmp_path):
    (tmp_path / "one.backup").write_text("mine")
    with pytest.raises(Conflict, match="is not replaced"):
        backup_of()
    assert (tmp_path / "one.backup").read_text() == "mine"


def test_what_is_there_is_replaced_only_when_told(backup_of, other_url):
    path = backup_of()
    run(other_url, ADD_SHOP, "there")

    with pytest.raises(Conflict, match="not empty"):
        restore(path, other_url)
    assert slugs(other_url) == ["there"]
    restore(path, other_url, replace=True)
    assert slugs(other_url) == ["one"]


def test_tables_of_another_program_are_left_alone(backup_of, postgres_url, worker_id):
    database = f"crossdock_taken_{os.getpid()}_{worker_id}"
    run(postgres_url, f"create database {database}")
    url = postgres.with_database(postgres_url, database)
    try:
        run(url, "create table theirs (id int)")
        with pytest.raises(Conflict, match="another program"):
            restore(backup_of(), url, replace=True)
        with psycopg.connect(url) as connection:
            found = connection.execute(
                "select relname from pg_class where relnamespace = 'public'::regnamespace"
            )
            assert found.fetchall() == [("theirs",)]
    finally:
        run(postgres_url, f"drop database {database} with (force)")


def test_what_fails_at_its_end_has_changed_nothing(backup_of, other_url):
    path = backup_of()
    run(other_url, ADD_SHOP, "there")

    def fail() -> None:
        raise OSError("no room for the key")

    with pytest.raises(OSError, match="no room"):
        restore(path, other_url, replace=True, before_commit=fail)
    assert slugs(other_url) == ["there"]
    run(other_url, ADD_SHOP, "next")
    with psycopg.connect(other_url) as connection:
        assert connection.execute("select max(id) from shops").fetchone() == (2,)


def test_rows_that_refer_to_nothing_are_refused(backup_of, empty_database_url, other_url):
    run(empty_database_url, ADD_SHOP, "two")
    run(
        empty_database_url,
        "insert into merchants (shop_id, slug, name) select id, 'main', 'Main' from shops",
    )
    path = backup_of()
    with zipfile.ZipFile(path) as archive:
        shops = archive.read("tables/shops")
    kept = shops.splitlines(keepends=True)[0]

    def shorten(facts: dict[str, Any]) -> None:
        import hashlib

        (entry,) = (each["member"] for each in facts["tables"] if each["table"] == "shops")
        entry |= {"rows": 1, "bytes": len(kept), "sha256": hashlib.sha256(kept).hexdigest()}

    made = remade(path, shorten, tables_shops=kept)
    check_archive(made, read_manifest(made))
    with pytest.raises(Unreadable, match="do not fit"):
        restore(made, other_url)
    assert slugs(other_url) == []


@pytest.mark.parametrize("part", [0, 1, 100, 0.3, 0.9, 0.999])
def test_a_file_that_was_cut_is_refused(backup_of, part):
    path = backup_of()
    data = path.read_bytes()
    path.write_bytes(data[: part if isinstance(part, int) else int(len(data) * part)])

    with pytest.raises(Unreadable):
        check_archive(path, read_manifest(path))


def test_a_file_with_any_damage_to_its_rows_is_refused(backup_of):
    path = backup_of()
    manifest = read_manifest(path)
    whole = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        filled = [info for info in archive.infolist() if info.filename.startswith("tables/")]
        spots = [
            info.header_offset + 30 + len(info.filename) + 20 + info.compress_size // 2
            for info in filled
            if info.file_size
        ]
    assert len(spots) >= 4
    for spot in spots:
        path.write_bytes(whole[:spot] + bytes([whole[spot] ^ 0xFF]) + whole[spot + 1 :])
        with pytest.raises(Unreadable):
            check_archive(path, manifest)


def test_other_files_are_told_from_a_backup(tmp_path):
    path = tmp_path / "other.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("manifest.json", '{"name": "an extension"}')
    with pytest.raises(Unreadable, match="not a Crossdock backup"):
        read_manifest(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", "b")
    with pytest.raises(Unreadable, match="no manifest"):
        read_manifest(path)


def test_a_later_format_is_told(backup_of):
    path = remade(
        backup_of(), lambda facts: facts.update(format_version=2, crossdock="9.0", tables=1)
    )
    with pytest.raises(Unreadable, match=r"Crossdock 9\.0"):
        read_manifest(path)


@pytest.mark.parametrize(
    ("schema", "advice"),
    [
        ({"generation": 10_000}, "or a later one"),
        ({"generation": 1, "revision_files": {}}, "this one then migrates"),
        ({"functions": {"made/up.sql": "0" * 24}}, "another branch"),
    ],
)
def test_another_generation_is_refused_with_the_program_that_knows_it(backup_of, schema, advice):
    path = remade(
        backup_of(), lambda facts: (facts["schema"].update(schema), facts.update(crossdock="7.1"))
    )
    with pytest.raises(Refused, match=rf"Crossdock 7\.1.*{advice}"):
        require_known(read_manifest(path))


def test_an_older_generation_with_the_same_tables_is_restored(backup_of, other_url):
    def age(facts: dict[str, Any]) -> None:
        facts["schema"]["generation"] -= 1
        facts["schema"]["functions"].popitem()

    path = remade(backup_of(), age)
    require_known(read_manifest(path))
    restore(path, other_url)
    assert slugs(other_url) == ["one"]
    with psycopg.connect(other_url) as connection:
        row = connection.execute("select generation from schema_generation").fetchone()
    assert row == (wanted_state().generation,)
