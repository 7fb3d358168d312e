"""Levels, entries, holds, and the rule that limits what may be sold."""

from crossdock.shop.stock.limits import Availability, Limit, purchase_limit, stock_status, taking

__all__ = ["Availability", "Limit", "purchase_limit", "stock_status", "taking"]
