"""Where the server of a data folder can be reached, for commands that run beside it.

A server that is ready notes its address in `server.json` of the data folder and takes the note away
when it ends; a note whose process is gone counts as no note.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from crossdock.settings import Settings

FILE_NAME = "server.json"


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """What a running server says of itself."""

    pid: int
    base_url: str


def note_address(settings: Settings) -> None:
    """Write the note; the server is this process."""
    path = _path(settings)
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    draft.write_bytes(msgspec.json.encode(Note(pid=os.getpid(), base_url=settings.public_url)))
    draft.replace(path)


@contextlib.contextmanager
def address_noted_until_end(settings: Settings) -> Iterator[None]:
    """Take this process's note away at the end of the block; another server's stays."""
    try:
        yield
    finally:
        note = _read(settings)
        if note is not None and note.pid == os.getpid():
            _path(settings).unlink(missing_ok=True)


def base_url(settings: Settings) -> str:
    """What partners put before a path: the setting, else the running server's, else the port's."""
    if settings.public_url != Settings().public_url:
        return settings.public_url.rstrip("/")
    note = _read(settings)
    if note is not None and _is_alive(note.pid):
        return note.base_url.rstrip("/")
    return follow_port(settings).public_url.rstrip("/")


def follow_port(settings: Settings) -> Settings:
    """The settings with a public URL that names the port really served, where none was chosen."""
    default = Settings()
    if settings.public_url != default.public_url or settings.port == default.port:
        return settings
    url = default.public_url.replace(str(default.port), str(settings.port))
    return msgspec.structs.replace(settings, public_url=url)


def _path(settings: Settings) -> Path:
    return settings.data_path / FILE_NAME


def _read(settings: Settings) -> Note | None:
    try:
        return msgspec.json.decode(_path(settings).read_bytes(), type=Note)
    except (OSError, msgspec.DecodeError):
        return None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
