"""A partner's order request, and the context that the rules decide with."""

from typing import Any

import msgspec

from crossdock.shop.catalogue import ShippingTerm
from crossdock.shop.customers import Address
from crossdock.shop.orders.draft import Route, Snapshot
from crossdock.shop.stock import Availability


class OrderItem(msgspec.Struct, frozen=True, kw_only=True):
    """A quantity of one variant."""

    variant_id: int
    quantity: int


class OrderRequest(msgspec.Struct, frozen=True, kw_only=True):
    """An order as a partner requests it. Several items may have the same variant.

    `shipping` is None where the partner's customer gets the goods; `channel_data` is the channel's own,
    opaque to the core.
    """

    partner_order_id: str
    items: tuple[OrderItem, ...]
    source: str
    comments: str = ""
    tax_id: str = ""
    resale_tax: str = ""
    is_test: bool = False
    shipping: Address | None = None
    channel_data: Any = {}


class ExistingOrder(msgspec.Struct, frozen=True, kw_only=True):
    """The order that already carries the partner's number."""

    id: int
    order_key: str
    is_same_request: bool = False


class OrderCustomer(msgspec.Struct, frozen=True, kw_only=True):
    """The customer whom the partner's orders belong to."""

    id: int
    email: str
    active: bool
    billing: Address
    shipping: Address
    sales_rep_id: int | None


class OrderVariant(msgspec.Struct, frozen=True, kw_only=True):
    """A variant as the partner sees it now; `price_minor` is its active price for this partner.

    `shipped` tells whether it is shipped at all. What follows the VAT is read only for orders that await their
    payment; `route` is its merchant's connector.
    """

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
    shipped: bool
    vat_bp: int
    enabled: bool = True
    free_shipping: bool = False
    shipping_each_minor: int = 0
    shipping_terms: tuple[ShippingTerm, ...] = ()
    ships_to: tuple[str, ...] = ()
    route: Route | None = None

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


def snapshot_of(variant: OrderVariant) -> Snapshot:
    """The variant as an order keeps it."""
    return Snapshot(
        variant_id=variant.id,
        product_id=variant.product_id,
        merchant_id=variant.merchant_id,
        sku=variant.sku,
        upc=variant.upc,
        origin=variant.origin,
        image=variant.image,
        vat_bp=variant.vat_bp,
        virtual=not variant.shipped,
    )
