"""A cart as it is read: its lines at the catalogue's prices of now, grouped by merchant, with their sums."""

from datetime import datetime
from typing import Any

import msgspec

from crossdock.shop.carts.sums import merchant_shipping
from crossdock.shop.catalogue import MerchantTerms
from crossdock.shop.orders import Route
from crossdock.shop.shops import product_page
from crossdock.shop.stock import Availability


class CartLine(msgspec.Struct, frozen=True, kw_only=True):
    """So many of one variant, in minor units of the cart's currency.

    `quantity` is what can be bought of the `wanted` now. `price_minor` is the unit's lowest price,
    `retail_minor` the one before sales, `sale_minor` and `discount_minor` those after sale and
    coupons, where there are any. `shipping_each_minor` is asked for each unit beside the merchant's
    flat rate. `coupon_id` is the coupon that an order at this price uses, where its uses are counted.
    `max_quantity` is the most that a line may have. `attributes` are those of the product
    and the variant's own.
    """

    variant_id: int
    product_id: int
    merchant_id: int
    sku: str
    merchant_sku: str
    part_number: str
    upc: str
    name: str
    product_name: str
    handle: str
    brand: str
    image: str | None
    options: dict[str, str]
    attributes: dict[str, str]
    origin: str
    vat_bp: int
    wanted: int
    quantity: int
    max_quantity: int
    retail_minor: int
    sale_minor: int | None
    discount_minor: int | None
    price_minor: int
    shipping_each_minor: int
    free_shipping: bool
    virtual: bool
    coupon_id: int | None
    stock: Availability
    added_at: datetime
    updated_at: datetime

    @property
    def total_minor(self) -> int:
        """What its goods cost."""
        return self.price_minor * self.quantity


class MissingLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line that cannot be bought now; it comes back when its variant does."""

    variant_id: int
    merchant_id: int
    sku: str
    product_name: str
    image: str | None
    wanted: int


class CartMerchant(msgspec.Struct, frozen=True, kw_only=True):
    """One merchant's lines, in the order of first addition; `route` is where its part would go."""

    id: int
    name: str
    terms: MerchantTerms
    route: Route | None
    lines: tuple[CartLine, ...]

    @property
    def quantity(self) -> int:
        """How many units."""
        return sum(line.quantity for line in self.lines)

    @property
    def subtotal_minor(self) -> int:
        """What its goods cost."""
        return sum(line.total_minor for line in self.lines)

    @property
    def shipping_minor(self) -> int:
        """What it asks for shipping them (see `merchant_shipping`)."""
        return merchant_shipping(
            subtotal_minor=self.subtotal_minor,
            flat_minor=self.terms.shipping_flat_minor,
            free_from_minor=self.terms.free_shipping_from_minor,
            charges=[
                0 if line.free_shipping else line.shipping_each_minor * line.quantity
                for line in self.lines
            ],
            all_free=all(line.free_shipping for line in self.lines),
        )

    @property
    def total_minor(self) -> int:
        """Goods and shipping."""
        return self.subtotal_minor + self.shipping_minor


class CartView(msgspec.Struct, frozen=True, kw_only=True):
    """A cart. Merchants are in the order of first addition; tax is not part of a cart.

    `missing` are lines that cannot be bought now, `order_id` the order that was made of it.
    `revision` changes with each change of its lines. `product_url` is the template of the shop's pages.
    """

    id: str
    partner_id: int
    currency: str
    revision: int
    created_at: datetime
    updated_at: datetime
    order_id: int | None
    product_url: str
    merchants: tuple[CartMerchant, ...]
    missing: tuple[MissingLine, ...]

    def page(self, line: CartLine) -> str:
        """The line's page in the shop, '' where the shop has none."""
        return product_page(self.product_url, handle=line.handle, sku=line.sku)

    @property
    def lines(self) -> tuple[CartLine, ...]:
        """The lines of all merchants."""
        return tuple(line for merchant in self.merchants for line in merchant.lines)

    @property
    def quantity(self) -> int:
        """How many units."""
        return sum(merchant.quantity for merchant in self.merchants)

    @property
    def subtotal_minor(self) -> int:
        """What the goods cost."""
        return sum(merchant.subtotal_minor for merchant in self.merchants)

    @property
    def shipping_minor(self) -> int:
        """What shipping costs, once for each merchant."""
        return sum(merchant.shipping_minor for merchant in self.merchants)

    @property
    def total_minor(self) -> int:
        """Goods and shipping."""
        return self.subtotal_minor + self.shipping_minor


class RawLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line as `cart_view` in viewing.sql tells it."""

    wanted: int
    added_at: datetime
    updated_at: datetime
    variant_id: int
    product_id: int
    merchant_id: int
    sku: str
    merchant_sku: str
    part_number: str
    upc: str
    name: str
    options: dict[str, str]
    attributes: dict[str, str]
    image: str | None
    origin: str
    vat_bp: int
    product_name: str
    handle: str
    brand: str
    shipping_each_minor: int
    can_buy: bool
    limit: int | None
    retail_minor: int | None
    sale_minor: int | None
    discount_minor: int | None
    price_minor: int | None
    free_shipping: bool
    virtual: bool
    coupon_id: int | None
    managed: bool
    status: str | None
    own: int | None
    supplier: int | None

    def seen(self, *, line_max: int) -> CartLine:
        """The line as it can be bought."""
        most = line_max if self.limit is None else min(line_max, self.limit)
        values: dict[str, Any] = msgspec.structs.asdict(self)
        shared = {name: values[name] for name in CartLine.__struct_fields__ if name in values}
        return CartLine(
            **shared,
            quantity=min(self.wanted, most),
            max_quantity=most,
            stock=Availability(
                origin=self.origin,
                managed=self.managed,
                status=self.status,
                own=self.own or 0,
                supplier=self.supplier or 0,
            ),
        )

    def missing(self) -> MissingLine:
        """The line as one that cannot be bought."""
        return MissingLine(
            variant_id=self.variant_id,
            merchant_id=self.merchant_id,
            sku=self.sku,
            product_name=self.product_name,
            image=self.image,
            wanted=self.wanted,
        )


class RawMerchant(msgspec.Struct, frozen=True, kw_only=True):
    """A merchant as `cart_view` tells it."""

    id: int
    name: str
    route: Route | None
    terms: MerchantTerms


class RawCart(msgspec.Struct, frozen=True, kw_only=True):
    """A cart as `cart_view` in viewing.sql tells it."""

    id: str
    partner_id: int
    currency: str
    revision: int
    order_id: int | None
    claimed_until: datetime | None
    hold_ids: tuple[int, ...]
    created_at: datetime
    updated_at: datetime
    product_url: str
    lines: tuple[RawLine, ...]
    merchants: tuple[RawMerchant, ...]

    def has_stale_holds(self, now: datetime) -> bool:
        """Whether a checkout that died still holds stock for it."""
        return bool(self.hold_ids) and self.order_id is None and not self.is_claimed(now)

    def is_claimed(self, now: datetime) -> bool:
        """Whether a checkout has it."""
        return self.claimed_until is not None and self.claimed_until > now

    def seen(self, *, line_max: int) -> CartView:
        """The cart as its shopper sees it."""
        lines = [line.seen(line_max=line_max) for line in self.lines if line.can_buy]
        known = {merchant.id: merchant for merchant in self.merchants}
        order = dict.fromkeys(line.merchant_id for line in lines)
        return CartView(
            id=self.id,
            partner_id=self.partner_id,
            currency=self.currency,
            revision=self.revision,
            created_at=self.created_at,
            updated_at=self.updated_at,
            order_id=self.order_id,
            product_url=self.product_url,
            merchants=tuple(
                CartMerchant(
                    **msgspec.structs.asdict(known[merchant_id]),
                    lines=tuple(line for line in lines if line.merchant_id == merchant_id),
                )
                for merchant_id in order
            ),
            missing=tuple(line.missing() for line in self.lines if not line.can_buy),
        )
