"""The customers of a shop's back office..."""

from crossdock.shop.customers.keeping import _LIST, _LIST_OF_EMAIL
from tests.support.factories import make_shop
from tests.support.plans import generic_plan


async def test_are_found_by_their_address_and_paged_by_indexes(database):
    async with database.begin() as tx:
        shop = await make_shop(tx)
        await tx.run(
            "insert into customers (shop_id, email)"
            " select %s, n || '@example.com' from generate_series(1, 3000) n",
            (shop.id,),
        )
        await tx.run("analyze customers")
        by_address = await generic_plan(tx, _LIST_OF_EMAIL)
        paged = await generic_plan(tx, _LIST)
        await tx.run("delete from customers where shop_id = %s", (shop.id,))
    assert "customers_email" in by_address
    assert "customers_created" in paged
    assert "Seq Scan on customers" not in by_address + paged
    assert "Sort" not in paged
