"""The master keys: as the settings give them, or in a file of the data folder."""

import base64
import binascii
import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path

from crossdock.errors import Conflict, Invalid
from crossdock.kit.crypto import KEY_BYTES

FILE_NAME = "master.key"


def decode_key(text: str, *, where: str) -> bytes:
    """The 32 bytes of base64 text. Raises Invalid `invalid_input`, naming the place and not the text."""
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise Invalid(
            "invalid_input", f"{where} must be 32 bytes in base64 (openssl rand -base64 32)"
        )
    return key


class KeyFile:
    """`master.key` in a data folder: a key in base64 on each line, the newest first.

    It is readable by its owner only, made on first use, and replaced as a whole: a reader sees
    the keys of before or of after. Processes that start at once get the key of the one that wrote
    first.
    """

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / FILE_NAME
        self._seen: tuple[int, int] | None = None

    def read(self) -> tuple[bytes, ...]:
        """The keys. Raises Invalid `invalid_input` when a line is no key."""
        if not self.path.exists():
            self._make([secrets.token_bytes(KEY_BYTES)])
        self._seen = self._stamp()
        lines = self.path.read_text(encoding="ascii", errors="replace").split()
        return tuple(decode_key(line, where=str(self.path)) for line in lines or [""])

    def read_if_changed(self) -> tuple[bytes, ...] | None:
        """The keys when the file was replaced since they were read, else None.

        A file that is away or spoilt is no news: a running process goes on with what it knows.
        """
        with contextlib.suppress(OSError, Invalid):
            if self._stamp() != self._seen:
                return self.read()
        return None

    def change(self) -> None:
        """Put a new key in front of the others."""
        with self._alone():
            self._replace((secrets.token_bytes(KEY_BYTES), *self.read()))

    def adopt(self, keys: Sequence[bytes]) -> None:
        """Put these keys, the newest first, in front of those that are there; none is lost."""
        if not self.path.exists():
            self._make(keys)
        with self._alone():
            present = self.read()
            merged = tuple(dict.fromkeys((*keys, *present)))
            if merged != present:
                self._replace(merged)

    def forget_older(self, *, newest: bytes) -> int:
        """Keep the newest key alone; how many went.

        Raises Conflict `exists` when it no longer is the one of which the caller knows that it
        opens everything.
        """
        with self._alone():
            first, *older = self.read()
            if first != newest:
                raise Conflict("exists", "The master key was changed meanwhile; try again.")
            if older:
                self._replace((newest,))
        return len(older)

    def _stamp(self) -> tuple[int, int]:
        found = self.path.stat()
        return found.st_ino, found.st_mtime_ns

    def _make(self, keys: Sequence[bytes]) -> None:
        """Link a draft to the file's name: the link is the atomic first-wins step."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = _draft(self.path, keys=keys)
        try:
            with contextlib.suppress(FileExistsError):
                os.link(draft, self.path)
        finally:
            draft.unlink(missing_ok=True)

    def _replace(self, keys: Sequence[bytes]) -> None:
        """On the disk before it counts, and with the owner it had: root may run the command."""
        target = self.path.resolve()
        draft, owner = _draft(target, keys=keys), target.stat()
        try:
            os.chown(draft, owner.st_uid, owner.st_gid)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
        with _opened_folder(target.parent) as folder:
            os.fsync(folder)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """One change at a time; two would each lose the other's key."""
        with _opened_folder(self.path.resolve().parent) as folder:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield


@contextlib.contextmanager
def _opened_folder(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _draft(path: Path, *, keys: Sequence[bytes]) -> Path:
    """A file beside it under a name of our own, whole and on the disk."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(base64.b64encode(key) + b"\n" for key in keys)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    return draft
