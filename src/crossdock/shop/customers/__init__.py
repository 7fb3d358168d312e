"""Customers with billing and shipping addresses, and who looks after them."""

from crossdock.shop.customers.addresses import Address, missing_fields
from crossdock.shop.customers.assigning import NOBODY, Assigning, Vendor, resolve_vendor
from crossdock.shop.customers.sellers import Seller, add_seller, list_sellers, set_seller_active

__all__ = [
    "NOBODY",
    "Address",
    "Assigning",
    "Seller",
    "Vendor",
    "add_seller",
    "list_sellers",
    "missing_fields",
    "resolve_vendor",
    "set_seller_active",
]
