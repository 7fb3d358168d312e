"""Keep an uploaded image, and find those that are kept."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import msgspec
import psycopg

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import Refused, Unavailable
from crossdock.kit.clock import Clock
from crossdock.kit.ids import Ids
from crossdock.shop.media.model import ORIGINAL, ImageName, StoredImage
from crossdock.shop.media.placeholder import no_image, no_image_file
from crossdock.shop.media.reading import (
    ImageLimits,
    Marks,
    ReadImage,
    marks_of,
    read_image,
    require_size,
)
from crossdock.shop.media.store import Store, StoredFile, in_memory
from crossdock.shop.media.stripping import broken

_OTHER_BYTES, _TOO_MANY = "CD061", "CD062"
_TOO_MANY_S = 3_600
_UPLOAD = timedelta(hours=1)  # longer than writing the files of an image takes
_PLACE_CHARS = 12
_BUSY_S = 2


class Reader:
    """Reads images in threads: so many at once, so many waiting; then Unavailable `busy`."""

    def __init__(self, *, limits: ImageLimits, at_once: int, waiting_max: int) -> None:
        self.limits = limits
        self._room = at_once + waiting_max
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="images")

    async def read(self, body: bytes) -> ReadImage:
        """Read an image as `read_image` does."""
        return await self._run(lambda: read_image(body, limits=self.limits))

    async def marks(self, body: bytes) -> Marks:
        """The marks of a file of a permitted size."""
        require_size(body, limits=self.limits)
        return await asyncio.to_thread(marks_of, body)

    def close(self) -> None:
        """End the threads, after what they are at."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[], ReadImage]) -> ReadImage:
        if self._room <= 0:
            raise Unavailable("busy", data={"retry_after_s": _BUSY_S})
        self._room -= 1
        loop = asyncio.get_running_loop()
        running = loop.run_in_executor(self._threads, work)
        # A caller that goes does not stop the thread.
        running.add_done_callback(self._leave)
        return await asyncio.shield(running)

    def _leave(self, done: "asyncio.Future[ReadImage]") -> None:
        self._room += 1
        if not done.cancelled():
            done.exception()  # taken, though nobody may wait for it any more


class Media(msgspec.Struct, frozen=True, kw_only=True):
    """What images need, set once in compose.py; `base_url` is what their addresses start with."""

    db: Database
    clock: Clock
    ids: Ids
    store: Store
    reader: Reader
    base_url: str
    keep_unused: timedelta = timedelta(days=30)
    unused_max: int = 1_000


async def keep_image(
    service: Media, *, shop_id: int, partner_id: int | None, body: bytes
) -> StoredImage:
    """Keep an image for a partner, or for the shop itself; the same bytes have the same id again.

    Raises Invalid (`image_invalid`, `image_too_large`), Unavailable (`busy`, `media_unavailable`,
    `storage_full`), and Refused `rate_limited` for a partner with too many that nothing refers to; then
    nothing is kept.
    """
    marks = await service.reader.marks(body)
    owner = {"shop": shop_id, "partner": partner_id}
    known = await _keep(service, owner=owner, marks=marks, file=None)
    if known is not None:
        return known
    found = await service.reader.read(body)
    place = f"{marks.checksum[:2]}/{marks.checksum}/{service.ids.random_token(_PLACE_CHARS)}"
    await _write(service, found, place=place)
    file = {
        "place": place,
        "format": found.format,
        "width": found.width,
        "height": found.height,
        "color": found.color,
        "size_bytes": len(body),
    }
    kept = await _keep(service, owner=owner, marks=marks, file=file)
    assert kept is not None
    return kept


async def adopt_image(service: Media, *, shop_id: int, checksum: str) -> StoredImage | None:
    """An image of which the shop has the content already, as its own; None where it has not."""
    async with service.db.statement() as tx:
        digest = await tx.value(
            "select digest from image_files where shop_id = %s and checksum = %s",
            (shop_id, checksum),
        )
    if digest is None:
        return None
    marks = Marks(checksum=checksum, digest=bytes(digest))
    return await _keep(service, owner={"shop": shop_id, "partner": None}, marks=marks, file=None)


