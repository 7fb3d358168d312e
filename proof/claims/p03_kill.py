"""P3: processes are killed at any moment while partners order; every acknowledged order exists exactly once."""

import asyncio
import random
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import psycopg

from crossdock.kit.clock import FrozenClock
from crossdock.serving.supervisor import JOBS, WEB
from crossdock.shop.invoices import settle_every_payment
from crossdock.shop.stock import expire_holds
from proof.claim import Claim, Findings, Result, Size
from proof.doors import BROKEN, SOLD, TAKEN, Door, Outcome, ShoppexPartnerDoor, order
from proof.drop_shippers import PAID_AMISS, PayingDoor, ids_of, make_drop_shipper
from proof.publishers import ShoppableDoor, make_publisher
from proof.resellers import (
    Books,
    Reseller,
    ResellerDoor,
    make_licence,
    make_reseller,
    numbered,
    open_programme,
)
from proof.stand import Stand, kill, patiently
from proof.web_shops import ShopWeDoDoor, make_web_shop
from tests.support.factories import make_partner, make_shop, make_variant
from tests.support.paying import paying
from tests.support.processes import ROOT, ServerProcess, environment
from tests.support.raw_http import Connection

CLIENTS = 20
VARIANTS = 10
HOLD_TTL_S = 3
CREDIT = 10**12
VICTIMS = {"web": 70, "jobs": 8, "server": 6, "database": 6, "holder": 10}
ALWAYS = ("web", "server", "database", "holder")
PAUSE_S = (0.05, 0.9)
LAST_ORDER_S = 60.0
RESTART_S = 30.0
START_AGAIN_S = 60.0
ATTEMPTS = 20
WAITING_MAX = 3
SHARE_AGAIN = 0.2
PATIENCE_S = 15.0
SHARE_IMPATIENT = 0.2
IMPATIENT_S = (0.01, 0.5)
"""Some give up so soon that an answer comes too late, and is lost to them."""
IN_TIME_S = 20.0
"""After so long no checkout still runs: what a cart is claimed for then has died."""
MUCH_LATER = timedelta(hours=1)
PAYING = ("shoppable", "shoppo")
PAYMENTS = """
    select count(*) filter (where p.state = 'captured' and o.payment_state = 'paid'),
           count(*) filter (where p.state in ('captured', 'authorised', 'asked') and o.id is null),
           count(*) filter (where p.state <> 'captured' and o.id is not null)
    from payments p left join orders o on o.shop_id = p.shop_id and o.id = p.order_id
"""


@dataclass
class Wanted:
    """An order that a client wants to place; `number` is '' until what goes before it is done."""

    door: Door
    variant_id: int
    number: str = ""


class Shoppers:
    """Clients; each retries an order with its number and a new signature until it is acknowledged.

    `acknowledged` has the orders by the key under which the order book has them. An order that takes
    long waits while its client places others: a cart whose checkout died is claimed for two minutes.
    """

    def __init__(self, stand: Stand, doors: list[Door], variants: list[int]) -> None:
        self.acknowledged: dict[str, int] = {}
        self.found_existing = 0
        self.attempts = 0
        self.strange: Counter[str] = Counter()
        self.stopping = asyncio.Event()
        self._stand = stand
        self._doors = doors
        self._variants = variants

    async def shop(self, rng: random.Random) -> None:
        """Order until told to stop; every order that was begun is completed."""
        connection: Connection | None = None
        waiting: list[Wanted] = []
        while waiting or not self.stopping.is_set():
            is_full = len(waiting) >= WAITING_MAX or self.stopping.is_set()
            is_again = bool(waiting) and (is_full or rng.random() < SHARE_AGAIN)
            wanted = waiting.pop(0) if is_again else self._want(rng)
            for _ in range(ATTEMPTS):
                patience_s = PATIENCE_S
                if rng.random() < SHARE_IMPATIENT:
                    patience_s = rng.uniform(*IMPATIENT_S)
                connection = await self._attempt(connection, wanted, patience_s=patience_s)
                if wanted.number in self.acknowledged:
                    break
            else:
                waiting.append(wanted)
        if connection:
            connection.close()

    def _want(self, rng: random.Random) -> Wanted:
        return Wanted(rng.choice(self._doors), rng.choice(self._variants))

    async def _attempt(
        self, connection: Connection | None, wanted: Wanted, *, patience_s: float
    ) -> Connection | None:
        self.attempts += 1
        try:
            if connection is None or not connection.is_open:
                connection = await Connection.open(self._stand.server.port)
            async with asyncio.timeout(patience_s):
                outcome = await _buy(connection, wanted)
        except (OSError, TimeoutError):
            if connection:
                connection.close()
            await asyncio.sleep(0.05)
            return None
        await self._note(outcome, wanted)
        return connection

    async def _note(self, outcome: Outcome, wanted: Wanted) -> None:
        if outcome.kind in {SOLD, TAKEN}:
            self.acknowledged[wanted.number] = outcome.order_id
            self.found_existing += outcome.kind == TAKEN
            return
        if outcome.kind == BROKEN:
            self.strange[outcome.text] += 1
        await asyncio.sleep(0.05)


