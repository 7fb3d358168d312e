"""Placing an order asks the database as rarely as the map says."""

from crossdock.channels.shoppex_partner.app import RULES
from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.orders import OrderItem, OrderRequest, place, place_for_customer
from tests.support.drafts import draft_of, named
from tests.support.factories import make_partner, make_shop, make_variant
from tests.support.ordering import placing, read_partner


class Counting:
    """The statements that were sent, in their order."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    async def __call__(self, statement: str) -> None:
        self.statements.append(statement.split("(", maxsplit=1)[0])


async def test_twice_for_a_partners_customer_and_once_by_the_callers_names(
    database: Database, database_url: str, clock: FrozenClock
) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)
        variants = [await make_variant(tx, shop=shop) for _ in range(2)]
        fixture = await make_partner(tx, shop=shop)
        await tx.run("insert into sales_reps (shop_id, name) values (%s, 'Ana')", (shop.id,))
        await tx.run(
            "update customers set sales_rep_id = (select id from sales_reps where shop_id = %s)"
            " where shop_id = %s",
            (shop.id, shop.id),
        )
    partner = await read_partner(database, fixture)
    counting = Counting()
    counted = Database(database_url, hook=counting)
    await counted.open()
    try:
        items = tuple(OrderItem(variant_id=variant, quantity=1) for variant in variants)
        request = OrderRequest(partner_order_id="PO-1", items=items, source="test")
        await place_for_customer(
            placing(counted, clock), partner=partner, request=request, rules=RULES
        )
        assert counting.statements == ["select order_context", "select * from place_order"]

        counting.statements.clear()
        draft = draft_of(*(named(variant) for variant in variants), shop=shop)
        async with counted.statement() as tx:
            await place(tx, draft=draft, now=clock.now())
        assert counting.statements == ["select * from place_order"]
    finally:
        await counted.close()
