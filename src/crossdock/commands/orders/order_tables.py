"""Orders as tables for a terminal."""

from typing import TYPE_CHECKING

import typer

from crossdock.kit.money import format_minor
from crossdock.terminal import print_table

if TYPE_CHECKING:
    from crossdock.shop.orders import OrderRow, OrderView
    from crossdock.shop.payments import Payment


def print_orders(found: "list[OrderRow]") -> None:
    """Print one line per order."""
    from rich.table import Column, Table

    from crossdock.shop.orders import FULFILMENT_NAMES, PAYMENT_NAMES

    total = Column("Total", no_wrap=True)
    table = Table("Order", "Placed", "By", "Their number", "Fulfilment", "Payment", total)
    for order in found:
        table.add_row(
            str(order.id),
            f"{order.placed_at:%Y-%m-%d %H:%M}",
            order.channel,
            order.partner_order_id,
            FULFILMENT_NAMES[order.fulfilment_state],
            PAYMENT_NAMES[order.payment_state],
            f"{format_minor(order.total_minor, order.currency)} {order.currency}",
        )
    print_table(table)


def print_shown(order: "OrderView", payments: "list[Payment]") -> None:
    """Print an order's lines, payments and events."""
    from rich.table import Column, Table

    from crossdock.shop.orders import FULFILMENT_NAMES, PAYMENT_NAMES

    def money(minor: int) -> str:
        return f"{format_minor(minor, order.currency)} {order.currency}"

    fulfilment, payment_state = (
        FULFILMENT_NAMES[order.fulfilment_state],
        PAYMENT_NAMES[order.payment_state],
    )
    typer.echo(
        f"Order {order.id} of {order.channel}, {money(order.total_minor)}\n"
        f"Fulfilment: {fulfilment}\nPayment: {payment_state}"
    )
    total = Column("Total", no_wrap=True)
    names = ("Line", "SKU", "Name", "Quantity", "Shipped", "Cancelled", "Back", "Refunded")
    lines = Table(*names, total)
    for line in order.lines:
        numbers = (line.quantity, line.shipped, line.cancelled, line.returned)
        refunded = money(line.refunded_minor) if line.refunded_at else ""
        lines.add_row(
            str(line.line_no),
            line.sku,
            line.name,
            *map(str, numbers),
            refunded,
            money(line.total_minor),
        )
    print_table(lines)
    for payment in payments:
        card = f" {payment.card_brand} {payment.card_last4}" if payment.card_last4 else ""
        typer.echo(
            f"Payment {payment.id} by {payment.provider}{card}: {payment.state}, captured "
            f"{money(payment.captured_minor)}, refunded {money(payment.refunded_minor)}"
        )
    for event in order.timeline:
        by = f"  by {event.author}" if event.author else ""
        note = f": {event.payload['text']}" if event.kind == "order.noted" else ""
        typer.echo(f"{event.created_at:%Y-%m-%d %H:%M:%S}  {event.kind}{note}{by}")
