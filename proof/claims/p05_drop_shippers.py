"""P5 for drop shippers: one order per number, one payment per order, whatever is sent how often."""

import asyncio
import json
import random
from collections import Counter
from dataclasses import dataclass
from typing import Any

from crossdock.kit.opaque import OpaqueIds
from proof.claim import Claim, Findings, Result, Size
from proof.drop_shippers import (
    CHANNEL,
    answered,
    charge,
    ids_of,
    make_drop_shipper,
    order_of,
    refused_with,
)
from proof.stand import Stand
from tests.support.factories import PartnerFixture, make_shop, make_variant
from tests.support.raw_http import Connection

PAYERS = 20
CONFLICT, USED, NOT_OPEN = "PARTNER_ORDER_CODE_CONFLICT", "CHARGE_ID_CONFLICT", "ORDER_NOT_OPEN"
PAID = "select count(*), count(distinct subject_id) from events where kind = 'payment.paid'"


@dataclass(frozen=True)
class Sent:
    """A number, its order as the first answer told of it, and how many units it took."""

    number: str
    order: str
    order_id: str
    quantity: int


class Sender:
    """Sends the orders and payments of one drop shipper from all connections at once."""

    def __init__(
        self, partner: PartnerFixture, ids: OpaqueIds, variant_id: int, findings: Findings
    ) -> None:
        self.answers: Counter[str] = Counter()
        self._partner = partner
        self._ids = ids
        self._variant_id = variant_id
        self._findings = findings

    def order(self, number: str, *, quantity: int) -> bytes:
        """The bytes of an order."""
        return order_of(self._partner, self._ids, (self._variant_id, quantity), code=number)

    async def together(self, connections: list[Connection], requests: list[bytes]) -> list[Any]:
        """The answers to requests that are sent at once: an order as JSON, or the code of a refusal."""
        replies = await asyncio.gather(
            *(
                connection.exchange(request)
                for connection, request in zip(connections, requests, strict=False)
            )
        )
        found = []
        for reply in replies:
            code = refused_with(reply)
            if code:
                found.append(code)
            else:
                [payload] = answered(reply).values()
                found.append(json.dumps(payload["order"], sort_keys=True))
        self.answers.update(each if each.isupper() else "order" for each in found)
        return found

    async def first(self, connections: list[Connection], number: str, *, varies: bool) -> Sent:
        """Send a new number with one body, or with three: who sent the one that won has the order."""
        quantities = [1 + place % 3 if varies else 1 for place in range(len(connections))]
        requests = [self.order(number, quantity=quantity) for quantity in quantities]
        found = await self.together(connections, requests)
        won = {quantity for quantity, each in zip(quantities, found, strict=True) if each[0] == "{"}
        orders = {each for each in found if each[0] == "{"}
        self._findings.expect(len(orders) == len(won) == 1, f"{number}: {orders} for {won}")
        right = {"order": quantities.count(min(won, default=0))}
        told = Counter("order" if each[0] == "{" else each for each in found)
        if varies:
            right[CONFLICT] = len(found) - right["order"]
        self._findings.expect(told == right, f"{number}: {dict(told)} instead of {right}")
        order = min(orders)
        return Sent(number, order, json.loads(order)["id"], min(won))

    async def again(self, connections: list[Connection], sent: Sent, *, where: str) -> None:
        """The same order has the same answer, another is a conflict."""
        same, other = sent.quantity, sent.quantity + 7
        requests = [self.order(sent.number, quantity=each) for each in (same, same, other, other)]
        found = await self.together(connections, requests)
        right = [sent.order, sent.order, CONFLICT, CONFLICT]
        self._findings.expect(found == right, f"{where}, {sent.number}: {found}")

    async def pay(self, connections: list[Connection], sent: Sent, *, varies: bool) -> str:
        """Pay an order many times at once, by one charge or by as many; the charge that paid it."""
        charges = [f"ch-{sent.number}-{place if varies else 0}" for place in range(PAYERS)]
        requests = [charge(self._partner, sent.order_id, charge_id=each) for each in charges]
        found = await self.together(connections, requests)
        paid = [each for each, told in zip(charges, found, strict=True) if told[0] == "{"]
        told = {each for each in found if each[0] == "{"}
        where = f"{sent.number} paid {PAYERS} times"
        self._findings.expect(len(paid) == (1 if varies else PAYERS), f"{where}: {found[:3]}")
        self._findings.expect(len(told) == 1, f"{where}: {len(told)} different answers")
        others = {each for each in found if each[0] != "{"}
        self._findings.expect(others == ({NOT_OPEN} if varies else set()), f"{where}: {others}")
        return paid[0] if paid else ""

    async def pay_others(self, connections: list[Connection], order_id: str, used: str) -> None:
        """A charge that has paid one order pays no other."""
        request = charge(self._partner, order_id, charge_id=used)
        found = await self.together(connections, [request] * 5)
        self._findings.expect(found == [USED] * 5, f"{order_id} with {used}: {found}")


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Order and pay every number many times at once; then again, and after a restart."""
    findings = Findings()
    async with stand.database.begin() as tx:
        shop = await make_shop(tx)
        variant_id = await make_variant(tx, shop=shop, own=10**6)
        partners = [await make_drop_shipper(tx, shop=shop) for _ in range(2)]
        ids = await ids_of(tx, shop)
    senders = [Sender(partner, ids, variant_id, findings) for partner in partners]
    used: list[tuple[Sender, Sent]] = []
    with stand.serving():
        connections = await stand.connect(size["together"])
        for place in range(size["numbers"]):
            # Both use the same numbers: each has an order of its own under them.
            sender = senders[place % 2]
            sent = await sender.first(connections, f"N-{place // 2}", varies=place % 4 >= 2)
            await sender.again(connections, sent, where="at once")
            paid_by = await sender.pay(connections, sent, varies=place % 4 in {1, 2})
            await sender.again(connections, await _paid(sender, connections, sent), where="paid")
            open_order = await sender.first(connections[:2], f"O-{place}", varies=False)
            await sender.pay_others(connections, open_order.order_id, paid_by)
            used += [(sender, await _paid(sender, connections, sent)), (sender, open_order)]
    with stand.serving():
        connections = await stand.connect(4)
        for sender, sent in used:
            await sender.again(connections, sent, where="after a restart")
    await _account(stand, findings, used, paid=size["numbers"])
    answers = sum((sender.answers for sender in senders), Counter[str]())
    return findings.result(
        numbers=len(used), together=size["together"], paid=size["numbers"], **answers
    )


async def _paid(sender: Sender, connections: list[Connection], sent: Sent) -> Sent:
    """The order as createOrder tells of it now."""
    [found] = await sender.together(
        connections[:1], [sender.order(sent.number, quantity=sent.quantity)]
    )
    return Sent(sent.number, found, sent.order_id, sent.quantity)


async def _account(
    stand: Stand, findings: Findings, used: list[tuple[Sender, Sent]], *, paid: int
) -> None:
    """The order book and the stock have what was acknowledged, once each."""
    async with stand.database.statement() as tx:
        orders = int(await tx.value("select count(*) from orders"))
        taken = await tx.value("select sum(committed) from stock_levels")
        paid_orders = await tx.value("select count(*) from orders where payment_state = 'paid'")
        moves = await tx.one(PAID)
    units = sum(sent.quantity for _, sent in used)
    findings.expect(orders == len(used), f"{orders} orders from {len(used)} numbers")
    findings.expect(taken == units, f"{taken} units committed, {units} acknowledged")
    findings.expect(paid_orders == paid, f"{paid_orders} orders are paid instead of {paid}")
    findings.expect(moves == (paid, paid), f"{moves} moves to paid of {paid} orders")


CLAIM = Claim(
    id="P5",
    door=CHANNEL,
    title="idempotency",
    workload="100 parallel createOrder under one partnerOrderCode, with one body and with three; 20 parallel "
    "setOrderAsPaid of each order, with one charge and with 20; a used charge for another order; all numbers "
    "again with the same body and with another, after the payment and after a restart",
    must_hold="one order, one take of stock and one move to paid each; the same body gets the same order, "
    "another a conflict; one charge of several pays, and no other order",
    full={"numbers": 200, "together": 100},
    quick={"numbers": 12, "together": 100},
    run=run,
    server=False,
)
