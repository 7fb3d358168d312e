"""Delete images and videos that nothing refers to, and files that are no one's."""

from crossdock.kit.film_processes import MASTER
from crossdock.kit.film_processes import ORIGINAL as FILM
from crossdock.shop.alerts import isolated
from crossdock.shop.media.keeping import Media, file_key
from crossdock.shop.media.model import EDGES, ORIGINAL, hls_names
from crossdock.shop.media.videos import video_key

_AT_ONCE = 500
_PLACES_AT_ONCE = 100


async def purge_images(service: Media) -> int:
    """Delete images that were unused for as long as the settings say, batch by batch; returns how many."""
    return await _purge(service, "select looked, gone from purge_images(%s, %s, %s)")


async def purge_videos(service: Media) -> int:
    """Delete videos that no product has had for as long as the settings say; returns how many."""
    return await _purge(service, "select looked, gone from purge_videos(%s, %s, %s)")


async def _purge(service: Media, statement: str) -> int:
    now, count = service.clock.now(), 0
    while True:
        async with service.db.begin() as tx:
            await tx.take_time()
            row = await tx.one(statement, (now - service.keep_unused, now, _AT_ONCE))
        looked, gone = row or (0, 0)
        if not looked:
            return count
        count += gone


async def delete_leftovers(service: Media) -> int:
    """Delete the files of images that went, and of uploads that failed; returns of how many.

    Each place was an image's once and is never used again, so deleting twice does no harm.
    """
    count, last = 0, ""
    while True:
        now = service.clock.now()
        async with service.db.statement() as tx:
            places = await tx.all(
                "select place, format from image_leftovers where due_at <= %s and place > %s"
                " order by place limit %s",
                (now, last, _PLACES_AT_ONCE),
            )
        deleted = []
        for place, kind in places:
            async with isolated(service.db, job="purge_images", about=f"files of {place}", now=now):
                await service.store.delete(_keys(place, kind))
                deleted.append(place)
        async with service.db.statement() as tx:
            await tx.run("delete from image_leftovers where place = any(%s)", (deleted,))
        count += len(deleted)
        if len(places) < _PLACES_AT_ONCE or not deleted:
            return count
        last = places[-1][0]


def _keys(place: str, kind: str) -> list[str]:
    """Every key that a folder may have."""
    if kind == "MP4":
        return [video_key(place, name) for name in (FILM, MASTER, *hls_names())]
    return [file_key(place, edge=edge, kind=kind) for edge in (ORIGINAL, *EDGES)]
