"""P12: receivers fail, hang and redirect, senders are killed; every delivery arrives, always with the same id."""

import asyncio
import hashlib
import random
import uuid
from collections import Counter, defaultdict

from crossdock.kit.clock import SystemClock
from crossdock.kit.ids import SeededIds
from crossdock.kit.outbound import Outbound
from crossdock.kit.webhooks import new_secret
from crossdock.shop.dispatch import Configuring, add_connector
from crossdock.shop.events import number_events, read_events
from proof.claim import Claim, Findings, Result, Size
from proof.senders import kill_senders, settle
from proof.stand import Stand
from tests.support.factories import ShopFixture, box, make_partner, make_shop, make_variant
from tests.support.ordering import order, placing, read_partner
from tests.support.simulators.http import Hang, HttpSimulator, Outcome, Reply, Request

SHOPS = 6  # each with a connector of its own, so that hanging calls leave room for others
BUYERS = 8
FAILS, HANGS, REDIRECTS = 0.30, 0.05, 0.05
WAITS_S = (1,) * 12
_LINES = """
    select 'dispatch_' || d.shop_id || '_' || d.subject_id, count(*) from deliveries d
    join delivery_attempts a on a.shop_id = d.shop_id and a.delivery_id = d.id
    group by d.shop_id, d.subject_id
"""


