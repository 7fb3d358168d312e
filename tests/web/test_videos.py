"""The address of a video..."""

from pathlib import Path

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.media import Media, StoredVideo, keep_video
from tests.support.factories import make_shop
from tests.support.films import film
from tests.support.keeping import create_media, create_videos
from tests.web.conftest import Ask

FOLDER = "0123456789abcdef"


@pytest.fixture
def media(database: Database, clock: FrozenClock, tmp_path: Path, kept_media: list[Media]) -> Media:
    kept_media.append(create_media(database, clock, tmp_path))
    return kept_media[-1]


@pytest.fixture
async def video(media: Media, database: Database, tmp_path: Path) -> StoredVideo:
    async with database.begin() as tx:
        shop = await make_shop(tx)
    source = tmp_path / "film.mp4"
    source.write_bytes(film(seconds=1))
    return await keep_video(create_videos(media, tmp_path), shop_id=shop.id, source=source)


async def test_gives_the_whole_or_the_range_that_is_asked_for(ask: Ask, video: StoredVideo) -> None:
    path = f"/videos/{video.checksum}.mp4"
    whole = await ask(path)
    size = len(whole.body)

    assert (whole.status, whole.headers["content-type"]) == (200, "video/mp4")
    assert whole.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert whole.headers["accept-ranges"] == "bytes"
    assert whole.headers["access-control-allow-origin"] == "*"
    assert int(whole.headers["content-length"]) == size
    for asked, start, end in (
        ("bytes=0-99", 0, 100),
        ("bytes=100-", 100, size),
        ("bytes=-7", size - 7, size),
        (f"bytes=5-{size * 9}", 5, size),
        (f"bytes=-{size * 9}", 0, size),
    ):
        part = await ask(path, range=asked)
        assert (part.status, part.body) == (206, whole.body[start:end]), asked
        assert part.headers["content-range"] == f"bytes {start}-{end - 1}/{size}"
        assert int(part.headers["content-length"]) == end - start
    for asked in (f"bytes={size}-", "bytes=-0"):
        unmet = await ask(path, range=asked)
        assert (unmet.status, unmet.headers["content-range"]) == (416, f"bytes */{size}"), asked
    for asked in ("bytes=-", "bytes=9-3", "bytes=0-1,5-6", "lines=1-2", "bytes=x-"):
        assert (await ask(path, range=asked)).body == whole.body, asked
    assert (await ask(path, range="bytes=0-1", if_range='"other"')).status == 200


async def test_answers_head_and_who_has_it_without_the_bytes(ask: Ask, video: StoredVideo) -> None:
    path = f"/videos/{video.checksum}.mp4"
    head, whole = await ask(path, method="HEAD"), await ask(path)

    assert (head.status, head.body, head.headers) == (200, b"", whole.headers)
    assert (await ask(path, method="HEAD", range="bytes=0-9")).headers == whole.headers
    known = await ask(path, if_none_match=whole.headers["etag"])
    assert (known.status, known.body) == (304, b"")


async def test_is_not_there_for_any_other_path(ask: Ask, video: StoredVideo) -> None:
    for path in (
        f"{video.checksum}.MP4",
        f"{'0' * 32}.mp4",
        f"{FOLDER}/master.m3u8",
        f"{FOLDER}/360.mp4",
        f"../{video.checksum}.mp4",
        "",
    ):
        assert (await ask(f"/videos/{path}")).status == 404, path
