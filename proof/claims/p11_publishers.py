"""P11 for publishers: refunds of an order that a checkout paid never exceed what was captured."""

import asyncio
import random
from collections import Counter
from datetime import UTC, datetime, timedelta

from crossdock.db.unit_of_work import Database
from crossdock.errors import CrossdockError
from crossdock.kit.clock import FrozenClock
from crossdock.shop.invoices import settle_every_payment
from crossdock.shop.orders import read_order, refund_order
from crossdock.shop.payments import Paying, list_payments
from proof.claim import Claim, Findings, Result, Size
from proof.claims.p11_refunds import ASKED, BOOKS, CAPTURED, CONNECTIONS
from proof.doors import SOLD
from proof.publishers import CHANNEL, ShoppableDoor, checkout, make_publisher
from proof.stand import Stand
from tests.support.factories import make_shop, make_variant
from tests.support.ledger import balances
from tests.support.paying import GOOD, LOST_REFUND, paying
from tests.support.raw_http import Connection

SETTLED_AFTER = timedelta(seconds=61)


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Each round is an order of 100.00 and many refunds at once; in every third round answers are lost."""
    findings, counts = Findings(), Counter[str]()
    async with stand.database.begin() as tx:
        shop = await make_shop(tx)
        variant_id = await make_variant(tx, shop=shop, own=10**6, price_minor=CAPTURED)
        door = ShoppableDoor(await make_publisher(tx, shop=shop))
    connection = await Connection.open(stand.server.port)
    database = Database(stand.url, min_size=4, max_size=CONNECTIONS, wait_s=60)
    await database.open()
    for number in range(size["rounds"]):
        loses = number % 3 == 2
        order_id = await _order(connection, door, variant_id, loses=loses)
        service = paying(database, FrozenClock(datetime.now(UTC)))
        outcomes = Counter(
            await asyncio.gather(
                *(_refund(service, shop.id, order_id) for _ in range(size["refunds"]))
            )
        )
        if loses:
            later = paying(database, FrozenClock(datetime.now(UTC) + SETTLED_AFTER))
            await settle_every_payment(later)
        _count(outcomes, counts, findings, loses=loses, where=f"order {order_id}")
        await _account(database, shop.id, order_id, findings)
    async with database.statement() as tx:
        found = await balances(tx, shop_id=shop.id)
    await database.close()
    connection.close()
    refunded = size["rounds"] * ASKED
    booked = found.get("clearing sandbox USD"), found.get("refunds USD")
    expected = refunded - size["rounds"] * CAPTURED, -refunded
    findings.expect(booked == expected, f"the ledger has {found}")
    return findings.result(rounds=size["rounds"], **counts)


async def _order(
    connection: Connection, door: ShoppableDoor, variant_id: int, *, loses: bool
) -> int:
    """A paid order of 100.00."""
    cart_id = await door.begin(connection, variant_id, quantity=1, number="")
    card = LOST_REFUND if loses else GOOD
    reply = await connection.exchange(checkout(door.partner, cart_id, card_number=card))
    outcome = door.outcome(reply)
    if outcome.kind != SOLD or reply.json()[0]["total"] != "100.00":
        raise RuntimeError(f"no order of 100.00: {reply.status} {reply.body[:300]!r}")
    return outcome.order_id


async def _refund(service: Paying, shop_id: int, order_id: int) -> str:
    try:
        await refund_order(service, shop_id=shop_id, order_id=order_id, amount_minor=ASKED)
    except CrossdockError as error:
        return error.code
    return "given"


def _count(
    outcomes: Counter[str], counts: Counter[str], findings: Findings, *, loses: bool, where: str
) -> None:
    """One refund is given, or its answer is lost; every other one is refused."""
    refused = outcomes["refund_exceeds_capture"]
    counts.update(
        given=outcomes["given"], answers_lost=outcomes["payment_unsettled"], refused=refused
    )
    first = outcomes["payment_unsettled" if loses else "given"]
    alone = first == 1 and refused == outcomes.total() - 1
    findings.expect(alone, f"{where}: {dict(outcomes)}")


async def _account(database: Database, shop_id: int, order_id: int, findings: Findings) -> None:
    """Payment, provider's books and order say the same."""
    async with database.statement() as tx:
        [payment] = await list_payments(tx, shop_id=shop_id, order_id=order_id)
        booked = await tx.value(BOOKS, (shop_id, payment.reference))
        order = await read_order(tx, shop_id=shop_id, order_id=order_id)
    told = payment.captured_minor, payment.refunded_minor, payment.refunding_minor, booked
    findings.expect(
        told == (CAPTURED, ASKED, 0, ASKED), f"order {order_id}: captured, refunded ... {told}"
    )
    findings.expect(
        order.payment_state == "partially_refunded", f"order {order_id} is {order.payment_state}"
    )


CLAIM = Claim(
    id="P11",
    door=CHANNEL,
    title="refund ceiling",
    workload="an order of 100.00 paid by a checkout, 50 refunds of 60.00 at once; in every third round the "
    "provider's answers are lost and looked up",
    must_hold="one refund is given, the others refused; payment, order, provider's books and ledger agree",
    full={"rounds": 100, "refunds": 50},
    quick={"rounds": 5, "refunds": 50},
    run=run,
)
