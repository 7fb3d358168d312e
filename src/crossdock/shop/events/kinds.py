"""Every kind of event with its name, topic and payload.

A kind is `subject.verb`. The subject decides the topic; `event_topic` in writing.sql says which. A
payload names what changed by ids; a consumer that needs more reads it. The subject is an order
unless the struct says otherwise.
"""

from typing import Literal

from crossdock.shop.events.invoice_kinds import INVOICE_KINDS
from crossdock.shop.events.payloads import Moved, Payload, Topic
from crossdock.shop.events.reseller_kinds import RESELLER_KINDS
from crossdock.shop.events.ticket_kinds import TICKET_KINDS
from crossdock.shop.events.warehouse_kinds import WAREHOUSE_KINDS

__all__ = ["KINDS", "Payload", "Topic"]

Level = tuple[int, str, int]


class CatalogueChanged(Payload, frozen=True, kw_only=True):
    """Products were written, or their listing changed; no subject. Without ids all show something new."""

    kind = "catalogue.changed"
    topic = "catalogue"
    product_ids: list[int]


class MerchantChanged(Payload, frozen=True, kw_only=True):
    """Merchants were written: their names, terms or whether they sell; no subject.

    `toggled_ids` are those that sell now and did not before, or the other way round.
    """

    kind = "merchant.changed"
    topic = "catalogue"
    merchant_ids: list[int]
    toggled_ids: tuple[int, ...] = ()


class CategoryChanged(Payload, frozen=True, kw_only=True):
    """Categories were written; what is below them is meant as well; no subject."""

    kind = "category.changed"
    topic = "catalogue"
    category_ids: list[int]


class CouponChanged(Payload, frozen=True, kw_only=True):
    """A coupon was added, enabled or disabled; the subject is the coupon.

    It is good for the merchant's goods, for one product of it, or with neither for the whole shop.
    """

    kind = "coupon.changed"
    topic = "price"
    merchant_id: int | None
    product_id: int | None


class PriceChanged(Payload, frozen=True, kw_only=True):
    """Prices of a list were set; the subject is the price list."""

    kind = "price.changed"
    topic = "price"
    variant_ids: list[int]


class StockChanged(Payload, frozen=True, kw_only=True):
    """Available quantities changed: (variant id, pool, available now) of each level; the subject may be None."""

    kind = "stock.changed"
    topic = "stock"
    levels: list[Level]
    reason: str


class InventoryMoved(Payload, frozen=True, kw_only=True):
    """Stock moved without changing what is available: it was shipped, or a hold was converted."""

    kind = "inventory.moved"
    topic = "orders"
    levels: list[Level]
    reason: str


class OrderPlaced(Payload, frozen=True, kw_only=True):
    """An order was placed, in these states."""

    kind = "order.placed"
    topic = "orders"
    partner_id: int | None
    state: str
    payment_state: str


class OrderReserved(Moved, frozen=True, kw_only=True):
    """A release found too little stock; the order waits."""

    kind = "order.reserved"
    topic = "orders"


class OrderReleased(Moved, frozen=True, kw_only=True):
    """The order was released, or all that was picked is un-picked: its stock is committed."""

    kind = "order.released"
    topic = "orders"


class OrderRecalled(Moved, frozen=True, kw_only=True):
    """A released order was recalled: its stock is no longer committed, and it waits again."""

    kind = "order.recalled"
    topic = "orders"


class OrderInFulfilment(Moved, frozen=True, kw_only=True):
    """The fulfilment of the order started; it cannot be cancelled from then on."""

    kind = "order.in_fulfilment"
    topic = "orders"


class OrderPartiallyShipped(Moved, frozen=True, kw_only=True):
    """A first part of the order was shipped."""

    kind = "order.partially_shipped"
    topic = "orders"


class OrderShipped(Moved, frozen=True, kw_only=True):
    """All of the order was shipped, or is not to be shipped any more."""

    kind = "order.shipped"
    topic = "orders"


class OrderCompleted(Moved, frozen=True, kw_only=True):
    """All of the order was delivered."""

    kind = "order.completed"
    topic = "orders"


class OrderCancelled(Moved, frozen=True, kw_only=True):
    """The order was cancelled before its fulfilment started: by the shop, its partner, or for want of payment."""

    kind = "order.cancelled"
    topic = "orders"
    by: Literal["shop", "partner", "expiry"] = "shop"


class OrderClosed(Payload, frozen=True, kw_only=True):
    """The order was closed short: how many will never be shipped, by line number as text.

    An order of which nothing had left is cancelled instead.
    """

    kind = "order.closed"
    topic = "orders"
    lines: dict[str, int]
    reason: str = ""


