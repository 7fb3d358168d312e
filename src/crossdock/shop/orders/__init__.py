"""Orders: placing, reading, cancelling, and the states they move through."""

from crossdock.shop.orders.cancelling import cancel_order
from crossdock.shop.orders.checking import order_exists
from crossdock.shop.orders.model import (
    Order,
    OrderCustomer,
    OrderItem,
    OrderLine,
    OrderRequest,
    PlacedOrder,
)
from crossdock.shop.orders.notes import item_note
from crossdock.shop.orders.placing import Placing, place_order
from crossdock.shop.orders.reading import find_order_id, read_order, read_order_by_key

__all__ = [
    "Order",
    "OrderCustomer",
    "OrderItem",
    "OrderLine",
    "OrderRequest",
    "PlacedOrder",
    "Placing",
    "cancel_order",
    "find_order_id",
    "item_note",
    "order_exists",
    "place_order",
    "read_order",
    "read_order_by_key",
]