class Receiver(HttpSimulator):
    """Receives messages, each named by a header; some it answers with an error, a redirect, or not at all."""

    def __init__(self, rng: random.Random, *, header: str = "webhook-id") -> None:
        super().__init__(self._answer)
        self._header = header
        self.accepted: Counter[str] = Counter()
        self.bodies: dict[str, set[bytes]] = defaultdict(set)
        self.answered: Counter[str] = Counter()
        self._rng = rng

    def named(self, request: Request) -> str:
        """The id of the message."""
        return request.headers.get(self._header, "")

    async def _answer(self, request: Request) -> Outcome:
        if request.path != "/orders":
            self.answered["followed"] += 1
            return Reply(200)
        message_id = self.named(request)
        self.bodies[message_id].add(hashlib.sha256(request.body).digest())
        fate = self._rng.random()
        if fate < FAILS:
            self.answered["failed"] += 1
            return Reply(503)
        if fate < FAILS + HANGS:
            self.answered["hung"] += 1
            return Hang()
        if fate < FAILS + HANGS + REDIRECTS:
            self.answered["redirected"] += 1
            return Reply(302, b"", {"location": f"{self.url}/elsewhere"})
        self.answered["taken"] += 1
        self.accepted[message_id] += 1
        return Reply(200, {"id": message_id})


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Place orders while the sender is killed; then let the queue run empty."""
    async with Receiver(random.Random(rng.random())) as receiver:
        shops = await _open_shops(stand, receiver, rng)
        waits = ",".join(map(str, WAITS_S))
        with stand.serving(allowed_outbound_hosts=receiver.host, dispatch_retry_s=waits):
            placing_all = asyncio.create_task(_place(stand, shops, count=size["events"]))
            most = size["events"] // (2 * size["kills"])
            killed = await kill_senders(stand, receiver, count=size["kills"], most=most, rng=rng)
            placed = await placing_all
            ids = [shop.id for shop in shops]
            await settle(stand, shop_ids=ids, kind="dispatch", count=len(placed))
        return await _account(stand, receiver, shops, placed=placed, killed=killed)


async def _open_shops(stand: Stand, receiver: Receiver, rng: random.Random) -> list[ShopFixture]:
    outbound = Outbound(allowed_hosts=[receiver.host])
    shops = []
    for _ in range(SHOPS):
        async with stand.database.begin() as tx:
            shop = await make_shop(tx)
            await add_connector(
                tx,
                service=Configuring(outbound=outbound, box=box()),
                shop_id=shop.id,
                name="hook",
                kind="webhook",
                settings={"url": f"{receiver.url}/orders"},
                secret=new_secret(SeededIds(rng.randrange(10**6))),
            )
        shops.append(shop)
    await outbound.close()
    return shops


async def _place(stand: Stand, shops: list[ShopFixture], *, count: int) -> set[str]:
    """Place so many orders; the ids with which their messages must arrive."""
    expected: set[str] = set()
    numbers = iter(range(count))

    async def buy(shop: ShopFixture) -> None:
        async with stand.database.begin() as tx:
            variant_id = await make_variant(tx, shop=shop, own=1_000_000)
            made = await make_partner(tx, shop=shop)
        service = placing(stand.database, SystemClock())
        partner = await read_partner(stand.database, made)
        for _ in numbers:
            number = f"PO-{uuid.uuid4().hex}"
            placed = await order(service, partner=partner, number=number, **{f"v{variant_id}": 1})
            expected.add(f"dispatch_{shop.id}_{placed.id}")

    await asyncio.gather(*(buy(shops[number % SHOPS]) for number in range(BUYERS)))
    return expected


async def _account(
    stand: Stand, receiver: Receiver, shops: list[ShopFixture], *, placed: set[str], killed: int
) -> Result:
    findings = Findings()
    async with stand.database.statement() as tx:
        statuses = dict(await tx.all("select status, count(*) from deliveries group by status"))
        lines = Counter(dict(await tx.all(_LINES)))
        told = await tx.value("select count(*) from events where kind = 'dispatch.sent'")
    lost = placed - receiver.accepted.keys()
    findings.expect(not lost, f"{len(lost)} of {len(placed)} never arrived: {sorted(lost)[:3]}")
    strangers = receiver.bodies.keys() - placed
    findings.expect(not strangers, f"arrived and never placed: {sorted(strangers)[:3]}")
    differing = [key for key, bodies in receiver.bodies.items() if len(bodies) > 1]
    findings.expect(not differing, f"one id with different bodies: {differing[:3]}")
    findings.expect(statuses == {"sent": len(placed)}, f"statuses at the end: {statuses}")
    findings.expect(told == len(placed), f"{told} dispatch.sent events for {len(placed)} orders")
    findings.expect(not receiver.answered["followed"], "a redirect was followed")
    calls = Counter(map(receiver.named, receiver.requests))
    unlogged = {key: (calls[key], lines[key]) for key in calls if calls[key] > lines[key]}
    findings.expect(not unlogged, f"more calls than lines in the log: {list(unlogged.items())[:3]}")
    events = 0
    for shop in shops:
        sequences = await sequences_of(stand, shop.id)
        events += len(sequences)
        dense = list(range(1, len(sequences) + 1))
        findings.expect(sequences == dense, f"shop {shop.id}: the feed has a gap or a repeat")
    return findings.result(
        orders=len(placed),
        kills=killed,
        calls=calls.total(),
        lines_in_the_log=lines.total(),
        answers=" ".join(f"{what}:{count}" for what, count in sorted(receiver.answered.items())),
        arrived_again=receiver.accepted.total() - len(receiver.accepted),
        events=events,
    )


async def sequences_of(stand: Stand, shop_id: int) -> list[int]:
    """The sequence numbers of the shop's feed, read page by page."""
    found: list[int] = []
    async with stand.database.statement() as tx:
        while await number_events(tx, shop_id=shop_id):
            pass
        while page := await read_events(tx, shop_id=shop_id, after=found[-1] if found else 0):
            found += [event.sequence for event in page]
    return found


CLAIM = Claim(
    id="P12",
    title="outbox under failing receivers",
    workload="orders of six shops go to a webhook receiver that fails 30 %, hangs 5 % and redirects "
    "5 %, while their sender is killed by SIGKILL; what has failed is sent again by hand",
    must_hold="every order arrives, under one id and with one body, is told of once, and the feed of "
    "events has neither gap nor repeat; no redirect is followed",
    full={"events": 20_000, "kills": 50},
    quick={"events": 500, "kills": 3},
    run=run,
    server=False,
)
