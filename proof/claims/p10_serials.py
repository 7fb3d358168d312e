"""P10: each serial is delivered once, the oldest first, whoever asks and asks again."""

import asyncio
import random
from collections import Counter
from datetime import UTC, datetime

from crossdock.db.unit_of_work import Database
from crossdock.errors import Refused
from crossdock.shop.stock import add_serials, read_sold_serials, take_serials
from proof.claim import Claim, Findings, Result, Size
from proof.stand import Stand
from tests.support.factories import box, level, make_shop, make_variant

CONNECTIONS = 32
BATCH = 100


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Twice as many fulfilments as there are serials; every third one is broken off and tried again."""
    findings, counts = Findings(), Counter[str]()
    serials = [f"KEY-{number:06d}" for number in range(size["serials"])]
    async with stand.database.begin() as tx:
        shop = await make_shop(tx)
        variant_id = await make_variant(tx, shop=shop, own=None)
        for start in range(0, len(serials), BATCH):
            await add_serials(
                tx,
                shop_id=shop.id,
                variant_id=variant_id,
                serials=serials[start : start + BATCH],
                box=box(),
                now=datetime.now(UTC),
            )
    database = Database(stand.url, min_size=CONNECTIONS, max_size=CONNECTIONS, wait_s=60)
    await database.open()
    orders = list(range(1, 2 * len(serials) + 1))
    rng.shuffle(orders)
    await asyncio.gather(
        *(_fulfil(database, shop.id, variant_id, order_id, counts) for order_id in orders)
    )
    async with database.statement() as tx:
        delivered: list[str] = []
        for order_id in orders:
            found = await read_sold_serials(tx, shop_id=shop.id, order_id=order_id, box=box())
            delivered += [serial for line in found.values() for serial in line]
            findings.expect(sum(map(len, found.values())) <= 1, f"order {order_id} has {found}")
        left = await level(tx, shop_id=shop.id, variant_id=variant_id)
    await database.close()
    findings.expect(sorted(delivered) == serials, "not every serial was delivered exactly once")
    findings.expect(left == (0, 0, 0, 0), f"the level is {left}")
    findings.expect(
        (counts["sold"], counts["refused"]) == (len(serials), len(serials)), f"{dict(counts)}"
    )
    return findings.result(
        serials=len(serials),
        delivered=counts["sold"],
        refused=counts["refused"],
        broken_off_and_repeated=counts["broken off"],
    )


class _BrokenOff(Exception):
    """The caller is gone before its transaction is committed."""


async def _fulfil(
    database: Database, shop_id: int, variant_id: int, order_id: int, counts: Counter[str]
) -> None:
    is_broken_off = order_id % 3 == 0
    while True:
        try:
            async with database.begin() as tx:
                await take_serials(
                    tx,
                    shop_id=shop_id,
                    order_id=order_id,
                    line_no=1,
                    variant_id=variant_id,
                    quantity=1,
                    now=datetime.now(UTC),
                )
                if is_broken_off:
                    raise _BrokenOff
        except _BrokenOff:
            is_broken_off = False
            counts["broken off"] += 1
        except Refused as refused:
            if refused.code != "stock_limit_exceeded":
                raise
            counts["refused"] += 1
            return
        else:
            counts["sold"] += 1
            return


CLAIM = Claim(
    id="P10",
    title="serials",
    workload="1,000 serials and twice as many fulfilments at once, a third of them broken off before "
    "the commit and repeated",
    must_hold="each serial delivered once, the rest refused cleanly, the level zero",
    full={"serials": 1_000},
    quick={"serials": 100},
    run=run,
    server=False,
)
