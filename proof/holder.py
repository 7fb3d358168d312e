"""A process that holds stock until it is killed: `python -m proof.holder URL SHOP VARIANT TTL`."""

import asyncio
import sys
from datetime import UTC, datetime

from crossdock.db.unit_of_work import Database
from crossdock.errors import CrossdockError
from crossdock.shop.stock import hold_stock, release_hold


async def hold_for_ever(url: str, *, shop_id: int, variant_id: int, ttl_s: int) -> None:
    """Hold and release one unit again and again, until killed."""
    database = Database(url, min_size=1, max_size=1)
    await database.open()
    while True:
        try:
            async with database.begin() as tx:
                hold = await hold_stock(
                    tx, shop_id=shop_id, variant_id=variant_id, quantity=1, ttl_s=ttl_s, now=_now()
                )
            await asyncio.sleep(0.02)
            async with database.begin() as tx:
                await release_hold(tx, shop_id=shop_id, hold_id=hold.id, now=_now())
        except CrossdockError:
            await asyncio.sleep(0.1)


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    url, shop_id, variant_id, ttl_s = sys.argv[1:]
    asyncio.run(
        hold_for_ever(url, shop_id=int(shop_id), variant_id=int(variant_id), ttl_s=int(ttl_s))
    )
