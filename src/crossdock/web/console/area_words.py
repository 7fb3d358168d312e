"""Codes that mean something of their own in one area of the console, in people's words."""

from collections.abc import Mapping
from typing import Final

from crossdock.kit.languages import lazy

_PAYOUT: Final = {
    "pending": lazy("Waiting for approval"),
    "approved": lazy("Approved"),
    "completed": lazy("Paid"),
    "rejected": lazy("Rejected"),
    "cancelled": lazy("Cancelled"),
}
_RESELLER: Final = {
    "invited": lazy("Invited"),
    "active": lazy("Active"),
    "suspended": lazy("Suspended"),
    "terminated": lazy("Terminated"),
}
_INVITATION: Final = {
    "pending": lazy("Open"),
    "accepted": lazy("Accepted"),
    "revoked": lazy("Withdrawn"),
    "expired": lazy("Expired"),
}
_MODE: Final = {
    "affiliate": lazy("Earn commission"),
    "stock": lazy("Buy stock"),
    "both": lazy("Earn commission and buy stock"),
}
_RESELLER_SALE: Final = {
    "pending": lazy("Held back"),
    "available": lazy("Available"),
    "reversed": lazy("Taken back"),
}
_CAMPAIGN: Final = {
    "active": lazy("Active"),
    "paused": lazy("Paused"),
    "revoked": lazy("Revoked"),
}
_STATEMENT: Final = {
    "fulfilment": lazy("Goods delivered"),
    "top_up": lazy("Top-up"),
    "adjustment": lazy("Adjustment"),
    "sale": lazy("Order"),
    "sale_taken_back": lazy("Goods taken back"),
    "stock_refund": lazy("Stock revoked"),
    "stock_payment": lazy("Payment for stock"),
    "commission_earned": lazy("Commission"),
    "commission_reversed": lazy("Taken back"),
    "payout": lazy("Paid out"),
}
_STOCK: Final = {
    "receive": lazy("Received"),
    "hold": lazy("Reserved"),
    "release": lazy("Reservation released"),
    "expire": lazy("Reservation ran out"),
    "commit": lazy("Committed"),
    "uncommit": lazy("Commitment taken back"),
    "ship": lazy("Shipped"),
    "adjust": lazy("Corrected"),
    "restock": lazy("Back in stock"),
    "transfer": lazy("Transferred"),
}
_POOL: Final = {"own": lazy("Own stock"), "supplier": lazy("Supplier's stock")}
_ACCOUNT: Final = {
    "receivable": lazy("Receivables"),
    "clearing": lazy("Payment clearing"),
    "bank": lazy("Bank"),
    "sales": lazy("Sales"),
    "shipping": lazy("Shipping revenue"),
    "tax": lazy("Tax payable"),
    "refunds": lazy("Refunds"),
    "commission": lazy("Commission revenue"),
    "prepaid": lazy("Prepaid balances"),
    "reseller_costs": lazy("Reseller commission costs"),
    "reseller_pending": lazy("Reseller commission held back"),
    "reseller_available": lazy("Reseller commission available"),
    "reseller_reserved": lazy("Reseller commission in payout"),
}
_ENTRY: Final = {
    "sale": lazy("Sale"),
    "sale_taken_back": lazy("Sale reversed"),
    "shipping": lazy("Shipping"),
    "shipping_taken_back": lazy("Shipping reversed"),
    "tax": lazy("Tax"),
    "tax_taken_back": lazy("Tax reversed"),
    "commission": lazy("Commission"),
    "commission_taken_back": lazy("Commission reversed"),
    "capture": lazy("Payment received"),
    "refund": lazy("Refund"),
    "invoice": lazy("Invoice"),
    "stock_payment": lazy("Payment for stock"),
    "stock_sale": lazy("Stock sold to a reseller"),
    "stock_return": lazy("Stock returned by a reseller"),
    "stock_refund": lazy("Refund for stock"),
    "top_up": lazy("Top-up"),
    "adjustment": lazy("Adjustment"),
    "commission_earned": lazy("Commission earned"),
    "commission_released": lazy("Commission released"),
    "commission_reversed": lazy("Earned commission reversed"),
    "payout_reserved": lazy("Payout reserved"),
    "payout_released": lazy("Payout reservation released"),
    "payout": lazy("Payout made"),
}
_PAYMENT: Final = {
    "asked": lazy("Requested"),
    "authorised": lazy("Authorised"),
    "captured": lazy("Paid"),
    "partially_refunded": lazy("Partly refunded"),
    "refunded": lazy("Refunded"),
    "voided": lazy("Not charged"),
    "declined": lazy("Declined"),
    "abandoned": lazy("Given up"),
}
_SETTING: Final = {
    "rate_limit_per_minute": lazy("Calls per minute"),
    "domain": lazy("Domain"),
    "completion_origins": lazy("Sites that show the checkout"),
    "reply_url": lazy("URL for replies to tickets"),
    "cancel_order_url": lazy("URL for cancelled orders"),
    "deliver_order_url": lazy("URL for delivered orders"),
    "toggle_merchant_url": lazy("URL for merchants switched on and off"),
    "create_product_url": lazy("URL for new products"),
    "update_product_url": lazy("URL for changed products"),
    "create_sku_url": lazy("URL for new SKUs"),
    "update_sku_url": lazy("URL for changed SKUs"),
    "call_token": lazy("Token sent with calls"),
    "signing_secret": lazy("Signing secret"),
    "release_mode": lazy("Release of orders"),
    "promotion_price": lazy("Promotion price"),
    "replay_cache": lazy("Refuse repeated calls"),
    "require_v11_fields": lazy("Require the fields of version 1.1"),
    "stock_as_list": lazy("Stock as a list"),
    "returns": lazy("Return address and terms"),
}
_RIGHT: Final = {
    "orders.read": lazy("see orders"),
    "products.read": lazy("see products and stock"),
    "products.manage": lazy("change products"),
    "labels.print": lazy("print labels"),
    "orders.fulfil": lazy("pick, pack and ship"),
    "orders.manage": lazy("place, cancel and refund orders"),
    "stock.adjust": lazy("receive and count stock"),
    "serials.reveal": lazy("reveal serials"),
    "alerts.read": lazy("see alerts"),
    "alerts.close": lazy("close alerts"),
    "tickets.read": lazy("see tickets"),
    "tickets.answer": lazy("answer tickets"),
    "mail.read": lazy("see sent mail"),
    "events.read": lazy("see events"),
    "deliveries.read": lazy("see deliveries to other systems"),
    "deliveries.manage": lazy("send deliveries again"),
    "imports.manage": lazy("import catalogues"),
    "partners.manage": lazy("manage partners and their keys"),
    "ledger.read": lazy("see the accounts and payments"),
    "payouts.manage": lazy("decide on payouts"),
    "search.manage": lazy("tune the search"),
    "customers.read": lazy("see customers"),
    "customers.manage": lazy("change customers"),
    "shop.manage": lazy("change the shop's settings"),
    "people.manage": lazy("manage users and roles"),
    "own_partner.read": lazy("see one's own partner"),
    "own_reseller.read": lazy("see one's own commission"),
}
FIELD_WORDS: Final = {
    "first_name": lazy("First name"),
    "last_name": lazy("Last name"),
    "company": lazy("Company"),
    "address_1": lazy("Street and number"),
    "address_2": lazy("Address line 2"),
    "postcode": lazy("Postal code"),
    "city": lazy("City"),
    "state": lazy("State or province"),
    "country": lazy("Country"),
    "phone": lazy("Phone"),
    "vat": lazy("VAT number"),
    "email": lazy("E-mail"),
}
"""The fields of an address, in the order of its form; `email` is not in the form."""
AREA_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "payout": _PAYOUT,
    "reseller": _RESELLER,
    "invitation": _INVITATION,
    "mode": _MODE,
    "reseller_sale": _RESELLER_SALE,
    "campaign": _CAMPAIGN,
    "statement": _STATEMENT,
    "stock": _STOCK,
    "pool": _POOL,
    "account": _ACCOUNT,
    "entry": _ENTRY,
    "payment": _PAYMENT,
    "setting": _SETTING,
    "right": _RIGHT,
    "field": FIELD_WORDS,
}
"""By area, the words of its codes; `code_words` has those that mean the same everywhere."""
