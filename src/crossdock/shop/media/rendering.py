"""Make the renditions of videos for HLS: one video after the other, by whichever worker is free.

A worker holds a video by its `due_at`, which its progress moves on. One that dies lets go of it within
LEASE; the next one begins again in a folder of its own, and the old folder is left over. One whose database
is away for less than that goes on.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import structlog

from crossdock.errors import DatabaseUnavailable, Unavailable
from crossdock.kit.film_processes import (
    MASTER,
    ORIGINAL,
    FilmBroken,
    FilmRefused,
    FilmTimeout,
    film_folder,
    run_film,
)
from crossdock.shop.catalogue import renew_video
from crossdock.shop.media.model import edges_for, hls_names
from crossdock.shop.media.videos import (
    Videos,
    facts_of,
    hls_place,
    read_videos,
    video_key,
)

log = structlog.get_logger("crossdock.media")

LEASE = timedelta(minutes=2)
ATTEMPTS_MAX = 3
_EVERY_PERCENT = 5
_BEAT_S = 30
_BEAT_AGAIN_S = 5
_WRITE_AGAIN_S = (1, 2, 5, 10, 20, 30)
"""The waits between attempts to write what a rendering came to: together less than LEASE."""

_FOLDER_CHARS = 16


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """A video whose renditions this worker makes, in the folder `hls`."""

    shop_id: int
    id: int
    place: str
    width: int
    height: int
    duration_ms: int
    attempts: int
    hls: str


async def render_videos(service: Videos) -> int:
    """Make the renditions that are due, until none is; returns of how many videos."""
    count = 0
    while claimed := await _claim(service):
        await _render(service, claimed)
        count += 1
    return count


async def _claim(service: Videos) -> Claimed | None:
    media = service.media
    now, folder = media.clock.now(), media.ids.random_token(_FOLDER_CHARS)
    parameters = {"now": now, "until": now + LEASE, "hls": folder, "most": ATTEMPTS_MAX}
    async with media.db.begin() as tx:
        await tx.run(_GIVE_UP, parameters)
        row = await tx.one(_CLAIM, parameters)
        if row is None:
            return None
        await tx.run(
            "insert into image_leftovers (place, format, due_at) values (%s, 'MP4', %s)",
            (hls_place(folder), now + LEASE),
        )
    return Claimed(**dict(zip(Claimed.__struct_fields__, row, strict=True)))


async def _render(service: Videos, video: Claimed) -> None:
    progress = _Progress()
    beating = asyncio.create_task(_beat(service, video, progress))
    try:
        with film_folder(service.folder) as folder:
            await _work(service, video, folder, progress)
    except (FilmRefused, FilmTimeout) as error:
        await _fail(service, video, error=str(error), is_final=True)
    except (FilmBroken, OSError) as error:
        is_final = video.attempts >= ATTEMPTS_MAX
        await _fail(service, video, error=str(error), is_final=is_final)
    except DatabaseUnavailable:
        raise
    except Unavailable as error:
        await _fail(service, video, error=error.message, is_final=False, counts=False)
    except Exception as error:
        log.exception("a video was not rendered", shop_id=video.shop_id, video=video.id)
        words = f"it failed with {type(error).__name__}; see the log"
        await _fail(service, video, error=words, is_final=video.attempts >= ATTEMPTS_MAX)
    finally:
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)


async def _work(service: Videos, video: Claimed, folder: Path, progress: "_Progress") -> None:
    store = service.media.store
    source = await store.get(video_key(video.place, ORIGINAL))
    if source is None:
        raise FilmRefused("its file is missing")
    film = folder / ORIGINAL
    with film.open("wb") as file:
        async for piece in source.pieces:
            file.write(piece)
    edges = edges_for(video.width, video.height)
    options = {"edges": list(edges), "seconds": video.duration_ms / 1000}
    await run_film(
        "render", film, folder, options=options, deadline_s=service.render_s, told=progress.note
    )
    for name in (*hls_names(edges), MASTER):
        await store.put(video_key(hls_place(video.hls), name), folder / name)
    await _write(lambda: _finish(service, video))


async def _finish(service: Videos, video: Claimed) -> None:
    """Record that they are there, and tell the products that have the video."""
    media = service.media
    now = media.clock.now()
    async with media.db.begin() as tx:
        if not await tx.all(_READY, _keys(video)):
            return  # purged, or another worker's by now: the files are left over
        await tx.run("delete from image_leftovers where place = %s", (hls_place(video.hls),))
        [kept] = await read_videos(tx, shop_id=video.shop_id, video_ids=[video.id])
        await renew_video(tx, shop_id=video.shop_id, facts=facts_of(kept), now=now)


async def _fail(
    service: Videos, video: Claimed, *, error: str, is_final: bool, counts: bool = True
) -> None:
    """Record a failure; one that does not count is the store's, which will be there again."""
    state = "failed" if is_final else "waiting"
    due_at = None if is_final else service.media.clock.now() + LEASE
    parameters = _keys(video) | {
        "state": state,
        "error": error,
        "due": due_at,
        "uncounted": int(not counts),
    }

    async def write() -> None:
        async with service.media.db.statement() as tx:
            await tx.run(_FAILED, parameters)

    await _write(write)


