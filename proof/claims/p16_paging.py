"""P16: paging by offset returns every row that exists throughout exactly once, whatever is written meanwhile."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from crossdock.shop.stock import receive_stock
from proof.claim import Claim, Findings, Result, Size
from proof.stand import Stand
from proof.web_shops import call_bytes, make_web_shop
from tests.support.factories import PartnerFixture, ShopFixture, make_shop, make_variant
from tests.support.raw_http import Connection

STOCK_PAGE = 50
PRODUCT_PAGE = 100
WRITERS = 3
BULK = """
    with made as (
        insert into products (shop_id, merchant_id, handle, name, sort, option_names)
        select %(shop)s, %(merchant)s, 'walk-' || g, 'Lantern number ' || g, g %% 7,
               case when g %% 5 = 0 then '{Size}'::text[] else '{}'::text[] end
        from generate_series(1, %(count)s) g
        returning shop_id, id, merchant_id, handle, name
    )
    insert into variants (shop_id, product_id, merchant_id, sku, name, currency, retail_minor)
    select shop_id, id, merchant_id, upper(handle), name, 'USD', 1500 from made
"""


class Writer:
    """Changes the catalogue while it is paged through."""

    def __init__(
        self, stand: Stand, shop: ShopFixture, variants: list[int], rng: random.Random
    ) -> None:
        self.done: Counter[str] = Counter()
        self._stand = stand
        self._shop = shop
        self._variants = variants
        self._rng = rng
        self._ways: list[Callable[[], Awaitable[None]]] = [
            self._insert,
            self._rename,
            self._resort,
            self._disable,
            self._restock,
        ]

    async def write(self, count: int, *, until: asyncio.Event) -> None:
        """Make at least `count` changes, and continue until paging ends."""
        done = 0
        while done < count or not until.is_set():
            way = self._rng.choice(self._ways)
            await way()
            self.done[way.__name__.strip("_")] += 1
            done += 1
            if done > count:
                await asyncio.sleep(0.02)  # so that the walk comes to an end

    async def _insert(self) -> None:
        async with self._stand.database.begin() as tx:
            own, options = self._rng.choice([None, 3, 50]), self._rng.choice([[], ["Size"]])
            made = await make_variant(tx, shop=self._shop, own=own)
            await tx.run(
                "update products set option_names = %s where shop_id = %s and id ="
                " (select product_id from variants where shop_id = %s and id = %s)",
                (options, self._shop.id, self._shop.id, made),
            )

    async def _rename(self) -> None:
        await self._change("update variants set name = name || '*', updated_at = now()")

    async def _resort(self) -> None:
        await self._change(
            "update products set sort = sort + 3, updated_at = now()", by="product_id"
        )

    async def _disable(self) -> None:
        await self._change("update variants set enabled = not enabled, updated_at = now()")

    async def _restock(self) -> None:
        async with self._stand.database.begin() as tx:
            await receive_stock(
                tx,
                shop_id=self._shop.id,
                variant_id=self._rng.choice(self._variants),
                quantity=1,
                now=datetime.now(UTC),
            )

    async def _change(self, change: str, *, by: str = "id") -> None:
        async with self._stand.database.begin() as tx:
            await tx.run(
                f"{change} where shop_id = %s and id ="
                f" (select {by} from variants where shop_id = %s and id = %s)",
                (self._shop.id, self._shop.id, self._rng.choice(self._variants)),
            )


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Page through getStock and getProducts from 0 until a page is empty, while writers write."""
    findings = Findings()
    async with stand.database.begin() as tx:
        shop = await make_shop(tx)
        partner = await make_web_shop(tx, shop=shop)
        await tx.run(BULK, {"shop": shop.id, "merchant": shop.merchant_id, "count": size["rows"]})
        rows = await tx.all(
            "select v.id, v.product_id, cardinality(p.option_names) > 0 from variants v"
            " join products p on p.shop_id = v.shop_id and p.id = v.product_id where v.shop_id = %s",
            (shop.id,),
        )
    variants = [row[0] for row in rows]
    shown = [row[1] for row in rows] + [row[0] for row in rows if row[2]]
    written: Counter[str] = Counter()
    pages = 0
    for method, page, there in (
        ("getStock", STOCK_PAGE, variants),
        ("getProducts", PRODUCT_PAGE, shown),
    ):
        writer = Writer(stand, shop, variants, rng)
        walked, seen = await _walk_while_writing(
            stand, partner, writer, method=method, page=page, changes=size["changes"]
        )
        missing = [row for row in there if not seen[row]]
        doubled = [row for row in there if seen[row] > 1]
        findings.expect(not missing, f"{method}: {len(missing)} rows not seen: {missing[:5]}")
        findings.expect(not doubled, f"{method}: {len(doubled)} rows seen twice: {doubled[:5]}")
        findings.expect(
            writer.done["insert"] > 0 and writer.done.total() >= size["changes"],
            f"{method}: only {dict(writer.done)} was written",
        )
        written += writer.done
        pages += walked
    return findings.result(
        rows=len(variants) + len(shown),
        pages=pages,
        changes=written.total(),
        inserted=written["insert"],
    )


async def _walk_while_writing(
    stand: Stand,
    partner: PartnerFixture,
    writer: Writer,
    *,
    method: str,
    page: int,
    changes: int,
) -> tuple[int, Counter[int]]:
    """How many pages there were, and how often each row was seen."""
    over = asyncio.Event()
    writers = [
        asyncio.create_task(writer.write(-(-changes // WRITERS), until=over))
        for _ in range(WRITERS)
    ]
    seen: Counter[int] = Counter()
    connection = await Connection.open(stand.server.port)
    offset = 0
    try:
        while ids := await _page(connection, partner, method=method, offset=offset):
            seen.update(ids)
            offset += page
            await asyncio.sleep(0.05)
    finally:
        over.set()
        connection.close()
        await asyncio.gather(*writers)
    return offset // page, seen


async def _page(
    connection: Connection, partner: PartnerFixture, *, method: str, offset: int
) -> list[int]:
    request = call_bytes(partner, method, {"offset": offset}, timestamp=int(time.time()))
    reply = await connection.exchange(request)
    if reply.status != 200:
        raise RuntimeError(f"{method} at {offset}: {reply.status} {reply.body[:300]!r}")
    document: Any = reply.json()
    if isinstance(document, dict):
        return [item["sku"] for item in document.values()]
    return [product["product_id"] for product in document]


CLAIM = Claim(
    id="P16",
    door="shopwedo",
    title="paging under writes",
    workload="getStock and getProducts walked by offset while three writers insert, rename, sort anew, "
    "disable, enable and restock goods",
    must_hold="rows present throughout are seen exactly once",
    full={"rows": 10_000, "changes": 2_000},
    quick={"rows": 500, "changes": 100},
    run=run,
)
