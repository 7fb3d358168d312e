"""Every kind of event: what it is called, the topic it belongs to, and what its payload holds.

A kind is `subject.verb`. The subject decides the topic; `event_topic` in writing.sql says which. A
payload names what changed by ids; whoever wants more reads it. The subject's id is an order's
except where the struct says otherwise.
"""

from typing import ClassVar, Literal

import msgspec

Topic = Literal["catalogue", "price", "stock", "orders", "tickets", "money", "alerts"]

Level = tuple[int, str, int]


class Payload(msgspec.Struct, frozen=True, kw_only=True):
    """What all payloads share: the kind that they are the payload of."""

    kind: ClassVar[str]
    topic: ClassVar[Topic]


class CatalogueChanged(Payload, frozen=True, kw_only=True):
    """Products were written, or what is listed of them changed; about no single subject."""

    kind = "catalogue.changed"
    topic = "catalogue"
    product_ids: list[int]


class PriceChanged(Payload, frozen=True, kw_only=True):
    """Prices of a list were set; the subject is the price list."""

    kind = "price.changed"
    topic = "price"
    variant_ids: list[int]


class StockChanged(Payload, frozen=True, kw_only=True):
    """More or less is available: (variant id, pool, available now) of each level; subject may be none."""

    kind = "stock.changed"
    topic = "stock"
    levels: list[Level]
    reason: str


class GoodsMoved(Payload, frozen=True, kw_only=True):
    """Goods moved and what is available stayed: an order's goods left, or its hold was converted."""

    kind = "goods.moved"
    topic = "orders"
    levels: list[Level]
    reason: str


class OrderPlaced(Payload, frozen=True, kw_only=True):
    """An order was made, and began in these states."""

    kind = "order.placed"
    topic = "orders"
    partner_id: int | None
    state: str
    payment_state: str


class Moved(Payload, frozen=True, kw_only=True, rename={"from_state": "from", "to_state": "to"}):
    """An order went along an arrow of `order_moves`; all moves of an axis share this shape."""

    from_state: str
    to_state: str
    reason: str = ""


class OrderReserved(Moved, frozen=True, kw_only=True):
    """A release found too little stock; the order waits for it."""

    kind = "order.reserved"
    topic = "orders"


class OrderReleased(Moved, frozen=True, kw_only=True):
    """The order's stock is committed to it, and it may be worked on."""

    kind = "order.released"
    topic = "orders"


class OrderRecalled(Moved, frozen=True, kw_only=True):
    """A released order gave its stock back and waits again."""

    kind = "order.recalled"
    topic = "orders"


class OrderInFulfilment(Moved, frozen=True, kw_only=True):
    """The work on the order began; it cannot be cancelled any more."""

    kind = "order.in_fulfilment"
    topic = "orders"


class OrderPartiallyShipped(Moved, frozen=True, kw_only=True):
    """A first part of the order left."""

    kind = "order.partially_shipped"
    topic = "orders"


class OrderShipped(Moved, frozen=True, kw_only=True):
    """All of the order has left."""

    kind = "order.shipped"
    topic = "orders"


class OrderCompleted(Moved, frozen=True, kw_only=True):
    """All of the order has arrived."""

    kind = "order.completed"
    topic = "orders"


class OrderCancelled(Moved, frozen=True, kw_only=True):
    """The order was taken back before anybody worked on it."""

    kind = "order.cancelled"
    topic = "orders"


class OrderLinesMoved(Payload, frozen=True, kw_only=True, rename={"to_state": "to"}):
    """Lines changed their state: where each of them was, by its number as text."""

    kind = "order.lines_moved"
    topic = "orders"
    to_state: str
    lines: dict[str, str]


class PaymentMoved(Moved, frozen=True, kw_only=True):
    """The order's payment went on; `amount_minor` is what was paid or given back by it."""

    payment_id: int | None = None
    amount_minor: int | None = None


