"""Files that a command writes completely or not at all."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from crossdock.errors import CrossdockError


class CannotWrite(CrossdockError):
    """The file cannot be made where it is to be."""


@contextmanager
def whole_file(out: Path | None) -> Iterator[IO[bytes]]:
    """Write to a temporary file that is renamed at the end, or to stdout where `out` is None.

    Raises CannotWrite for a folder, and for a file in a folder that is not there.
    """
    if out is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if out.is_dir() or not out.parent.is_dir():
        what = "is a folder" if out.is_dir() else f"cannot be made: there is no folder {out.parent}"
        raise CannotWrite("invalid_input", f"{out} {what}")
    draft = out.with_name(f".{out.name}.part")
    try:
        with draft.open("wb") as file:
            yield file
        draft.replace(out)
    finally:
        draft.unlink(missing_ok=True)
