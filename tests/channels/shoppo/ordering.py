"""A shop of its own for a test that orders: goods with shipping terms, and what its staff do."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.kit.ids import RandomIds
from crossdock.shop.catalogue import (
    Image,
    MerchantRecord,
    ProductRecord,
    ShippingTerm,
    VariantRecord,
    upsert_merchants,
    upsert_products,
)
from crossdock.shop.orders import read_order, release_order
from crossdock.shop.shops import Shop, add_shop
from crossdock.shop.stock import StockRecord
from crossdock.shop.warehouse import (
    Checkpoint,
    Consignment,
    add_checkpoints,
    announce_package,
    deliver_package,
    ship_package,
)
from tests.support.shoppo_client import DropShipper

ADDRESS = {
    "recipientFirstName": "Ada", "recipientLastName": "Test", "streetAddress1": "1 Road",
    "streetAddress2": "", "city": "Pune", "state": "MH", "countryCode": "IN", "zipcode": "411001",
    "phoneNumber": "0000000000",
}  # fmt: skip
CREATE = """
mutation createOrder(
  $shippingAddress: ShippingAddressInput!,
  $orderItems: [OrderItemInput!]!,
  $partnerOrderCode: String!,
  $trackingNumber: String,
  $partnerSellerName: String
) {
  createOrder(
    shippingAddress: $shippingAddress,
    orderItems: $orderItems,
    partnerOrderCode: $partnerOrderCode,
    trackingNumber: $trackingNumber,
    partnerSellerName: $partnerSellerName
    ){
      order {
        id
        status
        orderItems {
          id
          sku {
            originalId
            price
          }
          product {
            originalId
            name
          }
          quantity
        }
      }
  }
}
"""
PAY = """
mutation setOrderAsPaid($orderId: ID!, $chargeId: String!) {
  setOrderAsPaid(orderId: $orderId, chargeId: $chargeId) {
    order {
      id
      status
      timePaymentProcessed
      orderTotal
      orderSubtotal
      shippingCost
      orderItems {
        id
        status
        sku {
          price
          shippingPrice
        }
      }
    }
  }
}
"""
CANCEL_ITEM = """
mutation cancelOrderItem($orderItemId: ID!) {
  cancelOrderItem(orderItemId: $orderItemId) {
    orderItem {
      id
      status
    }
  }
}
"""
CANCEL = """
mutation cancelOrder($orderId: ID!) {
  cancelOrder(orderId: $orderId) {
    order {
      id
      status
    }
  }
}
"""
READ = """
query order($id: ID!) {
  node(id: $id) {
    ... on order {
      id status refundStatus orderSubtotal orderTotal shippingCost discountAmount
      orderItems { id status isRefunded refundedAmount shippingRefunded timeRefunded refundReasonType }
    }
  }
}
"""


def goods(
    sku: str, price: int, *, shipping: int = 0, own: int = 10, **fields: Any
) -> ProductRecord:
    """A product of one variant."""
    stock = (StockRecord(pool="own", on_hand=own),)
    return ProductRecord(
        handle=sku.lower(),
        name=f"The {sku}",
        merchant="Acme",
        currency="USD",
        shipping_minor=shipping,
        images=(Image(url="https://img.example/1.jpg"),),
        variants=(VariantRecord(sku=sku, retail_minor=price, stock=stock),),
        **fields,
    )


def to_india(price_minor: int) -> dict[str, Any]:
    """Terms of shipping to India."""
    return {"shipping_terms": (ShippingTerm(courier="IN19A04", price_minor=price_minor),)}


@dataclass
class Stand:
    """One shop and one drop shipper."""

    db: Database
    clock: FrozenClock
    shop: Shop
    shipper: DropShipper

    @classmethod
    async def shop_of(cls, db: Database) -> Shop:
        """A fresh shop."""
        async with db.begin() as tx:
            slug = f"stand-{RandomIds().random_token(8).lower()}"
            return await add_shop(tx, slug=slug, name="Stand", currency="USD")

    async def stock(self, *records: ProductRecord) -> None:
        """Write products."""
        async with self.db.begin() as tx:
            await upsert_products(tx, shop=self.shop, records=records, now=self.clock.now())

    async def close_merchant(self) -> None:
        """Acme sells no more."""
        async with self.db.begin() as tx:
            record = MerchantRecord(name="Acme", enabled=False)
            await upsert_merchants(tx, shop_id=self.shop.id, records=[record], now=self.clock.now())

    async def skus(self) -> dict[str, str]:
        """The ids of all Skus by the seller's number."""
        found = await self.shipper.ask(
            "{ productList { edges { node { skus { id identifier } } } } }"
        )
        edges = found["productList"]["edges"]
        return {sku["identifier"]: sku["id"] for edge in edges for sku in edge["node"]["skus"]}

    async def variables(self, code: str, /, **items: int) -> dict[str, Any]:
        """The variables of an order of these Skus."""
        skus = await self.skus()
        wanted = [{"skuId": skus[name], "quantity": many} for name, many in items.items()]
        return {"shippingAddress": ADDRESS, "orderItems": wanted, "partnerOrderCode": code}

    async def create(self, code: str, /, **items: int) -> dict[str, Any]:
        """The order that was created."""
        found = await self.shipper.ask(CREATE, **await self.variables(code, **items))
        return dict(found["createOrder"]["order"])

    async def pay(self, order_id: str, charge: str = "") -> dict[str, Any]:
        """The paid order."""
        found = await self.shipper.ask(PAY, orderId=order_id, chargeId=charge or f"ch-{order_id}")
        return dict(found["setOrderAsPaid"]["order"])

    async def paid(self, code: str, /, **items: int) -> dict[str, Any]:
        """A paid order."""
        order = await self.create(code, **items)
        await self.pay(order["id"])
        return order

    async def read(self, order_id: str) -> dict[str, Any]:
        """The order's states and sums."""
        return dict((await self.shipper.ask(READ, id=order_id))["node"])

    async def refuse(self, document: str, /, **variables: Any) -> str:
        """The code of a refusal; its field is null."""
        reply = await self.shipper.post(document, variables=variables)
        assert reply.status_code == 200, reply.text
        body = reply.json(parse_float=Decimal)
        assert list(body["data"].values()) == [None]
        [error] = body["errors"]
        return str(error["extensions"]["code"])

    async def number(self, code: str) -> int:
        """The core's number of an order."""
        async with self.db.statement() as tx:
            return int(
                await tx.value(
                    "select id from orders where shop_id = %s and partner_order_id = %s",
                    (self.shop.id, code),
                )
            )

    async def counts(self) -> tuple[int, ...]:
        """How much was written that an order writes."""
        tables = (
            "orders",
            "order_lines",
            "identities",
            "stock_entries",
            "ledger_entries",
            "events",
        )
        async with self.db.statement() as tx:
            return tuple(
                [
                    await tx.value(
                        f"select count(*) from {table} where shop_id = %s", (self.shop.id,)
                    )
                    for table in tables
                ]
            )

    async def release(self, code: str) -> None:
        """What the end of the window does."""
        async with self.db.begin() as tx:
            await release_order(
                tx,
                shop_id=self.shop.id,
                order_id=await self.number(code),
                now=self.clock.now(),
            )

    async def announce(
        self, code: str, number: str = "LX1", lines: dict[int, int] | None = None
    ) -> int:
        """A package with a courier's number."""
        async with self.db.begin() as tx:
            return await announce_package(
                tx,
                shop_id=self.shop.id,
                order_id=await self.number(code),
                quantities=lines,
                carrier="yunexpress",
                tracking_number=number,
                now=self.clock.now(),
            )

    async def ship(self, package_id: int, number: str = "LX1") -> None:
        """The package leaves."""
        async with self.db.begin() as tx:
            await ship_package(
                tx,
                shop_id=self.shop.id,
                package_id=package_id,
                consignment=Consignment(
                    carrier="yunexpress", tracking_number=number, tracking_url=""
                ),
                now=self.clock.now(),
            )

    async def see(self, package_id: int, *seen: Checkpoint) -> None:
        """The courier reports."""
        async with self.db.begin() as tx:
            await add_checkpoints(
                tx,
                shop_id=self.shop.id,
                package_id=package_id,
                checkpoints=seen,
                now=self.clock.now(),
            )

    async def deliver(self, package_id: int) -> None:
        """The package arrives."""
        async with self.db.begin() as tx:
            await deliver_package(
                tx, shop_id=self.shop.id, package_id=package_id, now=self.clock.now()
            )

    async def available(self, code: str) -> list[int]:
        """What is left of each variant of an order, by line."""
        async with self.db.statement() as tx:
            order = await read_order(tx, shop_id=self.shop.id, order_id=await self.number(code))
            return [
                await tx.value(
                    "select available from stock_levels where shop_id = %s and variant_id = %s",
                    (self.shop.id, line.variant_id),
                )
                for line in order.lines
            ]
