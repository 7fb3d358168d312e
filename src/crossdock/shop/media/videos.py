"""Videos of a shop: checked in a process of their own, kept without metadata, found again.

A video has a cover, which is an image of the shop. Renditions for HLS are made later; see `rendering`.
"""

import asyncio
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid, StorageFull, Unavailable
from crossdock.kit.film_processes import (
    COVER,
    MASTER,
    ORIGINAL,
    FilmBroken,
    FilmRefused,
    FilmTimeout,
    film_folder,
    run_film,
)
from crossdock.kit.storage import is_full
from crossdock.shop.catalogue import ImageFacts, VideoFacts
from crossdock.shop.media.keeping import Media, keep_image
from crossdock.shop.media.model import VIDEO_PATH, edges_for, hls_names, read_video_name
from crossdock.shop.media.reading import Marks
from crossdock.shop.media.store import StoredFile

_UPLOAD = timedelta(hours=1)
_PLACE_CHARS = 16
_PIECE_BYTES = 1024 * 1024
_BUSY_S = 30


class VideoLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How large a video may be; `pixels_max` is of one picture of it."""

    bytes_max: int
    seconds_max: int
    pixels_max: int


class Videos(msgspec.Struct, frozen=True, kw_only=True):
    """What videos need, set once in compose.py; `folder` is where one is worked on."""

    media: Media
    limits: VideoLimits
    folder: Path
    examine_s: int
    render_s: int


class VideoFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a video in the store, with its bytes."""

    key: str
    size: int


class StoredVideo(msgspec.Struct, frozen=True, kw_only=True):
    """A video of a shop; `progress` is how far its renditions are, in percent."""

    id: int
    checksum: str
    width: int
    height: int
    duration_ms: int
    has_audio: bool
    size_bytes: int
    state: str
    progress: int
    attempts: int
    error: str
    hls: str
    unused_since: datetime
    cover: ImageFacts


def facts_of(video: StoredVideo) -> VideoFacts:
    """What products tell of it."""
    return VideoFacts(
        id=video.id,
        checksum=video.checksum,
        width=video.width,
        height=video.height,
        duration_ms=video.duration_ms,
        cover=video.cover,
        hls=video.hls if video.state == "ready" else "",
    )


def raw_path(video: VideoFacts) -> str:
    """The path of its file."""
    return f"{VIDEO_PATH}{video.checksum}.mp4"


def hls_path(video: VideoFacts) -> str | None:
    """The path of its master playlist, None before there are renditions."""
    return f"{VIDEO_PATH}{video.hls}/{MASTER}" if video.hls else None


async def keep_video(service: Videos, *, shop_id: int, source: Path) -> StoredVideo:
    """Keep a video for the shop; the same bytes have the same id again.

    Raises Invalid (`video_invalid`, `video_too_large`) and Unavailable (`busy`, `media_unavailable`,
    `storage_full`); then nothing is kept.
    """
    marks = await asyncio.to_thread(_marks, source, service.limits)
    async with service.media.db.statement() as tx:
        known = await _again(tx, shop_id=shop_id, marks=marks, now=service.media.clock.now())
    if known is not None:
        return known
    with disk_errors_told(), film_folder(service.folder) as folder:
        found = await _examined(service, source, folder)
        cover = await keep_image(
            service.media,
            shop_id=shop_id,
            partner_id=None,
            body=await asyncio.to_thread((folder / COVER).read_bytes),
        )
        token = service.media.ids.random_token(_PLACE_CHARS)
        place = f"videos/{marks.checksum[:2]}/{marks.checksum}/{token}"
        await note_leftover(service.media, place=place, due_in=_UPLOAD)
        await service.media.store.put(video_key(place, ORIGINAL), folder / ORIGINAL)
    row = found | {
        "shop": shop_id,
        "checksum": marks.checksum,
        "digest": marks.digest,
        "place": place,
        "size": (await asyncio.to_thread(source.stat)).st_size,
        "cover": cover.id,
        "now": service.media.clock.now(),
    }
    async with service.media.db.begin() as tx:
        if await tx.all(_INSERT, row):
            await tx.run(_USE_COVER, (shop_id, cover.id))
            await tx.run("delete from image_leftovers where place = %s", (place,))
        kept = await _again(tx, shop_id=shop_id, marks=marks, now=row["now"])
    assert kept is not None
    return kept


async def read_videos(
    tx: Transaction, *, shop_id: int, video_ids: Sequence[int]
) -> list[StoredVideo]:
    """The shop's videos with these ids, by id."""
    rows = await tx.all(
        f"{_VIDEOS} where v.shop_id = %s and v.id = any(%s) order by v.id",
        (shop_id, list(video_ids)),
    )
    return [_stored(row) for row in rows]


async def list_videos(tx: Transaction, *, shop_id: int, limit: int) -> list[StoredVideo]:
    """The shop's newest videos."""
    rows = await tx.all(
        f"{_VIDEOS} where v.shop_id = %s order by v.id desc limit %s", (shop_id, limit)
    )
    return [_stored(row) for row in rows]


async def find_video(tx: Transaction, *, shop_id: int, checksum: str) -> StoredVideo | None:
    """The shop's video with this checksum."""
    row = await tx.one(f"{_VIDEOS} where v.shop_id = %s and v.checksum = %s", (shop_id, checksum))
    return None if row is None else _stored(row)


async def find_video_file(service: Media, text: str) -> VideoFile | None:
    """The file under this path behind `/videos/`; None where there is none."""
    key = await _key_of(service, text)
    size = None if key is None else await service.store.size(key)
    return None if key is None or size is None else VideoFile(key=key, size=size)


