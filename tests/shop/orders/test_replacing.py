"""Serials of an order that are replaced..."""

from typing import Any

import pytest

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid, NotFound, Refused
from crossdock.shop.mailing import Mailing, list_mails
from crossdock.shop.orders import Replacement, place, replace_bought_serials
from crossdock.shop.stock import add_serials, read_sold_serials
from tests.conftest import NOON
from tests.support.drafts import draft_of, line_of
from tests.support.factories import ShopFixture, box, make_partner, make_shop, make_variant
from tests.support.reselling import make_reseller

MAILING = Mailing(box=box(), mailer=None, host="shop.example")


@pytest.fixture
async def shop(tx: Transaction) -> ShopFixture:
    return await make_shop(tx)


async def licence(tx: Transaction, shop: ShopFixture, *serials: str) -> int:
    variant = await make_variant(tx, shop=shop, own=None)
    await add_serials(tx, shop_id=shop.id, variant_id=variant, serials=serials, box=box(), now=NOON)
    return variant


async def bought(
    tx: Transaction, shop: ShopFixture, *wanted: tuple[int, int], **values: Any
) -> int:
    """The id of an order of (variant, quantity) lines, delivered by serials."""
    lines = [line_of(v, shop=shop, quantity=q, take="serials") for v, q in wanted]
    placed = await place(
        tx, draft=draft_of(*lines, shop=shop, state="completed", **values), now=NOON
    )
    return placed.id


async def replace(tx: Transaction, shop: ShopFixture, order_id: int, **values: Any) -> Replacement:
    wanted: dict[str, Any] = {
        "product_id": None, "quantity": None, "overrides": False, "reason": "broken",
    }  # fmt: skip
    return await replace_bought_serials(
        tx, shop_id=shop.id, order_id=order_id, mailing=MAILING, now=NOON, **wanted | values
    )


async def sold(tx: Transaction, shop: ShopFixture, order_id: int) -> dict[int, list[str]]:
    return await read_sold_serials(tx, shop_id=shop.id, order_id=order_id, box=box())


async def told(tx: Transaction, shop: ShopFixture, order_id: int) -> list[Any]:
    """The replacements that the feed has of the order."""
    return [
        payload
        for (payload,) in await tx.all(
            "select payload from events where shop_id = %s and subject_id = %s"
            " and kind = 'order.serials_replaced' order by id",
            (shop.id, order_id),
        )
    ]


async def mailed(tx: Transaction, shop: ShopFixture) -> int:
    return len(await list_mails(tx, shop_id=shop.id))


async def limits(tx: Transaction, shop: ShopFixture, order_id: int, **values: Any) -> Any:
    """What a refusal for the quantity tells."""
    with pytest.raises(Refused) as refused:
        await replace(tx, shop, order_id, **values)
    assert refused.value.code == "quantity_out_of_range"
    return refused.value.data


async def test_are_the_oldest_and_the_buyer_is_mailed_the_new_ones(tx, shop):
    variant = await licence(tx, shop, "A", "B", "C", "D", "E")
    other = await bought(tx, shop, (variant, 1))
    order_id = await bought(tx, shop, (variant, 2))
    before = await mailed(tx, shop)

    done = await replace(tx, shop, order_id, quantity=1)

    product = variant  # a line of a test has the variant's number as its product's
    assert (done.product_id, done.quantity, done.is_mailed) == (product, 1, True)
    assert await sold(tx, shop, order_id) == {1: ["C", "D"]}
    assert await sold(tx, shop, other) == {1: ["A"]}
    (event,) = await told(tx, shop, order_id)
    assert (event["product_id"], event["quantity"], event["reason"]) == (product, 1, "broken")
    assert await mailed(tx, shop) == before + 1
    assert await told(tx, shop, other) == []
    recorded = (
        "select order_id, product_id, quantity, reason from serial_replacements where shop_id = %s"
    )
    assert await tx.all(recorded, (shop.id,)) == [(order_id, product, 1, "broken")]


async def test_are_at_most_as_many_as_were_bought_unless_that_is_overridden(tx, shop):
    variant = await licence(tx, shop, *"ABCDEFGHIJ")
    order_id = await bought(tx, shop, (variant, 3))

    assert await limits(tx, shop, order_id, quantity=4) == {"min_quantity": 1, "max_quantity": 3}
    for quantity in (0, -1):
        assert (await limits(tx, shop, order_id, quantity=quantity))["max_quantity"] == 3
    await replace(tx, shop, order_id, quantity=2)
    assert (await limits(tx, shop, order_id, quantity=2))["max_quantity"] == 1
    assert (await replace(tx, shop, order_id)).quantity == 1
    assert (await limits(tx, shop, order_id))["max_quantity"] == 0
    over = {"overrides": True, "quantity": 4}
    assert (await limits(tx, shop, order_id, **over))["max_quantity"] == 3
    assert (await replace(tx, shop, order_id, overrides=True)).quantity == 3
    assert (await limits(tx, shop, order_id, quantity=1))["max_quantity"] == 0
    assert await sold(tx, shop, order_id) == {1: ["G", "H", "I"]}
    with pytest.raises(Refused, match="stock_limit_exceeded"):
        await replace(tx, shop, order_id, overrides=True, quantity=2)


async def test_are_of_one_product_on_all_its_lines(tx, shop):
    one, two = await licence(tx, shop, *"ABCDEF"), await licence(tx, shop, *"UVWX")
    order_id = await bought(tx, shop, (two, 1), (one, 1), (one, 2))
    for product_id in (None, 10**12):
        with pytest.raises(Invalid) as refused:
            await replace(tx, shop, order_id, product_id=product_id)
        assert refused.value.data == {"field": "product_id"}

    assert (await replace(tx, shop, order_id, product_id=one, quantity=2)).quantity == 2
    assert await sold(tx, shop, order_id) == {1: ["U"], 2: ["D"], 3: ["C", "E"]}
    assert (await limits(tx, shop, order_id, product_id=one, quantity=2))["max_quantity"] == 1
    assert (await replace(tx, shop, order_id, product_id=two)).quantity == 1
    assert await sold(tx, shop, order_id) == {1: ["V"], 2: ["D"], 3: ["C", "E"]}


async def test_are_not_those_of_an_order_without_any(tx, shop):
    variant = await make_variant(tx, shop=shop, own=3)
    line = line_of(variant, shop=shop, quantity=1, take="own")
    placed = await place(tx, draft=draft_of(line, shop=shop), now=NOON)

    with pytest.raises(Invalid) as refused:
        await replace(tx, shop, placed.id)
    assert refused.value.data == {"field": "product_id"}
    other = await make_shop(tx)
    for wrong in ((other, placed.id), (shop, 10**12)):
        with pytest.raises(NotFound, match="order_not_found"):
            await replace(tx, *wrong)


async def test_of_a_reseller_s_own_buyer_are_mailed_to_nobody(tx, shop):
    variant = await licence(tx, shop, "A", "B", "C", "D")
    reseller = await make_reseller(tx, shop_id=shop.id)
    partner = await make_partner(tx, shop=shop)
    resold = await bought(tx, shop, (variant, 1), partner_id=reseller.partner_id)
    other = await bought(tx, shop, (variant, 1), partner_id=partner.id)
    before = await mailed(tx, shop)

    assert not (await replace(tx, shop, resold)).is_mailed
    assert await mailed(tx, shop) == before
    assert (await replace(tx, shop, other)).is_mailed
    assert await mailed(tx, shop) == before + 1
