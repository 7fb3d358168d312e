"""The memory of what partners were told of goods..."""

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.events import (
    Event,
    MerchantChanged,
    Payload,
    PriceChanged,
    StockChanged,
    number_events,
    read_events,
    write_event,
)
from crossdock.shop.telling import (
    Changed,
    Due,
    Goods,
    Known,
    changed_goods,
    mark_known,
    note_goods,
    read_known,
)
from tests.support.factories import make_partner, make_shop, make_variant

START = 1_000


async def test_says_what_is_due_and_by_which_version(database: Database) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)
        partner = await make_partner(tx, shop=shop)

        async def note(digest: bytes, *, on_sale: bool = True, at: int = START) -> list[Due]:
            goods = [Goods(id=7, digest=digest, on_sale=on_sale)]
            return await note_goods(
                tx, shop_id=shop.id, partner_ids=[partner.id], subject="variant", goods=goods, at=at
            )

        async def known() -> Known | None:
            found = await read_known(
                tx, shop_id=shop.id, partner_id=partner.id, subject="variant", subject_id=7
            )
            return found.get(7)

        assert (await note(b"a", on_sale=False), await known()) == ([], None)
        unknown = [Due(partner.id, 7, False)]
        assert (await note(b"a"), await known()) == (unknown, Known(START, False))
        assert (await note(b"a"), await known()) == (unknown, Known(START + 1, False))
        await mark_known(
            tx, shop_id=shop.id, partner_id=partner.id, subject="variant", subject_id=7
        )
        assert (await note(b"a"), await known()) == ([], Known(START + 1, True))
        due = [Due(partner.id, 7, True)]
        assert (await note(b"b"), await known()) == (due, Known(START + 2, True))
        assert (await note(b"c", on_sale=False, at=START + 60)) == due
        assert await known() == Known(START + 60, True)


async def test_is_compared_with_a_bounded_number_of_changes_at_a_time(
    database: Database, clock: FrozenClock
) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)
        variants = [await make_variant(tx, shop=shop) for _ in range(5)]
        products = [
            await tx.value(
                "select product_id from variants where shop_id = %s and id = %s", (shop.id, each)
            )
            for each in variants
        ]
        await number_events(tx, shop_id=shop.id)
        before = await tx.value("select last_sequence from shops where id = %s", (shop.id,))
        for event in (
            PriceChanged(variant_ids=variants[:2]),
            StockChanged(levels=[(variants[2], "own", 1)], reason=""),
            PriceChanged(variant_ids=variants[3:]),
        ):
            await write_event(tx, shop_id=shop.id, event=event, now=clock.now())
        await number_events(tx, shop_id=shop.id)
        events = await read_events(
            tx, shop_id=shop.id, after=before, upto=before + 3, topics=("price", "stock"), limit=10
        )

        async def changed(events: list[Event], most: int) -> tuple[list[int], int]:
            found = await changed_goods(tx, shop_id=shop.id, events=events, ids_at_once=most)
            return found.product_ids, found.upto

        assert await changed(events, 3) == (sorted(products[:3]), before + 2)
        assert await changed(events[2:], 1) == (sorted(products[3:])[:1], before + 2)
        assert await changed(events[2:], 1) == (sorted(products[3:])[1:], before + 3)
        assert await changed(events, 100) == (sorted(products), before + 3)


async def test_reads_what_is_about_many_products_some_at_a_time(
    database: Database, clock: FrozenClock
) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)
        variants = [await make_variant(tx, shop=shop) for _ in range(5)]
        rows = await tx.all(
            "select product_id from variants where shop_id = %s order by 1", (shop.id,)
        )
        products = [row[0] for row in rows]
        await tx.run("delete from events where shop_id = %s", (shop.id,))
        last = await tx.value("select last_sequence from shops where id = %s", (shop.id,))

        async def write(event: Payload) -> None:
            await write_event(tx, shop_id=shop.id, event=event, now=clock.now())
            await number_events(tx, shop_id=shop.id)

        async def read() -> Changed:
            events = await read_events(
                tx,
                shop_id=shop.id,
                after=last,
                upto=last + 9,
                topics=("catalogue", "price"),
                limit=9,
            )
            return await changed_goods(tx, shop_id=shop.id, events=events, ids_at_once=2)

        await write(MerchantChanged(merchant_ids=[shop.merchant_id]))
        first = await read()
        await write(PriceChanged(variant_ids=variants[:1]))  # while the merchant's are compared
        others = [await read() for _ in range(2)]
        last += 1
        after = await read()

    merchants = last
    assert first == Changed(product_ids=products[:2], last=merchants, upto=merchants - 1)
    assert others == [
        Changed(product_ids=products[2:4], last=merchants, upto=merchants - 1),
        Changed(product_ids=products[4:], last=merchants, upto=merchants),
    ]
    assert (len(after.product_ids), after.last, after.upto) == (1, merchants + 1, merchants + 1)


async def test_remembers_a_place_for_the_events_it_is_of_alone(
    database: Database, clock: FrozenClock
) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)
        for _ in range(5):
            await make_variant(tx, shop=shop)
        await tx.run("delete from events where shop_id = %s", (shop.id,))
        before = await tx.value("select last_sequence from shops where id = %s", (shop.id,))
        for _ in range(3):
            await write_event(
                tx, shop_id=shop.id, event=MerchantChanged(merchant_ids=[shop.merchant_id]),
                now=clock.now(),
            )  # fmt: skip
        await number_events(tx, shop_id=shop.id)
        first, second, third = await read_events(
            tx, shop_id=shop.id, after=before, upto=before + 3, topics=("catalogue",), limit=3
        )

        async def read(*events: Event, most: int) -> tuple[int, int, int]:
            found = await changed_goods(tx, shop_id=shop.id, events=events, ids_at_once=most)
            return len(found.product_ids), found.last - before, found.upto - before

        assert await read(second, third, most=2) == (2, 3, 1)  # the place is that of the third
        assert await read(first, most=9) == (5, 1, 1)
        assert await read(second, most=9) == (5, 2, 2)
        assert await read(third, most=9) == (3, 3, 3)
        assert await read(third, most=9) == (5, 3, 3)

        assert await read(first, most=2) == (2, 1, 0)
        assert await read(second, third, most=9) == (5, 3, 3)
