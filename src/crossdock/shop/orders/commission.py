"""What a merchant owes the shop for an order, told line by line."""

import msgspec

from crossdock.kit.money import allocate, divide_half_up
from crossdock.shop.orders.viewing import LineView, OrderView


class LineCommission(msgspec.Struct, frozen=True, kw_only=True):
    """A line's share of its merchant's commission; `percent` is the whole rate nearest to the one that was posted."""

    percent: int
    amount_minor: int


def commission_of(order: OrderView) -> dict[int, LineCommission]:
    """The commission of each line by its number; needs the order's lines and parts.

    The shares of a part's lines sum to what the ledger has: they are in proportion to the goods
    after discount, without shipping and tax.
    """
    found: dict[int, LineCommission] = {}
    for part in order.parts:
        lines = [line for line in order.lines if line.merchant_id == part.merchant_id]
        goods = [_goods_minor(line) for line in lines]
        percent = divide_half_up(part.commission_minor * 100, sum(goods)) if any(goods) else 0
        for line, share in zip(lines, allocate(part.commission_minor, goods), strict=True):
            found[line.line_no] = LineCommission(percent=percent, amount_minor=share)
    return found


def _goods_minor(line: LineView) -> int:
    return line.unit_price_minor * line.quantity - line.discount_minor
