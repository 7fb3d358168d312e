"""The kinds of events of invoices."""

from crossdock.shop.events.payloads import Payload


class _Invoice(Payload, frozen=True, kw_only=True):
    """What an invoice is for, and its total; the event's subject is the invoice.

    `subject_id` is what its `purpose` is about, such as the stock transfer.
    """

    purpose: str
    subject_id: int | None
    total_minor: int
    currency: str


class InvoiceCreated(_Invoice, frozen=True, kw_only=True):
    """An invoice was made, and asks for its amount."""

    kind = "invoice.created"
    topic = "money"


class InvoicePaid(_Invoice, frozen=True, kw_only=True):
    """The invoice is paid, once for ever; `by_hand` if staff said so and no provider was asked."""

    kind = "invoice.paid"
    topic = "money"
    by_hand: bool


class InvoiceVoided(_Invoice, frozen=True, kw_only=True):
    """The invoice asks for nothing any more; `reason` is `by_hand` or `expired`."""

    kind = "invoice.voided"
    topic = "money"
    reason: str


class InvoiceRefunded(_Invoice, frozen=True, kw_only=True):
    """An amount of what was paid for the invoice was given back; `state` is the invoice's after it."""

    kind = "invoice.refunded"
    topic = "money"
    amount_minor: int
    state: str


class OrderSerialsReplaced(Payload, frozen=True, kw_only=True):
    """Serials of the order that did not work were replaced by others; the subject is the order."""

    kind = "order.serials_replaced"
    topic = "orders"
    product_id: int
    quantity: int
    reason: str


INVOICE_KINDS: tuple[type[Payload], ...] = (
    InvoiceCreated,
    InvoicePaid,
    InvoiceVoided,
    InvoiceRefunded,
    OrderSerialsReplaced,
)
