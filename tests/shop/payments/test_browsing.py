"""A shop's payments in a list..."""

from typing import Any

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.payments import browse_payments, record_transfer
from tests.conftest import NOON
from tests.support.factories import ShopFixture, make_shop


async def paid(tx: Transaction, shop: ShopFixture, number: int) -> int:
    made = await record_transfer(
        tx, shop_id=shop.id, payer="customer:1", amount_minor=100 + number, currency="EUR",
        reference=f"Statement {number}", now=NOON, order_id=number,
    )  # fmt: skip
    return made.id


async def test_are_the_newest_first_in_pages(tx):
    shop, other = await make_shop(tx), await make_shop(tx)
    ids = [await paid(tx, shop, number) for number in (1, 2, 3)]
    theirs = await paid(tx, other, 4)

    async def listed(**values: Any) -> list[int]:
        return [row.id for row in await browse_payments(tx, shop_id=shop.id, **values)]

    assert await listed() == ids[::-1]
    assert await listed(limit=2) == ids[:0:-1]
    assert await listed(before=ids[1]) == ids[:1]
    assert await listed(before=theirs) == ids[::-1]
    row = (await browse_payments(tx, shop_id=shop.id))[0]
    assert (row.provider, row.state, row.amount_minor, row.captured_minor, row.order_id) == (
        "transfer", "captured", 103, 103, 3,
    )  # fmt: skip


async def test_are_those_of_one_state_if_that_is_asked_for(tx):
    shop = await make_shop(tx)
    first, second = [await paid(tx, shop, number) for number in (1, 2)]
    await tx.run(
        "update payments set state = 'refunded', refunded_minor = captured_minor"
        " where shop_id = %s and id = %s",
        (shop.id, first),
    )

    async def listed(**values: Any) -> list[int]:
        return [row.id for row in await browse_payments(tx, shop_id=shop.id, **values)]

    assert await listed(state="captured") == [second]
    assert await listed(state="refunded") == [first]
    assert await listed(state="refunded", before=first) == []
