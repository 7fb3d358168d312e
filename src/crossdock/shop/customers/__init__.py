"""Customers with billing and shipping addresses, and who looks after them."""

from crossdock.shop.customers.addresses import Address, missing_fields
from crossdock.shop.customers.assigning import NOBODY, Assigning, Vendor, resolve_vendor
from crossdock.shop.customers.managing import (
    Customer,
    CustomerChange,
    add_customer,
    find_customer,
    list_customers,
    read_customer,
    set_customer,
)
from crossdock.shop.customers.sellers import Seller, add_seller, list_sellers, set_seller_active

__all__ = [
    "NOBODY",
    "Address",
    "Assigning",
    "Customer",
    "CustomerChange",
    "Seller",
    "Vendor",
    "add_customer",
    "add_seller",
    "find_customer",
    "list_customers",
    "list_sellers",
    "missing_fields",
    "read_customer",
    "resolve_vendor",
    "set_customer",
    "set_seller_active",
]
