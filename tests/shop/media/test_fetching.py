"""The images that products name..."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.kit.outbound import Outbound
from crossdock.shop.catalogue import (
    Image,
    ImageFacts,
    ProductRecord,
    VariantRecord,
    upsert_products,
)
from crossdock.shop.events import CatalogueChanged, advance, read_new
from crossdock.shop.media import (
    Fetched,
    Fetching,
    add_pictures,
    examine_images,
    fetch_consumer,
    fetch_images,
    keep_image,
    list_given_up,
    purge_images,
    read_standing,
    remove_picture,
    wish_for_all,
)
from crossdock.shop.media.fetching import WAITS_S
from crossdock.shop.shops import Shop, read_shop
from tests.support.factories import make_shop
from tests.support.keeping import KEEP, create_media
from tests.support.locks import waiting_for_a_lock
from tests.support.pictures import fresh, png_of_size
from tests.support.simulators.http import Drop, HttpSimulator, Outcome, Reply, Request


class Pictures:
    """A server with pictures: what it answers by path, the last one for ever."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Outcome]] = {}
        self.is_open = asyncio.Event()
        self.is_open.set()
        self.server = HttpSimulator(self._answer)

    async def _answer(self, request: Request) -> Outcome:
        await self.is_open.wait()
        answers = self.answers.get(request.path, [Reply(404)])
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def put(self, path: str, *answers: Outcome | bytes) -> str:
        self.answers[path] = [
            Reply(200, each) if isinstance(each, bytes) else each for each in answers
        ]
        return self.server.url + path

    def asked(self, path: str) -> int:
        return sum(request.path == path for request in self.server.requests)


class Stall:
    """A shop whose products show pictures."""

    def __init__(self, database: Database, shop: Shop, fetching: Fetching) -> None:
        self.database, self.shop, self.fetching = database, shop, fetching
        self.media = fetching.media

    async def show(self, handle: str, *urls: str, name: str = "Lamp") -> None:
        """Write the product as an import does."""
        record = ProductRecord(
            handle=handle,
            name=name,
            merchant="Main",
            currency="USD",
            variants=(VariantRecord(sku=f"{handle}-1", retail_minor=100),),
            images=tuple(Image(url=url, alt=f"alt {url[-5:]}") for url in urls),
        )
        async with self.database.begin() as tx:
            await upsert_products(tx, shop=self.shop, records=[record], now=self.media.clock.now())

    async def pictures(self, handle: str) -> list[dict[str, Any]]:
        async with self.database.statement() as tx:
            found = await tx.value(
                "select images from products where shop_id = %s and handle = %s",
                (self.shop.id, handle),
            )
        return list(found)

    async def held(self, handle: str) -> list[bool]:
        return ["media" in each for each in await self.pictures(handle)]

    async def ask(self) -> int:
        async with self.database.begin() as tx:
            return await wish_for_all(tx, shop_id=self.shop.id, now=self.media.clock.now())

    async def consume(self) -> None:
        """Let the consumer read what happened."""
        consumer, now = fetch_consumer(), self.media.clock.now()
        async with self.database.begin() as tx:
            await tx.value("select number_all_events(1000)")
        async with self.database.begin() as tx:
            batch = await read_new(tx, shop_id=self.shop.id, consumer=consumer)
            if batch is None:
                return
            if batch.events:
                await consumer.take(tx, batch=batch, now=now)
            await advance(tx, batch=batch, consumer=consumer, now=now)

    async def fetch(self) -> Fetched:
        return await fetch_images(self.fetching)

    async def standing(self) -> tuple[int, int, int]:
        async with self.database.statement() as tx:
            found = await read_standing(tx, shop_id=self.shop.id)
        return found.held, found.waiting, found.given_up

    async def reason(self) -> str:
        async with self.database.statement() as tx:
            [found] = await list_given_up(tx, shop_id=self.shop.id, limit=5)
        return found.error


@pytest.fixture
async def elsewhere() -> AsyncIterator[Pictures]:
    made = Pictures()
    async with made.server:
        yield made


@pytest.fixture
async def stall(
    empty_database_url: str, clock: FrozenClock, tmp_path: Path, elsewhere: Pictures
) -> AsyncIterator[Stall]:
    database = Database(empty_database_url, max_size=6)
    await database.open()
    async with database.begin() as tx:
        shop = await read_shop(tx, slug=(await make_shop(tx)).slug)
    media = create_media(database, clock, tmp_path)
    async with Outbound(allowed_hosts=[elsewhere.server.host]) as outbound:
        yield Stall(database, shop, Fetching(media=media, outbound=outbound, at_once=3))
    await database.close()


