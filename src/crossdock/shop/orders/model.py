"""What an order is asked for with, and what is known when it is decided."""

from datetime import datetime

import msgspec

from crossdock.shop.customers import Address
from crossdock.shop.stock import Availability


class OrderItem(msgspec.Struct, frozen=True, kw_only=True):
    """So many of one variant."""

    variant_id: int
    quantity: int


class OrderRequest(msgspec.Struct, frozen=True, kw_only=True):
    """An order as a partner asks for it. The same variant may come in several items."""

    partner_order_id: str
    items: tuple[OrderItem, ...]
    source: str
    comments: str = ""
    tax_id: str = ""
    resale_tax: str = ""
    is_test: bool = False


class ExistingOrder(msgspec.Struct, frozen=True, kw_only=True):
    """The order that already carries the partner's number."""

    id: int
    order_key: str


class OrderCustomer(msgspec.Struct, frozen=True, kw_only=True):
    """The customer whom the partner's orders belong to."""

    id: int
    email: str
    active: bool
    billing: Address
    shipping: Address
    sales_rep_id: int | None


class OrderVariant(msgspec.Struct, frozen=True, kw_only=True):
    """A variant as the partner sees it now; `price_minor` is its active price for this partner."""

    id: int
    product_id: int
    merchant_id: int
    name: str
    sku: str
    upc: str
    image: str | None
    origin: str
    managed: bool
    status: str | None
    own: int
    supplier: int
    price_minor: int
    vat_bp: int

    def availability(self) -> Availability:
        """What the stock rule looks at."""
        return Availability(
            origin=self.origin,
            managed=self.managed,
            status=self.status,
            own=self.own,
            supplier=self.supplier,
        )


class OrderConnector(msgspec.Struct, frozen=True, kw_only=True):
    """Where the shop's orders are sent; `manual` means that staff find them here."""

    name: str
    kind: str


class OrderContext(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the checks need, read in one query. `variants` are those the partner may see."""

    existing: ExistingOrder | None
    customer: OrderCustomer | None
    variants: list[OrderVariant]
    connector: OrderConnector | None


class PlacedOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A committed order."""

    id: int
    order_key: str
    partner_order_id: str
    total_minor: int


class OrderLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line as it was sold; later changes of the catalogue do not reach it."""

    line_no: int
    variant_id: int
    name: str
    sku: str
    quantity: int
    unit_price_minor: int
    total_minor: int
    image: str | None
    note: str


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order with its lines."""

    shop_id: int
    id: int
    order_key: str
    partner_order_id: str
    state: str
    currency: str
    subtotal_minor: int
    tax_minor: int
    shipping_minor: int
    discount_minor: int
    total_minor: int
    comments: str
    billing: Address
    shipping: Address
    placed_at: datetime
    source: str
    shop_name: str
    lines: tuple[OrderLine, ...]
