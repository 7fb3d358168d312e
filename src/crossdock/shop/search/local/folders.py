"""The folders of a shop's index: several versions side by side, and which one is current.

`current` names a folder and is replaced in one step, so a reader sees the old index or the new one,
whole. The name of a folder begins with the version of its layout; another version's is not read.
"""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from crossdock.kit.ids import Ids
from crossdock.shop.search.local.tantivy_index import exists

# A new layout of documents makes every stored index useless, so that it is built anew.
LAYOUT: Final = 5
BUILDING: Final = "building"
WRITING: Final = "writing"
_CURRENT: Final = "current"
_PREFIX: Final = f"v{LAYOUT}-"


def read_current(folder: Path) -> Path | None:
    """The folder of the index that is to be read; None if there is none of this layout."""
    try:
        name = (folder / _CURRENT).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    if not name.startswith(_PREFIX) or "/" in name:
        return None
    path = folder / name
    return path if (path / "meta.json").exists() else None


def is_usable(folder: Path) -> bool:
    """Whether there is a current index that can be opened."""
    path = read_current(folder)
    return path is not None and exists(path)


def make_new(folder: Path, *, ids: Ids) -> Path:
    """A new empty folder beside the current one."""
    path = folder / f"{_PREFIX}{ids.random_token(8)}"
    path.mkdir(parents=True)
    return path


def switch(folder: Path, *, to: Path) -> None:
    """Make another folder current, in one step that survives a loss of power."""
    draft = folder / f"{_CURRENT}.new"
    with draft.open("w", encoding="ascii") as file:
        file.write(to.name)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / _CURRENT)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep(folder: Path) -> None:
    """Remove the folders that are not current; whoever has one open still reads it."""
    current = read_current(folder)
    for path in folder.iterdir():
        if path.is_dir() and path != current:
            shutil.rmtree(path, ignore_errors=True)


def sweep_unless_building(folder: Path) -> None:
    """The same; but a folder that somebody is filling is not current yet, so then nothing is removed."""
    with lock(folder, BUILDING) as is_ours:
        if is_ours:
            sweep(folder)


@contextlib.contextmanager
def lock(folder: Path, name: str) -> Iterator[bool]:
    """Hold a lock of the folder until the block ends, or the process; False if another one has it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
