"""A video of a shop..."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from crossdock.db.unit_of_work import Database
from crossdock.errors import CrossdockError
from crossdock.kit.clock import FrozenClock
from crossdock.kit.outbound import Outbound
from crossdock.shop.catalogue import ProductRecord, VariantRecord, upsert_products
from crossdock.shop.media import (
    Fetching,
    StoredVideo,
    Videos,
    add_video,
    delete_leftovers,
    examine_images,
    fetch_videos,
    find_video_file,
    keep_video,
    list_given_up,
    open_image,
    open_video,
    purge_images,
    purge_videos,
    read_name,
    read_standing,
    remove_picture,
    render_videos,
    show_video,
    wish_for_all,
)
from crossdock.shop.media.model import edges_for
from crossdock.shop.media.rendering import LEASE
from crossdock.shop.shops import Shop, read_shop
from tests.support.factories import make_shop
from tests.support.films import (
    film,
    lasting,
    of_frame_time,
    of_size,
    sound_alone,
    without_frames,
)
from tests.support.keeping import KEEP, count_images, create_media, create_videos, files_in
from tests.support.simulators.http import HttpSimulator, Reply, Request
from tests.support.tcp_proxy import TcpProxy


class Cinema:
    """A shop with videos."""

    def __init__(self, database: Database, shop: Shop, videos: Videos, folder: Path) -> None:
        self.database, self.shop, self.videos, self.folder = database, shop, videos, folder
        self.media = videos.media

    async def keep(self, body: bytes) -> StoredVideo:
        source = self.folder / "upload.mp4"
        source.write_bytes(body)
        return await keep_video(self.videos, shop_id=self.shop.id, source=source)

    async def seen(self, video: StoredVideo) -> StoredVideo:
        async with self.database.statement() as tx:
            return await show_video(tx, shop_id=self.shop.id, video_id=video.id)

    async def write(self, *, video: str = "", name: str = "Lamp") -> None:
        """Write the product as an import does."""
        record = ProductRecord(
            handle="lamp", name=name, merchant="Main", currency="USD", video=video,
            variants=(VariantRecord(sku="LAMP-1", retail_minor=100),),
        )  # fmt: skip
        async with self.database.begin() as tx:
            await upsert_products(tx, shop=self.shop, records=[record], now=self.media.clock.now())

    async def add(self, video: StoredVideo) -> None:
        async with self.database.begin() as tx:
            now = self.media.clock.now()
            await add_video(tx, shop_id=self.shop.id, sku="LAMP-1", video=video, now=now)

    async def told(self) -> Any:
        """What the product says of its video."""
        async with self.database.statement() as tx:
            return await tx.value("select video from products where shop_id = %s", (self.shop.id,))

    async def read(self, path: str, *, span: tuple[int, int] | None = None) -> bytes | None:
        found = await find_video_file(self.media, path)
        file = await open_video(self.media, found, span=span) if found else None
        return None if file is None else b"".join([piece async for piece in file.pieces])

    async def missing(self) -> list[str]:
        """The files that the doctor misses of this shop."""
        found = (await examine_images(self.media)).differences
        own = f"shop {self.shop.id} "
        return [each.expected for each in found if each.where.startswith(own)]

    async def images(self) -> tuple[int, int]:
        async with self.database.statement() as tx:
            return await count_images(tx, shop_id=self.shop.id)

    def kept(self) -> list[str]:
        """The names of all videos' files."""
        root = self.folder / "media" / "videos"
        return sorted(path.name for path in root.rglob("*") if path.is_file())

    def worked_on(self) -> list[Path]:
        return [each for each in self.videos.folder.glob("*") if each.is_dir()]


@pytest.fixture
async def cinema(database: Database, clock: FrozenClock, tmp_path: Path) -> AsyncIterator[Cinema]:
    media = create_media(database, clock, tmp_path)
    async with database.begin() as tx:
        # What other tests left, in other shops.
        await tx.run("delete from videos")
        await tx.run("delete from image_leftovers")
        made = await make_shop(tx)
        shop = await read_shop(tx, slug=made.slug)
    yield Cinema(database, shop, create_videos(media, tmp_path), tmp_path)
    media.reader.close()


