"""A stream for logs whose failure stops nobody: a full disk or a closed pipe costs the line alone."""

import contextlib
import io
from typing import TextIO


class LastingStream(io.TextIOBase):
    """Passes text on to another stream, and drops what that one does not take."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()

    def isatty(self) -> bool:
        return self._stream.isatty()
