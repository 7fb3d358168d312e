"""P12 for drop shippers: their servers fail, hang and redirect, senders are killed; every notice arrives as one."""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from crossdock.channels.shoppo.notifying import CANCELLED, URLS
from crossdock.db.unit_of_work import Transaction
from crossdock.kit.clock import SystemClock
from crossdock.shop.orders import OrderItem, OrderRequest, cancel_order, place_awaiting
from crossdock.shop.partners import Partner, read_partner
from proof.claim import Claim, Findings, Result, Size
from proof.claims.p12_outbox import BUYERS, SHOPS, Receiver, sequences_of
from proof.drop_shippers import CHANNEL, make_drop_shipper
from proof.senders import hurrying, kill_senders, settle
from proof.stand import Stand
from tests.support.awaiting import PUNE, RULES, TERMS
from tests.support.factories import make_shop, make_variant
from tests.support.ordering import placing

_LINES = """
    select d.kind || '_' || d.shop_id || '_' || d.id, count(*) from deliveries d
    join delivery_attempts a on a.shop_id = d.shop_id and a.delivery_id = d.id
    group by d.kind, d.shop_id, d.id
"""


@dataclass(frozen=True)
class Seller:
    """A shop with a drop shipper whose server is told of its orders that the shop cancels."""

    partner: Partner
    variant_id: int


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Place orders and cancel them while the sender is killed; then let the queue run empty."""
    async with Receiver(random.Random(rng.random()), header="x-event-id") as receiver:
        sellers = [await _open(stand, receiver) for _ in range(SHOPS)]
        with stand.serving(allowed_outbound_hosts=receiver.host):
            async with hurrying(stand):  # the waits of this channel are a day long in all
                cancelling = asyncio.create_task(_cancel(stand, sellers, count=size["events"]))
                most = size["events"] // (2 * size["kills"])
                killed = await kill_senders(
                    stand, receiver, count=size["kills"], most=most, rng=rng
                )
                cancelled = await cancelling
                ids = [seller.partner.shop_id for seller in sellers]
                await settle(stand, shop_ids=ids, kind=CANCELLED, count=len(cancelled))
        return await _account(stand, receiver, sellers, cancelled=cancelled, killed=killed)


async def _open(stand: Stand, receiver: Receiver) -> Seller:
    async with stand.database.begin() as tx:
        shop = await make_shop(tx)
        settings = {URLS[CANCELLED]: f"{receiver.url}/orders"}
        made = await make_drop_shipper(tx, shop=shop, settings=settings)
        variant_id = await make_variant(tx, shop=shop, own=1_000_000)
        partner = await read_partner(tx, partner_id=made.id)
    assert partner is not None  # it was made in this transaction
    return Seller(partner, variant_id)


async def _cancel(stand: Stand, sellers: Sequence[Seller], *, count: int) -> set[str]:
    """Place so many orders and cancel each as the shop does; the partners' numbers of them."""
    service = placing(stand.database, SystemClock())
    numbers = iter(range(count))
    told: set[str] = set()

    async def one_after_another(seller: Seller) -> None:
        shop_id = seller.partner.shop_id
        for number in numbers:
            name = f"{shop_id}-{number}"
            placed = await place_awaiting(
                service,
                partner=seller.partner,
                request=OrderRequest(
                    partner_order_id=name,
                    items=(OrderItem(variant_id=seller.variant_id, quantity=1),),
                    source="proof",
                    shipping=PUNE,
                ),
                request_hash=name.encode(),
                rules=RULES,
                terms=TERMS,
                depict=_depict,
            )
            async with stand.database.begin() as tx:
                now = datetime.now(UTC)
                await cancel_order(tx, shop_id=shop_id, order_id=placed.id, now=now)
            told.add(name)

    await asyncio.gather(*(one_after_another(sellers[n % SHOPS]) for n in range(BUYERS)))
    return told


async def _depict(tx: Transaction, variant_ids: Sequence[int], now: datetime) -> dict[int, Any]:
    return {variant_id: {"variant": variant_id} for variant_id in variant_ids}


async def _account(
    stand: Stand,
    receiver: Receiver,
    sellers: Sequence[Seller],
    *,
    cancelled: set[str],
    killed: int,
) -> Result:
    findings = Findings()
    async with stand.database.statement() as tx:
        statuses = dict(await tx.all("select status, count(*) from deliveries group by status"))
        lines = Counter(dict(await tx.all(_LINES)))
    names: dict[str, set[str]] = defaultdict(set)
    for request in receiver.requests:
        if request.path == "/orders":
            names[request.json()["order_id"]].add(receiver.named(request))
    taken = {order for order, ids in names.items() if ids & receiver.accepted.keys()}
    lost = cancelled - taken
    findings.expect(not lost, f"{len(lost)} of {len(cancelled)} never arrived: {sorted(lost)[:3]}")
    strangers = names.keys() - cancelled
    findings.expect(not strangers, f"arrived and never cancelled: {sorted(strangers)[:3]}")
    several = [order for order, ids in names.items() if len(ids) > 1]
    findings.expect(not several, f"orders that were told of under several ids: {several[:3]}")
    differing = [key for key, bodies in receiver.bodies.items() if len(bodies) > 1]
    findings.expect(not differing, f"one id with different bodies: {differing[:3]}")
    findings.expect(statuses == {"sent": len(cancelled)}, f"statuses at the end: {statuses}")
    findings.expect(not receiver.answered["followed"], "a redirect was followed")
    calls = Counter(map(receiver.named, receiver.requests))
    unlogged = {key: (calls[key], lines[key]) for key in calls if calls[key] > lines[key]}
    findings.expect(not unlogged, f"more calls than lines in the log: {list(unlogged.items())[:3]}")
    for seller in sellers:
        sequences = await sequences_of(stand, seller.partner.shop_id)
        dense = list(range(1, len(sequences) + 1))
        findings.expect(sequences == dense, f"shop {seller.partner.shop_id}: the feed has a gap")
    return findings.result(
        orders=len(cancelled),
        kills=killed,
        calls=calls.total(),
        answers=" ".join(f"{what}:{count}" for what, count in sorted(receiver.answered.items())),
        arrived_again=receiver.accepted.total() - len(receiver.accepted),
    )


CLAIM = Claim(
    id="P12",
    door=CHANNEL,
    title="notices to failing servers",
    workload="orders of six shops are cancelled, of which a drop shipper's server is told that fails 30 %, hangs "
    "5 % and redirects 5 %, while the sender is killed by SIGKILL; waits are cut short, and what has failed is sent "
    "again by hand",
    must_hold="every cancelled order is told of, under one id and with one body, and the feed of events has neither "
    "gap nor repeat; no redirect is followed",
    full={"events": 20_000, "kills": 50},
    quick={"events": 500, "kills": 3},
    run=run,
    server=False,
)
