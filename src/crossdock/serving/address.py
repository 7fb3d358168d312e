"""Find the address of the server that runs on a data folder, for commands.

A server writes its address to `server-*.json` in the data folder when it is ready, keeps the file
locked and deletes it when it stops. The kernel drops the lock of a killed server, and files without a
lock are ignored. If several servers share a folder, the newest is used.
"""

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import msgspec
import structlog

from crossdock.kit.ids import RandomIds
from crossdock.settings import Settings

NOTES = "server-*.json"
log = structlog.get_logger("crossdock.address")


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """The address file of a running server."""

    pid: int
    base_url: str


@contextlib.contextmanager
def noting_address(settings: Settings) -> Iterator[Callable[[], None]]:
    """Yields the function to call once this process serves; the file is deleted at the end."""
    with contextlib.ExitStack() as until_end:

        def note_address() -> None:
            for note in _living(settings):
                log.warning("another server uses this data folder", url=note.base_url, pid=note.pid)
            until_end.enter_context(_noted(settings))

        yield note_address


@contextlib.contextmanager
def _noted(settings: Settings) -> Iterator[None]:
    """Writes the address file. It is locked before it appears under its name."""
    _sweep(settings)
    path = settings.server.data_path / NOTES.replace("*", RandomIds().random_token(12))
    draft = path.with_suffix(".new")
    with open(draft, "xb", opener=_for_owner) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(msgspec.json.encode(Note(pid=os.getpid(), base_url=settings.server.public_url)))
        file.flush()
        draft.replace(path)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _for_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def base_url(settings: Settings) -> str:
    """The base URL for partners: the setting, else the running server's, else one with the port."""
    if settings.server.public_url != Settings().server.public_url:
        return settings.server.public_url.rstrip("/")
    if notes := _living(settings):
        return notes[0].base_url.rstrip("/")
    return follow_port(settings).server.public_url.rstrip("/")


def beside_server(settings: Settings) -> Settings:
    """The settings with the public URL of the server that runs on this data folder."""
    return settings.having(public_url=base_url(settings))


def follow_port(settings: Settings) -> Settings:
    """The settings with the port actually used in the public URL, unless one was configured."""
    default = Settings()
    if (
        settings.server.public_url != default.server.public_url
        or settings.server.port == default.server.port
    ):
        return settings
    url = default.server.public_url.replace(str(default.server.port), str(settings.server.port))
    return settings.having(public_url=url)


def _living(settings: Settings) -> list[Note]:
    """The address files of running servers, newest first."""
    found = [note for path in settings.server.data_path.glob(NOTES) if (note := _read(path))]
    return [note for _, note in sorted(found, key=lambda pair: pair[0], reverse=True)]


def _read(path: Path) -> tuple[int, Note] | None:
    """The file's time and content; None if no server has it locked."""
    try:
        with path.open("rb") as file:
            if _is_held(file):
                written_ns = os.fstat(file.fileno()).st_mtime_ns
                return written_ns, msgspec.json.decode(file.read(), type=Note)
    except (OSError, msgspec.DecodeError):
        pass
    return None


def _sweep(settings: Settings) -> None:
    """Delete the address files of killed servers."""
    for path in settings.server.data_path.glob(NOTES):
        with contextlib.suppress(OSError), path.open("rb") as file:
            if not _is_held(file):
                path.unlink()


def _is_held(file: IO[bytes]) -> bool:
    """Whether another process has it locked. Readers take a shared lock, so they never block each other."""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False
