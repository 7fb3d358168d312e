"""Keeps a temporary server's files in memory: copying a database of 850 files takes a tenth of the time."""

import fcntl
import shutil
import tempfile
import time
from pathlib import Path

import psutil

MEMORY = Path("/dev/shm")
PREFIX = "crossdock-temporary-"
ROOM_BYTES = 3 << 30
STARTED_WITHIN_S = 120


def keep_in_memory(data_dir: Path) -> None:
    """Link the place of the server's files to a folder in memory, if there is room and no server yet.

    The last user of a temporary server deletes the folder. One whose users were killed is deleted
    here by the next run; a server that still runs on it notices within a minute, and ends.
    """
    link = data_dir / "postgres"
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / "memory.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if link.is_symlink() or link.exists() or not _has_room():
            return
        _sweep()
        home = Path(tempfile.mkdtemp(prefix=PREFIX, dir=MEMORY))
        home.chmod(0o755)
        (home / "data_dir").write_text(str(data_dir.absolute()))
        link.symlink_to(home / "postgres")


def _has_room() -> bool:
    if not MEMORY.is_dir():
        return False
    free = min(shutil.disk_usage(MEMORY).free, psutil.virtual_memory().available)
    return free >= ROOM_BYTES


def _sweep() -> None:
    for home in MEMORY.glob(f"{PREFIX}*"):
        try:
            is_new = time.time() - home.stat().st_mtime < STARTED_WITHIN_S
            if not is_new and not _is_used(home):
                shutil.rmtree(home, ignore_errors=True)
        except OSError:  # another run has just removed it, or it is another user's
            continue


def _is_used(home: Path) -> bool:
    """Whether a process is registered as a user of the server."""
    try:
        data_dir = Path((home / "data_dir").read_text())
        with (data_dir / "postgres.users").open() as users:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
