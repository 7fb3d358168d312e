"""The purge of images..."""

import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from psycopg.types.json import Jsonb

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.alerts import list_alerts
from crossdock.shop.changing_shops import change_shop
from crossdock.shop.media import (
    Media,
    delete_leftovers,
    file_name,
    keep_image,
    purge_images,
    read_images,
    use_images,
)
from tests.support.factories import ShopFixture, make_partner, make_shop, make_variant
from tests.support.keeping import KEEP, count_images, create_media, files_in
from tests.support.pictures import fresh
from tests.support.simulators.moto_server import BUCKET, Moto

SECOND = timedelta(seconds=1)


@pytest.fixture
async def shop(database: Database) -> ShopFixture:
    async with database.begin() as tx:
        return await make_shop(tx)


@pytest.fixture
def media(database: Database, clock: FrozenClock, tmp_path: Path) -> Media:
    return create_media(database, clock, tmp_path)


async def there(database: Database, shop: ShopFixture, *ids: int) -> list[int]:
    async with database.statement() as tx:
        found = await read_images(tx, shop_id=shop.id, partner_id=None, image_ids=ids)
    return [image.id for image in found]


async def test_takes_what_nothing_referred_to_for_long(
    media: Media, shop: ShopFixture, database: Database, clock: FrozenClock, tmp_path: Path
) -> None:
    image = await keep_image(media, shop_id=shop.id, partner_id=None, body=fresh())

    clock.move(KEEP)
    await purge_images(media)
    assert await there(database, shop, image.id) == [image.id]
    clock.move(SECOND)
    assert await purge_images(media) >= 1

    assert await there(database, shop, image.id) == []
    async with database.statement() as tx:
        assert await count_images(tx, shop_id=shop.id) == (0, 0)
    assert len(files_in(tmp_path)) == 3
    assert await delete_leftovers(media) >= 1
    assert files_in(tmp_path) == []
    assert list((tmp_path / "media").iterdir()) == []


async def test_takes_the_files_of_the_others_where_one_place_fails(
    media: Media, shop: ShopFixture, database: Database, clock: FrozenClock, tmp_path: Path
) -> None:
    await keep_image(media, shop_id=shop.id, partner_id=None, body=fresh())
    clock.move(KEEP + SECOND)
    await purge_images(media)
    broken = "0/../" + str(shop.id)  # before all places that are
    async with database.begin() as tx:
        await tx.run(
            "insert into image_leftovers (place, format, due_at) values (%s, 'PNG', %s)",
            (broken, clock.now()),
        )

    assert await delete_leftovers(media) >= 1

    assert files_in(tmp_path) == []
    async with database.begin() as tx:
        left = await tx.all("select place from image_leftovers where place = %s", (broken,))
        told = [each for each in await list_alerts(tx) if each.subject.endswith(broken)]
        await tx.run("delete from image_leftovers where place = %s", (broken,))
    assert (left, [each.kind for each in told]) == ([(broken,)], ["job_failed"])


async def test_remembers_files_until_their_bucket_is_found(
    shop: ShopFixture, database: Database, clock: FrozenClock, tmp_path: Path, moto: Moto
) -> None:
    prefix = uuid.uuid4().hex
    right, wrong = (
        create_media(database, clock, tmp_path, store=moto.store(prefix=prefix, s3_bucket=bucket))
        for bucket in (BUCKET, "nobody-made-it")
    )
    await keep_image(right, shop_id=shop.id, partner_id=None, body=fresh())
    clock.move(KEEP + SECOND)
    await purge_images(right)
    keys = await moto.keys(prefix=prefix)

    assert (await delete_leftovers(wrong), len(keys)) == (0, 3)
    assert await moto.keys(prefix=prefix) == keys
    assert await delete_leftovers(right) >= 1
    assert await moto.keys(prefix=prefix) == []


async def test_counts_from_the_last_upload(
    media: Media, shop: ShopFixture, database: Database, clock: FrozenClock
) -> None:
    body = fresh()
    await keep_image(media, shop_id=shop.id, partner_id=None, body=body)
    clock.move(KEEP)
    image = await keep_image(media, shop_id=shop.id, partner_id=None, body=body)

    clock.move(SECOND)
    await purge_images(media)

    assert await there(database, shop, image.id) == [image.id]