async def _buy(connection: Connection, wanted: Wanted) -> Outcome:
    if not wanted.number:
        wanted.number = await wanted.door.begin(
            connection, wanted.variant_id, quantity=1, number=f"PO-{uuid.uuid4().hex}"
        )
    return await order(
        connection,
        wanted.door,
        wanted.variant_id,
        quantity=1,
        number=wanted.number,
        timestamp=int(time.time()),
        nonce=uuid.uuid4().hex,
    )


class Executioner:
    """Chooses the next process to kill, and restarts what nothing else restarts."""

    def __init__(
        self, stand: Stand, stack: ExitStack, *, holder: tuple[int, int], rng: random.Random
    ) -> None:
        self.killed: Counter[str] = Counter()
        self._stand = stand
        self._stack = stack
        self._holder_place = holder
        self._rng = rng
        self._holder = self._start_holder()

    async def kill(self, kind: str) -> None:
        """Send one SIGKILL."""
        if kind == "server":
            await self._kill_server()
        elif kind == "holder":
            self._holder.kill()
            self._holder.wait()
            self._holder = self._start_holder()
        elif kind == "database":
            await asyncio.to_thread(self._kill_backend)
        else:
            module = WEB if kind == "web" else JOBS
            async with asyncio.timeout(RESTART_S):
                while not (pids := self._stand.server.children(module)):
                    await asyncio.sleep(0.05)
            kill(self._rng.choice(pids))
        self.killed[kind] += 1

    def end(self) -> None:
        """Kill the holder while it has a hold."""
        self._holder.kill()
        self._holder.wait()

    async def _kill_server(self) -> None:
        """Kill the parent: its children notice and exit, and we restart it as a service manager would."""
        old = self._stand.server
        old.end(signal.SIGKILL)
        await asyncio.to_thread(_start_again, self._stack, self._stand, old)

    def _kill_backend(self) -> None:
        """Kill a database backend of the server; PostgreSQL goes through crash recovery."""
        pids = patiently(lambda: _backends(self._stand.url))
        if pids:
            kill(self._rng.choice(pids))

    def _start_holder(self) -> subprocess.Popen[bytes]:
        shop_id, variant_id = self._holder_place
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "proof.holder",
                self._stand.url,
                str(shop_id),
                str(variant_id),
                str(HOLD_TTL_S),
            ],
            env=environment(),
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def _backends(url: str) -> list[int]:
    with psycopg.connect(url, autocommit=True) as connection:
        rows = connection.execute(
            "select pid from pg_stat_activity where datname = current_database()"
            " and application_name = 'crossdock' and pid <> pg_backend_pid()"
        ).fetchall()
    return [row[0] for row in rows]


