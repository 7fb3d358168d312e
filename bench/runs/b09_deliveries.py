"""B9: deliveries per second through the engine, compared with the HTTP client posting the same bodies."""

import asyncio
import itertools
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from bench.measure import Bench, Measured, Size, alternate, compare
from crossdock.db.unit_of_work import Transaction
from crossdock.jobs.delivering import Sender
from crossdock.kit.clock import SystemClock
from crossdock.kit.outbound import Outbound
from crossdock.shop.deliveries import Call, Claim, Delivering, DeliveryKind, DeliveryKinds, Sent
from proof.stand import Ground, Stand
from tests.support.factories import make_shop
from tests.support.processes import ROOT, environment

FLOOR = 0.50
SHOPS = 4
BODY = {"type": "bench", "data": {"text": "x" * 1_000, "lines": [{"sku": "A", "quantity": 1}] * 5}}
_QUEUE = """
    select count(queue_delivery(%s, 'bench', %s, n, %s::jsonb, false, now()))
    from generate_series(%s::bigint, %s::bigint) n
"""


async def run(ground: Ground, size: Size, rng: random.Random) -> Measured:
    """Four shops with one target each; the client makes as many calls at once."""
    async with ground.stand("b9") as stand, Outbound(allowed_hosts=["127.0.0.1"]) as outbound:
        with receiving() as url:
            engine = Engine(stand, outbound, url, count=size["deliveries"])
            await engine.furnish()

            async def alone() -> float:
                return await post_alone(outbound, url, count=size["deliveries"])

            ours, theirs = await alternate(engine.empty, alone, pairs=size["pairs"])
    return Measured(
        lines=(compare("deliveries", "/s", ours, theirs, floor=FLOOR),),
        faults=engine.faults,
    )


class Engine:
    """The worker's loop with one kind of delivery, which posts its payload."""

    def __init__(self, stand: Stand, outbound: Outbound, url: str, *, count: int) -> None:
        self.stand = stand
        self.outbound = outbound
        self.url = url
        self.count = count
        self.shops: list[int] = []
        self._subjects = itertools.count(step=count)
        self.faults: tuple[str, ...] = ()

    async def furnish(self) -> None:
        """Create the shops."""
        async with self.stand.database.begin() as tx:
            self.shops = [(await make_shop(tx)).id for _ in range(SHOPS)]

    async def empty(self) -> float:
        """Queue all deliveries, then send them; deliveries per second."""
        await self.fill(next(self._subjects))
        service = Delivering(
            db=self.stand.database, clock=SystemClock(), kinds=DeliveryKinds([self.kind()])
        )
        sender = Sender(service)
        started = time.perf_counter()
        running = asyncio.create_task(sender.run())
        while await self._left():
            await asyncio.sleep(0.05)
        seconds = time.perf_counter() - started
        sender.stop()
        await running
        return self.count / seconds

    def kind(self) -> DeliveryKind:
        """What is sent."""
        return DeliveryKind(name="bench", build=self._build)

    async def fill(self, first: int) -> None:
        """Queue all deliveries, whose subjects are numbered from `first`."""
        share = self.count // SHOPS
        body = msgspec.json.encode(BODY).decode()
        async with self.stand.database.begin() as tx:
            for shop_id in self.shops:
                await tx.run(_QUEUE, (shop_id, self.url, body, first, first + share - 1))
            await tx.run("analyze deliveries")

    async def _left(self) -> int:
        async with self.stand.database.statement() as tx:
            failed = await tx.value("select count(*) from deliveries where status = 'failed'")
            if failed:
                self.faults = (f"{failed} deliveries failed",)
            return int(
                await tx.value(
                    "select count(*) from deliveries where status in ('queued', 'sending')"
                )
            )

    async def _build(self, tx: Transaction, *, claim: Claim) -> Call | None:
        return lambda: _post(self.outbound, claim.target, msgspec.json.encode(claim.payload))


async def post_alone(outbound: Outbound, url: str, *, count: int) -> float:
    """Post the same bodies with the client alone; calls per second."""
    numbers = iter(range(count))

    async def post() -> None:
        for _ in numbers:
            await _post(outbound, url, msgspec.json.encode(BODY))

    started = time.perf_counter()
    await asyncio.gather(*(post() for _ in range(SHOPS * 8)))
    return count / (time.perf_counter() - started)


async def _post(outbound: Outbound, url: str, content: bytes) -> Sent:
    headers = {"Content-Type": "application/json"}
    answer = await outbound.request("POST", url, headers=headers, content=content)
    return Sent(str(answer.json()["id"]), answer.status, answer.text())


@contextmanager
def receiving() -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.receiver"],
        env=environment(),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/hook"
    finally:
        process.kill()
        process.wait()


BENCH = Bench(
    id="B9",
    title="deliveries a second",
    compared_with="the HTTP client alone posting the same bodies",
    full={"deliveries": 4_000, "pairs": 5},
    quick={"deliveries": 400, "pairs": 2},
    run=run,
)
