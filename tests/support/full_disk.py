"""A small file system in memory that a test fills to its last byte and frees again."""

import contextlib
import functools
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

CHUNK_BYTES = 1_000_000


@functools.cache
def may_mount() -> bool:
    """Whether this process may make file systems; root may, unless it is root of a container only."""
    if os.geteuid() != 0 or not Path("/bin/mount").exists():
        return False
    with tempfile.TemporaryDirectory() as folder:
        tried = subprocess.run(_mount(folder, megabytes=1), check=False, capture_output=True)
        if tried.returncode == 0:
            subprocess.run(["/bin/umount", "--lazy", folder], check=True)
    return tried.returncode == 0


class Disk:
    """The mounted folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ballast = path / "ballast"

    def fill(self) -> None:
        """Leave no byte, also where something was just freed."""
        with self._ballast.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            for size in (CHUNK_BYTES, 4096, 1):
                with contextlib.suppress(OSError):
                    while file.write(b"\0" * size):
                        pass

    def free(self) -> None:
        """Take away what filled it."""
        self._ballast.unlink()


@contextlib.contextmanager
def small_disk(folder: Path, *, megabytes: int) -> Iterator[Disk]:
    """A disk of this size, gone with everything on it at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(_mount(folder, megabytes=megabytes), check=True)
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["/bin/umount", "--lazy", folder], check=True)


def _mount(folder: Path | str, *, megabytes: int) -> list[str]:
    options = f"size={megabytes}m,mode=755"
    return ["/bin/mount", "-t", "tmpfs", "-o", options, "crossdock-test", str(folder)]
