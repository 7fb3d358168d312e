"""The format of a backup file: a ZIP with the rows of each table and a manifest.

    tables/NAME     the rows, as PostgreSQL's COPY writes them in its text format: one line for each
    master.key      the master keys, the newest first, if they were asked for
    manifest.json   written last: version, time, and every other member with its rows, bytes and SHA-256

A truncated file has no table of contents, so it is recognised before anything is read.
"""

import contextlib
import hashlib
import zipfile
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import IO

import msgspec

from crossdock.db.generations import SchemaState
from crossdock.errors import Invalid

FORMAT = "crossdock backup"
FORMAT_VERSION = 1
MANIFEST = "manifest.json"
MASTER_KEY = "master.key"
MANIFEST_BYTES_MAX = 10_000_000
CHUNK_BYTES = 256 * 1024
COMPRESSION_LEVEL = 1  # rows shrink to a quarter; a higher level takes three times as long

Moved = Callable[[int], None]
Piece = bytes | bytearray | memoryview


class Unreadable(Invalid):
    """The file is not a backup, or it is damaged."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__("invalid_input", f"{path} {reason}")


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A member of the file: its name, rows, bytes and hash."""

    name: str
    rows: int
    bytes: int
    sha256: str


class TableRows(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of a table, with the columns of each line."""

    table: str
    columns: list[str]
    member: Member


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The contents of a backup; `sequences` has the next number of each."""

    format: str = FORMAT
    format_version: int = FORMAT_VERSION
    crossdock: str
    created_at: datetime
    postgresql: str
    schema: SchemaState
    tables: list[TableRows]
    sequences: dict[str, int]
    master_key: Member | None = None

    @property
    def rows(self) -> int:
        """The number of rows in all tables."""
        return sum(each.member.rows for each in self.tables)

    @property
    def members(self) -> list[Member]:
        """All members except the manifest."""
        return [each.member for each in self.tables] + [
            each for each in (self.master_key,) if each is not None
        ]


class Counted:
    """Counts and hashes a stream."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._rows = self._bytes = 0
        self._sum = hashlib.sha256()

    def passed(self, data: Piece) -> int:
        """Add a piece; returns the number of rows that end in it."""
        rows = bytes(data).count(b"\n")
        self._rows += rows
        self._bytes += len(data)
        self._sum.update(data)
        return rows

    def member(self) -> Member:
        """The member with what was counted so far."""
        return Member(
            name=self.name, rows=self._rows, bytes=self._bytes, sha256=self._sum.hexdigest()
        )


class ArchiveWriter:
    """Writes a backup into an open file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(
            file, "w", compression=zipfile.ZIP_DEFLATED, compresslevel=COMPRESSION_LEVEL
        )

    def add(self, name: str, pieces: Iterator[Piece], *, moved: Moved) -> Member:
        """Write a member; `moved` gets the numbers of rows."""
        counted = Counted(name)
        with self._zip.open(name, "w", force_zip64=True) as target:
            for piece in pieces:
                target.write(piece)
                moved(counted.passed(piece))
        return counted.member()

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest and the table of contents."""
        self._zip.writestr(MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
        self._zip.close()


def read_manifest(path: Path) -> Manifest:
    """Read the manifest. Raises Unreadable, or OSError."""
    with _opened(path) as archive:
        if MANIFEST not in archive.namelist():
            raise Unreadable(path, "is a ZIP file, but not a Crossdock backup: it has no manifest.")
        with archive.open(MANIFEST) as member:
            text = member.read(MANIFEST_BYTES_MAX + 1)
    try:
        head = msgspec.json.decode(text, type=_Head)
        if head.format != FORMAT:
            raise Unreadable(path, "is a ZIP file, but not a Crossdock backup.")
        if head.format_version != FORMAT_VERSION:
            raise Unreadable(
                path,
                f"has version {head.format_version} of the backup format, which Crossdock "
                f"{head.crossdock} writes; this Crossdock reads version {FORMAT_VERSION}.",
            )
        return msgspec.json.decode(text, type=Manifest)
    except msgspec.MsgspecError as error:
        raise Unreadable(path, f"has a manifest that cannot be read: {error}") from error


def check_archive(path: Path, manifest: Manifest, *, moved: Moved = lambda rows: None) -> None:
    """Read every member and compare it with the manifest. Raises Unreadable."""
    with _opened(path) as archive:
        names = sorted(archive.namelist())
        if names != sorted([MANIFEST, *(member.name for member in manifest.members)]):
            raise Unreadable(path, "has other members than its manifest says.")
    for member in manifest.members:
        for _ in read_member(path, member, moved=moved):
            pass


def read_member(path: Path, member: Member, *, moved: Moved = lambda rows: None) -> Iterator[bytes]:
    """The member's bytes. Raises Unreadable at the end if they differ from what was written."""
    counted = Counted(member.name)
    with _opened(path) as archive, archive.open(member.name) as source:
        left = member.bytes
        while piece := source.read(min(CHUNK_BYTES, left + 1)):
            left -= len(piece)
            if left < 0:
                break
            moved(counted.passed(piece))
            yield piece
    if left or counted.member() != member:
        raise Unreadable(path, f"is damaged: {member.name} is not what was written.")


def read_keys(path: Path, manifest: Manifest) -> list[str]:
    """The lines of the master keys, newest first; none if they are not in the backup."""
    if manifest.master_key is None:
        return []
    return b"".join(read_member(path, manifest.master_key)).decode("ascii", "replace").split()


class _Head(msgspec.Struct):
    """The part of the manifest that every version of the format has."""

    format: str = ""
    format_version: int = 0
    crossdock: str = "?"


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError) as error:
        reason = "is not a Crossdock backup, or it was cut off or damaged"
        raise Unreadable(path, f"{reason}: {error}".rstrip(": ") + ".") from error
    except (NotImplementedError, RuntimeError) as error:
        raise Unreadable(path, f"was not written by Crossdock: {error}.") from error
