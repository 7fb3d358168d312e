"""The order feed of P16: walked by page and by number while orders are placed and cancelled."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.orders import cancel_order, place
from proof.claim import Findings, Size
from proof.doors import SOLD, buy
from proof.publishers import ShoppableDoor, feed, log_in, make_publisher, make_reader
from proof.stand import Stand
from tests.support.drafts import draft_of, named
from tests.support.factories import PartnerFixture, ShopFixture, make_shop, make_variant
from tests.support.raw_http import Connection, Reply

PAGES = 25  # of a walk before anything is written
BATCH = 100
WRITERS = 3
NUMBERED_S = 2.0
NEXT = "x-next-after"


@dataclass
class Scene:
    """A publisher with orders, some of which will be cancelled; and a neighbour who orders too."""

    stand: Stand
    shop: ShopFixture
    publisher: PartnerFixture
    neighbour: PartnerFixture
    variant_id: int
    rows: int
    access: str = ""
    there: list[int] = field(default_factory=list)
    to_cancel: list[int] = field(default_factory=list)
    cancelled: set[int] = field(default_factory=set)
    placed: Counter[str] = field(default_factory=Counter)


@dataclass
class Told:
    """What a walk by number told."""

    entries: list[tuple[int, int]] = field(default_factory=list)
    states: dict[int, str] = field(default_factory=dict)
    after: int = 0


async def follow_feed(
    stand: Stand, size: Size, rng: random.Random, findings: Findings
) -> dict[str, int]:
    """Walk by page, again and again, and by number, while others write; the figures."""
    scene = await _furnish(stand, size["rows"], rng)
    connection = await Connection.open(stand.server.port)
    reply = await connection.exchange(log_in(*await _reader(stand, scene.publisher)))
    scene.access = reply.json()[0]["token"]
    over = asyncio.Event()
    share = -(-size["changes"] // WRITERS)
    writers = [asyncio.create_task(_write(scene, rng, share, until=over)) for _ in range(WRITERS)]
    told, walks = Told(), 0
    try:
        while scene.placed.total() < size["changes"] or walks < 2:
            await _by_page(connection, scene, findings)
            await _by_number(connection, scene, told)
            walks += 1
    finally:
        over.set()
        await asyncio.gather(*writers)
    await asyncio.sleep(NUMBERED_S)
    await _by_number(connection, scene, told)
    connection.close()
    await _account(scene, told, findings)
    return {
        "orders": len(scene.there),
        "orders_placed_meanwhile": scene.placed["door"] + scene.placed["core"],
        "orders_cancelled_meanwhile": len(scene.cancelled),
        "feed_walks_by_page": walks,
        "changes_told_after": len(told.entries),
    }


async def _furnish(stand: Stand, count: int, rng: random.Random) -> Scene:
    async with stand.database.begin() as tx:
        shop = await make_shop(tx)
        scene = Scene(
            stand,
            shop,
            publisher=await make_publisher(tx, shop=shop),
            neighbour=await make_publisher(tx, shop=shop),
            variant_id=await make_variant(tx, shop=shop, own=10**7),
            rows=max(1, count // PAGES),
        )
    for start in range(0, count, BATCH):
        async with stand.database.begin() as tx:
            for _ in range(min(BATCH, count - start)):
                scene.there.append(await _place(tx, scene, scene.publisher))
    scene.to_cancel = rng.sample(scene.there, count // 4)
    return scene


async def _reader(stand: Stand, publisher: PartnerFixture) -> tuple[str, str]:
    async with stand.database.begin() as tx:
        return await make_reader(tx, partner=publisher)


async def _place(tx: Transaction, scene: Scene, publisher: PartnerFixture) -> int:
    draft = draft_of(
        named(scene.variant_id), shop=scene.shop, partner_id=publisher.id, channel="shoppable"
    )
    return (await place(tx, draft=draft, now=datetime.now(UTC))).id


async def _write(scene: Scene, rng: random.Random, count: int, *, until: asyncio.Event) -> None:
    """Make at least `count` changes, and go on until the walks end; slow transactions commit late."""
    connection = await Connection.open(scene.stand.server.port)
    done = 0
    while done < count or not until.is_set():
        way = rng.choice(["door", "core", "cancel", "neighbour"])
        if way == "door":
            door = ShoppableDoor(scene.publisher)
            bought = await buy(connection, door, scene.variant_id, quantity=1, number="")
            if bought.kind != SOLD:
                raise RuntimeError(f"no order: {bought}")
        elif way == "cancel" and scene.to_cancel:
            order_id = scene.to_cancel.pop()
            async with scene.stand.database.begin() as tx:
                now = datetime.now(UTC)
                await cancel_order(tx, shop_id=scene.shop.id, order_id=order_id, now=now)
                await asyncio.sleep(rng.choice([0.0, 0.1]))
            scene.cancelled.add(order_id)
        else:
            publisher = scene.neighbour if way == "neighbour" else scene.publisher
            async with scene.stand.database.begin() as tx:
                await _place(tx, scene, publisher)
                await asyncio.sleep(rng.choice([0.0, 0.1]))
        scene.placed[way] += 1
        done += 1
        if done > count:
            await asyncio.sleep(0.05)  # so that the walks come to an end
    connection.close()


async def _by_page(connection: Connection, scene: Scene, findings: Findings) -> None:
    """Pages from 0 until one is empty: every order that was there is seen once."""
    seen: Counter[int] = Counter()
    page = 0
    while lines := _lines(
        await connection.exchange(feed(scene.access, rows=scene.rows, page=page))
    ):
        seen.update({line["id"] for line in lines})
        page += 1
    wrong = {order_id: seen[order_id] for order_id in scene.there if seen[order_id] != 1}
    findings.expect(not wrong, f"by page, {len(wrong)} not once: {list(wrong.items())[:3]}")


async def _by_number(connection: Connection, scene: Scene, told: Told) -> None:
    """Go on from the last number until nothing is new."""
    while True:
        reply = await connection.exchange(feed(scene.access, rows=scene.rows, after=told.after))
        lines = _lines(reply)
        entries = dict.fromkeys((line["id"], line["sequence"]) for line in lines)
        told.entries += entries
        told.states |= {line["id"]: line["order_status"] for line in lines}
        told.after = int(reply.header(NEXT) or -1)
        if not lines:
            return


def _lines(reply: Reply) -> list[dict[str, Any]]:
    lines = reply.json()
    if reply.status != 200 or not isinstance(lines, list):
        raise RuntimeError(f"the feed answers {reply.status} {reply.body[:300]!r}")
    return lines


async def _account(scene: Scene, told: Told, findings: Findings) -> None:
    """Numbers rise, nothing is told twice, nothing is missing, and the last word is right."""
    sequences = [sequence for _, sequence in told.entries]
    findings.expect(sequences == sorted(set(sequences)), "by number: not in the order of changes")
    times = Counter(order_id for order_id, _ in told.entries)
    async with scene.stand.database.statement() as tx:
        orders = dict(
            await tx.all(
                "select id, fulfilment_state from orders where shop_id = %s and partner_id = %s",
                (scene.shop.id, scene.publisher.id),
            )
        )
    findings.expect(times.keys() == orders.keys(), f"{len(times)} of {len(orders)} orders told")
    changed = [each for each in times if times[each] > 1 and each not in scene.cancelled]
    findings.expect(not changed, f"unchanged, but told again: {changed[:3]}")
    stale = [
        order_id
        for order_id, state in orders.items()
        if (told.states.get(order_id) == "Canceled") != (state == "cancelled")
    ]
    findings.expect(not stale, f"the last word of {len(stale)} orders is wrong: {stale[:3]}")
