"""createRetourAnnouncement: assigns returned items to order lines (spec section 15)."""

from collections.abc import Mapping, Sequence
from typing import Any

from crossdock.channels.shopwedo.errors import WireError
from crossdock.channels.shopwedo.fields import TEXT_MAX, clean, whole
from crossdock.shop.orders import LineView
from crossdock.shop.warehouse import ReturnItem


def read_return_items(
    items: Sequence[Any], *, lines: Sequence[LineView], left: Mapping[int, int]
) -> list[ReturnItem]:
    """The returned quantities by order line; `left` has the quantity that each line can still return.

    An item names a variant, and an order may have the variant in several lines: they are filled in order,
    and any excess stays with the last one, for the core to refuse.
    """
    remaining = dict(left)
    found: list[ReturnItem] = []
    for item in items:
        sku, amount, reason = _item(item)
        places = [line.line_no for line in lines if line.variant_id == sku]
        if not places:
            raise WireError("data_invalid", "each item needs a sku of the order")
        for line_no in places:
            taken = min(amount, remaining.get(line_no, 0))
            if line_no == places[-1]:
                taken = amount
            if taken:
                remaining[line_no] = remaining.get(line_no, 0) - taken
                amount -= taken
                found.append(ReturnItem(line_no=line_no, quantity=taken, reason=reason))
    return found


def _item(item: Any) -> tuple[int, int, str]:
    raw = item if isinstance(item, dict) else {}
    sku, amount = whole(raw.get("sku")), whole(raw.get("amount"))
    if sku is None or amount is None or amount < 1:
        raise WireError("data_invalid", "each item needs a sku and an amount of at least 1")
    reason = raw.get("reason")
    is_text = isinstance(reason, str | int) and not isinstance(reason, bool)
    return sku, amount, clean(str(reason)[:TEXT_MAX]) if is_text else ""
