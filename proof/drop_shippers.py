"""Drop shippers: how they are created, what they ask in GraphQL, and how they order."""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crossdock.channels.shoppo.ids import Kind
from crossdock.db.unit_of_work import Transaction
from crossdock.kit.ids import RandomIds
from crossdock.kit.opaque import OpaqueIds
from crossdock.shop.partners import Terms, add_credential, add_partner
from crossdock.shop.shops import read_id_key
from proof.doors import BROKEN, SHORT, SOLD, TAKEN, UNAVAILABLE, Outcome
from tests.support.factories import PartnerFixture, ShopFixture, box
from tests.support.raw_http import Connection, Reply, request_bytes
from tests.support.shoppo_client import PATH

CHANNEL = "shoppo"
RETRIES, RETRY_S = 50, 0.1
ADDRESS = {
    "recipientFirstName": "Ada",
    "recipientLastName": "Test",
    "streetAddress1": "1 Road",
    "streetAddress2": "",
    "city": "Pune",
    "state": "MH",
    "countryCode": "IN",
    "zipcode": "411001",
    "phoneNumber": "0000000000",
}
CREATE = """
mutation createOrder(
  $shippingAddress: ShippingAddressInput!, $orderItems: [OrderItemInput!]!, $partnerOrderCode: String!
) {
  createOrder(
    shippingAddress: $shippingAddress, orderItems: $orderItems, partnerOrderCode: $partnerOrderCode
  ) { order { id status orderTotal orderItems { id quantity sku { originalId price } } } }
}
"""
PAY = """
mutation setOrderAsPaid($orderId: ID!, $chargeId: String!) {
  setOrderAsPaid(orderId: $orderId, chargeId: $chargeId) {
    order { id status orderTotal timePaymentProcessed }
  }
}
"""
PAID_AMISS = """
    select o.id, o.payment_state, told.charges, told.payments, told.moves
    from orders o cross join lateral (
        select array(select c.key from identities c
                     where c.shop_id = o.shop_id and c.order_id = o.id and c.namespace = 'charge:' || o.partner_id)
                   as charges,
               array(select p.captured_minor from payments p where p.shop_id = o.shop_id and p.order_id = o.id)
                   as payments,
               (select count(*) from events e
                where e.shop_id = o.shop_id and e.kind = 'payment.paid' and e.subject_id = o.id) as moves
    ) told
    where o.channel = 'shoppo'
      and (o.payment_state, told.charges, told.payments, told.moves)
          is distinct from ('paid', array['ch-' || o.partner_order_id], array[o.total_minor], 1)
    order by o.id
"""
"""Orders that are not paid once, in full, by the charge that `PayingDoor` pays them with."""
CANCEL_ITEM = """
mutation cancelOrderItem($orderItemId: ID!) {
  cancelOrderItem(orderItemId: $orderItemId) { orderItem { id status refundedAmount } }
}
"""
CANCEL = """
mutation cancelOrder($orderId: ID!) {
  cancelOrder(orderId: $orderId) { order { id status } }
}
"""


async def make_drop_shipper(
    tx: Transaction,
    *,
    shop: ShopFixture,
    settings: Mapping[str, Any] | None = None,
    permissions: tuple[str, ...] = ("graphql",),
    **terms: Any,
) -> PartnerFixture:
    """Create a drop shipper without a rate limit; `key` is its viewer id, `secret` its token."""
    ids = RandomIds()
    partner_id = await add_partner(
        tx,
        shop_id=shop.id,
        channel=CHANNEL,
        name=f"Drop shipper {ids.random_token(8)}",
        terms=Terms(
            permissions=permissions,
            settings={"rate_limit_per_minute": 0, **(settings or {})},
            **terms,
        ),
        box=box(),
    )
    made = await add_credential(tx, partner_id=partner_id, ids=ids, box=box(), proof="bearer")
    return PartnerFixture(id=partner_id, shop_id=shop.id, key=made.key, secret=made.secret)


async def ids_of(tx: Transaction, shop: ShopFixture) -> OpaqueIds:
    """The ids that the shop gives to its objects."""
    return OpaqueIds(await read_id_key(tx, shop_id=shop.id))


def proven(partner: PartnerFixture, **more: str) -> dict[str, str]:
    """The headers of a request in JSON with the partner's token."""
    given = {"Content-Type": "application/json", "accesstoken": partner.secret}
    return {**given, "viewerid": partner.key, **more}


def send(partner: PartnerFixture, body: bytes, **headers: str) -> bytes:
    """The bytes of a request with this body."""
    return request_bytes("POST", PATH, headers=proven(partner, **headers), body=body)


def ask(partner: PartnerFixture, document: str, /, **variables: Any) -> bytes:
    """The bytes of a request with a document."""
    return send(partner, json.dumps({"query": document, "variables": variables}).encode())


def order_of(partner: PartnerFixture, ids: OpaqueIds, *lines: tuple[int, int], code: str) -> bytes:
    """The bytes of createOrder with lines of (variant, quantity)."""
    items = [
        {"skuId": ids.encode(Kind.SKU, variant_id), "quantity": quantity}
        for variant_id, quantity in lines
    ]
    return ask(partner, CREATE, shippingAddress=ADDRESS, orderItems=items, partnerOrderCode=code)


