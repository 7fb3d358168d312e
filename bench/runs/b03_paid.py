"""B3 for drop shippers: an order of two lines, placed and then paid, compared with pgbench writing the same rows."""

import random
import uuid

from bench.generator import PREPARED_PER_S
from bench.load import drive, random_baskets
from bench.measure import Bench, Measured, Size
from bench.ordering import floor_values, measure
from bench.population import populated
from crossdock.channels.shoppo.ids import Kind
from crossdock.settings import default_workers
from proof.drop_shippers import charge, ids_of, make_drop_shipper, order_of
from proof.stand import Ground

ANSWERED = 200
PER_S = PREPARED_PER_S // 2


async def run(ground: Ground, size: Size, rng: random.Random) -> Measured:
    """16 lanes, the workers that `serve` starts by itself; pgbench: 16 clients, same server, same fsync.

    createOrder and setOrderAsPaid are two calls; both are one order. A refusal has the status of an answer, so
    orders and charges are counted afterwards.
    """
    async with populated(ground, "b3p", variants=size["variants"]) as (stand, shop):
        async with stand.database.begin() as tx:
            shipper = await make_drop_shipper(tx, shop=shop.shop)
            ids = await ids_of(tx, shop.shop)
        baskets = random_baskets(shop.variants, rng)

        def placed() -> bytes:
            lines = [(variant, 1) for variant in next(baskets)]
            return order_of(shipper, ids, *lines, code=uuid.uuid4().hex)

        def paid(order_id: int) -> bytes:
            return charge(
                shipper, ids.encode(Kind.ORDER, order_id), charge_id=f"ch_{uuid.uuid4().hex}"
            )

        async def payable() -> list[bytes]:
            async with stand.database.statement() as tx:
                rows = await tx.all(
                    "select id from orders where shop_id = %s and payment_state = 'awaiting' order by id desc limit %s",
                    (shop.shop.id, PER_S * size["seconds"]),
                )
            return [paid(order_id) for (order_id,) in rows]

        async def check(answers: int) -> tuple[str, ...]:
            async with stand.database.statement() as tx:
                done = await tx.value(
                    "select count(*) from identities i join orders o on o.shop_id = i.shop_id and o.id = i.order_id"
                    " where i.shop_id = %s and o.channel = 'shoppo' and o.source = 'graphql'",
                    (shop.shop.id,),
                )
            return () if done >= answers else (f"{answers} answers, but {done} orders and charges",)

        with stand.serving(workers=default_workers(), jobs=False, log_level="info") as server:
            # The first order opens the accounts that all others, and pgbench, post to.
            await drive(server.port, [placed()], status=ANSWERED, lanes=1)
            await drive(server.port, await payable(), status=ANSWERED, lanes=1)
            return await measure(
                "2 lines paid, shoppo",
                stand,
                server,
                prepare=lambda count: [placed() for _ in range(count)],
                script="paid_order.sql",
                values=await floor_values(stand, shop) | {"partner": shipper.id},
                size=size,
                status=ANSWERED,
                prepared_per_s=PER_S,
                following=payable,
                check=check,
            )


BENCH = Bench(
    id="B3",
    title="an order of 2 lines, placed and paid",
    compared_with="pgbench writing the same rows as one transaction, 16 clients, the same fsync",
    full={"seconds": 3, "pairs": 7, "variants": 20_000},
    quick={"seconds": 1, "pairs": 5, "variants": 5_000},
    run=run,
)
