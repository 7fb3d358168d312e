"""A log stream that never raises: when the disk is full or the pipe closed, the line is lost."""

import contextlib
import io
from typing import TextIO


class LastingStream(io.TextIOBase):
    """Writes to another stream, and drops the text if that fails."""

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
