"""P5: an order sent any number of times with one number, even with different bodies, is one order."""

import asyncio
import random
import time
import uuid
from collections import Counter
from dataclasses import dataclass

from proof.claim import Claim, Findings, Result, Size
from proof.doors import SOLD, TAKEN, UNAVAILABLE, Door, Outcome, ShoppexPartnerDoor, buy, order
from proof.publishers import ShoppableDoor, make_publisher
from proof.stand import Stand
from proof.web_shops import ShopWeDoDoor, make_web_shop
from tests.support.factories import make_partner, make_shop, make_variant
from tests.support.raw_http import Connection

QUANTITIES = (1, 2, 3)
PAYMENTS = """
    select (select count(*) from payments),
           (select count(*) from orders where payment_state = 'paid' and channel = 'shoppable')
"""
_TRIES = 60
_AGAIN_S = 0.2


@dataclass(frozen=True)
class Sent:
    """A number, the channel that it was used in, and its order."""

    door: Door
    number: str
    order_id: int


class Sender:
    """Sends orders with one number from all connections at once."""

    def __init__(self, connections: list[Connection], variant_id: int, findings: Findings) -> None:
        self.answers: Counter[str] = Counter()
        self._connections = connections
        self._variant_id = variant_id
        self._findings = findings

    async def first(self, door: Door, number: str, *, varies: bool) -> tuple[Sent, int]:
        """Send a new number with one body or several: one is acknowledged. Returns its quantity."""
        quantities = [QUANTITIES[n % 3] if varies else 1 for n in range(len(self._connections))]
        outcomes = await self._together(door, number, quantities)
        won = [q for q, o in zip(quantities, outcomes, strict=True) if o.kind == SOLD]
        where = f"{door.name}, {number}"
        self._findings.expect(len(won) == 1, f"{where}: {len(won)} acknowledged")
        ids = {outcome.order_id for outcome in outcomes}
        self._findings.expect(len(ids) == 1, f"{where}: told of the orders {sorted(ids)}")
        return Sent(door, number, max(ids)), won[0] if won else 0

    async def again(self, sent: Sent, *, quantity: int, where: str) -> None:
        """Send a used number: every answer is the same refusal and names the same order."""
        outcomes = await self._together(sent.door, sent.number, [quantity] * 5)
        right = Outcome(TAKEN, order_id=sent.order_id)
        for outcome in outcomes:
            self._findings.expect(
                outcome == right, f"{sent.door.name}, {where}: {outcome} instead of {right}"
            )

    async def _together(self, door: Door, number: str, quantities: list[int]) -> list[Outcome]:
        outcomes = await asyncio.gather(
            *(
                buy(
                    connection,
                    door,
                    self._variant_id,
                    quantity=quantity,
                    number=number,
                    timestamp=int(time.time()),
                    nonce=uuid.uuid4().hex,
                )
                for connection, quantity in zip(self._connections, quantities, strict=False)
            )
        )
        self.answers.update(outcome.kind for outcome in outcomes)
        strange = [o.text or o.kind for o in outcomes if o.kind not in {SOLD, TAKEN}]
        self._findings.expect(not strange, f"{door.name}: {len(strange)} x {strange[:1]}")
        return list(outcomes)


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Send half of the numbers with one body, half with three; then again, and after a restart."""
    findings = Findings()
    async with stand.database.begin() as tx:
        shop = await make_shop(tx)
        variant_id = await make_variant(tx, shop=shop, own=10**6)
        partners = [await make_partner(tx, shop=shop) for _ in range(2)]
        web_shops = [await make_web_shop(tx, shop=shop) for _ in range(2)]
        publisher = await make_publisher(tx, shop=shop)
    doors: list[Door] = [*map(ShoppexPartnerDoor, partners), *map(ShopWeDoDoor, web_shops)]
    used: list[Sent] = []
    committed = 0
    answers: Counter[str] = Counter()
    with stand.serving():
        connections = await stand.connect(size["together"])
        sender = Sender(connections, variant_id, findings)
        for place in range(size["numbers"]):
            door = doors[place % len(doors)]
            sent, quantity = await sender.first(door, f"N-{place}", varies=place % 8 >= 4)
            used.append(sent)
            committed += quantity
            await sender.again(sent, quantity=7, where="another body")
        committed += await _same_number(sender, doors, findings)
        shopping = ShoppableDoor(publisher)
        carts = max(1, size["numbers"] // len(doors))
        for _ in range(carts):
            await _same_cart(connections, shopping, variant_id, findings)
        committed += carts
        answers += sender.answers
    with stand.serving():
        sender = Sender(await stand.connect(5), variant_id, findings)
        for sent in used:
            await sender.again(sent, quantity=rng.randint(1, 9), where="after a restart")
        answers += sender.answers
    orders = await _account(
        stand, findings, expected=len(used) + len(doors) + carts, committed=committed
    )
    return findings.result(
        numbers=len(used),
        carts=carts,
        orders=orders,
        acknowledged=answers[SOLD],
        refused=answers[TAKEN],
    )


async def _same_number(sender: Sender, doors: list[Door], findings: Findings) -> int:
    """Use one number for every partner: each gets its own order. Returns how many units they took."""
    found = [await sender.first(door, "everybody's", varies=False) for door in doors]
    ids = {sent.order_id for sent, _ in found}
    findings.expect(len(ids) == len(doors), f"one number at {len(doors)} partners: orders {ids}")
    return sum(quantity for _, quantity in found)


async def _same_cart(
    connections: list[Connection], door: Door, variant_id: int, findings: Findings
) -> None:
    """Check one cart out from all connections at once: one order, which everybody else is told of.

    Whoever is told to try again while another has the cart does so.
    """
    cart = await door.begin(connections[0], variant_id, quantity=1, number="")

    async def one(connection: Connection) -> Outcome:
        outcome = Outcome(UNAVAILABLE)
        for _ in range(_TRIES):
            outcome = await order(connection, door, variant_id, quantity=1, number=cart)
            if outcome.kind != UNAVAILABLE:
                break
            await asyncio.sleep(_AGAIN_S)
        return outcome

    outcomes = await asyncio.gather(*map(one, connections))
    kinds = Counter(outcome.kind for outcome in outcomes)
    ids = {outcome.order_id for outcome in outcomes}
    right = {SOLD: 1, TAKEN: len(connections) - 1}
    findings.expect(kinds == right, f"{door.name}, {cart}: {dict(kinds)}")
    findings.expect(len(ids) == 1, f"{door.name}, {cart}: told of the orders {sorted(ids)}")


async def _account(stand: Stand, findings: Findings, *, expected: int, committed: int) -> int:
    async with stand.database.statement() as tx:
        orders = int(await tx.value("select count(*) from orders"))
        taken = await tx.value("select sum(committed) from stock_levels")
        payments, paid = await tx.one(PAYMENTS) or (0, 0)
    findings.expect(orders == expected, f"{orders} orders from {expected} numbers")
    findings.expect(taken == committed, f"{taken} units committed, {committed} acknowledged")
    findings.expect(payments == paid > 0, f"{payments} payments for {paid} paid orders")
    return orders


CLAIM = Claim(
    id="P5",
    title="idempotency",
    workload="100 parallel orders under the same number, with one body and with several, through every "
    "door that sells; again with another body; again after a restart; one number at several partners; "
    "100 checkouts of one cart at once",
    must_hold="one order, one take of stock and one payment per number or cart; every further answer is "
    "the same refusal and leads to the same order",
    full={"numbers": 200, "together": 100},
    quick={"numbers": 20, "together": 100},
    run=run,
    server=False,
)
