"""Fetch videos from the addresses that products name, one after the other, as images are fetched."""

import asyncio
from datetime import timedelta
from typing import Final

import structlog

from crossdock.errors import DatabaseUnavailable, Invalid, Unavailable
from crossdock.kit.film_processes import film_folder
from crossdock.shop.alerts import isolated
from crossdock.shop.catalogue import HeldAddress, hold_videos
from crossdock.shop.media.fetching import (
    Failed,
    Fetched,
    Fetching,
    Wanted,
    fetch_body,
    next_attempt,
    unforeseen,
)
from crossdock.shop.media.model import VIDEO_PATH, read_video_name
from crossdock.shop.media.videos import (
    StoredVideo,
    Videos,
    disk_errors_told,
    facts_of,
    find_video,
    keep_video,
    read_videos,
)
from crossdock.shop.media.wishing import (
    Source,
    claim_sources,
    note_failed,
    note_held,
    read_wishes,
)

_DEADLINE_S: Final = 300  # below the lease of an address
_RUN: Final = timedelta(minutes=2)
log = structlog.get_logger("crossdock.media")


async def fetch_videos(service: Fetching, *, videos: Videos) -> Fetched:
    """Fetch what is due, for some minutes at most."""
    media = service.media
    held = failed = 0
    until = media.clock.now() + _RUN
    while media.clock.now() < until:
        async with media.db.statement() as tx:
            sources = await claim_sources(tx, now=media.clock.now(), limit=1, is_video=True)
        if not sources:
            break
        [source] = sources
        async with isolated(
            media.db,
            job="fetch_images",
            shop_id=source.shop_id,
            about=source.url,
            now=media.clock.now(),
        ):
            video = await _fetch(service, videos, source)
            if isinstance(video, Failed):
                await _record_failure(videos, source, video)
                failed += 1
            else:
                await _record(videos, source, video)
                held += 1
    return Fetched(held=held, failed=failed)


async def _fetch(service: Fetching, videos: Videos, source: Source) -> StoredVideo | Failed:
    try:
        return await _video(service, videos, source)
    except Failed as failure:
        return failure
    except DatabaseUnavailable:
        raise
    except Exception as error:
        log.exception("an address was not fetched", url=source.url)
        return unforeseen(error)


async def _video(service: Fetching, videos: Videos, source: Source) -> StoredVideo:
    """The video of an address: the one that is held, one of this server, or what is there. Raises Failed."""
    known = await _known(videos, source)
    if known is not None:
        return known
    if source.url.startswith(VIDEO_PATH):
        raise Failed("The shop has no such video.", is_final=True)
    wanted = Wanted(accept="video/mp4", deadline_s=_DEADLINE_S, bytes_max=videos.limits.bytes_max)
    body = await fetch_body(service, source.url, wanted=wanted)
    try:
        with disk_errors_told(), film_folder(videos.folder) as folder:
            file = folder / "fetched.mp4"
            await asyncio.to_thread(file.write_bytes, body)
            return await keep_video(videos, shop_id=source.shop_id, source=file)
    except Invalid as error:
        raise Failed(error.message, is_final=True) from error
    except Unavailable as error:
        raise Failed(error.message, is_final=False) from error


async def _known(videos: Videos, source: Source) -> StoredVideo | None:
    name = read_video_name(source.url.removeprefix(VIDEO_PATH))
    async with videos.media.db.statement() as tx:
        if source.video_id is not None:
            found = await read_videos(tx, shop_id=source.shop_id, video_ids=[source.video_id])
            return found[0] if found else None
        if name is None or not source.url.startswith(VIDEO_PATH):
            return None
        return await find_video(tx, shop_id=source.shop_id, checksum=name.checksum)


async def _record(videos: Videos, source: Source, video: StoredVideo) -> None:
    """Record what came of an address, and tell the products that wish for it."""
    now = videos.media.clock.now()
    async with videos.media.db.begin() as tx:
        await note_held(tx, source=source, held_id=video.id)
        [newest] = await read_videos(tx, shop_id=source.shop_id, video_ids=[video.id])
        found = [
            HeldAddress(product_id=each.product_id, url=each.url, media=facts_of(newest))
            for each in await read_wishes(tx, source=source)
        ]
        if found:
            await hold_videos(tx, shop_id=source.shop_id, found=found, now=now)


async def _record_failure(videos: Videos, source: Source, failure: Failed) -> None:
    now = videos.media.clock.now()
    due_at = None if failure.is_final else next_attempt(source, now=now)
    async with videos.media.db.statement() as tx:
        await note_failed(tx, source=source, error=failure.reason, due_at=due_at)