async def test_are_fetched_and_their_products_know_them(stall: Stall, elsewhere: Pictures) -> None:
    body = fresh(500, 410)
    urls = elsewhere.put("/a.png", body), elsewhere.put("/b.png", fresh(300, 200))
    await stall.show("lamp", *urls)
    assert await stall.ask() == 2

    assert await stall.fetch() == Fetched(held=2, failed=0)

    first, second = await stall.pictures("lamp")
    async with stall.database.statement() as tx:
        image_id = await tx.value(
            "select id from images where checksum = %s", (first["media"]["checksum"],)
        )
        event = await tx.one("select kind, payload from events order by id desc limit 1")
        product_id = await tx.value("select id from products")
    assert first == {
        "url": urls[0],
        "alt": "alt a.png",
        "media": {
            "id": image_id,
            "checksum": first["media"]["checksum"],
            "format": "PNG",
            "width": 500,
            "height": 410,
            "color": "#FF0000",
        },
    }
    assert (second["url"], second["media"]["width"]) == (urls[1], 300)
    assert event == (CatalogueChanged.kind, {"product_ids": [product_id]})
    assert await stall.standing() == (2, 0, 0)
    assert await stall.ask() == 0


async def test_are_asked_for_by_what_is_written(stall: Stall, elsewhere: Pictures) -> None:
    await stall.show("lamp", elsewhere.put("/a.png", fresh()))

    await stall.consume()
    await stall.fetch()
    await stall.consume()

    assert await stall.held("lamp") == [True]
    assert await stall.fetch() == Fetched(held=0, failed=0)
    assert elsewhere.asked("/a.png") == 1


async def test_of_a_server_that_leads_nowhere_keep_no_others_back(
    stall: Stall, elsewhere: Pictures
) -> None:
    moved = elsewhere.put("/a.png", Reply(302, headers={"Location": "http://[::1/b.png"}))
    await stall.show("lamp", moved, elsewhere.put("/c.png", fresh()))
    await stall.ask()

    assert await stall.fetch() == Fetched(held=1, failed=1)

    assert await stall.held("lamp") == [False, True]
    assert await stall.standing() == (1, 0, 1)


async def test_are_fetched_once_for_all_that_show_them(stall: Stall, elsewhere: Pictures) -> None:
    url = elsewhere.put("/a.png", fresh())
    for handle in ("lamp", "desk", "chair"):
        await stall.show(handle, url, name=handle)
    await stall.ask()
    await stall.fetch()
    await stall.show("shelf", url, name="shelf")
    await stall.consume()
    await stall.fetch()

    for handle in ("lamp", "desk", "chair", "shelf"):
        assert await stall.held(handle) == [True]
    assert elsewhere.asked("/a.png") == 1


async def test_are_known_after_an_import_that_changes_the_product(
    stall: Stall, elsewhere: Pictures
) -> None:
    urls = [elsewhere.put(f"/{name}.png", fresh()) for name in "abc"]
    await stall.show("lamp", *urls[:2])
    await stall.ask()
    await stall.fetch()
    before = {each["url"]: each["media"] for each in await stall.pictures("lamp")}

    await stall.show("lamp", urls[2], urls[1], name="Another")

    third, second = await stall.pictures("lamp")
    assert (third["url"], "media" in third) == (urls[2], False)
    assert second == {"url": urls[1], "alt": "alt b.png", "media": before[urls[1]]}
    await stall.show("lamp", urls[0], urls[2], name="Another")
    assert await stall.held("lamp") == [False, False]
    await stall.consume()
    await stall.fetch()
    assert (await stall.pictures("lamp"))[0]["media"] == before[urls[0]]
    assert elsewhere.asked("/a.png") == 1


async def test_are_tried_again_and_then_given_up(
    stall: Stall, elsewhere: Pictures, clock: FrozenClock
) -> None:
    await stall.show("lamp", elsewhere.put("/a.png", Drop(), Reply(503)))
    await stall.ask()

    for wait in WAITS_S:
        assert await stall.fetch() == Fetched(held=0, failed=1)
        clock.move(timedelta(seconds=wait - 1))
        assert await stall.fetch() == Fetched(held=0, failed=0)
        clock.move(timedelta(seconds=1))
    assert await stall.fetch() == Fetched(held=0, failed=1)
    assert await stall.standing() == (0, 0, 1)
    assert await stall.reason() == "The server answered 503."
    clock.move(timedelta(days=30))
    await stall.consume()
    assert await stall.fetch() == Fetched(held=0, failed=0)

    elsewhere.put("/a.png", fresh())
    assert await stall.ask() == 1
    assert await stall.fetch() == Fetched(held=1, failed=0)
    assert await stall.held("lamp") == [True]


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ((Reply(404),), "answered 404"),
        ((Reply(403),), "answered 403"),
        ((b"<html></html>",), "neither JPEG nor PNG"),
        ((png_of_size(9_000, 9_000),), "pixels"),
        ((bytes(500_001),), "larger than 500000 bytes"),
        ((Reply(302, headers={"location": "/a.png"}),), "leads on more than 3 times"),
        ((Reply(302, headers={"location": "http://10.0.0.1/x.png"}),), "10.0.0.1"),
        ((Reply(302, headers={"location": "file:///etc/passwd"}),), "only http"),
        ((Reply(302),), "answered 302"),
    ],
    ids=str,
)
async def test_are_given_up_at_once_where_another_attempt_cannot_help(
    stall: Stall, elsewhere: Pictures, answers: tuple[Outcome | bytes, ...], reason: str
) -> None:
    await stall.show("lamp", elsewhere.put("/a.png", *answers))
    await stall.ask()

    assert await stall.fetch() == Fetched(held=0, failed=1)

    assert await stall.standing() == (0, 0, 1)
    assert reason in await stall.reason()
    assert await stall.held("lamp") == [False]


