"""The folder for the counters of a server's processes, safe against a full disk.

prometheus_client maps files into memory. If the file system has no space for a page of such a file, the
process gets SIGBUS. So the folder is in memory (/dev/shm) if possible, and the space of each file is
allocated before it is mapped. A process that gets no space counts in its own memory only.
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
FILE_BYTES = 1024 * 1024  # the initial size of prometheus_client's files, for some 8,000 series
KINDS = ("counter", "histogram", "gauge_livesum")


def make_folder(data_dir: Path, *, port: int) -> Path | None:
    """Create an empty folder for the processes of the server on `port`; None if there is no space."""
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
    """Delete the folder when the server stops."""
    if folder := os.environ.get(FOLDER_VARIABLE):
        shutil.rmtree(folder, ignore_errors=True)


def forget_process(pid: int) -> None:
    """Drop the gauges of a process that has ended; its counters are kept."""
    folder = Path(os.environ.get(FOLDER_VARIABLE, ""))
    for path in folder.glob(f"gauge_live*_{pid}.db"):
        path.unlink(missing_ok=True)


def take_room() -> bool:
    """Allocate the space of this process's files; False, and counting in memory, if there is not enough."""
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
