"""P16 for publishers: walks of the catalogue and of the order feed while goods and orders change."""

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from crossdock.shop.catalogue import ProductRecord, VariantRecord
from crossdock.shop.shops import Shop, read_shop
from crossdock.shop.stock import StockRecord
from proof.claim import Claim, Findings, Result, Size
from proof.claims.p16_feed import follow_feed
from proof.publishers import CHANNEL, get, make_publisher
from proof.stand import Stand
from tests.support.factories import PartnerFixture, make_shop
from tests.support.raw_http import Connection
from tests.support.search_shop import write

PAGES = 20  # of a walk; at most PAGE_MAX goods each
PAGE_MAX = 100
BURSTS = 20
INDEX_S = 60.0
LAG_S = 2.0
WALKS_S = 300.0
HOST = "http://crossdock.test"


@dataclass
class Writer:
    """Changes a part of the goods in bursts, and lets the index come to rest between them."""

    stand: Stand
    shop: Shop
    rng: random.Random
    changing: list[int]
    removes: bool
    pause_s: float
    hidden: set[int] = field(default_factory=set)
    added: int = 0
    done: Counter[str] = field(default_factory=Counter)

    async def write(self, count: int, *, until: asyncio.Event) -> None:
        """Make at least `count` changes, and go on until the walks are over."""
        burst = max(1, count // BURSTS)
        while self.done.total() < count or not until.is_set():
            records = [self._change() for _ in range(burst)]
            unique = {record.handle: record for record in records}
            await write(
                self.stand.database,
                shop=self.shop,
                records=list(unique.values()),
                now=datetime.now(UTC),
            )
            await asyncio.sleep(self.rng.choice([0.0, 0.05, self.pause_s]))

    def _change(self) -> ProductRecord:
        ways = ["insert", "change", *(["remove"] if self.removes else [])]
        way = self.rng.choice(ways)
        self.done[way] += 1
        if way == "insert":
            self.added += 1
            return product(f"new-{self.removes}-{self.added}", self.rng)
        number = self.rng.choice(self.changing)
        if way == "remove":
            self.hidden ^= {number}
        return product(f"lamp-{number}", self.rng, enabled=number not in self.hidden)


def product(handle: str, rng: random.Random, *, enabled: bool = True) -> ProductRecord:
    """A lamp at some price."""
    stock = (StockRecord(pool="own", on_hand=10),)
    variant = VariantRecord(sku=handle, retail_minor=rng.randint(100, 99_999), stock=stock)
    return ProductRecord(
        handle=handle,
        name=f"Lamp {rng.randrange(1_000)}",
        merchant="Lights",
        currency="USD",
        enabled=enabled,
        variants=(variant,),
    )


@dataclass
class Walk:
    """One walk from the first page to the last."""

    seen: Counter[str] = field(default_factory=Counter)
    states: set[int] = field(default_factory=set)
    counts: set[int] = field(default_factory=set)
    pages: int = 0


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Walk the catalogue while goods come and change, then while they go as well; then the order feed."""
    findings = Findings()
    shop, publisher, staying, changing = await _furnish(stand, size["rows"], rng)
    connection = await Connection.open(stand.server.port)
    await _until_indexed(connection, publisher, size["rows"])
    figures: Counter[str] = Counter()
    for removes in (False, True):
        writer = Writer(
            stand, shop, rng, changing, removes, pause_s=LAG_S + 2 * size["rows"] / 2_500
        )
        over = asyncio.Event()
        writing = asyncio.create_task(writer.write(size["changes"], until=over))
        try:
            await _walk_often(connection, publisher, writer, staying, findings, figures, size)
        finally:
            over.set()
            await writing
        figures["changes"] += writer.done.total()
    await _afterwards(stand, connection, shop, publisher, findings, rows=size["rows"])
    connection.close()
    fed = await follow_feed(stand, size, rng, findings)
    return findings.result(goods=size["rows"], **figures, **fed)


async def _furnish(
    stand: Stand, rows: int, rng: random.Random
) -> tuple[Shop, PartnerFixture, set[str], list[int]]:
    """The shop, a publisher, the part numbers of the goods that stay, and the goods that change."""
    async with stand.database.begin() as tx:
        made = await make_shop(tx)
        publisher = await make_publisher(tx, shop=made)
        shop = await read_shop(tx, slug=made.slug)
    records = [product(f"lamp-{number}", rng) for number in range(rows)]
    await write(stand.database, shop=shop, records=records, now=datetime.now(UTC))
    changing = rng.sample(range(rows), rows // 5)
    handles = [f"lamp-{number}" for number in changing]
    async with stand.database.statement() as tx:
        found = await tx.all(
            "select id from products where shop_id = %s and handle <> all(%s)", (shop.id, handles)
        )
    return shop, publisher, {str(row[0]) for row in found}, changing


async def _until_indexed(connection: Connection, publisher: PartnerFixture, rows: int) -> None:
    until = time.monotonic() + INDEX_S
    while (await _page(connection, publisher, "/v3/catalog/?rows=0")).get("count") != rows:
        if time.monotonic() > until:
            raise RuntimeError("the worker has not indexed the goods")
        await asyncio.sleep(0.2)


async def _page(connection: Connection, publisher: PartnerFixture, path: str) -> dict[str, Any]:
    reply = await connection.exchange(get(publisher, path))
    page: dict[str, Any] = reply.json()
    if reply.status not in {200, 503}:
        raise RuntimeError(f"{path}: {reply.status} {reply.body[:300]!r}")
    return page


async def _walk_often(
    connection: Connection,
    publisher: PartnerFixture,
    writer: Writer,
    staying: set[str],
    findings: Findings,
    figures: Counter[str],
    size: Size,
) -> None:
    """Walk until all is written, and both some walks were of one state and some of several."""
    kinds: Counter[str] = Counter()
    until = time.monotonic() + WALKS_S
    while True:
        walk = await _walk(connection, publisher, rows=size["rows"])
        is_still = len(walk.states) == 1
        kinds["still" if is_still else "moved"] += 1
        again = {number for number in staying if walk.seen[number] > 1}
        skipped = {number for number in staying if not walk.seen[number]}
        if is_still:
            # What was removed a moment ago counts until the index follows, but is not shown any more.
            right = walk.counts >= {walk.seen.total()} or writer.removes
            right = right and len(walk.counts) == max(walk.seen.values()) == 1
            findings.expect(right, f"of one state: {walk.counts} told, {walk.seen.total()} seen")
        if is_still or not writer.removes:
            findings.expect(not skipped, f"{len(skipped)} skipped, as {sorted(skipped)[:3]}")
        if is_still:
            findings.expect(not again, f"{len(again)} seen twice, as {sorted(again)[:3]}")
        figures["pages"] += walk.pages
        figures["seen_again_in_walks_that_moved"] += len(again)
        figures["skipped_in_walks_that_moved"] += len(skipped)
        if writer.done.total() >= size["changes"] and min(kinds["still"], kinds["moved"]) >= 2:
            break
        if time.monotonic() > until:
            findings.expect(False, f"{dict(kinds)} walks, {dict(writer.done)}")
            break
    figures["walks_of_one_state"] += kinds["still"]
    figures["walks_that_moved"] += kinds["moved"]


async def _walk(connection: Connection, publisher: PartnerFixture, *, rows: int) -> Walk:
    """Follow `next_page_url` to the last page."""
    page_rows = min(PAGE_MAX, rows // PAGES)
    walk, path = Walk(), f"/v3/catalog/?rows={page_rows}&navigation_type=none"
    while path:
        page = await _page(connection, publisher, path)
        walk.states.add(page["metadata"]["as_of"])
        walk.counts.add(page["count"])
        walk.seen.update(each["part_number"] for each in page["products"])
        walk.pages += 1
        path = page["next_page_url"].removeprefix(HOST)
    return walk


async def _afterwards(
    stand: Stand,
    connection: Connection,
    shop: Shop,
    publisher: PartnerFixture,
    findings: Findings,
    *,
    rows: int,
) -> None:
    """Soon after the last change, a walk has what the shop sells."""
    async with stand.database.statement() as tx:
        found = await tx.all(
            "select p.id from products p join variants v on v.shop_id = p.shop_id and v.product_id = p.id"
            " where p.shop_id = %s and p.enabled and v.enabled",
            (shop.id,),
        )
    sold = {str(row[0]) for row in found}
    until = time.monotonic() + LAG_S
    seen = set((await _walk(connection, publisher, rows=rows)).seen)
    while seen != sold and time.monotonic() < until:
        seen = set((await _walk(connection, publisher, rows=rows)).seen)
    wrong = sorted(seen ^ sold)
    findings.expect(
        not wrong, f"{len(wrong)} differ {LAG_S:g} s after the last change: {wrong[:3]}"
    )


CLAIM = Claim(
    id="P16",
    door=CHANNEL,
    title="paging under writes",
    workload="the catalogue walked by next_page_url while goods are inserted and changed, then removed as "
    "well; the order feed walked by page and by after while orders are placed and cancelled",
    must_hold="goods present throughout: seen exactly once in a walk whose pages tell one as_of, never skipped "
    "while goods only come and change; feed by page: every order present throughout exactly once; by after: "
    "every change told, none twice",
    full={"rows": 10_000, "changes": 2_000},
    quick={"rows": 500, "changes": 100},
    run=run,
)