async def test_may_have_moved(stall: Stall, elsewhere: Pictures) -> None:
    elsewhere.put("/new/b.png", fresh())
    await stall.show("lamp", elsewhere.put("/a.png", Reply(301, headers={"location": "new/b.png"})))
    await stall.ask()

    assert await stall.fetch() == Fetched(held=1, failed=0)


async def test_are_never_asked_of_this_network(stall: Stall) -> None:
    for url in ("http://169.254.169.254/latest/meta-data", "http://localhost:1/", "http://[::1]/"):
        await stall.show("lamp", url, name=url)
    await stall.ask()

    assert (await stall.fetch()).held == 0
    assert await stall.standing() == (0, 0, 1)


async def test_that_are_paths_of_this_server_are_not_asked_for(stall: Stall) -> None:
    await stall.show("lamp", "/demo-media/1.svg", "ftp://a.example/b.png")

    assert await stall.ask() == 0


async def test_that_were_exported_are_known_again(stall: Stall) -> None:
    kept = await keep_image(stall.media, shop_id=stall.shop.id, partner_id=None, body=fresh())
    await stall.show("lamp", f"/images/{kept.checksum}.PNG", f"/images/{'0' * 32}.PNG")
    await stall.ask()

    assert await stall.fetch() == Fetched(held=1, failed=1)

    assert await stall.held("lamp") == [True, False]


async def test_reach_a_product_that_asks_while_they_are_fetched(
    stall: Stall, elsewhere: Pictures
) -> None:
    url = elsewhere.put("/a.png", fresh())
    await stall.show("lamp", url)
    await stall.ask()
    await stall.show("desk", url, name="Desk")

    elsewhere.is_open.clear()
    fetching = asyncio.create_task(stall.fetch())
    while not elsewhere.asked("/a.png"):
        await asyncio.sleep(0.01)
    async with stall.database.begin() as tx:
        await wish_for_all(tx, shop_id=stall.shop.id, now=stall.media.clock.now())
        elsewhere.is_open.set()
        await waiting_for_a_lock(stall.database, behind=tx)
    await fetching

    assert await stall.held("lamp") == [True]
    assert await stall.held("desk") == [True]


async def test_are_kept_while_a_product_shows_them(
    stall: Stall, elsewhere: Pictures, clock: FrozenClock
) -> None:
    url = elsewhere.put("/a.png", fresh())
    await stall.show("lamp", url)
    await stall.ask()
    await stall.fetch()

    clock.move(2 * KEEP)
    assert await purge_images(stall.media) == 0
    await stall.show("lamp", name="Bare")
    clock.move(2 * KEEP)
    assert await purge_images(stall.media) == 1
    assert await stall.standing() == (0, 0, 1)
    await stall.show("lamp", url)
    await stall.ask()
    assert await stall.fetch() == Fetched(held=1, failed=0)


async def test_stay_where_staff_added_them(stall: Stall) -> None:
    media, shop_id = stall.media, stall.shop.id
    one, two = [
        await keep_image(media, shop_id=shop_id, partner_id=None, body=fresh()) for _ in range(2)
    ]
    await stall.show("lamp", "https://a.example/1.jpg")
    now = media.clock.now()
    async with stall.database.begin() as tx:
        for image, is_first in ((one, True), (two, False)):
            await add_pictures(
                tx,
                shop_id=shop_id,
                sku="lamp-1",
                images=[image],
                alt="",
                is_first=is_first,
                now=now,
            )

    await stall.show("lamp", "https://a.example/2.jpg", "https://a.example/1.jpg", name="Other")

    addresses = [f"/images/{image.checksum}.PNG" for image in (one, two)]
    shown = await stall.pictures("lamp")
    assert [each["url"] for each in shown] == [
        addresses[0],
        "https://a.example/2.jpg",
        "https://a.example/1.jpg",
        addresses[1],
    ]
    names = ImageFacts.__struct_fields__
    assert shown[0]["media"] == {name: getattr(one, name) for name in names}
    async with stall.database.begin() as tx:
        left = await remove_picture(
            tx, shop_id=shop_id, sku="lamp-1", checksum=one.checksum, now=now
        )
    assert len(left) == 3


async def test_are_missed_by_the_doctor_when_a_file_is_gone(stall: Stall, tmp_path: Path) -> None:
    image = await keep_image(
        stall.media, shop_id=stall.shop.id, partner_id=None, body=fresh(500, 410)
    )
    assert (await examine_images(stall.media)).differences == ()

    [path] = tmp_path.rglob("400.PNG")
    path.unlink()

    found = await examine_images(stall.media)
    assert found.looked_at == 1
    [missing] = found.differences
    assert missing.where == f"shop {stall.shop.id} image {image.checksum}"
    assert missing.expected.endswith("/400.PNG")
