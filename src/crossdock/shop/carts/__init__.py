"""Carts: what shoppers are about to buy from one or many merchants, and how a cart becomes an order."""

from crossdock.shop.carts.carts import (
    CartItem,
    CartRules,
    Carts,
    PutMode,
    clear_cart,
    create_cart,
    delete_cart,
    purge_carts,
    put_items,
    read_cart,
    remove_items,
)
from crossdock.shop.carts.checking_out import CheckedOut, CheckingOut, Checkout, check_out, quote
from crossdock.shop.carts.model import CartLine, CartMerchant, CartView, MissingLine
from crossdock.shop.carts.ordering import Bill
from crossdock.shop.carts.sums import merchant_shipping

__all__ = [
    "Bill",
    "CartItem",
    "CartLine",
    "CartMerchant",
    "CartRules",
    "CartView",
    "Carts",
    "CheckedOut",
    "CheckingOut",
    "Checkout",
    "MissingLine",
    "PutMode",
    "check_out",
    "clear_cart",
    "create_cart",
    "delete_cart",
    "merchant_shipping",
    "purge_carts",
    "put_items",
    "quote",
    "read_cart",
    "remove_items",
]
