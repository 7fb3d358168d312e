"""A cart and an order as the hosted checkout shows them; every sum is the core's."""

from collections.abc import Mapping, Sequence

import msgspec

from crossdock.channels.shoppable.cart_showing import CartShowing
from crossdock.channels.shoppable.order_showing import KeptLine
from crossdock.kit.display import money_text
from crossdock.kit.languages import gettext, spoken
from crossdock.shop.carts import Bill, CartLine, CartMerchant, CartView, MissingLine
from crossdock.shop.orders import LineView, OrderView

Shown = Mapping[int, tuple[int, int]]


class ShownLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line in words; `before` is the price without sale and coupons, '' where it is the same."""

    name: str
    choice: str
    image: str
    quantity: int
    price: str
    total: str
    before: str = ""
    notes: tuple[str, ...] = ()


class ShownMerchant(msgspec.Struct, frozen=True, kw_only=True):
    """A merchant's lines, and what its shipping costs."""

    name: str
    lines: tuple[ShownLine, ...]
    shipping: str
    help_url: str = ""
    returns_url: str = ""


class SoldOut(msgspec.Struct, frozen=True, kw_only=True):
    """A line that cannot be bought now."""

    name: str
    image: str


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What is bought, and what it costs; `tax` is '' before the address is known."""

    merchants: tuple[ShownMerchant, ...]
    sold_out: tuple[SoldOut, ...]
    quantity: int
    subtotal: str
    shipping: str
    tax: str
    total: str


class HostedShowing:
    """Renders carts and orders for the page."""

    def __init__(self, showing: CartShowing) -> None:
        self._showing = showing

    def cart(self, cart: CartView, *, bill: Bill | None, shown: Shown) -> Summary:
        """The cart, with its tax once the bill is known; `shown` is what the shopper saw before."""
        tax = None if bill is None else bill.tax_minor
        return Summary(
            merchants=tuple(self._merchant(cart, each, shown=shown) for each in cart.merchants),
            sold_out=tuple(self._sold_out(line) for line in cart.missing),
            quantity=cart.quantity,
            subtotal=_money(cart.subtotal_minor, cart),
            shipping=_free(cart.shipping_minor, cart.currency),
            tax="" if tax is None else _money(tax, cart),
            total=_money(cart.total_minor + (tax or 0), cart),
        )

    def order(self, order: OrderView) -> Summary:
        """The order as it was placed."""
        currency = order.currency
        return Summary(
            merchants=tuple(
                ShownMerchant(
                    name=part.merchant,
                    lines=tuple(
                        _ordered(line, currency)
                        for line in order.lines
                        if line.merchant_id == part.merchant_id
                    ),
                    shipping=_free(part.shipping_minor, currency),
                )
                for part in order.parts
            ),
            sold_out=(),
            quantity=sum(line.quantity for line in order.lines),
            subtotal=_amount(order.subtotal_minor, currency),
            shipping=_free(order.shipping_minor, currency),
            tax=_amount(order.tax_minor, currency),
            total=_amount(order.total_minor, currency),
        )

    def _merchant(self, cart: CartView, merchant: CartMerchant, *, shown: Shown) -> ShownMerchant:
        terms = merchant.terms
        return ShownMerchant(
            name=merchant.name,
            lines=tuple(self._line(cart, line, shown=shown) for line in merchant.lines),
            shipping=_free(merchant.shipping_minor, cart.currency),
            help_url=_page(terms.customer_service_url),
            returns_url=_page(terms.return_policy_url),
        )

    def _line(self, cart: CartView, line: CartLine, *, shown: Shown) -> ShownLine:
        is_reduced = line.price_minor < line.retail_minor
        return ShownLine(
            name=line.product_name,
            choice=_joined(self._showing.choice(line)),
            image=self._showing.picture(line.image),
            quantity=line.quantity,
            price=_money(line.price_minor, cart),
            total=_money(line.total_minor, cart),
            before=_money(line.retail_minor, cart) if is_reduced else "",
            notes=tuple(_notes(cart, line, shown=shown)),
        )

    def _sold_out(self, line: MissingLine) -> SoldOut:
        return SoldOut(name=line.product_name, image=self._showing.picture(line.image))


def seen(cart: CartView) -> dict[int, tuple[int, int]]:
    """Price and quantity of each line as the page shows them; quantity 0 for one that is sold out."""
    found = {line.variant_id: (line.price_minor, line.quantity) for line in cart.lines}
    return found | {line.variant_id: (0, 0) for line in cart.missing}


def _notes(cart: CartView, line: CartLine, *, shown: Shown) -> list[str]:
    notes = []
    if line.quantity < line.wanted:
        left = gettext("Only %(count)s left; you wanted %(wanted)s.")
        notes.append(left % {"count": line.quantity, "wanted": line.wanted})
    before, _ = shown.get(line.variant_id, (0, 0))
    if before and before != line.price_minor:
        changed = gettext("The price changed from %(before)s to %(now)s.")
        prices = {"before": _money(before, cart), "now": _money(line.price_minor, cart)}
        notes.append(changed % prices)
    return notes


def _ordered(line: LineView, currency: str) -> ShownLine:
    kept = msgspec.convert(line.channel_data, KeptLine)
    return ShownLine(
        name=kept.product_name or line.name,
        choice=_joined((kept.color, kept.size)),
        image=kept.image,
        quantity=line.quantity,
        price=_amount(line.unit_price_minor, currency),
        total=_amount(line.unit_price_minor * line.quantity, currency),
    )


def _joined(words: Sequence[str]) -> str:
    return ", ".join(filter(None, words))


def _money(minor: int, cart: CartView) -> str:
    return _amount(minor, cart.currency)


def _free(minor: int, currency: str) -> str:
    return _amount(minor, currency) if minor else gettext("Free")


def _amount(minor: int, currency: str) -> str:
    return money_text(minor, currency, language=spoken())


def _page(url: str) -> str:
    """A merchant's page as a link; '' for what is no web address."""
    return url if url.startswith(("https://", "http://")) else ""
