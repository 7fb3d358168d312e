"""A product's texts in other languages..."""

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import Invalid, NotFound
from crossdock.kit.clock import FrozenClock
from crossdock.shop.catalogue import Translations, read_translations, set_translations
from tests.support.staff import Desk


@pytest.fixture
async def desk(database: Database, clock: FrozenClock) -> Desk:
    return await Desk.open(database, clock)


async def product_of(desk: Desk) -> int:
    variant = await desk.variant()
    async with desk.db.statement() as tx:
        return int(await tx.value("select product_id from variants where id = %s", (variant,)))


async def write(desk: Desk, product: int, texts: Translations) -> Translations:
    async with desk.db.begin() as tx:
        await set_translations(
            tx, shop_id=desk.shop.id, product_id=product, translations=texts, now=desk.clock.now()
        )
        return await read_translations(tx, shop_id=desk.shop.id, product_id=product)


async def test_are_set_by_language_sanitised_and_the_others_stay(desk):
    product = await product_of(desk)
    await write(desk, product, {"nl": {"name": "Lamp"}, "de": {"name": "Lampe"}})

    told = await write(
        desk,
        product,
        {"nl": {"name": " Bureaulamp ", "description": "<p>Mooi</p><script>x</script>"}},
    )

    assert told == {
        "nl": {"name": "Bureaulamp", "description": "<p>Mooi</p>"},
        "de": {"name": "Lampe"},
    }


async def test_are_taken_away_by_empty_ones(desk):
    product = await product_of(desk)
    await write(desk, product, {"nl": {"name": "Lamp", "description": "Mooi"}})

    assert await write(desk, product, {"nl": {"name": "Lamp", "description": " "}}) == {
        "nl": {"name": "Lamp"}
    }
    assert await write(desk, product, {"nl": {"name": "", "description": ""}}) == {}


async def test_that_are_there_already_write_nothing(desk):
    product = await product_of(desk)
    await write(desk, product, {"nl": {"name": "Lamp"}})
    before = await desk.count("events")

    await write(desk, product, {"nl": {"name": "Lamp"}, "fr": {"name": ""}})

    assert await desk.count("events") == before


async def test_are_of_a_language_and_of_a_product_of_the_shop(desk):
    product = await product_of(desk)
    other = await Desk.open(desk.db, desk.clock)

    with pytest.raises(Invalid):
        await write(desk, product, {"Dutch!": {"name": "Lamp"}})
    with pytest.raises(NotFound):
        await write(other, product, {"nl": {"name": "Lamp"}})
