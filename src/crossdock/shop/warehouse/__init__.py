"""Warehouse work: entering, releasing, picking, packing, shipping, returns."""

from crossdock.shop.warehouse.entering import (
    RELEASE_IMMEDIATE,
    RELEASE_LOOKING,
    ConsignedLine,
    ConsignedOrder,
    EnteredOrder,
    Entering,
    LineDetails,
    OrderDetails,
    enter_order,
)
from crossdock.shop.warehouse.goods import (
    Good,
    GoodName,
    StockItem,
    list_stock,
    resolve_goods,
)
from crossdock.shop.warehouse.picking import (
    Quantities,
    pack_lines,
    pick_lines,
    start_fulfilment,
)
from crossdock.shop.warehouse.pickup import PickupPoint, find_pickup_points
from crossdock.shop.warehouse.reading import (
    WorkLine,
    WorkOrder,
    WorkPackage,
    read_work_order,
)
from crossdock.shop.warehouse.releasing import release_order, run_releases
from crossdock.shop.warehouse.returning import ReturnItem, announce_return, receive_return
from crossdock.shop.warehouse.serials import capture_serials, find_serial, read_serials
from crossdock.shop.warehouse.shipping import Consignment, ship_package
from crossdock.shop.warehouse.tracking import Checkpoint, add_checkpoints

__all__ = [
    "RELEASE_IMMEDIATE",
    "RELEASE_LOOKING",
    "Checkpoint",
    "ConsignedLine",
    "ConsignedOrder",
    "Consignment",
    "EnteredOrder",
    "Entering",
    "Good",
    "GoodName",
    "LineDetails",
    "OrderDetails",
    "PickupPoint",
    "Quantities",
    "ReturnItem",
    "StockItem",
    "WorkLine",
    "WorkOrder",
    "WorkPackage",
    "add_checkpoints",
    "announce_return",
    "capture_serials",
    "enter_order",
    "find_serial",
    "find_pickup_points",
    "list_stock",
    "pack_lines",
    "pick_lines",
    "read_serials",
    "read_work_order",
    "receive_return",
    "release_order",
    "resolve_goods",
    "run_releases",
    "ship_package",
    "start_fulfilment",
]