async def open_video(
    service: Media, file: VideoFile, *, span: tuple[int, int] | None = None
) -> StoredFile | None:
    """The bytes of a file that was found, or those from `span[0]` up to `span[1]`; None where it is gone."""
    return await service.store.get(file.key, span=span)


async def _key_of(service: Media, text: str) -> str | None:
    name = read_video_name(text)
    if name is None:
        return None
    async with service.db.statement() as tx:
        if name.checksum:
            place = await tx.value(
                "select place from videos where checksum = %s order by created_at, shop_id limit 1",
                (name.checksum,),
            )
        else:
            place = await tx.value(
                "select hls from videos where hls = %s and state = 'ready'", (name.folder,)
            )
    if place is None:
        return None
    return video_key(place, ORIGINAL) if name.checksum else video_key(hls_place(place), name.file)


def video_key(place: str, name: str) -> str:
    """The key in the store of one file."""
    return f"{place}/{name}"


def hls_place(folder: str) -> str:
    """The folder in the store of a video's renditions."""
    return f"videos/hls/{folder}"


def files_of(place: str, hls: str | None, *, width: int, height: int) -> list[str]:
    """The keys of a video's files, with those of its renditions where it has them."""
    keys = [video_key(place, ORIGINAL)]
    if hls:
        names = (*hls_names(edges_for(width, height)), MASTER)
        keys += [video_key(hls_place(hls), name) for name in names]
    return keys


async def note_leftover(media: Media, *, place: str, due_in: timedelta) -> None:
    """Note a folder before files are written to it."""
    async with media.db.statement() as tx:
        await tx.run(
            "insert into image_leftovers (place, format, due_at) values (%s, 'MP4', %s)",
            (place, media.clock.now() + due_in),
        )


async def _examined(service: Videos, source: Path, folder: Path) -> dict[str, Any]:
    limits = service.limits
    options = {"seconds_max": limits.seconds_max, "pixels_max": limits.pixels_max}
    try:
        return await run_film(
            "examine", source, folder, options=options, deadline_s=service.examine_s
        )
    except (FilmRefused, FilmTimeout) as error:
        raise unusable(str(error)) from error
    except FilmBroken as error:
        raise unusable("it cannot be read") from error


@contextmanager
def disk_errors_told() -> Iterator[None]:
    """Raises StorageFull where the disk is full, and Unavailable `busy` for other errors of the system."""
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise StorageFull from error
        raise Unavailable("busy", data={"retry_after_s": _BUSY_S}) from error


def unusable(reason: str) -> Invalid:
    """The error for a video that cannot be used."""
    return Invalid("video_invalid", f"The video cannot be used: {reason}.")


def _marks(source: Path, limits: VideoLimits) -> Marks:
    size = source.stat().st_size
    if not size:
        raise unusable("the file is empty")
    if size > limits.bytes_max:
        message = f"The video has more than {limits.bytes_max} bytes."
        raise Invalid("video_too_large", message, {"limit": limits.bytes_max})
    checksum, digest = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    with source.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            checksum.update(piece)
            digest.update(piece)
    return Marks(checksum=checksum.hexdigest(), digest=digest.digest())


async def _again(
    tx: Transaction, *, shop_id: int, marks: Marks, now: datetime
) -> StoredVideo | None:
    """The video of these bytes, unused from now on; renditions that failed are tried again.

    Raises Invalid where other bytes have their checksum.
    """
    other = await tx.value(
        "select true from videos where checksum = %s and digest <> %s",
        (marks.checksum, marks.digest),
    )
    if other:
        raise unusable("another video has the same checksum")
    await tx.run(
        """update videos set unused_since = %(now)s,
                  state = case state when 'failed' then 'waiting' else state end,
                  attempts = case state when 'failed' then 0 else attempts end,
                  due_at = case state when 'failed' then %(now)s else due_at end
           where shop_id = %(shop)s and checksum = %(checksum)s""",
        {"now": now, "shop": shop_id, "checksum": marks.checksum},
    )
    return await find_video(tx, shop_id=shop_id, checksum=marks.checksum)


def _stored(row: Sequence[Any]) -> StoredVideo:
    *own, cover = row
    names = StoredVideo.__struct_fields__[: len(own)]
    facts = msgspec.convert(cover, ImageFacts)
    return StoredVideo(**dict(zip(names, own, strict=True)), cover=facts)


_USE_COVER = "update images set is_used = true where shop_id = %s and id = %s"
_INSERT = """
    insert into videos (shop_id, checksum, digest, place, width, height, duration_ms, has_audio, size_bytes,
                        cover_id, due_at, unused_since, created_at)
    values (%(shop)s, %(checksum)s, %(digest)s, %(place)s, %(width)s, %(height)s, %(duration_ms)s,
            %(has_audio)s, %(size)s, %(cover)s, %(now)s, %(now)s, %(now)s)
    on conflict (shop_id, checksum) do nothing returning id
"""
_VIDEOS = """
    select v.id, v.checksum::text, v.width, v.height, v.duration_ms, v.has_audio, v.size_bytes, v.state,
           v.progress, v.attempts, v.error, coalesce(v.hls, ''), v.unused_since,
           json_build_object('id', i.id, 'checksum', f.checksum, 'format', f.format, 'width', f.width,
                             'height', f.height, 'color', f.color)
    from videos v join images i on i.shop_id = v.shop_id and i.id = v.cover_id
    join image_files f on f.shop_id = i.shop_id and f.checksum = i.checksum
"""
