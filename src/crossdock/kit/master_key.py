"""The master keys, from the settings or from a file in the data folder."""

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
    """Decode 32 bytes of base64. Raises Invalid `invalid_input`; its message omits the text."""
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

    It is readable by its owner only, created on first use, and replaced atomically: a reader sees
    either the old or the new keys. Processes that start at the same time get the key of the one
    that wrote first.
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
        """The keys if the file was replaced since the last read, else None.

        A missing or damaged file is ignored: a running process keeps the keys that it has.
        """
        with contextlib.suppress(OSError, Invalid):
            if self._stamp() != self._seen:
                return self.read()
        return None

    def change(self) -> None:
        """Add a random key as the newest."""
        with self._alone():
            self._replace((secrets.token_bytes(KEY_BYTES), *self.read()))

    def adopt(self, keys: Sequence[bytes]) -> None:
        """Add these keys, the newest first, before the existing ones; none is lost."""
        if not self.path.exists():
            self._make(keys)
        with self._alone():
            present = self.read()
            merged = tuple(dict.fromkeys((*keys, *present)))
            if merged != present:
                self._replace(merged)

    def forget_older(self, *, newest: bytes) -> int:
        """Delete all keys but the newest; returns how many were deleted.

        Raises Conflict `exists` if `newest`, which the caller knows to open everything, is no
        longer the newest key.
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
        """Create the file by a hard link, which is atomic: the first process wins."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = _draft(self.path, keys=keys)
        try:
            with contextlib.suppress(FileExistsError):
                os.link(draft, self.path)
        finally:
            draft.unlink(missing_ok=True)

    def _replace(self, keys: Sequence[bytes]) -> None:
        """Replace the file after an fsync. It keeps its owner, because root may run the command."""
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
        """Lock out other processes: of two concurrent changes one would be lost."""
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
    """Write a temporary file beside it, complete and synced to the disk."""
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