async def test_is_kept_without_its_metadata_and_with_a_cover(cinema: Cinema) -> None:
    body = film(seconds=2, size=(320, 240), title="SecretPlace")

    video = await cinema.keep(body)

    assert (video.width, video.height, video.has_audio) == (320, 240, True)
    assert 1_900 <= video.duration_ms <= 2_100
    assert (video.state, video.progress, video.size_bytes) == ("waiting", 0, len(body))
    served = await cinema.read(f"{video.checksum}.mp4")
    assert b"SecretPlace" in body
    assert served is not None
    assert b"SecretPlace" not in served
    assert served.index(b"moov") < served.index(b"mdat")  # plays before the whole is there
    assert await cinema.read(f"{video.checksum}.mp4", span=(4, 8)) == b"ftyp"
    name = read_name(f"{video.cover.checksum}.JPEG")
    assert name is not None
    assert await open_image(cinema.media, name) is not None
    assert (video.cover.width, video.cover.height) == (320, 240)
    assert await cinema.keep(body) == video
    assert cinema.worked_on() == []


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        (b"", "video_invalid", "empty"),
        (b"\x89PNG" * 9, "video_invalid", "no MP4"),
        (b"\0\0\0\x18ftypmp42" + b"\0" * 90, "video_invalid", "decoded"),
        (film(seconds=1)[:2_000], "video_invalid", "decoded"),
        (film(seconds=1, codec="mpeg4"), "video_invalid", "H.264"),
        (film(seconds=1, container="matroska"), "video_invalid", "no MP4"),
        (film(seconds=7, size=(64, 48), sound=False), "video_invalid", "longer than 6"),
        (film(seconds=1, size=(1280, 720)), "video_invalid", "pixels"),
        (of_size(film(seconds=1, size=(1280, 720)), (64, 48)), "video_invalid", "pixels"),
        (of_frame_time(film(seconds=1)), "video_invalid", "longer than 6"),
        (without_frames(film(seconds=1)), "video_invalid", "not H.264"),
        (sound_alone(), "video_invalid", "picture track"),
        (b"A text that was named film.mp4, and is no film.", "video_invalid", "no MP4"),
        (b"x" * 500_001, "video_too_large", "bytes"),
    ],
)
async def test_is_refused_when_it_cannot_be_used(
    cinema: Cinema, body: bytes, code: str, words: str
) -> None:
    with pytest.raises(CrossdockError) as refused:
        await cinema.keep(body)

    assert refused.value.code == code
    assert words in refused.value.message
    assert str(cinema.folder) not in refused.value.message
    assert (cinema.kept(), cinema.worked_on(), files_in(cinema.folder)) == ([], [], [])


@pytest.mark.parametrize(
    "told", [lambda body: lasting(body, hours=10), lambda body: of_size(body, (65_535, 65_535))]
)
async def test_is_what_its_pictures_are_whatever_its_headers_say(cinema: Cinema, told: Any) -> None:
    video = await cinema.keep(told(film(seconds=1, size=(320, 240))))

    assert (video.width, video.height) == (320, 240)
    assert 900 <= video.duration_ms <= 1_100


async def test_is_refused_when_reading_it_takes_too_long(cinema: Cinema, tmp_path: Path) -> None:
    cinema.videos = create_videos(cinema.media, tmp_path, examine_s=0)
    with pytest.raises(CrossdockError, match=r"more than 0 seconds"):
        await cinema.keep(film(seconds=1))
    assert (cinema.kept(), cinema.worked_on()) == ([], [])