async def read_images(
    tx: Transaction, *, shop_id: int, partner_id: int | None, image_ids: Sequence[int]
) -> list[StoredImage]:
    """The images of this owner with these ids, by id; others' are left out like unknown ones."""
    rows = await tx.all(_READ, {"shop": shop_id, "partner": partner_id, "ids": list(image_ids)})
    return [_stored(row) for row in rows]


async def use_images(
    tx: Transaction, *, shop_id: int, partner_id: int, image_ids: Sequence[int]
) -> set[int]:
    """Keep those of the partner's images for ever that have these ids, and return them.

    For what refers to images by id, such as a ticket, in the transaction that writes it.
    """
    rows = await tx.all(
        "update images set is_used = true where shop_id = %s and partner_id = %s and id = any(%s)"
        " returning id",
        (shop_id, partner_id, list(image_ids)),
    )
    return {image_id for (image_id,) in rows}


async def open_image(service: Media, name: ImageName) -> StoredFile | None:
    """The file of this name, of whichever shop it is, or None.

    The name of a version that would be larger than the original is one more of the original.
    """
    if name.checksum == no_image().checksum and name.format == no_image().format:
        return in_memory(no_image_file(edge=name.edge))
    async with service.db.statement() as tx:
        row = await tx.one(_PLACE, (name.checksum, name.format))
    if row is None:
        return None
    place, short = row
    edge = name.edge if name.edge <= short else ORIGINAL
    return await service.store.get(file_key(place, edge=edge, kind=name.format))


def file_key(place: str, *, edge: int, kind: str) -> str:
    """The key in the store of one version's file."""
    return f"{place}/{edge or 'original'}.{kind}"


async def _write(service: Media, found: ReadImage, *, place: str) -> None:
    """Write the files, after noting where they are to be looked for if this fails."""
    due_at = service.clock.now() + _UPLOAD
    async with service.db.statement() as tx:
        await tx.run(
            "insert into image_leftovers (place, format, due_at) values (%s, %s, %s)",
            (place, found.format, due_at),
        )
    for edge, body in found.files.items():
        await service.store.put(file_key(place, edge=edge, kind=found.format), body)


async def _keep(
    service: Media, *, owner: dict[str, int | None], marks: Marks, file: dict[str, Any] | None
) -> StoredImage | None:
    parameters = owner | {
        "checksum": marks.checksum,
        "digest": marks.digest,
        "file": None if file is None else msgspec.json.encode(file).decode(),
        "unused_max": service.unused_max,
        "now": service.clock.now(),
    }
    try:
        async with service.db.statement() as tx:
            row = await tx.one(_KEEP, parameters)
    except psycopg.Error as error:
        if error.sqlstate == _OTHER_BYTES:
            raise broken("another image has the same checksum") from error
        if error.sqlstate == _TOO_MANY:
            message = f"The partner has {service.unused_max} images that nothing refers to."
            raise Refused("rate_limited", message, {"retry_after_s": _TOO_MANY_S}) from error
        raise
    return None if row is None else _stored(row)


def _stored(row: tuple[Any, ...]) -> StoredImage:
    return StoredImage(**dict(zip(_FIELDS, row, strict=True)))


_FIELDS = ("id", "checksum", "format", "width", "height", "color", "partner_id", "size_bytes")
_KEEP = """
    select * from keep_image(%(shop)s, %(partner)s::bigint, %(checksum)s, %(digest)s, %(file)s::jsonb,
                             %(unused_max)s::bigint, %(now)s)
"""
_READ = """
    select i.id, f.checksum::text, f.format, f.width, f.height, f.color::text, i.partner_id, f.size_bytes
    from images i join image_files f on f.shop_id = i.shop_id and f.checksum = i.checksum
    where i.shop_id = %(shop)s and i.id = any(%(ids)s)
      and i.partner_id is not distinct from %(partner)s::bigint
    order by i.id
"""
_PLACE = """
    select place, least(width, height) from image_files where checksum = %s and format = %s
    order by created_at, shop_id limit 1
"""
