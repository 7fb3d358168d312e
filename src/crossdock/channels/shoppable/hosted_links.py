"""Where the hosted checkout may lead: only to origins that the partner's settings list (no open redirects)."""

from collections.abc import Sequence
from urllib.parse import urlencode, urlsplit, urlunsplit

from crossdock.channels.shoppable.hosted_state import Links
from crossdock.channels.shoppable.numbers import order_number
from crossdock.kit.money import format_minor
from crossdock.kit.origins import origin_of
from crossdock.shop.orders import OrderView
from crossdock.shop.partners import Partner

SETTING = "completion_origins"


def origins_of(partner: Partner) -> tuple[str, ...]:
    """The origins that the partner's pages are on."""
    return tuple(str(partner.settings.get(SETTING, "")).split())


def allowed(links: Links, *, origins: Sequence[str]) -> Links:
    """The links whose addresses are https and on one of these origins; the others are ''."""

    def checked(url: str) -> str:
        return url if origin_of(url) in origins else ""

    return Links(
        publisher_checkout=checked(links.publisher_checkout),
        return_to_site=checked(links.return_to_site),
        order_complete=checked(links.order_complete),
    )


def completion_address(url: str, *, order: OrderView, cart_id: str) -> str:
    """The completion address with what it is told of the order, behind its own query (spec 7.3).

    Regions are countries. No coupon is given for a whole cart, so `qamount` and `qcode` tell of none.
    """
    told = {
        "cart": cart_id,
        "oid": order_number(order.id),
        "qty": str(sum(line.quantity for line in order.lines)),
        "subtotal": format_minor(order.subtotal_minor, order.currency),
        "shipping": format_minor(order.shipping_minor, order.currency),
        "tax": format_minor(order.tax_minor, order.currency),
        "total": format_minor(order.total_minor, order.currency),
        "email": order.billing.email,
        "bzip": order.billing.postcode,
        "bstate": order.billing.state,
        "bregion": order.billing.country,
        "szip": order.shipping.postcode,
        "sstate": order.shipping.state,
        "sregion": order.shipping.country,
        "qamount": format_minor(0, order.currency),
        "qcode": "",
    }
    parts = urlsplit(url)
    query = "&".join(filter(None, (parts.query, urlencode(told))))
    return urlunsplit(parts._replace(query=query))
