"""Opens a file (plain, gzip, zstd, or a zip with one file in it) as one bounded stream of bytes."""

import gzip
import hashlib
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import zstandard

from crossdock.imports.items import Unreadable
from crossdock.imports.recognising import office_kind

RATIO_MAX = 250
"""Maximum ratio of content to file size, applied beyond the first 64 MB."""
FREE_BYTES = 64 * 2**20
CONTENT_MAX_BYTES = 64 * 2**30
"""Maximum size of the content."""
ZSTD_WINDOW_MAX_BYTES = 128 * 2**20

_PACKED_ERRORS = (OSError, EOFError, zlib.error, zstandard.ZstdError, zipfile.BadZipFile)


class Source:
    """An opened file: `stream` is its content, `position` how far into the file it has been read."""

    def __init__(self, file: IO[bytes], stream: io.BufferedReader, *, size: int) -> None:
        self._file = file
        self.stream = stream
        self.size = size

    @property
    def position(self) -> int:
        """Bytes of the file, compressed as it is, that were read so far."""
        return min(self._file.tell(), self.size)


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """The content of the file. Raises Unreadable, now or while reading, if it cannot be read."""
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            content = _unpacked(file)
            bounded: io.BufferedReader = io.BufferedReader(
                _Bounded(content, size=size), buffer_size=2**18
            )
            yield Source(file, bounded, size=size)
    except IsADirectoryError as error:
        raise Unreadable(f"{path} is a folder") from error
    except FileNotFoundError as error:
        raise Unreadable(f"{path} does not exist") from error
    except PermissionError as error:
        raise Unreadable(f"{path} may not be read") from error


def fingerprint(path: Path, *, also: bytes = b"") -> str:
    """A hash of the file and of everything else that decides how it is read."""
    digest = hashlib.blake2b(also, digest_size=24)
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            raise Unreadable(
                f"{path} is not a regular file and cannot be read twice; save it to a file first"
            )
        with path.open("rb") as file:
            while chunk := file.read(2**20):
                digest.update(chunk)
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {error.strerror}") from error
    return digest.hexdigest()


def _unpacked(file: IO[bytes]) -> IO[bytes]:
    magic = file.read(4)
    file.seek(0)
    if magic[:2] == b"\x1f\x8b":
        return cast("IO[bytes]", gzip.GzipFile(fileobj=file))
    if magic == b"\x28\xb5\x2f\xfd":
        unpacker = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW_MAX_BYTES)
        return unpacker.stream_reader(file, read_across_frames=True)
    if magic == b"PK\x03\x04":
        return _single_member(file)
    return file


def _single_member(file: IO[bytes]) -> IO[bytes]:
    try:
        archive = zipfile.ZipFile(file)
        members = [
            entry
            for entry in archive.infolist()
            if not entry.is_dir() and not entry.filename.startswith("__MACOSX/")
        ]
        if kind := office_kind([entry.filename for entry in members]):
            raise Unreadable(f"The file is {kind}")
        if len(members) != 1:
            raise Unreadable(f"The zip has {len(members)} files in it, not one")
        if members[0].flag_bits & 0x1:
            raise Unreadable("The zip is encrypted")
        return archive.open(members[0])
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise Unreadable(f"The zip cannot be read: {error}") from error


class _Bounded(io.RawIOBase):
    """Passes content on until it exceeds the permitted size."""

    def __init__(self, content: IO[bytes], *, size: int) -> None:
        self._content = content
        self._limit = min(max(size * RATIO_MAX, FREE_BYTES), CONTENT_MAX_BYTES)
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            data = self._content.read(len(buffer))
        except _PACKED_ERRORS as error:
            raise Unreadable(
                f"The file is damaged: {error}", position=f"byte {self._count}"
            ) from error
        self._count += len(data)
        if self._count > self._limit:
            raise Unreadable(
                f"The content is more than {RATIO_MAX} times the size of the file",
                position=f"byte {self._count}",
            )
        buffer[: len(data)] = data
        return len(data)