async def test_leaves_what_something_uses(
    media: Media, shop: ShopFixture, database: Database, clock: FrozenClock
) -> None:
    async with database.begin() as tx:
        partner_id = (await make_partner(tx, shop=shop)).id
    image = await keep_image(media, shop_id=shop.id, partner_id=partner_id, body=fresh())
    async with database.begin() as tx:
        await use_images(tx, shop_id=shop.id, partner_id=partner_id, image_ids=[image.id])

    clock.move(10 * KEEP)
    await purge_images(media)

    async with database.statement() as tx:
        ids = [image.id]
        found = await read_images(tx, shop_id=shop.id, partner_id=partner_id, image_ids=ids)
    assert found == [image]


async def test_leaves_what_a_product_shows_until_it_shows_it_no_more(
    media: Media, shop: ShopFixture, database: Database, clock: FrozenClock
) -> None:
    shown = await keep_image(media, shop_id=shop.id, partner_id=None, body=fresh())
    other = await keep_image(media, shop_id=shop.id, partner_id=None, body=fresh())
    pictures = [{"url": "https://a.example/1.jpg"}, {"url": "/x", "media": {"id": shown.id}}]
    async with database.begin() as tx:
        await make_variant(tx, shop=shop)
        await tx.run(
            "update products set images = %s where shop_id = %s", (Jsonb(pictures), shop.id)
        )

    clock.move(KEEP + SECOND)
    await purge_images(media)
    assert await there(database, shop, shown.id, other.id) == [shown.id]

    async with database.begin() as tx:
        await tx.run("update products set images = '[]' where shop_id = %s", (shop.id,))
    clock.move(KEEP)
    await purge_images(media)
    assert await there(database, shop, shown.id) == [shown.id]
    clock.move(SECOND)
    await purge_images(media)
    assert await there(database, shop, shown.id) == []


async def test_leaves_the_files_while_another_owner_has_the_image(
    media: Media, shop: ShopFixture, database: Database, clock: FrozenClock, tmp_path: Path
) -> None:
    body = fresh()
    async with database.begin() as tx:
        partner_id = (await make_partner(tx, shop=shop)).id
    await keep_image(media, shop_id=shop.id, partner_id=None, body=body)
    clock.move(KEEP)
    await keep_image(media, shop_id=shop.id, partner_id=partner_id, body=body)

    clock.move(SECOND)
    await purge_images(media)
    await delete_leftovers(media)

    async with database.statement() as tx:
        assert await count_images(tx, shop_id=shop.id) == (1, 1)
    assert len(files_in(tmp_path)) == 3


async def test_finds_the_files_of_a_shop_that_is_gone(
    media: Media, database: Database, clock: FrozenClock, tmp_path: Path
) -> None:
    async with database.begin() as tx:
        shop_id = await tx.value(
            "insert into shops (slug, name, currency) values ('gone', 'Gone', 'EUR') returning id"
        )
    await keep_image(media, shop_id=shop_id, partner_id=None, body=fresh())
    async with database.begin() as tx:
        await tx.run("delete from shops where id = %s", (shop_id,))

    await delete_leftovers(media)

    assert files_in(tmp_path) == []


async def test_leaves_the_shops_logo_until_another_takes_its_place(
    media: Media, shop: ShopFixture, database: Database, clock: FrozenClock
) -> None:
    first, second = [
        await keep_image(media, shop_id=shop.id, partner_id=None, body=fresh()) for _ in range(2)
    ]
    async with database.begin() as tx:
        await change_shop(tx, shop_id=shop.id, now=clock.now(), logo=file_name(first))

    clock.move(KEEP + SECOND)
    await purge_images(media)
    assert await there(database, shop, first.id, second.id) == [first.id]

    async with database.begin() as tx:
        await change_shop(tx, shop_id=shop.id, now=clock.now(), logo="")
    clock.move(KEEP + SECOND)
    await purge_images(media)
    assert await there(database, shop, first.id) == []
