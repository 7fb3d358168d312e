"""The table of state numbers and words on the wire (spec section 14)."""

from crossdock.shop.stock import StockItem

ORDER_STATES: dict[str, tuple[int, str]] = {
    "waiting_for_release": (1, "waiting_for_release"),
    "reserved": (2, "reserved"),
    "processing": (3, "released"),
    "in_fulfilment": (4, "in_fulfilment"),
    "partially_shipped": (4, "in_fulfilment"),
    "shipped": (5, "shipped"),
    "completed": (5, "shipped"),
    "cancelled": (9, "cancelled"),
}

ACTIVE, OUT_OF_STOCK, INACTIVE = (1, "active"), (2, "out_of_stock"), (0, "inactive")


def stock_state(item: StockItem) -> tuple[int, str]:
    """The state of a stock item: 1 active while createOrder sends it, so with an ATP or where it is not counted.

    Without, 2 out of stock, or 0 inactive where it is not offered any more either.
    """
    if item.available > 0 or not item.is_counted:
        return ACTIVE
    return OUT_OF_STOCK if item.enabled else INACTIVE
