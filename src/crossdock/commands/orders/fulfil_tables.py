"""Orders and their work as tables."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import typer

from crossdock.terminal import print_table

if TYPE_CHECKING:
    from crossdock.shop.orders import OrderView
    from crossdock.shop.warehouse import WorkSummary


class ShownOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order with the serial numbers of its lines, by line number."""

    order: "OrderView"
    serials: Mapping[int, Sequence[str]]

    def document(self) -> dict[str, Any]:
        """The order as JSON: `state` is the fulfilment state; the order's key is left out."""
        shown: dict[str, Any] = msgspec.to_builtins(self.order)
        del shown["order_key"]
        for line in shown["lines"]:
            line["serials"] = list(self.serials.get(line["line_no"], ()))
        return {"state": self.order.fulfilment_state, **shown}


def print_work(found: "list[WorkSummary]") -> None:
    """One row per order."""
    from rich.table import Table

    table = Table("Order", "Partner's number", "State", "Placed", "Picked", "Shipped")
    for order in found:
        table.add_row(
            str(order.id),
            order.partner_order_id,
            order.state,
            f"{order.placed_at:%Y-%m-%d %H:%M}",
            f"{order.picked} of {order.quantity}",
            f"{order.shipped} of {order.quantity}",
        )
    print_table(table)


def print_order(shown: ShownOrder) -> None:
    """The order's lines, then its packages."""
    from rich.table import Table

    order = shown.order
    receiver = order.shipping
    name = f"{receiver.first_name} {receiver.last_name}".strip() or receiver.company
    typer.echo(
        f"Order {order.id} ({order.partner_order_id}) is {order.fulfilment_state}, for {name}, "
        f"{receiver.postcode} {receiver.city} {receiver.country}",
    )
    lines = Table(
        "Line", "SKU", "Ordered", "Picked", "Shipped", "Cancelled", "Returned", "Name", "Serials"
    )
    for line in order.lines:
        lines.add_row(
            str(line.line_no),
            line.sku,
            str(line.quantity),
            str(line.picked),
            str(line.shipped),
            str(line.cancelled),
            str(line.returned),
            line.name,
            ", ".join(shown.serials.get(line.line_no, ())),
        )
    print_table(lines)
    if not order.packages:
        return
    packages = Table("Package", "State", "Holds", "Carrier", "Number", "Shipped", "Follow it at")
    for package in order.packages:
        packages.add_row(
            str(package.id),
            package.state,
            ", ".join(f"{many} of line {line}" for line, many in sorted(package.lines.items())),
            f"{package.carrier} {package.service}".strip(),
            package.tracking_number,
            f"{package.shipped_at:%Y-%m-%d %H:%M}" if package.shipped_at else "",
            package.tracking_url,
        )
    print_table(packages)
