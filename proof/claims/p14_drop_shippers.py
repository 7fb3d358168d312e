"""P14 for drop shippers: others' orders, tickets, images and goods get the same answers as what does not exist."""

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from crossdock.channels.shoppo.ids import Kind
from crossdock.db.unit_of_work import Transaction
from crossdock.kit.opaque import OpaqueIds
from proof.belongings import TICKET, Belongings, Making, make_goods
from proof.claim import Claim, Findings, Result, Size
from proof.claims.p14_tenants import plain
from proof.drop_shippers import (
    ADDRESS,
    CANCEL,
    CANCEL_ITEM,
    CHANNEL,
    CREATE,
    PAY,
    answered,
    ask,
    ids_of,
    make_drop_shipper,
)
from proof.stand import Stand
from tests.support.factories import PartnerFixture, make_shop
from tests.support.raw_http import Connection

_CHANGING = re.compile(rb'"requestId":"[^"]*"|\r\ncontent-length:[^\r]*', re.IGNORECASE)
UNKNOWN = 10**12
NEIGHBOUR, HIDDEN = "a neighbour's", "a neighbour's of another merchant"
STRANGER, GUESSED = "a stranger's", "a stranger's, guessed,"
SEES_ALL = "sees all"
GOODS = {"product", "Sku", "merchant", "picture", "video"}
EXCHANGE = """mutation t($image: [ID]!, $item: [ID]!) { createExchangeItemTicket(
    firstName: "A", lastName: "B", email: "a@buyer.example", reason: DAMAGED,
    imageIds: $image, orderItemIds: $item) { ticket { id } } }"""
QUESTION = """mutation t($image: [ID]!, $item: [ID]!) { createOrderQuestionTicket(
    firstName: "A", lastName: "B", email: "a@buyer.example", itemDeliveryStatus: RECEIVED,
    imageIds: $image, orderItemIds: $item) { ticket { id } } }"""
REPLY = """mutation r($id: ID!) {
    replyCustomerServiceTicket(ticketId: $id, replyContent: "Hello?") { success } }"""
NODE = "query n($id: ID!) { node(id: $id) { __typename id } }"
ORDERS = """query o($filters: OrderFilterInput) {
    orderList(filters: $filters) { length edges { node { id } } } }"""
TICKETS = ("exchangeItemTicket", "refundTicket", "orderQuestionTicket")
ROOT = "{ __schema { queryType { fields { name } } mutationType { fields { name } } } }"
LISTED = {f"{name}List" for name in TICKETS} | {"orderList", "productList", "productCategories"}
STATE = """
    select (select count(*) from orders), (select sum(committed) from stock_levels),
           (select count(*) from orders where payment_state = 'awaiting'),
           (select count(*) from tickets), (select count(*) from ticket_comments)
"""


@dataclass
class Scene:
    """Who asks, and what others have."""

    ids: OpaqueIds
    asking: dict[str, PartnerFixture]
    others: dict[str, Belongings] = field(default_factory=dict)

    def foreign(self, role: str, owner: str) -> Belongings:
        """What of it is not for those who ask in this role: partners of one shop share its categories, and
        the goods of the merchants whom they both see."""
        shared = {"category"} if owner in {NEIGHBOUR, HIDDEN} else set()
        if owner == NEIGHBOUR or (owner == HIDDEN and role == SEES_ALL):
            shared |= GOODS
        theirs = self.others[owner]
        nodes = {kind: name for kind, name in theirs.nodes.items() if kind not in shared}
        return Belongings(nodes, theirs.code)


class Prober:
    """Asks for what is foreign and for what does not exist, and compares the answers.

    It asks every so many of the questions that it is given.
    """

    def __init__(self, connection: Connection, findings: Findings, *, every: int) -> None:
        self.asked = 0
        self.compared = 0
        self.operations: set[str] = set()
        self._connection = connection
        self._findings = findings
        self._every = every

    async def compare(
        self,
        partner: PartnerFixture,
        question: tuple[str, str, Any],
        *,
        names: tuple[str, str],
        where: str,
    ) -> None:
        """Expect the same bytes for both names, but for date, request id and the name; of some questions."""
        self.asked += 1
        if self.asked % self._every:
            return
        what, document, variables = question
        written = json.dumps(variables)
        answers = []
        for name in names:
            given = json.loads(written.replace("NAME", name))
            reply = await self._connection.exchange(ask(partner, document, **given))
            answers.append(_CHANGING.sub(b"", plain(reply, names)))
            self._findings.expect(reply.status in {200, 403}, f"{where}, {what}: {reply.status}")
            if b'"id":"' in reply.body or b'"success":true' in reply.body:
                self._findings.expect(False, f"{where}, {what}: {reply.body[:200]!r}")
        self.compared += 1
        self.operations.add(what)
        first, second = answers
        self._findings.expect(first == second, f"{where}, {what}: {first!r} but {second!r}")


