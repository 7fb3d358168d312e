"""Stock: levels, entries, holds, serials, and the rule that limits what may be sold."""

from crossdock.shop.stock.holding import (
    Hold,
    expire_all_holds,
    expire_holds,
    hold_stock,
    release_hold,
)
from crossdock.shop.stock.importing import import_serials
from crossdock.shop.stock.limits import Availability, Limit, purchase_limit, stock_status, taking
from crossdock.shop.stock.listing import StockItem, list_stock
from crossdock.shop.stock.movements import Movement, list_movements
from crossdock.shop.stock.pools import (
    CLAIM_MAX,
    PooledSerial,
    claim_serials,
    count_pooled,
    list_pooled,
    remove_serials,
    replace_serials,
)
from crossdock.shop.stock.posting import (
    Posting,
    adjust_stock,
    post_stock,
    receive_stock,
    refusing_shortage,
)
from crossdock.shop.stock.serials import (
    SERIALS_MAX,
    BoughtSerial,
    ReturnedLine,
    SerialView,
    add_serials,
    exchange_serials,
    list_serials,
    read_bought_serials,
    read_sold_serials,
    revoke_serials,
    sell_serials,
    stocked_serial_fingerprints,
    stocked_serial_place,
    take_serials,
)
from crossdock.shop.stock.setting import QUANTITY_MAX, StockRecord, set_stock
from crossdock.shop.stock.viewing import Entry, Level, find_variant, read_entries, read_levels

__all__ = [
    "CLAIM_MAX",
    "QUANTITY_MAX",
    "SERIALS_MAX",
    "Availability",
    "BoughtSerial",
    "Entry",
    "Hold",
    "Level",
    "Limit",
    "Movement",
    "PooledSerial",
    "Posting",
    "ReturnedLine",
    "SerialView",
    "StockItem",
    "StockRecord",
    "add_serials",
    "adjust_stock",
    "claim_serials",
    "count_pooled",
    "exchange_serials",
    "expire_all_holds",
    "expire_holds",
    "find_variant",
    "hold_stock",
    "import_serials",
    "list_movements",
    "list_pooled",
    "list_serials",
    "list_stock",
    "post_stock",
    "purchase_limit",
    "read_bought_serials",
    "read_entries",
    "read_levels",
    "read_sold_serials",
    "receive_stock",
    "refusing_shortage",
    "release_hold",
    "remove_serials",
    "replace_serials",
    "revoke_serials",
    "sell_serials",
    "set_stock",
    "stock_status",
    "stocked_serial_fingerprints",
    "stocked_serial_place",
    "take_serials",
    "taking",
]
