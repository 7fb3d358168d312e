"""Prices: price lists, promotions, sales."""

from crossdock.shop.pricing.active import active_price
from crossdock.shop.pricing.lists import (
    ListedPrice,
    PriceList,
    PriceRow,
    add_price_list,
    list_price_lists,
    read_price_list,
    read_prices,
    set_prices,
)

__all__ = [
    "ListedPrice",
    "PriceList",
    "PriceRow",
    "active_price",
    "add_price_list",
    "list_price_lists",
    "read_price_list",
    "read_prices",
    "set_prices",
]
