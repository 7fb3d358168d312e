"""Invoices: amounts that are asked for without goods of an order behind them."""

from crossdock.shop.invoices.browsing import (
    NEWEST,
    Bill,
    BillFilters,
    BillPlace,
    browse_bills,
    place_after,
)
from crossdock.shop.invoices.hosted import (
    PAYMENT_PAGES,
    Payable,
    PayableLine,
    find_payable,
    order_token,
    pay_payable,
)
from crossdock.shop.invoices.model import (
    MOVES,
    PAID,
    STOCK_TITLE,
    Invoice,
    InvoiceState,
    Purpose,
    find_invoice,
    list_invoices,
    page_invoices,
    read_invoice,
    read_invoices,
)
from crossdock.shop.invoices.moving import (
    complete_invoice,
    create_invoice,
    expire_invoices,
    void_invoice,
)
from crossdock.shop.invoices.paying import (
    EVERY_FOLLOW,
    pay_invoice,
    refund_invoice,
    settle_every_payment,
)

__all__ = [
    "EVERY_FOLLOW",
    "MOVES",
    "NEWEST",
    "PAID",
    "PAYMENT_PAGES",
    "STOCK_TITLE",
    "Bill",
    "BillFilters",
    "BillPlace",
    "Invoice",
    "InvoiceState",
    "Payable",
    "PayableLine",
    "Purpose",
    "browse_bills",
    "complete_invoice",
    "create_invoice",
    "expire_invoices",
    "find_invoice",
    "find_payable",
    "list_invoices",
    "order_token",
    "page_invoices",
    "pay_invoice",
    "pay_payable",
    "place_after",
    "read_invoice",
    "read_invoices",
    "refund_invoice",
    "settle_every_payment",
    "void_invoice",
]