def _start_again(stack: ExitStack, stand: Stand, old: ServerProcess) -> None:
    """Restart on the same port, once orphaned processes have left it."""
    deadline = time.monotonic() + START_AGAIN_S
    while True:
        try:
            stack.enter_context(stand.serving(port=old.port))
            return
        except AssertionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Kill web processes, job workers, the whole server, database backends and holders of stock."""
    async with stand.database.begin() as tx:
        shop = await make_shop(tx)
        variants = [await make_variant(tx, shop=shop, own=1_000_000) for _ in range(VARIANTS)]
        partner = await make_partner(tx, shop=shop)
        web_shop = await make_web_shop(tx, shop=shop)
        publisher = await make_publisher(tx, shop=shop)
        drop_shipper = await make_drop_shipper(tx, shop=shop)
        paying_door = PayingDoor(drop_shipper, await ids_of(tx, shop))
        await open_programme(tx, shop)
        licence = await make_licence(tx, shop=shop, serials=numbered("KEY", size["serials"]))
        reseller = await make_reseller(tx, shop=shop, credit_minor=CREDIT)
    doors: list[Door] = [
        ShoppexPartnerDoor(partner),
        ShopWeDoDoor(web_shop),
        ShoppableDoor(publisher),
        paying_door,
        ResellerDoor(reseller, licence),
    ]
    shoppers = Shoppers(stand, doors, variants)
    with ExitStack() as stack:
        stack.enter_context(stand.serving())
        executioner = Executioner(stand, stack, holder=(shop.id, variants[0]), rng=rng)
        tasks = [
            asyncio.create_task(shoppers.shop(random.Random(rng.random()))) for _ in range(CLIENTS)
        ]
        try:
            for kind in _order_of_death(size["kills"], rng):
                await asyncio.sleep(rng.uniform(*PAUSE_S))
                await executioner.kill(kind)
            shoppers.stopping.set()
            await asyncio.wait(tasks, timeout=IN_TIME_S)
            await _let_claims_run_out(stand)
            async with asyncio.timeout(LAST_ORDER_S):
                await asyncio.gather(*tasks)
            findings = Findings()
            await _pay_otherwise(stand, shoppers, paying_door, findings)
            await _look_into_books(stand, reseller, findings)
        finally:
            executioner.end()
            for task in tasks:
                task.cancel()
    result = await _account(stand, shoppers, executioner, findings)
    again = sum(times > 1 for times in paying_door.charged.values())
    return replace(result, figures={**result.figures, "charges_sent_again": again})


async def _pay_otherwise(
    stand: Stand, shoppers: Shoppers, door: PayingDoor, findings: Findings
) -> None:
    """Every order that was paid is paid once more, by its charge and by another."""
    connection = await Connection.open(stand.server.port)
    paid = {number: shoppers.acknowledged[number] for number in door.charged}
    wrong = await door.pay_otherwise(connection, paid)
    connection.close()
    findings.expect(not wrong, f"{len(wrong)} of {len(paid)} paid orders: {wrong[:2]}")


async def _look_into_books(stand: Stand, reseller: Reseller, findings: Findings) -> None:
    """Every fulfilment has one serial, and was debited once."""
    async with stand.recovered() as database, database.begin() as tx:
        found = await Books.read(tx, reseller)
    right = Books.of(found.fulfilments, credit_minor=CREDIT)
    findings.expect(found == right, f"the reseller has {found} instead of {right}")


async def _let_claims_run_out(stand: Stand) -> None:
    """What two minutes do to the carts whose checkouts died."""
    async with stand.recovered() as database, database.begin() as tx:
        await tx.run("update carts set claimed_until = now() where claimed_until > now()")


def _order_of_death(kills: int, rng: random.Random) -> list[str]:
    """What to kill, in order: every kind at least once, the rest by weight."""
    chosen = rng.choices(list(VICTIMS), list(VICTIMS.values()), k=kills - len(ALWAYS))
    kinds = [*ALWAYS, *chosen]
    rng.shuffle(kinds)
    return kinds


async def _account(
    stand: Stand, shoppers: Shoppers, executioner: Executioner, findings: Findings
) -> Result:
    """Compare stored orders with acknowledged ones, and look for expired holds and lost payments."""
    later = datetime.now(UTC) + MUCH_LATER
    async with stand.recovered() as database:
        async with database.begin() as tx:
            await expire_holds(tx, now=later)
        # What is found authorised by a question gets its time to be claimed by an order, too.
        for moment in (later, later + MUCH_LATER):
            await settle_every_payment(paying(database, FrozenClock(moment)))
        async with database.begin() as tx:
            rows = await tx.all(
                "select key, order_id from identities where namespace not like 'charge:%'"
            )
            fulfilled = await tx.all("select key, id from reseller_fulfilments")
            orders = await tx.value("select count(*) from orders")
            by_door = await tx.all(
                "select channel, count(*) from orders group by channel order by 1"
            )
            held = await tx.value("select count(*) from holds where status = 'held'")
            committed = await tx.value("select sum(committed) from stock_levels")
            payments = await tx.one(PAYMENTS)
            paid_amiss = await tx.all(PAID_AMISS)
    booked = {**dict(rows), **dict(fulfilled)}
    lost = {n for n, order_id in shoppers.acknowledged.items() if booked.get(n) != order_id}
    findings.expect(
        not lost, f"{len(lost)} acknowledged orders are not in the book: {list(lost)[:3]}"
    )
    extra = booked.keys() - shoppers.acknowledged.keys()
    findings.expect(not extra, f"{len(extra)} orders that nobody was told of: {list(extra)[:3]}")
    findings.expect(orders == len(booked), f"{orders} orders of {len(booked)} numbers")
    findings.expect(committed == len(rows), f"{committed} units committed for {len(rows)} orders")
    findings.expect(held == 0, f"{held} holds outlived their time")
    findings.expect(not shoppers.strange, f"strange answers: {dict(shoppers.strange)}")
    findings.expect(len(by_door) == 5, f"orders came only through {by_door}")
    paid = (sum(dict(by_door).get(channel, 0) for channel in PAYING), 0, 0)
    findings.expect(
        payments == paid, f"paid, without an order, orders unpaid: {payments} instead of {paid}"
    )
    findings.expect(not paid_amiss, f"{len(paid_amiss)} not paid once: {paid_amiss[:3]}")
    return findings.result(
        kills=sum(executioner.killed.values()),
        victims=" ".join(f"{kind}:{count}" for kind, count in sorted(executioner.killed.items())),
        orders=len(booked),
        by_door=" ".join(f"{name}:{count}" for name, count in by_door),
        attempts=shoppers.attempts,
        found_by_retry=shoppers.found_existing,
    )


CLAIM = Claim(
    id="P3",
    title="kill -9 while ordering",
    workload="SIGKILL to web processes, job workers, the server, database backends and a holder of "
    "stock at random instants, while 20 clients of five channels, some impatient, retry each order under its number "
    "and drop shippers its payment by the same charge; all these paid again, by that charge and by another",
    must_hold="no acknowledged order lost, none doubled, none unknown to its buyer, no hold after its "
    "time, no payment without its order, each order of a drop shipper paid once, each "
    "fulfilment of a reseller debited once, for one serial",
    full={"kills": 300, "serials": 100_000},
    quick={"kills": 10, "serials": 3_000},
    run=run,
    server=False,
)
