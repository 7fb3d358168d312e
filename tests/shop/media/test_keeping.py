"""A kept image..."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import Invalid, Refused, Unavailable
from crossdock.kit.clock import FrozenClock
from crossdock.shop.media import (
    Media,
    Store,
    StoredImage,
    delete_leftovers,
    file_name,
    image_url,
    keep_image,
    open_image,
    read_images,
    read_name,
    use_images,
)
from crossdock.shop.media.reading import marks_of
from tests.support.factories import ShopFixture, make_partner, make_shop
from tests.support.keeping import count_images, create_media, files_in
from tests.support.locks import waiting_for_a_lock
from tests.support.pictures import fresh, opened, photo


@pytest.fixture
async def shop(database: Database) -> ShopFixture:
    async with database.begin() as tx:
        return await make_shop(tx)


@pytest.fixture
def media(database: Database, clock: FrozenClock, tmp_path: Path) -> Media:
    return create_media(database, clock, tmp_path)


@pytest.fixture
async def partner_id(database: Database, shop: ShopFixture) -> int:
    async with database.begin() as tx:
        return (await make_partner(tx, shop=shop)).id


async def content(media: Media, image: StoredImage, *, edge: int = 0) -> bytes | None:
    name = read_name(file_name(image, edge=edge))
    assert name is not None
    file = await open_image(media, name)
    if file is None:
        return None
    body = b"".join([piece async for piece in file.pieces])
    assert len(body) == file.size
    return body


async def test_has_facts_files_and_an_address(
    media: Media, shop: ShopFixture, tmp_path: Path
) -> None:
    body = photo(600, 410, kind="PNG")

    image = await keep_image(media, shop_id=shop.id, partner_id=None, body=body)

    checksum = marks_of(body).checksum
    assert (image.checksum, image.format, image.width, image.height) == (checksum, "PNG", 600, 410)
    assert (image.partner_id, image.size_bytes) == (None, len(body))
    assert image.color == "#1428C8"
    names = [f"{checksum[:2]}/{checksum}/{name}.PNG" for name in ("100", "400", "original")]
    assert files_in(tmp_path) == names
    assert image_url(image, base=media.base_url) == f"https://shop.example/images/{checksum}.PNG"


async def test_is_found_in_every_version(media: Media, shop: ShopFixture) -> None:
    image = await keep_image(media, shop_id=shop.id, partner_id=None, body=fresh())

    sizes = []
    for edge in (0, 100, 400, 1000):
        body = await content(media, image, edge=edge)
        assert body is not None
        sizes.append(opened(body).size)

    assert sizes == [(500, 410), (121, 100), (487, 400), (500, 410)]


async def test_keeps_its_id_when_the_same_bytes_come_again(
    media: Media, shop: ShopFixture, partner_id: int, database: Database, tmp_path: Path
) -> None:
    body = fresh()
    first = await keep_image(media, shop_id=shop.id, partner_id=partner_id, body=body)
    files = files_in(tmp_path)

    again = await keep_image(media, shop_id=shop.id, partner_id=partner_id, body=body)

    assert again == first
    assert files_in(tmp_path) == files
    async with database.statement() as tx:
        assert await count_images(tx, shop_id=shop.id) == (1, 1)


async def test_has_an_id_for_each_owner_and_files_for_each_shop(
    media: Media, shop: ShopFixture, partner_id: int, database: Database, tmp_path: Path
) -> None:
    body = fresh()
    async with database.begin() as tx:
        other = await make_shop(tx)

    own = await keep_image(media, shop_id=shop.id, partner_id=None, body=body)
    partners = await keep_image(media, shop_id=shop.id, partner_id=partner_id, body=body)
    others = await keep_image(media, shop_id=other.id, partner_id=None, body=body)

    assert len({own.id, partners.id, others.id}) == 3
    assert {own.checksum, partners.checksum, others.checksum} == {own.checksum}
    assert len(files_in(tmp_path)) == 2 * 3
    async with database.statement() as tx:
        assert await count_images(tx, shop_id=shop.id) == (2, 1)
        assert await count_images(tx, shop_id=other.id) == (1, 1)


async def test_is_read_by_its_owner_alone(
    media: Media, shop: ShopFixture, partner_id: int, database: Database
) -> None:
    async with database.begin() as tx:
        rival = (await make_partner(tx, shop=shop)).id
        elsewhere = await make_shop(tx)
    image = await keep_image(media, shop_id=shop.id, partner_id=partner_id, body=fresh())

    async def seen(shop_id: int, partner: int | None) -> list[StoredImage]:
        async with database.statement() as tx:
            return await read_images(
                tx, shop_id=shop_id, partner_id=partner, image_ids=[image.id, 10**12]
            )

    assert await seen(shop.id, partner_id) == [image]
    assert await seen(shop.id, rival) == []
    assert await seen(shop.id, None) == []
    assert await seen(elsewhere.id, partner_id) == []


async def test_is_used_by_its_partner_alone(
    media: Media, shop: ShopFixture, partner_id: int, database: Database
) -> None:
    image = await keep_image(media, shop_id=shop.id, partner_id=partner_id, body=fresh())
    own = await keep_image(media, shop_id=shop.id, partner_id=None, body=fresh())
    wanted = [image.id, own.id, 10**12]

    async with database.begin() as tx:
        rival = (await make_partner(tx, shop=shop)).id
        assert await use_images(tx, shop_id=shop.id, partner_id=rival, image_ids=wanted) == set()
        used = await use_images(tx, shop_id=shop.id, partner_id=partner_id, image_ids=wanted)

    assert used == {image.id}


async def test_is_refused_when_other_bytes_have_its_checksum(
    media: Media, shop: ShopFixture, database: Database
) -> None:
    body = fresh()
    image = await keep_image(media, shop_id=shop.id, partner_id=None, body=body)
    async with database.begin() as tx:
        await tx.run(
            "update image_files set digest = 'other' where shop_id = %s and checksum = %s",
            (shop.id, image.checksum),
        )
        other = await make_shop(tx)

    for shop_id in (shop.id, other.id):
        with pytest.raises(Invalid, match="same checksum"):
            await keep_image(media, shop_id=shop_id, partner_id=None, body=body)


async def test_is_one_when_it_is_uploaded_many_times_at_once(
    media: Media, shop: ShopFixture, partner_id: int, database: Database, tmp_path: Path
) -> None:
    body = fresh()

    images = await asyncio.gather(
        *(keep_image(media, shop_id=shop.id, partner_id=partner_id, body=body) for _ in range(8))
    )

    assert len({image.id for image in images}) == 1
    async with database.begin() as tx:
        assert await count_images(tx, shop_id=shop.id) == (1, 1)
        await tx.run("update image_leftovers set due_at = '-infinity'")
    await delete_leftovers(media)
    assert len(files_in(tmp_path)) == 3
    assert await content(media, images[0], edge=400) is not None


async def test_that_is_refused_leaves_nothing(
    media: Media, shop: ShopFixture, database: Database, tmp_path: Path
) -> None:
    with pytest.raises(Invalid, match="image_invalid"):
        await keep_image(media, shop_id=shop.id, partner_id=None, body=b"GIF89a")
    with pytest.raises(Invalid, match="image_too_large"):
        await keep_image(media, shop_id=shop.id, partner_id=None, body=b"\xff\xd8" * 300_000)

    assert files_in(tmp_path) == []
    async with database.statement() as tx:
        assert await count_images(tx, shop_id=shop.id) == (0, 0)


class FailingStore(Store):
    """Writes one file, then fails as a store that cannot be reached."""

    written = 0

    async def put(self, key: str, body: bytes | Path) -> None:
        self.written += 1
        if self.written > 1:
            raise Unavailable("media_unavailable")
        await super().put(key, body)


async def test_whose_files_cannot_be_written_is_not_there_and_leaves_none(
    database: Database, clock: FrozenClock, shop: ShopFixture, tmp_path: Path
) -> None:
    good = create_media(database, clock, tmp_path)
    failing = create_media(database, clock, tmp_path, store=FailingStore(good.store._objects))
    async with database.statement() as tx:  # what other tests of the database left
        await tx.run("delete from image_leftovers")

    with pytest.raises(Unavailable, match="media_unavailable"):
        await keep_image(failing, shop_id=shop.id, partner_id=None, body=fresh())

    async with database.statement() as tx:
        assert await count_images(tx, shop_id=shop.id) == (0, 0)
    assert len(files_in(tmp_path)) == 1
    assert await delete_leftovers(good) == 0  # an upload may still be at it
    clock.move(timedelta(seconds=3601))
    assert await delete_leftovers(good) == 1
    assert files_in(tmp_path) == []


async def test_waits_for_its_turn_or_is_told_to_come_again(
    database: Database, clock: FrozenClock, shop: ShopFixture, tmp_path: Path
) -> None:
    media = create_media(database, clock, tmp_path, waiting_max=1)
    bodies = [fresh() for _ in range(6)]

    answers = await asyncio.gather(
        *(keep_image(media, shop_id=shop.id, partner_id=None, body=body) for body in bodies),
        return_exceptions=True,
    )

    kept = [answer for answer in answers if isinstance(answer, StoredImage)]
    refused = [answer for answer in answers if isinstance(answer, Unavailable)]
    assert len(kept) >= 2
    assert len(kept) + len(refused) == 6
    assert {error.code for error in refused} == {"busy"}
    last = await keep_image(media, shop_id=shop.id, partner_id=None, body=fresh())
    assert last.id > max(image.id for image in kept)


async def test_waits_for_a_purge_of_its_content(
    media: Media, shop: ShopFixture, database: Database, clock: FrozenClock
) -> None:
    body = fresh()
    image = await keep_image(media, shop_id=shop.id, partner_id=None, body=body)
    clock.move(timedelta(days=31))

    async with database.begin() as tx:
        before = clock.now()
        await tx.one("select * from purge_images(%s, %s, 500)", (before, before))
        again = asyncio.create_task(keep_image(media, shop_id=shop.id, partner_id=None, body=body))
        await waiting_for_a_lock(database, behind=tx)
    kept = await again

    assert kept.id > image.id
    await delete_leftovers(media)
    assert await content(media, kept) is not None


async def test_is_refused_while_its_partner_has_too_many_that_nothing_uses(
    database: Database, clock: FrozenClock, shop: ShopFixture, partner_id: int, tmp_path: Path
) -> None:
    media = create_media(database, clock, tmp_path, unused_max=2)
    bodies = [fresh() for _ in range(3)]
    first, second = [
        await keep_image(media, shop_id=shop.id, partner_id=partner_id, body=body)
        for body in bodies[:2]
    ]

    with pytest.raises(Refused, match="rate_limited"):
        await keep_image(media, shop_id=shop.id, partner_id=partner_id, body=bodies[2])
    assert len(files_in(tmp_path)) == 6  # refused before anything was written
    again = await keep_image(media, shop_id=shop.id, partner_id=partner_id, body=bodies[0])
    await keep_image(media, shop_id=shop.id, partner_id=None, body=bodies[2])
    async with database.begin() as tx:
        await use_images(tx, shop_id=shop.id, partner_id=partner_id, image_ids=[second.id])
    third = await keep_image(media, shop_id=shop.id, partner_id=partner_id, body=bodies[2])

    assert again == first
    assert third.id not in {first.id, second.id}
