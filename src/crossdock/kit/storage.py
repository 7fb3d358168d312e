"""Free space on the file systems that the server writes to."""

import errno
import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

MEGABYTE = 1_000_000
_FULL = {errno.ENOSPC, errno.EDQUOT}


class Space(msgspec.Struct, frozen=True, kw_only=True):
    """The free space of the fullest of several file systems."""

    path: Path
    free_bytes: int


def is_full(error: BaseException) -> bool:
    """Whether the error means a full disk or an exhausted quota."""
    return isinstance(error, OSError) and error.errno in _FULL


def least_space(paths: Iterable[Path]) -> Space | None:
    """The folder on the file system with the least space available to unprivileged programs.

    Missing folders are skipped; None if none exists.
    """
    found = [Space(path=path, free_bytes=free) for path in paths if (free := _free(path)) >= 0]
    return min(found, key=lambda space: space.free_bytes, default=None)


def _free(path: Path) -> int:
    try:
        told = os.statvfs(path)
    except OSError:
        return -1
    return told.f_bavail * told.f_frsize
