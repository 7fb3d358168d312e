"""P16 for merchants: lists after a cursor show what is there throughout exactly once, whatever is written."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any

from crossdock.channels.shoppex_reseller.ids import Kind, WireIds
from crossdock.errors import NotFound
from crossdock.shop.catalogue import ProductChanges, change_product, remove_product
from crossdock.shop.resellers import ResellerTerms, change_terms, move_reseller
from proof.claim import Claim, Findings, Result, Size
from proof.claims.p16_paging import BULK
from proof.resellers import (
    CHANNEL,
    Licence,
    call,
    make_licence,
    make_merchant_key,
    make_reseller,
    numbered,
    open_programme,
    wire_ids,
)
from proof.stand import Stand
from tests.support.factories import PartnerFixture, ShopFixture, make_shop, make_variant
from tests.support.raw_http import Connection

LIMIT = 7
WRITERS = 3
SHARE_OF_RELATIONSHIPS = 10
MOVED = 5
"""So many serials each movement of the beginning adds."""
WAYS = frozenset(
    {"add_product", "rename", "remove", "add_reseller", "change", "suspend", "add_serial", "claim"}
)
Way = Callable[[], Coroutine[Any, Any, None]]


class Writer:
    """Writes what is listed, while it is walked; `gone` are the numbers that it took away."""

    def __init__(
        self,
        stand: Stand,
        shop: ShopFixture,
        licence: Licence,
        merchant: PartnerFixture,
        ids: WireIds,
        rng: random.Random,
    ) -> None:
        self.done: Counter[str] = Counter()
        self.gone: set[int] = set()
        self._stand = stand
        self._shop = shop
        self._licence = licence
        self._merchant = merchant
        self._ids = ids
        self._rng = rng

    def ways(self, name: str, numbers: list[int]) -> Sequence[Way]:
        """What changes the list of this name, whose rows have these numbers."""

        async def add_product() -> None:
            async with self._stand.database.begin() as tx:
                await make_variant(tx, shop=self._shop, own=5)

        async def rename() -> None:
            with contextlib.suppress(NotFound):  # it may be taken away meanwhile
                async with self._stand.database.begin() as tx:
                    await change_product(
                        tx,
                        shop_id=self._shop.id,
                        merchant_ids=None,
                        product_id=self._present(numbers),
                        changes=ProductChanges(name=f"Renamed {self._rng.random()}"),
                        now=datetime.now(UTC),
                    )

        async def remove() -> None:
            gone = self._present(numbers)
            self.gone.add(gone)
            async with self._stand.database.begin() as tx:
                await remove_product(
                    tx,
                    shop_id=self._shop.id,
                    merchant_ids=None,
                    product_id=gone,
                    now=datetime.now(UTC),
                )

        async def add_reseller() -> None:
            async with self._stand.database.begin() as tx:
                await make_reseller(tx, shop=self._shop)

        async def change() -> None:
            async with self._stand.database.begin() as tx:
                await change_terms(
                    tx,
                    shop_id=self._shop.id,
                    reseller_id=self._rng.choice(numbers),
                    terms=ResellerTerms(limit_daily=self._rng.randrange(99)),
                    now=datetime.now(UTC),
                )

        async def suspend() -> None:
            async with self._stand.database.begin() as tx:
                await move_reseller(
                    tx,
                    shop_id=self._shop.id,
                    reseller_id=self._rng.choice(numbers),
                    action="suspend",
                    now=datetime.now(UTC),
                )

        return {
            "products": [add_product, rename, remove],
            "resellers": [add_reseller, change, suspend],
            "movements": [self._add_serial, self._claim],
        }[name]

    async def write(self, ways: Sequence[Way], count: int, *, until: asyncio.Event) -> None:
        """Make at least `count` changes, and go on until the walk has ended."""
        done = 0
        while done < count or not until.is_set():
            way = self._rng.choice(ways)
            await way()
            self.done[way.__name__.strip("_")] += 1
            done += 1
            if done > count:
                await asyncio.sleep(0.02)  # so that the walk comes to an end

    def _present(self, numbers: list[int]) -> int:
        """One that was not taken away."""
        while (found := self._rng.choice(numbers)) in self.gone:
            pass
        return found

    async def _add_serial(self) -> None:
        await self._post("serials", {"serials": [f"ADDED-{self._rng.getrandbits(60)}"]})

    async def _claim(self) -> None:
        await self._post("serials/claim", {"amount": 1})

    async def _post(self, path: str, body: dict[str, object]) -> None:
        product = self._ids.write(Kind.PRODUCT, self._licence.product_id)
        connection = await Connection.open(self._stand.server.port)
        request = call(self._merchant.secret, "POST", f"/dev/v1/products/{product}/{path}", body)
        reply = await connection.exchange(request)
        connection.close()
        if reply.status not in {200, 201}:
            raise RuntimeError(f"{path}: {reply.status} {reply.body[:200]!r}")


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Walk products, resellers and stock movements by their cursors, while writers write."""
    findings = Findings()
    rows = size["rows"]
    async with stand.database.begin() as tx:
        shop = await make_shop(tx)
        await open_programme(tx, shop)
        ids, merchant = await wire_ids(tx, shop), await make_merchant_key(tx, shop=shop)
        licence = await make_licence(tx, shop=shop, serials=numbered("KEY", MOVED))
        await tx.run(BULK, {"shop": shop.id, "merchant": shop.merchant_id, "count": rows})
        for _ in range(rows // SHARE_OF_RELATIONSHIPS):
            await make_reseller(tx, shop=shop)
        listed = {
            "products": [
                r[0] for r in await tx.all("select id from products where shop_id = %s", (shop.id,))
            ],
            "resellers": [
                r[0]
                for r in await tx.all("select id from resellers where shop_id = %s", (shop.id,))
            ],
        }
    writer = Writer(stand, shop, licence, merchant, ids, rng)
    for _ in range(rows // SHARE_OF_RELATIONSHIPS):
        await writer.ways("movements", [])[0]()
    connection = await Connection.open(stand.server.port)
    pages = 0
    for name, (kind, path) in _lists(ids, licence).items():
        if name == "movements":
            shown, _ = await _walk(connection, merchant, path)
            there = [number for each in shown if (number := ids.find(kind, each)) is not None]
        else:
            there = [number for number in listed[name] if number != licence.product_id]
        ways = writer.ways(name, there)
        shown, walked = await _walk_while_writing(
            lambda path=path: _walk(connection, merchant, path),  # type: ignore[misc]
            writer, ways, changes=size["changes"],
        )  # fmt: skip
        gone = writer.gone if name == "products" else set()
        seen = Counter(ids.find(kind, each) for each in shown)
        _judge(findings, name, seen, [number for number in there if number not in gone])
        pages += walked
    connection.close()
    is_all = len(writer.done) == len(WAYS) and min(writer.done.values()) > 0
    findings.expect(is_all, f"written: {dict(writer.done)}")
    return findings.result(rows=rows, pages=pages, **writer.done)


def _lists(ids: WireIds, licence: Licence) -> dict[str, tuple[Kind, str]]:
    product = ids.write(Kind.PRODUCT, licence.product_id)
    return {
        "products": (Kind.PRODUCT, "/dev/v1/products"),
        "resellers": (Kind.RELATIONSHIP, "/dev/v1/resellers"),
        "movements": (Kind.MOVEMENT, f"/dev/v1/products/{product}/stock-movements"),
    }


def _judge(findings: Findings, name: str, seen: Counter[int | None], stayed: list[int]) -> None:
    missing = [number for number in stayed if not seen[number]]
    doubled = [number for number, times in seen.items() if times > 1]
    findings.expect(not missing, f"{name}: {len(missing)} not seen, such as {missing[:3]}")
    findings.expect(not doubled, f"{name}: {len(doubled)} seen twice, such as {doubled[:3]}")
    findings.expect(len(stayed) > LIMIT, f"{name}: only {len(stayed)} stayed")


async def _walk_while_writing(
    walk: Callable[[], Awaitable[tuple[list[str], int]]],
    writer: Writer,
    ways: Sequence[Way],
    *,
    changes: int,
) -> tuple[list[str], int]:
    over = asyncio.Event()
    writers = [
        asyncio.create_task(writer.write(ways, changes // WRITERS, until=over))
        for _ in range(WRITERS)
    ]
    try:
        return await walk()
    finally:
        over.set()
        await asyncio.gather(*writers)


async def _walk(
    connection: Connection, merchant: PartnerFixture, path: str
) -> tuple[list[str], int]:
    """The ids of all pages, and how many pages there were."""
    shown: list[str] = []
    cursor, pages = "", 0
    while True:
        query = f"?limit={LIMIT}" + (f"&cursor={cursor}" if cursor else "")
        reply = await connection.exchange(call(merchant.secret, "GET", path + query))
        if reply.status != 200:
            raise RuntimeError(f"{path}{query}: {reply.status} {reply.body[:200]!r}")
        page = reply.json()
        shown += [each["id"] for each in page["data"]]
        pages += 1
        cursor = page["pagination"]["next_cursor"]
        if not page["pagination"]["has_more"]:
            return shown, pages


CLAIM = Claim(
    id="P16",
    door=CHANNEL,
    title="paging under writes",
    workload="products, resellers and stock movements walked by their cursors while three writers add, rename "
    "and take away products, add, change and suspend resellers, add and claim serials",
    must_hold="what is there throughout is seen exactly once, nothing is seen twice",
    full={"rows": 10_000, "changes": 2_000},
    quick={"rows": 300, "changes": 60},
    run=run,
)
