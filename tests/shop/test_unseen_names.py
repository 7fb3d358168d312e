"""A required name of which nothing can be seen is no name, whoever asks for it."""

import pytest

from crossdock.errors import Invalid
from crossdock.shop.customers import Address, add_sales_rep, missing_fields
from crossdock.shop.pricing import add_price_list
from crossdock.shop.shops import add_shop
from crossdock.shop.stock.serials import add_serials
from tests.conftest import NOON
from tests.support.factories import box, make_shop, make_variant

UNSEEN = ("", " ", "\u200b", "\u2060\ufeff", "\u3164", "\u0301\u0302", "\u2800 ", "\U0001d159")


@pytest.mark.parametrize("unseen", UNSEEN, ids=ascii)
async def test_shops_price_lists_and_sales_reps_need_a_name(tx, unseen):
    shop = await make_shop(tx)
    with pytest.raises(Invalid, match="needs a name"):
        await add_shop(tx, slug="unseen", name=unseen, currency="EUR")
    with pytest.raises(Invalid, match="needs a name"):
        await add_price_list(tx, shop_id=shop.id, name=unseen)
    with pytest.raises(Invalid, match="needs a name"):
        await add_sales_rep(tx, shop_id=shop.id, name=unseen)


@pytest.mark.parametrize("unseen", UNSEEN, ids=ascii)
async def test_serials_are_seen(tx, unseen):
    shop = await make_shop(tx)
    variant_id = await make_variant(tx, shop=shop)
    with pytest.raises(Invalid, match="printable"):
        await add_serials(
            tx, box=box(), shop_id=shop.id, variant_id=variant_id, serials=["A-1", unseen], now=NOON
        )


@pytest.mark.parametrize("unseen", UNSEEN, ids=ascii)
def test_an_address_of_unseen_text_is_incomplete(unseen):
    names = ("first_name", "last_name", "address_1", "city", "postcode", "email", "phone")
    address = Address(**dict.fromkeys(names, unseen), country="BE")
    assert set(missing_fields(address, contact=True)) == set(names)