class PaymentAuthorised(PaymentMoved, frozen=True, kw_only=True):
    """The buyer's means of payment has set the money aside."""

    kind = "payment.authorised"
    topic = "orders"


class PaymentPaid(PaymentMoved, frozen=True, kw_only=True):
    """The order is paid."""

    kind = "payment.paid"
    topic = "orders"


class PaymentPartiallyRefunded(PaymentMoved, frozen=True, kw_only=True):
    """A part of what was paid was given back."""

    kind = "payment.partially_refunded"
    topic = "orders"


class PaymentRefunded(PaymentMoved, frozen=True, kw_only=True):
    """All that was paid was given back."""

    kind = "payment.refunded"
    topic = "orders"


class PaymentVoided(PaymentMoved, frozen=True, kw_only=True):
    """What was set aside was let go of; nothing was paid."""

    kind = "payment.voided"
    topic = "orders"


class PaymentExpired(PaymentMoved, frozen=True, kw_only=True):
    """The order was not paid in time."""

    kind = "payment.expired"
    topic = "orders"


class OrderPicked(Payload, frozen=True, kw_only=True):
    """Goods were taken from the shelf: how many of which line, by its number as text."""

    kind = "order.picked"
    topic = "orders"
    lines: dict[str, int]


class PackagePacked(Payload, frozen=True, kw_only=True):
    """Picked goods are in a package."""

    kind = "package.packed"
    topic = "orders"
    package_id: int


class PackageShipped(Payload, frozen=True, kw_only=True):
    """A package left; `state` is what the order became by it."""

    kind = "package.shipped"
    topic = "orders"
    package_id: int
    carrier: str
    state: str


class PackageDelivered(Payload, frozen=True, kw_only=True):
    """A package arrived."""

    kind = "package.delivered"
    topic = "orders"
    package_id: int


class ReturnAnnounced(Payload, frozen=True, kw_only=True):
    """Goods of the order will come back."""

    kind = "return.announced"
    topic = "orders"
    return_id: int


class ReturnReceived(Payload, frozen=True, kw_only=True):
    """Goods of the order came back."""

    kind = "return.received"
    topic = "orders"
    return_id: int


class DispatchSent(Payload, frozen=True, kw_only=True):
    """A connector's outside system has the order, under its own id."""

    kind = "dispatch.sent"
    topic = "orders"
    connector: str
    external_id: str


class DispatchAttemptFailed(Payload, frozen=True, kw_only=True):
    """An attempt to send the order failed; `final` when there is no further one."""

    kind = "dispatch.failed"
    topic = "orders"
    connector: str
    attempt: int
    error: str
    final: bool
    retry_in_s: int | None


class AlertRaised(Payload, frozen=True, kw_only=True):
    """Somebody has to look at something; the subject is the alert."""

    kind = "alert.raised"
    topic = "alerts"
    alert_kind: str


class LedgerPosted(Payload, frozen=True, kw_only=True):
    """Amounts went from account to account: the numbers of the ledger's rows; subject may be none."""

    kind = "ledger.posted"
    topic = "money"
    entries: list[int]


KINDS: dict[str, type[Payload]] = {
    payload.kind: payload
    for payload in (
        CatalogueChanged,
        PriceChanged,
        StockChanged,
        GoodsMoved,
        OrderPlaced,
        OrderReserved,
        OrderReleased,
        OrderRecalled,
        OrderInFulfilment,
        OrderPartiallyShipped,
        OrderShipped,
        OrderCompleted,
        OrderCancelled,
        OrderLinesMoved,
        OrderPicked,
        PaymentAuthorised,
        PaymentPaid,
        PaymentPartiallyRefunded,
        PaymentRefunded,
        PaymentVoided,
        PaymentExpired,
        PackagePacked,
        PackageShipped,
        PackageDelivered,
        ReturnAnnounced,
        ReturnReceived,
        DispatchSent,
        DispatchAttemptFailed,
        AlertRaised,
        LedgerPosted,
    )
}
