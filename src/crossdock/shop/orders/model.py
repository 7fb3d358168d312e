"""A partner's order request, and the context that the rules decide with."""

import msgspec

from crossdock.shop.customers import Address
from crossdock.shop.orders.draft import Route
from crossdock.shop.stock import Availability


class OrderItem(msgspec.Struct, frozen=True, kw_only=True):
    """A quantity of one variant."""

    variant_id: int
    quantity: int


class OrderRequest(msgspec.Struct, frozen=True, kw_only=True):
    """An order as a partner requests it. Several items may have the same variant."""

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
        """The input of the stock rule."""
        return Availability(
            origin=self.origin,
            managed=self.managed,
            status=self.status,
            own=self.own,
            supplier=self.supplier,
        )


class OrderContext(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the rules need, read in one query. `variants` are those the partner may see."""

    existing: ExistingOrder | None
    customer: OrderCustomer | None
    variants: list[OrderVariant]
    connector: Route | None
