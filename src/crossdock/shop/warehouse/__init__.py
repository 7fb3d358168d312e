"""Warehouse work: picking, packing, shipping, returns."""

from crossdock.shop.warehouse.announcing import announce_package
from crossdock.shop.warehouse.booking import Booking, check_shipping, ship_with_carrier
from crossdock.shop.warehouse.carriers import (
    LANGUAGES,
    Capabilities,
    Carrier,
    Carriers,
    DemoCarrier,
    LabelFonts,
    Parcel,
    create_carriers,
    is_tracking_number,
)
from crossdock.shop.warehouse.closing import close_short
from crossdock.shop.warehouse.following import FollowedParcel, follow_parcel
from crossdock.shop.warehouse.grid import (
    GRID_MAX,
    GridLine,
    GridRow,
    RowEdit,
    RowResult,
    edit_grid,
    find_by_sku,
    read_grid,
)
from crossdock.shop.warehouse.labelling import (
    WEIGHT_G_MAX,
    ManualLabel,
    make_manual_label,
    read_manual_label,
)
from crossdock.shop.warehouse.listing import WorkSummary, list_work
from crossdock.shop.warehouse.parcels import read_label, read_parcel, read_sender
from crossdock.shop.warehouse.picking import (
    left_to_pack,
    left_to_pick,
    pack_lines,
    pick_lines,
    start_fulfilment,
)
from crossdock.shop.warehouse.pickup import (
    PickupPoint,
    find_pickup_points,
    put_pickup_points,
)
from crossdock.shop.warehouse.polling import poll_carriers
from crossdock.shop.warehouse.receiving import count_variant, receive_variant, transfer_variant
from crossdock.shop.warehouse.refunding import refund_with_goods, rehearse_refund
from crossdock.shop.warehouse.returning import (
    Received,
    ReturnItem,
    announce_return,
    list_returnable,
    receive_return,
)
from crossdock.shop.warehouse.scanning import pick_scanned
from crossdock.shop.warehouse.sending import rehearse_sending, send_everything, send_packages
from crossdock.shop.warehouse.serials import (
    capture_serials,
    find_serial,
    read_serials,
    read_told_serials,
    serial_fingerprints,
    serial_place,
)
from crossdock.shop.warehouse.shipping import Consignment, ship_package
from crossdock.shop.warehouse.tracking import Checkpoint, add_checkpoints, deliver_package
from crossdock.shop.warehouse.undoing import unpack_package, unpick_lines

__all__ = [
    "GRID_MAX",
    "LANGUAGES",
    "WEIGHT_G_MAX",
    "Booking",
    "Capabilities",
    "Carrier",
    "Carriers",
    "Checkpoint",
    "Consignment",
    "DemoCarrier",
    "FollowedParcel",
    "GridLine",
    "GridRow",
    "LabelFonts",
    "ManualLabel",
    "Parcel",
    "PickupPoint",
    "Received",
    "ReturnItem",
    "RowEdit",
    "RowResult",
    "WorkSummary",
    "add_checkpoints",
    "announce_package",
    "announce_return",
    "capture_serials",
    "check_shipping",
    "close_short",
    "count_variant",
    "create_carriers",
    "deliver_package",
    "edit_grid",
    "find_by_sku",
    "find_pickup_points",
    "find_serial",
    "follow_parcel",
    "is_tracking_number",
    "left_to_pack",
    "left_to_pick",
    "list_returnable",
    "list_work",
    "make_manual_label",
    "pack_lines",
    "pick_lines",
    "pick_scanned",
    "poll_carriers",
    "put_pickup_points",
    "read_grid",
    "read_label",
    "read_manual_label",
    "read_parcel",
    "read_sender",
    "read_serials",
    "read_told_serials",
    "receive_return",
    "receive_variant",
    "refund_with_goods",
    "rehearse_refund",
    "rehearse_sending",
    "send_everything",
    "send_packages",
    "serial_fingerprints",
    "serial_place",
    "ship_package",
    "ship_with_carrier",
    "start_fulfilment",
    "transfer_variant",
    "unpack_package",
    "unpick_lines",
]
