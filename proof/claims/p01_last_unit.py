"""P1: many buyers, few units: every unit is sold once, and every other buyer gets a proper refusal."""

import asyncio
import random
import time
import uuid
from collections import Counter

from proof.claim import Claim, Findings, Result, Size
from proof.doors import SHORT, SOLD, Door, Outcome, ShoppexPartnerDoor, order
from proof.drop_shippers import PayingDoor, ids_of, make_drop_shipper
from proof.publishers import ShoppableDoor, make_publisher
from proof.stand import Stand
from proof.web_shops import ShopWeDoDoor, make_web_shop
from tests.support.factories import ShopFixture, level, make_partner, make_shop, make_variant
from tests.support.raw_http import Connection

UNITS = (1, 1, 3, 20)
ORIGINS = ("SC", "*")
SPREAD_S = 0.6
"""Buyers come within this time, so that the quicker door does not sell everything."""


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Each round has a variant of its own with 1, 3 or 20 units; all buyers ask at once."""
    findings = Findings()
    shop, doors = await _furnish(stand)
    connections = await stand.connect(size["buyers"])
    sold_by: Counter[str] = Counter()
    refused_total = 0
    for number in range(size["rounds"]):
        units = rng.choice(UNITS)
        variant_id = await _stock(stand, shop, origin=rng.choice(ORIGINS), units=units)
        bought = await _rush(connections, doors, variant_id, rng)
        sold_at = [door.name for door, outcome in bought if outcome.kind == SOLD]
        refused = sum(outcome.kind == SHORT for _, outcome in bought)
        strange = [o.text or o.kind for _, o in bought if o.kind not in {SOLD, SHORT}]
        findings.expect(len(sold_at) == units, f"round {number}: {len(sold_at)} sold of {units}")
        findings.expect(not strange, f"round {number}: {len(strange)} x {strange[:1]}")
        async with stand.database.statement() as tx:
            left = await level(tx, shop_id=shop.id, variant_id=variant_id)
        findings.expect(left == (units, 0, units, 0), f"round {number}: level is {left}")
        sold_by.update(sold_at)
        refused_total += refused
    for connection in connections:
        connection.close()
    reserved = await _reserved(stand, findings)
    return findings.result(
        sold=sold_by.total(),
        by_door=" ".join(f"{name}:{count}" for name, count in sorted(sold_by.items())),
        refused=refused_total,
        of_these_reserved=reserved,
        buyers=size["buyers"],
    )


async def _reserved(stand: Stand, findings: Findings) -> int:
    """How many orders without stock are `reserved`; they hold no stock."""
    async with stand.database.statement() as tx:
        kept = await tx.value(
            "select count(*) from orders o join order_allocations a"
            " on a.shop_id = o.shop_id and a.order_id = o.id where o.fulfilment_state = 'reserved'"
        )
        reserved = int(
            await tx.value("select count(*) from orders where fulfilment_state = 'reserved'")
        )
    findings.expect(kept == 0, f"{kept} reserved orders keep goods")
    return reserved


async def _furnish(stand: Stand) -> tuple[ShopFixture, list[Door]]:
    async with stand.database.begin() as tx:
        shop = await make_shop(tx)
        partners = [await make_partner(tx, shop=shop) for _ in range(3)]
        web_shops = [await make_web_shop(tx, shop=shop) for _ in range(3)]
        publishers = [await make_publisher(tx, shop=shop) for _ in range(3)]
        drop_shippers = [await make_drop_shipper(tx, shop=shop) for _ in range(3)]
        ids = await ids_of(tx, shop)
    return shop, [
        *map(ShoppexPartnerDoor, partners),
        *map(ShopWeDoDoor, web_shops),
        *map(ShoppableDoor, publishers),
        *(PayingDoor(each, ids) for each in drop_shippers),
    ]


async def _stock(stand: Stand, shop: ShopFixture, *, origin: str, units: int) -> int:
    async with stand.database.begin() as tx:
        return await make_variant(tx, shop=shop, origin=origin, own=units, supplier=0)


async def _rush(
    connections: list[Connection], doors: list[Door], variant_id: int, rng: random.Random
) -> list[tuple[Door, Outcome]]:
    chosen = [(connection, rng.choice(doors)) for connection in connections]
    rng.shuffle(chosen)
    # Carts are filled first, so that all doors order at the same time.
    numbers = await asyncio.gather(
        *(
            door.begin(connection, variant_id, quantity=1, number=f"PO-{uuid.uuid4().hex}")
            for connection, door in chosen
        )
    )
    now = int(time.time())

    async def one(connection: Connection, door: Door, number: str) -> tuple[Door, Outcome]:
        await asyncio.sleep(rng.uniform(0, SPREAD_S))
        return door, await order(
            connection,
            door,
            variant_id,
            quantity=1,
            number=number,
            timestamp=now,
            nonce=uuid.uuid4().hex,
        )

    buyers = [one(*who, number) for who, number in zip(chosen, numbers, strict=True)]
    return list(await asyncio.gather(*buyers))


CLAIM = Claim(
    id="P1",
    title="last unit",
    workload="200 buyers at once, 1 unit each, for a variant with 1, 3 or 20 units; every door that sells",
    must_hold="every unit sold, none twice; every loser is refused cleanly, or reserved and keeps nothing; 0 5xx",
    full={"buyers": 200, "rounds": 100},
    quick={"buyers": 200, "rounds": 5},
    run=run,
)
