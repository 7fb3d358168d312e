"""P19: the link to the database is slow, frozen, reset or half closed while partners order."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager

from proof.claim import Claim, Findings, Result, Size
from proof.claims.p03_kill import Shoppers
from proof.doors import Door, ShoppexPartnerDoor
from proof.stand import Stand
from proof.web_shops import ShopWeDoDoor, make_web_shop
from tests.support.factories import make_partner, make_shop, make_variant
from tests.support.tcp_proxy import TcpProxy

CLIENTS = 8
VARIANTS = 10
CALM = 5  # orders between two faults
FAULT_S = (0.2, 1.5)
DELAY_S = 0.15
RECOVERY_MAX_S = 5.0
STEP_S = 60.0
FAULTS = ("slow", "frozen", "reset", "closed towards the database", "closed from the database")


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Cause and end one fault after another; measure the time until the next acknowledged order."""
    doors, variants = await _make_shops(stand)
    findings, slowest_s, done = Findings(), 0.0, Counter[str]()
    async with TcpProxy(stand.url) as proxy:
        shoppers = Shoppers(stand, doors, variants)
        async with _serving(stand, proxy.url):
            tasks = [
                asyncio.create_task(shoppers.shop(random.Random(rng.random())))
                for _ in range(CLIENTS)
            ]
            try:
                for number in range(size["faults"]):
                    await _acknowledged(shoppers, more=CALM)
                    fault = FAULTS[number % len(FAULTS)]
                    await _break(proxy, fault, seconds=rng.uniform(*FAULT_S))
                    took_s = await _acknowledged(shoppers, more=1)
                    findings.expect(took_s < RECOVERY_MAX_S, f"{fault}: back after {took_s:.1f} s")
                    slowest_s = max(slowest_s, took_s)
                    done[fault] += 1
                shoppers.stopping.set()
                async with asyncio.timeout(STEP_S):
                    await asyncio.gather(*tasks)
            finally:
                for task in tasks:
                    task.cancel()
    await _account(stand, shoppers, findings)
    return findings.result(
        faults=sum(done.values()),
        orders=len(shoppers.acknowledged),
        attempts=shoppers.attempts,
        found_by_retry=shoppers.found_existing,
        slowest_recovery_s=round(slowest_s, 1),
    )


@asynccontextmanager
async def _serving(stand: Stand, url: str) -> AsyncIterator[None]:
    """Start and stop the server in a thread, because its proxy runs in this one."""
    with ExitStack() as stack:
        await asyncio.to_thread(stack.enter_context, stand.serving(database_url=url))
        try:
            yield
        finally:
            await asyncio.to_thread(stack.close)


async def _break(proxy: TcpProxy, fault: str, *, seconds: float) -> None:
    """Cause one fault, and end it."""
    if fault == "slow":
        proxy.delay_s = DELAY_S
        await asyncio.sleep(seconds)
        proxy.delay_s = 0.0
    elif fault == "frozen":
        proxy.freeze()
        await asyncio.sleep(seconds)
        proxy.thaw()
    elif fault == "reset":
        await proxy.cut()
        await asyncio.sleep(seconds)
        await proxy.mend()
    else:
        proxy.half_close(towards_target=fault == FAULTS[3])


async def _account(stand: Stand, shoppers: Shoppers, findings: Findings) -> None:
    """Every acknowledged order exists once, and no other."""
    async with stand.database.statement() as tx:
        ids = {row[0] for row in await tx.all("select id from orders")}
        committed = await tx.value("select sum(committed) from stock_levels")
    told = shoppers.acknowledged
    lost = [number for number, order_id in told.items() if order_id not in ids]
    findings.expect(not lost, f"{len(lost)} acknowledged orders are lost: {lost[:3]}")
    findings.expect(len(set(told.values())) == len(told), "two numbers have one order")
    findings.expect(len(ids) == len(told), f"{len(ids)} orders, {len(told)} acknowledged")
    findings.expect(committed == len(ids), f"{committed} units committed for {len(ids)} orders")
    findings.expect(not shoppers.strange, f"strange answers: {dict(shoppers.strange)}")


async def _make_shops(stand: Stand) -> tuple[list[Door], list[int]]:
    async with stand.database.begin() as tx:
        shop = await make_shop(tx)
        variants = [await make_variant(tx, shop=shop, own=1_000_000) for _ in range(VARIANTS)]
        partner = await make_partner(tx, shop=shop)
        web_shop = await make_web_shop(tx, shop=shop)
    return [ShoppexPartnerDoor(partner), ShopWeDoDoor(web_shop)], variants


async def _acknowledged(shoppers: Shoppers, *, more: int) -> float:
    """Wait until so many more orders are acknowledged; the seconds it took."""
    started, wanted = time.monotonic(), len(shoppers.acknowledged) + more
    async with asyncio.timeout(STEP_S):
        while len(shoppers.acknowledged) < wanted:
            await asyncio.sleep(0.01)
    return time.monotonic() - started


CLAIM = Claim(
    id="P19",
    title="broken database link",
    workload="a proxy before the database that delays, freezes, resets and half closes every connection, in "
    "turn, while clients of two channels order",
    must_hold="every answer an order or a 503 with Retry-After, no acknowledged order lost or doubled, "
    "orders again within 5 s",
    full={"faults": 200},
    quick={"faults": 10},
    run=run,
    server=False,
)
