"""Customers as an operator keeps them."""

import msgspec
import pytest

from crossdock.errors import Conflict, Invalid, NotFound
from crossdock.shop.customers import (
    Address,
    CustomerChange,
    add_customer,
    find_customer,
    list_customers,
    read_customer,
    set_customer,
)
from tests.support.factories import ADDRESS, make_shop

WHOLE = Address(**ADDRESS)


@pytest.fixture
async def shop(tx):
    return await make_shop(tx)


async def add(tx, shop, email="kim@north.example", billing=WHOLE, shipping=WHOLE):
    return await add_customer(tx, shop_id=shop.id, email=email, billing=billing, shipping=shipping)


async def change(tx, shop, customer_id, **changes):
    await set_customer(
        tx, shop_id=shop.id, customer_id=customer_id, change=CustomerChange(**changes)
    )
    return await read_customer(tx, shop_id=shop.id, who=str(customer_id))


async def test_is_found_by_number_and_email_in_any_case(tx, shop):
    customer_id = await add(tx, shop, email="Kim@North.example")
    for who in (str(customer_id), "kim@NORTH.example"):
        found = await find_customer(tx, shop_id=shop.id, who=who)
        assert found is not None
        assert found.email == "kim@north.example"
        assert found.billing == WHOLE
    assert customer_id in [c.id for c in await list_customers(tx, shop_id=shop.id)]


async def test_of_another_shop_is_unknown(tx, shop):
    other = await make_shop(tx)
    with pytest.raises(NotFound):
        await read_customer(tx, shop_id=shop.id, who=str(other.customer_id))
    with pytest.raises(NotFound):
        await change(tx, shop, other.customer_id, active=False)


async def test_tells_what_its_addresses_lack(tx, shop):
    billing = msgspec.structs.replace(WHOLE, phone="", city=" ")
    customer_id = await add(tx, shop, billing=billing, shipping=Address(country="US"))
    found = await read_customer(tx, shop_id=shop.id, who=str(customer_id))
    assert "billing.phone" in found.missing
    assert "billing.city" in found.missing
    assert "shipping.address_1" in found.missing
    assert "shipping.phone" not in found.missing


async def test_keeps_what_a_change_does_not_name(tx, shop):
    customer_id = await add(tx, shop)
    found = await change(tx, shop, customer_id, billing={"city": "Tampa"}, active=False)
    assert found.billing == msgspec.structs.replace(WHOLE, city="Tampa")
    assert found.shipping == WHOLE
    assert not found.active


async def test_has_an_email_of_its_own(tx, shop):
    first = await add(tx, shop)
    with pytest.raises(Conflict):
        await add(tx, shop, email="KIM@north.example")
    assert (await change(tx, shop, first, email="lee@north.example")).email == "lee@north.example"


@pytest.mark.parametrize(
    ("email", "country"), [("nobody", "US"), ("a b@c.example", "US"), ("a@b.example", "XX")]
)
async def test_is_refused_with_a_malformed_value(tx, shop, email, country):
    with pytest.raises(Invalid):
        await add(tx, shop, email=email, billing=Address(country=country))


async def test_gets_a_sales_rep_of_the_shop_only(tx, shop):
    customer_id = await add(tx, shop)
    with pytest.raises(NotFound):
        await change(tx, shop, customer_id, sales_rep_id=10**12)
