"""P16 for drop shippers: a walk by endCursor has every row that is there throughout exactly once."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from crossdock.channels.shoppo.ids import Kind
from crossdock.kit.opaque import OpaqueIds
from crossdock.shop.orders import cancel_order
from proof.claim import Claim, Findings, Result, Size
from proof.doors import SOLD, buy
from proof.drop_shippers import (
    CHANNEL,
    ShoppoDoor,
    answered,
    ask,
    charge,
    ids_of,
    make_drop_shipper,
)
from proof.stand import Stand
from tests.support.factories import PartnerFixture, ShopFixture, make_shop, make_variant
from tests.support.raw_http import Connection

WRITERS = 2
LANES = 8
PAGES = 25
WALKS = 4  # of each list at least
PAGE_MAX = 200
PAUSE_S = 0.02
GOODS = """
    with made as (
        insert into products (shop_id, merchant_id, handle, name, created_at)
        select %(shop)s, %(merchant)s, 'walk-' || g, 'Lantern ' || g, now() - (g %% 40) * interval '1 minute'
        from generate_series(1, %(count)s) g
        returning shop_id, id, merchant_id, handle, name
    )
    insert into variants (shop_id, product_id, merchant_id, sku, name, currency, retail_minor)
    select shop_id, id, merchant_id, upper(handle), name, 'USD', 1500 from made
"""
LEAVE_EVERY = 5  # of so many products one is taken out of sight, sooner or later
KEPT_EVERY = 5  # of so many orders one stays as it is
FORWARD = """
query q($size: Int, $cursor: String) { LIST(first: $size, after: $cursor FILTERS) {
  edges { node { id } } pageInfo { hasNextPage endCursor } } }
"""
BACKWARD = """
query q($size: Int, $cursor: String) { LIST(last: $size, before: $cursor FILTERS) {
  edges { node { id } } pageInfo { hasPreviousPage startCursor } } }
"""
Way = tuple[str, str, str]
"""A document, and the names of what says whether and where the walk goes on."""
WAYS: dict[str, Way] = {
    "forward": (FORWARD, "hasNextPage", "endCursor"),
    "backward": (BACKWARD, "hasPreviousPage", "startCursor"),
}


@dataclass
class Scene:
    """A drop shipper, a neighbour who writes as well, and what is there from the beginning."""

    stand: Stand
    shop: ShopFixture
    partner: PartnerFixture
    neighbour: PartnerFixture
    ids: OpaqueIds
    variant_id: int
    products: list[int] = field(default_factory=list)
    leaving: list[int] = field(default_factory=list)
    """Products that are taken out of sight; the others are there throughout."""
    orders: list[int] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)
    """Orders that stay open."""
    left: list[int] = field(default_factory=list)
    """Orders that were neither paid nor cancelled yet, and may be."""
    done: Counter[str] = field(default_factory=Counter)

    def lists(self) -> list["Listed"]:
        """What is walked."""
        open_ones = ", filters: {statusIn: [OPEN]}"
        return [
            Listed("productList", "", Kind.PRODUCT, self.products),
            Listed("orderList", "", Kind.ORDER, self.orders),
            Listed("orderList", open_ones, Kind.ORDER, self.kept),
        ]


@dataclass(frozen=True)
class Listed:
    """A list, its filters, and the numbers of what it shows throughout."""

    name: str
    filters: str
    kind: Kind
    there: list[int]

    def document(self, way: str) -> str:
        """A page of it."""
        return way.replace("LIST", self.name).replace(" FILTERS", self.filters)


class Writer:
    """Changes products and orders while they are walked."""

    def __init__(self, scene: Scene, connection: Connection, rng: random.Random) -> None:
        self._scene = scene
        self._connection = connection
        self._rng = rng

    async def write(self, listed: str, *, count: int, until: asyncio.Event) -> None:
        """Make at least so many changes, and continue until the walks end."""
        ways = self._products() if listed == "productList" else self._orders()
        done = 0
        while done < count or not until.is_set():
            name, way = self._rng.choice(list(ways.items()))
            await way()
            self._scene.done[name] += 1
            done += 1
            await asyncio.sleep(PAUSE_S if done > count else 0)

    def _products(self) -> dict[str, Callable[[], Awaitable[None]]]:
        return {
            "added": self._add,
            "taken_out": self._take_out,
            "renamed": lambda: self._change("set name = name || '*', updated_at = now()"),
            "toggled": lambda: self._change("set enabled = not enabled, updated_at = now()"),
            "sorted": lambda: self._change("set sort = sort + 3, updated_at = now()"),
        }

    def _orders(self) -> dict[str, Callable[[], Awaitable[None]]]:
        return {
            "ordered": lambda: self._order(self._scene.partner),
            "ordered_by_another": lambda: self._order(self._scene.neighbour),
            "paid": self._pay,
            "cancelled": self._cancel,
        }

    async def _add(self) -> None:
        async with self._scene.stand.database.begin() as tx:
            await make_variant(tx, shop=self._scene.shop)

    async def _take_out(self) -> None:
        if self._scene.leaving:
            async with self._scene.stand.database.begin() as tx:
                await tx.run(
                    "update variants set retail_minor = null where shop_id = %s and product_id = %s",
                    (self._scene.shop.id, self._scene.leaving.pop()),
                )

    async def _change(self, change: str) -> None:
        product_id = self._rng.choice(self._scene.products)
        async with self._scene.stand.database.begin() as tx:
            await tx.run(
                f"update products {change} where shop_id = %s and id = %s",
                (self._scene.shop.id, product_id),
            )

    async def _order(self, partner: PartnerFixture) -> None:
        code = f"M-{self._rng.random()}"
        order_id = await _placed(self._connection, self._scene, partner, code=code)
        if partner is self._scene.partner:
            self._scene.left.append(order_id)

    async def _pay(self) -> None:
        if self._scene.left:
            order_id = self._scene.ids.encode(Kind.ORDER, self._scene.left.pop())
            request = charge(self._scene.partner, order_id, charge_id=f"ch-{order_id}")
            answered(await self._connection.exchange(request))

    async def _cancel(self) -> None:
        if self._scene.left:
            async with self._scene.stand.database.begin() as tx:
                await cancel_order(
                    tx,
                    shop_id=self._scene.shop.id,
                    order_id=self._scene.left.pop(),
                    reason="walked",
                    now=datetime.now(UTC),
                )


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Walk both lists both ways, again and again, while writers write."""
    findings = Findings()
    scene = await _furnish(stand, size["rows"])
    figures: Counter[str] = Counter()
    for listed in scene.lists():
        expected = {scene.ids.encode(listed.kind, number) for number in listed.there}
        walks = await _walk_while_writing(scene, listed, size, rng)
        for name, seen, pages in walks:
            missing = [each for each in expected if not seen[each]]
            doubled = [each for each, times in seen.items() if times > 1]
            where = f"{listed.name}{listed.filters} {name}"
            findings.expect(not missing, f"{where}: {len(missing)} not seen: {missing[:3]}")
            findings.expect(not doubled, f"{where}: {len(doubled)} seen twice: {doubled[:3]}")
            figures["pages"] += pages
        figures["walks"] += len(walks)
    findings.expect(len(scene.done) == 9, f"only {dict(scene.done)} was written")
    rows = len(scene.products) + len(scene.orders)
    return findings.result(rows=rows, **figures, **scene.done)


