"""A temporary server's files are in memory."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossdock.db.embedded import EmbeddedPostgres
from tests.support import memory
from tests.support.memory import PREFIX, STARTED_WITHIN_S, keep_in_memory


@pytest.fixture
def shm(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """What stands for the memory, with room for a server; whoever runs it reaches the folder."""
    with tempfile.TemporaryDirectory(prefix="crossdock-memory-") as name:
        Path(name).chmod(0o755)
        monkeypatch.setattr(memory, "MEMORY", Path(name))
        monkeypatch.setattr(memory, "ROOM_BYTES", 0)
        yield Path(name)


def homes(shm: Path) -> list[Path]:
    return list(shm.glob(f"{PREFIX}*"))


def make_old(home: Path) -> None:
    moment = home.stat().st_mtime - STARTED_WITHIN_S - 1
    os.utime(home, (moment, moment))


def test_while_the_server_runs_and_no_longer(tmp_path: Path, shm: Path):
    keep_in_memory(tmp_path / "data")
    keep_in_memory(tmp_path / "data")
    (home,) = homes(shm)
    with EmbeddedPostgres(tmp_path / "data", temporary=True):
        assert (home / "postgres" / "postmaster.pid").exists()
    assert homes(shm) == []
    assert not (tmp_path / "data" / "postgres").is_symlink()


def test_unless_there_is_no_room(tmp_path: Path, shm: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(memory, "ROOM_BYTES", 1 << 60)
    keep_in_memory(tmp_path / "data")
    assert homes(shm) == []
    assert not (tmp_path / "data" / "postgres").exists()


def test_until_the_next_run_if_its_users_were_killed(tmp_path: Path, shm: Path):
    keep_in_memory(tmp_path / "killed")
    keep_in_memory(tmp_path / "starting")
    killed, starting = (
        (tmp_path / name / "postgres").resolve().parent for name in ("killed", "starting")
    )
    make_old(killed)
    keep_in_memory(tmp_path / "next")
    assert set(homes(shm)) == {starting, (tmp_path / "next" / "postgres").resolve().parent}


def test_as_long_as_it_has_users(tmp_path: Path, shm: Path):
    keep_in_memory(tmp_path / "used")
    with EmbeddedPostgres(tmp_path / "used", temporary=True):
        (home,) = homes(shm)
        make_old(home)
        keep_in_memory(tmp_path / "next")
        assert home in homes(shm)