def _questions(kind: str) -> Iterator[tuple[str, str, Any]]:
    """(operation, document, variables with NAME in them) of everything that takes such an id."""
    yield "node", NODE, {"id": "NAME"}
    for name in TICKETS:
        yield name, f"query t($id: ID!) {{ {name}(ticketId: $id) {{ id }} }}", {"id": "NAME"}
    yield "setOrderAsPaid", PAY, {"orderId": "NAME", "chargeId": "ours"}
    yield "cancelOrder", CANCEL, {"orderId": "NAME"}
    yield "cancelOrderItem", CANCEL_ITEM, {"orderItemId": "NAME"}
    yield "replyCustomerServiceTicket", REPLY, {"id": "NAME"}
    for name, document in (
        ("createRefundTicket", TICKET),
        ("createExchangeItemTicket", EXCHANGE),
        ("createOrderQuestionTicket", QUESTION),
    ):
        if kind != "image":
            yield name, document, {"image": [], "item": ["NAME"]}
        yield name, document, {"image": ["NAME"], "item": []}
    order = {"shippingAddress": ADDRESS, "partnerOrderCode": "NEVER"}
    yield "createOrder", CREATE, {**order, "orderItems": [{"skuId": "NAME", "quantity": 1}]}
    for name in ("orderId", "order_id", "skuId", "sku_id"):
        yield "orderList", ORDERS, {"filters": {name: "NAME"}}


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Try every operation x everything that others have, as four callers."""
    findings = Findings()
    async with stand.database.begin() as tx:
        scene, owners = await _furnish(tx)
    connection = await Connection.open(stand.server.port)
    for owner, (partner, ids, variant_id) in owners.items():
        making = Making(stand, connection, partner, ids, variant_id)
        scene.others[owner] = await making.fill()
    scene.others[GUESSED] = _guessed(scene, owners[STRANGER][1])
    own = await Making(stand, connection, scene.asking[SEES_ALL], scene.ids, 0).upload()
    theirs = {each.nodes["image"] for each in scene.others.values()}
    findings.expect(own not in theirs, "the same picture of two partners is one image")
    before = await _state(stand)
    prober = Prober(connection, findings, every=size["every"])
    for role, partner in scene.asking.items():
        for owner in scene.others:
            await _probe(prober, scene, partner, scene.foreign(role, owner), f"{role}, {owner}")
    findings.expect(await _state(stand) == before, "orders, stock or tickets of others changed")
    await _look_at_lists(connection, scene, findings)
    fields = await _operations(connection, scene.asking[SEES_ALL])
    left = fields - prober.operations - LISTED - {"uploadImage"}
    findings.expect(not left, f"not tried: {left}")
    connection.close()
    return findings.result(
        answers_compared=prober.compared,
        operations=len(prober.operations),
        callers=len(scene.asking),
        foreign_objects=sum(len(each.nodes) for each in scene.others.values()),
    )


async def _probe(
    prober: Prober, scene: Scene, partner: PartnerFixture, belongings: Belongings, where: str
) -> None:
    for kind, name in belongings.nodes.items():
        unknown = scene.ids.encode(_KINDS[kind], UNKNOWN, _PLACES.get(kind, 0))
        for question in _questions(kind):
            await prober.compare(partner, question, names=(name, unknown), where=f"{where} {kind}")
    if belongings.code:
        question = ("orderList", ORDERS, {"filters": {"partnerOrderCode": "NAME"}})
        names = (belongings.code, "X" * len(belongings.code))
        await prober.compare(partner, question, names=names, where=f"{where} code")


def _guessed(scene: Scene, theirs: OpaqueIds) -> Belongings:
    """The numbers of the other shop's objects under this shop's ids."""
    nodes = {}
    for kind, name in scene.others[STRANGER].nodes.items():
        found = theirs.decode(name)
        assert found is not None
        nodes[kind] = scene.ids.encode(*found)
    return Belongings(nodes)


async def _operations(connection: Connection, partner: PartnerFixture) -> set[str]:
    root = answered(await connection.exchange(ask(partner, ROOT)))["__schema"]
    return {each["name"] for kind in root.values() for each in kind["fields"]}


async def _look_at_lists(connection: Connection, scene: Scene, findings: Findings) -> None:
    """No list names anything of others."""
    for role in (SEES_ALL, "sees some"):
        foreign = {
            name for owner in scene.others for name in scene.foreign(role, owner).nodes.values()
        }
        for name in LISTED:
            document = f"{{ {name} {{ length edges {{ cursor node {{ id }} }} }} }}"
            page = answered(await connection.exchange(ask(scene.asking[role], document)))[name]
            shown = {edge["node"]["id"] for edge in page["edges"]}
            findings.expect(not shown & foreign, f"{role}, {name}: {shown & foreign}")
            is_others = name not in {"productList", "productCategories"}
            findings.expect(not (is_others and page["length"]), f"{role}, {name}: {page}")


_KINDS = {
    "order": Kind.ORDER,
    "item": Kind.ORDER_ITEM,
    "package": Kind.PACKAGE,
    "product of an order": Kind.PRODUCT_SNAPSHOT,
    "Sku of an order": Kind.SKU_SNAPSHOT,
    "ticket": Kind.TICKET,
    "image": Kind.IMAGE,
    "product": Kind.PRODUCT,
    "Sku": Kind.SKU,
    "merchant": Kind.MERCHANT,
    "category": Kind.CATEGORY,
    "picture": Kind.PRODUCT_IMAGE,
    "video": Kind.PRODUCT_VIDEO,
}
_PLACES = {"item": 1, "product of an order": 1, "Sku of an order": 1}
Owner = tuple[PartnerFixture, OpaqueIds, int]
"""Who has it, under which ids, and a variant of what it sells."""


async def _furnish(tx: Transaction) -> tuple[Scene, dict[str, Owner]]:
    """Two shops; in the first one, callers with all sight, with some, and without the right."""
    shop, other_shop = await make_shop(tx), await make_shop(tx)
    own = await make_goods(tx, shop, merchant="Main")
    hidden = await make_goods(tx, shop, merchant="Hidden")
    foreign = await make_goods(tx, other_shop, merchant="Main")
    ids = await ids_of(tx, shop)
    neighbour = await make_drop_shipper(tx, shop=shop)
    stranger = await make_drop_shipper(tx, shop=other_shop)
    sees_all = await make_drop_shipper(tx, shop=shop)
    asking = {
        "sees some": await make_drop_shipper(tx, shop=shop, visible_merchants=(shop.merchant_id,)),
        SEES_ALL: sees_all,
        "may nothing": await make_drop_shipper(tx, shop=shop, permissions=()),
        "with a neighbour's viewer id": PartnerFixture(
            id=sees_all.id, shop_id=shop.id, key=neighbour.key, secret=sees_all.secret
        ),
    }
    return Scene(ids, asking), {
        NEIGHBOUR: (neighbour, ids, own),
        STRANGER: (stranger, await ids_of(tx, other_shop), foreign),
        HIDDEN: (neighbour, ids, hidden),
    }


async def _state(stand: Stand) -> tuple[Any, ...]:
    async with stand.database.statement() as tx:
        return await tx.one(STATE) or ()


CLAIM = Claim(
    id="P14",
    door=CHANNEL,
    title="tenant isolation",
    workload="every operation with the ids of a neighbour's and a stranger's orders, items, packages, snapshots, "
    "tickets and images, of another shop's goods and categories, and of those of a merchant out of sight, by "
    "partners with all sight, with some, without the right, and with the viewer id of another",
    must_hold="the same bytes as for an id that does not exist, nothing of others is shown or changed",
    full={"every": 1},
    quick={"every": 5},
    run=run,
)
