"""The rows of an order's types: the core's view of it, with what belongs to each item."""

from dataclasses import dataclass, field

import msgspec

from crossdock.channels.shoppo.ids import Kind
from crossdock.channels.shoppo.rows import ProductRow, SkuRow
from crossdock.shop.catalogue import AssortedProduct
from crossdock.shop.orders import CheckpointView, LineView, OrderView, PackageView, Section

_LINES = frozenset({"orderItems", "order_items", "orderItem", "refundStatus", "refund_status"})
_PACKAGES = frozenset({"status", "shippingPackage", "shippingProvider", "trackingNumber"})
_AS_SOLD = frozenset({"product", "sku"})
_REPORTS = frozenset({"checkpoints", "shippingPackage"})


@dataclass(slots=True)
class OrderRow:
    """An order with its items."""

    view: OrderView
    items: list["ItemRow"] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ItemRow:
    """A line of an order; `packages` hold it, `sku` is the snapshot of it, None where nobody asked for it."""

    order: OrderRow
    line: LineView
    packages: tuple[PackageView, ...]
    sku: SkuRow | None

    @property
    def package(self) -> PackageView | None:
        """The last package of it that a courier has given a number."""
        numbered = [each for each in self.packages if each.carrier and each.tracking_number]
        return numbered[-1] if numbered else None


@dataclass(frozen=True, slots=True)
class PackageRow:
    """A package."""

    view: PackageView


@dataclass(frozen=True, slots=True)
class CheckpointRow:
    """A report of a package's courier."""

    courier: str
    view: CheckpointView


@dataclass(frozen=True, slots=True)
class OrderPayload:
    """What a mutation answers: the order, or its item."""

    order: OrderRow | None = None
    item: ItemRow | None = None


def order_row(view: OrderView) -> OrderRow:
    """The order's row."""
    row = OrderRow(view)
    row.items = [_item(row, line) for line in view.lines]
    return row


def _item(row: OrderRow, line: LineView) -> ItemRow:
    packages = tuple(
        package
        for package in row.view.packages
        if line.line_no in package.lines and package.state != "cancelled"
    )
    return ItemRow(row, line, packages, _snapshot(row.view.id, line) if line.as_sold else None)


def _snapshot(order_id: int, line: LineView) -> SkuRow:
    """The Sku as it was ordered, with its product, of which it is the only Sku."""
    record = msgspec.convert(line.as_sold, AssortedProduct)
    product = ProductRow(record, Kind.PRODUCT_SNAPSHOT, order_id, line.line_no)
    (variant,) = record.variants
    sku = SkuRow(variant, product, Kind.SKU_SNAPSHOT, order_id, line.line_no)
    product.skus = [sku]
    return sku


def sections_of(names: frozenset[str]) -> tuple[Section, ...]:
    """What of orders the selected fields need."""
    wanted: dict[Section, bool] = {
        "lines": bool(names & _LINES),
        "as_sold": bool(names & _AS_SOLD),
        "packages": bool(names & _PACKAGES and names & _LINES),
        "checkpoints": bool(names & _REPORTS),
    }
    return tuple(name for name, is_wanted in wanted.items() if is_wanted)
