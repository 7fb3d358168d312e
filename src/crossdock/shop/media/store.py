"""The store of images' files: a folder, or a bucket of an S3-compatible service, through one library.

A file is written whole or not at all. Keys are made by this part alone.
"""

from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from pathlib import Path

import msgspec
import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, S3Store

from crossdock.errors import StorageFull, Unavailable
from crossdock.settings.media import MediaSection

_PIECE_BYTES = 256 * 1024
_CONNECT = timedelta(seconds=5)
_TIMEOUT = timedelta(seconds=30)
_RETRIES = 3
_RETRY_S = 10
_NO_BUCKET = "NoSuchBucket"
_FULL = ("No space left", "Disk quota exceeded", "os error 28", "os error 122")


class StoredFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is being read; `size` is its bytes, `pieces` yields them once."""

    size: int
    pieces: AsyncIterator[bytes]


class Store:
    """Files by key. Every method raises Unavailable: `media_unavailable`, or `storage_full`."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    async def put(self, key: str, body: bytes | Path) -> None:
        """Write a file: bytes, or those of a file here."""
        try:
            await obstore.put_async(
                self._objects, key, body, use_multipart=None if isinstance(body, Path) else False
            )
        except (BaseError, OSError) as error:
            raise _told(error) from error

    async def get(self, key: str, *, span: tuple[int, int] | None = None) -> StoredFile | None:
        """Open a file, or None if there is none; of a `span` the bytes from its first up to its second."""
        try:
            options: obstore.GetOptions | None = None if span is None else {"range": span}
            found = await obstore.get_async(self._objects, key, options=options)
        except (BaseError, OSError) as error:
            if _is_absent(error):
                return None
            raise _told(error) from error
        return StoredFile(size=found.meta["size"], pieces=_pieces(found))

    async def size(self, key: str) -> int | None:
        """The bytes of a file, or None if there is none."""
        try:
            return (await obstore.head_async(self._objects, key))["size"]
        except FileNotFoundError:
            found = await self.get(key)  # a HEAD does not say whether the bucket is there
            return None if found is None else found.size
        except (BaseError, OSError) as error:
            raise _told(error) from error

    async def delete(self, keys: Iterable[str]) -> None:
        """Delete files; those that are not there are no error."""
        for key in keys:
            try:
                await obstore.delete_async(self._objects, key)
            except (BaseError, OSError) as error:
                if not _is_absent(error):
                    raise _told(error) from error


def create_store(settings: MediaSection, *, data_path: Path) -> Store:
    """The store that the settings name. The folder is made; a bucket must be there."""
    if settings.store == "s3":
        return Store(_bucket(settings))
    folder = Path(settings.folder).expanduser() if settings.folder else data_path / "media"
    return Store(LocalStore(folder, mkdir=True, automatic_cleanup=True))


def _bucket(settings: MediaSection) -> S3Store:
    keys = {"access_key_id", "secret_access_key"} if settings.s3_access_key_id else set()
    chosen = {key: getattr(settings, f"s3_{key}") for key in keys}
    if settings.s3_endpoint:
        chosen["endpoint"] = settings.s3_endpoint
    return S3Store(
        settings.s3_bucket,
        prefix=settings.s3_prefix.strip("/") or None,
        region=settings.s3_region,
        disable_bulk_delete=True,  # not every service has it
        client_options={
            "allow_http": settings.s3_endpoint.startswith("http://"),
            "connect_timeout": _CONNECT,
            "timeout": _TIMEOUT,
        },
        retry_config={"max_retries": _RETRIES, "retry_timeout": timedelta(seconds=_RETRY_S)},
        **chosen,
    )


def in_memory(body: bytes) -> StoredFile:
    """A file that is no store's."""
    return StoredFile(size=len(body), pieces=_whole(body))


async def _whole(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def _pieces(found: "obstore.GetResult") -> AsyncIterator[bytes]:
    async for piece in found.stream(min_chunk_size=_PIECE_BYTES):
        yield bytes(piece)


def _is_absent(error: Exception) -> bool:
    """Whether a file is not there; where the whole bucket is missing, nothing is known of any file."""
    return isinstance(error, FileNotFoundError) and _NO_BUCKET not in str(error)


def _told(error: Exception) -> Unavailable:
    text = str(error)
    if any(sign in text for sign in _FULL):
        return StorageFull()
    return Unavailable("media_unavailable", data={"retry_after_s": 5})
