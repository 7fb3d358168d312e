"""Media in the bucket of an S3-compatible store..."""

import uuid
from pathlib import Path

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import Unavailable
from crossdock.kit.clock import FrozenClock
from crossdock.shop.media import Media, keep_image, keep_video
from tests.support.factories import make_shop
from tests.support.films import film
from tests.support.keeping import create_media, create_videos
from tests.support.pictures import fresh, opened
from tests.support.simulators.moto_server import Moto
from tests.web.conftest import Ask


@pytest.fixture
def prefix() -> str:
    return uuid.uuid4().hex


@pytest.fixture
def media(
    database: Database,
    clock: FrozenClock,
    tmp_path: Path,
    kept_media: list[Media],
    moto: Moto,
    prefix: str,
) -> Media:
    store = moto.store(prefix=prefix)
    kept_media.append(create_media(database, clock, tmp_path, store=store))
    return kept_media[-1]


async def test_are_images_at_their_addresses(
    ask: Ask, media: Media, database: Database, moto: Moto, prefix: str
) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)
    image = await keep_image(media, shop_id=shop.id, partner_id=None, body=fresh())

    for size, expected in {"": (500, 410), "-100x100": (121, 100)}.items():
        reply = await ask(f"/images/{image.checksum}{size}.PNG")
        assert (reply.status, opened(reply.body).size) == (200, expected)
        assert int(reply.headers["content-length"]) == len(reply.body)
    kept = await moto.keys(prefix=prefix)
    assert [key.rpartition("/")[2] for key in kept] == ["100.PNG", "400.PNG", "original.PNG"]


async def test_are_videos_at_their_addresses_whole_and_in_ranges(
    ask: Ask, media: Media, database: Database, tmp_path: Path
) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)
    source = tmp_path / "film.mp4"
    source.write_bytes(film(seconds=1))
    videos = create_videos(media, tmp_path)
    video = await keep_video(videos, shop_id=shop.id, source=source)

    whole = await ask(f"/videos/{video.checksum}.mp4")
    part = await ask(f"/videos/{video.checksum}.mp4", range="bytes=100-299")

    assert (whole.status, len(whole.body)) == (200, int(whole.headers["content-length"]))
    assert (part.status, part.body) == (206, whole.body[100:300])


async def test_are_not_said_to_be_gone_where_the_bucket_is(
    ask: Ask,
    media: Media,
    database: Database,
    clock: FrozenClock,
    tmp_path: Path,
    kept_media: list[Media],
    moto: Moto,
    prefix: str,
) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)
    image = await keep_image(media, shop_id=shop.id, partner_id=None, body=fresh())
    elsewhere = moto.store(prefix=prefix, s3_bucket="nobody-made-it")
    kept_media.append(create_media(database, clock, tmp_path, store=elsewhere))

    with pytest.raises(Unavailable, match="media_unavailable"):
        await ask(f"/images/{image.checksum}.PNG")
