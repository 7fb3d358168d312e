"""B3 for resellers: a fulfilment of one serial, debited, compared with pgbench writing the same rows."""

import itertools
import random
import uuid

from bench.generator import PREPARED_PER_S
from bench.load import LANES, drive
from bench.measure import Bench, Measured, Size
from bench.ordering import measure
from bench.population import settle
from crossdock.settings import default_workers
from proof.resellers import Licence, Reseller, make_licence, make_reseller, numbered, open_programme
from proof.stand import Ground, Stand
from tests.support.factories import make_shop

CREDIT = 10**12
House = tuple[Reseller, Licence]
"""A reseller, and what only it buys."""


async def run(ground: Ground, size: Size, rng: random.Random) -> Measured:
    """16 lanes and as many resellers, each with a licence of its own; pgbench: 16 clients, same server, same fsync.

    Fulfilments of one reseller follow each other, as its balance is debited; so do those of a pgbench client.
    """
    async with ground.stand("b3r") as stand:
        houses, values = await furnish(
            stand, serials=size["serials"], floor_serials=size["floor_serials"]
        )
        async with stand.database.statement() as tx:
            await settle(tx)

        turns = itertools.cycle(houses)

        def fulfilment() -> bytes:
            reseller, licence = next(turns)
            name = uuid.uuid4().hex
            return reseller.fulfil(licence, order=name, key=name)

        with stand.serving(workers=default_workers(), jobs=False, log_level="info") as server:
            # The first ones open the accounts that all others post to.
            first = [fulfilment() for _ in houses]
            await drive(server.port, first, status=201, lanes=1)
            return await measure(
                "1 serial, shoppex_reseller",
                stand,
                server,
                prepare=lambda count: [fulfilment() for _ in range(count)],
                script="fulfilment.sql",
                values=values,
                size=size,
                prepared_per_s=PREPARED_PER_S // 2,
            )


async def furnish(
    stand: Stand, *, serials: int, floor_serials: int
) -> tuple[list[House], dict[str, int]]:
    """A shop with so many serials, and as many for pgbench; the variables of its script."""
    async with stand.database.begin() as tx:
        shop = await make_shop(tx)
        await open_programme(tx, shop)
        houses = []
        for place in range(LANES):
            texts = numbered(f"KEY-{place}", serials // LANES)
            licence = await make_licence(tx, shop=shop, serials=texts)
            houses.append((await make_reseller(tx, shop=shop, credit_minor=CREDIT), licence))
        low = await tx.value("select max(id) + 1 from variants")
        await tx.run(
            _FLOOR,
            {
                "shop": shop.id,
                "merchant": shop.merchant_id,
                "low": low,
                "clients": LANES,
                "count": floor_serials // LANES,
                "credit": CREDIT,
            },
        )
    reseller = houses[0][0]
    partner_id = reseller.partner.id
    return houses, {"shop": shop.id, "low": low, "partner": partner_id, "reseller": reseller.id}


_FLOOR = """
    with made as (
        select %(low)s::bigint + g as id, g from generate_series(0, %(clients)s - 1) g
    ), products as (
        insert into products (shop_id, id, merchant_id, handle, name) overriding system value
        select %(shop)s, id, %(merchant)s, 'floor-' || g, 'Product ' || g from made returning id
    ), variants as (
        insert into variants (shop_id, id, product_id, merchant_id, sku, name, currency, retail_minor)
        overriding system value
        select %(shop)s, id, id, %(merchant)s, 'FLOOR-' || g, 'Product ' || g, 'USD', 1000 from made returning id
    ), levels as (
        insert into stock_levels (shop_id, variant_id, pool, on_hand)
        select %(shop)s, id, 'own', %(count)s from made returning 1
    ), money as (
        insert into accounts (shop_id, kind, owner, currency, balance_minor, created_at, updated_at)
        select %(shop)s, 'prepaid', 'floor:' || g, 'USD', %(credit)s, now(), now() from made
        union all select %(shop)s, 'sales', 'merchant-floor', 'USD', 0, now(), now() returning 1
    )
    insert into serials (shop_id, variant_id, sealed, fingerprint, added_at)
    select %(shop)s, m.id, sha256(n::text::bytea) || sha256('x'), sha256((m.id || '-' || n)::bytea), now()
    from made m cross join generate_series(1, %(count)s) n
"""

BENCH = Bench(
    id="B3",
    title="a fulfilment of a serial",
    compared_with="pgbench writing the same rows as one transaction, 16 clients, the same fsync",
    full={"seconds": 3, "pairs": 7, "serials": 60_000, "floor_serials": 200_000},
    quick={"seconds": 1, "pairs": 5, "serials": 16_000, "floor_serials": 48_000},
    run=run,
)
