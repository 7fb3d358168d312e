"""Prices: price lists, promotions, sales, coupons, and taxes on top of them."""

from crossdock.shop.pricing.active import active_price
from crossdock.shop.pricing.boundaries import tell_prices
from crossdock.shop.pricing.coupons import (
    COUPON_KINDS,
    Coupon,
    CouponTerms,
    LowestPrice,
    OfferedCoupon,
    add_coupon,
    enable_coupon,
    list_coupons,
    lowest_price,
)
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
from crossdock.shop.pricing.taxes import (
    Destination,
    Taxable,
    Taxes,
    TaxRate,
    TaxTable,
    list_tax_rates,
    remove_tax_rate,
    set_tax_rate,
    tax_of,
)

__all__ = [
    "COUPON_KINDS",
    "Coupon",
    "CouponTerms",
    "Destination",
    "ListedPrice",
    "LowestPrice",
    "OfferedCoupon",
    "PriceList",
    "PriceRow",
    "TaxRate",
    "TaxTable",
    "Taxable",
    "Taxes",
    "active_price",
    "add_coupon",
    "add_price_list",
    "enable_coupon",
    "list_coupons",
    "list_price_lists",
    "list_tax_rates",
    "lowest_price",
    "read_price_list",
    "read_prices",
    "remove_tax_rate",
    "set_prices",
    "set_tax_rate",
    "tax_of",
    "tell_prices",
]