async def _furnish(stand: Stand, rows: int) -> Scene:
    async with stand.database.begin() as tx:
        shop = await make_shop(tx)
        scene = Scene(
            stand,
            shop,
            partner=await make_drop_shipper(tx, shop=shop),
            neighbour=await make_drop_shipper(tx, shop=shop),
            ids=await ids_of(tx, shop),
            variant_id=await make_variant(tx, shop=shop, own=10**7),
        )
        await tx.run(GOODS, {"shop": shop.id, "merchant": shop.merchant_id, "count": rows})
        found = await tx.all(
            "select id from products where shop_id = %s and handle like 'walk-%%' order by id",
            (shop.id,),
        )
    numbers = [row[0] for row in found]
    scene.leaving += numbers[::LEAVE_EVERY]
    scene.products += sorted(set(numbers) - set(scene.leaving))
    connections = await stand.connect(LANES)

    async def lane(connection: Connection, places: Iterable[int]) -> None:
        for place in places:
            order_id = await _placed(connection, scene, scene.partner, code=f"N-{place}")
            scene.orders.append(order_id)
        connection.close()

    await asyncio.gather(
        *(lane(each, range(at, rows // 2, LANES)) for at, each in enumerate(connections))
    )
    scene.kept += scene.orders[::KEPT_EVERY]
    scene.left += [each for each in scene.orders if each not in set(scene.kept)]
    return scene


async def _placed(
    connection: Connection, scene: Scene, partner: PartnerFixture, *, code: str
) -> int:
    door = ShoppoDoor(partner, scene.ids)
    outcome = await buy(connection, door, scene.variant_id, quantity=1, number=code)
    if outcome.kind != SOLD:
        raise RuntimeError(f"{code} was not ordered: {outcome}")
    return outcome.order_id


async def _walk_while_writing(
    scene: Scene, listed: Listed, size: Size, rng: random.Random
) -> list[tuple[str, Counter[str], int]]:
    """(way, how often each id was seen, pages) of each walk."""
    over = asyncio.Event()
    lines = await scene.stand.connect(WRITERS + 1)
    share = -(-size["changes"] // WRITERS)
    writers = [Writer(scene, each, rng) for each in lines[:WRITERS]]
    tasks = [
        asyncio.create_task(writer.write(listed.name, count=share, until=over))
        for writer in writers
    ]
    walks: list[tuple[str, Counter[str], int]] = []
    before = scene.done.total()
    try:
        while len(walks) < WALKS or scene.done.total() - before < size["changes"]:
            name = list(WAYS)[len(walks) % len(WAYS)]
            seen, pages = await _walk(lines[-1], scene, listed, WAYS[name])
            walks.append((name, seen, pages))
            if any(task.done() for task in tasks):
                break  # it has failed, as it tells below
    finally:
        over.set()
        await asyncio.gather(*tasks)
        for line in lines:
            line.close()
    return walks


async def _walk(
    connection: Connection, scene: Scene, listed: Listed, way: Way
) -> tuple[Counter[str], int]:
    document, more, place = way
    seen: Counter[str] = Counter()
    cursor, pages = "", 0
    while True:
        request = ask(
            scene.partner,
            listed.document(document),
            size=min(PAGE_MAX, max(1, len(listed.there) // PAGES)),
            cursor=cursor,
        )
        page: dict[str, Any] = answered(await connection.exchange(request))[listed.name]
        seen.update(edge["node"]["id"] for edge in page["edges"])
        pages += 1
        if not page["pageInfo"][more]:
            return seen, pages
        cursor = page["pageInfo"][place]


CLAIM = Claim(
    id="P16",
    door=CHANNEL,
    title="paging under writes",
    workload="productList, orderList and its open orders walked by endCursor forward and by startCursor backward, "
    "while products are added, renamed, sorted anew, disabled, enabled and taken out of sight, and orders are "
    "placed by two, paid and cancelled",
    must_hold="rows present throughout are seen exactly once, and no row twice",
    full={"rows": 10_000, "changes": 2_000},
    quick={"rows": 500, "changes": 100},
    run=run,
)
