"""Where the processes of one server keep their counters: files that no full disk can break.

prometheus_client maps its files into memory. A page of such a file that the file system has no room for
ends the process with SIGBUS, so the folder is in memory (/dev/shm) where there is one, and the room of
every file is taken before it is mapped. A process that gets no room counts in its own memory alone.
"""

import hashlib
import os
import shutil
import stat
import tempfile
from pathlib import Path

import structlog

log = structlog.get_logger("crossdock.metrics")

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
MEMORY = Path("/dev/shm")  # nosec B108: make_folder takes a folder of this user alone
FILE_BYTES = 1024 * 1024  # what prometheus_client maps at first: room for some 8,000 series
KINDS = ("counter", "histogram", "gauge_livesum")


def make_folder(data_dir: Path, *, port: int) -> Path | None:
    """The empty folder for the processes of the server on `port`; None where there is room for none."""
    mark = hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:12]
    name = f"crossdock-metrics-{mark}-{port}"
    for parent in (MEMORY, Path(tempfile.gettempdir())):
        folder = parent / name
        try:
            if folder.exists():
                shutil.rmtree(folder)
            folder.mkdir(mode=0o700)
        except OSError:
            continue
        if _is_ours(folder):
            return folder
    log.warning("metrics are counted by each process alone: no folder for them")
    return None


def remove_folder() -> None:
    """Take the folder away with the server."""
    if folder := os.environ.get(FOLDER_VARIABLE):
        shutil.rmtree(folder, ignore_errors=True)


def forget_process(pid: int) -> None:
    """Drop the gauges of a process that is gone; its counters stay counted."""
    folder = Path(os.environ.get(FOLDER_VARIABLE, ""))
    for path in folder.glob(f"gauge_live*_{pid}.db"):
        path.unlink(missing_ok=True)


def take_room() -> bool:
    """Take the room of this process's files; False, and counting alone, where there is not enough."""
    folder = os.environ.get(FOLDER_VARIABLE)
    if not folder:
        return False
    paths = [Path(folder) / f"{kind}_{os.getpid()}.db" for kind in KINDS]
    try:
        for path in paths:
            with path.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, FILE_BYTES)
    except OSError as error:
        for path in paths:
            path.unlink(missing_ok=True)
        del os.environ[FOLDER_VARIABLE]
        log.warning("this process counts its metrics alone", reason=str(error))
        return False
    return True


def _is_ours(folder: Path) -> bool:
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