def charge(partner: PartnerFixture, order_id: str, *, charge_id: str) -> bytes:
    """The bytes of setOrderAsPaid."""
    return ask(partner, PAY, orderId=order_id, chargeId=charge_id)


def answered(reply: Reply) -> dict[str, Any]:
    """The data of an operation that succeeded. Raises RuntimeError for any other answer."""
    document = reply.json()
    if reply.status != 200 or not isinstance(document, dict) or set(document) != {"data"}:
        raise RuntimeError(f"{reply.status} {reply.body[:300]!r}")
    data: dict[str, Any] = document["data"]
    return data


def refused_with(reply: Reply) -> str:
    """The code of the only error of an answer, '' where it has none or several."""
    document = reply.json()
    errors = document.get("errors") if isinstance(document, dict) else None
    if not isinstance(errors, list) or len(errors) != 1:
        return ""
    return str(errors[0]["extensions"]["code"])


@dataclass(frozen=True)
class ShoppoDoor:
    """The drop-shipping channel, for one of its drop shippers.

    The same order under the same number is answered with the first one, which counts as sold.
    """

    partner: PartnerFixture
    ids: OpaqueIds
    name: str = CHANNEL

    async def begin(
        self, connection: Connection, variant_id: int, *, quantity: int, number: str
    ) -> str:
        """The number as it is: nothing goes before an order."""
        return number

    def order(
        self, variant_id: int, *, quantity: int, number: str, timestamp: int, nonce: str
    ) -> bytes:
        """An order of one line, which awaits its payment."""
        return order_of(self.partner, self.ids, (variant_id, quantity), code=number)

    def outcome(self, reply: Reply) -> Outcome:
        """By the error's code; the order's number is read from its id."""
        code = refused_with(reply)
        if reply.status == 200 and code == "OUT_OF_STOCK":
            return Outcome(SHORT)
        if reply.status == 200 and code == "PARTNER_ORDER_CODE_CONFLICT":
            return Outcome(TAKEN)
        if reply.status == 503 and reply.header("retry-after"):
            return Outcome(UNAVAILABLE, text=code)
        try:
            order = answered(reply)["createOrder"]["order"]
        except RuntimeError as error:
            return Outcome(BROKEN, text=str(error))
        found = self.ids.decode(order["id"])
        if found is None or found[0] != Kind.ORDER:
            return Outcome(BROKEN, text=f"{order['id']} is no order's id")
        return Outcome(SOLD, order_id=found[1])

    def question(self, outcome: Outcome, *, number: str) -> bytes | None:
        """None: its answers leave nothing open."""
        return None

    def answer(self, outcome: Outcome, reply: Reply) -> Outcome:
        """Never called."""
        return outcome


@dataclass(frozen=True)
class PayingDoor(ShoppoDoor):
    """The same door of a drop shipper who pays each order, by one charge however often it is sent.

    `charged` counts how often the charge of each number was sent.
    """

    charged: Counter[str] = field(default_factory=Counter)

    def question(self, outcome: Outcome, *, number: str) -> bytes | None:
        """The payment of an order."""
        if outcome.kind != SOLD:
            return None
        self.charged[number] += 1
        order_id = self.ids.encode(Kind.ORDER, outcome.order_id)
        return charge(self.partner, order_id, charge_id=f"ch-{number}")

    def answer(self, outcome: Outcome, reply: Reply) -> Outcome:
        """Sold once it is paid."""
        if reply.status == 503 and reply.header("retry-after"):
            return Outcome(UNAVAILABLE, text=refused_with(reply))
        try:
            order = answered(reply)["setOrderAsPaid"]["order"]
        except RuntimeError as error:
            return Outcome(BROKEN, text=str(error))
        found = (self.ids.decode(order["id"]), order["status"])
        if found != ((Kind.ORDER, outcome.order_id, 0), "PAID"):
            return Outcome(BROKEN, text=f"{order} is not order {outcome.order_id}, paid")
        return outcome

    async def pay_otherwise(self, connection: Connection, numbers: Mapping[str, int]) -> list[str]:
        """What is wrong where each order, by its number, is paid by its charge again and by another."""
        wrong = []
        for number, order_id in numbers.items():
            order = self.ids.encode(Kind.ORDER, order_id)
            own, other = [
                await _served(connection, charge(self.partner, order, charge_id=each))
                for each in (f"ch-{number}", f"other-{number}")
            ]
            again = self.answer(Outcome(SOLD, order_id=order_id), own)
            if again.kind != SOLD or refused_with(other) != "ORDER_NOT_OPEN":
                wrong.append(f"{number} again: {again}, by another: {other.body[:200]!r}")
        return wrong


async def _served(connection: Connection, request: bytes) -> Reply:
    """The answer, once the server does not tell to try again."""
    for _ in range(RETRIES):
        reply = await connection.exchange(request)
        if reply.status != 503:
            break
        await asyncio.sleep(RETRY_S)
    return reply
