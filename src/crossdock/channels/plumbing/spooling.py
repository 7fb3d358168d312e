"""Large answers on disk: written in pieces, then sent with their length, in constant memory.

The length tells the caller of an answer that breaks off; without one it would look whole.
"""

import asyncio
import os
import tempfile
import zlib
from collections.abc import AsyncIterator, Callable
from typing import IO

import msgspec
import zstandard

_CHUNK_BYTES = 256 * 1024
_IN_MEMORY_BYTES = 256 * 1024


class Rendered(msgspec.Struct, frozen=True, kw_only=True, weakref=True):
    """A list in one content coding: up to 256 KiB in memory, larger ones in an unlinked file."""

    body: bytes | None
    file: IO[bytes] | None
    size: int

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes in chunks; safe for concurrent readers."""
        if self.body is not None:
            yield self.body
            return
        assert self.file is not None
        descriptor, offset = self.file.fileno(), 0
        while offset < self.size:
            piece = _read_if_in_memory(descriptor, offset)
            piece = piece or await asyncio.to_thread(_read_at, descriptor, offset)
            offset += len(piece)
            yield piece


class Spool:
    """Bytes in memory up to a limit, then in an unnamed file that is freed with its last reader."""

    def __init__(self, folder: str) -> None:
        self._file = tempfile.SpooledTemporaryFile(  # noqa: SIM115 - it outlives this method
            max_size=_IN_MEMORY_BYTES, dir=folder
        )
        self._size = 0

    def write(self, piece: bytes) -> None:
        """Append; the disk may be full."""
        self._file.write(piece)
        self._size += len(piece)

    def finish(self) -> Rendered:
        """What was written."""
        if self._size <= _IN_MEMORY_BYTES:
            self._file.seek(0)
            return Rendered(body=self._file.read(), file=None, size=self._size)
        self._file.fileno()  # moves what is left in memory to the disk
        self._file.flush()
        return Rendered(body=None, file=self._file, size=self._size)


def compressed(plain: Rendered, *, coding: str, folder: str) -> Rendered:
    """The same in a content coding, `gzip` or `zstd`; takes its time, so call it in a thread."""
    spool = Spool(folder)
    compress, flush = _compressor(coding)
    for offset in range(0, plain.size, _CHUNK_BYTES):
        if plain.body is not None:
            piece = plain.body[offset : offset + _CHUNK_BYTES]
        else:
            assert plain.file is not None
            piece = _read_at(plain.file.fileno(), offset)
        spool.write(compress(piece))
    spool.write(flush())
    return spool.finish()


def _compressor(coding: str) -> tuple[Callable[[bytes], bytes], Callable[[], bytes]]:
    if coding == "zstd":
        zstd = zstandard.ZstdCompressor(level=3).compressobj()
        return zstd.compress, zstd.flush
    gzip = zlib.compressobj(level=6, wbits=zlib.MAX_WBITS | 16)
    return gzip.compress, gzip.flush


def _read_if_in_memory(descriptor: int, offset: int) -> bytes:
    """The next piece if it is in the page cache, else b''; never blocks on the disk."""
    if not hasattr(os, "RWF_NOWAIT"):
        return b""
    piece = bytearray(_CHUNK_BYTES)
    try:
        count = os.preadv(descriptor, [piece], offset, os.RWF_NOWAIT)
    except OSError:
        return b""
    return bytes(memoryview(piece)[:count])


def _read_at(descriptor: int, offset: int) -> bytes:
    return os.pread(descriptor, _CHUNK_BYTES, offset)
