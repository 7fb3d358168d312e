"""What a drop shipper has in the claims that others ask for: orders, packages, tickets, images, goods."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from crossdock.channels.shoppo.ids import Kind
from crossdock.db.unit_of_work import Transaction
from crossdock.kit.opaque import OpaqueIds
from crossdock.shop.catalogue import Image, ProductRecord, VariantRecord, upsert_products
from crossdock.shop.shops import read_shop
from crossdock.shop.stock import StockRecord
from crossdock.shop.warehouse import announce_package
from proof.drop_shippers import PAY, answered, ask, order_of, send
from proof.malformed_documents import IMAGE, MULTIPART, UPLOAD, parts
from proof.stand import Stand
from tests.support.factories import PartnerFixture, ShopFixture
from tests.support.raw_http import Connection

TICKET = """mutation t($image: [ID]!, $item: [ID]!) { createRefundTicket(
    firstName: "A", lastName: "B", email: "a@buyer.example", reason: "Broken.", problemType: REFUND,
    itemDeliveryStatus: RECEIVED, imageIds: $image, orderItemIds: $item) { ticket { id } } }"""
AS_SOLD = """query q($id: ID!) {
    node(id: $id) { ... on OrderItem { product { id originalId } sku { id } } } }"""
PRODUCT = """query q($id: ID!) { node(id: $id) { ... on Product {
    id skus { id } merchant { id } coverImage { id } coverVideo { id } consumerCategories { id } } } }"""


@dataclass
class Belongings:
    """What one partner, or one shop, has; its ids are not for others."""

    nodes: dict[str, str] = field(default_factory=dict)
    code: str = ""


async def make_goods(tx: Transaction, shop: ShopFixture, *, merchant: str) -> int:
    """A variant whose product has a category, a picture and a video."""
    record = ProductRecord(
        handle="lamp",
        name="Lamp",
        merchant=merchant,
        currency="USD",
        categories=(("Lamps",),),
        images=(Image(url="https://img.example/1.jpg"),),
        video="https://films.example/1.mp4",
        variants=(
            VariantRecord(
                sku="LAMP", retail_minor=1_999, stock=(StockRecord(pool="own", on_hand=10**6),)
            ),
        ),
    )
    whole = await read_shop(tx, slug=shop.slug)
    await upsert_products(tx, shop=whole, records=[record], now=datetime.now(UTC))
    return int(
        await tx.value(
            "select v.id from variants v join merchants m on m.shop_id = v.shop_id and m.id = v.merchant_id"
            " where v.shop_id = %s and m.name = %s",
            (shop.id, merchant),
        )
    )


@dataclass(frozen=True)
class Making:
    """Makes what a partner has."""

    stand: Stand
    connection: Connection
    partner: PartnerFixture
    ids: OpaqueIds
    variant_id: int

    async def fill(self) -> Belongings:
        """An open order, a paid one, one with a package, a ticket, an image, and the goods that it sells."""
        code = f"CODE-{self.partner.key}-{self.variant_id}"
        order = await self._order(code)
        item = order["orderItems"][0]["id"]
        sent = await self._paid(f"{code}-sent")
        package_id = await self._announce(sent["id"])
        image = await self.upload()
        made = await self._ask(TICKET, image=[image], item=[item])
        goods = (await self._ask(AS_SOLD, id=item))["node"]
        product = (await self._ask(PRODUCT, id=goods["product"]["originalId"]))["node"]
        nodes = {
            "order": order["id"],
            "item": (await self._paid(f"{code}-paid"))["orderItems"][0]["id"],
            "package": self.ids.encode(Kind.PACKAGE, package_id),
            "product of an order": goods["product"]["id"],
            "Sku of an order": goods["sku"]["id"],
            "ticket": made["createRefundTicket"]["ticket"]["id"],
            "image": image,
            "product": product["id"],
            "Sku": product["skus"][0]["id"],
            "merchant": product["merchant"]["id"],
            "picture": product["coverImage"]["id"],
            "video": product["coverVideo"]["id"],
            "category": product["consumerCategories"][0]["id"],
        }
        return Belongings(nodes, code)

    async def _ask(self, document: str, **variables: Any) -> dict[str, Any]:
        request = ask(self.partner, document, **variables)
        return answered(await self.connection.exchange(request))

    async def _order(self, code: str) -> dict[str, Any]:
        request = order_of(self.partner, self.ids, (self.variant_id, 1), code=code)
        order: dict[str, Any] = answered(await self.connection.exchange(request))["createOrder"]
        return dict(order["order"])

    async def _paid(self, code: str) -> dict[str, Any]:
        order = await self._order(code)
        await self._ask(PAY, orderId=order["id"], chargeId=f"ours-{code}")
        return order

    async def _announce(self, order_id: str) -> int:
        """A package of the order, with a courier's number."""
        found = self.ids.decode(order_id)
        assert found is not None
        async with self.stand.database.begin() as tx:
            return await announce_package(
                tx,
                shop_id=self.partner.shop_id,
                order_id=found[1],
                quantities=None,
                carrier="yunexpress",
                tracking_number=f"LX{found[1]}",
                now=datetime.now(UTC),
            )

    async def upload(self) -> str:
        """The id of the image."""
        form = [
            ("operations", json.dumps({"query": UPLOAD, "variables": {"image": None}}).encode()),
            ("map", b'{"0": ["variables.image"]}'),
            ("0", IMAGE),
        ]
        request = send(self.partner, parts(form), **{"Content-Type": MULTIPART})
        reply = answered(await self.connection.exchange(request))
        return str(reply["uploadImage"]["image"]["id"])
