"""This channel's words for how far orders, items and packages are (spec sections 7, 8, 9)."""

from collections.abc import Iterable, Sequence
from itertools import product

from crossdock.shop.orders import FREELY_CANCELLED, LineView, OrderView, PackageView

_PAID = ("authorised", "paid", "partially_refunded", "refunded", "none")
_WORKED_ON = ("processing", "in_fulfilment", "partially_shipped")
_LEFT = ("shipped", "completed")
_UNPAID = ("waiting_for_release", "reserved", *_WORKED_ON, *_LEFT)
_CLOSED_AS = (*_PAID, "awaiting", "voided")

# What the core's two states together are here; a pair that is in none of them does not occur.
_STATES: dict[str, tuple[tuple[str, str], ...]] = {
    "OPEN": tuple(product(("awaiting",), _UNPAID)),
    "PAID": tuple(product(_PAID, FREELY_CANCELLED)),
    "IN_PROGRESS": tuple(product(_PAID, _WORKED_ON)),
    "DELIVERED": tuple(product(_PAID, _LEFT)),
    "CLOSED": tuple(product(_CLOSED_AS, ("cancelled",))),
    "EXPIRED": tuple(product(("expired",), (*_UNPAID, "cancelled"))),
}
_STATUSES = {pair: status for status, pairs in _STATES.items() for pair in pairs}
_REASONS = {
    "customer_cancelled": "CUSTOMER_CANCELED",
    "out_of_stock": "OUT_OF_STOCK",
    "bad_address": "BAD_SHIPPING_ADDRESS",
    "agreement": "AGREEMENT_WITH_USER",
    "fraud": "FRAUDULENT_PURCHASE",
    "not_shipped": "NOT_SHIPPED_TOO_LONG",
}
_LAST_REPORTS = {"out_for_delivery": "OUT_FOR_DELIVERY", "exception": "EXCEPTION"}


def states_of(statuses: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The pairs of payment and fulfilment states that these statuses are."""
    return tuple(pair for status in statuses for pair in _STATES[status])


def order_status(order: OrderView) -> str:
    """OrderStatus. DELIVERED is handed to couriers, not received."""
    return _STATUSES[order.payment_state, order.fulfilment_state]


def refund_status(order: OrderView) -> str:
    """OrderRefundStatus: items are counted; what was refunded of no item in particular is a part."""
    refunded = [line.refunded_at is not None for line in order.lines]
    if all(refunded) or order.payment_state == "refunded":
        return "FULL_REFUNDED"
    if any(refunded) or order.payment_state == "partially_refunded":
        return "PARTIAL_REFUNDED"
    return "NOT_REFUNDED"


def item_status(order: OrderView, line: LineView, packages: Sequence[PackageView]) -> str:
    """OrderItemStatus; `packages` are those that hold the item."""
    if line.state == "cancelled" or order.payment_state in {"expired", "voided"}:
        return "CANCELLED"
    if order.payment_state == "awaiting":
        return "OPEN"
    if line.state in {"shipped", "returned"}:
        if line.virtual:  # no courier has it, so nobody reports its arrival
            return "DELIVERED"
        has_arrived = packages and all(package.state == "delivered" for package in packages)
        return "DELIVERED" if has_arrived else "SHIPPED"
    return "PAID" if order.fulfilment_state in FREELY_CANCELLED else "IN_FULFILLMENT"


def package_status(package: PackageView) -> str:
    """What the last report says; LANDED once it has reached the country, until there is more to say."""
    if package.state == "delivered":
        return "DELIVERED"
    if package.state == "packed":
        return "PENDING"
    last = package.checkpoints[-1].code if package.checkpoints else ""
    if last in _LAST_REPORTS:
        return _LAST_REPORTS[last]
    return "LANDED" if package.landed_at is not None else "IN_TRANSIT"


def reason_type(line: LineView) -> str | None:
    """RefundReasonType, None where nobody named a reason."""
    return _REASONS.get(line.refund_reason)
