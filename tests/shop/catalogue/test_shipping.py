"""What is virtual is not shipped: that costs nothing, and every country may have it."""

import pytest

from crossdock.shop.catalogue import read_goods, ships_to, unit_shipping
from tests.shop.catalogue.test_goods import NOW, product_of
from tests.support.factories import make_shop, make_variant
from tests.support.shopping import partner_of, set_columns


@pytest.mark.parametrize(
    ("virtual", "free_shipping", "is_free", "served"),
    [
        (False, False, False, ["US"]),
        (False, True, True, ["US"]),
        (True, False, True, []),
        (True, True, True, []),
    ],
)
async def test_of_each_kind_of_product(tx, virtual, free_shipping, is_free, served):
    shop = await make_shop(tx)
    product_id = await product_of(tx, await make_variant(tx, shop=shop))
    values = {"virtual": virtual, "free_shipping": free_shipping, "ships_to": ["US"]}
    await set_columns(tx, "products", shop.id, product_id, **values)
    found = await tx.one(
        "select is_shipped(p), is_shipped_free(p), countries_served(p) from products p where id = %s",
        (product_id,),
    )
    assert found == (not virtual, is_free, served)
    (goods,) = await read_goods(tx, partner=partner_of(shop), product_ids=[product_id], now=NOW)
    assert (goods.free_shipping, list(goods.ships_to)) == (is_free, served)


@pytest.mark.parametrize(("served", "goes"), [((), True), (("US",), False), (("IN", "US"), True)])
def test_goes_to_the_countries_served(served, goes):
    assert ships_to("IN", served=served) is goes


def test_costs_the_same_for_a_country_without_terms():
    assert unit_shipping("IN", each_minor=5, is_free=False, terms=()) == 5
    assert unit_shipping("IN", each_minor=5, is_free=True, terms=()) == 0