async def _write(write: Callable[[], Awaitable[None]]) -> None:
    """Write what a rendering came to, again while the database is away and the video is still held."""
    for wait_s in _WRITE_AGAIN_S:
        try:
            await write()
            return
        except Unavailable as error:
            log.warning("what a rendering came to is written later", error=error.code)
            await asyncio.sleep(wait_s)
    await write()


class _Progress:
    """How far a rendering is, as its program says; the beat writes it."""

    def __init__(self) -> None:
        self.percent = 0
        self._moved = asyncio.Event()

    async def note(self, percent: int) -> None:
        """Remember how far it is; every few percent are written at once."""
        if percent >= self.percent + _EVERY_PERCENT:
            self.percent = percent
            self._moved.set()

    async def wait(self, wait_s: int) -> None:
        """Until it moved on, and for so long at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._moved.wait()
        self._moved.clear()


async def _beat(service: Videos, video: Claimed, progress: _Progress) -> None:
    """Hold the video, also while nothing is told of its progress; one hold that fails is tried again soon."""
    wait_s = _BEAT_S
    while True:
        await progress.wait(wait_s)
        is_held = await _holds(service, video, progress=progress.percent)
        wait_s = _BEAT_S if is_held else _BEAT_AGAIN_S


async def _holds(service: Videos, video: Claimed, *, progress: int) -> bool:
    try:
        await _hold(service, video, progress=progress)
    except Unavailable as error:
        log.warning("a rendering goes on without its lease renewed", error=error.code)
        return False
    return True


async def _hold(service: Videos, video: Claimed, *, progress: int) -> None:
    until = service.media.clock.now() + LEASE
    parameters = _keys(video) | {"progress": progress, "until": until}
    async with service.media.db.begin() as tx:
        await tx.run(_HOLD, parameters)
        await tx.run(
            "update image_leftovers set due_at = greatest(due_at, %s) where place = %s and due_at > '-infinity'",
            (until, hls_place(video.hls)),
        )


def _keys(video: Claimed) -> dict[str, Any]:
    return {"shop": video.shop_id, "id": video.id, "hls": video.hls}


_MINE = "shop_id = %(shop)s and id = %(id)s and hls = %(hls)s and state = 'running'"
_GIVE_UP = """
    update videos set state = 'failed', due_at = null, hls = null, error = 'its worker ended each time'
    where due_at <= %(now)s and attempts >= %(most)s
"""
_CLAIM = """
    update videos v set state = 'running', progress = 0, attempts = attempts + 1, error = '', hls = %(hls)s,
           due_at = %(until)s
    from (select shop_id, id from videos where due_at <= %(now)s
          order by due_at limit 1 for update skip locked) due
    where v.shop_id = due.shop_id and v.id = due.id
    returning v.shop_id, v.id, v.place, v.width, v.height, v.duration_ms, v.attempts, v.hls
"""
_HOLD = f"""
    update videos set progress = greatest(progress, %(progress)s), due_at = %(until)s where {_MINE}
"""
_READY = f"""
    update videos set state = 'ready', progress = 100, due_at = null where {_MINE} returning id
"""
_FAILED = f"""
    update videos set state = %(state)s, error = %(error)s, due_at = %(due)s, hls = null,
           attempts = attempts - %(uncounted)s
    where {_MINE}
"""
