"""P23: the primary freezes, dies or hands over while partners order; the standby goes on."""

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psycopg

from crossdock.db.migrate import migrate
from crossdock.db.unit_of_work import Database
from proof.claim import Claim, Findings, Result, Size
from proof.claims.p03_kill import Shoppers
from proof.doors import Door, ShoppexPartnerDoor
from proof.stand import Stand
from proof.web_shops import ShopWeDoDoor, make_web_shop
from tests.support.factories import make_partner, make_shop, make_variant
from tests.support.raw_http import Connection, request_bytes
from tests.support.replicas import Node, Replicas

CLIENTS = 8
VARIANTS = 10
WARM_UP = 20  # orders before anything happens
CANCELS = 5
OUTAGE_MAX_S = 5.0
READY_MAX_S = 3.0
READY_EVERY_S = 0.2
STEP_S = 60.0
WAYS: dict[str, Callable[[Node], None]] = {
    "frozen": Node.freeze,
    "killed": Node.kill,
    "switched over": Node.shut_down,
}
CANCEL_WAITING = """
select count(pg_cancel_backend(pid)) from pg_stat_activity
where wait_event = 'SyncRep' and datname = 'crossdock'
"""


class Round:
    """One primary and its standby, from the first order to the last one on the standby."""

    def __init__(self, stand: Stand, pair: Replicas, findings: Findings) -> None:
        self.outage_s = 0.0
        self.slowest_ready_s = 0.0
        self.cancelled = 0
        self.orders = 0
        self._stand = stand
        self._pair = pair
        self._findings = findings

    async def run(self, way: str, rng: random.Random) -> None:
        """Order, cancel commits, lose the primary, promote, order on, and compare."""
        doors, variants = await _make_shops(self._pair.url())
        shoppers = Shoppers(self._stand, doors, variants)
        with self._stand.serving(database_url=self._pair.url(), workers=2, jobs=False):
            tasks = [
                asyncio.create_task(shoppers.shop(random.Random(rng.random())))
                for _ in range(CLIENTS)
            ]
            asking = asyncio.create_task(self._ask_ready())
            try:
                await _acknowledged(shoppers, more=WARM_UP)
                await self._cancel_commits()
                await _acknowledged(shoppers, more=WARM_UP)
                await self._replace_primary(way, shoppers)
                shoppers.stopping.set()
                async with asyncio.timeout(STEP_S):
                    await asyncio.gather(*tasks)
            finally:
                for task in (*tasks, asking):
                    task.cancel()
        await self._account(way, shoppers)

    async def _cancel_commits(self) -> None:
        """Freeze the standby, so that commits wait for it, and cancel those."""
        self._pair.standby.freeze()
        try:
            async with asyncio.timeout(STEP_S):
                while self.cancelled < CANCELS:
                    found = await asyncio.to_thread(self._pair.primary.run, CANCEL_WAITING)
                    self.cancelled += found[0]
                    await asyncio.sleep(0.02)
        finally:
            self._pair.standby.thaw()

    async def _replace_primary(self, way: str, shoppers: Shoppers) -> None:
        await asyncio.to_thread(WAYS[way], self._pair.primary)
        await asyncio.to_thread(self._pair.standby.promote)
        promoted = time.monotonic()
        await _acknowledged(shoppers, more=1)
        self.outage_s = time.monotonic() - promoted
        self._findings.expect(
            self.outage_s < OUTAGE_MAX_S, f"{way}: {self.outage_s:.1f} s after the promotion"
        )

    async def _ask_ready(self) -> None:
        while True:
            started = time.monotonic()
            with suppress(OSError):
                connection = await Connection.open(self._stand.server.port)
                await connection.exchange(request_bytes("GET", "/ready"))
                connection.close()
            took = time.monotonic() - started
            self.slowest_ready_s = max(self.slowest_ready_s, took)
            self._findings.expect(took < READY_MAX_S, f"/ready took {took:.1f} s")
            await asyncio.sleep(READY_EVERY_S)

    async def _account(self, way: str, shoppers: Shoppers) -> None:
        """Every acknowledged order is on the standby, once."""
        with psycopg.connect(self._pair.standby.url("crossdock")) as connection:
            ids = {row[0] for row in connection.execute("select id from orders")}
        told = shoppers.acknowledged
        lost = [number for number, order_id in told.items() if order_id not in ids]
        self.orders = len(ids)
        expect = self._findings.expect
        expect(not lost, f"{way}: {len(lost)} acknowledged orders are lost: {lost[:3]}")
        expect(len(set(told.values())) == len(told), f"{way}: two numbers have one order")
        expect(len(ids) == len(told), f"{way}: {len(ids)} orders, {len(told)} acknowledged")
        expect(not shoppers.strange, f"{way}: strange answers: {dict(shoppers.strange)}")


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Lose the primary in each way so many times, each time with a new pair."""
    findings, rounds = Findings(), []
    for number in range(size["times"]):
        for way in WAYS:
            folder = Path(stand.folder) / f"{way.replace(' ', '-')}-{number}"
            with Replicas(folder) as pair:
                migrate(pair.url())
                rounds.append(Round(stand, pair, findings))
                await rounds[-1].run(way, rng)
    return findings.result(
        rounds=len(rounds),
        orders=sum(r.orders for r in rounds),
        commits_cancelled=sum(r.cancelled for r in rounds),
        longest_outage_s=round(max(r.outage_s for r in rounds), 1),
        slowest_ready_s=round(max(r.slowest_ready_s for r in rounds), 1),
    )


async def _make_shops(url: str) -> tuple[list[Door], list[int]]:
    database = Database(url, min_size=1, max_size=1)
    await database.open()
    try:
        async with database.begin() as tx:
            shop = await make_shop(tx)
            variants = [await make_variant(tx, shop=shop, own=1_000_000) for _ in range(VARIANTS)]
            partner = await make_partner(tx, shop=shop)
            web_shop = await make_web_shop(tx, shop=shop)
    finally:
        await database.close()
    return [ShoppexPartnerDoor(partner), ShopWeDoDoor(web_shop)], variants


async def _acknowledged(shoppers: Shoppers, *, more: int) -> None:
    """Wait until so many more orders are acknowledged."""
    wanted = len(shoppers.acknowledged) + more
    async with asyncio.timeout(STEP_S):
        while len(shoppers.acknowledged) < wanted:
            await asyncio.sleep(0.02)


CLAIM = Claim(
    id="P23",
    title="frozen and replaced database",
    workload="with a synchronous standby: commits cancelled while they wait for it, then the primary "
    "frozen, killed and shut down, and the standby promoted, while clients of two channels order",
    must_hold="no acknowledged order lost or doubled, outage under 5 s after the promotion, "
    "/ready answers within 3 s throughout",
    full={"times": 10},
    quick={"times": 1},
    run=run,
    server=False,
)
