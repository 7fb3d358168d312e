"""P22: the data folder's disk is filled under load and freed; no process ends and nothing is lost."""

import asyncio
import random
import time
from contextlib import suppress
from typing import Any

import psycopg

from crossdock.db.embedded import EmbeddedPostgres
from crossdock.db.unit_of_work import Database
from crossdock.serving.supervisor import JOBS, WEB
from proof.claim import Claim, Findings, Result, Size, Unavailable
from proof.claims.p03_kill import Shoppers
from proof.doors import Door, ShoppexPartnerDoor
from proof.stand import Stand, patiently
from proof.web_shops import ShopWeDoDoor, make_web_shop
from tests.support.factories import make_partner, make_shop, make_variant
from tests.support.full_disk import Disk, may_mount, small_disk

CLIENTS = 8
VARIANTS = 10
DISK_MB = {"embedded": 400, "external": 20}
WARM_UP = 20
FULL_S = 6.0  # how long the disk stays full
BACK_MAX_S = 5.0
STEP_S = 90.0
LOG_TOLD = 3_000


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Try both kinds of database, each on a small disk of its own."""
    if not may_mount():
        raise Unavailable("it fills a small file system, which this process may not mount")
    findings, orders, slowest_s = Findings(), 0, 0.0
    for kind, megabytes in DISK_MB.items():
        with small_disk(stand.folder / kind, megabytes=megabytes) as disk:
            round_ = Round(stand, disk, findings, kind=kind)
            await round_.run(times=size["times"], rng=rng)
            orders += round_.orders
            slowest_s = max(slowest_s, round_.slowest_s)
    return findings.result(
        times=size["times"] * len(DISK_MB), orders=orders, slowest_return_s=round(slowest_s, 1)
    )


class Round:
    """One server on one small disk, filled and freed several times."""

    def __init__(self, stand: Stand, disk: Disk, findings: Findings, *, kind: str) -> None:
        self.orders = 0
        self.slowest_s = 0.0
        self._stand = stand
        self._disk = disk
        self._findings = findings
        self._kind = kind

    async def run(self, *, times: int, rng: random.Random) -> None:
        """Order, fill, free, order on; then compare."""
        is_embedded = self._kind == "embedded"
        chosen: dict[str, Any] = {"data_dir": self._disk.path} | (
            {"database_url": ""} if is_embedded else {}
        )
        with self._stand.serving(**chosen, workers=2):
            url = EmbeddedPostgres(self._disk.path).url() if is_embedded else self._stand.url
            doors, variants = await make_shops(url)
            shoppers = Shoppers(self._stand, doors, variants)
            tasks = [
                asyncio.create_task(shoppers.shop(random.Random(rng.random())))
                for _ in range(CLIENTS)
            ]
            try:
                await acknowledged(shoppers, more=WARM_UP)
                before = self._processes()
                for _ in range(times):
                    await self._fill_and_free(shoppers)
                self._compare(before)
                shoppers.stopping.set()
                async with asyncio.timeout(STEP_S):
                    await asyncio.gather(*tasks)
            finally:
                with suppress(FileNotFoundError):
                    self._disk.free()
                for task in tasks:
                    task.cancel()
            self._account(url, shoppers)

    async def _fill_and_free(self, shoppers: Shoppers) -> None:
        until = time.monotonic() + FULL_S
        while time.monotonic() < until:
            await asyncio.to_thread(self._disk.fill)
            await asyncio.sleep(0.2)
        self._disk.free()
        freed = time.monotonic()
        await acknowledged(shoppers, more=1)
        took_s = time.monotonic() - freed
        self.slowest_s = max(self.slowest_s, took_s)
        self._findings.expect(took_s < BACK_MAX_S, f"{self._kind}: back after {took_s:.1f} s")
        await acknowledged(shoppers, more=WARM_UP)

    def _processes(self) -> dict[str, list[int]]:
        server = self._stand.server
        return {
            "server": [server.process.pid],
            "web": sorted(server.children(WEB)),
            "jobs": sorted(server.children(JOBS)),
        }

    def _compare(self, before: dict[str, list[int]]) -> None:
        """The processes are those from before the disk was full; if not, the end of the log may say why."""
        for role, now in self._processes().items():
            if now != before[role]:
                said = self._stand.server.log()[-LOG_TOLD:]
                told = (
                    f"{self._kind}: a {role} process was replaced, {before[role]} by {now}: {said}"
                )
                self._findings.expect(False, told)

    def _account(self, url: str, shoppers: Shoppers) -> None:
        with patiently(lambda: psycopg.connect(url)) as connection:
            numbers: dict[str, int] = dict(
                connection.execute("select partner_order_id, id from orders").fetchall()
            )
            count = connection.execute("select count(*) from orders").fetchone()
        told = shoppers.acknowledged
        lost = [number for number, order_id in told.items() if numbers.get(number) != order_id]
        expect = self._findings.expect
        expect(not lost, f"{self._kind}: {len(lost)} acknowledged orders lost: {lost[:3]}")
        expect(count == (len(numbers),), f"{self._kind}: orders are doubled")
        expect(not shoppers.strange, f"{self._kind}: strange answers: {dict(shoppers.strange)}")
        self.orders += len(numbers)


async def make_shops(url: str) -> tuple[list[Door], list[int]]:
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


async def acknowledged(shoppers: Shoppers, *, more: int) -> None:
    wanted = len(shoppers.acknowledged) + more
    async with asyncio.timeout(STEP_S):
        while len(shoppers.acknowledged) < wanted:
            await asyncio.sleep(0.02)


CLAIM = Claim(
    id="P22",
    title="full disk",
    workload="a small file system with the data folder, once with the embedded database on it and once "
    "with another elsewhere, is filled to its last byte while clients of two channels order, and freed",
    must_hold="no process of the server ends, only 503 with Retry-After and no other 5xx, orders again "
    "within 5 s, no acknowledged order lost or doubled",
    full={"times": 10},
    quick={"times": 1},
    run=run,
    server=False,
)