async def test_gets_renditions_that_the_product_tells(cinema: Cinema) -> None:
    video = await cinema.keep(film(seconds=5, size=(640, 480)))
    await cinema.write()
    await cinema.add(video)
    assert (await cinema.told())["media"]["hls"] == ""

    assert await render_videos(cinema.videos) == 1

    done = await cinema.seen(video)
    assert (done.state, done.progress, done.error) == ("ready", 100, "")
    told = (await cinema.told())["media"]
    assert (told["id"], told["hls"], told["cover"]["id"]) == (video.id, done.hls, video.cover.id)
    master = (await cinema.read(f"{done.hls}/master.m3u8") or b"").decode()
    assert [line for line in master.splitlines() if "RESOLUTION" in line] == [
        '#EXT-X-STREAM-INF:BANDWIDTH=560000,RESOLUTION=320x240,CODECS="avc1.4D400D,mp4a.40.2"',
        '#EXT-X-STREAM-INF:BANDWIDTH=1360000,RESOLUTION=640x480,CODECS="avc1.4D4016,mp4a.40.2"',
    ]
    playlist = (await cinema.read(f"{done.hls}/480.m3u8") or b"").decode()
    assert playlist.count("#EXT-X-BYTERANGE") == 2
    assert await cinema.read(f"{done.hls}/720.m3u8") is None
    assert cinema.kept() == [
        "240.m3u8", "240.mp4", "480.m3u8", "480.mp4", "master.m3u8", "original.mp4",
    ]  # fmt: skip
    assert await render_videos(cinema.videos) == 0
    assert await cinema.missing() == []
    await cinema.media.store.delete([f"videos/hls/{done.hls}/240.mp4"])
    assert await cinema.missing() == [f"videos/hls/{done.hls}/240.mp4"]


@pytest.mark.parametrize(
    ("size", "edges"),
    [
        ((64, 48), (240,)),
        ((640, 480), (240, 480)),
        ((480, 900), (240, 480)),
        ((1920, 1080), (240, 480, 720)),
    ],
)
def test_has_renditions_that_are_no_larger(size: tuple[int, int], edges: tuple[int, ...]) -> None:
    assert edges_for(*size) == edges


async def test_is_rendered_again_when_a_worker_died_and_nothing_is_left_of_it(
    cinema: Cinema, clock: FrozenClock
) -> None:
    video = await cinema.keep(film(seconds=5, size=(320, 240)))
    first = asyncio.create_task(render_videos(cinema.videos))
    while (await cinema.seen(video)).state != "running":
        await asyncio.wait([first], timeout=0.05)
    died = await cinema.seen(video)
    first.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await first

    assert (died.state, cinema.worked_on()) == ("running", [])
    assert await render_videos(cinema.videos) == 0  # the other worker may be alive
    clock.move(LEASE)
    assert await render_videos(cinema.videos) == 1
    done = await cinema.seen(video)
    assert (done.state, done.attempts) == ("ready", 2)
    assert done.hls != died.hls
    assert await delete_leftovers(cinema.media) == 1
    assert cinema.kept() == ["240.m3u8", "240.mp4", "master.m3u8", "original.mp4"]
    assert await delete_leftovers(cinema.media) == 0


async def test_is_rendered_once_although_the_database_goes_away_meanwhile(
    cinema: Cinema, clock: FrozenClock, database_url: str, tmp_path: Path
) -> None:
    video = await cinema.keep(film(seconds=5, size=(320, 240)))
    async with TcpProxy(database_url) as proxy:
        database = Database(proxy.url, max_size=1, wait_s=0.5)
        await database.open()
        media = create_media(database, clock, tmp_path)
        rendering = asyncio.create_task(render_videos(create_videos(media, tmp_path)))
        while (await cinema.seen(video)).state != "running":
            await asyncio.wait([rendering], timeout=0.05)

        with capture_logs() as told:
            await proxy.cut()
            while "master.m3u8" not in cinema.kept():
                await asyncio.wait([rendering], timeout=0.05)
            assert not rendering.done()
            await proxy.mend()
            assert await rendering == 1
        media.reader.close()
        await database.close()

    done = await cinema.seen(video)
    assert (done.state, done.progress, done.attempts) == ("ready", 100, 1)
    assert "a rendering goes on without its lease renewed" in {each["event"] for each in told}


