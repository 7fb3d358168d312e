"""The measurement of B3: orders through a channel, compared with pgbench writing the same rows.

It measures throughput, and the processor time of an order in web and database processes, without
the load generator's. The cost of pgbench likewise excludes its client.
"""

import statistics
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bench.floors.programs import pgbench
from bench.generator import CREATED, PREPARED_PER_S, send
from bench.load import LANES
from bench.measure import Line, Measured, Size, alternate, compare
from bench.population import Population
from bench.processors import postmaster, tree_cpu_s
from proof.stand import Stand
from tests.support.processes import ServerProcess

RATE_FLOOR = 0.40
CPU_FLOOR = 0.50
FOLLOWED = 4
"""How much longer orders are placed than the calls that follow them are sent."""

Prepare = Callable[[int], list[bytes]]
Following = Callable[[], Awaitable[list[bytes]]]
"""A further call for each of the orders that were placed, of which there are more than are answered."""
Check = Callable[[int], Awaitable[tuple[str, ...]]]


@dataclass
class Costs:
    """Processor microseconds per order by role, and response times; one entry per leg."""

    web: list[float] = field(default_factory=list)
    database: list[float] = field(default_factory=list)
    generator: list[float] = field(default_factory=list)
    backends: list[float] = field(default_factory=list)
    client: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Step:
    """Calls of one kind: how many a second, and the processor microseconds of one."""

    answers: int
    rate: float
    p99_ms: float
    web_us: float
    database_us: float
    generator_us: float


@dataclass
class Orders:
    """One channel's orders and their reference, leg by leg."""

    stand: Stand
    server: ServerProcess
    prepare: Prepare
    script: str
    values: dict[str, int]
    seconds: int
    postmaster: int
    status: int
    prepared_per_s: int
    following: Following | None = None
    costs: Costs = field(default_factory=Costs)
    answers: list[int] = field(default_factory=list)

    async def ours(self) -> float:
        """Orders per second through the channel; with a call that follows each, of both in turn.

        The first call goes on for longer then, so that the second has enough to follow.
        """
        seconds = self.seconds * (1 if self.following is None else FOLLOWED)
        sent = [self._send(self.prepare(self.prepared_per_s * seconds), seconds=seconds)]
        if self.following is not None:
            sent.append(self._send(await self.following(), seconds=self.seconds))
        self.answers.append(sum(each.answers for each in sent))
        self.costs.web.append(sum(each.web_us for each in sent))
        self.costs.database.append(sum(each.database_us for each in sent))
        self.costs.generator.append(sum(each.generator_us for each in sent))
        self.costs.p99_ms.append(max(each.p99_ms for each in sent))
        return 1 / sum(1 / each.rate for each in sent)

    def _send(self, requests: list[bytes], *, seconds: int) -> "Step":
        web, database = tree_cpu_s(self.server.process.pid), tree_cpu_s(self.postmaster)
        sent = send(
            self.server.port,
            requests,
            folder=self.stand.folder,
            status=self.status,
            seconds=seconds,
            lanes=LANES,
        )
        web = tree_cpu_s(self.server.process.pid) - web
        database = tree_cpu_s(self.postmaster) - database
        return Step(
            answers=sent.answers,
            rate=sent.rate,
            p99_ms=sent.p99_ms,
            web_us=1e6 * web / sent.answers,
            database_us=1e6 * database / sent.answers,
            generator_us=1e6 * sent.cpu_s / sent.answers,
        )

    async def theirs(self) -> float:
        """Transactions per second of pgbench."""
        before = tree_cpu_s(self.postmaster)
        found = pgbench(
            self.stand.ground,
            self.stand.url,
            self.script,
            seconds=self.seconds,
            clients=LANES,
            **self.values,
        )
        backends = tree_cpu_s(self.postmaster) - before
        self.costs.backends.append(1e6 * backends / found.transactions)
        self.costs.client.append(1e6 * found.cpu_s / found.transactions)
        return found.rate


async def measure(
    name: str,
    stand: Stand,
    server: ServerProcess,
    *,
    prepare: Prepare,
    script: str,
    values: dict[str, int],
    size: Size,
    status: int = CREATED,
    prepared_per_s: int = PREPARED_PER_S,
    following: Following | None = None,
    check: Check | None = None,
) -> Measured:
    """Measure: a pair to warm up, then the pairs that count. Every answer must have the status.

    `check` tells faults from how many calls were answered, where a status does not.
    """
    orders = Orders(
        stand=stand,
        server=server,
        prepare=prepare,
        script=script,
        values=values,
        seconds=size["seconds"],
        postmaster=await postmaster(stand.database),
        status=status,
        prepared_per_s=prepared_per_s,
        following=following,
    )
    await alternate(orders.ours, orders.theirs, pairs=1)
    orders.costs = Costs()
    rates = await alternate(orders.ours, orders.theirs, pairs=size["pairs"])
    throughput = compare(name, "orders/s", *rates, floor=RATE_FLOOR)
    return Measured(
        lines=(throughput, _cpu_line(name, orders.costs)),
        faults=await check(sum(orders.answers)) if check else (),
        figures=_told(orders.costs),
    )


def _cpu_line(name: str, costs: Costs) -> Line:
    """Orders per second of processor time; as above, more is better."""
    ours = [1e6 / (web + base) for web, base in zip(costs.web, costs.database, strict=True)]
    theirs = [1e6 / cost for cost in costs.backends]
    return compare(f"{name}, server's CPU", "orders/CPU-s", ours, theirs, floor=CPU_FLOOR)


def _told(costs: Costs) -> dict[str, float | int | str]:
    middle = statistics.median
    return {
        "p99_ms": round(max(costs.p99_ms), 1),
        "CPU_us_an_order:_web": round(middle(costs.web)),
        "database": round(middle(costs.database)),
        "generator": round(middle(costs.generator)),
        "pgbench's_backends": round(middle(costs.backends)),
        "pgbench_itself": round(middle(costs.client)),
    }


async def floor_values(stand: Stand, shop: Population) -> dict[str, int]:
    """The variables of the pgbench script."""
    async with stand.database.statement() as tx:
        low, high = await tx.one(
            "select min(id), max(id) from variants where shop_id = %s and merchant_id = %s",
            (shop.shop.id, shop.shop.merchant_id),
        ) or (0, 0)
        customer, credential = await tx.one(
            "select p.customer_id, c.id from partners p join credentials c on c.partner_id = p.id"
            " where p.id = %s",
            (shop.partner.id,),
        ) or (0, 0)
    return {
        "shop": shop.shop.id,
        "partner": shop.partner.id,
        "customer": customer,
        "credential": credential,
        "low": low,
        "high": high,
    }
