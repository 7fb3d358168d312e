"""Levels, entries, holds, and the rule that limits what may be sold."""

from crossdock.shop.stock.holding import (
    Hold,
    commit_hold,
    expire_holds,
    hold_stock,
    release_hold,
)
from crossdock.shop.stock.limits import Availability, Limit, purchase_limit, stock_status, taking
from crossdock.shop.stock.posting import (
    Posting,
    adjust_stock,
    post_stock,
    receive_stock,
    refusing_shortage,
)

__all__ = [
    "Availability",
    "Hold",
    "Limit",
    "Posting",
    "adjust_stock",
    "commit_hold",
    "expire_holds",
    "hold_stock",
    "post_stock",
    "purchase_limit",
    "receive_stock",
    "refusing_shortage",
    "release_hold",
    "stock_status",
    "taking",
]