class OrderLinesRefunded(Payload, frozen=True, kw_only=True):
    """Lines were refunded by name: the amount of each in minor units, by line number as text."""

    kind = "order.lines_refunded"
    topic = "orders"
    lines: dict[str, int]
    reason: str


class OrderAddressChanged(Payload, frozen=True, kw_only=True):
    """The shipping address was corrected: the names of the fields that are other ones now."""

    kind = "order.address_changed"
    topic = "orders"
    fields: list[str]


class OrderAnnotated(Payload, frozen=True, kw_only=True):
    """What its channel keeps with the order, or the buyer's e-mail address, was changed."""

    kind = "order.annotated"
    topic = "orders"


class OrderNoted(Payload, frozen=True, kw_only=True):
    """Staff wrote a note about the order for each other; no partner and no buyer sees it."""

    kind = "order.noted"
    topic = "orders"
    text: str


class OrderLinesMoved(Payload, frozen=True, kw_only=True, rename={"to_state": "to"}):
    """Lines changed their state; the previous state of each, by line number as text."""

    kind = "order.lines_moved"
    topic = "orders"
    to_state: str
    lines: dict[str, str]


class PaymentMoved(Moved, frozen=True, kw_only=True):
    """The order's payment state changed; `amount_minor` is the amount paid or refunded."""

    payment_id: int | None = None
    amount_minor: int | None = None


class PaymentAuthorised(PaymentMoved, frozen=True, kw_only=True):
    """The payment was authorised."""

    kind = "payment.authorised"
    topic = "orders"


class PaymentPaid(PaymentMoved, frozen=True, kw_only=True):
    """The order is paid."""

    kind = "payment.paid"
    topic = "orders"


class PaymentPartiallyRefunded(PaymentMoved, frozen=True, kw_only=True):
    """A part of what was paid was refunded."""

    kind = "payment.partially_refunded"
    topic = "orders"


class PaymentRefunded(PaymentMoved, frozen=True, kw_only=True):
    """All that was paid was refunded."""

    kind = "payment.refunded"
    topic = "orders"


class PaymentVoided(PaymentMoved, frozen=True, kw_only=True):
    """The authorisation was voided; nothing was paid."""

    kind = "payment.voided"
    topic = "orders"


class PaymentExpired(PaymentMoved, frozen=True, kw_only=True):
    """The order was not paid in time."""

    kind = "payment.expired"
    topic = "orders"


class DispatchSent(Payload, frozen=True, kw_only=True):
    """A connector's outside system has the order, under its own id."""

    kind = "dispatch.sent"
    topic = "orders"
    connector: str
    external_id: str


class DispatchAttemptFailed(Payload, frozen=True, kw_only=True):
    """An attempt to dispatch the order failed; `final` if there will be no other."""

    kind = "dispatch.failed"
    topic = "orders"
    connector: str
    attempt: int
    error: str
    final: bool
    retry_in_s: int | None


class AlertRaised(Payload, frozen=True, kw_only=True):
    """An alert was raised; the subject is the alert."""

    kind = "alert.raised"
    topic = "alerts"
    alert_kind: str


class LedgerPosted(Payload, frozen=True, kw_only=True):
    """Transfers were posted: the ids of the ledger's rows; the subject may be None."""

    kind = "ledger.posted"
    topic = "money"
    entries: list[int]


_ALL: tuple[type[Payload], ...] = (
    CatalogueChanged,
    MerchantChanged,
    CategoryChanged,
    CouponChanged,
    PriceChanged,
    StockChanged,
    InventoryMoved,
    OrderPlaced,
    OrderReserved,
    OrderReleased,
    OrderRecalled,
    OrderInFulfilment,
    OrderPartiallyShipped,
    OrderShipped,
    OrderCompleted,
    OrderCancelled,
    OrderClosed,
    OrderLinesRefunded,
    OrderAddressChanged,
    OrderAnnotated,
    OrderNoted,
    OrderLinesMoved,
    PaymentAuthorised,
    PaymentPaid,
    PaymentPartiallyRefunded,
    PaymentRefunded,
    PaymentVoided,
    PaymentExpired,
    DispatchSent,
    DispatchAttemptFailed,
    *WAREHOUSE_KINDS,
    *TICKET_KINDS,
    *RESELLER_KINDS,
    *INVOICE_KINDS,
    AlertRaised,
    LedgerPosted,
)

KINDS = {payload.kind: payload for payload in _ALL}
