"""An installation's images for tests: a folder as store, one thread."""

from datetime import timedelta
from pathlib import Path

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.kit.clock import Clock
from crossdock.kit.ids import RandomIds
from crossdock.settings.media import MediaSection
from crossdock.shop.media import (
    ImageLimits,
    Media,
    Reader,
    Store,
    VideoLimits,
    Videos,
    create_store,
)

KEEP = timedelta(days=30)


def create_media(
    database: Database,
    clock: Clock,
    folder: Path,
    *,
    store: Store | None = None,
    waiting_max: int = 9,
    unused_max: int = 1_000,
) -> Media:
    """The service with its files below `folder`, and limits that tests reach quickly."""
    limits = ImageLimits(bytes_max=500_000, pixels_max=4_000_000)
    return Media(
        db=database,
        clock=clock,
        ids=RandomIds(),
        store=store or create_store(MediaSection(), data_path=folder),
        reader=Reader(limits=limits, at_once=1, waiting_max=waiting_max),
        base_url="https://shop.example",
        keep_unused=KEEP,
        unused_max=unused_max,
    )


def files_in(folder: Path) -> list[str]:
    """The files of all images, without the random part of their folder."""
    names = (path.relative_to(folder / "media").parts for path in folder.glob("media/**/*.*"))
    return sorted("/".join((*parts[:2], parts[-1])) for parts in names)


async def count_images(tx: Transaction, *, shop_id: int) -> tuple[int, int]:
    """How many images the shop has, and how many contents."""
    row = await tx.one(
        "select (select count(*) from images where shop_id = %s),"
        " (select count(*) from image_files where shop_id = %s)",
        (shop_id, shop_id),
    )
    assert row is not None
    return row[0], row[1]


def create_videos(
    media: Media, folder: Path, *, examine_s: int = 60, render_s: int = 120
) -> Videos:
    """The videos' service, with limits that tests reach quickly."""
    return Videos(
        media=media,
        limits=VideoLimits(bytes_max=500_000, seconds_max=6, pixels_max=640 * 480),
        folder=folder / "films",
        examine_s=examine_s,
        render_s=render_s,
    )
