"""Customers with billing and shipping addresses, and who looks after them."""

from crossdock.shop.customers.addresses import Address, missing_fields

__all__ = ["Address", "missing_fields"]
