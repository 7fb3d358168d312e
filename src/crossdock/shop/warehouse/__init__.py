"""Warehouse work: releasing, picking, packing, shipping, returns."""

from crossdock.shop.warehouse.picking import (
    Quantities,
    pack_lines,
    pick_lines,
    start_fulfilment,
)
from crossdock.shop.warehouse.releasing import release_order, run_releases
from crossdock.shop.warehouse.returning import ReturnItem, announce_return, receive_return
from crossdock.shop.warehouse.serials import capture_serials, read_serials
from crossdock.shop.warehouse.shipping import Consignment, ship_package
from crossdock.shop.warehouse.tracking import Checkpoint, add_checkpoints

__all__ = [
    "Checkpoint",
    "Consignment",
    "Quantities",
    "ReturnItem",
    "add_checkpoints",
    "announce_return",
    "capture_serials",
    "pack_lines",
    "pick_lines",
    "read_serials",
    "receive_return",
    "release_order",
    "run_releases",
    "ship_package",
    "start_fulfilment",
]
