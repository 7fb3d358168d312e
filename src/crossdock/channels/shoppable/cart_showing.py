"""Carts as this channel tells them (spec 6.2, 6.3); every sum is the core's."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from msgspec import UNSET, UnsetType

from crossdock.channels.shoppable.cart_answers import (
    WireAvailableMerchant,
    WireCart,
    WireCartItem,
    WireCartMerchant,
    WireCartSettings,
    WireCartSums,
    WireNewCart,
    WireNewCartSums,
)
from crossdock.channels.shoppable.numbers import partner_number
from crossdock.channels.shoppable.showing import size_of, wire_sku
from crossdock.channels.shoppable.wire import amount
from crossdock.shop.carts import CartLine, CartMerchant, CartView
from crossdock.shop.catalogue import MerchantName
from crossdock.shop.partners import Partner
from crossdock.shop.search import OptionNames, traits_of


class CartShowing:
    """Renders carts; `base` is put before pictures that stand on this server."""

    def __init__(self, *, options: OptionNames, base: str) -> None:
        self._options = options
        self._base = base.rstrip("/")

    def new_cart(
        self, cart: CartView, *, partner: Partner, merchants: Sequence[MerchantName]
    ) -> WireNewCart:
        """The short form that creating a cart answers."""
        nothing = amount(0, cart.currency)
        return WireNewCart(
            cart=WireNewCartSums(id=cart.id, qty=0, subtotal=nothing, total=nothing),
            partner_id=partner_number(partner.id),
            partner_name=partner.name,
            merchants=[WireAvailableMerchant(id=str(m.id), name=m.name) for m in merchants],
        )

    def cart(self, cart: CartView, *, partner: Partner) -> WireCart:
        """The whole cart; lines that cannot be bought now are left out."""
        number = partner_number(partner.id)
        return WireCart(
            cart=WireCartSums(
                id=cart.id,
                modified_on=iso(cart.updated_at),
                partner_id=number,
                partner_name=partner.name,
                subtotal=amount(cart.subtotal_minor, cart.currency),
                shipping_total=amount(cart.shipping_minor, cart.currency),
                total=amount(cart.total_minor, cart.currency),
                external_total=amount(0, cart.currency),
                qty=cart.quantity,
            ),
            merchants=[self._merchant(cart, merchant) for merchant in cart.merchants],
            settings=WireCartSettings(),
            own_partner_id=number,
        )

    def choice(self, line: CartLine) -> tuple[str, str]:
        """The colour and the size of a line, each '' where it has none."""
        traits = traits_of(self._options, line.attributes, line.options)
        return traits.color, size_of(line.options, traits, self._options.color)

    def picture(self, image: str | None) -> str:
        """A picture's address; '' without one."""
        url = image or ""
        is_own = url.startswith("/") and not url.startswith("//")
        return self._base + url if is_own else url

    def _merchant(self, cart: CartView, merchant: CartMerchant) -> WireCartMerchant:
        terms = merchant.terms
        flat = amount(terms.shipping_flat_minor, cart.currency)
        free_from = amount(terms.free_shipping_from_minor or 0, cart.currency)
        return WireCartMerchant(
            id=str(merchant.id),
            name=merchant.name,
            customer_service_url=terms.customer_service_url,
            return_policy_url=terms.return_policy_url,
            shipping_flat_rate=flat,
            ship_fee=flat,
            shipping_fee=flat,
            ship_free_min=free_from,
            ship_min=free_from,
            subtotal=amount(merchant.subtotal_minor, cart.currency),
            total=amount(merchant.total_minor, cart.currency),
            shipping_total=amount(merchant.shipping_minor, cart.currency),
            items=[self._item(cart, line) for line in merchant.lines],
        )

    def _item(self, cart: CartView, line: CartLine) -> WireCartItem:
        color, size = self.choice(line)
        total = amount(line.total_minor, cart.currency)
        return WireCartItem(
            sku=wire_sku(line.variant_id),
            merchant_sku=line.merchant_sku or line.sku,
            upc=line.upc,
            part_number=str(line.product_id),
            brand=line.brand,
            qty=line.quantity,
            name=line.product_name,
            retail_price=amount(line.retail_minor, cart.currency),
            images=[self.picture(line.image)],
            color=color,
            size=size,
            url=cart.page(line),
            sale_price=_optional(line.sale_minor, cart.currency),
            discount_price=_optional(line.discount_minor, cart.currency),
            price=amount(line.price_minor, cart.currency),
            subtotal=total,
            total=total,
            modified_on=iso(line.updated_at),
        )


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC, to the millisecond."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _optional(minor: int | None, currency: str) -> Decimal | UnsetType:
    return UNSET if minor is None else amount(minor, currency)
