"""P1: many buyers, few units: every unit is sold, none twice, and every loser is told so cleanly."""

import asyncio
import random
import time
import uuid

from proof.claim import Claim, Findings, Result, Size
from proof.doors import SHORT, SOLD, Door, Outcome, ShoppexPartnerDoor, buy
from proof.stand import Stand
from tests.support.factories import ShopFixture, level, make_partner, make_shop, make_variant
from tests.support.raw_http import Connection

UNITS = (1, 1, 3, 20)
ORIGINS = ("SC", "*")


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Each round has a variant of its own with 1, 3 or 20 units; all buyers ask at once."""
    findings = Findings()
    shop, doors = await _furnish(stand)
    connections = await stand.connect(size["buyers"])
    sold_total = refused_total = 0
    for number in range(size["rounds"]):
        units = rng.choice(UNITS)
        variant_id = await _stock(stand, shop, origin=rng.choice(ORIGINS), units=units)
        outcomes = await _rush(connections, doors, variant_id, rng)
        sold = sum(outcome.kind == SOLD for outcome in outcomes)
        refused = sum(outcome.kind == SHORT for outcome in outcomes)
        strange = [o.text or o.kind for o in outcomes if o.kind not in {SOLD, SHORT}]
        findings.expect(sold == units, f"round {number}: {sold} sold of {units}")
        findings.expect(not strange, f"round {number}: {len(strange)} x {strange[:1]}")
        async with stand.database.statement() as tx:
            left = await level(tx, shop_id=shop.id, variant_id=variant_id)
        findings.expect(left == (units, 0, units, 0), f"round {number}: level is {left}")
        sold_total += sold
        refused_total += refused
    for connection in connections:
        connection.close()
    return findings.result(sold=sold_total, refused=refused_total, buyers=size["buyers"])


async def _furnish(stand: Stand) -> tuple[ShopFixture, list[Door]]:
    async with stand.database.begin() as tx:
        shop = await make_shop(tx)
        partners = [await make_partner(tx, shop=shop) for _ in range(3)]
    return shop, [ShoppexPartnerDoor(partner) for partner in partners]


async def _stock(stand: Stand, shop: ShopFixture, *, origin: str, units: int) -> int:
    async with stand.database.begin() as tx:
        return await make_variant(tx, shop=shop, origin=origin, own=units, supplier=0)


async def _rush(
    connections: list[Connection], doors: list[Door], variant_id: int, rng: random.Random
) -> list[Outcome]:
    now = int(time.time())
    buyers = [
        buy(
            connection,
            rng.choice(doors),
            variant_id,
            quantity=1,
            number=f"PO-{uuid.uuid4().hex}",
            timestamp=now,
            nonce=uuid.uuid4().hex,
        )
        for connection in connections
    ]
    rng.shuffle(buyers)
    return list(await asyncio.gather(*buyers))


CLAIM = Claim(
    id="P1",
    title="last unit",
    workload="200 buyers at once, 1 unit each, for a variant with 1, 3 or 20 units; every door that sells",
    must_hold="every unit sold, none twice, every refusal a clean domain error, 0 5xx",
    full={"buyers": 200, "rounds": 100},
    quick={"buyers": 200, "rounds": 5},
    run=run,
)