async def test_that_cannot_be_rendered_in_time_says_so_until_it_is_added_again(
    cinema: Cinema, tmp_path: Path
) -> None:
    body = film(seconds=2)
    video = await cinema.keep(body)
    slow = create_videos(cinema.media, tmp_path, render_s=0)

    assert await render_videos(slow) == 1
    failed = await cinema.seen(video)
    assert (failed.state, failed.hls) == ("failed", "")
    assert "0 seconds" in failed.error
    assert (await cinema.keep(body)).state == "waiting"
    await render_videos(cinema.videos)
    assert (await cinema.seen(video)).state == "ready"


async def test_outlasts_imports_until_staff_take_it_away(cinema: Cinema) -> None:
    video = await cinema.keep(film(seconds=1))
    await cinema.write(video="https://films.example/a.mp4")
    await cinema.add(video)

    await cinema.write(video="https://films.example/b.mp4", name="Other")
    assert (await cinema.told())["url"] == f"/videos/{video.checksum}.mp4"

    async with cinema.database.begin() as tx:
        now = cinema.media.clock.now()
        await remove_picture(
            tx, shop_id=cinema.shop.id, sku="LAMP-1", checksum=video.checksum, now=now
        )
    assert await cinema.told() is None
    await cinema.write(video="https://films.example/b.mp4", name="Other")
    assert await cinema.told() == {"url": "https://films.example/b.mp4"}


async def test_goes_with_its_files_and_its_cover_when_no_product_has_it(
    cinema: Cinema, clock: FrozenClock
) -> None:
    video = await cinema.keep(film(seconds=1))
    await render_videos(cinema.videos)
    await cinema.write()
    await cinema.add(video)

    clock.move(KEEP * 2)
    assert await purge_videos(cinema.media) == 0
    await purge_images(cinema.media)
    assert await cinema.images() == (1, 1)
    async with cinema.database.begin() as tx:
        await remove_picture(
            tx, shop_id=cinema.shop.id, sku="LAMP-1", checksum=video.checksum, now=clock.now()
        )
    clock.move(KEEP * 2)
    assert await purge_videos(cinema.media) == 1
    clock.move(KEEP * 2)
    await purge_images(cinema.media)
    assert await cinema.images() == (0, 0)
    await delete_leftovers(cinema.media)
    assert (cinema.kept(), files_in(cinema.folder)) == ([], [])


async def test_is_fetched_from_the_address_that_a_product_names(
    cinema: Cinema, clock: FrozenClock
) -> None:
    body = film(seconds=1)

    async def answer(request: Request) -> Reply:
        return Reply(200, body) if request.path == "/a.mp4" else Reply(404)

    async with HttpSimulator(answer) as server:
        outbound = Outbound(allowed_hosts=["127.0.0.1"])
        fetching = Fetching(media=cinema.media, outbound=outbound, at_once=1)
        await cinema.write(video=f"{server.url}/a.mp4")
        async with cinema.database.begin() as tx:
            assert await wish_for_all(tx, shop_id=cinema.shop.id, now=clock.now()) == 1
        done = await fetch_videos(fetching, videos=cinema.videos)
        assert (done.held, done.failed) == (1, 0)
        told = await cinema.told()
        assert (told["url"], told["media"]["width"]) == (f"{server.url}/a.mp4", 320)

        await cinema.write(video=f"{server.url}/a.mp4", name="Other")
        assert await cinema.told() == told
        await cinema.write(video=f"{server.url}/b.mp4")
        assert await cinema.told() == {"url": f"{server.url}/b.mp4"}
        async with cinema.database.begin() as tx:
            await wish_for_all(tx, shop_id=cinema.shop.id, now=clock.now())
        done = await fetch_videos(fetching, videos=cinema.videos)
        assert (done.held, done.failed) == (0, 1)
        await outbound.close()
    async with cinema.database.statement() as tx:
        standing = await read_standing(tx, shop_id=cinema.shop.id)
        [given_up] = await list_given_up(tx, shop_id=cinema.shop.id, limit=5)
    assert (standing.held, standing.given_up) == (1, 1)
    assert given_up.error == "The server answered 404."
