"""A small file system in memory that a test fills to its last byte and frees again."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

CHUNK_BYTES = 1_000_000


def may_mount() -> bool:
    """Whether this process may make file systems; only root may."""
    return os.geteuid() == 0 and Path("/bin/mount").exists()


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
    subprocess.run(
        [
            "/bin/mount",
            "-t",
            "tmpfs",
            "-o",
            f"size={megabytes}m,mode=755",
            "crossdock-test",
            folder,
        ],
        check=True,
    )
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["/bin/umount", "--lazy", folder], check=True)
