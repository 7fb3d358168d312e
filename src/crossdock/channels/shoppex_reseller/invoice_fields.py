"""The fields of invoices and payments, as they are told (spec section 13)."""

from decimal import Decimal
from typing import Any, Final

import msgspec

from crossdock.channels.shoppex_reseller import NAME
from crossdock.channels.shoppex_reseller.calls import Call
from crossdock.channels.shoppex_reseller.happenings import order_status, variant_of
from crossdock.channels.shoppex_reseller.ids import Kind, WireIds
from crossdock.channels.shoppex_reseller.invoice_happenings import (
    ORDER_TYPE,
    STATUSES,
    TYPES,
    payment_status,
)
from crossdock.channels.shoppex_reseller.wire import number, seconds
from crossdock.shop.invoices import Invoice, order_token
from crossdock.shop.orders import LineView, OrderView

BY_HAND: Final = "MANUAL"


class ShownInvoiceItem(msgspec.Struct, frozen=True, kw_only=True):
    """What is paid for; goods have a product."""

    product_id: str | None
    variant_id: str | None
    title: str
    quantity: int
    unit_price: Decimal | None
    total: Decimal | None


class ShownInvoice(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice. Where goods are sold it is the order, under the order's id.

    `checkout_url` is where it can be paid, null once it cannot; `paid_late`: money came in after it was
    voided, from which nothing followed.
    """

    id: str
    uniqid: str
    shop_id: str
    type: str
    title: str
    status: str
    payment_status: str
    gateway: str | None
    total: Decimal | None
    subtotal: Decimal | None
    discount: Decimal | None
    currency: str
    customer_email: str
    custom_fields: dict[str, Any]
    items: list[ShownInvoiceItem]
    checkout_url: str | None
    expires_at: int | None
    paid_at: int | None
    paid_late: bool
    created_at: int | None
    updated_at: int | None


def gateway_of(invoice: Invoice) -> str | None:
    """Who took the money, else who was asked for."""
    if invoice.provider:
        return _gateway(invoice.provider)
    if invoice.paid_at is not None:
        return BY_HAND
    asked = invoice.metadata.get("gateway")
    return str(asked) if asked else None


def order_gateway(order: OrderView) -> str | None:
    """Who took the money for an order, else who was asked for."""
    if order.provider:
        return _gateway(order.provider)
    asked = order.channel_data.get("gateway") if order.channel == NAME else None
    return str(asked) if asked else None


def _gateway(provider: str) -> str:
    return BY_HAND if provider == "transfer" else provider.upper()


def shown_invoice(invoice: Invoice, ids: WireIds, *, pay_url: str) -> ShownInvoice:
    """An invoice without goods; `pay_url` is what the addresses of payment pages begin with."""
    shown, currency = ids.write(Kind.INVOICE, invoice.id), invoice.currency
    total = number(invoice.total_minor, currency)
    item = ShownInvoiceItem(
        product_id=None,
        variant_id=None,
        title=invoice.title,
        quantity=invoice.quantity,
        unit_price=number(invoice.unit_minor, currency),
        total=total,
    )
    is_open = invoice.state in ("pending", "confirming")
    return ShownInvoice(
        id=shown,
        uniqid=shown,
        shop_id=ids.write(Kind.SHOP, invoice.shop_id),
        type=TYPES[invoice.purpose],
        title=invoice.title,
        status=STATUSES[invoice.state],
        payment_status=payment_status(invoice),
        gateway=gateway_of(invoice),
        total=total,
        subtotal=total,
        discount=number(0, currency),
        currency=currency,
        customer_email=invoice.email,
        custom_fields=dict(invoice.metadata.get("custom_fields") or {}),
        items=[item],
        checkout_url=pay_url + invoice.token if is_open else None,
        expires_at=seconds(invoice.expires_at),
        paid_at=seconds(invoice.paid_at),
        paid_late=invoice.paid_late_at is not None,
        created_at=seconds(invoice.created_at),
        updated_at=seconds(invoice.updated_at),
    )


def order_page(call: Call, order: OrderView) -> str | None:
    """Where the order can be paid; None once it cannot."""
    is_open = order.payment_state == "awaiting" and order.fulfilment_state != "cancelled"
    return call.pay_url + order_token(order) if is_open else None


def shown_order_invoice(call: Call, order: OrderView) -> ShownInvoice:
    """The invoice of an order, under the order's id."""
    shown, currency = call.ids.write(Kind.ORDER, order.id), order.currency
    own = order.channel_data if order.channel == NAME else {}
    return ShownInvoice(
        id=shown,
        uniqid=shown,
        shop_id=call.ids.write(Kind.SHOP, order.shop_id),
        type=ORDER_TYPE,
        title=own.get("title") or order.lines[0].name,
        status=order_status(order),
        payment_status=order.payment_state.upper(),
        gateway=order_gateway(order),
        total=number(order.total_minor, currency),
        subtotal=number(order.subtotal_minor, currency),
        discount=number(order.discount_minor, currency),
        currency=currency,
        customer_email=order.email,
        custom_fields=own.get("custom_fields") or {},
        items=[_item(call, line, currency=currency) for line in order.lines],
        checkout_url=order_page(call, order),
        expires_at=seconds(order.expires_at),
        paid_at=seconds(order.paid_at),
        paid_late=False,
        created_at=seconds(order.placed_at),
        updated_at=seconds(order.updated_at),
    )


def _item(call: Call, line: LineView, *, currency: str) -> ShownInvoiceItem:
    return ShownInvoiceItem(
        product_id=call.ids.write(Kind.PRODUCT, line.product_id),
        variant_id=variant_of(line, call.ids),
        title=line.name,
        quantity=line.quantity,
        unit_price=number(line.unit_price_minor, currency),
        total=number(line.total_minor, currency),
    )
