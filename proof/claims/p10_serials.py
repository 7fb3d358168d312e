"""P10: each serial is delivered once, the oldest first, even if orders are repeated."""

import asyncio
import contextlib
import random
from collections import Counter
from datetime import UTC, datetime

from crossdock.db.unit_of_work import Database
from crossdock.errors import Refused
from crossdock.shop.orders import OrderDraft, Placed, place
from crossdock.shop.stock import add_serials, read_sold_serials
from proof.claim import Claim, Findings, Result, Size
from proof.stand import Stand
from tests.support.drafts import draft_of, line_of
from tests.support.factories import box, level, make_shop, make_variant

CONNECTIONS = 32
BATCH = 100


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Twice as many orders as serials; every third is first interrupted, and each is sent twice."""
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
    orders = [
        draft_of(
            line_of(variant_id, shop=shop, take="serials"),
            shop=shop,
            number=f"F-{number}",
            request_hash=b"one serial",
            state="completed",
        )
        for number in range(2 * len(serials))
    ]
    rng.shuffle(orders)
    placed = await asyncio.gather(
        *(
            _fulfil(database, draft, is_broken_off=number % 3 == 0, counts=counts)
            for number, draft in enumerate(orders)
        )
    )
    async with database.statement() as tx:
        delivered: list[str] = []
        for order_id in filter(None, placed):
            found = await read_sold_serials(tx, shop_id=shop.id, order_id=order_id, box=box())
            delivered += [serial for line in found.values() for serial in line]
            findings.expect(sum(map(len, found.values())) == 1, f"order {order_id} has {found}")
        left = await level(tx, shop_id=shop.id, variant_id=variant_id)
    await database.close()
    findings.expect(sorted(delivered) == serials, "not every serial was delivered exactly once")
    findings.expect(left == (0, 0, 0, 0), f"the level is {left}")
    findings.expect(
        (counts["sold"], counts["replayed"], counts["refused"]) == (len(serials),) * 3,
        f"{dict(counts)}",
    )
    return findings.result(
        serials=len(serials),
        delivered=counts["sold"],
        refused=counts["refused"],
        broken_off_and_repeated=counts["broken off"],
    )


class _BrokenOff(Exception):
    """The caller disappeared before its transaction was committed."""


async def _fulfil(
    database: Database, draft: OrderDraft, *, is_broken_off: bool, counts: Counter[str]
) -> int | None:
    """Place an order, and repeat it; its id, or None if no serial was left."""
    try:
        if is_broken_off:
            with contextlib.suppress(_BrokenOff):
                async with database.begin() as tx:
                    await place(tx, draft=draft, now=datetime.now(UTC))
                    raise _BrokenOff
            counts["broken off"] += 1
        first = await _place(database, draft)
        again = await _place(database, draft)
    except Refused as refused:
        if refused.code != "stock_limit_exceeded":
            raise
        counts["refused"] += 1
        return None
    counts["sold"] += first.outcome == "created"
    counts["replayed"] += (again.outcome, again.id) == ("replayed", first.id)
    return first.id


async def _place(database: Database, draft: OrderDraft) -> Placed:
    async with database.begin() as tx:
        return await place(tx, draft=draft, now=datetime.now(UTC))


CLAIM = Claim(
    id="P10",
    title="serials",
    workload="1,000 serials and twice as many orders of one at once, a third of them broken off before "
    "the commit, each repeated once it is placed",
    must_hold="each serial delivered once, the rest refused cleanly, the level zero",
    full={"serials": 1_000},
    quick={"serials": 100},
    run=run,
    server=False,
)
