"""P11 for drop shippers: what staff refund and partners take back never exceeds what was paid for an order."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import UTC, datetime

from crossdock.db.unit_of_work import Database
from crossdock.errors import CrossdockError
from crossdock.kit.clock import FrozenClock
from crossdock.kit.opaque import OpaqueIds
from crossdock.shop.orders import read_order, refund_line, refund_order
from crossdock.shop.payments import Paying, list_payments
from proof.claim import Claim, Findings, Result, Size
from proof.claims.p11_refunds import ASKED, CAPTURED, CONNECTIONS
from proof.drop_shippers import (
    CANCEL_ITEM,
    CHANNEL,
    answered,
    ask,
    charge,
    ids_of,
    make_drop_shipper,
    order_of,
    refused_with,
)
from proof.stand import Stand
from tests.support.factories import PartnerFixture, make_shop, make_variant
from tests.support.ledger import balances
from tests.support.paying import paying
from tests.support.raw_http import Connection

PRICES = (6_000, 4_000)
CLEAN = frozenset({"payment_state", "refund_exceeds_capture", "order_state"})
CANCELS = 4
NOT_CANCELLABLE = "ORDER_ITEM_NOT_CANCELLABLE"


@dataclass(frozen=True)
class Scene:
    """A drop shipper, and the goods of the orders."""

    partner: PartnerFixture
    ids: OpaqueIds
    variants: tuple[int, ...]


@dataclass(frozen=True)
class Paid:
    """A paid order: its number, and the ids of its items."""

    number: int
    items: tuple[str, ...]


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Each round has a paid order of two lines and many refunds at once; in every second one the partner cancels."""
    findings, counts = Findings(), Counter[str]()
    async with stand.database.begin() as tx:
        shop = await make_shop(tx)
        variants = [
            await make_variant(tx, shop=shop, own=10**6, price_minor=price) for price in PRICES
        ]
        partner = await make_drop_shipper(tx, shop=shop)
        scene = Scene(partner, await ids_of(tx, shop), tuple(variants))
    connections = await stand.connect(CANCELS)
    database = Database(stand.url, min_size=4, max_size=CONNECTIONS, wait_s=60)
    await database.open()
    service = paying(database, FrozenClock(datetime.now(UTC)))
    refunded = 0
    for place in range(size["rounds"]):
        paid = await _pay(connections[0], scene, code=f"PO-{place}")
        acts = _refunds(service, shop.id, paid, count=size["refunds"])
        if place % 2:
            acts += [_cancel(each, scene, rng.choice(paid.items)) for each in connections]
        rng.shuffle(acts)
        outcomes = await asyncio.gather(*acts)
        given = sum(amount for _, amount in outcomes)
        counts.update(word for word, _ in outcomes)
        money = await _account(database, shop.id, paid, findings)
        findings.expect(
            place % 2 > 0 or money == given, f"order {paid.number}: {given} given, {money} booked"
        )
        refunded += money
    async with database.statement() as tx:
        found = await balances(tx, shop_id=shop.id)
    await database.close()
    for connection in connections:
        connection.close()
    booked = sum(amount for name, amount in found.items() if name.startswith("refunds "))
    findings.expect(booked == -refunded, f"{refunded} refunded, the ledger has {found}")
    return findings.result(rounds=size["rounds"], refunded_minor=refunded, **counts)


async def _pay(connection: Connection, scene: Scene, *, code: str) -> Paid:
    lines = ((variant_id, 1) for variant_id in scene.variants)
    request = order_of(scene.partner, scene.ids, *lines, code=code)
    order = answered(await connection.exchange(request))["createOrder"]["order"]
    request = charge(scene.partner, order["id"], charge_id=f"ch-{code}")
    told = answered(await connection.exchange(request))["setOrderAsPaid"]["order"]
    found = scene.ids.decode(order["id"])
    if found is None or (told["status"], told["orderTotal"]) != ("PAID", CAPTURED / 100):
        raise RuntimeError(f"no paid order of 100.00: {told}")
    return Paid(found[1], tuple(item["id"] for item in order["orderItems"]))


def _refunds(
    service: Paying, shop_id: int, paid: Paid, *, count: int
) -> list[Awaitable[tuple[str, int]]]:
    """So many refunds: of the first line, of the second, of 60.00 of the order."""

    async def one(place: int) -> tuple[str, int]:
        try:
            if place % 3 == 2:
                await refund_order(
                    service, shop_id=shop_id, order_id=paid.number, amount_minor=ASKED
                )
                return "given_of_order", ASKED
            amount = await refund_line(
                service,
                shop_id=shop_id,
                order_id=paid.number,
                line_no=place % 3 + 1,
                reason="agreement",
                with_shipping=True,
            )
        except CrossdockError as error:
            if error.code not in CLEAN:
                raise
            return "refused", 0
        return "given_of_line", amount

    return [one(place) for place in range(count)]


async def _cancel(connection: Connection, scene: Scene, item: str) -> tuple[str, int]:
    """What the partner takes back; how much it gets, the payment tells."""
    reply = await connection.exchange(ask(scene.partner, CANCEL_ITEM, orderItemId=item))
    if refused_with(reply) == NOT_CANCELLABLE:
        return "cancel_refused", 0
    answered(reply)
    return "cancelled", 0


async def _account(database: Database, shop_id: int, paid: Paid, findings: Findings) -> int:
    """What was refunded of the order; payment, order and lines stay within what was paid."""
    async with database.statement() as tx:
        [payment] = await list_payments(tx, shop_id=shop_id, order_id=paid.number)
        order = await read_order(tx, shop_id=shop_id, order_id=paid.number)
    where = f"order {paid.number}"
    money = payment.refunded_minor
    open_amounts = payment.refund_due_minor, payment.refunding_minor
    findings.expect(payment.captured_minor == CAPTURED, f"{where}: {payment.captured_minor} paid")
    findings.expect(0 < money <= CAPTURED, f"{where}: {money} refunded of {CAPTURED}")
    findings.expect(open_amounts == (0, 0), f"{where}: due and asked {open_amounts}")
    for line, price in zip(order.lines, PRICES, strict=True):
        findings.expect(line.refunded_minor <= price, f"{where}: {line.refunded_minor} of {price}")
    state = "refunded" if money == CAPTURED else "partially_refunded"
    findings.expect(order.payment_state == state, f"{where}: {money} is {order.payment_state}")
    return money


CLAIM = Claim(
    id="P11",
    door=CHANNEL,
    title="refund ceiling",
    workload="an order of 60.00 and 40.00 paid by setOrderAsPaid; refunds of the first line, of the second and of "
    "60.00 of the order at once, in every second round with cancelOrderItem by the partner",
    must_hold="never more is refunded than was paid, of a line never more than it cost; what was given is what "
    "payment and ledger have; every other refund is refused cleanly",
    full={"rounds": 100, "refunds": 48},
    quick={"rounds": 6, "refunds": 48},
    run=run,
)
