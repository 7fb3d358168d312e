"""What happened to invoices without goods, in this protocol's words: those of orders (spec section 11.1)."""

from typing import Any, Final

from crossdock.channels.shoppex_reseller.ids import Kind, WireIds
from crossdock.channels.shoppex_reseller.wire import number, seconds
from crossdock.shop.invoices import Invoice, InvoiceState, Purpose

INVOICE_NAMES: Final = {
    "invoice.created": "order:created",
    "invoice.paid": "order:paid",
    "invoice.voided": "order:cancelled",
    "invoice.refunded": "order:updated",
}
"""The name of each kind of event about an invoice: payments are told as orders are."""
BECOMES: Final = ("order:paid", "order:cancelled", "order:updated")
"""What the webhook of a single payment is told: all that becomes of it."""

STATUSES: Final[dict[InvoiceState, str]] = {
    "pending": "PENDING",
    "confirming": "WAITING_FOR_CONFIRMATIONS",
    "completed": "COMPLETED",
    "voided": "VOIDED",
    "partially_refunded": "COMPLETED",
    "refunded": "REFUNDED",
}
_PAYMENTS: Final[dict[InvoiceState, str]] = {
    "pending": "AWAITING",
    "confirming": "AUTHORISED",
    "completed": "PAID",
    "voided": "VOIDED",
    "partially_refunded": "PARTIALLY_REFUNDED",
    "refunded": "REFUNDED",
}
ORDER_TYPE: Final = "ORDER"
TYPES: Final[dict[Purpose, str]] = {
    "payment": "PAYMENT",
    "stock_transfer": "RESELLER_STOCK",
    "top_up": "RESELLER_TOP_UP",
}


def payment_status(invoice: Invoice) -> str:
    """What became of an invoice's payment, in the words of orders."""
    return "EXPIRED" if invoice.void_reason == "expired" else _PAYMENTS[invoice.state]


def invoice_data(invoice: Invoice, ids: WireIds) -> dict[str, Any]:
    """An invoice as webhooks tell it: without the token of its page."""
    shown, total = (
        ids.write(Kind.INVOICE, invoice.id),
        number(invoice.total_minor, invoice.currency),
    )
    return {
        "id": shown,
        "uniqid": shown,
        "shop_id": ids.write(Kind.SHOP, invoice.shop_id),
        "type": TYPES[invoice.purpose],
        "title": invoice.title,
        "status": STATUSES[invoice.state],
        "payment_status": payment_status(invoice),
        "total": total,
        "subtotal": total,
        "discount": number(0, invoice.currency),
        "currency": invoice.currency,
        "customer_email": invoice.email,
        "items": [],
        "created_at": seconds(invoice.created_at),
        "updated_at": seconds(invoice.updated_at),
    }
